"""The differential entropy of each channel in frequency bands."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import check_choice, check_positive
from ._base import BandFeatures
from ._checks import check_trials
from ._window_variance import window_variance
from .bands import Bands, check_bands
from .power import band_power, variance_floor, warn_of_flat_trials

#: Order of the Butterworth filter, as in the definition of the feature for the DEAP data.
FILTER_ORDER = 3

_METHODS = ("filter", "spectral")
_BASES = {"e": 1.0, "2": float(np.log(2))}


def differential_entropy(
    X: ArrayLike,
    sfreq: float,
    bands: Bands = "classic",
    *,
    method: str = "filter",
    base: str = "e",
    floor: float = float(np.finfo(np.float64).tiny),
) -> NDArray[np.float64]:
    r"""Compute the differential entropy of each trial and channel in frequency bands.

    Parameters
    ----------
    X : array-like, shape (n_trials, n_chans, n_times)
        The trials, in any unit.
    sfreq : float
        Sampling rate, in Hz.
    bands : str, mapping or sequence, default="classic"
        The bands, in any form that `check_bands` accepts.
    method : {"filter", "spectral"}, default="filter"
        Whether the variance in a band is that of the filtered trial, or the power in the trial's
        periodogram; see Notes.
    base : {"e", "2"}, default="e"
        Base of the logarithm: the entropy is in nats or in bits.
    floor : float, default=2.2e-308
        Smaller variances, such as the 0 of a flat channel, are replaced by this one, in the
        squared unit of `X`, so that no entropy is infinite.

    Returns
    -------
    entropy : ndarray of float64, shape (n_trials, n_bands, n_chans)
        In nats or bits, relative to the unit of `X`; it can be negative.

    Raises
    ------
    ValueError
        If `X` does not have three axes, or `sfreq`, `method`, `base`, `floor` or a band is wrong.

    Warns
    -----
    UserWarning
        With ``method="spectral"``, if a band lies between two frequency bins.

    See Also
    --------
    DifferentialEntropy : The same as a transformer.
    deap_entropy : For windows of trials that are filtered as a whole, minus a baseline.
    band_power : The power itself.

    Notes
    -----
    The differential entropy of a normal distribution depends on its variance only [1]_,

    .. math:: h = \frac{1}{2} \ln(2 \pi e \sigma^2),

    1.418939 nats at variance 1. EEG filtered to a band is close to normal, so the entropy is a
    constant plus half the logarithm of the power in the band. It is used as a feature of
    emotion [2]_.

    With ``method="filter"`` the variance, with the divisor n - 1, is that of the trial after a
    causal Butterworth filter of order 3 with an initial state of zero. The transient of a band of
    width B lasts about 1 / B, a quarter of a second for theta, so windows of a second are better
    cut after the filter, as in `deap_entropy`. With ``method="spectral"`` it is the power that
    `band_power` computes from the periodogram of the whole trial under a Hann window, which has no
    transient.

    A change of unit adds one constant to all entropies.

    References
    ----------
    .. [1] T. M. Cover, J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley, 2006,
       section 8.1.
    .. [2] R.-N. Duan, J.-Y. Zhu, B.-L. Lu, "Differential entropy feature for EEG-based emotion
       classification", 6th International IEEE/EMBS Conference on Neural Engineering, 81-84, 2013.

    Examples
    --------
    A sine wave of amplitude 2 has the variance 2.

    >>> import numpy as np
    >>> from skeeg.features import differential_entropy
    >>> seconds = np.arange(512) / 128
    >>> trial = 2 * np.sin(2 * np.pi * 10 * seconds)
    >>> alpha = {"alpha": (8, 13)}
    >>> differential_entropy(trial[None, None], 128, alpha, method="spectral").round(6)
    array([[[1.765512]]])
    >>> round(0.5 * np.log(2 * np.pi * np.e * 2), 6)
    np.float64(1.765512)
    """
    trials = check_trials(X)
    edges = check_bands(bands, sfreq)
    check_choice("method", method, _METHODS)
    smallest = check_positive("floor", floor, "squared units of X")
    if method == "spectral":
        variance = band_power(trials, sfreq, edges, segment=None)
    else:
        variance = window_variance(trials, sfreq, edges, trials.shape[2], order=FILTER_ORDER)[:, 0]
    return entropy_of(variance, base=base, floor=smallest)


def entropy_of(
    variance: NDArray[np.float64], *, base: str = "e", floor: float
) -> NDArray[np.float64]:
    """Return the differential entropy of normal distributions of given variances.

    Parameters
    ----------
    variance : ndarray
    base : {"e", "2"}
        Base of the logarithm.
    floor : float
        The smallest variance; smaller ones are replaced by it.

    Returns
    -------
    entropy : ndarray of float64, shape of `variance`

    Raises
    ------
    ValueError
        If `base` is unknown.
    """
    check_choice("base", base, _BASES)
    return 0.5 * np.log(2 * math.pi * math.e * np.maximum(variance, floor)) / _BASES[base]


class DifferentialEntropy(BandFeatures):
    """Turn trials into the differential entropy of each channel in frequency bands.

    Parameters
    ----------
    sfreq : float, optional
        Sampling rate of the trials, in Hz. `EEGData` and `mne.Epochs` know it; plain arrays need
        it. A rate that differs from that of the data is an error.
    bands : str, mapping or sequence, default="classic"
        The name of a set in `BANDS`; edges in Hz by band name, ``{"alpha": (8, 13)}``; or a list
        of edges in Hz, ``[(8, 13), (13, 30)]``.
    method : {"filter", "spectral"}, default="filter"
        Whether the variance in a band is that of the filtered trial, or the power in the trial's
        periodogram.
    base : {"e", "2"}, default="e"
        Base of the logarithm: the entropy is in nats or in bits.

    Attributes
    ----------
    floor_ : float
        Smaller variances, such as the 0 of a flat channel, are replaced by this one: the variance
        of the training data times 2.2e-16, the rounding error of float64.
    n_chans_, n_times_ : int
        Channels and samples of a training trial.
    ch_names_ : tuple of str or None
        Names of the channels, if the training data had names.
    sfreq_ : float
        Sampling rate of the training data, in Hz.
    n_features_in_ : int
        Length of the second axis of the training data.
    feature_names_in_ : ndarray of str, shape (`n_features_in_`,)
        Column names of the training data, if it was a data frame.

    See Also
    --------
    differential_entropy : The function that it calls, with the formula.
    deap_entropy : For windows of trials that are filtered as a whole, minus a baseline.
    SampleZScore : Removes the level of each sample, and so the unit.
    TopographicMap : Places the features on a map of the head.

    Notes
    -----
    A change of unit adds one constant to all entropies; a `SampleZScore` or a `StandardScaler`
    after this transformer removes it.

    Examples
    --------
    >>> from skeeg.features import DifferentialEntropy
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((6, 2, 512))
    >>> entropy = DifferentialEntropy(sfreq=128, bands="deap").fit(X)
    >>> entropy.transform(X).shape
    (6, 8)
    >>> entropy.get_feature_names_out(["C3", "C4"])[:3]
    array(['C3_theta', 'C4_theta', 'C3_alpha'], dtype=object)
    """

    floor_: float

    def __init__(
        self,
        sfreq: float | None = None,
        bands: Bands = "classic",
        method: str = "filter",
        base: str = "e",
    ) -> None:
        self.sfreq = sfreq
        self.bands = bands
        self.method = method
        self.base = base

    def _check_parameters(self, sfreq: float | None) -> None:
        super()._check_parameters(sfreq)
        check_choice("method", self.method, _METHODS)
        check_choice("base", self.base, _BASES)

    def _learn(self, trials: NDArray[Any]) -> None:
        self.floor_ = variance_floor(trials)
        warn_of_flat_trials(trials, type(self).__name__)

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Compute the entropy in each band and channel.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
            The trials.

        Returns
        -------
        entropy : ndarray of float64, shape (n_trials, n_bands * n_chans)
            All channels in the first band, then all channels in the second, and so on.

        Raises
        ------
        ValueError
            As in `fit`, and if channels or samples differ from the training data.
        """
        entropy = differential_entropy(
            self._check(X, reset=False),
            self.sfreq_,
            self.bands,
            method=self.method,
            base=self.base,
            floor=self.floor_,
        )
        return entropy.reshape(len(entropy), -1)
