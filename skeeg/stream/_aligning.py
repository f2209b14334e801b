"""Recursive alignment, one window at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..alignment._base import Alignment
from ..alignment.covariance import Evidence, Matrix, trial_covariances


class RecursiveAligner:
    """Align the windows of a new domain as ``transform`` with ``new_domains="recursive"`` would.

    ``transform`` needs all trials in one call; this keeps sums instead, in memory that does not
    grow.

    Parameters
    ----------
    alignment : Alignment
        Fitted.
    """

    def __init__(self, alignment: Alignment) -> None:
        self._alignment = alignment
        self._n = 0
        self._squares = 0.0
        self._mean: Matrix = np.zeros_like(alignment.reference_)
        self._total: Matrix = np.zeros_like(alignment.reference_)

    def align(self, window: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the next window, shape (n_chans, n_times), aligned by itself and those before."""
        alignment = self._alignment
        covariance = trial_covariances(window[None])[0]
        self._n += 1
        self._mean = alignment._next_mean(self._mean, covariance, self._n)
        relative = alignment._whitener @ covariance @ alignment._whitener
        self._total = self._total + relative
        self._squares += float((relative**2).sum())
        evidence = Evidence(self._n, self._total, self._squares)
        shrunk, _ = alignment._shrunk_by(self._mean, evidence)
        return alignment._map(shrunk) @ window
