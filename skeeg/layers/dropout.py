"""Dropout at the speed of the rest."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_PRECISE = (torch.float32, torch.float64)


class Dropout(nn.Dropout):
    """``torch.nn.Dropout``, drawn in a quarter of the time on a CPU.

    torch draws Bernoulli variables one by one there. Here, each is a 32-bit half of a random
    integer, which is kept if it is above the fraction `p` of its range. Which values are dropped
    differs from ``torch.nn.Dropout`` for a given seed, how often does not.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Drop values with probability `p` in training and scale the others by 1 / (1 - p)."""
        plain = self.inplace or input.device.type != "cpu" or input.dtype not in _PRECISE
        if plain or not self.training or not 0 < self.p < 1:
            return super().forward(input)
        mask = torch.empty_like(input)
        pairs = torch.empty(-(-input.numel() // 2), dtype=torch.int64)
        bits = pairs.random_(-(2**63), None).view(torch.int32)[: input.numel()]
        threshold = round(self.p * 2**32) - 2**31
        torch.ge(bits.as_strided(mask.shape, mask.stride()), threshold, out=mask)
        return input * mask.mul_(1 / (1 - self.p))
