"""Channel selection by the Riemannian distance between the covariances of classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._validation import scaled, standard_deviation
from ._base import ChannelSelector

#: Power added to every channel, relative to that of all trials, so that flat ones have a logarithm.
_FLAT = 1e-10


class RiemannianSelector(ChannelSelector):
    """Keep the channels with the largest distance between the covariances of classes [1]_.

    Channels are removed one at a time, so that the Riemannian distances between the mean
    covariances of the classes stay as large as possible. Computed by pyRiemann.

    Parameters
    ----------
    n_selected_chans : int, default=8
        Number of channels to keep; all if there are fewer.

    Attributes
    ----------
    selected_channels_ : ndarray of int, shape (n_kept,)
        Positions of the channels that are kept, in the order of the recording.
    selected_ch_names_ : tuple of str or None
        Their names, if the training data had names.
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
    skeeg.baselines.tangent_space_lr : A decoder that uses the same covariances.

    Notes
    -----
    Covariances are shrunk by the oracle-approximating rule, as in
    `skeeg.baselines.tangent_space_lr`, so that they are invertible for short trials and average
    reference. Trials are not filtered: filter them to the band of interest first.

    References
    ----------
    .. [1] A. Barachant, S. Bonnet, "Channel selection procedure using Riemannian distance for BCI
       applications", 5th International IEEE EMBS Conference on Neural Engineering, 2011.

    Examples
    --------
    >>> from skeeg.channel_selection import RiemannianSelector
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> RiemannianSelector(n_selected_chans=2).fit_transform(data, data.y).shape[1]
    2
    """

    def __init__(self, n_selected_chans: int = 8) -> None:
        self.n_selected_chans = n_selected_chans

    def _select(self, trials: NDArray[Any], y: NDArray[Any], n_selected: int) -> NDArray[np.intp]:
        try:
            from pyriemann.channelselection import ElectrodeSelection
            from pyriemann.estimation import Covariances
        except ImportError as error:
            raise ImportError(
                "RiemannianSelector needs pyRiemann, which is not installed: "
                "pip install 'skeeg[riemann]'"
            ) from error

        name = type(self).__name__
        scale = standard_deviation(trials, name=name, ch_names=self.ch_names_)
        # Volts squared are so small that thresholds on eigenvalues would treat them as zeros.
        unit = scaled(trials, scale, name=name, ch_names=self.ch_names_, dtype=np.float64)
        covariances = Covariances("oas").fit_transform(unit) + _FLAT * np.eye(self.n_chans_)
        chosen = ElectrodeSelection(nelec=n_selected).fit(covariances, y).subelec_
        return np.array(chosen, dtype=np.intp)
