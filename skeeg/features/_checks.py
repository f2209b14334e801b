"""Checks of trials, and of parameters in Hz and seconds, that the features share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import check_positive
from .._labelled import refuse_what_holds_no_trials
from ..data import EEGData


def check_trials(X: ArrayLike) -> NDArray[Any]:
    """Return `X` as an array if it holds numbers and has the three axes of trials.

    Parameters
    ----------
    X : array-like, shape (n_trials, n_chans, n_times)

    Returns
    -------
    X : ndarray, shape (n_trials, n_chans, n_times)

    Raises
    ------
    TypeError
        If `X` is an `mne.io.Raw` or a list of `EEGData`.
    ValueError
        If `X` does not hold real numbers, has another number of axes, or has no samples.
    """
    refuse_what_holds_no_trials(X)
    trials = np.asarray(X)
    if trials.dtype.kind not in "fiub":
        raise ValueError(
            f"X must hold real numbers; got {type(X).__name__} with dtype {trials.dtype}. Of MNE "
            "epochs pass epochs.get_data(), or use the transformer of the same name."
        )
    if trials.ndim != 3 or 0 in trials.shape[1:]:
        raise ValueError(
            f"X must have shape (n_trials, n_chans, n_times), got {trials.shape}. "
            "One trial needs X[None]; one channel needs X[:, None]."
        )
    return trials


def sampling_rate(given: float | None, known: float | None, name: str) -> float:
    """Return the sampling rate of trials, from the data or from the parameter ``sfreq``.

    Parameters
    ----------
    given : float or None
        The parameter.
    known : float or None
        The rate of the data, if they know it.
    name : str
        Of the function or class, for messages.

    Returns
    -------
    sfreq : float
        In Hz.

    Raises
    ------
    ValueError
        If neither is known, they differ, or `given` is not a positive number.
    """
    if given is None and known is None:
        raise ValueError(
            f"{name} needs the sampling rate, and a plain array does not know it: pass "
            f"{name}(sfreq=...) in Hz, or trials as EEGData or mne.Epochs."
        )
    if given is None:
        return check_positive("The sampling rate of X", known, "Hz")
    sfreq = check_positive("sfreq", given, "Hz")
    if known is not None and not math.isclose(sfreq, known, rel_tol=1e-5):
        raise ValueError(
            f"X is sampled at {known:g} Hz, but {name} has sfreq={sfreq:g}. Leave sfreq out, "
            f"pass sfreq={known:g}, or resample the trials."
        )
    return sfreq


def check_samples(name: str, seconds: object, sfreq: float, *, at_most: int | None = None) -> int:
    """Return a duration in samples, rounded.

    Parameters
    ----------
    name : str
        The parameter, as the user spells it.
    seconds : object
        What the user passed.
    sfreq : float
        Sampling rate, in Hz.
    at_most : int, optional
        The result where the duration is longer.

    Returns
    -------
    n_samples : int
        0 where the duration is less than half a sample.

    Raises
    ------
    ValueError
        If `seconds` is not a positive number, or so long that it has no number of samples.
    """
    n_samples = check_positive(name, seconds, "seconds") * sfreq
    if at_most is not None:
        n_samples = min(n_samples, at_most)
    if not math.isfinite(n_samples):
        raise ValueError(f"{name} is too long: got {seconds!r} s at {sfreq:g} Hz.")
    return round(n_samples)


def check_eeg_data(data: EEGData, name: str) -> EEGData:
    """Return `data` if it is an EEGData with at least one trial.

    Parameters
    ----------
    data : EEGData
    name : str
        The parameter, as the user spells it.

    Returns
    -------
    data : EEGData

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If it is empty.
    """
    if not isinstance(data, EEGData):
        raise TypeError(
            f"{name} must be EEGData, got {type(data).__name__}. Arrays become EEGData by "
            "EEGData.from_arrays(X, y, sfreq=..., subject=...), MNE epochs by "
            "EEGData.from_epochs(epochs), several EEGData by EEGData.concatenate(parts)."
        )
    if len(data) == 0:
        raise ValueError(f"{name} has no trials.")
    return data
