"""Layers of the original LeNet-5 (LeCun et al., 1998) that torch does not have."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .._checks import check_positive_ints


class ScaledTanh(nn.Module):
    """The function 1.7159 tanh(2 x / 3), which maps 1 to 1 and -1 to -1."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the function of each value of `x`, in the same shape."""
        return 1.7159 * torch.tanh(2 / 3 * x)


class PartialConv2d(nn.Module):
    """A convolution in which each output map is connected to some of the input maps only.

    Only connected pairs of maps have a kernel, so `weight` has the shape (connections, kernel_size,
    kernel_size), in the order of `connections`.

    Parameters
    ----------
    in_channels : int
        Number of input maps.
    connections : sequence of sequences of int
        For each output map, the input maps that it is connected to.
    kernel_size : int
        Height and width of the kernels.
    padding : int, default=0
        Rows and columns of zeros on each side of the input.

    Raises
    ------
    ValueError
        If an output map has no input map, one that does not exist, or one twice.

    Examples
    --------
    Of two input maps, the first output map is connected to one, the second to both:

    >>> layer = PartialConv2d(2, [[0], [0, 1]], kernel_size=5)
    >>> layer.weight.shape, layer.bias.shape
    (torch.Size([3, 5, 5]), torch.Size([2]))
    >>> layer(torch.zeros(4, 2, 14, 14)).shape
    torch.Size([4, 2, 10, 10])
    """

    connected: Tensor

    def __init__(
        self,
        in_channels: int,
        connections: Sequence[Sequence[int]],
        kernel_size: int,
        *,
        padding: int = 0,
    ) -> None:
        super().__init__()
        self.in_channels, self.kernel_size = check_positive_ints(
            in_channels=in_channels, kernel_size=kernel_size
        )
        for maps in connections:
            if not maps or len({*maps}) < len(maps) or not {*maps} <= {*range(in_channels)}:
                raise ValueError(
                    "Each output map must have one or more different input maps among 0 to "
                    f"{in_channels - 1}; got {list(maps)}."
                )
        self.out_channels = len(connections)
        self.padding = padding
        n_connected = [len(maps) for maps in connections]
        kernels = [i * in_channels + j for i, maps in enumerate(connections) for j in maps]
        self.weight = nn.Parameter(
            torch.empty(sum(n_connected), self.kernel_size, self.kernel_size)
        )
        self.bias = nn.Parameter(torch.empty(self.out_channels))
        self.register_buffer("connected", torch.tensor(kernels), persistent=False)
        self._n_connected = n_connected
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw kernels of variance one over the number of inputs to a unit; biases are zero."""
        start = 0
        for n_connected in self._n_connected:
            bound = math.sqrt(3 / (n_connected * self.kernel_size**2))
            self.weight[start : start + n_connected].uniform_(-bound, bound)
            start += n_connected
        self.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (batch, in_channels, height, width)."""
        kernels = self.weight.new_zeros(
            self.out_channels * self.in_channels, self.kernel_size, self.kernel_size
        ).index_copy(0, self.connected, self.weight)
        kernels = kernels.unflatten(0, (self.out_channels, self.in_channels))
        return F.conv2d(x, kernels, self.bias, padding=self.padding)

    def extra_repr(self) -> str:
        """Return the settings, for the layer's printed form."""
        return (
            f"{self.in_channels}, {self.out_channels}, connections={len(self.weight)}, "
            f"kernel_size={self.kernel_size}, padding={self.padding}"
        )


class TrainableSubsampling(nn.Module):
    """The sum over each field of a map, times a trainable coefficient, plus a trainable bias.

    Each map has one coefficient and one bias. Initially the output is the mean of the field.

    Parameters
    ----------
    n_maps : int
        Number of maps.
    size : int or tuple of int
        Height and width of the fields, which do not overlap.

    Examples
    --------
    >>> layer = TrainableSubsampling(1, 2)
    >>> layer(torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])).item()
    3.0
    """

    def __init__(self, n_maps: int, size: int | tuple[int, int]) -> None:
        super().__init__()
        self.size = (size, size) if isinstance(size, int) else size
        self.coefficient = nn.Parameter(torch.full((n_maps,), 1 / math.prod(self.size)))
        self.bias = nn.Parameter(torch.zeros(n_maps))

    def forward(self, x: Tensor) -> Tensor:
        """Subsample (batch, n_maps, height, width); incomplete fields are left out."""
        sums = F.avg_pool2d(x, self.size, divisor_override=1)
        return sums * self.coefficient[:, None, None] + self.bias[:, None, None]

    def extra_repr(self) -> str:
        """Return the settings, for the layer's printed form."""
        return f"{len(self.bias)}, size={self.size}"


class RadialBasis(nn.Module):
    """The negative squared distance of a vector to a fixed code of each class.

    A code is a vector of 1 and -1. The class with the nearest code has the highest output, and the
    cross-entropy of these outputs is the paper's discriminative loss without its constant for
    images that are not digits.

    Parameters
    ----------
    n_inputs : int
        Length of the vector.
    n_outputs : int
        Number of classes.

    Notes
    -----
    The codes of the paper are images of the ten digits; it mentions random codes as an alternative.
    Here they are random, equal in all networks, and part of the ``state_dict``.

    Examples
    --------
    >>> layer = RadialBasis(84, 3)
    >>> layer(layer.codes).argmax(dim=1)
    tensor([0, 1, 2])
    """

    codes: Tensor

    def __init__(self, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        codes = np.random.default_rng(1998).choice([-1.0, 1.0], (n_outputs, n_inputs))
        self.register_buffer("codes", torch.tensor(codes, dtype=torch.get_default_dtype()))

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs, (batch, n_outputs), for vectors of shape (batch, n_inputs)."""
        return -(x[:, None] - self.codes).square().sum(2)

    def extra_repr(self) -> str:
        """Return the settings, for the layer's printed form."""
        n_outputs, n_inputs = self.codes.shape
        return f"{n_inputs}, {n_outputs}"
