"""Convolutions along time that keep the length of their input."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ._correlation import correlate_each
from ._length import same_padding


class SameConv2d(nn.Conv2d):
    """A convolution along time, zero-padded so that its output is as long as its input.

    An even kernel of K samples covers K/2 - 1 samples before and K/2 after the current one, as in
    Keras and TensorFlow; symmetric padding would make the output one sample longer. torch's own
    ``padding="same"`` computes this as well, but warns about even kernels and is slower for them on
    a CPU.

    Parameters
    ----------
    in_channels, out_channels : int
        Number of feature maps before and after.
    kernel_length : int
        Length of the kernel in samples; it may exceed that of the input.
    dilation : int, default=1
        Step between the samples that a kernel takes, which makes it as long as
        ``dilation * (kernel_length - 1) + 1`` samples.
    groups : int, default=1
        Number of groups of maps that are convolved separately.
    bias : bool, default=True
        Whether to add a constant to each output map.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_length: int,
        *,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            (1, kernel_length),
            dilation=(1, dilation),
            groups=groups,
            bias=bias,
        )
        self.time_padding = same_padding(dilation * (kernel_length - 1) + 1)

    def forward(self, input: Tensor) -> Tensor:
        """Convolve (batch, in_channels, height, n_times); only the number of channels changes."""
        is_depthwise = self.in_channels == self.out_channels == self.groups
        if is_depthwise and self.dilation == (1, 1) and input.shape[2] == 1:
            kernels = self.weight[:, 0, 0]
            maps = correlate_each(input[:, :, 0], kernels, self.time_padding, self.bias)
            return maps.unsqueeze(2)
        return super().forward(F.pad(input, self.time_padding))

    def extra_repr(self) -> str:
        """Return the settings, for the layer's printed form."""
        return f"{super().extra_repr()}, time_padding={self.time_padding}"
