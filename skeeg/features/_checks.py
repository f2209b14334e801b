"""Checks that the feature transformers share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..data import EEGData


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


def check_choice(name: str, value: Any, known: Iterable[str]) -> None:
    """Raise if `value` is not one of the known names.

    Parameters
    ----------
    name : str
        The argument, as the user spells it.
    value : str
        What the user passed.
    known : iterable of str
        What there is.

    Raises
    ------
    ValueError
        If `value` is anything else.
    """
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, got {value!r}.")


def check_eeg_data(data: EEGData, name: str) -> EEGData:
    """Return `data` if it is EEGData with a trial at least.

    Parameters
    ----------
    data : EEGData
    name : str
        The argument, as the user spells it.

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
            f"{name} must be EEGData, got {type(data).__name__}. Arrays become one with "
            "EEGData.from_arrays(X, y, sfreq=..., subject=...)."
        )
    if len(data) == 0:
        raise ValueError(f"{name} has no trials.")
    return data
