"""Loss of channels."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Generator, Tensor

from .._checks import check_number
from ._base import Augmentation, Recording


class ChannelDropout(Augmentation):
    """Set channels to zero, each by itself, as if an electrode had lost contact [1]_.

    At least one channel of a trial is kept, so that a trial of one channel never changes.

    Parameters
    ----------
    p_drop : float, default=0.2
        Probability with which a channel of a changed trial is set to zero.
    probability : float, default=0.5
        Probability with which a trial is changed.

    Notes
    -----
    It makes the network rely on more channels. It hurts where few channels carry the information:
    with four electrodes, or with one over the motor cortex of each side.

    References
    ----------
    .. [1] Saeed, A., Grangier, D., Pietquin, O., & Zeghidour, N. (2021). Learning from
       heterogeneous EEG signals with differentiable channel reordering. ICASSP 2021, 1255-1259.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.augmentation import ChannelDropout
    >>> X = np.ones((1, 4, 2))
    >>> ChannelDropout(p_drop=0.5, probability=1)(X, random_state=0)[0, :, 0].tolist()
    [0.0, 1.0, 0.0, 0.0]
    """

    name: ClassVar[str] = "channel_dropout"

    def __init__(self, p_drop: float = 0.2, probability: float = 0.5) -> None:
        self.p_drop = p_drop
        self.probability = probability

    def check_parameters(self) -> None:
        """Raise a ValueError for an invalid parameter."""
        super().check_parameters()
        check_number("p_drop of ChannelDropout", self.p_drop, at_least=0, below=1)

    def changed(self, X: Tensor, recording: Recording, generator: Generator | None) -> Tensor:
        """Return trials without some channels.

        Parameters
        ----------
        X, recording, generator
            As in `Augmentation.changed`.

        Returns
        -------
        X : torch.Tensor, shape (n_trials, n_chans, n_times)
        """
        draws = torch.rand(X.shape[:2], generator=generator, device=X.device)
        kept = (draws >= self.p_drop) | (draws == draws.amax(dim=1, keepdim=True))
        return X * kept[..., None]
