"""InceptionResNet, for EEG a design of skeeg after Szegedy et al. (2017)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from .._checks import check_number, check_positive_ints
from .._parameters import parameter
from ..layers import (
    Dropout,
    MeanPool,
    SameConv2d,
    TemporalSpatialFilter,
    glorot_uniform_,
    make_activation,
)
from ..layers._length import clip_length, output_length
from ..layers._place_attention import place_attention
from ._base import (
    ActivationParameters,
    AttentionParameters,
    SignalNetwork,
    samples_of,
)


class InceptionResNetParameters(ActivationParameters, AttentionParameters):
    """Parameters of InceptionResNet."""

    n_temporal_filters: int = parameter(default=8, doc="Number of temporal filters, F.")
    depth_multiplier: int = parameter(
        default=2, doc="Number of spatial filters for each temporal filter, D."
    )
    kernel_length: int | Literal["auto"] = parameter(
        default="auto",
        doc="""Length of the temporal filters in samples, K. ``"auto"`` is half a second, as in
        EEGNet, or 64 samples where the sampling rate is not known.""",
    )
    n_blocks: int = parameter(default=2, doc="Number of residual blocks, L.")
    n_branch_filters: int = parameter(
        default=8, doc="Number of maps in each of a block's three branches, B."
    )
    branch_kernel_length: int | Literal["auto"] = parameter(
        default="auto",
        doc="""Length of the kernels in the branches, k, in samples that are left after the pools
        before them. ``"auto"`` is an eighth of the sampling rate, or 16 where that is not known:
        after the first pool of 4 samples, half a second, as in EEGNet's second convolution.""",
    )
    scale: float = parameter(
        default=0.2,
        doc="""Factor s of the branches' output before the sum. Deep networks for images trained
        stably with 0.1 to 0.3.""",
    )
    first_pool_length: int = parameter(
        default=4, doc="Length of the pool before the blocks in samples."
    )
    block_pool_length: int = parameter(
        default=4, doc="Length of the pool after each block in samples, P."
    )
    dropout: float = parameter(
        default=0.5, doc="Probability with which a value is dropped after each pool."
    )


