"""Random phases of the Fourier transform."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Generator, Tensor

from .._checks import check_number
from ._base import Augmentation, Recording


class FTSurrogate(Augmentation):
    """Change the phases of the Fourier transform at random, alike in all channels [1]_.

    The amplitude spectrum of each channel stays as it is. So do the phase differences between
    channels, and with them the covariance and the topography of each rhythm, because each frequency
    has one random phase that all channels add.

    Parameters
    ----------
    magnitude : float, default=1
        Phases are drawn uniformly from plus or minus this proportion of a half turn. With 1 they
        are entirely random.
    probability : float, default=0.5
        Probability with which a trial is changed.

    Notes
    -----
    It suits the power of rhythms: motor imagery, sleep, mental states. An evoked response, whose
    form in time is the information, is lost.

    References
    ----------
    .. [1] Schwabedal, J. T. C., Snyder, J. C., Cakmak, A., Nemati, S., & Clifford, G. D. (2018).
       Addressing class imbalance in classification problems of noisy signals by using Fourier
       transform surrogates. arXiv:1806.08675.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.augmentation import FTSurrogate
    >>> X = np.random.default_rng(0).standard_normal((2, 3, 64))
    >>> surrogate = FTSurrogate(probability=1)(X, random_state=0)
    >>> amplitudes = [np.abs(np.fft.rfft(trials)) for trials in (X, surrogate)]
    >>> bool(np.allclose(*amplitudes)), bool(np.allclose(X, surrogate))
    (True, False)
    """

    name: ClassVar[str] = "ft_surrogate"

    def __init__(self, magnitude: float = 1.0, probability: float = 0.5) -> None:
        self.magnitude = magnitude
        self.probability = probability

    def check_parameters(self) -> None:
        """Raise a ValueError for an invalid parameter."""
        super().check_parameters()
        check_number("magnitude of FTSurrogate", self.magnitude, above=0, at_most=1)

    def changed(self, X: Tensor, recording: Recording, generator: Generator | None) -> Tensor:
        """Return trials with other phases.

        Parameters
        ----------
        X, recording, generator
            As in `Augmentation.changed`.

        Returns
        -------
        X : torch.Tensor, shape (n_trials, n_chans, n_times)
        """
        n_times = X.shape[-1]
        spectrum = torch.fft.rfft(X)
        shape = (len(X), 1, spectrum.shape[-1])
        draws = torch.rand(shape, generator=generator, device=X.device, dtype=X.dtype)
        phases = math.pi * self.magnitude * (2 * draws - 1)
        phases[..., 0] = 0  # the mean is real
        if n_times % 2 == 0:  # and so is the highest frequency
            phases[..., -1] = 0
        rotation = torch.polar(torch.ones_like(phases), phases)
        return torch.fft.irfft(spectrum * rotation, n=n_times)
