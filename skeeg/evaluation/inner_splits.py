"""Inner splits of nested estimators, which must not divide a trial either."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import BaseCrossValidator, check_cv
from sklearn.model_selection._split import GroupsConsumerMixin
from sklearn.utils.metadata_routing import get_routing_for_object

from .._labelled import LabelledRows
from ..model_selection.folds import LeakageError, trial_codes
from ..model_selection.splitters import TrialKFold

_ADVICE = (
    "Call its fit with splits that keep trials together, or use one row for each trial. To run it "
    "anyway and mark its results, pass allow_leakage=True."
)


class CheckedSplits(GroupsConsumerMixin, BaseCrossValidator):
    """The splits of another splitter, refused where they divide a trial.

    Parameters
    ----------
    cv : splitter or iterable of (train, test)
    """

    def __init__(self, cv: Any) -> None:
        self.cv = cv

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits."""
        return int(check_cv(self.cv).get_n_splits(X, y, groups))

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield the rows of each training and test part.

        Parameters
        ----------
        X, y : array-like
        groups : array-like, shape (n_rows,)
            The trial of each row.

        Yields
        ------
        train, test : ndarray of int

        Raises
        ------
        LeakageError
            If a split divides a trial, or the trials are unknown.
        """
        if groups is None and isinstance(X, LabelledRows):
            groups = trial_codes(X)
        if groups is None:
            raise LeakageError(f"The trials of the rows do not reach cv={self.cv!r:.80}. {_ADVICE}")
        groups = np.asarray(groups)
        for train, test in check_cv(self.cv).split(X, y, groups):
            shared = np.intersect1d(groups[train], groups[test])
            if shared.size:
                raise LeakageError(
                    f"cv={self.cv!r:.80} of a nested estimator divides {shared.size} trials. Pass "
                    "an integer or TrialKFold as its cv."
                )
            yield train, test


def needs_trials(estimator: Any, data: LabelledRows) -> bool:
    """Return whether an estimator splits its training part, of windows that share trials."""
    codes = trial_codes(data)
    if len(np.unique(codes)) == len(codes):
        return False
    return bool(_consumers(estimator))


def with_trials(estimator: Any) -> Any:
    """Return a clone whose inner splits keep the groups that are passed to `fit` together.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    clone : estimator
        Fit it in ``sklearn.config_context(enable_metadata_routing=True)`` with ``groups``.

    Raises
    ------
    LeakageError
        If groups do not reach a nested estimator that splits its training part.
    """
    names = _consumers(estimator)
    with config_context(enable_metadata_routing=True):
        for name in names:
            alone = _requesting(clone(estimator), [name])
            if not _reached(alone):
                raise LeakageError(
                    f"The trials of the rows do not reach {name or 'the estimator'!r} of "
                    f"{type(estimator).__name__}, which splits its training part. {_ADVICE}"
                )
        return _requesting(clone(estimator), names)


def _consumers(estimator: Any) -> list[str]:
    """Return the paths of nested estimators that split what they are fitted on."""
    params = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else {}
    nested = {"": estimator} | {name: part for name, part in params.items() if _fits(part)}
    return [name for name, part in nested.items() if _divides(part) or _stops_early(part)]


def _fits(part: Any) -> bool:
    return hasattr(part, "fit") and hasattr(part, "get_params") and not isinstance(part, type)


def _divides(part: Any) -> bool:
    params = part.get_params(deep=False) if _fits(part) else {}
    return "cv" in params and params["cv"] != "prefit"


def _stops_early(part: Any) -> bool:
    """Return whether it is a network with early stopping, which has groups in its fit."""
    stops = bool(getattr(part, "early_stopping", False))
    return stops and hasattr(part, "validation_fraction") and hasattr(part, "recorded_score")


def _requesting(estimator: Any, names: list[str]) -> Any:
    nested = {"": estimator} | estimator.get_params(deep=True)
    for name in names:
        part = nested[name]
        if _divides(part):
            part.set_params(cv=_group_aware(part.cv))
        else:
            part.set_fit_request(groups=True)
    return estimator


def _group_aware(cv: Any) -> Any:
    if cv is None or isinstance(cv, (int, np.integer)):
        return TrialKFold(5 if cv is None else int(cv)).set_split_request(groups=True)
    return CheckedSplits(cv).set_split_request(groups=True)


def _reached(estimator: Any) -> bool:
    try:
        return "groups" in get_routing_for_object(estimator).consumes("fit", {"groups"})
    except (NotImplementedError, AttributeError):
        return False
