"""Meta-estimators that average fits which differ in their seed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin, is_classifier, is_regressor
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from ..estimators._prediction import predict_together, share_trials
from ._base import Ensemble


class EnsembleClassifier(ClassifierMixin, Ensemble):
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
    n_jobs : int, default=None
        Number of members that are trained at the same time, by joblib. None is 1, unless a
        ``joblib.parallel_config`` is active.

    Attributes
    ----------
    estimators_ : list of classifiers
        The fitted members, each with its own ``history``.
    seeds_ : list of int
        Their seeds. A fit of the estimator with this ``random_state`` equals the member.
    classes_ : ndarray of shape (n_classes,)
    """

    _needs = "a classifier with predict_proba"

    def _is_of_task(self) -> bool:
        return is_classifier(self.estimator) and hasattr(self.estimator, "predict_proba")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags = get_tags(self.estimator).classifier_tags or tags.classifier_tags
        return tags

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
        members = self.estimators_
        if share_trials(members):
            return np.asarray(np.mean(predict_together(members, X), axis=0))
        return np.asarray(np.mean([member.predict_proba(X) for member in members], axis=0))

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


class EnsembleRegressor(RegressorMixin, Ensemble):
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
    n_jobs : int, default=None
        Number of members that are trained at the same time, by joblib. None is 1, unless a
        ``joblib.parallel_config`` is active.

    Attributes
    ----------
    estimators_ : list of regressors
        The fitted members, each with its own ``history``.
    seeds_ : list of int
        Their seeds. A fit of the estimator with this ``random_state`` equals the member.
    """

    _needs = "a regressor"

    def _is_of_task(self) -> bool:
        return is_regressor(self.estimator)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags = get_tags(self.estimator).regressor_tags or tags.regressor_tags
        return tags

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
        members = self.estimators_
        if share_trials(members):
            outputs = zip(members, predict_together(members, X), strict=True)
            return np.asarray(np.mean([member._decode(output) for member, output in outputs], 0))
        return np.asarray(np.mean([member.predict(X) for member in members], axis=0))
