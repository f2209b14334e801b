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
    """Filter each trial into frequency bands and stack the bands along the channels.

    Parameters
    ----------
    X : array-like, shape (n_trials, n_chans, n_times)
        The trials, in any unit.
    sfreq : float
        Sampling rate, in Hz.
    bands : str, mapping or sequence, default="classic"
        The bands, in any form that `check_bands` accepts. A band from 0 Hz is a low-pass filter, a
        band up to the Nyquist frequency a high-pass filter.
    order : int, default=2
        Order of the Butterworth filter, from 1 to 50, which is applied forwards and backwards. A
        higher order is steeper, but its transients at the ends of the trial last longer.

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
    mne.io.Raw.filter : Filters the recording before it is cut, without transients at the ends of
        trials; preferable for one band, if the recording is available.

    Notes
    -----
    Applied forwards and backwards, the filter has no delay; at the edges of a band its gain is one
    half (-6 dB). Each end of a trial is extended by its point reflection for as long as the
    transient lasts, at most by the length of the trial.

    The covariance of the stacked bands contains the power in each band. Covariance-based
    classifiers of steady-state responses use this "extended signal" [1]_.

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
    """Filter trials into frequency bands and stack the bands along the channels.

    With one band it is an ordinary band-pass filter. Trials are filtered independently, so no
    information passes between them.

    Parameters
    ----------
    sfreq : float, optional
        Sampling rate of the trials, in Hz. `EEGData` and `mne.Epochs` know it; plain arrays need
        it. A rate that differs from that of the data is an error.
    bands : str, mapping or sequence, default="classic"
        The name of a set in `BANDS`; edges in Hz by band name, ``{"alpha": (8, 13)}``; or a list
        of edges in Hz, ``[(8, 13), (13, 30)]``.
    order : int, default=2
        Order of the Butterworth filter, from 1 to 50, which is applied forwards and backwards. A
        higher order is steeper, but its transients at the ends of the trial last longer.

    Attributes
    ----------
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
    filter_bank : The function that it calls.

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
