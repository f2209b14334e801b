"""Gates between 0 and 1, computed from a trial, for its feature maps or its electrodes."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .._checks import check_choice, check_flag, check_positive_ints, value_or
from .same_conv import SameConv2d

#: For each choice of axis, the dimensions of (batch, maps, electrodes, time) that are pooled, and
#: the one along which gates see each other.
_DIMENSIONS = {"maps": ((2, 3), 1), "electrodes": ((1, 3), 2), "map-electrode": ((3,), 2)}
ATTENTION_AXES = tuple(_DIMENSIONS)

_STATISTICS = ("mean", "power")

#: Lower limit of a power before its logarithm, for electrodes without a signal. Inputs of networks
#: have a variance of about 1.
_FLOOR = 1e-6


class Attention(nn.Module):
    """Base class of attention layers: multiply values by the gates of their maps or electrodes.

    A subclass implements ``scores``, which computes a number for each gate from the pooled values.
    Its sigmoid is the gate.

    Parameters
    ----------
    size : int
        Number of maps where `axis` is ``"maps"``, otherwise of electrodes.
    axis : {"maps", "electrodes", "map-electrode"}, default="maps"
        What has a gate: each map, each electrode, or each electrode in each map. All other axes
        are pooled. The gates of ``"map-electrode"`` depend on the electrodes of their own map
        only, with weights that all maps share.
    statistic : {"mean", "power"}, default="mean"
        How values are pooled: to their mean, as published, or to the logarithm of their mean
        square, an extension of skeeg. See Notes.

    Raises
    ------
    ValueError
        If a parameter has a value that it cannot take, or an input does not fit them.

    Notes
    -----
    EEG without an offset has a mean over time close to zero, and so has any linear function of it.
    The mean of such a map depends on the edges of the trial and, after batch normalisation, on an
    offset that all trials share, but not on amplitudes. The gates of ``statistic="mean"`` are then
    determined by the biases, and are 0.5 without biases. Use ``"power"`` where attention precedes
    the first non-linearity, as it does for both axes with electrodes in `skeeg.networks`. Powers
    below 1e-6 are replaced by 1e-6.
    """

    def __init__(self, size: int, *, axis: str = "maps", statistic: str = "mean") -> None:
        super().__init__()
        (self.size,) = check_positive_ints(size=size)
        self.axis = check_choice("axis", axis, ATTENTION_AXES)
        self.statistic = check_choice("statistic", statistic, _STATISTICS)
        self._pooled, self._gated = _DIMENSIONS[self.axis]

    def scores(self, x: Tensor) -> Tensor:
        """Return a number for each gate, (..., size), of values (batch, maps, electrodes, time)."""
        raise NotImplementedError

    def gate(self, x: Tensor) -> Tensor:
        """Return the gates of maps or electrodes.

        Parameters
        ----------
        x : Tensor, shape (batch, n_maps, n_electrodes, n_times)

        Returns
        -------
        Tensor, shape (batch, n_maps, 1, 1), (batch, 1, n_electrodes, 1) or \
(batch, n_maps, n_electrodes, 1)
            For the axes in the order above; between 0 and 1.
        """
        if x.ndim != 4 or x.shape[self._gated] != self.size:
            what = "maps" if self.axis == "maps" else "electrodes"
            raise ValueError(
                f"{type(self).__name__} with axis={self.axis!r} expects values of shape (batch, "
                f"maps, electrodes, time) with {self.size} {what}; got {tuple(x.shape)}."
            )
        return self.scores(x).movedim(-1, self._gated).sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Multiply values (batch, maps, electrodes, time) by their gates; the shape stays."""
        return x * self.gate(x)

    def extra_repr(self) -> str:
        """Return the settings, for the layer's printed form."""
        return f"{self.size}, axis={self.axis!r}, statistic={self.statistic!r}"

    def _pool(self, x: Tensor, *, largest: bool = False) -> Tensor:
        """Return the mean or the maximum over the values of each gate, (..., size)."""
        is_power = self.statistic == "power"
        x = x.square() if is_power else x
        reduce = torch.amax if largest else torch.mean
        pooled = reduce(x, dim=self._pooled, keepdim=True)
        pooled = pooled.clamp_min(_FLOOR).log() if is_power else pooled
        return pooled.movedim(self._gated, -1)


