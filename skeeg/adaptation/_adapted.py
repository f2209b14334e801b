"""Meta-estimators that adapt batch normalisation to the trials of a prediction."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    RegressorMixin,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils.metadata_routing import (
    UNUSED,
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.validation import _num_samples, check_is_fitted

from ..alignment.domains import Domain, check_domain_columns, domains_of


class _Adapted(MetaEstimatorMixin, BaseEstimator):
    #: `skeeg.compare` and its report say that predictions use the unlabelled trials.
    transductive = True

    # What the estimator asks for is declared by it, so that there is no request to set here.
    __metadata_request__fit: ClassVar[dict[str, Any]] = {"sample_weight": UNUSED}

    estimator_: Any
    _task: str

    def __init__(
        self, estimator: Any, domain: str | Sequence[str] = "subject", rescale: bool = True
    ) -> None:
        self.estimator = estimator
        self.domain = domain
        self.rescale = rescale

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, **fit_params: Any) -> Self:
        """Fit the estimator.

        Parameters
        ----------
        X : array-like, EEGData or mne.Epochs
        y : array-like of shape (n_trials,)
        sample_weight : array-like of shape (n_trials,), optional
        **fit_params
            Further arguments for the ``fit`` of the estimator, such as ``groups``.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError
            If the estimator cannot be adapted, or is not of this task.
        ValueError
            If `domain` is not a name or a list of names.
        """
        check_domain_columns(self.domain)
        if not self._is_of_task() or not hasattr(_last_step(self.estimator), "adapt"):
            raise TypeError(
                f"{type(self).__name__} takes a {self._task} of skeeg with batch normalisation, an "
                f"ensemble of such, or a pipeline that ends in one; got {self.estimator!r}."
            )
        if sample_weight is not None:
            fit_params["sample_weight"] = sample_weight
        if _routing_enabled():
            fit_params = dict(process_routing(self, "fit", **fit_params).estimator["fit"])
        self.estimator_ = clone(self.estimator).fit(X, y, **fit_params)
        return self

    def _is_of_task(self) -> bool:
        raise NotImplementedError

    def _by_domain(self, method: str, X: Any) -> NDArray[Any]:
        """Return predictions for the trials of each domain by an estimator adapted to them."""
        check_is_fitted(self)
        columns = check_domain_columns(self.domain)
        rows: dict[Domain, list[int]] = {}
        for i, domain in enumerate(domains_of(X, columns, None, _num_samples(X))):
            rows.setdefault(domain, []).append(i)
        if len(rows) < 2:
            return self._adapted_prediction(method, X)
        parts = [self._adapted_prediction(method, _safe_indexing(X, own)) for own in rows.values()]
        order = np.concatenate([np.array(own) for own in rows.values()])
        return np.concatenate(parts)[np.argsort(order)]

    def _adapted_prediction(self, method: str, X: Any) -> NDArray[Any]:
        last = _last_step(self.estimator_)
        if isinstance(self.estimator_, Pipeline) and len(self.estimator_) > 1:
            X = self.estimator_[:-1].transform(X)
        adapted = copy.deepcopy(last).adapt(X, rescale=self.rescale)
        return np.asarray(getattr(adapted, method)(X))

    def get_metadata_routing(self) -> MetadataRouter:
        """Return which metadata the estimator asks for.

        Returns
        -------
        routing : sklearn.utils.metadata_routing.MetadataRouter
        """
        return MetadataRouter(owner=type(self).__name__).add(
            estimator=self.estimator,
            method_mapping=MethodMapping().add(caller="fit", callee="fit"),
        )

    @property
    def n_features_in_(self) -> int:
        """Number of features that the estimator saw in ``fit``."""
        return int(self._found("n_features_in_"))

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """Names of the columns of a data frame that the estimator saw in ``fit``."""
        return np.asarray(self._found("feature_names_in_"))

    def _found(self, name: str) -> Any:
        try:
            return getattr(self.estimator_, name)
        except AttributeError as error:
            raise AttributeError(
                f"{type(self).__name__} has no attribute {name}: it is not fitted, or its "
                "estimator has none."
            ) from error

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags, tags.target_tags = inner.input_tags, inner.target_tags
        tags.non_deterministic = inner.non_deterministic
        return tags


class AdaptedClassifier(ClassifierMixin, _Adapted):
    """A classifier that adapts batch normalisation to the trials of each prediction.

    For each domain among the trials of a call, the fitted network is adapted to these trials by
    its method ``adapt``, without their labels, and predicts them [1]_. This is transductive: a
    prediction depends on the other trials of its domain in the same call. `skeeg.compare` and its
    report say so.

    Parameters
    ----------
    estimator : classifier
        A network classifier of skeeg, an `EnsembleClassifier` of them, or a pipeline that ends in
        one.
    domain : str or sequence of str, default="subject"
        Columns of the metadata that tell domains apart; sessions and runs are nested in their
        subject. The trials of an array are one domain.
    rescale : bool, default=True
        Whether the scale of the trials is adapted too.

    Attributes
    ----------
    estimator_ : classifier
        As it was fitted. Predictions do not change it.
    classes_ : ndarray of shape (n_classes,)

    See Also
    --------
    skeeg.alignment.EuclideanAlignment : Aligns the trials before any decoder.

    References
    ----------
    .. [1] Y. Li, N. Wang, J. Shi, J. Liu and X. Hou, "Revisiting batch normalization for
       practical domain adaptation", arXiv:1603.04779, 2016.

    Examples
    --------
    >>> from skeeg import EEGNetClassifier
    >>> from skeeg.adaptation import AdaptedClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=2, n_trials=4, tmax=1.0, random_state=0)
    >>> clf = AdaptedClassifier(EEGNetClassifier(max_epochs=2, random_state=0))
    >>> clf.fit(data, data.y).predict(data).shape == data.y.shape
    True
    """

    _task = "classifier"

    def _is_of_task(self) -> bool:
        return is_classifier(self.estimator)

    @property
    def classes_(self) -> NDArray[Any]:
        """Labels of the classes."""
        return np.asarray(self._found("classes_"))

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return class probabilities by networks that are adapted to the trials.

        Parameters
        ----------
        X : array-like, EEGData or mne.Epochs

        Returns
        -------
        probabilities : ndarray of shape (n_trials, n_classes)
        """
        return self._by_domain("predict_proba", X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return labels by networks that are adapted to the trials.

        Parameters
        ----------
        X : array-like, EEGData or mne.Epochs

        Returns
        -------
        labels : ndarray of shape (n_trials,)
        """
        return self._by_domain("predict", X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags = get_tags(self.estimator).classifier_tags or tags.classifier_tags
        return tags


class AdaptedRegressor(RegressorMixin, _Adapted):
    """A regressor that adapts batch normalisation to the trials of each prediction.

    See `AdaptedClassifier`, which does the same with the same parameters.

    Parameters
    ----------
    estimator : regressor
        A network regressor of skeeg, an `EnsembleRegressor` of them, or a pipeline that ends in
        one.
    domain : str or sequence of str, default="subject"
        Columns of the metadata that tell domains apart; sessions and runs are nested in their
        subject. The trials of an array are one domain.
    rescale : bool, default=True
        Whether the scale of the trials is adapted too.

    Attributes
    ----------
    estimator_ : regressor
        As it was fitted. Predictions do not change it.
    """

    _task = "regressor"

    def _is_of_task(self) -> bool:
        return is_regressor(self.estimator)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return predictions by networks that are adapted to the trials.

        Parameters
        ----------
        X : array-like, EEGData or mne.Epochs

        Returns
        -------
        predictions : ndarray of shape (n_trials,) or (n_trials, n_outputs)
        """
        return self._by_domain("predict", X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags = get_tags(self.estimator).regressor_tags or tags.regressor_tags
        return tags


def _last_step(estimator: Any) -> Any:
    """Return the last step of a pipeline, and any other estimator as it is."""
    return estimator[-1] if isinstance(estimator, Pipeline) else estimator
