"""Hjorth's descriptors of the waveform of each channel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._validation import _chunks
from ._base import ChannelFeatures
from ._checks import check_trials

PARAMETERS = ("activity", "mobility", "complexity")


def hjorth_parameters(X: ArrayLike) -> NDArray[np.float64]:
    r"""Compute activity, mobility and complexity of each trial and channel.

    Parameters
    ----------
    X : array-like, shape (n_trials, n_chans, n_times)
        The trials, in any unit.

    Returns
    -------
    parameters : ndarray of float64, shape (n_trials, 3, n_chans)
        Activity, in the squared unit of `X`; mobility and complexity, which have no unit.

    Raises
    ------
    ValueError
        If `X` does not have three axes.

    See Also
    --------
    HjorthParameters : The same as a transformer.

    Notes
    -----
    With :math:`\Delta x_t = x_{t+1} - x_t` the difference between successive samples, and
    variances with the divisor n, [1]_ defines

    .. math::
        \text{activity} = \operatorname{var}(x), \quad
        \text{mobility}(x) = \sqrt{\frac{\operatorname{var}(\Delta x)}{\operatorname{var}(x)}},
        \quad \text{complexity} = \frac{\text{mobility}(\Delta x)}{\text{mobility}(x)}.

    Mobility grows with the mean frequency, :math:`2 \sin(\pi f / f_s)` for a sine wave of
    frequency f at sampling rate :math:`f_s`; times :math:`f_s` it is the mobility per second.
    Complexity is 1 for a sine wave and more for any other waveform.

    A quotient with the divisor 0 is set to 0: the mobility of a flat channel, the complexity of a
    straight line, and those of windows of one or two samples.

    References
    ----------
    .. [1] B. Hjorth, "EEG analysis based on time domain properties", Electroencephalography and
       Clinical Neurophysiology 29(3):306-310, 1970.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.features import hjorth_parameters
    >>> seconds = np.arange(1280) / 128
    >>> trial = 3 * np.sin(2 * np.pi * 10 * seconds)
    >>> hjorth_parameters(trial[None, None])[0, :, 0].round(2)
    array([4.5 , 0.49, 1.  ])
    >>> round(2 * np.sin(np.pi * 10 / 128), 2)
    np.float64(0.49)
    """
    trials = check_trials(X)
    parameters = np.empty((len(trials), len(PARAMETERS), trials.shape[1]))
    start = 0
    for chunk in _chunks(trials):
        parameters[start : start + len(chunk)] = _parameters(chunk.astype(np.float64))
        start += len(chunk)
    return parameters


def _parameters(trials: NDArray[np.float64]) -> NDArray[np.float64]:
    slope = np.diff(trials)
    variances = [_variance(values) for values in (trials, slope, np.diff(slope))]
    # The computed variance of a constant is about 1e-32 of its square, by rounding.
    least = (1e-14 * np.abs(trials).max(axis=2)) ** 2
    activity, of_slope, of_bend = (np.where(v > least, v, 0.0) for v in variances)
    mobility = np.sqrt(_quotient(of_slope, activity))
    complexity = _quotient(np.sqrt(_quotient(of_bend, of_slope)), mobility)
    return np.stack([activity, mobility, complexity], axis=1)


def _variance(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values.var(axis=2) if values.shape[2] else np.zeros(values.shape[:2])


def _quotient(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)


class HjorthParameters(ChannelFeatures):
    """Turn trials into activity, mobility and complexity of each channel.

    Attributes
    ----------
    n_chans_, n_times_ : int
        Channels and samples of a training trial.
    ch_names_ : tuple of str or None
        Names of the channels, if the training data had names.
    sfreq_ : float or None
        Sampling rate of the training data in Hz, if known.
    n_features_in_ : int
        Length of the second axis of the training data.
    feature_names_in_ : ndarray of str, shape (`n_features_in_`,)
        Column names of the training data, if it was a data frame.

    See Also
    --------
    hjorth_parameters : The function that it calls, with the formulas.

    Notes
    -----
    A change of unit multiplies the activity by one number, which a `StandardScaler` removes, and
    does not change mobility and complexity.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.features import HjorthParameters
    >>> X = np.random.default_rng(0).standard_normal((6, 2, 512))
    >>> hjorth = HjorthParameters().fit(X)
    >>> hjorth.transform(X).shape
    (6, 6)
    >>> hjorth.get_feature_names_out(["C3", "C4"])[:3]
    array(['C3_activity', 'C4_activity', 'C3_mobility'], dtype=object)
    """

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Compute the three parameters of each channel.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
            The trials.

        Returns
        -------
        parameters : ndarray of float64, shape (n_trials, 3 * n_chans)
            Activity of all channels, then mobility, then complexity.

        Raises
        ------
        ValueError
            As in `fit`, and if channels or samples differ from the training data.
        """
        parameters = hjorth_parameters(self._check(X, reset=False))
        return parameters.reshape(len(parameters), -1)

    def _kinds(self) -> Iterable[str]:
        return PARAMETERS
