"""MSFBCNN (Wu et al., 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from .._checks import (
    check_choice,
    check_lengths,
    check_number,
    check_positive_ints,
    value_or,
)
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
    make_activation,
)
from ..layers._length import clip_length, output_length
from ..layers._place_attention import place_attention
from ._base import ActivationParameters, AttentionParameters, SignalNetwork


@dataclass(frozen=True)
class _Variant:
    """What distinguishes the published forms of MSFBCNN."""

    n_temporal_filters: int
    kernel_lengths: tuple[int, ...]


_VARIANTS = {
    "wu": _Variant(n_temporal_filters=40, kernel_lengths=(64, 40, 26, 16)),
    "strypsteen": _Variant(n_temporal_filters=10, kernel_lengths=(65, 41, 27, 17)),
}

_ACTIVATIONS = {"square": Activation(Square, is_monotone=False), **ACTIVATIONS}


class MSFBCNNParameters(ActivationParameters, AttentionParameters):
    """Parameters of MSFBCNN."""

    variant: str = parameter(
        default="wu",
        kind='{"wu", "strypsteen"}',
        doc="The published form, see the notes of `skeeg.networks.MSFBCNN`.",
    )
    n_temporal_filters: int | None = parameter(
        default=None,
        doc="""Number of temporal filters of each length, F; None takes the variant's own, 40 or
        10.""",
    )
    n_spatial_filters: int | None = parameter(
        default=None, doc="Number of spatial filters, O; None takes F."
    )
    kernel_lengths: Sequence[int] | None = parameter(
        default=None,
        doc="""Lengths of the temporal filters in samples; None takes the variant's own, 64, 40, 26
        and 16 or 65, 41, 27 and 17.""",
    )
    pool_length: int = parameter(default=75, doc="Length of the pool in samples, P.")
    pool_stride: int = parameter(default=15, doc="Step of the pool in samples, S.")
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


class MSFBCNN(MSFBCNNParameters, SignalNetwork):
    """Temporal filters of several lengths in parallel, then the layers of ShallowConvNet [1]_.

    The name stands for multiscale filter bank convolutional neural network: long kernels resolve
    low frequencies, short ones follow quick changes of power.

    =================  =========================================  ==========
    layer              what it does                               output
    =================  =========================================  ==========
    filters.temporal   F kernels of each of L lengths, padded     L F, C, T
    filters.norm       batch normalisation                        L F, C, T
    filters.attention  gates of electrodes, if asked for          L F, C, T
    filters.spatial    O mixtures of all maps and electrodes      O, 1, T
    norm               batch normalisation                        O, 1, T
    activate           square                                     O, 1, T
    pool               mean of P samples, every S samples         O, 1, T1
    log                logarithm, with a floor                    O, 1, T1
    gates              gates of maps, if asked for                O, 1, T1
    drop               dropout                                    O, 1, T1
    dense              one logit per class                        N
    =================  =========================================  ==========

    with T1 = (T - P) // S + 1.

    Raises
    ------
    ValueError
        If a parameter has a value that it cannot take.

    Warns
    -----
    UserWarning
        If the pool is longer than its input and was clipped.

    Notes
    -----
    **wu** is the paper's best form, for 250 Hz: 40 filters of 64, 40, 26 and 16 samples each. It
    has F (sum of lengths) + 2 L F + L F C O + 2 O + N (O T1 + 1) parameters: 299,204 for 44 x 1125
    inputs and four classes, 158,404 for 22 x 1125. The classifier, a convolution over all remaining
    samples in the original, is a dense layer here, which computes the same. Where the paper's table
    has a mean pool and its text a maximum, this follows the table.

    The weights start from Glorot's uniform distribution, as those of `strypsteen` do in its
    authors' code. The paper draws them from N(0, 1), next to which Adam's steps are small: on
    simulated trials of two classes, networks reached an accuracy of 60 to 70 % after thirty epochs
    from there, and of 90 to 95 % from Glorot's distribution.

    **strypsteen** is the smaller form on which channel selection was studied [2]_: 10 filters of
    65, 41, 27 and 17 samples each, and 22,044 parameters for 44 x 1125 inputs.

    References
    ----------
    .. [1] H. Wu et al., "A parallel multiscale filter bank convolutional neural networks for motor
       imagery EEG classification", Front. Neurosci. 13:1275, 2019.
    .. [2] T. Strypsteen, A. Bertrand, "End-to-end learnable EEG channel selection for deep neural
       networks with Gumbel-softmax", J. Neural Eng. 18:0460a9, 2021.

    Examples
    --------
    >>> import torch
    >>> network = MSFBCNN(n_chans=44, n_times=1125, n_outputs=4)
    >>> sum(parameter.numel() for parameter in network.parameters())
    299204
    >>> network(torch.zeros(5, 44, 1125)).shape
    torch.Size([5, 4])
    """

    def build(self) -> None:
        """Check the hyper-parameters and make the layers."""
        own = _VARIANTS[check_choice("variant", self.variant, _VARIANTS)]
        f, pool, stride = check_positive_ints(
            n_temporal_filters=value_or(self.n_temporal_filters, own.n_temporal_filters),
            pool_length=self.pool_length,
            pool_stride=self.pool_stride,
        )
        (o,) = check_positive_ints(n_spatial_filters=value_or(self.n_spatial_filters, f))
        lengths = check_lengths("kernel_lengths", value_or(self.kernel_lengths, own.kernel_lengths))
        p = check_number("dropout", self.dropout, at_least=0, below=1)

        pool = clip_length(pool, self.n_times, "MSFBCNN.pool")
        t1 = output_length(self.n_times, pool, stride=stride)

        n_maps = len(lengths) * f
        between, after = place_attention(
            self.attention,
            self.attention_axis,
            n_temporal_maps=n_maps,
            n_spatial_maps=o,
            n_electrodes=self.n_chans,
        )

        self.filters = TemporalSpatialFilter(  # O, 1, T
            self.n_chans, f, lengths, o, norm=nn.BatchNorm2d(n_maps), attention=between
        )
        self.norm = nn.BatchNorm2d(o)  # O, 1, T
        self.activate = make_activation(self.activation, self.alpha, table=_ACTIVATIONS)  # O, 1, T
        self.pool = MeanPool(pool, stride)  # O, 1, T1
        self.log = SafeLog()  # O, 1, T1
        self.gates = after  # O, 1, T1
        self.drop = Dropout(p)  # O, 1, T1
        self.dense = nn.Linear(o * t1, self.n_outputs)  # N

        glorot_uniform_(self)

    def precompute_trials(self, x: Tensor) -> dict[str, Tensor]:
        """Return what `forward` needs in training of each trial, see `TemporalSpatialFilter`."""
        return self.filters.precompute_trials(x)

    def forward(self, x: Tensor, lag_sums: Tensor | None = None) -> Tensor:
        """Return the logits, (batch, n_outputs), of trials of shape (batch, n_chans, n_times)."""
        x = self.activate(self.filters.normalised(x, self.norm, lag_sums))
        x = self.gates(self.log(self.pool(x)))
        logits: Tensor = self.dense(self.drop(x).flatten(1))
        return logits
