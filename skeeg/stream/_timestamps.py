"""Checks of time stamps: order, gaps and rate."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

#: Gaps at so many samples in a row are not lost samples, but another sampling rate.
RUN = 5


def check_stamps(timestamps: ArrayLike, n_samples: int, last: float | None) -> NDArray[np.float64]:
    """Return the time stamps of a chunk as an array, if they are finite and increase.

    Parameters
    ----------
    timestamps : array-like, shape (n_samples,)
        In seconds.
    n_samples : int
        Samples of the chunk.
    last : float or None
        Time stamp of the sample before the chunk.

    Returns
    -------
    stamps : ndarray of float64, shape (n_samples,)

    Raises
    ------
    ValueError
        If their number is wrong, or they are not finite or do not increase.
    """
    stamps = np.asarray(timestamps, dtype=np.float64)
    if stamps.shape != (n_samples,):
        raise ValueError(
            f"timestamps must have an entry for each of the {n_samples} samples of the chunk; got "
            f"shape {stamps.shape}."
        )
    if not np.isfinite(stamps).all():
        bad = int(np.argmin(np.isfinite(stamps)))
        raise ValueError(f"The time stamp of sample {bad} of the chunk is {stamps[bad]}.")
    steps = _steps(stamps, last)
    if (steps <= 0).any():
        first = int(np.argmax(steps <= 0))
        before = stamps[first - 1] if first else last
        raise ValueError(
            f"Time stamps must increase: sample {first} of the chunk has {stamps[first]:.6f} s "
            f"after {before:.6f} s. Sort the samples, or call reset() for a new recording."
        )
    return stamps


def gaps_in(
    stamps: NDArray[np.float64], last: float | None, max_gap: float, n_before: int
) -> tuple[NDArray[np.intp], int]:
    """Return the samples of a chunk before which samples are missing.

    Parameters
    ----------
    stamps : ndarray of float64, shape (n_samples,)
    last : float or None
        Time stamp of the sample before the chunk.
    max_gap : float
        The longest time in seconds between two samples without a gap.
    n_before : int
        Consecutive samples right before the chunk that each had a gap before them.

    Returns
    -------
    gaps : ndarray of int
    n_at_end : int
        Consecutive samples at the end of the chunk that each have a gap before them.

    Raises
    ------
    ValueError
        If there are gaps before each of `RUN` samples: the stamps have another rate.
    """
    own = _steps(stamps, last) > max_gap
    if last is None:
        own[0] = False
    is_gap = np.append(np.ones(n_before, dtype=bool), own)
    if len(is_gap) >= RUN and sliding_window_view(is_gap, RUN).all(axis=1).any():
        interval = float(np.median(_steps(stamps, last)[own]))
        raise ValueError(
            f"The time stamps of {RUN} consecutive samples are about {interval:.6f} s apart, more "
            f"than max_gap={max_gap:.6f} s. Is the sampling rate {1 / interval:.6g} Hz? Resample "
            "the signal to the rate of the training data, or set a larger max_gap if the time "
            "stamps jitter."
        )
    n_at_end = len(is_gap) if is_gap.all() else int(np.argmin(is_gap[::-1]))
    return np.flatnonzero(own), n_at_end


def _steps(stamps: NDArray[np.float64], last: float | None) -> NDArray[np.float64]:
    """Return the time since the sample before; infinite for the very first."""
    return np.diff(stamps, prepend=-np.inf if last is None else last)
