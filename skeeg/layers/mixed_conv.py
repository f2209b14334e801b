"""Depthwise convolutions along time whose maps have kernels of different lengths."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .._checks import check_choice, check_flag, check_lengths, check_positive_ints
from ._correlation import correlate_each
from ._split import SPLITS, split_maps
from .same_conv import SameConv2d

METHODS = ("merged", "direct")


class MixedDepthwiseConv(nn.Module):
    """A depthwise convolution along time with kernels of several lengths [1]_.

    The maps are divided into as many groups as there are lengths, in their order, and each map of a
    group is convolved with a kernel of that group's length. The output is as long as the input.

    Parameters
    ----------
    n_maps : int
        Number of feature maps, at least one for each length.
    kernel_lengths : sequence of int
        Lengths of the kernels in samples, K1 to Kg; they may exceed that of the input. An even
        kernel covers one sample more after the current one than before, as in `SameConv2d`.
    split : {"equal", "exponential"}, default="equal"
        Number of maps of each length. ``"equal"`` gives each length the same number, and the first
        one the remainder. ``"exponential"`` gives each length half of the maps that remain, rounded
        up, but leaves one for each length after it; the last length gets the rest.
    bias : bool, default=False
        Whether to add a constant to each map.
    method : {"merged", "direct"}, default="merged"
        ``"direct"`` convolves one group after the other, as written. ``"merged"`` pads the shorter
        kernels with zeros and convolves all maps at once, which computes the same and takes about
        half the time in training, with 16 maps on a CPU. It is an attribute, and may be changed at
        any time.

    Attributes
    ----------
    banks : torch.nn.ModuleList of SameConv2d
        The convolution of each group.

    Raises
    ------
    ValueError
        If an argument has a value that it cannot take, or there are fewer maps than lengths.

    Notes
    -----
    With n1 to ng maps in the groups it has n1 K1 + ... + ng Kg weights: 1,872 for 32 maps in equal
    groups with kernels of 15, 31, 63 and 125 samples. The paper is about images, where a kernel has
    K x K weights; along time it has K.

    References
    ----------
    .. [1] M. Tan, Q. V. Le, "MixConv: mixed depthwise convolutional kernels", BMVC 2019.
       arXiv 1907.09595.

    Examples
    --------
    >>> import torch
    >>> conv = MixedDepthwiseConv(32, (15, 31, 63, 125))
    >>> sum(parameter.numel() for parameter in conv.parameters())
    1872
    >>> conv(torch.zeros(5, 32, 1, 100)).shape
    torch.Size([5, 32, 1, 100])
    """

    def __init__(
        self,
        n_maps: int,
        kernel_lengths: Sequence[int],
        *,
        split: str = "equal",
        bias: bool = False,
        method: str = "merged",
    ) -> None:
        super().__init__()
        (self.n_maps,) = check_positive_ints(n_maps=n_maps)
        lengths = check_lengths("kernel_lengths", kernel_lengths)
        self.split = check_choice("split", split, SPLITS)
        self.method = check_choice("method", method, METHODS)
        has_bias = check_flag("bias", bias)
        self._sizes = split_maps(self.n_maps, len(lengths), self.split)
        self.banks = nn.ModuleList(
            SameConv2d(size, size, length, groups=size, bias=has_bias)
            for size, length in zip(self._sizes, lengths, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (batch, n_maps, height, n_times); the shape stays."""
        if check_choice("method", self.method, METHODS) == "direct":
            parts = zip(self.banks, x.split(self._sizes, dim=1), strict=True)
            return torch.cat([bank(part) for bank, part in parts], dim=1)
        batch, n_maps, height, n_times = x.shape
        rows = x.transpose(1, 2).reshape(batch * height, n_maps, n_times)
        maps = correlate_each(rows, *self._aligned(), self._bias())
        return maps.reshape(batch, height, n_maps, n_times).transpose(1, 2)

    def extra_repr(self) -> str:
        """Return the settings, for the layer's printed form."""
        return f"{self.n_maps}, split={self.split!r}, method={self.method!r}"

    @property
    def _convs(self) -> list[SameConv2d]:
        return [bank for bank in self.banks if isinstance(bank, SameConv2d)]

    def _aligned(self) -> tuple[Tensor, tuple[int, int]]:
        """Return the kernels of all maps, shorter ones padded with zeros, and the signal's padding.

        The padding is that of the longest kernel.
        """
        befores, afters = zip(*(conv.time_padding for conv in self._convs), strict=True)
        before, after = max(befores), max(afters)
        kernels = [
            F.pad(conv.weight[:, 0, 0], (before - left, after - right))
            for conv, left, right in zip(self._convs, befores, afters, strict=True)
        ]
        return torch.cat(kernels), (before, after)

    def _bias(self) -> Tensor | None:
        biases = [conv.bias for conv in self._convs if conv.bias is not None]
        return torch.cat(biases) if biases else None
