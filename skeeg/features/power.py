"""The power of each channel in frequency bands."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import welch

from .._checks import check_flag, check_positive
from .._validation import _chunks, standard_deviation
from .._warnings import user_stacklevel
from ._base import BandFeatures
from ._checks import check_samples, check_trials
from .bands import Bands, check_bands


def band_power(
    X: ArrayLike,
    sfreq: float,
    bands: Bands = "classic",
    *,
    segment: float | None = 2.0,
) -> NDArray[np.float64]:
    r"""Compute the power of each trial and channel in frequency bands.

    Parameters
    ----------
    X : array-like, shape (n_trials, n_chans, n_times)
        The trials, in any unit.
    sfreq : float
        Sampling rate, in Hz.
    bands : str, mapping or sequence, default="classic"
        The bands, in any form that `check_bands` accepts.
    segment : float or None, default=2.0
        Length of Welch's segments, in seconds. Longer segments resolve finer frequencies, shorter
        ones are averaged over more often. With None, or if it exceeds the length of the trial,
        the whole trial is one segment, and the density is its periodogram.

    Returns
    -------
    power : ndarray of float64, shape (n_trials, n_bands, n_chans)
        In the squared unit of `X`.

    Raises
    ------
    ValueError
        If `X` does not have three axes, `sfreq` or `segment` is not positive, or a band is wrong
        or above the Nyquist frequency.

    Warns
    -----
    UserWarning
        If a band lies between two frequency bins, as it is narrow or the trials are short.

    See Also
    --------
    BandPower : The same as a transformer.

    Notes
    -----
    The spectral density is Welch's [1]_: segments that overlap by half, each with its mean
    subtracted, under a Hann window. The power in a band is the integral of the one-sided
    density S over the bins of the band, with the spacing :math:`\Delta f` = 1 / `segment`,

    .. math:: P = \Delta f \sum_{f_\text{low} \le f < f_\text{high}} S(f),

    so that a sine wave of amplitude A has the power A²/2 in the band around it, and adjacent
    bands share no bin. For a band without a bin, the power is its width times the density at the
    bin closest to its centre, 0 Hz excluded.

    References
    ----------
    .. [1] P. D. Welch, "The use of fast Fourier transform for the estimation of power spectra",
       IEEE Transactions on Audio and Electroacoustics 15(2):70-73, 1967.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.features import band_power
    >>> seconds = np.arange(512) / 128
    >>> trial = 3 * np.sin(2 * np.pi * 10 * seconds)
    >>> band_power(trial[None, None], sfreq=128, bands={"alpha": (8, 13)}).round(6)
    array([[[4.5]]])
    """
    trials = check_trials(X)
    edges = check_bands(bands, sfreq)
    n_segment = trials.shape[2]
    if segment is not None:
        n_segment = max(1, check_samples("segment", segment, sfreq, at_most=n_segment))
    weights = _bin_weights(edges, sfreq, n_segment)
    power = np.empty((len(trials), trials.shape[1], len(edges)))
    start = 0
    for chunk in _chunks(trials):
        _, density = welch(chunk.astype(np.float64), sfreq, window="hann", nperseg=n_segment)
        power[start : start + len(chunk)] = density @ weights
        start += len(chunk)
    return power.transpose(0, 2, 1)


def _bin_weights(
    edges: dict[str, tuple[float, float]], sfreq: float, n_segment: int
) -> NDArray[np.float64]:
    """Return the matrix (n_frequencies, n_bands) that integrates a density over bands."""
    frequencies = np.fft.rfftfreq(n_segment, 1 / sfreq)
    low, high = np.array(list(edges.values())).T
    inside = (frequencies[:, None] >= low) & (frequencies[:, None] < high)
    weights = inside * (sfreq / n_segment)
    empty = np.flatnonzero(~inside.any(axis=0))
    if not len(empty):
        return weights
    names = list(edges)
    warnings.warn(
        f"Segments of {n_segment} samples at {sfreq:g} Hz have frequency bins "
        f"{sfreq / n_segment:g} Hz apart, and none lies in "
        f"{', '.join(repr(names[i]) for i in empty)}: the closest bin is used. Widen the band, or "
        "take longer trials or segments.",
        UserWarning,
        stacklevel=user_stacklevel(),
    )
    for i in empty:
        distance = np.abs(frequencies[1:] - (low[i] + high[i]) / 2)
        nearest = 1 + np.argmin(distance) if len(distance) else 0
        weights[nearest, i] = high[i] - low[i]
    return weights


def variance_floor(trials: NDArray[Any]) -> float:
    """Return the variance that smaller ones are replaced by: the rounding error of the trials.

    Parameters
    ----------
    trials : ndarray, shape (n_trials, n_chans, n_times)

    Returns
    -------
    floor : float
        The variance of all values times 2.2e-16, in the squared unit of the trials.
    """
    return float(np.finfo(np.float64).eps) * standard_deviation(trials) ** 2


def flat_trials(trials: NDArray[Any]) -> NDArray[np.intp]:
    """Return the indices of the trials in which all samples of each channel are equal.

    Parameters
    ----------
    trials : ndarray, shape (n_trials, n_chans, n_times)

    Returns
    -------
    indices : ndarray of int
        Empty for trials of a single sample, in which nothing can vary.
    """
    if trials.shape[-1] == 1:
        return np.empty(0, np.intp)
    return np.flatnonzero((trials == trials[..., :1]).all(axis=(1, 2)))


def warn_of_flat_trials(trials: NDArray[Any], name: str) -> None:
    """Warn about training trials whose logarithms of power are far below those of all others.

    Parameters
    ----------
    trials : ndarray, shape (n_trials, n_chans, n_times)
    name : str
        Name of the transformer.
    """
    flat = flat_trials(trials)
    if not 0 < len(flat) < len(trials):
        return
    shown = ", ".join(map(str, flat[:10])) + (", ..." if len(flat) > 10 else "")
    warnings.warn(
        f"{len(flat)} of {len(trials)} training trials are flat, as after an interrupted "
        f"recording: trial {shown}. Their logarithm of power in {name} is so far below that of the "
        "others that it dominates a scaling of the features, which can prevent learning. Leave "
        "them out, for example with data[np.ptp(data.X, axis=2).any(axis=1)].",
        UserWarning,
        stacklevel=user_stacklevel(),
    )


class BandPower(BandFeatures):
    """Turn trials into the power of each channel in frequency bands.

    Parameters
    ----------
    sfreq : float, optional
        Sampling rate of the trials, in Hz. `EEGData` and `mne.Epochs` know it; plain arrays need
        it. A rate that differs from that of the data is an error.
    bands : str, mapping or sequence, default="classic"
        The name of a set in `BANDS`; edges in Hz by band name, ``{"alpha": (8, 13)}``; or a list
        of edges in Hz, ``[(8, 13), (13, 30)]``.
    log : bool, default=True
        Whether to take the natural logarithm, which makes the skewed distribution of power nearly
        normal and turns a gain into an offset.
    segment : float or None, default=2.0
        Length of Welch's segments, in seconds; None for the periodogram of the whole trial.
    relative : bool, default=False
        Whether to divide the power in each band by the sum over all bands of its trial and
        channel. This relative power differs less between subjects than the power itself.

    Attributes
    ----------
    floor_ : float
        Smaller powers, such as the 0 of a flat channel, are replaced by this one before the
        logarithm or the division: the variance of the training data times 2.2e-16, the rounding
        error of float64.
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
    band_power : The function that it calls, with the formula.

    Notes
    -----
    A change of unit adds one constant to all logarithms, or multiplies all powers by one; a
    `StandardScaler` after this transformer removes it. Relative power has no unit.

    Examples
    --------
    >>> from skeeg.features import BandPower
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((6, 2, 512))
    >>> power = BandPower(sfreq=128, bands={"alpha": (8, 13), "beta": (13, 30)}).fit(X)
    >>> power.transform(X).shape
    (6, 4)
    >>> power.get_feature_names_out(["C3", "C4"])
    array(['C3_alpha', 'C4_alpha', 'C3_beta', 'C4_beta'], dtype=object)
    """

    floor_: float

    def __init__(
        self,
        sfreq: float | None = None,
        bands: Bands = "classic",
        log: bool = True,
        segment: float | None = 2.0,
        relative: bool = False,
    ) -> None:
        self.sfreq = sfreq
        self.bands = bands
        self.log = log
        self.segment = segment
        self.relative = relative

    def _check_parameters(self, sfreq: float | None) -> None:
        super()._check_parameters(sfreq)
        if self.segment is not None:
            check_positive("segment", self.segment, "seconds")
        check_flag("log", self.log)
        check_flag("relative", self.relative)

    def _learn(self, trials: NDArray[Any]) -> None:
        self.floor_ = variance_floor(trials)
        if self.log and not self.relative:
            warn_of_flat_trials(trials, type(self).__name__)

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Compute the power in each band and channel.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
            The trials.

        Returns
        -------
        power : ndarray of float64, shape (n_trials, n_bands * n_chans)
            All channels in the first band, then all channels in the second, and so on.

        Raises
        ------
        ValueError
            As in `fit`, and if channels or samples differ from the training data.
        """
        trials = self._check(X, reset=False)
        power = band_power(trials, self.sfreq_, self.bands, segment=self.segment)
        if self.log or self.relative:
            power = np.maximum(power, self.floor_)
        if self.relative:
            power /= power.sum(axis=1, keepdims=True)
        power = power.reshape(len(power), -1)
        return np.log(power) if self.log else power
