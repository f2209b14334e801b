"""Checks that the feature transformers share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from .._validation import check_finite, check_X, unwrap


def check_positive(name: str, value: float, unit: str) -> float:
    """Return `value` as a float if it is a positive, finite number.

    Parameters
    ----------
    name : str
        The argument, as the user spells it.
    value : float
        What the user passed.
    unit : str
        What it counts, for the message.

    Returns
    -------
    value : float

    Raises
    ------
    ValueError
        If `value` is anything else.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not (np.isfinite(number) and number > 0):
        raise ValueError(f"{name} must be a positive number of {unit}, got {value!r}.")
    return number


def check_trials(X: ArrayLike) -> NDArray[Any]:
    """Return `X` as an array if it has the three axes of trials.

    Parameters
    ----------
    X : array-like, shape (n_trials, n_chans, n_times)

    Returns
    -------
    X : ndarray, shape (n_trials, n_chans, n_times)

    Raises
    ------
    ValueError
        If `X` has another number of axes, or no samples.
    """
    trials = np.asarray(X)
    if trials.ndim != 3 or 0 in trials.shape[1:]:
        raise ValueError(
            f"X must have shape (n_trials, n_chans, n_times), got {trials.shape}. "
            "One trial needs X[None]; one channel needs X[:, None]."
        )
    return trials


def check_trials_at_rate(estimator: BaseEstimator, X: Any, *, reset: bool) -> NDArray[Any]:
    """Check trials for a transformer that has a parameter `sfreq`.

    Parameters
    ----------
    estimator : BaseEstimator
        Whose ``fit`` or ``transform`` this is.
    X : any container that the gate knows
    reset : bool
        Whether this is ``fit``.

    Returns
    -------
    X : ndarray, shape (n_trials, n_chans, n_times)
        Finite.

    Raises
    ------
    ValueError
        As `skeeg._validation.check_X`; if a value is not finite; or if the trials know their
        sampling rate and it is not the estimator's.
    """
    name = type(estimator).__name__
    unwrapped = unwrap(X)
    rate = unwrapped.sfreq
    if rate is not None and not np.isclose(rate, estimator.sfreq):
        raise ValueError(
            f"X is sampled at {rate:g} Hz, but {name} has sfreq={estimator.sfreq:g}. "
            f"Pass sfreq={rate:g}, or resample the trials."
        )
    trials = check_X(estimator, unwrapped, reset=reset)
    check_finite(trials, name=name, ch_names=estimator.ch_names_)
    return trials
