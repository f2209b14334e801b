"""CCNN (Yang et al., 2018)."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from .._checks import check_choice, check_number, check_positive_ints
from .._parameters import parameter
from ..layers import Dropout, lecun_uniform_, make_activation
from ..layers._length import same_padding
from ..layers._stacking import in_channels_last
from ._base import ActivationParameters, MapNetwork

#: Whether a 1 x 1 convolution precedes the dense layers.
_VARIANTS = {"paper": True, "released": False}


class CCNNParameters(ActivationParameters):
    """Parameters of CCNN."""

    variant: str = parameter(
        default="paper",
        kind='{"paper", "released"}',
        doc="""The paper's four convolutions or the released code's three, see the notes of
        `skeeg.networks.CCNN`.""",
    )
    n_filters: int = parameter(
        default=64, doc="Number of maps after the first convolution, F; the next two double it."
    )
    n_hidden: int = parameter(default=1024, doc="Number of units before the last layer, D.")
    dropout: float = parameter(
        default=0.5, doc="Probability with which a value is dropped before the last layer."
    )
    activation: str = parameter(default="selu")


class CCNN(CCNNParameters, MapNetwork):
    """Convolutions over a topographic map that is never pooled [1]_.

    The input holds one map of the scalp for each frequency band, of differential entropy in the
    paper, with zeros where there is no electrode.

    ==========  ======================================  ============
    layer       what it does                            output
    ==========  ======================================  ============
    block1      F kernels of 4 x 4, activation          F, H, W
    block2      2 F kernels of 4 x 4, activation        2 F, H, W
    block3      4 F kernels of 4 x 4, activation        4 F, H, W
    block4      F kernels of 1 x 1, activation          F, H, W
    hidden      dense, activation                       D
    drop        dropout                                 D
    dense       one logit per class                     N
    ==========  ======================================  ============

    The 4 x 4 convolutions see one row and column of zeros before the map and two after it, so that
    maps keep their size.

    Raises
    ------
    ValueError
        If a parameter has a value that it cannot take.

    Notes
    -----
    **paper** has four convolutions: 5,987,842 parameters for 4 x 9 x 9 inputs and two classes.

    **released** is the authors' code, which lacks the 1 x 1 convolution, so that the dense layer
    takes all 4 F maps: 21,896,642 parameters. The code has batch normalisations before the
    activations too, but never lets them use or learn statistics. What remains of them, 896 scales
    and shifts of maps, is part of the convolutions already; they are left out.

    Weights start at random with variance one over a unit's number of inputs, as self-normalising
    networks require [2]_, and biases at zero. The released code draws all weights with a standard
    deviation of 0.1, with which the values grow many times over from layer to layer, and relies on
    a strong penalty to bring them down.

    References
    ----------
    .. [1] Y. Yang, Q. Wu, Y. Fu, X. Chen, "Continuous convolutional neural network with 3D input
       for EEG-based emotion recognition", ICONIP 2018, pp. 433-443,
       doi:10.1007/978-3-030-04239-4_39.
    .. [2] G. Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017.

    Examples
    --------
    >>> import torch
    >>> network = CCNN(n_bands=4, height=9, width=9, n_outputs=2)
    >>> sum(parameter.numel() for parameter in network.parameters())
    5987842
    >>> network(torch.zeros(5, 4, 9, 9)).shape
    torch.Size([5, 2])
    """

    def build(self) -> None:
        """Check the hyper-parameters and make the layers."""
        has_block4 = _VARIANTS[check_choice("variant", self.variant, _VARIANTS)]
        f, d = check_positive_ints(n_filters=self.n_filters, n_hidden=self.n_hidden)
        p = check_number("dropout", self.dropout, at_least=0, below=1)
        n_maps = f if has_block4 else 4 * f

        def block(n_in: int, n_out: int, kernel_size: int) -> nn.Sequential:
            layers: OrderedDict[str, nn.Module] = OrderedDict()
            if kernel_size > 1:
                before, after = same_padding(kernel_size)
                layers["pad"] = nn.ZeroPad2d((before, after, before, after))
            layers["conv"] = nn.Conv2d(n_in, n_out, kernel_size)
            layers["activation"] = make_activation(self.activation, self.alpha)
            return nn.Sequential(layers)

        self.block1 = block(self.n_bands, f, 4)  # F, H, W
        self.block2 = block(f, 2 * f, 4)  # 2 F, H, W
        self.block3 = block(2 * f, 4 * f, 4)  # 4 F, H, W
        self.block4 = block(4 * f, f, 1) if has_block4 else nn.Identity()  # F, H, W
        self.hidden = nn.Sequential(
            OrderedDict(
                dense=nn.Linear(n_maps * self.height * self.width, d),
                activation=make_activation(self.activation, self.alpha),
            )
        )  # D
        self.drop = Dropout(p)  # D
        self.dense = nn.Linear(d, self.n_outputs)  # N

        lecun_uniform_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits, (batch, n_outputs), of maps (batch, n_bands, height, width)."""
        # Large batches take less time on a CPU with all maps of a cell together in memory.
        x = self.block4(self.block3(self.block2(self.block1(in_channels_last(x)))))
        logits: Tensor = self.dense(self.drop(self.hidden(x.flatten(1))))
        return logits
