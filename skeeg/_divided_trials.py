"""A warning if two selections of rows divide the windows of trials, as a careless split does."""

from __future__ import annotations

import threading
import warnings
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ._labelled import LabelledRows


class _Memory:
    """What was selected of which data.

    It is kept outside the data, whose pickles and hashes must not change when rows are selected.

    Attributes
    ----------
    accepted : WeakSet
        Data of which no more warnings are given.
    of_thread : threading.local
        ``selected`` are the rows that each thread selected last, by data.
    lock : threading.Lock
    """

    #: For stores of fits, whose keys must not change when rows are selected either.
    _no_effect_on_result = ("accepted", "lock", "of_thread")

    def __init__(self) -> None:
        self.accepted: WeakSet[Any] = WeakSet()
        self.of_thread = threading.local()
        self.lock = threading.Lock()


_MEMORY = _Memory()


def accept_division(data: Any) -> None:
    """Warn no more when rows of these data are selected, because the division is known.

    Parameters
    ----------
    data : EEGData or FeatureTable
        Anything else is ignored.
    """
    if hasattr(data, "metadata"):
        _MEMORY.accepted.add(data)


def warn_of_division(data: LabelledRows, rows: NDArray[np.intp]) -> None:
    """Warn once if these rows and those selected before are two parts that share trials.

    Only two parts that together are all rows count, because training and test of most splits are
    such parts, and batches, bootstrap samples and selections of subjects are not. Parts without a
    common label are taken for a selection of classes.

    Parameters
    ----------
    data : EEGData or FeatureTable
    rows : ndarray of int
        The selected rows.
    """
    if "trial" not in data.metadata or data in _MEMORY.accepted:
        return
    of_thread = _MEMORY.of_thread
    if not hasattr(of_thread, "selected"):
        of_thread.selected = WeakKeyDictionary()
    before = of_thread.selected.get(data)
    of_thread.selected[data] = rows
    if before is None or len(before) + len(rows) != len(data):
        return
    first = np.zeros(len(data), dtype=bool)
    first[before] = True
    if first[rows].any() or first.sum() != len(before) or len(np.unique(rows)) < len(rows):
        return
    from .model_selection.folds import trial_codes  # it imports this package

    codes = trial_codes(data)
    n_shared = len(np.intersect1d(codes[before], codes[rows]))
    if n_shared and np.isin(data.y[rows], data.y[before]).any():
        with _MEMORY.lock:
            if data in _MEMORY.accepted:  # another thread has warned
                return
            accept_division(data)
        warnings.warn(
            f"Two parts of the rows were selected that have windows of {n_shared} trials in "
            "common. If they are the training and the test part of a split, it leaks: keep trials "
            "together with cv=TrialKFold() or groups=data.nested_groups('trial'). "
            "See check_leakage.",
            UserWarning,
            stacklevel=3,
        )
