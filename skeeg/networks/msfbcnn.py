"""MSFBCNN (Wu et al., 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

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
from ..layers._arguments import (
    check_choice,
    check_lengths,
    check_number,
    check_positive_ints,
    value_or,
)
from ..layers._length import clip_length, output_length
from ..layers._place_attention import place_attention


@dataclass(frozen=True)
class _Variant:
    """What distinguishes the published forms of MSFBCNN."""

    n_filters: int
    kernel_lengths: tuple[int, ...]


_VARIANTS = {
    "wu": _Variant(n_filters=40, kernel_lengths=(64, 40, 26, 16)),
    "strypsteen": _Variant(n_filters=10, kernel_lengths=(65, 41, 27, 17)),
}

_ACTIVATIONS = {"square": Activation(Square, is_monotone=False), **ACTIVATIONS}


class MSFBCNN(nn.Module):
    """Temporal filters of several lengths side by side, then what ShallowConvNet does [1]_.

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
    activation         square                                     O, 1, T
    pool               mean of P samples, every S samples         O, 1, T1
    log                logarithm, with a floor                    O, 1, T1
    attention          gates of maps, if asked for                O, 1, T1
    dropout            dropout                                    O, 1, T1
    dense              one logit per class                        N
    =================  =========================================  ==========

    with T1 = (T - P) // S + 1.

    Parameters
    ----------
    n_chans : int
        Number of electrodes, C.
    n_times : int
        Number of samples in a trial, T.
    n_outputs : int
        Number of classes, N.
    n_temporal_filters : int, optional
        Number of temporal filters of each length, F; None takes the variant's own, 40 or 10.
    n_spatial_filters : int, optional
        Number of spatial filters, O; None takes F.
    kernel_lengths : sequence of int, optional
        Lengths of the temporal filters in samples; None takes the variant's own.
    pool_length, pool_stride : int, default=75, 15
        Length and step of the pool in samples, P and S.
    dropout : float, default=0.5
        Probability with which a value is dropped before the dense layer.
    activation : str, default="square"
        "square" or a name in `skeeg.layers.ACTIVATIONS`. The logarithm sees a pooled value below
        its floor, as negative ones are, as the floor.
    alpha : float, optional
        The ELU coefficient or the leaky slope; None takes that function's default.
    variant : {"wu", "strypsteen"}, default="wu"
        The published form, see Notes.
    attention : {"se", "cbam", "eca"}, optional
        Gates that the network computes of each trial, see `skeeg.layers.make_attention`.
    attention_axis : {"maps", "electrodes", "map-electrode"}, default="maps"
        What has a gate: the maps of the spatial filters, after the logarithm; or the electrodes,
        or each of them in each temporal map, between temporal and spatial filters. The latter two
        need all temporal maps of all electrodes, which takes many times longer.

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
    authors' code. The paper draws them from N(0, 1), next to which Adam's steps are small: of
    simulated trials of two classes, that start classified 60 to 70 % after thirty epochs, Glorot's
    90 to 95 %.

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

    def __init__(
        self,
        n_chans: int,
        n_times: int,
        n_outputs: int,
        *,
        n_temporal_filters: int | None = None,
        n_spatial_filters: int | None = None,
        kernel_lengths: Sequence[int] | None = None,
        pool_length: int = 75,
        pool_stride: int = 15,
        dropout: float = 0.5,
        activation: str = "square",
        alpha: float | None = None,
        variant: str = "wu",
        attention: str | None = None,
        attention_axis: str = "maps",
    ) -> None:
        super().__init__()
        own = _VARIANTS[check_choice("variant", variant, _VARIANTS)]
        self.n_chans, self.n_times, self.n_outputs = check_positive_ints(
            n_chans=n_chans, n_times=n_times, n_outputs=n_outputs
        )
        f, pool, stride = check_positive_ints(
            n_temporal_filters=value_or(n_temporal_filters, own.n_filters),
            pool_length=pool_length,
            pool_stride=pool_stride,
        )
        (o,) = check_positive_ints(n_spatial_filters=value_or(n_spatial_filters, f))
        lengths = check_lengths("kernel_lengths", value_or(kernel_lengths, own.kernel_lengths))
        p = check_number("dropout", dropout, at_least=0, below=1)

        pool = clip_length(pool, self.n_times, "MSFBCNN.pool")
        t1 = output_length(self.n_times, pool, stride=stride)

        n_maps = len(lengths) * f
        between, after = place_attention(
            attention,
            attention_axis,
            n_temporal_maps=n_maps,
            n_spatial_maps=o,
            n_electrodes=self.n_chans,
        )

        self.filters = TemporalSpatialFilter(  # O, 1, T
            self.n_chans, f, lengths, o, norm=nn.BatchNorm2d(n_maps), attention=between
        )
        self.norm = nn.BatchNorm2d(o)  # O, 1, T
        self.activation = make_activation(activation, alpha, table=_ACTIVATIONS)  # O, 1, T
        self.pool = MeanPool(pool, stride)  # O, 1, T1
        self.log = SafeLog()  # O, 1, T1
        self.attention = after  # O, 1, T1
        self.dropout = Dropout(p)  # O, 1, T1
        self.dense = nn.Linear(o * t1, self.n_outputs)  # N

        glorot_uniform_(self)

    def precompute_trials(self, x: Tensor) -> dict[str, Tensor]:
        """Return what `forward` needs in training of each trial, see `TemporalSpatialFilter`."""
        return self.filters.precompute_trials(x)

    def forward(self, x: Tensor, lag_sums: Tensor | None = None) -> Tensor:
        """Return the logits, (batch, n_outputs), of trials of shape (batch, n_chans, n_times)."""
        x = self.activation(self.filters.normalised(x, self.norm, lag_sums))
        x = self.attention(self.log(self.pool(x)))
        logits: Tensor = self.dense(self.dropout(x).flatten(1))
        return logits
