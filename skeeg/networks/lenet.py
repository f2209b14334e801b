"""LeNet-5 (LeCun et al., 1998)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from torch import Tensor, nn

from .._checks import check_choice, check_positive_ints
from .._parameters import parameter
from ..layers import (
    ACTIVATIONS,
    Activation,
    PartialConv2d,
    RadialBasis,
    ScaledTanh,
    TrainableSubsampling,
    lecun_uniform_,
    make_activation,
)
from ..layers._length import clip_length, output_length
from ..layers._stacking import in_channels_last
from ._base import ActivationParameters, MapNetwork


@dataclass(frozen=True)
class _Variant:
    """What distinguishes the first LeNet-5 from the form in which it is taught."""

    partial: bool  # whether the maps of c3 see some of those of s2 only
    trainable_pools: bool  # and activations after them
    radial_basis: bool  # fixed codes of the classes, otherwise a dense layer


_VARIANTS = {
    "simple": _Variant(partial=False, trainable_pools=False, radial_basis=False),
    "1998": _Variant(partial=True, trainable_pools=True, radial_basis=True),
}

_ACTIVATIONS = {"scaled_tanh": Activation(ScaledTanh), **ACTIVATIONS}

_KERNEL, _POOL = 5, 2

#: Height and width of the paper's images, 28 x 28 digits with a margin.
_FIELD = 32

#: The padding of a convolution, and the pool after it.
_Stage = tuple[int, tuple[int, int]]

#: The maps of s2 that each map of c3 sees: every three in a row, every four in a row, three times
#: four that are not, and all six (table I of the paper). Rows wrap around.
_CONNECTIONS = (
    *[tuple(sorted((first + i) % 6 for i in range(3))) for first in range(6)],
    *[tuple(sorted((first + i) % 6 for i in range(4))) for first in range(6)],
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    tuple(range(6)),
)


class LeNetParameters(ActivationParameters):
    """Parameters of LeNet."""

    variant: str = parameter(
        default="simple",
        kind='{"simple", "1998"}',
        doc="""The form that is taught or the first one, see the notes of
        `skeeg.networks.LeNet`.""",
    )
    interpolate_to: int | None = parameter(
        default=None,
        doc="""Height and width to which maps are brought first, bilinearly and with their corners
        kept; 32 is the paper's. None leaves them as they are.""",
    )
    activation: str = parameter(
        default="scaled_tanh",
        doc="""The paper's ``"scaled_tanh"``, 1.7159 tanh(2 x / 3), or a name in
        `skeeg.layers.ACTIVATIONS`. Textbooks often take ``"sigmoid"``, with which the network
        learns slowly.""",
    )


