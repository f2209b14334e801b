"""Splitters for ``cv`` of scikit-learn that do not divide the windows of a trial or a subject."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold

from .._checks import check_integer
from .._divided_trials import accept_division
from .._labelled import LabelledRows
from ._splitter import Split, Splitter, codes_of, labels_of


class TrialKFold(Splitter):
    """K folds of whole trials: all windows of a trial are in one fold.

    The folds are stratified: for each class, the numbers of trials in the folds differ by at most
    one. A trial whose windows have different labels counts as the most frequent one. With trials
    of different lengths, folds have different numbers of windows. Continuous targets
    are not stratified.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=False
        Whether to shuffle the trials. By default the trials of a fold are consecutive, so that
        slow changes of a recording are least helpful.
    random_state : int, RandomState or None, default=None
        The source of randomness for `shuffle`.

    See Also
    --------
    WithinSubject : The same folds, for each subject separately.
    sklearn.model_selection.StratifiedGroupKFold : Stratifies windows, not trials.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import EEGData
    >>> from skeeg.model_selection import TrialKFold
    >>> windows = EEGData.from_arrays(
    ...     np.zeros((8, 1, 4)), [0, 0, 1, 1, 0, 0, 1, 1], sfreq=4, trial=[0, 0, 1, 1, 2, 2, 3, 3]
    ... )
    >>> [test.tolist() for _, test in TrialKFold(2).split(windows)]
    [[0, 1, 2, 3], [4, 5, 6, 7]]
    """

    def __init__(
        self, n_splits: int = 5, *, shuffle: bool = False, random_state: Any = None
    ) -> None:
        StratifiedKFold(n_splits, shuffle=shuffle, random_state=random_state)  # checks them
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Split]:
        """Yield the rows of each training and test part.

        Parameters
        ----------
        X : EEGData, FeatureTable, or array-like of length n_windows
            Trials are identified by the metadata; without a column ``trial`` each row is one.
        y : array-like, shape (n_windows,), optional
            The labels; by default those of the data.
        groups : array-like, shape (n_windows,), optional
            The trial of each row, unique across subjects. Required for arrays.

        Yields
        ------
        train, test : ndarray of int

        Raises
        ------
        ValueError
            If trials or labels are unknown, or no class has `n_splits` trials.
        """
        labels = self._strata(X, y)
        trials = codes_of(self, X, groups, "trial")
        classes, of_rows = np.unique(labels, return_inverse=True)
        counts = np.zeros((trials.max(initial=-1) + 1, len(classes)), dtype=np.intp)
        np.add.at(counts, (trials, of_rows), 1)
        of_trials = counts.argmax(axis=1)
        most = np.bincount(of_trials, minlength=1).max()
        if most < self.n_splits and len(classes) == 1:
            raise ValueError(
                f"TrialKFold(n_splits={self.n_splits}) needs that many trials at least, and there "
                f"{'is' if most == 1 else 'are'} {most}. Use fewer folds."
            )
        if most < self.n_splits:
            raise ValueError(
                f"TrialKFold(n_splits={self.n_splits}) needs that many trials of a class at least; "
                f"the {len(counts)} trials hold {most} of the most frequent one. Use fewer folds."
            )
        seed = self.random_state if self.shuffle else None
        folds = StratifiedKFold(self.n_splits, shuffle=self.shuffle, random_state=seed)
        yield from _rows(folds.split(counts, of_trials), trials)


class LeaveSubjectsOut(Splitter):
    """Test on subjects that are not in the training set, each subject once.

    Parameters
    ----------
    n_subjects : int, default=1
        The largest number of test subjects of a fold. There are as few folds as possible, whose
        numbers of subjects differ by at most one.
    shuffle : bool, default=False
        Whether to shuffle the subjects; by default those of a fold are consecutive. Necessary if
        several are left out and the data are sorted, such as patients before controls.
    random_state : int, RandomState or None, default=None
        The source of randomness for `shuffle`.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import EEGData
    >>> from skeeg.model_selection import LeaveSubjectsOut
    >>> data = EEGData.from_arrays(
    ...     np.zeros((6, 1, 4)), [0, 1] * 3, sfreq=4, subject=["A", "A", "B", "B", "C", "C"]
    ... )
    >>> [test.tolist() for _, test in LeaveSubjectsOut().split(data)]
    [[0, 1], [2, 3], [4, 5]]
    >>> [test.tolist() for _, test in LeaveSubjectsOut(n_subjects=2).split(data)]
    [[0, 1, 2, 3], [4, 5]]
    """

    #: What the score generalises over, which the leakage guard checks.
    across = "subject"

    def __init__(
        self, n_subjects: int = 1, *, shuffle: bool = False, random_state: Any = None
    ) -> None:
        check_integer("n_subjects", n_subjects, at_least=1)
        KFold(shuffle=shuffle, random_state=random_state)  # checks them
        self.n_subjects = n_subjects
        self.shuffle = shuffle
        self.random_state = random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits.

        Parameters
        ----------
        X, y, groups : object
            As in `split`.

        Returns
        -------
        n_splits : int

        Raises
        ------
        ValueError
            As `split`.
        """
        return self._n_folds(codes_of(self, X, groups, "subject"))

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Split]:
        """Yield the rows of each training and test part.

        Parameters
        ----------
        X : EEGData, FeatureTable, or array-like of length n_trials
            Subjects are identified by the metadata.
        y : object, optional
            Ignored.
        groups : array-like, shape (n_trials,), optional
            The subject of each row. Required for arrays.

        Yields
        ------
        train, test : ndarray of int

        Raises
        ------
        ValueError
            If subjects are unknown, or there are not more than `n_subjects`.
        """
        subjects = codes_of(self, X, groups, "subject")
        seed = self.random_state if self.shuffle else None
        folds = KFold(self._n_folds(subjects), shuffle=self.shuffle, random_state=seed)
        yield from _rows(folds.split(np.unique(subjects)), subjects)

    def _n_folds(self, subjects: NDArray[np.intp]) -> int:
        n_subjects = len(np.unique(subjects))
        if n_subjects <= self.n_subjects:
            raise ValueError(
                f"LeaveSubjectsOut(n_subjects={self.n_subjects}) needs more subjects than it "
                f"leaves out, and there {'is' if n_subjects == 1 else 'are'} {n_subjects}."
            )
        return -(-n_subjects // self.n_subjects)


class WithinSubject(Splitter):
    """Apply a splitter to each subject separately, for training and test within subjects.

    Parameters
    ----------
    cv : splitter or int, optional
        Divides the trials of a subject. An integer is the number of folds of `TrialKFold`; by
        default five.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import EEGData
    >>> from skeeg.model_selection import TrialKFold, WithinSubject
    >>> data = EEGData.from_arrays(
    ...     np.zeros((8, 1, 4)), [0, 0, 1, 1] * 2, sfreq=4, subject=["A"] * 4 + ["B"] * 4
    ... )
    >>> [(train.tolist(), test.tolist()) for train, test in WithinSubject(2).split(data)][:2]
    [([1, 3], [0, 2]), ([0, 2], [1, 3])]
    """

    def __init__(self, cv: Any = None) -> None:
        if cv is not None and not hasattr(cv, "get_n_splits"):
            check_integer("cv", cv, at_least=2)
        self.cv = cv

    @property
    def allow_leakage(self) -> bool:
        """Whether the splitter of each subject allows leakage."""
        return getattr(self.cv, "allow_leakage", False)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits, summed over all subjects.

        Parameters
        ----------
        X, y, groups : object
            As in `split`.

        Returns
        -------
        n_splits : int

        Raises
        ------
        ValueError
            If subjects are unknown.
        """
        cv = self._splitter()
        return sum(cv.get_n_splits(*own) for _, *own in self._parts(X, y, groups))

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Split]:
        """Yield the rows of each training and test part, subject after subject.

        Parameters
        ----------
        X : EEGData, FeatureTable, or array-like of length n_trials
            Subjects are identified by the metadata; without a column ``subject`` there is one. `cv`
            gets the rows of one subject at a time.
        y : array-like, shape (n_trials,), optional
            The labels; by default those of the data.
        groups : array-like, shape (n_trials,), optional
            The subject of each row. Required for arrays.

        Yields
        ------
        train, test : ndarray of int

        Raises
        ------
        ValueError
            If subjects are unknown, or `cv` cannot divide the trials of one.
        """
        if self.allow_leakage:
            accept_division(X)
        cv = self._splitter()
        for rows, *own in self._parts(X, y, groups):
            for train, test in cv.split(*own):
                yield rows[train], rows[test]

    def _splitter(self) -> Any:
        if self.cv is None:
            return TrialKFold()
        return self.cv if hasattr(self.cv, "get_n_splits") else TrialKFold(self.cv)

    def _parts(self, X: Any, y: Any, groups: Any) -> Iterator[tuple[NDArray[np.intp], Any, Any]]:
        """Yield rows, trials and labels of each subject."""
        labels = labels_of(self, X, y)
        subjects = codes_of(self, X, groups, "subject", optional=True)
        for subject in range(subjects.max(initial=-1) + 1):
            rows = np.flatnonzero(subjects == subject)
            # Consecutive rows as a slice, so that their trials are not copied.
            together = rows[-1] - rows[0] + 1 == len(rows)
            key = slice(rows[0], rows[-1] + 1) if together else rows
            yield rows, X[key] if isinstance(X, LabelledRows) else rows, labels[rows]


def _rows(units: Iterable[Split], codes: NDArray[np.intp]) -> Iterator[Split]:
    """Yield the rows of splits of trials or of subjects."""
    for train, test in units:
        yield np.flatnonzero(np.isin(codes, train)), np.flatnonzero(np.isin(codes, test))
