"""Splitters that divide windows: in blocks of time, or shuffled as in many published figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from .._labelled import LabelledRows
from ._splitter import Split, Splitter, check_count, group_codes
from .folds import LeakageError


class BlockwiseKFold(Splitter):
    """K folds of neighbours in time.

    Each recording is divided, class by class, into blocks of neighbouring rows; fold i tests the
    i-th block of every class in every recording. Shuffled windows have their neighbours, which
    resemble them, on the other side; here only the windows at the edges of a block do, and `gap`
    takes those out of training.

    It is what can be done within a subject where every recording is of one class, such as rest in
    one and a task in the other. It does not make that honest: the recording can still be recognised
    instead of the class, so that `skeeg.compare` runs it there with ``allow_leakage=True`` only.
    Nor does it heed trials; where there are several of each class, use `TrialKFold`.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    gap : int, default=0
        How many rows next to a test block, in its recording, are left out of training. Windows that
        overlap by half need 1 at least.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import EEGData
    >>> from skeeg.model_selection import BlockwiseKFold
    >>> y = np.repeat(["rest", "task"], 4)
    >>> data = EEGData.from_arrays(np.zeros((8, 1, 4)), y, sfreq=4, run=np.repeat([0, 1], 4))
    >>> for train, test in BlockwiseKFold(2, gap=1).split(data):
    ...     print(train, test)
    [3 7] [0 1 4 5]
    [0 4] [2 3 6 7]
    """

    def __init__(self, n_splits: int = 5, *, gap: int = 0) -> None:
        check_count("n_splits", n_splits, at_least=2)
        check_count("gap", gap, at_least=0)
        self.n_splits = n_splits
        self.gap = gap

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Split]:
        """Yield the rows of each training and test part.

        Parameters
        ----------
        X : EEGData, FeatureTable, or array-like of length n_windows
            In order of time. A recording is a run of a session of a subject, as far as metadata
            say.
        y : array-like, shape (n_windows,), optional
            The labels; by default those of the data.
        groups : array-like, shape (n_windows,), optional
            The recording of each row; by default arrays are one.

        Yields
        ------
        train, test : ndarray of int

        Raises
        ------
        ValueError
            If it cannot know the labels, a class has fewer rows than there are folds, or `gap`
            leaves nothing to train on.
        """
        labels = pd.Series(self._strata(X, y))
        recordings = _recordings(X, groups, len(labels))
        counts = labels.value_counts()
        if counts.min() < self.n_splits and len(counts) == 1:
            raise ValueError(
                f"BlockwiseKFold(n_splits={self.n_splits}) needs that many rows at least, and "
                f"there are {len(labels)}. Use fewer folds."
            )
        if counts.min() < self.n_splits:
            raise ValueError(
                f"BlockwiseKFold(n_splits={self.n_splits}) needs that many rows of every class; "
                f"class {counts.index.tolist()[-1]!r} has {counts.min()}. Use fewer folds."
            )
        strata = labels.groupby([recordings, labels.to_numpy()])
        blocks = (strata.cumcount() * self.n_splits // strata.transform("size")).to_numpy()
        for block in range(self.n_splits):
            test = blocks == block
            train = np.flatnonzero(~_with_neighbours(test, recordings, self.gap))
            if not train.size:
                raise ValueError(f"gap={self.gap} leaves nothing to train on: use a smaller one.")
            yield train, np.flatnonzero(test)


class ShuffledSegmentKFold(Splitter):
    """K folds of shuffled windows, the split of many published figures, which leaks.

    Windows of one trial come to lie on both sides of every split, so that the trial is recognised
    instead of its class [1]_. It is here to show how much such a figure is worth, and only runs
    where that is asked for.

    Parameters
    ----------
    n_splits : int, default=10
        Number of folds, at least 2.
    random_state : int, RandomState or None, default=None
        Where the shuffling comes from.
    allow_leakage : bool, default=False
        Without it, `split` raises; `skeeg.compare` gives it its own ``allow_leakage``.

    See Also
    --------
    TrialKFold : The honest split of windows.

    References
    ----------
    .. [1] Del Pup, F. et al. (2025). The role of data partitioning on the performance of EEG-based
       deep learning models in supervised cross-subject analysis: a preliminary study.
       https://arxiv.org/abs/2505.13021

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.model_selection import ShuffledSegmentKFold
    >>> y = np.repeat([0, 1], 20)
    >>> len(list(ShuffledSegmentKFold(allow_leakage=True).split(np.zeros(40), y)))
    10
    """

    def __init__(
        self, n_splits: int = 10, *, random_state: Any = None, allow_leakage: bool = False
    ) -> None:
        StratifiedKFold(n_splits, shuffle=True, random_state=random_state)  # checks them
        self.n_splits = n_splits
        self.random_state = random_state
        self.allow_leakage = allow_leakage

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Split]:
        """Yield the rows of each training and test part, stratified unless targets are continuous.

        Parameters
        ----------
        X : EEGData, FeatureTable, or array-like of length n_windows
        y : array-like, shape (n_windows,), optional
            The labels; by default those of the data.
        groups : object, optional
            Ignored.

        Yields
        ------
        train, test : ndarray of int

        Raises
        ------
        LeakageError
            Without ``allow_leakage=True``.
        ValueError
            If it cannot know the labels, or they are fewer than the folds.
        """
        if not self.allow_leakage:
            raise LeakageError(
                "ShuffledSegmentKFold puts windows of one trial on both sides of a split, which "
                "inflates the scores: use TrialKFold. To run it all the same, pass "
                "allow_leakage=True to it, or to skeeg.compare."
            )
        labels = self._strata(X, y)
        folds = StratifiedKFold(self.n_splits, shuffle=True, random_state=self.random_state)
        yield from folds.split(labels, labels)


def _recordings(X: Any, groups: Any, n_rows: int) -> NDArray[np.intp]:
    if groups is not None:
        return group_codes(X, groups, "recording")
    levels = ("run", "session", "subject") if isinstance(X, LabelledRows) else ()
    known = [level for level in levels if level in X.metadata]
    return pd.factorize(X.groups(known[0]))[0] if known else np.zeros(n_rows, dtype=np.intp)


def _with_neighbours(
    test: NDArray[np.bool_], recordings: NDArray[np.intp], gap: int
) -> NDArray[np.bool_]:
    """Return a mask of the test rows and of those up to ``gap`` rows away in their recording."""
    near = test.copy()
    for recording in np.unique(recordings):
        rows = np.flatnonzero(recordings == recording)
        reach = np.convolve(test[rows], np.ones(2 * gap + 1))
        near[rows] = reach[gap : gap + len(rows)] > 0.5
    return near
