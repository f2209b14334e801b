"""Splitters that divide windows: in blocks of time, or shuffled as in many publications."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from .._checks import check_integer
from .._divided_trials import accept_division
from .._labelled import LabelledRows
from ._splitter import Split, Splitter, group_codes
from .folds import LeakageError


class BlockwiseKFold(Splitter):
    """K folds of consecutive windows.

    The rows of each class in each recording are divided into consecutive blocks; fold i tests the
    i-th block of every class in every recording. If windows are shuffled, their neighbours, which
    resemble them, are in the other set. Here this holds only for windows at the edges of a block,
    and `gap` removes those from training.

    It is the best possible split within a subject if every recording has one class, such as rest in
    one and a task in the other. Such a score is still not valid, because a decoder can recognise
    the recording instead of the class: `skeeg.compare` runs it only with ``allow_leakage=True``.
    It ignores trials; if there are several of each class, use `TrialKFold`.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    gap : int, default=0
        The number of rows on each side of a test block, in its recording, that are not used for
        training. Windows that overlap by half need at least 1.

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
        check_integer("n_splits", n_splits, at_least=2)
        check_integer("gap", gap, at_least=0)
        self.n_splits = n_splits
        self.gap = gap

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Split]:
        """Yield the rows of each training and test part.

        Parameters
        ----------
        X : EEGData, FeatureTable, or array-like of length n_windows
            In order of time. A recording is a run of a session of a subject, as far as the
            metadata have these columns.
        y : array-like, shape (n_windows,), optional
            The labels; by default those of the data.
        groups : array-like, shape (n_windows,), optional
            The recording of each row; by default an array is one.

        Yields
        ------
        train, test : ndarray of int

        Raises
        ------
        ValueError
            If labels are unknown, a class has fewer rows than there are folds, or `gap` leaves no
            training rows.
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
    """K folds of shuffled windows, a split with leakage that is used in many publications.

    Windows of one trial are in both the training and the test set, so that a decoder can recognise
    the trial instead of its class [1]_. It serves to measure how much this inflates a score, and
    runs only with ``allow_leakage=True``.

    Parameters
    ----------
    n_splits : int, default=10
        Number of folds, at least 2.
    random_state : int, RandomState or None, default=None
        The source of randomness for shuffling.
    allow_leakage : bool, default=False
        If False, `split` raises an error; `skeeg.compare` sets it to its own ``allow_leakage``.

    See Also
    --------
    TrialKFold : The valid split of windows.

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
            If labels are unknown, or there are fewer than folds.
        """
        if not self.allow_leakage:
            raise LeakageError(
                "ShuffledSegmentKFold puts windows of one trial into both training and test sets, "
                "which inflates the scores: use TrialKFold. To run it nevertheless, pass "
                "allow_leakage=True to it, or to skeeg.compare."
            )
        accept_division(X)
        labels = self._strata(X, y)
        folds = StratifiedKFold(self.n_splits, shuffle=True, random_state=self.random_state)
        yield from folds.split(labels, labels)


def _recordings(X: Any, groups: Any, n_rows: int) -> NDArray[np.intp]:
    if groups is not None:
        return group_codes(X, groups, "recording")
    levels = ("run", "session", "subject") if isinstance(X, LabelledRows) else ()
    known = [level for level in levels if level in X.metadata]
    return X.nested_groups(known[0]) if known else np.zeros(n_rows, dtype=np.intp)


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
