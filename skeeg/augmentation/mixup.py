"""Mixtures of two trials."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from .._checks import check_number
from ._base import Augmentation, Batch, Recording


class Mixup(Augmentation):
    r"""Mix trials, and their targets in the same proportion [1]_.

    A trial becomes :math:`\lambda x_i + (1 - \lambda) x_j`, where :math:`x_j` is another trial of
    the batch, drawn at random, and :math:`\lambda \sim \mathrm{Beta}(\alpha, \alpha)`. The loss of
    a classifier is then the mean over the classes of both trials, with the weights :math:`\lambda`
    and :math:`1 - \lambda`, for any loss. Values of a regression, and weights of trials, are mixed.

    Parameters
    ----------
    alpha : float, default=0.2
        Both parameters of the beta distribution. Small values leave most trials nearly as they are,
        1 draws the proportion uniformly.
    probability : float, default=1
        Probability with which a trial is changed.

    Notes
    -----
    It is also defined for features and topographic maps.

    References
    ----------
    .. [1] Zhang, H., Cisse, M., Dauphin, Y. N., & Lopez-Paz, D. (2018). mixup: Beyond empirical
       risk minimization. ICLR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.augmentation import Mixup
    >>> X, y = np.stack([np.zeros((1, 2)), np.ones((1, 2))]), ["rest", "task"]
    >>> mixed, probabilities = Mixup(alpha=1)(X, y, random_state=1)
    >>> bool(np.allclose(mixed[:, 0, 0], probabilities[:, 1]))  # the share of "task"
    True
    """

    name: ClassVar[str] = "mixup"
    of_signals: ClassVar[bool] = False
    mixes_targets: ClassVar[bool] = True

    def __init__(self, alpha: float = 0.2, probability: float = 1.0) -> None:
        self.alpha = alpha
        self.probability = probability

    def check_parameters(self) -> None:
        """Raise a ValueError for an invalid parameter."""
        super().check_parameters()
        check_number("alpha of Mixup", self.alpha, above=0)

    def apply(self, batch: Batch, recording: Recording, generator: Generator | None) -> Batch:
        """Return a batch with mixtures.

        Parameters
        ----------
        batch, recording, generator
            As in `Augmentation.apply`.

        Returns
        -------
        batch : Batch
            With probabilities for class labels.
        """
        X, y = batch.X, batch.y
        chosen = self._chosen(X, generator)
        partners = torch.randperm(len(X), generator=generator, device=X.device)[chosen]
        share = beta(self.alpha, len(chosen), generator, X.device)
        if y is not None and not y.is_floating_point():
            classes = recording.classes
            n_classes = len(classes) if classes is not None else int(y.max()) + 1
            y = F.one_hot(y, n_classes).float()
        return replace(
            batch,
            X=_mixed(X, chosen, partners, share),
            y=None if y is None else _mixed(y, chosen, partners, share),
            weight=None if batch.weight is None else _mixed(batch.weight, chosen, partners, share),
        )


def _mixed(values: Tensor, chosen: Tensor, partners: Tensor, share: Tensor) -> Tensor:
    own = share.to(values.dtype).view(-1, *[1] * (values.ndim - 1))
    mixtures = own * values[chosen] + (1 - own) * values[partners]
    return values.index_copy(0, chosen, mixtures)


def beta(alpha: float, n_draws: int, generator: Generator | None, device: torch.device) -> Tensor:
    """Draw from a symmetric beta distribution.

    Parameters
    ----------
    alpha : float
        Both parameters of the distribution.
    n_draws : int
        How many numbers to draw.
    generator : torch.Generator or None
        What they are drawn from.
    device : torch.device
        Where they are wanted.

    Returns
    -------
    draws : torch.Tensor of float64, shape (n_draws,)

    Notes
    -----
    A gamma variable of small shape is often zero in floating point. That of ``alpha + 1``, times
    the power ``1 / alpha`` of a uniform variable, has the same distribution, and its logarithm is
    finite.
    """
    shape = torch.full((2, n_draws), alpha + 1.0, dtype=torch.float64, device=device)
    gamma = torch._standard_gamma(shape, generator=generator)
    draws = torch.rand(shape.shape, generator=generator, dtype=torch.float64, device=device)
    # 1 - draws is never zero.
    first, second = gamma.log() + torch.log1p(-draws) / alpha
    return torch.sigmoid(first - second)