class InceptionResNet(InceptionResNetParameters, SignalNetwork):
    """Temporal and spatial filters, then residual blocks of branches that differ in reach.

    A design of skeeg: the residual inception blocks of [1]_, made for images, along time.

    ==========================  ======================================  ====================
    layer                       what it does                            output
    ==========================  ======================================  ====================
    filters.temporal            F kernels of K samples, padded          F, C, T
    filters.norm                batch normalisation                     F, C, T
    filters.attention           gates of electrodes, if asked for       F, C, T
    filters.spatial             D electrode weightings per filter       M = D F, 1, T
    first_norm, -_activation    batch normalisation, activation         M, 1, T
    first_pool                  mean of 4 samples                       M, 1, T // 4
    gates                       gates of maps, if asked for             M, 1, T // 4
    first_dropout               dropout                                 M, 1, T // 4
    blocks, L times:
    inception.branches.0        1 x 1                                   B, 1, t
    inception.branches.1        1 x 1, then k samples                   B, 1, t
    inception.branches.2        1 x 1, k samples, k samples             B, 1, t
    inception.linear            1 x 1 of all three branches             M, 1, t
    inception.activation        of the block's input + s times that     M, 1, t
    pool, dropout               mean of P samples, dropout              M, 1, t // P
    dense                       one logit per class                     N
    ==========================  ======================================  ====================

    Batch normalisation and activation follow each convolution of a branch, but not the linear one.

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
    The blocks are those called A in the paper, with kernels along time in place of square ones and
    with equally wide branches, as in its first version; the sum is activated but not normalised.
    The stem is the first half of `EEGNet`: depthwise spatial filters need fewer weights than
    mixtures of all maps, and `TemporalSpatialFilter` computes them without the maps of all
    electrodes. Normalisation has torch's defaults, and weights start from Glorot's uniform
    distribution, with biases of zero.

    Without attention, it has F K + 2 F + M C + 2 M + L (6 M B + M + 3 k B^2 + 12 B) + N (M T' + 1)
    parameters, with M = D F and T' the samples left after all pools: 9,554 for 64 x 128 inputs and
    two classes.

    No study of this network is known; the nearest for EEG is EEG-Inception [2]_, whose inception
    modules have no residual path.

    References
    ----------
    .. [1] C. Szegedy, S. Ioffe, V. Vanhoucke, A. A. Alemi, "Inception-v4, Inception-ResNet and the
       impact of residual connections on learning", AAAI 2017. arXiv 1602.07261.
    .. [2] E. Santamaria-Vazquez et al., "EEG-Inception: a novel deep convolutional neural network
       for assistive ERP-based brain-computer interfaces", IEEE Trans. Neural Syst. Rehabil. Eng.
       28:2773-2782, 2020.

    Examples
    --------
    >>> import torch
    >>> network = InceptionResNet(n_chans=64, n_times=128, n_outputs=2)
    >>> sum(parameter.numel() for parameter in network.parameters())
    9554
    >>> network(torch.zeros(5, 64, 128)).shape
    torch.Size([5, 2])
    """

    sfreq: float | None = parameter(
        default=None,
        doc='Sampling rate in Hz, from which lengths given as ``"auto"`` follow.',
    )

    def build(self) -> None:
        """Check the hyper-parameters and make the layers."""
        f, d, n_blocks, b, pool1, pool2 = check_positive_ints(
            n_temporal_filters=self.n_temporal_filters,
            depth_multiplier=self.depth_multiplier,
            n_blocks=self.n_blocks,
            n_branch_filters=self.n_branch_filters,
            first_pool_length=self.first_pool_length,
            block_pool_length=self.block_pool_length,
        )
        k1 = samples_of(
            "kernel_length", self.kernel_length, seconds=0.5, sfreq=self.sfreq, otherwise=64
        )
        k2 = samples_of(
            "branch_kernel_length",
            self.branch_kernel_length,
            seconds=0.125,
            sfreq=self.sfreq,
            otherwise=16,
        )
        m = d * f
        s = check_number("scale", self.scale, above=0)
        p = check_number("dropout", self.dropout, at_least=0, below=1)

        pool1 = clip_length(pool1, self.n_times, "InceptionResNet.first_pool")
        t = output_length(self.n_times, pool1, stride=pool1)
        pools = []
        for i in range(n_blocks):
            pools.append(clip_length(pool2, t, f"InceptionResNet.blocks.{i}.pool"))
            t = output_length(t, pools[-1], stride=pools[-1])

        def activate() -> nn.Module:
            return make_activation(self.activation, self.alpha)

        between, after = place_attention(
            self.attention,
            self.attention_axis,
            n_temporal_maps=f,
            n_spatial_maps=m,
            n_electrodes=self.n_chans,
        )
        self.filters = TemporalSpatialFilter(  # M, 1, T
            self.n_chans, f, k1, m, depthwise=True, norm=nn.BatchNorm2d(f), attention=between
        )
        self.first_norm = nn.BatchNorm2d(m)  # M, 1, T
        self.first_activation = activate()  # M, 1, T
        self.first_pool = MeanPool(pool1)  # M, 1, T // 4
        self.gates = after  # M, 1, T // 4
        self.first_dropout = Dropout(p)  # M, 1, T // 4
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(
                    OrderedDict(
                        inception=_ResidualInception(m, b, k2, s, activate),  # M, 1, t
                        pool=MeanPool(pool),  # M, 1, t // P
                        dropout=Dropout(p),  # M, 1, t // P
                    )
                )
                for pool in pools
            )
        )
        self.dense = nn.Linear(m * t, self.n_outputs)  # N

        glorot_uniform_(self)

    def precompute_trials(self, x: Tensor) -> dict[str, Tensor]:
        """Return what `forward` needs in training of each trial, see `TemporalSpatialFilter`."""
        return self.filters.precompute_trials(x)

    def forward(self, x: Tensor, lag_sums: Tensor | None = None) -> Tensor:
        """Return the logits, (batch, n_outputs), of trials of shape (batch, n_chans, n_times)."""
        x = self.first_activation(self.filters.normalised(x, self.first_norm, lag_sums))
        x = self.first_dropout(self.gates(self.first_pool(x)))
        logits: Tensor = self.dense(self.blocks(x).flatten(1))
        return logits


class _ResidualInception(nn.Module):
    """Add the outputs of three branches of different reach to the maps, then activate the sum."""

    def __init__(
        self,
        n_maps: int,
        n_filters: int,
        kernel_length: int,
        scale: float,
        activate: Callable[[], nn.Module],
    ) -> None:
        super().__init__()
        self.scale = scale

        def unit(conv: nn.Module) -> nn.Sequential:
            return nn.Sequential(
                OrderedDict(conv=conv, norm=nn.BatchNorm2d(n_filters), activation=activate())
            )

        def enter() -> nn.Sequential:
            return unit(nn.Conv2d(n_maps, n_filters, 1, bias=False))

        def filter_in_time() -> nn.Sequential:
            return unit(SameConv2d(n_filters, n_filters, kernel_length, bias=False))

        self.branches = nn.ModuleList(
            [
                nn.Sequential(enter()),
                nn.Sequential(enter(), filter_in_time()),
                nn.Sequential(enter(), filter_in_time(), filter_in_time()),
            ]
        )
        self.linear = nn.Conv2d(3 * n_filters, n_maps, 1)
        self.activation = activate()

    def forward(self, x: Tensor) -> Tensor:
        """Return maps of the shape of `x`, (batch, n_maps, 1, n_times)."""
        found = torch.cat([branch(x) for branch in self.branches], dim=1)
        result: Tensor = self.activation(x + self.scale * self.linear(found))
        return result

    def extra_repr(self) -> str:
        """Return the settings, for the layer's printed form."""
        return f"scale={self.scale}"