class _Bottleneck(nn.Sequential):
    """Two dense layers with a ReLU between, the first with a fraction of the units."""

    def __init__(self, size: int, reduction: int, bias: bool) -> None:
        n_hidden = max(1, size // reduction)
        super().__init__(
            nn.Linear(size, n_hidden, bias=bias),
            nn.ReLU(),
            nn.Linear(n_hidden, size, bias=bias),
        )


class SqueezeExcitation(Attention):
    """Squeeze and excitation [1]_: gates from a bottleneck of two dense layers.

    With s the pooled values and r the reduction, the gates are sigmoid(W2 relu(W1 s)), with W1 of
    max(1, size // r) rows.

    Parameters
    ----------
    size : int
        Number of maps where `axis` is ``"maps"``, otherwise of electrodes.
    reduction : int, default=16
        Factor by which the hidden layer is smaller than `size`; it has at least one unit.
    axis : {"maps", "electrodes", "map-electrode"}, default="maps"
        What has a gate, see `Attention`.
    statistic : {"mean", "power"}, default="mean"
        How values are pooled, see `Attention`.
    bias : bool, default=False
        Whether both layers add a constant; the paper found no benefit.

    Raises
    ------
    ValueError
        If a parameter has a value that it cannot take, or an input does not fit them.

    Notes
    -----
    It has 2 size h weights, with h = max(1, size // r), and h + size biases if any.

    References
    ----------
    .. [1] J. Hu, L. Shen, G. Sun, "Squeeze-and-excitation networks", CVPR 2018. arXiv 1709.01507.

    Examples
    --------
    >>> import torch
    >>> attention = SqueezeExcitation(32)
    >>> attention(torch.zeros(5, 32, 1, 256)).shape
    torch.Size([5, 32, 1, 256])
    >>> attention.gate(torch.zeros(5, 32, 1, 256)).shape
    torch.Size([5, 32, 1, 1])
    >>> sum(parameter.numel() for parameter in attention.parameters())
    128
    """

    def __init__(
        self,
        size: int,
        *,
        reduction: int = 16,
        axis: str = "maps",
        statistic: str = "mean",
        bias: bool = False,
    ) -> None:
        super().__init__(size, axis=axis, statistic=statistic)
        (reduction,) = check_positive_ints(reduction=reduction)
        self.bottleneck = _Bottleneck(self.size, reduction, check_flag("bias", bias))

    def scores(self, x: Tensor) -> Tensor:
        """Return a number for each gate, (..., size), of values (batch, maps, electrodes, time)."""
        result: Tensor = self.bottleneck(self._pool(x))
        return result


class CBAM(Attention):
    """Convolutional block attention [1]_: gates of maps or electrodes, then gates of samples.

    The first gates are those of `SqueezeExcitation`, computed from the mean and from the maximum
    with the same two layers, whose scores are added. The second gates come from a convolution along
    time, whose inputs are the mean and the maximum over the axis of the first gates. The paper is
    about images and has a convolution of 7 x 7; here, it is (1, `kernel_length`).

    Parameters
    ----------
    size : int
        Number of maps where `axis` is ``"maps"``, otherwise of electrodes.
    reduction : int, default=16
        Factor by which the hidden layer is smaller than `size`; it has at least one unit.
    kernel_length : int, default=7
        Length of the convolution along time, in samples.
    axis : {"maps", "electrodes", "map-electrode"}, default="maps"
        What has a gate, see `Attention`.
    statistic : {"mean", "power"}, default="mean"
        How values are pooled for the first gates, see `Attention`; ``"power"`` takes the logarithms
        of the mean and of the maximum of the squares.
    bias : bool, default=False
        Whether the two dense layers add a constant; the convolution always does.

    Raises
    ------
    ValueError
        If a parameter has a value that it cannot take, or an input does not fit them.

    Notes
    -----
    It has 2 size h + 2 k + 1 parameters, with h = max(1, size // r) and k the kernel's length, and
    h + size biases of the dense layers if any. The authors' code normalises the output of the
    convolution instead of adding a constant.

    References
    ----------
    .. [1] S. Woo, J. Park, J.-Y. Lee, I. S. Kweon, "CBAM: convolutional block attention module",
       ECCV 2018. arXiv 1807.06521.

    Examples
    --------
    >>> import torch
    >>> attention = CBAM(16, reduction=4)
    >>> attention(torch.zeros(5, 16, 1, 256)).shape
    torch.Size([5, 16, 1, 256])
    >>> sum(parameter.numel() for parameter in attention.parameters())
    143
    """

    def __init__(
        self,
        size: int,
        *,
        reduction: int = 16,
        kernel_length: int = 7,
        axis: str = "maps",
        statistic: str = "mean",
        bias: bool = False,
    ) -> None:
        super().__init__(size, axis=axis, statistic=statistic)
        reduction, length = check_positive_ints(reduction=reduction, kernel_length=kernel_length)
        self.bottleneck = _Bottleneck(self.size, reduction, check_flag("bias", bias))
        self.time_conv = SameConv2d(2, 1, length)

    def scores(self, x: Tensor) -> Tensor:
        """Return a number for each gate, (..., size), of values (batch, maps, electrodes, time)."""
        result: Tensor = self.bottleneck(self._pool(x)) + self.bottleneck(
            self._pool(x, largest=True)
        )
        return result

    def time_gate(self, x: Tensor) -> Tensor:
        """Return the gates of samples.

        Parameters
        ----------
        x : Tensor, shape (batch, n_maps, n_electrodes, n_times)
            The values multiplied by their first gates.

        Returns
        -------
        Tensor, shape (batch, 1, n_electrodes, n_times) or (batch, n_maps, 1, n_times)
            The former for the axis ``"maps"``.
        """
        x = x.transpose(1, self._gated)
        pooled = torch.cat([x.mean(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)], dim=1)
        gate: Tensor = self.time_conv(pooled).transpose(1, self._gated).sigmoid()
        return gate

    def forward(self, x: Tensor) -> Tensor:
        """Multiply values (batch, maps, electrodes, time) by both gates; the shape stays."""
        x = super().forward(x)
        return x * self.time_gate(x)


class ECA(Attention):
    """Efficient channel attention [1]_: gates from a convolution over neighbours.

    The pooled values are convolved along maps or electrodes with one kernel, without a dense
    layer. Neighbours are adjacent in the data: the order of maps is learnt by the layers before,
    and electrodes are in the order of the recording.

    Parameters
    ----------
    size : int
        Number of maps where `axis` is ``"maps"``, otherwise of electrodes.
    kernel_length : int, optional
        Number of neighbours that a gate depends on, including its own; an odd number. None takes
        the paper's rule, see Notes.
    axis : {"maps", "electrodes", "map-electrode"}, default="maps"
        What has a gate, see `Attention`.
    statistic : {"mean", "power"}, default="mean"
        How values are pooled, see `Attention`.

    Raises
    ------
    ValueError
        If a parameter has a value that it cannot take, or an input does not fit them.

    Notes
    -----
    It has `kernel_length` weights and no bias. The rule is (log2(size) + 1) / 2, truncated to an
    integer, plus one where that is even: 1 for sizes up to 7, 3 for 8 to 127, 5 for 128 to 2047.

    References
    ----------
    .. [1] Q. Wang et al., "ECA-Net: efficient channel attention for deep convolutional neural
       networks", CVPR 2020. arXiv 1910.03151.

    Examples
    --------
    >>> import torch
    >>> attention = ECA(22, axis="electrodes", statistic="power")
    >>> attention.gate(torch.randn(5, 8, 22, 256)).shape
    torch.Size([5, 1, 22, 1])
    >>> sum(parameter.numel() for parameter in attention.parameters())
    3
    """

    def __init__(
        self,
        size: int,
        *,
        kernel_length: int | None = None,
        axis: str = "maps",
        statistic: str = "mean",
    ) -> None:
        super().__init__(size, axis=axis, statistic=statistic)
        (length,) = check_positive_ints(
            kernel_length=value_or(kernel_length, _eca_kernel_length(self.size))
        )
        if length % 2 == 0:
            raise ValueError(
                "kernel_length must be odd, for equally many neighbours on both sides of a gate; "
                f"got {length}."
            )
        self.conv = nn.Conv1d(1, 1, length, padding=length // 2, bias=False)

    def scores(self, x: Tensor) -> Tensor:
        """Return a number for each gate, (..., size), of values (batch, maps, electrodes, time)."""
        pooled = self._pool(x)
        rows = pooled.reshape(-1, 1, self.size)
        result: Tensor = self.conv(rows).reshape(pooled.shape)
        return result


def _eca_kernel_length(size: int) -> int:
    truncated = int((math.log2(size) + 1) / 2)
    return truncated if truncated % 2 else truncated + 1
