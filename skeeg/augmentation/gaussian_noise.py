"""White noise."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Generator, Tensor

from .._checks import check_number
from ._base import Augmentation, Recording


class GaussianNoise(Augmentation):
    """Add white noise, independent for all channels and samples [1]_.

    Parameters
    ----------
    std : float, default=0.1
        Standard deviation of the noise, relative to that of each channel in each trial, so that it
        does not depend on the unit.
    probability : float, default=0.5
        Probability with which a trial is changed.

    Notes
    -----
    Unlike most augmentations, it is also defined for features and topographic maps, where a channel
    is a frequency band.

    References
    ----------
    .. [1] Wang, F., Zhong, S., Peng, J., Jiang, J., & Liu, Y. (2018). Data augmentation for
       EEG-based emotion recognition with deep convolutional neural networks. MultiMedia Modeling,
       LNCS 10705, 82-93.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.augmentation import GaussianNoise
    >>> X = np.random.default_rng(0).standard_normal((1, 1, 10_000))
    >>> noisy = GaussianNoise(std=0.5, probability=1)(X, random_state=0)
    >>> round(float((noisy - X).std()), 1)
    0.5
    """

    name: ClassVar[str] = "gaussian_noise"
    of_signals: ClassVar[bool] = False

    def __init__(self, std: float = 0.1, probability: float = 0.5) -> None:
        self.std = std
        self.probability = probability

    def check_parameters(self) -> None:
        """Raise a ValueError for an invalid parameter."""
        super().check_parameters()
        check_number("std of GaussianNoise", self.std, above=0)

    def changed(self, X: Tensor, recording: Recording, generator: Generator | None) -> Tensor:
        """Return trials with noise.

        Parameters
        ----------
        X, recording, generator
            As in `Augmentation.changed`.

        Returns
        -------
        X : torch.Tensor, shape (n_trials, n_chans, ...)
        """
        axes = tuple(range(2, X.ndim))
        deviation = X.std(dim=axes, correction=0, keepdim=True)
        noise = torch.randn(X.shape, generator=generator, device=X.device, dtype=X.dtype)
        return X + self.std * deviation * noise
