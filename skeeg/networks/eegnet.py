"""EEGNet (Lawhern et al., 2018)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from .._checks import (
    check_choice,
    check_flag,
    check_number,
    check_positive_ints,
    value_or,
)
from .._parameters import parameter
from ..layers import (
    Dropout,
    MeanPool,
    SameConv2d,
    TemporalSpatialFilter,
    glorot_uniform_,
    make_activation,
    with_max_norm,
)
from ..layers._length import clip_length, output_length
from ..layers._place_attention import place_attention
from ._base import (
    ActivationParameters,
    AttentionParameters,
    SignalNetwork,
    samples_of,
)


@dataclass(frozen=True)
class Variant:
    """What distinguishes the published forms of EEGNet."""

    n_temporal_filters: int
    kernel_length: int
    kernel_seconds: float | None  # what "auto" takes where the sampling rate is known
    dropout: float
    separable: bool
    separable_kernel_length: int
    norm_eps: float
    norm_momentum: float  # the weight of the new batch, one minus Keras's momentum
    spatial_max_norm: float | None
    dense_max_norm: float | None
    glorot: bool  # otherwise torch's own initialisation


VARIANTS = {
    "lawhern": Variant(
        n_temporal_filters=8,
        kernel_length=64,
        kernel_seconds=0.5,
        dropout=0.5,
        separable=True,
        separable_kernel_length=16,
        norm_eps=1e-3,
        norm_momentum=0.01,
        spatial_max_norm=1.0,
        dense_max_norm=0.25,
        glorot=True,
    ),
    "lab": Variant(
        n_temporal_filters=16,
        kernel_length=51,
        kernel_seconds=None,
        dropout=0.25,
        separable=False,
        separable_kernel_length=15,
        norm_eps=1e-5,
        norm_momentum=0.1,
        spatial_max_norm=None,
        dense_max_norm=None,
        glorot=False,
    ),
}


class EEGNetBodyParameters(ActivationParameters, AttentionParameters):
    """Parameters that EEGNet and the networks made from it have in common."""

    depth_multiplier: int = parameter(
        default=2, doc="Number of spatial filters for each temporal filter, D."
    )
    n_pointwise_filters: int | None = parameter(
        default=None,
        doc="Number of maps after the second convolution, F2; None takes D * F1.",
    )
    first_pool_length: int = parameter(default=4, doc="Length of the first pool in samples.")
    second_pool_length: int = parameter(
        default=8, doc="Length of the second pool, in samples that are left after the first."
    )


class EEGNetBody(EEGNetBodyParameters, SignalNetwork):
    """What EEGNet and the networks made from it share: all but the second convolution.

    A derived class declares `n_temporal_filters`, `kernel_length` and `dropout`, and makes the
    second convolution in `make_second_conv`.
    """

    sfreq: float | None = parameter(
        default=None,
        doc="""Sampling rate in Hz, from which ``kernel_length="auto"`` follows.""",
    )

    def own(self) -> Variant:
        """Return the published form, which sets normalisation, limits and first weights."""
        return VARIANTS["lawhern"]

    def value_of(self, name: str) -> object:
        """Return the value of a parameter that the derived class declares."""
        value: object = getattr(self, name)
        return value

    def make_second_conv(self, n_in: int, n_out: int) -> nn.Module:
        """Return the second convolution, from ``n_in`` to ``n_out`` maps."""
        raise NotImplementedError

    def build(self) -> None:
        """Check the hyper-parameters and make the layers."""
        own = self.own()
        f1, d, pool1, pool2 = check_positive_ints(
            n_temporal_filters=self.value_of("n_temporal_filters"),
            depth_multiplier=self.depth_multiplier,
            first_pool_length=self.first_pool_length,
            second_pool_length=self.second_pool_length,
        )
        k1 = samples_of(
            "kernel_length",
            self.value_of("kernel_length"),
            seconds=own.kernel_seconds,
            sfreq=self.sfreq,
            otherwise=own.kernel_length,
        )
        (f2,) = check_positive_ints(n_pointwise_filters=value_or(self.n_pointwise_filters, d * f1))
        p = check_number("dropout", self.value_of("dropout"), at_least=0, below=1)

        name = type(self).__name__
        pool1 = clip_length(pool1, self.n_times, f"{name}.first_pool")
        t1 = output_length(self.n_times, pool1, stride=pool1)
        pool2 = clip_length(pool2, t1, f"{name}.second_pool")
        t2 = output_length(t1, pool2, stride=pool2)

        between, after = place_attention(
            self.attention,
            self.attention_axis,
            n_temporal_maps=f1,
            n_spatial_maps=d * f1,
            n_electrodes=self.n_chans,
        )

        def normalise(n_maps: int) -> nn.BatchNorm2d:
            return nn.BatchNorm2d(n_maps, eps=own.norm_eps, momentum=own.norm_momentum)

        self.filters = TemporalSpatialFilter(  # D F1, 1, T
            self.n_chans, f1, k1, d * f1, depthwise=True, norm=normalise(f1), attention=between
        )
        self.first_norm = normalise(d * f1)  # D F1, 1, T
        self.first_activation = make_activation(self.activation, self.alpha)  # D F1, 1, T
        self.first_pool = MeanPool(pool1)  # D F1, 1, T // 4
        self.gates = after  # D F1, 1, T // 4
        self.first_dropout = Dropout(p)  # D F1, 1, T // 4
        self.second_conv = self.make_second_conv(d * f1, f2)  # F2, 1, T // 4
        self.second_norm = normalise(f2)  # F2, 1, T // 4
        self.second_activation = make_activation(self.activation, self.alpha)  # F2, 1, T // 4
        self.second_pool = MeanPool(pool2)  # F2, 1, T // 4 // 8
        self.second_dropout = Dropout(p)  # F2, 1, T // 4 // 8
        self.dense = nn.Linear(f2 * t2, self.n_outputs)  # N

        with_max_norm(self.filters.spatial, own.spatial_max_norm)
        with_max_norm(self.dense, own.dense_max_norm)
        if own.glorot:
            glorot_uniform_(self)

    def precompute_trials(self, x: Tensor) -> dict[str, Tensor]:
        """Return what `forward` needs in training of each trial, see `TemporalSpatialFilter`."""
        return self.filters.precompute_trials(x)

    def forward(self, x: Tensor, lag_sums: Tensor | None = None) -> Tensor:
        """Return the logits, (batch, n_outputs), of trials of shape (batch, n_chans, n_times)."""
        x = self.filters.normalised(x, self.first_norm, lag_sums)
        x = self.gates(self.first_pool(self.first_activation(x)))
        x = self.first_dropout(x)
        x = self.second_norm(self.second_conv(x))
        x = self.second_dropout(self.second_pool(self.second_activation(x)))
        logits: Tensor = self.dense(x.flatten(1))
        return logits


class EEGNetParameters(EEGNetBodyParameters):
    """Parameters of EEGNet."""

    variant: str = parameter(
        default="lawhern",
        kind='{"lawhern", "lab"}',
        doc="The published form, see the notes of `skeeg.networks.EEGNet`.",
    )
    n_temporal_filters: int | None = parameter(
        default=None,
        doc="Number of temporal filters, F1; None takes the variant's own number, 8 or 16.",
    )
    kernel_length: int | Literal["auto"] | None = parameter(
        default="auto",
        doc="""Length of the temporal filters in samples, K. ``"auto"`` is half a second, as in the
        paper, or 64 samples where the sampling rate is not known; for ``variant="lab"``, 51
        samples. None takes the variant's own number of samples, 64 or 51.""",
    )
    dropout: float | None = parameter(
        default=None,
        doc="""Probability with which a value is dropped after each pool; None takes the variant's
        own, 0.5 or 0.25. The paper takes 0.5 within a subject and 0.25 across subjects.""",
    )
    separable: bool | None = parameter(
        default=None,
        doc="""Whether the second convolution is depthwise, then pointwise, or a full one. None
        takes the variant's own value, True or False.""",
    )
    separable_kernel_length: int | None = parameter(
        default=None,
        doc="""Length of the second convolution's kernels, in samples that are left after the first
        pool; None takes the variant's own, 16 or 15.""",
    )


