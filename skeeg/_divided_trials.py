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

# Kept outside the data, whose pickles and hashes must not change when rows are selected.
_accepted: WeakSet[Any] = WeakSet()
_local = threading.local()
_lock = threading.Lock()


def accept_division(data: Any) -> None:
    """Warn no more when rows of these data are selected, because the division is known.

    Parameters
    ----------
    data : EEGData or FeatureTable
        Anything else is ignored.
    """
    if hasattr(data, "metadata"):
        _accepted.add(data)


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
    if "trial" not in data.metadata or data in _accepted:
        return
    if not hasattr(_local, "selected"):
        _local.selected = WeakKeyDictionary()
    before = _local.selected.get(data)
    _local.selected[data] = rows
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
        with _lock:
            if data in _accepted:  # another thread has warned
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
