"""Checks of time stamps: order, gaps and rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


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
    stamps: NDArray[np.float64], last: float | None, max_gap: float, after_gap: bool
) -> tuple[NDArray[np.intp], bool]:
    """Return the samples of a chunk before which samples are missing.

    Parameters
    ----------
    stamps : ndarray of float64, shape (n_samples,)
    last : float or None
        Time stamp of the sample before the chunk.
    max_gap : float
        The longest time in seconds between two samples without a gap.
    after_gap : bool
        Whether there was a gap right before the sample before the chunk.

    Returns
    -------
    gaps : ndarray of int
    after_gap : bool
        Whether there is a gap right before the last sample of the chunk.

    Raises
    ------
    ValueError
        If a gap follows another one after a single sample: the stamps have another rate.
    """
    is_gap = np.append(after_gap, _steps(stamps, last) > max_gap)
    if last is None:
        is_gap[1] = False
    if (is_gap[1:] & is_gap[:-1]).any():
        at = int(np.argmax(is_gap[1:] & is_gap[:-1]))
        interval = stamps[at] - (stamps[at - 1] if at else float(last or 0.0))
        raise ValueError(
            f"The time stamps of consecutive samples are {interval:.6f} s apart, more than max_gap="
            f"{max_gap:.6f} s. Is the sampling rate {1 / interval:.6g} Hz? Resample the signal to "
            "the rate of the training data, or set a larger max_gap if the time stamps jitter."
        )
    return np.flatnonzero(is_gap[1:]), bool(is_gap[-1])


def _steps(stamps: NDArray[np.float64], last: float | None) -> NDArray[np.float64]:
    """Return the time since the sample before; infinite for the very first."""
    return np.diff(stamps, prepend=-np.inf if last is None else last)