class EEGNet(EEGNetParameters, EEGNetBody):
    """Temporal filters, spatial filters for each of them, then a separable convolution [1]_.

    ==========================  ===================================  =================
    layer                       what it does                         output
    ==========================  ===================================  =================
    filters.temporal            F1 kernels of K samples, padded      F1, C, T
    filters.norm                batch normalisation                  F1, C, T
    filters.attention           gates of electrodes, if asked for    F1, C, T
    filters.spatial             D electrode weightings per filter    D F1, 1, T
    first_norm, -_activation    batch normalisation, activation      D F1, 1, T
    first_pool                  mean of 4 samples                    D F1, 1, T // 4
    gates                       gates of maps, if asked for          D F1, 1, T // 4
    first_dropout               dropout                              D F1, 1, T // 4
    second_conv                 16 samples per map, then 1 x 1       F2, 1, T // 4
    second_norm, -_activation   batch normalisation, activation      F2, 1, T // 4
    second_pool, -_dropout      mean of 8 samples, dropout           F2, 1, T // 4 // 8
    dense                       one logit per class                  N
    ==========================  ===================================  =================

    The defaults are the paper's EEGNet-8,2; with ``n_temporal_filters=4`` it is EEGNet-4,2. The
    paper gives lengths at 128 Hz, and a `kernel_length` of half the sampling rate at any other.

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
    **lawhern** follows the authors' code: batch normalisation with eps 1e-3 and Keras momentum
    0.99, Glorot-uniform weights, spatial filters of norm 1 at most and class weights of norm 0.25
    at most. `skeeg.layers.apply_max_norm` imposes the norms; call it after each step of the
    optimiser. Logits come out, where the original ends in a softmax. With default kernels and pools
    it has F1 K + 2 F1 + D F1 C + 2 D F1 + 16 D F1 + D F1 F2 + 2 F2 + N (F2 (T // 4 // 8) + 1)
    parameters: 2258 for 64 x 128 inputs and two classes.

    **lab** is the form of a course report on BCI Competition III, data set IIIb: a full second
    convolution of 15 samples (``separable=True`` gives it the separable one), torch's defaults for
    normalisation and weights, and no limits on norms. It has 17,874 parameters for 2 x 750 inputs
    and two classes, 4,018 if separable.

    References
    ----------
    .. [1] V. J. Lawhern et al., "EEGNet: a compact convolutional neural network for EEG-based
       brain-computer interfaces", J. Neural Eng. 15:056013, 2018. arXiv 1611.08024.

    Examples
    --------
    >>> import torch
    >>> network = EEGNet(n_chans=64, n_times=128, n_outputs=2)
    >>> sum(parameter.numel() for parameter in network.parameters())
    2258
    >>> network(torch.zeros(5, 64, 128)).shape
    torch.Size([5, 2])
    """

    def own(self) -> Variant:
        """Return what distinguishes the variant."""
        return VARIANTS[check_choice("variant", self.variant, VARIANTS)]

    def value_of(self, name: str) -> object:
        """Return the value of a parameter, or the variant's own where it is None."""
        return value_or(getattr(self, name), getattr(self.own(), name))

    def make_second_conv(self, n_in: int, n_out: int) -> nn.Module:
        """Return a convolution along time: of each map alone before they are mixed, or of all."""
        (length,) = check_positive_ints(
            separable_kernel_length=self.value_of("separable_kernel_length")
        )
        if not check_flag("separable", self.value_of("separable")):
            return SameConv2d(n_in, n_out, length, bias=False)
        return nn.Sequential(
            OrderedDict(
                depthwise=SameConv2d(n_in, n_in, length, groups=n_in, bias=False),
                pointwise=nn.Conv2d(n_in, n_out, 1, bias=False),
            )
        )
