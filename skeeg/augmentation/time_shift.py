"""Shift in time."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Generator, Tensor

from .._checks import check_choice, check_positive
from ..features._checks import check_samples, sampling_rate
from ._base import Augmentation, Recording


class TimeShift(Augmentation):
    """Shift trials in time, all electrodes by the same number of samples [1]_.

    The shift is drawn uniformly from ``-max_shift`` to ``max_shift``.

    Parameters
    ----------
    max_shift : float, default=0.1
        Largest shift, in seconds, to either side.
    padding : {"zeros", "circular"}, default="zeros"
        What takes the place of samples that are not known: zeros, or those that the shift moves out
        at the other end.
    sfreq : float, optional
        Sampling rate in Hz, for trials that do not know theirs.
    probability : float, default=0.5
        Probability with which a trial is changed.

    Notes
    -----
    A response that is locked to an event keeps its label as long as the shift is small compared
    with the response. The phase of a steady-state response is lost.

    References
    ----------
    .. [1] Mohsenvand, M. N., Izadi, M. R., & Maes, P. (2020). Contrastive representation learning
       for electroencephalogram classification. Machine Learning for Health, PMLR 136, 238-253.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.augmentation import TimeShift
    >>> X = np.arange(1.0, 6.0).reshape(1, 1, 5)
    >>> TimeShift(max_shift=2, sfreq=1, probability=1)(X, random_state=2).tolist()
    [[[2.0, 3.0, 4.0, 5.0, 0.0]]]
    """

    name: ClassVar[str] = "time_shift"

    def __init__(
        self,
        max_shift: float = 0.1,
        padding: str = "zeros",
        sfreq: float | None = None,
        probability: float = 0.5,
    ) -> None:
        self.max_shift = max_shift
        self.padding = padding
        self.sfreq = sfreq
        self.probability = probability

    def check_parameters(self) -> None:
        """Raise a ValueError for an invalid parameter."""
        super().check_parameters()
        check_positive("max_shift of TimeShift", self.max_shift, "seconds")
        check_choice("padding of TimeShift", self.padding, ("zeros", "circular"))

    def changed(self, X: Tensor, recording: Recording, generator: Generator | None) -> Tensor:
        """Return shifted trials.

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
            If the sampling rate is not known, or the largest shift is less than a sample or not
            shorter than a trial.
        """
        sfreq = sampling_rate(self.sfreq, recording.sfreq, "TimeShift")
        n_times = X.shape[-1]
        largest = check_samples("max_shift", self.max_shift, sfreq)
        if not 1 <= largest < n_times:
            raise ValueError(
                f"max_shift of TimeShift must be at least one sample, {1 / sfreq:g} s, and less "
                f"than a trial, {n_times / sfreq:g} s; got {self.max_shift!r}."
            )
        shifts = torch.randint(
            -largest, largest + 1, (len(X), 1, 1), generator=generator, device=X.device
        )
        sources = torch.arange(n_times, device=X.device) - shifts
        shifted = X.gather(-1, (sources % n_times).expand_as(X))
        if self.padding == "circular":
            return shifted
        return shifted * ((sources >= 0) & (sources < n_times))
