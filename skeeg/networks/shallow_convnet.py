"""ShallowConvNet (Schirrmeister et al., 2017)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from .._checks import check_choice, check_number, check_positive_ints, value_or
from .._parameters import parameter
from ..layers import (
    ACTIVATIONS,
    Activation,
    Dropout,
    MeanPool,
    SafeLog,
    Square,
    TemporalSpatialFilter,
    glorot_uniform_,
    glorot_uniform_as_convolution_,
    make_activation,
    normalised_power,
    with_max_norm,
)
from ..layers._batch_norm import is_plain, is_watched
from ..layers._length import clip_length, output_length
from ..layers._place_attention import place_attention
from ._base import ActivationParameters, AttentionParameters, SignalNetwork


@dataclass(frozen=True)
class _Variant:
    """What distinguishes the published forms of ShallowConvNet."""

    kernel_length: int
    pool_length: int
    pool_stride: int
    log_minimum: float
    log_maximum: float | None
    conv_max_norm: float | None
    dense_max_norm: float | None
    classifier_is_conv: bool  # which matters to the scale of its first weights


_VARIANTS = {
    "schirrmeister": _Variant(
        kernel_length=25,
        pool_length=75,
        pool_stride=15,
        log_minimum=1e-6,
        log_maximum=None,
        conv_max_norm=None,
        dense_max_norm=None,
        classifier_is_conv=True,
    ),
    "lawhern": _Variant(
        kernel_length=13,
        pool_length=35,
        pool_stride=7,
        log_minimum=1e-7,
        log_maximum=1e4,
        conv_max_norm=2.0,
        dense_max_norm=0.5,
        classifier_is_conv=False,
    ),
}

_ACTIVATIONS = {"square": Activation(Square, is_monotone=False), **ACTIVATIONS}


class ShallowConvNetParameters(ActivationParameters, AttentionParameters):
    """Parameters of ShallowConvNet."""

    variant: str = parameter(
        default="schirrmeister",
        kind='{"schirrmeister", "lawhern"}',
        doc="The published form, see the notes of `skeeg.networks.ShallowConvNet`.",
    )
    n_temporal_filters: int = parameter(
        default=40, doc="Number of temporal filters, and of spatial ones, F."
    )
    kernel_length: int | None = parameter(
        default=None,
        doc="""Length of the temporal filters in samples, K; None takes the variant's own, 25 or
        13.""",
    )
    pool_length: int | None = parameter(
        default=None,
        doc="Length of the pool in samples, P; None takes the variant's own, 75 or 35.",
    )
    pool_stride: int | None = parameter(
        default=None, doc="Step of the pool in samples, S; None takes the variant's own, 15 or 7."
    )
    dropout: float = parameter(
        default=0.5, doc="Probability with which a value is dropped before the dense layer."
    )
    activation: str = parameter(
        default="square",
        doc="""``"square"``, which makes power of the signal, or a name in
        `skeeg.layers.ACTIVATIONS`. The logarithm takes a pooled value below its floor, such as a
        negative one, as the floor.""",
    )
    attention_axis: str = parameter(
        default="maps",
        doc="""What the gates scale: the maps of the spatial filters, after the logarithm; or,
        between temporal and spatial filters, the electrodes, or each electrode in each temporal
        map. The latter two need the maps that `skeeg.layers.TemporalSpatialFilter` otherwise never
        forms, and take many times longer.""",
    )


class ShallowConvNet(ShallowConvNetParameters, SignalNetwork):
    """A temporal and a spatial convolution, then the logarithm of their mean power [1]_.

    It learns what filter-bank common spatial patterns compute in separate steps.

    =================  =========================================  =================
    layer              what it does                               output
    =================  =========================================  =================
    filters.temporal   F kernels of K samples, unpadded           F, C, T - K + 1
    filters.attention  gates of electrodes, if asked for          F, C, T - K + 1
    filters.spatial    F mixtures of all maps and electrodes      F, 1, T - K + 1
    norm               batch normalisation                        F, 1, T - K + 1
    activate           square                                     F, 1, T - K + 1
    pool               mean of P samples, every S samples         F, 1, T1
    log                logarithm, with a floor                    F, 1, T1
    gates              gates of maps, if asked for                F, 1, T1
    drop               dropout                                    F, 1, T1
    dense              one logit per class                        N
    =================  =========================================  =================

    with T1 = (T - K + 1 - P) // S + 1.

    Raises
    ------
    ValueError
        If a parameter has a value that it cannot take.

    Warns
    -----
    UserWarning
        If the kernel or the pool is longer than its input and was clipped.

    Notes
    -----
    **schirrmeister** is the authors' code, for 250 Hz: Xavier weights and zero biases, and a
    logarithm of values clamped to 1e-6 or more. The spatial convolution, which batch normalisation
    follows, has no bias there, although the paper's had. The classifier, a convolution over all
    remaining samples in the original, is a dense layer here, which computes the same. It has 47,364
    parameters for 22 x 1125 inputs and four classes.

    **lawhern** is the form with which the authors of EEGNet compared it, for 128 Hz: half the
    lengths, a logarithm of values clamped to [1e-7, 1e4], kernels of norm 2 and class weights of
    norm 0.5 at most. `skeeg.layers.apply_max_norm` imposes the norms; call it after each step of
    the optimiser.

    References
    ----------
    .. [1] R. T. Schirrmeister et al., "Deep learning with convolutional neural networks for EEG
       decoding and visualization", Hum. Brain Mapp. 38:5391-5420, 2017. arXiv 1703.05051.

    Examples
    --------
    >>> import torch
    >>> network = ShallowConvNet(n_chans=22, n_times=1125, n_outputs=4)
    >>> sum(parameter.numel() for parameter in network.parameters())
    47364
    >>> network(torch.zeros(5, 22, 1125)).shape
    torch.Size([5, 4])
    """

    def build(self) -> None:
        """Check the hyper-parameters and make the layers."""
        own = _VARIANTS[check_choice("variant", self.variant, _VARIANTS)]
        f, k, pool, stride = check_positive_ints(
            n_temporal_filters=self.n_temporal_filters,
            kernel_length=value_or(self.kernel_length, own.kernel_length),
            pool_length=value_or(self.pool_length, own.pool_length),
            pool_stride=value_or(self.pool_stride, own.pool_stride),
        )
        p = check_number("dropout", self.dropout, at_least=0, below=1)

        k = clip_length(k, self.n_times, "ShallowConvNet.filters.temporal")
        t = output_length(self.n_times, k)
        pool = clip_length(pool, t, "ShallowConvNet.pool")
        t1 = output_length(t, pool, stride=stride)

        between, after = place_attention(
            self.attention,
            self.attention_axis,
            n_temporal_maps=f,
            n_spatial_maps=f,
            n_electrodes=self.n_chans,
        )

        self.filters = TemporalSpatialFilter(  # F, 1, T - K + 1
            self.n_chans, f, k, f, padding="valid", temporal_bias=True, attention=between
        )
        self.norm = nn.BatchNorm2d(f)  # F, 1, T - K + 1
        self.activate = make_activation(self.activation, self.alpha, table=_ACTIVATIONS)  # as above
        self.pool = MeanPool(pool, stride)  # F, 1, T1
        self.log = SafeLog(own.log_minimum, own.log_maximum)  # F, 1, T1
        self.gates = after  # F, 1, T1
        self.drop = Dropout(p)  # F, 1, T1
        self.dense = nn.Linear(f * t1, self.n_outputs)  # N

        with_max_norm(self.filters.temporal, own.conv_max_norm)
        with_max_norm(self.filters.spatial, own.conv_max_norm)
        with_max_norm(self.dense, own.dense_max_norm)
        glorot_uniform_(self)
        if own.classifier_is_conv:
            glorot_uniform_as_convolution_(self.dense, f)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits, (batch, n_outputs), of trials of shape (batch, n_chans, n_times)."""
        x = self.gates(self.log(self._pooled(self.filters(x))))
        logits: Tensor = self.dense(self.drop(x).flatten(1))
        return logits

    def _pooled(self, x: Tensor) -> Tensor:
        """Normalise, activate and pool."""
        squares = isinstance(self.activate, Square) and not is_watched(self.activate)
        if squares and is_plain(self.norm) and not is_watched(self.pool):
            return normalised_power(x, self.norm, self.pool)
        pooled: Tensor = self.pool(self.activate(self.norm(x)))
        return pooled
