"""Change of the amplitude."""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Generator, Tensor

from .._checks import check_number
from ._base import Augmentation, Recording, uniform


class AmplitudeScale(Augmentation):
    """Multiply all channels of a trial by one factor [1]_.

    The logarithm of the factor is uniform, so that halves and doubles are equally probable.

    Parameters
    ----------
    max_factor : float, default=2
        Factors lie between ``1 / max_factor`` and ``max_factor``.
    probability : float, default=0.5
        Probability with which a trial is changed.

    Notes
    -----
    It suits differences between subjects and sessions. It hurts where the amplitude itself is the
    information, as it is in the power of a rhythm.

    References
    ----------
    .. [1] Mohsenvand, M. N., Izadi, M. R., & Maes, P. (2020). Contrastive representation learning
       for electroencephalogram classification. Machine Learning for Health, PMLR 136, 238-253.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.augmentation import AmplitudeScale
    >>> X = np.ones((3, 1, 2))
    >>> AmplitudeScale(probability=1)(X, random_state=0)[:, 0, 0].round(2).tolist()
    [0.62, 1.98, 0.62]
    """

    name: ClassVar[str] = "amplitude_scale"

    def __init__(self, max_factor: float = 2.0, probability: float = 0.5) -> None:
        self.max_factor = max_factor
        self.probability = probability

    def check_parameters(self) -> None:
        """Raise a ValueError for an invalid parameter."""
        super().check_parameters()
        check_number("max_factor of AmplitudeScale", self.max_factor, above=1)

    def changed(self, X: Tensor, recording: Recording, generator: Generator | None) -> Tensor:
        """Return trials of another amplitude.

        Parameters
        ----------
        X, recording, generator
            As in `Augmentation.changed`.

        Returns
        -------
        X : torch.Tensor, shape (n_trials, n_chans, n_times)
        """
        largest = math.log(self.max_factor)
        return X * uniform(-largest, largest, len(X), generator, X).exp()
