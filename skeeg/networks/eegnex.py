"""EEGNeX (Chen et al., 2024)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from torch import Tensor, nn

from .._checks import check_choice, check_number, check_positive_ints, value_or
from .._parameters import parameter
from ..layers import (
    Dropout,
    MeanPool,
    SameConv2d,
    glorot_uniform_,
    make_activation,
    with_max_norm,
)
from ..layers._length import clip_length, output_length
from ..layers._stacking import in_channels_last
from ._base import ActivationParameters, SignalNetwork


@dataclass(frozen=True)
class _Variant:
    """What distinguishes the paper's EEGNeX from the released code's."""

    second_pool_length: int
    activates_first_block: bool


_VARIANTS = {
    "paper": _Variant(second_pool_length=8, activates_first_block=False),
    "released": _Variant(second_pool_length=4, activates_first_block=True),
}


class EEGNeXParameters(ActivationParameters):
    """Parameters of EEGNeX."""

    variant: str = parameter(
        default="paper",
        kind='{"paper", "released"}',
        doc="The published form, see the notes of `skeeg.networks.EEGNeX`.",
    )
    n_temporal_filters: int = parameter(
        default=8, doc="Number of temporal filters, and of maps after the last convolution, F1."
    )
    n_second_filters: int = parameter(
        default=32,
        doc="Number of maps after the second convolution, and after the first dilated one, F2.",
    )
    depth_multiplier: int = parameter(
        default=2, doc="Number of spatial filters for each map of the second convolution, D."
    )
    kernel_length: int = parameter(
        default=64, doc="Length of the kernels of the first two convolutions in samples, K."
    )
    dilated_kernel_length: int = parameter(
        default=16,
        doc="Number of weights of a dilated kernel, k, of which one follows the other at a step.",
    )
    first_dilation: int = parameter(
        default=2,
        doc="""Step between the weights of the first dilated kernels, in samples that are left after
        the first pool.""",
    )
    second_dilation: int = parameter(
        default=4, doc="Step between the weights of the second dilated kernels."
    )
    first_pool_length: int = parameter(default=4, doc="Length of the first pool in samples, P1.")
    second_pool_length: int | None = parameter(
        default=None,
        doc="""Length of the second pool, P2, in samples that are left after the first; None takes
        the variant's own, 8 or 4.""",
    )
    dropout: float = parameter(
        default=0.5, doc="Probability with which a value is dropped after each pool."
    )


