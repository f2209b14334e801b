"""A meta-estimator whose fits are looked up in a folder."""

from __future__ import annotations

import io
import os
import pickle
import random
import sys
import warnings
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import cloudpickle
import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils._metadata_requests import METHODS
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._entries import Entries, describe_failure
from .._identity import Cloned, Unidentifiable, fit_context, identify
from .._identity.walk import NO_EFFECT

F = TypeVar("F")

_METHODS = (
    *("predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples"),
    *("transform", "inverse_transform", "score"),
)


def _if_has(name: str) -> Callable[[F], F]:
    """Return a decorator of a method that exists only if the estimator has one of this name."""

    def check(self: Any) -> bool:
        getattr(vars(self).get("estimator_", self.estimator), name)
        return True

    return cast(Callable[[F], F], available_if(check))


class Memoized(MetaEstimatorMixin, BaseEstimator):
    """An estimator whose fit is looked up in a folder, and computed only if it is not there.

    A fit is found again, also by other processes, for the same parameters and code of the
    estimator, trials, targets and further arguments, versions of packages, and fitted state of what
    is not fitted again. Parameters such as ``verbose`` and ``n_jobs`` may differ. If one of these
    cannot be identified, the estimator is fitted, with a warning that names it.

    Parameters
    ----------
    estimator : estimator
        Any estimator of scikit-learn's kind. It is cloned before it is fitted.
    memory : path-like, joblib.Memory or None
        Folder of the fits, which is created if it does not exist. None looks nothing up.

    Attributes
    ----------
    estimator_ : estimator
        The fitted clone. Its attributes that end in an underscore are those of this estimator too.
    reused_ : bool
        Whether it was found.

    Notes
    -----
    A fit whose result is drawn at random without a seed is never stored: one in which an estimator
    of skeeg or of the user has ``random_state=None``, or in which numpy's, Python's or torch's
    global generator was used. What a fit reads from files or from the network does not count.

    Entries hold pickles. They are loaded only if they carry a signature made with a key of this
    user, which lies outside the folder.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skeeg.model_selection import Memoized
    >>> X, y = np.arange(8.0).reshape(8, 1), np.arange(8) // 4
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = Memoized(LogisticRegression(), memory=folder).fit(X, y)
    ...     second = Memoized(LogisticRegression(), memory=folder).fit(X, y)
    >>> first.reused_, second.reused_
    (False, True)
    """

    def __init__(self, estimator: Any, memory: Any = None) -> None:
        self.estimator = estimator
        self.memory = memory

    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> Self:
        """Find the fitted estimator, or fit a clone and store it.

        Parameters
        ----------
        X : array-like, EEGData or mne.Epochs
        y : array-like, optional
        **fit_params
            Passed to the ``fit`` of the estimator, such as ``sample_weight`` and ``groups``.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError
            If `memory` is neither a path nor a ``joblib.Memory``.
        """
        if _routing_enabled():
            fit_params = dict(process_routing(self, "fit", **fit_params).estimator.fit)
        entries = _entries_of(self.memory)
        key = None if entries is None else self._key(X, y, fit_params)
        found = None if key is None or entries is None else _find(entries, key)
        self.reused_ = found is not None
        if found is None:
            before = _global_states()
            found = clone(self.estimator).fit(X, y, **fit_params)
            if key is not None and entries is not None:
                if before == _global_states():
                    _keep(entries, key, found)
                else:
                    _warn_unseeded("its fit drew from a global generator")
        else:
            _copy_without_effect(self.estimator, found)
        self.estimator_ = found
        return self

    def _key(self, X: Any, y: Any, fit_params: dict[str, Any]) -> str | None:
        unseeded = _unseeded(self.estimator)
        if unseeded:
            _warn_unseeded(f"{unseeded} is None")
            return None
        try:
            params = sorted(fit_params.items())
            return identify("fit", fit_context(), Cloned(self.estimator), X, y, params)
        except Unidentifiable as error:
            warnings.warn(
                f"Memoized cannot identify this fit in another run, so it is computed: {error}.",
                UserWarning,
                stacklevel=3,
            )
            return None

    def _result_params(self) -> dict[str, Any]:
        return {"estimator": self.estimator}

    def _result_state(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("estimator", "estimator_")
                if name in vars(self)}  # fmt: skip

    def _call(self, method: str, X: Any, *args: Any, **params: Any) -> Any:
        check_is_fitted(self, "estimator_")
        if _routing_enabled():
            params = dict(getattr(process_routing(self, method, **params).estimator, method))
        return getattr(self.estimator_, method)(X, *args, **params)

    @_if_has("predict")
    def predict(self, X: Any, **params: Any) -> Any:
        """Return the predictions of the fitted estimator."""
        return self._call("predict", X, **params)

    @_if_has("predict_proba")
    def predict_proba(self, X: Any, **params: Any) -> Any:
        """Return class probabilities."""
        return self._call("predict_proba", X, **params)

    @_if_has("predict_log_proba")
    def predict_log_proba(self, X: Any, **params: Any) -> Any:
        """Return logarithms of class probabilities."""
        return self._call("predict_log_proba", X, **params)

    @_if_has("decision_function")
    def decision_function(self, X: Any, **params: Any) -> Any:
        """Return decision values."""
        return self._call("decision_function", X, **params)

    @_if_has("score_samples")
    def score_samples(self, X: Any) -> Any:
        """Return a score of each row."""
        return self._call("score_samples", X)

    @_if_has("transform")
    def transform(self, X: Any, **params: Any) -> Any:
        """Return what the fitted transformer makes of the rows."""
        return self._call("transform", X, **params)

    @_if_has("transform")
    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """Return what `transform` makes of the rows, after `fit`."""
        return self.fit(X, y, **fit_params).transform(X)

    @_if_has("inverse_transform")
    def inverse_transform(self, X: Any, **params: Any) -> Any:
        """Return the rows that a transformation came from."""
        return self._call("inverse_transform", X, **params)

    @_if_has("score")
    def score(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Return the score of the fitted estimator."""
        return self._call("score", X, y, **params)

    @_if_has("get_feature_names_out")
    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return the names of the columns of `transform`."""
        return self._call("get_feature_names_out", input_features)

    @_if_has("set_output")
    def set_output(self, *, transform: Any = None) -> Self:
        """Set the container that `transform` returns, as in scikit-learn."""
        for estimator in (self.estimator, vars(self).get("estimator_")):
            if estimator is not None:
                estimator.set_output(transform=transform)
        return self

    def get_metadata_routing(self) -> MetadataRouter:
        """Return how metadata are passed on to the estimator."""
        mapping = MethodMapping().add(caller="fit", callee="fit")
        for method in set(_METHODS) & set(METHODS):
            mapping.add(caller=method, callee=method)
        return MetadataRouter(owner=self).add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_tags__(self) -> Any:
        return deepcopy(get_tags(self.estimator))

    def __sklearn_is_fitted__(self) -> bool:
        return "estimator_" in vars(self)

    def __getattr__(self, name: str) -> Any:
        if name.endswith("_") and not name.startswith("_") and "estimator_" in vars(self):
            return getattr(vars(self)["estimator_"], name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def _entries_of(memory: Any) -> Entries | None:
    if memory is None:
        return None
    if hasattr(memory, "cache") and hasattr(memory, "location"):  # of joblib
        return None if memory.location is None else Entries(Path(memory.location) / "skeeg")
    if not isinstance(memory, (str, os.PathLike)):
        raise TypeError(
            f"memory must be a path, a joblib.Memory or None, got {type(memory).__name__}."
        )
    return Entries(memory)


def _find(entries: Entries, key: str) -> Any:
    """Return the fitted estimator of a key, or None."""
    try:
        entry = entries.read(key)
        return None if entry is None else pickle.loads(entry[1])
    except Exception as error:  # a pickle can raise anything
        warnings.warn(
            f"{entries.path(key)} is damaged ({type(error).__name__}: {error}); the fit is "
            "computed again.",
            UserWarning,
            stacklevel=3,
        )
        return None


def _keep(entries: Entries, key: str, fitted: Any) -> None:
    try:
        content = _pickled(fitted)
    except Exception as error:
        warnings.warn(
            f"{type(fitted).__name__} cannot be pickled, so its fit is not stored "
            f"({type(error).__name__}: {error}).",
            UserWarning,
            stacklevel=3,
        )
        return
    try:
        entries.write(key, {"estimator": type(fitted).__name__}, content)
    except OSError as error:
        warnings.warn(describe_failure(error, entries.folder), UserWarning, stacklevel=3)


def _pickled(fitted: Any) -> bytes:
    """Return a pickle by reference, or by value for classes that no module has."""
    buffer = io.BytesIO()
    try:
        pickle.dump(fitted, buffer, protocol=5)
        return buffer.getvalue()
    except (pickle.PicklingError, AttributeError, TypeError):
        return cloudpickle.dumps(fitted, protocol=5)


def _unseeded(estimator: Any) -> str:
    """Return the name of a ``random_state`` that is None, of an estimator that is not observed.

    Estimators of scikit-learn draw from numpy's global generator then, which is noticed.
    """
    params = {"estimator": estimator, **estimator.get_params(deep=True)}
    for name, value in params.items():
        kind = type(value)
        if isinstance(value, type) or not hasattr(value, "get_params"):
            continue
        own = value.get_params(deep=False)
        if "random_state" in own and own["random_state"] is None:
            owner = next((base for base in kind.__mro__ if "fit" in vars(base)), kind)
            if owner.__module__.partition(".")[0] != "sklearn":
                return f"random_state of {kind.__name__} ({name})"
    return ""


def _warn_unseeded(reason: str) -> None:
    warnings.warn(
        f"Memoized does not store this fit, because another one would differ: {reason}. Pass "
        "random_state=0, for example.",
        UserWarning,
        stacklevel=4,
    )


def _copy_without_effect(source: Any, fitted: Any) -> None:
    """Give a fitted estimator that was found the parameters that may differ from those stored."""
    wanted = {
        name: value
        for name, value in source.get_params(deep=True).items()
        if name.rpartition("__")[2] in NO_EFFECT
    }
    known = fitted.get_params(deep=True)
    fitted.set_params(**{name: value for name, value in wanted.items() if name in known})


def _global_states() -> tuple[Any, ...]:
    """Return the states of the global generators, in a form that can be compared."""
    name, keys, *rest = np.random.get_state()  # noqa: NPY002
    states: list[Any] = [random.getstate(), name, np.asarray(keys).tobytes(), tuple(rest)]
    torch = sys.modules.get("torch")
    return (*states, None if torch is None else torch.get_rng_state().numpy().tobytes())
