"""Dropout with faster random numbers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._random import current_generator, drop

_PRECISE = (torch.float32, torch.float64)


class Dropout(nn.Dropout):
    """``torch.nn.Dropout``, drawn in a quarter of the time on a CPU.

    torch draws one Bernoulli variable after the other on a CPU. Here, each value is kept or dropped
    by comparing one 32-bit half of a random integer with the fraction `p` of its range. For a given
    seed, other values are dropped than by ``torch.nn.Dropout``, with the same probability.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Drop values with probability `p` in training and scale the others by 1 / (1 - p)."""
        compiling = torch.compiler.is_compiling()  # torch.compile fuses torch's own
        if compiling or not self.training or not 0 < self.p < 1 or not input.numel():
            return super().forward(input)
        generator = current_generator(input.device)
        if self.inplace or input.device.type != "cpu" or input.dtype not in _PRECISE:
            if generator is None:
                return super().forward(input)
            return drop(input, self.p, generator, in_place=self.inplace)
        mask = torch.empty_like(input)
        pairs = torch.empty(-(-input.numel() // 2), dtype=torch.int64, device="cpu")
        bits = pairs.random_(-(2**63), None, generator=generator).view(torch.int32)
        bits = bits[: input.numel()].as_strided(mask.shape, mask.stride())
        torch.ge(bits, round(self.p * 2**32) - 2**31, out=mask)
        return input * mask.mul_(1 / (1 - self.p))
