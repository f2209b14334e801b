"""Shift in frequency."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Generator, Tensor

from .._checks import check_positive
from ..features._checks import sampling_rate
from ._base import Augmentation, Recording, uniform


class FrequencyShift(Augmentation):
    r"""Shift the spectrum of trials, all channels by the same frequency [1]_.

    With the analytic signal :math:`a(t)` of a channel and a shift :math:`f`, the shifted signal is
    the real part of :math:`a(t) \exp(2 \pi i f t)`. The shift is drawn uniformly from
    ``-max_shift`` to ``max_shift``. The mean of a channel is kept.

    Parameters
    ----------
    max_shift : float, default=1
        Largest shift, in Hz, to either side.
    sfreq : float, optional
        Sampling rate in Hz, for trials that do not know theirs.
    probability : float, default=0.5
        Probability with which a trial is changed.

    Notes
    -----
    Peaks of rhythms differ between persons by a few hertz, which the shift imitates. It hurts where
    the frequency itself is the class, as in steady-state responses. Components below the shift are
    reflected at zero.

    References
    ----------
    .. [1] Rommel, C., Moreau, T., Paillard, J., & Gramfort, A. (2022). CADDA: Class-wise automatic
       differentiable data augmentation for EEG signals. ICLR 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.augmentation import FrequencyShift
    >>> X = np.sin(2 * np.pi * 10 * np.arange(200) / 100)[None, None]
    >>> shifted = FrequencyShift(max_shift=2, sfreq=100, probability=1)(X, random_state=0)
    >>> float(np.abs(np.fft.rfft(shifted, n=4000)).argmax() * 100 / 4000)
    11.6
    """

    name: ClassVar[str] = "frequency_shift"

    def __init__(
        self, max_shift: float = 1.0, sfreq: float | None = None, probability: float = 0.5
    ) -> None:
        self.max_shift = max_shift
        self.sfreq = sfreq
        self.probability = probability

    def check_parameters(self) -> None:
        """Raise a ValueError for an invalid parameter."""
        super().check_parameters()
        check_positive("max_shift of FrequencyShift", self.max_shift, "Hz")

    def changed(self, X: Tensor, recording: Recording, generator: Generator | None) -> Tensor:
        """Return trials with shifted spectra.

        Parameters
        ----------
        X, recording, generator
            As in `Augmentation.changed`.

        Returns
        -------
        X : torch.Tensor, shape (n_trials, n_chans, n_times)

        Raises
        ------
        ValueError
            If the sampling rate is not known, or the largest shift is not below half of it.
        """
        sfreq = sampling_rate(self.sfreq, recording.sfreq, "FrequencyShift")
        if self.max_shift >= sfreq / 2:
            raise ValueError(
                f"max_shift of FrequencyShift must be below half the sampling rate, {sfreq / 2:g} "
                f"Hz; got {self.max_shift!r}."
            )
        shifts = uniform(-self.max_shift, self.max_shift, len(X), generator, X)
        return shift_frequencies(X, shifts / sfreq)


def shift_frequencies(X: Tensor, shifts: Tensor) -> Tensor:
    """Return trials whose components are shifted in frequency.

    Parameters
    ----------
    X : torch.Tensor, shape (n_trials, n_chans, n_times)
        The trials.
    shifts : torch.Tensor, shape (n_trials, 1, 1)
        Shifts in cycles per sample.

    Returns
    -------
    shifted : torch.Tensor, shape (n_trials, n_chans, n_times)
    """
    n_times = X.shape[-1]
    mean = X.mean(dim=-1, keepdim=True)
    positive = 2 * torch.fft.rfft(X - mean)
    if n_times % 2 == 0:  # the highest frequency has no counterpart of negative frequency
        positive[..., -1] /= 2
    analytic = torch.fft.ifft(positive, n=n_times)
    angles = 2 * math.pi * shifts * torch.arange(n_times, device=X.device, dtype=X.dtype)
    return (analytic * torch.polar(torch.ones_like(angles), angles)).real + mean
