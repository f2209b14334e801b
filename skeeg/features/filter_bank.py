"""Band-pass filters, one or a bank of them, as a step of a pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import butter, sosfiltfilt

from .._checks import check_integer
from ._base import SampledTransformer
from ._checks import check_trials
from .bands import NARROWEST, Bands, check_bands

#: Up to it, the filter's coefficients are exact to 1e-10 in ordinary bands.
_LARGEST_ORDER = 50


def filter_bank(
    X: ArrayLike, sfreq: float, bands: Bands = "classic", *, order: int = 2
) -> NDArray[np.float64]:
    """Filter each trial into frequency bands and stack them as if they were channels.

    Parameters
    ----------
    X : array-like, shape (n_trials, n_chans, n_times)
        The trials, in any unit.
    sfreq : float
        Sampling rate, in Hz.
    bands : str, mapping or sequence, default="classic"
        The bands, as `check_bands` takes them. One from 0 Hz is a low-pass, one up to the Nyquist
        frequency a high-pass filter.
    order : int, default=2
        Order of the Butterworth filter that is run forth and back. A higher one is steeper, but
        rings longer from the ends of the trial.

    Returns
    -------
    filtered : ndarray of float64, shape (n_trials, n_bands * n_chans, n_times)
        In the unit of `X`: all channels in the first band, then all in the second, and so on.

    Raises
    ------
    ValueError
        If `X` does not have three axes, or `sfreq`, `order` or a band is wrong.

    See Also
    --------
    FilterBank : The same as a transformer.
    mne.io.Raw.filter : Filters the recording before it is cut, without edges; to be preferred
        where there is one band, and the recording is at hand.

    Notes
    -----
    Run forth and back, the filter delays nothing; at the edges of a band it attenuates to a half
    in amplitude (6 dB). The ends of a trial are continued by point reflection as far as the
    filter rings, or the trial is long.

    Stacked bands are the "extended signal" in whose spatial covariance the power in each band
    lies, which is how covariance-based classifiers are applied to steady-state responses [1]_.

    References
    ----------
    .. [1] M. Congedo, A. Barachant, A. Andreev, "A new generation of brain-computer interface
       based on Riemannian geometry", arXiv 1310.8115, 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.features import filter_bank
    >>> seconds = np.arange(512) / 128
    >>> trial = np.sin(2 * np.pi * 10 * seconds)
    >>> alpha, beta = filter_bank(trial[None, None], sfreq=128, bands=[(8, 13), (13, 30)])[0]
    >>> bool(alpha.std() > 5 * beta.std())
    True
    """
    trials = check_trials(X).astype(np.float64)
    edges = check_bands(bands, sfreq)
    order = check_integer("order", order, at_least=1, at_most=_LARGEST_ORDER)
    n_trials, n_chans, n_times = trials.shape
    filtered = np.empty((n_trials, len(edges), n_chans, n_times))
    for i, (low, high) in enumerate(edges.values()):
        sections = butterworth(low, high, sfreq, order)
        ringing = order / (min(low, high - low) or high)
        n_padded = min(n_times - 1, round(ringing * sfreq))
        filtered[:, i] = sosfiltfilt(sections, trials, padlen=n_padded)
    return filtered.reshape(n_trials, -1, n_times)


def butterworth(low: float, high: float, sfreq: float, order: int) -> NDArray[np.float64]:
    """Return the second-order sections of a filter that passes a band, shape (n_sections, 6)."""
    # Closer to the Nyquist frequency, an edge cannot be told from it in double precision.
    unlimited = sfreq / 2 - high < NARROWEST * sfreq
    if low == 0 and unlimited:
        raise ValueError(
            f"Band {low:g}-{high:g} Hz holds all frequencies at a sampling rate of {sfreq:g} Hz, "
            "so there is no filter for it. Leave the band out."
        )
    if low == 0:
        return butter(order, high, "lowpass", fs=sfreq, output="sos")
    if unlimited:
        return butter(order, low, "highpass", fs=sfreq, output="sos")
    return butter(order, (low, high), "bandpass", fs=sfreq, output="sos")


class FilterBank(SampledTransformer):
    """Filter trials into frequency bands and stack them as if they were channels.

    With one band it is an ordinary band-pass filter. Each trial is filtered by itself, so nothing
    passes from one to another.

    Parameters
    ----------
    sfreq : float, optional
        Sampling rate of the trials, in Hz. `EEGData` and `mne.Epochs` know it; plain arrays need
        it. A rate that differs from that of the data is an error.
    bands : str, mapping or sequence, default="classic"
        The name of a set in `BANDS`; edges in Hz by band name, ``{"alpha": (8, 13)}``; or a list
        of edges in Hz, ``[(8, 13), (13, 30)]``.
    order : int, default=2
        Order of the Butterworth filter that is run forth and back. A higher one is steeper, but
        rings longer from the ends of the trial.

    Attributes
    ----------
    n_chans_, n_times_ : int
        Channels and samples of a training trial.
    ch_names_ : tuple of str or None
        The channels' names, where the training data knew them.
    sfreq_ : float
        Sampling rate of the training data, in Hz.
    n_features_in_ : int
        Length of the second axis of the training data.
    feature_names_in_ : ndarray of str, shape (`n_features_in_`,)
        Column names of the training data, where it was a data frame.

    See Also
    --------
    filter_bank : The function behind it.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.features import FilterBank
    >>> X = np.random.default_rng(0).standard_normal((6, 2, 512))
    >>> FilterBank(sfreq=128, bands=[(8, 13), (13, 30)]).fit_transform(X).shape
    (6, 4, 512)
    """

    def __init__(
        self, sfreq: float | None = None, bands: Bands = "classic", order: int = 2
    ) -> None:
        self.sfreq = sfreq
        self.bands = bands
        self.order = order

    def _check_parameters(self, sfreq: float | None) -> None:
        assert sfreq is not None
        check_integer("order", self.order, at_least=1, at_most=_LARGEST_ORDER)
        check_bands(self.bands, sfreq)

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Filter trials.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
            The trials.

        Returns
        -------
        filtered : ndarray of float64, shape (n_trials, n_bands * n_chans, n_times)
            All channels in the first band, then all channels in the second, and so on.

        Raises
        ------
        ValueError
            As in `fit`, and if channels or samples differ from the training data.
        """
        trials = self._check(X, reset=False)
        return filter_bank(trials, self.sfreq_, self.bands, order=self.order)
