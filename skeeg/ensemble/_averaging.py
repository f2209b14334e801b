"""Meta-estimators that average fits which differ in their seed."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.validation import check_is_fitted

from .._checks import check_positive_ints


class _Ensemble(MetaEstimatorMixin, BaseEstimator):
    estimators_: list[Any]
    seeds_: list[int]

    def __init__(
        self,
        estimator: Any,
        n_members: int = 5,
        random_state: Any = None,
        warm_start: bool = False,
    ) -> None:
        self.estimator = estimator
        self.n_members = n_members
        self.random_state = random_state
        self.warm_start = warm_start

    def fit(self, X: Any, y: Any, **fit_params: Any) -> Self:
        """Fit the members one after another.

        Parameters
        ----------
        X : array-like, EEGData or mne.Epochs
        y : array-like of shape (n_trials,)
        **fit_params
            Passed to the ``fit`` of every member, such as ``sample_weight`` and ``groups``.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If `n_members` is not positive, or with `warm_start` less than the number of members.
        """
        check_positive_ints(n_members=self.n_members)
        kept = list(getattr(self, "estimators_", [])) if self.warm_start else []
        if len(kept) > self.n_members:
            raise ValueError(
                f"n_members={self.n_members} is less than the {len(kept)} members that are fitted. "
                "With warm_start=True members are only added; pass warm_start=False to start again."
            )
        seeds = [*self.seeds_[: len(kept)], *self._seeds()[len(kept) :]] if kept else self._seeds()
        params = self._routed("fit", fit_params)
        members = kept + [self._member(seed) for seed in seeds[len(kept) :]]
        for index in range(len(kept), len(members)):
            _train(members[index], "fit", index, seeds[index], X, y, params)
        self.estimators_, self.seeds_ = members, seeds
        return self

    def partial_fit(self, X: Any, y: Any, **fit_params: Any) -> Self:
        """Train every member further, or for the first time.

        Parameters
        ----------
        X : array-like, EEGData or mne.Epochs
        y : array-like of shape (n_trials,)
        **fit_params
            Passed to the ``partial_fit`` of every member, such as ``classes``.

        Returns
        -------
        self : object
        """
        check_positive_ints(n_members=self.n_members)
        params = self._routed("partial_fit", fit_params)
        fitted = hasattr(self, "estimators_")
        seeds = self.seeds_ if fitted else self._seeds()
        members = self.estimators_ if fitted else [self._member(seed) for seed in seeds]
        for index, (member, seed) in enumerate(zip(members, seeds, strict=True)):
            _train(member, "partial_fit", index, seed, X, y, params)
        self.estimators_, self.seeds_ = members, seeds
        return self

    def _seeds(self) -> list[int]:
        generator = check_random_state(self.random_state)
        return [int(generator.randint(2**31 - 1)) for _ in range(self.n_members)]

    def _member(self, seed: int) -> Any:
        member = clone(self.estimator)
        names = [
            name
            for name in member.get_params(deep=True)
            if name == "random_state" or name.endswith("__random_state")
        ]
        return member.set_params(**dict.fromkeys(names, seed))

    def _routed(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if _routing_enabled():
            return dict(process_routing(self, method, **params).estimator[method])
        return params

    def get_metadata_routing(self) -> MetadataRouter:
        """Return which metadata the members ask for.

        Returns
        -------
        routing : sklearn.utils.metadata_routing.MetadataRouter
        """
        mapping = MethodMapping()
        for method in ("fit", "partial_fit"):
            mapping.add(caller=method, callee=method)
        return MetadataRouter(owner=type(self).__name__).add(
            estimator=self.estimator, method_mapping=mapping
        )

    @property
    def n_features_in_(self) -> int:
        """Number of features that the members saw in ``fit``."""
        try:
            return int(self.estimators_[0].n_features_in_)
        except AttributeError as error:
            raise AttributeError(
                f"{type(self).__name__} has no attribute n_features_in_: it is not fitted, or its "
                "members have none."
            ) from error

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimators_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags, tags.target_tags = inner.input_tags, inner.target_tags
        tags.non_deterministic = inner.non_deterministic
        return tags


def _train(
    member: Any, method: str, index: int, seed: int, X: Any, y: Any, params: dict[str, Any]
) -> None:
    try:
        getattr(member, method)(X, y, **params)
    except Exception as error:
        error.add_note(f"Raised by member {index} of the ensemble, with random_state={seed}.")
        raise


class EnsembleClassifier(ClassifierMixin, _Ensemble):
    """The mean of the probabilities of several fits that differ in their seed.

    A meta-estimator, so that it takes every network, channel selector and pipeline alike.

    Parameters
    ----------
    estimator : classifier
        Cloned for each member. It needs ``predict_proba``.
    n_members : int, default=5
        Number of members.
    random_state : int, RandomState or None, default=None
        Gives the seeds of the members: every ``random_state`` in a member is set to its seed.
    warm_start : bool, default=False
        Whether ``fit`` keeps the members that are fitted and adds those that are missing.

    Attributes
    ----------
    estimators_ : list of classifiers
        The fitted members, each with its own ``history``.
    seeds_ : list of int
        Their seeds. A fit of the estimator with this ``random_state`` equals the member.
    classes_ : ndarray of shape (n_classes,)
    """

    @property
    def classes_(self) -> NDArray[Any]:
        """Labels of the classes."""
        if not hasattr(self, "estimators_"):
            raise AttributeError(f"{type(self).__name__} has no classes_ before fit.")
        return np.asarray(self.estimators_[0].classes_)

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the mean probabilities of the members.

        Parameters
        ----------
        X : array-like, EEGData or mne.Epochs

        Returns
        -------
        probabilities : ndarray of shape (n_trials, n_classes)
        """
        check_is_fitted(self)
        return np.asarray(np.mean([m.predict_proba(X) for m in self.estimators_], axis=0))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of the highest mean probability.

        Parameters
        ----------
        X : array-like, EEGData or mne.Epochs

        Returns
        -------
        labels : ndarray of shape (n_trials,)
        """
        check_is_fitted(self)
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])


class EnsembleRegressor(RegressorMixin, _Ensemble):
    """The mean of the predictions of several fits that differ in their seed.

    A meta-estimator, so that it takes every network, channel selector and pipeline alike.

    Parameters
    ----------
    estimator : regressor
        Cloned for each member.
    n_members : int, default=5
        Number of members.
    random_state : int, RandomState or None, default=None
        Gives the seeds of the members: every ``random_state`` in a member is set to its seed.
    warm_start : bool, default=False
        Whether ``fit`` keeps the members that are fitted and adds those that are missing.

    Attributes
    ----------
    estimators_ : list of regressors
        The fitted members, each with its own ``history``.
    seeds_ : list of int
        Their seeds. A fit of the estimator with this ``random_state`` equals the member.
    """

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the mean predictions of the members.

        Parameters
        ----------
        X : array-like, EEGData or mne.Epochs

        Returns
        -------
        predictions : ndarray of shape (n_trials,) or (n_trials, n_outputs)
        """
        check_is_fitted(self)
        return np.asarray(np.mean([m.predict(X) for m in self.estimators_], axis=0))
