"""DeepConvNet (Schirrmeister et al., 2017)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from torch import Tensor, nn

from .._checks import check_choice, check_number, check_positive_ints, value_or
from .._parameters import parameter
from ..layers import (
    Dropout,
    TemporalSpatialFilter,
    glorot_uniform_,
    glorot_uniform_as_convolution_,
    with_max_norm,
)
from ..layers._activation_and_pool import activation_and_max_pool
from ..layers._length import clip_length, output_length
from ..layers._place_attention import place_attention
from ._base import ActivationParameters, AttentionParameters, SignalNetwork


@dataclass(frozen=True)
class _Variant:
    """What distinguishes the published forms of DeepConvNet."""

    kernel_length: int
    pool_length: int
    bias_before_norm: bool
    drop_last_block: bool
    conv_max_norm: float | None
    dense_max_norm: float | None
    glorot: bool  # otherwise torch's own initialisation
    classifier_is_conv: bool  # which matters to the scale of its first weights


_VARIANTS = {
    "schirrmeister": _Variant(
        kernel_length=10,
        pool_length=3,
        bias_before_norm=False,
        drop_last_block=False,
        conv_max_norm=None,
        dense_max_norm=None,
        glorot=True,
        classifier_is_conv=True,
    ),
    "lawhern": _Variant(
        kernel_length=5,
        pool_length=2,
        bias_before_norm=True,
        drop_last_block=True,
        conv_max_norm=2.0,
        dense_max_norm=0.5,
        glorot=True,
        classifier_is_conv=False,
    ),
    "lab": _Variant(
        kernel_length=5,
        pool_length=2,
        bias_before_norm=True,
        drop_last_block=True,
        conv_max_norm=None,
        dense_max_norm=None,
        glorot=False,
        classifier_is_conv=False,
    ),
}


class DeepConvNetParameters(ActivationParameters, AttentionParameters):
    """Parameters of DeepConvNet."""

    variant: str = parameter(
        default="schirrmeister",
        kind='{"schirrmeister", "lawhern", "lab"}',
        doc="The published form, see the notes of `skeeg.networks.DeepConvNet`.",
    )
    n_temporal_filters: int = parameter(
        default=25,
        doc="""Number of temporal filters, and of spatial ones, F; every further block has twice as
        many maps as the one before.""",
    )
    kernel_length: int | None = parameter(
        default=None,
        doc="""Length of all kernels along time in samples, K; None takes the variant's own, 10 or
        5.""",
    )
    pool_length: int | None = parameter(
        default=None,
        doc="Length and step of all pools in samples, P; None takes the variant's own, 3 or 2.",
    )
    dropout: float = parameter(
        default=0.5, doc="Probability with which a value is dropped after a pool."
    )


class DeepConvNet(DeepConvNetParameters, SignalNetwork):
    """A temporal and a spatial convolution, then three blocks with twice the maps each [1]_.

    ====================  ==================================================  ==============
    layer                 what it does                                        output
    ====================  ==================================================  ==============
    filters.temporal      F kernels of K samples, unpadded                    F, C, T - K + 1
    filters.attention     gates of electrodes, if asked for                   F, C, T - K + 1
    filters.spatial       F mixtures of all maps and electrodes               F, 1, T - K + 1
    block1                normalisation, activation, max pool of P, dropout   F, 1, T1
    block1.attention      gates of maps before the dropout, if asked for      F, 1, T1
    block2                convolution of K samples, then as block1            2 F, 1, T2
    block3                convolution of K samples, then as block1            4 F, 1, T3
    block4                convolution of K samples, then as block1            8 F, 1, T4
    dense                 one logit per class                                 N
    ====================  ==================================================  ==============

    with T1 = (T - K + 1) // P and each next length (length - K + 1) // P.

    Raises
    ------
    ValueError
        If a parameter has a value that it cannot take.

    Warns
    -----
    UserWarning
        If a kernel or a pool is longer than its input and was clipped.

    Notes
    -----
    **schirrmeister** is the authors' code, for 250 Hz: kernels of 10 and pools of 3 samples, Xavier
    weights and zero biases. Convolutions followed by batch normalisation have no bias there,
    although the paper's had. The dropout before blocks 2 to 4 is here at the end of blocks 1 to
    3, and the classifier, a convolution over all remaining samples in the original, is a dense
    layer; both compute the same. It has 284,479 parameters for 22 x 1125 inputs and four classes.

    **lawhern** is the form with which the authors of EEGNet compared it, for 128 Hz: kernels of 5
    and pools of 2 samples, a bias in every convolution, dropout after all four blocks, kernels of
    norm 2 and class weights of norm 0.5 at most. `skeeg.layers.apply_max_norm` imposes the norms;
    call it after each step of the optimiser.

    **lab** is the form of a course report on BCI Competition III, data set IIIb: as **lawhern**,
    but without limits on norms and with torch's own initialisation. It has 150,977 parameters for
    2 x 750 inputs and two classes.

    References
    ----------
    .. [1] R. T. Schirrmeister et al., "Deep learning with convolutional neural networks for EEG
       decoding and visualization", Hum. Brain Mapp. 38:5391-5420, 2017. arXiv 1703.05051.

    Examples
    --------
    >>> import torch
    >>> network = DeepConvNet(n_chans=22, n_times=1125, n_outputs=4)
    >>> sum(parameter.numel() for parameter in network.parameters())
    284479
    >>> network(torch.zeros(5, 22, 1125)).shape
    torch.Size([5, 4])
    """

    def build(self) -> None:
        """Check the hyper-parameters and make the layers."""
        own = _VARIANTS[check_choice("variant", self.variant, _VARIANTS)]
        f, k, pool = check_positive_ints(
            n_temporal_filters=self.n_temporal_filters,
            kernel_length=value_or(self.kernel_length, own.kernel_length),
            pool_length=value_or(self.pool_length, own.pool_length),
        )
        p = check_number("dropout", self.dropout, at_least=0, below=1)
        last_p = p if own.drop_last_block else 0.0
        (k1, k2, k3, k4), (pool1, pool2, pool3, pool4), t4 = _clip_blocks(self.n_times, k, pool)

        def convolve(n_in: int, n_out: int, kernel: tuple[int, int], bias: bool) -> nn.Conv2d:
            return with_max_norm(nn.Conv2d(n_in, n_out, kernel, bias=bias), own.conv_max_norm)

        def finish(
            n_maps: int, pool_length: int, dropout: float, **after_pool: nn.Module
        ) -> OrderedDict[str, nn.Module]:
            return OrderedDict(
                norm=nn.BatchNorm2d(n_maps),
                **activation_and_max_pool(
                    nn.MaxPool2d((1, pool_length)), self.activation, self.alpha
                ),
                **after_pool,
                dropout=Dropout(dropout),
            )

        def block(n_maps: int, k: int, pool_length: int, dropout: float) -> nn.Sequential:
            conv = convolve(n_maps // 2, n_maps, (1, k), own.bias_before_norm)
            return nn.Sequential(OrderedDict(conv=conv, **finish(n_maps, pool_length, dropout)))

        between, after = place_attention(
            self.attention,
            self.attention_axis,
            n_temporal_maps=f,
            n_spatial_maps=f,
            n_electrodes=self.n_chans,
        )
        self.filters = TemporalSpatialFilter(  # F, 1, T - K + 1
            self.n_chans,
            f,
            k1,
            f,
            padding="valid",
            temporal_bias=True,
            spatial_bias=own.bias_before_norm,
            attention=between,
        )
        with_max_norm(self.filters.temporal, own.conv_max_norm)
        with_max_norm(self.filters.spatial, own.conv_max_norm)
        self.block1 = nn.Sequential(finish(f, pool1, p, attention=after))  # F, 1, T1
        self.block2 = block(2 * f, k2, pool2, p)  # 2 F, 1, T2
        self.block3 = block(4 * f, k3, pool3, p)  # 4 F, 1, T3
        self.block4 = block(8 * f, k4, pool4, last_p)  # 8 F, 1, T4
        self.dense = with_max_norm(nn.Linear(8 * f * t4, self.n_outputs), own.dense_max_norm)  # N

        if own.glorot:
            glorot_uniform_(self)
        if own.classifier_is_conv:
            glorot_uniform_as_convolution_(self.dense, 8 * f)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits, (batch, n_outputs), of trials of shape (batch, n_chans, n_times)."""
        x = self.block1(self.filters(x))
        x = self.block4(self.block3(self.block2(x)))
        logits: Tensor = self.dense(x.flatten(1))
        return logits


def _clip_blocks(
    n_times: int, kernel_length: int, pool_length: int
) -> tuple[list[int], list[int], int]:
    """Return the four blocks' kernel lengths, their pool lengths, and what is left of the time."""
    kernels, pools = [], []
    for block in range(1, 5):
        conv = "filters.temporal" if block == 1 else f"block{block}.conv"
        kernels.append(clip_length(kernel_length, n_times, f"DeepConvNet.{conv}"))
        n_times = output_length(n_times, kernels[-1])
        pool = f"DeepConvNet.block{block}.pool"
        pools.append(clip_length(pool_length, n_times, pool))
        n_times = output_length(n_times, pools[-1], stride=pools[-1])
    return kernels, pools, n_times
