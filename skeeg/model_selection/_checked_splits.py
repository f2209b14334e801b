"""Inner splits that keep the trials of a comparison together."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import BaseCrossValidator, check_cv
from sklearn.model_selection._split import GroupsConsumerMixin

from .._labelled import LabelledRows, subject_codes
from ._splitter import Split, Splitter
from .folds import LeakageError, trial_codes
from .splitters import TrialKFold, WithinSubject

DEFAULT_N_SPLITS = 5
#: Bits of the trial in an integer that identifies subject and trial.
_TRIAL_BITS = 32


def unit_codes(data: LabelledRows) -> NDArray[np.int64]:
    """Return an integer for each row that identifies its subject and its trial.

    Parameters
    ----------
    data : EEGData or FeatureTable

    Returns
    -------
    codes : ndarray of int64, shape (n_rows,)
    """
    return (subject_codes(data).astype(np.int64) << _TRIAL_BITS) | trial_codes(data)


def trial_folds(cv: Any, continuous: bool | None = None) -> TrialKFold:
    """Return the splitter for a number of folds; None means five.

    Parameters
    ----------
    cv : int or None
    continuous : bool, optional
        Whether the targets are continuous.

    Returns
    -------
    splitter : TrialKFold
    """
    splitter = TrialKFold(DEFAULT_N_SPLITS if cv is None else int(cv))
    splitter.continuous = continuous
    return splitter


class CheckedSplits(GroupsConsumerMixin, BaseCrossValidator):
    """The splits of another splitter, refused where they divide a trial.

    Parameters
    ----------
    cv : int, splitter, iterable of (train, test) or None
        An integer is the number of folds of whole trials, or of whole subjects if `across` is
        ``"subject"`` and there are several; None means five.
    across : str, optional
        What the outer split claims to generalise over.
    groups : array-like, shape (n_rows,), optional
        What `unit_codes` returns for the rows, if it is not passed to `split`.
    continuous : bool, optional
        Whether the targets are continuous.
    allow_leakage : bool
        Whether splits may divide trials.
    """

    def __init__(
        self,
        cv: Any,
        across: str | None = None,
        groups: ArrayLike | None = None,
        continuous: bool | None = None,
        allow_leakage: bool = False,
    ) -> None:
        self.cv = cv
        self.across = across
        self.groups = groups
        self.continuous = continuous
        self.allow_leakage = allow_leakage

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits."""
        if X is None:
            return int(check_cv(self.cv).get_n_splits())
        splitter, *arguments = self._splitter(X, y, self._units(X, groups))
        return int(splitter.get_n_splits(*arguments))

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Split]:
        """Yield the rows of each training and test part.

        Parameters
        ----------
        X, y : array-like
        groups : array-like, shape (n_rows,)
            What `unit_codes` returns for the rows.

        Yields
        ------
        train, test : ndarray of int

        Raises
        ------
        LeakageError
            If a split divides a trial, or the trials are unknown.
        """
        units = self._units(X, groups)
        splitter, *arguments = self._splitter(X, y, units)
        for train, test in splitter.split(*arguments):
            shared = np.intersect1d(units[train], units[test])
            if shared.size and not self.allow_leakage:
                raise LeakageError(
                    f"cv={self.cv!r:.80} of a nested estimator divides {shared.size} trials. Pass "
                    "an integer or TrialKFold as its cv."
                )
            yield train, test

    def _units(self, X: Any, groups: Any) -> NDArray[np.int64]:
        if groups is None and isinstance(X, LabelledRows):
            return unit_codes(X)
        units = self.groups if groups is None else groups
        n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
        if units is None or len(np.asarray(units)) != n_rows:
            raise LeakageError(
                f"The trials of the rows do not reach cv={self.cv!r:.80} of a nested estimator."
            )
        return np.asarray(units)

    def _splitter(self, X: Any, y: Any, units: NDArray[np.int64]) -> tuple[Any, Any, Any, Any]:
        """Return the splitter, and the arguments of its ``split``."""
        subjects = units >> _TRIAL_BITS
        by_subject = self.across == "subject" and len(np.unique(subjects)) > 1
        if self.cv is None or isinstance(self.cv, Integral):
            labels = np.zeros(len(units)) if y is None else y
            rows = np.zeros(len(units))
            if by_subject and (folds := self._subject_folds(labels, subjects)) is not None:
                return folds, rows, labels, subjects
            return trial_folds(self.cv, self.continuous), rows, labels, units
        splitter = check_cv(self.cv)
        if isinstance(splitter, Splitter) and isinstance(X, LabelledRows):
            return splitter, X, y, None
        if isinstance(splitter, WithinSubject) or getattr(splitter, "across", "") == "subject":
            return splitter, X, y, subjects
        if not isinstance(splitter, (GroupsConsumerMixin, Splitter)):
            return splitter, X, y, None
        return splitter, X, y, subjects if by_subject else units

    def _subject_folds(self, y: Any, subjects: NDArray[np.int64]) -> TrialKFold | None:
        """Return folds of whole subjects, fewer than asked for if there are few subjects."""
        most = min(trial_folds(self.cv).n_splits, len(np.unique(subjects)))
        for n_splits in range(most, 1, -1):
            folds = trial_folds(n_splits, self.continuous)
            try:
                parts = list(folds.split(np.zeros(len(subjects)), y, subjects))
            except ValueError:  # too few subjects of each class
                continue
            labels = np.asarray(y)
            classes = labels[:0] if self.continuous else np.unique(labels)
            if all(np.isin(classes, labels[train]).all() for train, _ in parts):
                return folds
        return None