class LeNet(LeNetParameters, MapNetwork):
    """LeNet-5, two convolutions and pools before three dense layers [1]_, for topographic maps.

    ======  ==================================  ==========================================
    layer   what it does                        output, of a 28 x 28 or 32 x 32 map
    ======  ==================================  ==========================================
    c1      6 kernels of 5 x 5, activation      6, 28, 28
    s2      pool of 2 x 2                       6, 14, 14
    c3      16 kernels of 5 x 5, activation     16, 10, 10
    s4      pool of 2 x 2                       16, 5, 5
    c5      dense, activation                   120
    f6      dense, activation                   84
    dense   one logit per class                 N
    ======  ==================================  ==========================================

    Two rows and columns of zeros surround a map that is smaller than 32 x 32, as the paper set its
    digits of 28 x 28 into 32 x 32 images, and the input of `c3` where it is smaller than a kernel.
    So a map of 9 x 9 becomes 9 x 9, 4 x 4, 4 x 4 and 2 x 2.

    Raises
    ------
    ValueError
        If a parameter has a value that it cannot take.

    Warns
    -----
    UserWarning
        If a pool is larger than its input and was clipped.

    Notes
    -----
    **simple** has full convolutions, max pools, and a dense layer at the end. It has 61,706
    parameters for a map of 28 x 28 or 32 x 32 and ten classes, 21,156 for 4 x 9 x 9 and two
    classes, and 61,476 where those are interpolated to 32 x 32.

    **1998** is the network of the paper. Each map of `c3` sees three, four or six maps of `s2`. The
    pools are sums with a trainable coefficient and bias for each map, and have an activation of
    their own. Each class has a fixed code of 84 signs, and its logit is the negative squared
    distance of the output of `f6` to it, see `skeeg.layers.RadialBasis`. It has 60,000 parameters
    for a map of 32 x 32 and ten classes.

    In both, weights start at random with variance one over a unit's number of inputs, for which
    the scaled tanh was made, and biases at zero. The paper's own range, 2.4 over that number, makes
    the values shrink from layer to layer.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
       recognition", Proc. IEEE 86:2278-2324, 1998.

    Examples
    --------
    >>> import torch
    >>> network = LeNet(n_bands=4, height=9, width=9, n_outputs=2)
    >>> sum(parameter.numel() for parameter in network.parameters())
    21156
    >>> network(torch.zeros(5, 4, 9, 9)).shape
    torch.Size([5, 2])
    >>> first = LeNet(n_bands=1, height=32, width=32, n_outputs=10, variant="1998")
    >>> sum(parameter.numel() for parameter in first.parameters())
    60000
    """

    def build(self) -> None:
        """Check the hyper-parameters and make the layers."""
        own = _VARIANTS[check_choice("variant", self.variant, _VARIANTS)]
        size = (self.height, self.width)
        if self.interpolate_to is not None:
            (side,) = check_positive_ints(interpolate_to=self.interpolate_to)
            size = (side, side)
        (pad1, pool1), (pad3, pool3), n_places = _fit_to(size)

        def block(**layers: nn.Module) -> nn.Sequential:
            layers["activation"] = make_activation(self.activation, self.alpha, table=_ACTIVATIONS)
            return nn.Sequential(OrderedDict(layers))

        def subsample(n_maps: int, pool: tuple[int, int]) -> nn.Module:
            if own.trainable_pools:
                return block(pool=TrainableSubsampling(n_maps, pool))
            return nn.MaxPool2d(pool)

        c3 = (
            PartialConv2d(6, _CONNECTIONS, _KERNEL, padding=pad3)
            if own.partial
            else nn.Conv2d(6, 16, _KERNEL, padding=pad3)
        )
        self.resize = (
            nn.Identity()
            if self.interpolate_to is None
            else nn.Upsample(size, mode="bilinear", align_corners=True)
        )  # n_bands, 32, 32
        self.c1 = block(conv=nn.Conv2d(self.n_bands, 6, _KERNEL, padding=pad1))  # 6, 28, 28
        self.s2 = subsample(6, pool1)  # 6, 14, 14
        self.c3 = block(conv=c3)  # 16, 10, 10
        self.s4 = subsample(16, pool3)  # 16, 5, 5
        self.c5 = block(dense=nn.Linear(16 * n_places, 120))  # 120
        self.f6 = block(dense=nn.Linear(120, 84))  # 84
        self.dense = (RadialBasis if own.radial_basis else nn.Linear)(84, self.n_outputs)  # N

        lecun_uniform_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits, (batch, n_outputs), of maps (batch, n_bands, height, width)."""
        # Large maps take less time on a CPU with all maps of a cell together in memory.
        x = self.resize(in_channels_last(x))
        x = self.s2(self.c1(x))
        x = self.s4(self.c3(x)).flatten(1)
        logits: Tensor = self.dense(self.f6(self.c5(x)))
        return logits


def _fit_to(size: tuple[int, int]) -> tuple[_Stage, _Stage, int]:
    """Return padding and pool of both stages, and the number of places left of a map."""
    stages = []
    for pool_name, smallest in (("LeNet.s2", _FIELD), ("LeNet.s4", _KERNEL)):
        padding = _KERNEL // 2 if min(size) < smallest else 0
        height, width = (output_length(side + 2 * padding, _KERNEL) for side in size)
        pool = (
            clip_length(_POOL, height, pool_name, unit="row"),
            clip_length(_POOL, width, pool_name, unit="column"),
        )
        stages.append((padding, pool))
        size = (
            output_length(height, pool[0], stride=pool[0]),
            output_length(width, pool[1], stride=pool[1]),
        )
    return stages[0], stages[1], size[0] * size[1]
