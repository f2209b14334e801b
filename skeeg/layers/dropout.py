"""Dropout with faster random numbers."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

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
        return input * draw_mask(torch.empty_like(input), self.p, generator)


def draw_mask(mask: Tensor, p: float, generator: Generator | None) -> Tensor:
    """Fill a tensor with the factors by which `Dropout` multiplies its input in training.

    Parameters
    ----------
    mask : Tensor
        Of the shape and the memory format of the input.
    p : float
        Probability with which a value is dropped, between 0 and 1.
    generator : torch.Generator or None
        On the device of `mask`; None is torch's global generator.

    Returns
    -------
    Tensor
        `mask`, with zeros for dropped values and 1 / (1 - p) for others.
    """
    if mask.device.type != "cpu" or mask.dtype not in _PRECISE:
        return mask.bernoulli_(1 - p, generator=generator).div_(1 - p)
    pairs = torch.empty(-(-mask.numel() // 2), dtype=torch.int64, device="cpu")
    bits = pairs.random_(-(2**63), None, generator=generator).view(torch.int32)
    bits = bits[: mask.numel()].as_strided(mask.shape, mask.stride())
    torch.ge(bits, round(p * 2**32) - 2**31, out=mask)
    return mask.mul_(1 / (1 - p))
