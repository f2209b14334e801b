"""Mean pools along time."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ._correlation import is_onednn


class MeanPool(nn.Module):
    """A mean pool along time; an incomplete last pool is left out.

    It is ``AvgPool2d((1, length), stride=(1, stride))``, computed as a convolution or a matrix
    product, which takes half the time on a CPU.

    Parameters
    ----------
    length : int
        Number of samples of a pool, at most that of the input.
    stride : int, optional
        Number of samples from one pool to the next; None takes `length`.
    """

    def __init__(self, length: int, stride: int | None = None) -> None:
        super().__init__()
        self.length = length
        self.stride = length if stride is None else stride

    def forward(self, x: Tensor) -> Tensor:
        """Pool (batch, n_maps, height, n_times) along its last axis."""
        if not is_onednn(x):
            return F.avg_pool2d(x, (1, self.length), stride=(1, self.stride))
        # The mean of an overlapping pool is the mean over the parts that it shares with others.
        part = self.stride if self.length % self.stride == 0 else self.length
        sums = self._sums_of_parts(x, part)
        if part == self.length:
            return sums
        n_out = sums.shape[-1] - self.length // part + 1
        means = sums[..., :n_out]
        for i in range(1, self.length // part):
            means = means + sums[..., i : i + n_out]
        return means

    def _sums_of_parts(self, x: Tensor, part: int) -> Tensor:
        """Return sums over `part` samples, every `stride` samples, divided by the pool's length."""
        if part == self.stride and x.stride(-1) == 1:  # not channels last
            parts = x[..., : x.shape[-1] // part * part].unflatten(-1, (-1, part))
            return parts @ x.new_full((part,), 1 / self.length)
        kernel = x.new_full((x.shape[1], 1, 1, part), 1 / self.length)
        return F.conv2d(x, kernel, stride=(1, self.stride), groups=x.shape[1])

    def extra_repr(self) -> str:
        """Return the settings, for the layer's printed form."""
        return f"{self.length}, stride={self.stride}"
