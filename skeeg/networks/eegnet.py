"""EEGNet (Lawhern et al., 2018)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from ..layers import (
    Dropout,
    MeanPool,
    SameConv2d,
    TemporalSpatialFilter,
    glorot_uniform_,
    make_activation,
    with_max_norm,
)
from ..layers._arguments import (
    check_choice,
    check_flag,
    check_number,
    check_positive_ints,
    value_or,
)
from ..layers._length import clip_length, output_length
from ..layers._place_attention import place_attention


@dataclass(frozen=True)
class Variant:
    """What distinguishes the published forms of EEGNet."""

    n_temporal_filters: int
    kernel_length: int
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
_DEFAULT = VARIANTS["lawhern"]


class EEGNetBody(nn.Module):
    """What EEGNet and the networks made from it share: all but the second convolution.

    Parameters
    ----------
    n_chans, n_times, n_outputs : int
        Number of electrodes, of samples in a trial, and of classes.
    own : Variant
        Normalisation, limits and first weights; the other parameters win over what else it says.
    second_conv : callable
        Takes the numbers of maps before and after the second convolution, and makes it.
    n_temporal_filters, depth_multiplier, n_pointwise_filters, kernel_length, first_pool_length, \
second_pool_length, dropout, activation, alpha, attention, attention_axis
        As in `EEGNet`.
    """

    def __init__(
        self,
        n_chans: int,
        n_times: int,
        n_outputs: int,
        *,
        own: Variant,
        second_conv: Callable[[int, int], nn.Module],
        n_temporal_filters: int,
        depth_multiplier: int,
        n_pointwise_filters: int | None,
        kernel_length: int,
        first_pool_length: int,
        second_pool_length: int,
        dropout: float,
        activation: str,
        alpha: float | None,
        attention: str | None,
        attention_axis: str,
    ) -> None:
        super().__init__()
        self.n_chans, self.n_times, self.n_outputs = check_positive_ints(
            n_chans=n_chans, n_times=n_times, n_outputs=n_outputs
        )
        f1, d, k1, pool1, pool2 = check_positive_ints(
            n_temporal_filters=n_temporal_filters,
            depth_multiplier=depth_multiplier,
            kernel_length=kernel_length,
            first_pool_length=first_pool_length,
            second_pool_length=second_pool_length,
        )
        (f2,) = check_positive_ints(n_pointwise_filters=value_or(n_pointwise_filters, d * f1))
        p = check_number("dropout", dropout, at_least=0, below=1)

        name = type(self).__name__
        pool1 = clip_length(pool1, self.n_times, f"{name}.first_pool", stacklevel=4)
        t1 = output_length(self.n_times, pool1, stride=pool1)
        pool2 = clip_length(pool2, t1, f"{name}.second_pool", stacklevel=4)
        t2 = output_length(t1, pool2, stride=pool2)

        between, after = place_attention(
            attention,
            attention_axis,
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
        self.first_activation = make_activation(activation, alpha)  # D F1, 1, T
        self.first_pool = MeanPool(pool1)  # D F1, 1, T // 4
        self.attention = after  # D F1, 1, T // 4
        self.first_dropout = Dropout(p)  # D F1, 1, T // 4
        self.second_conv = second_conv(d * f1, f2)  # F2, 1, T // 4
        self.second_norm = normalise(f2)  # F2, 1, T // 4
        self.second_activation = make_activation(activation, alpha)  # F2, 1, T // 4
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
        x = self.attention(self.first_pool(self.first_activation(x)))
        x = self.first_dropout(x)
        x = self.second_norm(self.second_conv(x))
        x = self.second_dropout(self.second_pool(self.second_activation(x)))
        logits: Tensor = self.dense(x.flatten(1))
        return logits


class EEGNet(EEGNetBody):
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
    attention                   gates of maps, if asked for          D F1, 1, T // 4
    first_dropout               dropout                              D F1, 1, T // 4
    second_conv                 16 samples per map, then 1 x 1       F2, 1, T // 4
    second_norm, -_activation   batch normalisation, activation      F2, 1, T // 4
    second_pool, -_dropout      mean of 8 samples, dropout           F2, 1, T // 4 // 8
    dense                       one logit per class                  N
    ==========================  ===================================  =================

    The defaults are the paper's EEGNet-8,2 at 128 Hz; with ``n_temporal_filters=4`` it is
    EEGNet-4,2. The paper takes a `kernel_length` of half the sampling rate.

    Parameters
    ----------
    n_chans : int
        Number of electrodes, C.
    n_times : int
        Number of samples in a trial, T.
    n_outputs : int
        Number of classes, N.
    n_temporal_filters : int, default=8
        Number of temporal filters, F1.
    depth_multiplier : int, default=2
        Number of spatial filters for each temporal filter, D.
    n_pointwise_filters : int, optional
        Number of maps after the second convolution, F2; None takes D * F1.
    kernel_length : int, default=64
        Length of the temporal filters in samples, K.
    dropout : float, default=0.5
        Probability with which a value is dropped after each pool; the paper takes 0.5 within a
        subject and 0.25 across subjects.
    activation : str, default="elu"
        A name in `skeeg.layers.ACTIVATIONS`.
    alpha : float, optional
        The ELU coefficient or the leaky slope; None takes that function's default.
    variant : {"lawhern", "lab"}, default="lawhern"
        The published form, see Notes.
    separable : bool, optional
        Whether the second convolution is depthwise, then pointwise, rather than a full one. None
        takes the variant's own value, as for the parameters below.
    separable_kernel_length : int, optional
        Length of the second convolution's kernels in samples.
    first_pool_length, second_pool_length : int, optional
        Lengths of the pools in samples; None takes 4 and 8.
    attention : {"se", "cbam", "eca"}, optional
        Gates that the network computes of each trial, see `skeeg.layers.make_attention`.
    attention_axis : {"maps", "electrodes", "map-electrode"}, default="maps"
        What has a gate: the maps of the spatial filters, after the first pool; or, between temporal
        and spatial filters, the electrodes, or each of them in each temporal map. The latter two
        need the maps that `TemporalSpatialFilter` otherwise never forms, and take many times
        longer.

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
    and two classes, 4,018 if separable. In this variant, `n_temporal_filters`, `kernel_length` and
    `dropout` take the report's 16, 51 and 0.25 where they are left at their defaults of 8, 64 and
    0.5. Any other value is honoured, but those three defaults cannot be asked for.

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

    def __init__(
        self,
        n_chans: int,
        n_times: int,
        n_outputs: int,
        *,
        n_temporal_filters: int = 8,
        depth_multiplier: int = 2,
        n_pointwise_filters: int | None = None,
        kernel_length: int = 64,
        dropout: float = 0.5,
        activation: str = "elu",
        alpha: float | None = None,
        variant: str = "lawhern",
        separable: bool | None = None,
        separable_kernel_length: int | None = None,
        first_pool_length: int | None = None,
        second_pool_length: int | None = None,
        attention: str | None = None,
        attention_axis: str = "maps",
    ) -> None:
        own = VARIANTS[check_choice("variant", variant, VARIANTS)]
        # Left at its default, a hyper-parameter takes the variant's own value.
        if n_temporal_filters == _DEFAULT.n_temporal_filters:
            n_temporal_filters = own.n_temporal_filters
        if kernel_length == _DEFAULT.kernel_length:
            kernel_length = own.kernel_length
        if dropout == _DEFAULT.dropout:
            dropout = own.dropout
        (k2,) = check_positive_ints(
            separable_kernel_length=value_or(separable_kernel_length, own.separable_kernel_length)
        )
        is_separable = check_flag("separable", value_or(separable, own.separable))
        super().__init__(
            n_chans,
            n_times,
            n_outputs,
            own=own,
            second_conv=lambda n_in, n_out: _second_conv(n_in, n_out, k2, is_separable),
            n_temporal_filters=n_temporal_filters,
            depth_multiplier=depth_multiplier,
            n_pointwise_filters=n_pointwise_filters,
            kernel_length=kernel_length,
            first_pool_length=value_or(first_pool_length, 4),
            second_pool_length=value_or(second_pool_length, 8),
            dropout=dropout,
            activation=activation,
            alpha=alpha,
            attention=attention,
            attention_axis=attention_axis,
        )


def _second_conv(n_in: int, n_out: int, kernel_length: int, separable: bool) -> nn.Module:
    """Return a convolution along time: of each map alone before they are mixed, or of all."""
    if not separable:
        return SameConv2d(n_in, n_out, kernel_length, bias=False)
    return nn.Sequential(
        OrderedDict(
            depthwise=SameConv2d(n_in, n_in, kernel_length, groups=n_in, bias=False),
            pointwise=nn.Conv2d(n_in, n_out, 1, bias=False),
        )
    )
