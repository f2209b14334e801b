"""Warnings about outlier trials and about trials in another unit."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from .._warnings import user_stacklevel

#: A training trial of more than this many times the median amplitude is an outlier.
_OUTLIER = 20.0

#: Trials whose amplitude differs from that of the training trials by at least this factor are
#: probably in another unit.
_OTHER_UNIT = 100.0

#: Number of trials in a prediction whose amplitude is compared with that of the training trials.
_COMPARED = 16

#: Largest number of outliers that a warning lists.
_NAMED = 10


def typical_amplitude(amplitudes: NDArray[np.float64]) -> float:
    """Return the median amplitude of trials, which is robust to outliers."""
    return float(np.median(amplitudes))


def some_trials(trials: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return evenly spaced trials, enough to estimate their typical amplitude."""
    return trials[:: max(1, len(trials) // _COMPARED)]


def deviations(trials: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the root mean square of each trial about the usual offset of each channel.

    The common offset of a recording without a high-pass filter would hide outliers.

    Parameters
    ----------
    trials : ndarray, shape (n_trials, n_chans, ...)

    Returns
    -------
    amplitudes : ndarray of float64, shape (n_trials,)
    """
    rows = trials.reshape(*trials.shape[:2], -1)
    offset = np.median(rows.mean(axis=2, dtype=np.float64), axis=0)[:, None].astype(rows.dtype)
    squares = [np.vdot(centred, centred) for centred in (row - offset for row in rows)]
    return np.sqrt(np.array(squares, np.float64) / rows[0].size)


def warn_of_outliers(amplitudes: NDArray[np.float64], name: str) -> None:
    """Warn about training trials with a much larger amplitude than the others.

    Parameters
    ----------
    amplitudes : ndarray, shape (n_trials,)
        Of each training trial, as `deviations` returns them.
    name : str
        Name of the estimator.
    """
    typical = typical_amplitude(amplitudes)
    (outliers,) = np.nonzero(amplitudes > _OUTLIER * typical)
    if typical == 0 or not 0 < len(outliers) <= len(amplitudes) / 4:
        return
    shown = ", ".join(map(str, outliers[:_NAMED])) + (", ..." if len(outliers) > _NAMED else "")
    warnings.warn(
        f"{len(outliers)} of {len(amplitudes)} training trials have more than {_OUTLIER:g} times "
        f"the usual amplitude, up to {amplitudes.max() / typical:.3g} times: trial {shown}. They "
        f"dominate the scale and the batch statistics of {name}, which can prevent learning. "
        "Reject or filter them.",
        stacklevel=user_stacklevel(),
    )


def warn_of_another_unit(amplitude: float, fitted: float, name: str) -> None:
    """Warn about trials that are probably in another unit than those in ``fit``.

    Parameters
    ----------
    amplitude, fitted : float
        Typical amplitude of these trials and of the trials in ``fit``.
    name : str
        Name of the estimator.
    """
    if amplitude > 0 and fitted > 0 and not 1 / _OTHER_UNIT < amplitude / fitted < _OTHER_UNIT:
        warnings.warn(
            f"The trials have {amplitude / fitted:.3g} times the amplitude of those that {name} "
            "was fitted on. Are they in another unit, such as volts instead of microvolts? Pass "
            "trials in the unit of fit.",
            stacklevel=user_stacklevel(),
        )