class EEGNeX(EEGNeXParameters, SignalNetwork):
    """Two temporal convolutions, spatial filters, then two dilated convolutions [1]_.

    ========  ====================================================  ================
    layer     what it does                                          output
    ========  ====================================================  ================
    block1    F1 kernels of K samples, normalisation                F1, C, T
    block2    F2 kernels of K samples and F1 maps, normalisation    F2, C, T
    block3    D electrode weightings per map, normalisation,        D F2, 1, T1
              activation, mean of P1 samples, dropout
    block4    F2 kernels of k weights at a step of 2, of all        F2, 1, T1
              maps, normalisation
    block5    F1 kernels of k weights at a step of 4, of all        F1, 1, T2
              maps, normalisation, activation, mean of P2
              samples, dropout
    dense     one logit per class                                   N
    ========  ====================================================  ================

    with T1 = T // P1 and T2 = T1 // P2. All convolutions along time are padded as in Keras.

    Raises
    ------
    ValueError
        If a parameter has a value that it cannot take.

    Warns
    -----
    UserWarning
        If a pool is longer than its input and was clipped.

    Notes
    -----
    **paper** follows the architecture of the paper as braindecode 1.8.1 implements it, whose
    authors compared the released code with the paper; the paper's own table was not available. The
    first two blocks have no activation. With 22 electrodes, 500 samples and four classes it has
    55,940 parameters, as many as braindecode's.

    **released** follows the authors' code [2]_: an activation ends the first block, and the second
    pool has 4 samples.

    In both, spatial filters have a norm of 1 at most and class weights of 0.25 at most, which
    `skeeg.layers.apply_max_norm` imposes; call it after each step of the optimiser. Weights start
    from Glorot's uniform distribution, and batch normalisation has the settings of Keras, as in the
    authors' code. That code applies it along the last axis, which is time there; here, as in
    braindecode, each map is normalised. A last pool that is not full is left out, where Keras pads
    it.

    It has F1 K + 2 F1 + F1 F2 K + 2 F2 + D F2 C + 2 D F2 + D F2 F2 k + 2 F2 + F2 F1 k + 2 F1
    + N (F1 T2 + 1) parameters.

    References
    ----------
    .. [1] X. Chen, X. Teng, H. Chen, Y. Pan, P. Geyer, "Toward reliable signals decoding for
       electroencephalogram: A benchmark study to EEGNeX", Biomed. Signal Process. Control
       87:105475, 2024. arXiv 2207.12369.
    .. [2] https://github.com/chenxiachan/EEGNeX

    Examples
    --------
    >>> import torch
    >>> network = EEGNeX(n_chans=22, n_times=500, n_outputs=4)
    >>> sum(parameter.numel() for parameter in network.parameters())
    55940
    >>> network(torch.zeros(5, 22, 500)).shape
    torch.Size([5, 4])
    """

    def build(self) -> None:
        """Check the hyper-parameters and make the layers."""
        own = _VARIANTS[check_choice("variant", self.variant, _VARIANTS)]
        f1, f2, d, k1, k2, dilation1, dilation2, pool1, pool2 = check_positive_ints(
            n_temporal_filters=self.n_temporal_filters,
            n_second_filters=self.n_second_filters,
            depth_multiplier=self.depth_multiplier,
            kernel_length=self.kernel_length,
            dilated_kernel_length=self.dilated_kernel_length,
            first_dilation=self.first_dilation,
            second_dilation=self.second_dilation,
            first_pool_length=self.first_pool_length,
            second_pool_length=value_or(self.second_pool_length, own.second_pool_length),
        )
        p = check_number("dropout", self.dropout, at_least=0, below=1)

        pool1 = clip_length(pool1, self.n_times, "EEGNeX.block3.pool")
        t1 = output_length(self.n_times, pool1, stride=pool1)
        pool2 = clip_length(pool2, t1, "EEGNeX.block5.pool")
        t2 = output_length(t1, pool2, stride=pool2)

        def block(
            conv: nn.Conv2d, *, activated: bool = False, pool_length: int = 0
        ) -> nn.Sequential:
            layers: OrderedDict[str, nn.Module] = OrderedDict(conv=conv)
            # As in Keras, whose momentum of 0.99 is the weight of the running statistics.
            layers["norm"] = nn.BatchNorm2d(conv.out_channels, eps=1e-3, momentum=0.01)
            if activated:
                layers["activation"] = make_activation(self.activation, self.alpha)
            if pool_length:
                layers |= {"pool": MeanPool(pool_length), "dropout": Dropout(p)}
            return nn.Sequential(layers)

        def filter_in_time(n_in: int, n_out: int, length: int, dilation: int = 1) -> SameConv2d:
            return SameConv2d(n_in, n_out, length, dilation=dilation, bias=False)

        spatial = nn.Conv2d(f2, d * f2, (self.n_chans, 1), groups=f2, bias=False)
        first_dilated = filter_in_time(d * f2, f2, k2, dilation1)
        second_dilated = filter_in_time(f2, f1, k2, dilation2)
        self.block1 = block(filter_in_time(1, f1, k1), activated=own.activates_first_block)
        self.block2 = block(filter_in_time(f1, f2, k1))  # F2, C, T
        self.block3 = block(spatial, activated=True, pool_length=pool1)  # D F2, 1, T1
        self.block4 = block(first_dilated)  # F2, 1, T1
        self.block5 = block(second_dilated, activated=True, pool_length=pool2)  # F1, 1, T2
        self.dense = nn.Linear(f1 * t2, self.n_outputs)  # N

        with_max_norm(spatial, 1.0)
        with_max_norm(self.dense, 0.25)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits, (batch, n_outputs), of trials of shape (batch, n_chans, n_times)."""
        # Training on a CPU takes 40 % less time with all maps of a sample together in memory.
        x = in_channels_last(self.block1(x.unsqueeze(1)))
        x = self.block5(self.block4(self.block3(self.block2(x))))
        logits: Tensor = self.dense(x.flatten(1))
        return logits
