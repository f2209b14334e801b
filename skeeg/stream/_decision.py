"""What a window is decoded as, and the smoothing of consecutive windows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .._checks import check_integer, check_number


@dataclass(frozen=True, eq=False)
class Decision:
    """What one window is decoded as.

    Attributes
    ----------
    label : object
        The most probable class, or None within the dead zone. Of a regressor, the value: a float,
        or an array of shape (n_targets,) with several targets.
    probabilities : ndarray of float64, shape (n_classes,), or None
        The probabilities of the classes, after smoothing, in the order of the decoder's
        ``classes``. None for regressors and classifiers without ``predict_proba``.
    time : float
        When the last sample of the window was recorded, in seconds: its time stamp, or, without
        time stamps, its number since the last reset divided by the sampling rate.
    """

    label: Any
    probabilities: NDArray[np.float64] | None
    time: float


class Smoother(Protocol):
    """An average over consecutive predictions."""

    def push(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the average after another prediction."""
        ...


class NoSmoother:
    """Predictions as they are."""

    def push(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the prediction."""
        return values


class ExponentialAverage:
    """Average whose weights decay with the age of the predictions."""

    def __init__(self, weight: float) -> None:
        self.weight = weight
        self._mean: NDArray[np.float64] | None = None

    def push(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the average after another prediction."""
        old = values if self._mean is None else self._mean
        self._mean = (1 - self.weight) * old + self.weight * values
        return self._mean


class MovingAverage:
    """Average of the last predictions."""

    def __init__(self, length: int) -> None:
        self._recent: deque[NDArray[np.float64]] = deque(maxlen=length)

    def push(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the average after another prediction."""
        self._recent.append(values)
        # A running sum would collect rounding errors over hours.
        return np.mean(np.asarray(self._recent), axis=0)


def make_smoother(smoothing: float | None) -> Smoother:
    """Return the average that the parameter `smoothing` stands for.

    Parameters
    ----------
    smoothing : float, int or None
        A float is the weight of an exponential average, an int the length of a moving average.

    Returns
    -------
    smoother : Smoother

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if smoothing is None:
        return NoSmoother()
    if isinstance(smoothing, Integral):
        return MovingAverage(check_integer("smoothing", smoothing, at_least=1))
    try:
        return ExponentialAverage(check_number("smoothing", smoothing, above=0, at_most=1))
    except ValueError:
        raise ValueError(
            "smoothing must be None, a float above 0 and at most 1 (the weight of the newest "
            "prediction in an exponential average) or an integer of at least 1 (the number of "
            f"predictions in a moving average); got {smoothing!r}."
        ) from None
