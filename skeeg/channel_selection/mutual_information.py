"""Channel selection by the mutual information of power and class."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.feature_selection import mutual_info_classif

from .._validation import unwrap
from ..features._checks import check_trials, sampling_rate
from ..features.bands import Bands
from ..features.power import band_power, variance_floor
from ._base import ChannelSelector

#: scikit-learn's estimate adds noise in the tenth digit, to separate equal values; with a fixed
#: seed it is a function of the data.
_NOISE_SEED = 0


def channel_information(
    X: ArrayLike,
    y: ArrayLike,
    *,
    sfreq: float | None = None,
    bands: Bands | None = None,
) -> NDArray[np.float64]:
    """Estimate the mutual information of the power of each channel and the class.

    Parameters
    ----------
    X : array-like, shape (n_trials, n_chans, n_times)
        The trials, in any unit.
    y : array-like, shape (n_trials,)
        Class labels.
    sfreq : float, optional
        Sampling rate, in Hz; needed with `bands`.
    bands : str, mapping or sequence, optional
        Frequency bands, in any form that `skeeg.features.check_bands` accepts. By default the
        power is the variance of the whole signal.

    Returns
    -------
    information : ndarray of float64, shape (n_chans,)
        Mutual information of log power and class in nats, the largest of all bands. Apart from
        the error of the estimate it lies between 0 and the entropy of the classes, ln 2 for two.

    Raises
    ------
    ValueError
        If `X` does not have three axes, `bands` are given without `sfreq`, or a band is invalid.

    Notes
    -----
    The information is estimated from the distances of trials to their third nearest neighbours
    [1]_, for each channel separately: two channels with the same content have the same value.

    References
    ----------
    .. [1] B. C. Ross, "Mutual information between discrete and continuous data sets", PLoS ONE
       9(2):e87357, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.channel_selection import channel_information
    >>> y = np.arange(60) % 2
    >>> X = np.random.default_rng(0).standard_normal((60, 3, 256))
    >>> X[y == 1, 2] *= 2
    >>> channel_information(X, y).round(1)
    array([0. , 0.1, 0.7])
    """
    trials = check_trials(X)
    if bands is None:
        power = trials.var(axis=2, dtype=np.float64)[:, None]
    elif sfreq is None:
        raise ValueError(f"bands={bands!r} need sfreq, the sampling rate in Hz.")
    else:
        power = band_power(trials, sfreq, bands)
    floor = variance_floor(trials) or np.finfo(np.float64).tiny
    features = np.log(np.maximum(power, floor)).reshape(len(trials), -1)
    # The smallest class must have a k-th neighbour.
    rarest = int(np.unique(np.asarray(y), return_counts=True)[1].min())
    information = mutual_info_classif(
        features,
        np.asarray(y),
        discrete_features=False,
        n_neighbors=max(1, min(3, rarest - 1)),
        random_state=_NOISE_SEED,
    )
    # Equal values differ by that noise only, whose information in small sets is not zero.
    information[np.ptp(features, axis=0) == 0] = 0
    return information.reshape(-1, trials.shape[1]).max(axis=0)


class MutualInformationSelector(ChannelSelector):
    """Keep the channels whose power has the largest mutual information with the class.

    Parameters
    ----------
    n_selected_chans : int, default=8
        Number of channels to keep; all if there are fewer.
    sfreq : float, optional
        Sampling rate of the trials, in Hz. With `bands`, plain arrays need it; `EEGData` and
        `mne.Epochs` know it. A rate that differs from that of the data is an error.
    bands : str, mapping or sequence, optional
        Frequency bands, in any form that `skeeg.features.BandPower` accepts; the value of a
        channel is that of its best band. By default the power is the variance of the signal, for
        trials that are already filtered.

    Attributes
    ----------
    selected_channels_ : ndarray of int, shape (n_kept,)
        Positions of the channels that are kept, in the order of the recording.
    selected_ch_names_ : tuple of str or None
        Their names, if the training data had names.
    scores_ : ndarray of float64, shape (n_chans,)
        The information of each channel, in nats.
    n_chans_, n_times_ : int
        Channels and samples of a training trial.
    ch_names_ : tuple of str or None
        Names of the channels, if the training data had names.
    sfreq_ : float or None
        Sampling rate of the training data in Hz, if known.
    n_features_in_ : int
        Length of the second axis of the training data.

    See Also
    --------
    channel_information : The function that it calls.
    skeeg.NetworkChannelSelector : Selects channels jointly, by a network.

    Examples
    --------
    >>> from skeeg.channel_selection import MutualInformationSelector
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> selector = MutualInformationSelector(2, bands=[(8, 13)]).fit(data, data.y)
    >>> selector.transform(data).shape[1]
    2
    """

    def __init__(
        self, n_selected_chans: int = 8, sfreq: float | None = None, bands: Bands | None = None
    ) -> None:
        self.n_selected_chans = n_selected_chans
        self.sfreq = sfreq
        self.bands = bands

    def _check_training(self, X: Any, y: Any) -> tuple[NDArray[Any], NDArray[Any], int]:
        trials = unwrap(X)
        if self.sfreq is not None or self.bands is not None:
            rate = sampling_rate(self.sfreq, trials.sfreq, type(self).__name__)
            trials = dataclasses.replace(trials, sfreq=rate)
        return super()._check_training(trials, y)

    def _select(self, trials: NDArray[Any], y: NDArray[Any], n_selected: int) -> NDArray[np.intp]:
        self.scores_ = channel_information(trials, y, sfreq=self.sfreq_, bands=self.bands)
        # A stable sort: of equal channels, the first is kept.
        return np.argsort(-self.scores_, kind="stable")[:n_selected]
