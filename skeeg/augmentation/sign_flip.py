"""Change of the polarity."""

from __future__ import annotations

from typing import ClassVar

from torch import Generator, Tensor

from ._base import Augmentation, Recording


class SignFlip(Augmentation):
    """Flip the sign of all channels of a trial [1]_.

    Parameters
    ----------
    probability : float, default=0.5
        Probability with which a trial is changed.

    Notes
    -----
    The power and the covariance stay as they are, so it suits rhythms. An evoked response is lost,
    because its polarity is part of it.

    References
    ----------
    .. [1] Rommel, C., Paillard, J., Moreau, T., & Gramfort, A. (2022). Data augmentation for
       learning predictive models on EEG: a systematic comparison. Journal of Neural Engineering,
       19(6), 066020.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.augmentation import SignFlip
    >>> SignFlip(probability=1)(np.ones((1, 1, 3))).tolist()
    [[[-1.0, -1.0, -1.0]]]
    """

    name: ClassVar[str] = "sign_flip"

    def __init__(self, probability: float = 0.5) -> None:
        self.probability = probability

    def changed(self, X: Tensor, recording: Recording, generator: Generator | None) -> Tensor:
        """Return trials of the opposite sign.

        Parameters
        ----------
        X, recording, generator
            As in `Augmentation.changed`.

        Returns
        -------
        X : torch.Tensor, shape (n_trials, n_chans, n_times)
        """
        return -X
