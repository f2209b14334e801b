"""MixNet, for EEG a design of skeeg: EEGNet with the kernels of Tan and Le (2019)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from ..layers import MixedDepthwiseConv
from ..layers._arguments import check_lengths
from .eegnet import VARIANTS, EEGNetBody


class MixNet(EEGNetBody):
    """EEGNet [1]_ whose second convolution has kernels of several lengths [2]_.

    A design of skeeg. The second convolution of EEGNet filters each map with a kernel of its own,
    all of one length; here, groups of maps have kernels of different lengths, so that the network
    sees changes within a tenth of a second and slow ones at once.

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
    second_conv.depthwise       K1, K2, ... samples of each map      D F1, 1, T // 4
    second_conv.pointwise       F2 mixtures of all maps              F2, 1, T // 4
    second_norm, -_activation   batch normalisation, activation      F2, 1, T // 4
    second_pool, -_dropout      mean of 8 samples, dropout           F2, 1, T // 4 // 8
    dense                       one logit per class                  N
    ==========================  ===================================  =================

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
        Length of the temporal filters in samples, K; half the sampling rate, as in `EEGNet`.
    separable_kernel_lengths : sequence of int, default=(3, 7, 15, 31)
        Lengths of the second convolution's kernels in samples, of which one lasts as long as
        `first_pool_length` samples of the input; at most as many as there are maps, D * F1.
    split : {"equal", "exponential"}, default="equal"
        How many maps each of these lengths gets: the same number, or about half of the maps, then a
        quarter, and so on; see `skeeg.layers.MixedDepthwiseConv`.
    dropout : float, default=0.5
        Probability with which a value is dropped after each pool.
    activation : str, default="elu"
        A name in `skeeg.layers.ACTIVATIONS`.
    alpha : float, optional
        The ELU coefficient or the leaky slope; None takes that function's default.
    first_pool_length, second_pool_length : int, default=4, 8
        Lengths of the pools in samples.
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
    The paper's kernels are square ones of images. Along time, and for EEG, the nearest published
    network is FBMSNet [3]_, whose kernels of 15, 31, 63 and 125 samples at 250 Hz come first, after
    a fixed filter bank: a first convolution has a single map to filter, which nothing can split.
    The default lengths are a quarter of these, since the first pool has quartered the rate: 48 to
    500 ms at 250 Hz and 94 ms to a second at 128 Hz, where the 16 samples of EEGNet last half a
    second.

    All else is `EEGNet` as its authors have it, with the same limits on norms, which
    `skeeg.layers.apply_max_norm` imposes. With g lengths K1 to Kg and n1 to ng maps, it has
    F1 K + 2 F1 + D F1 C + 2 D F1 + (n1 K1 + ... + ng Kg) + D F1 F2 + 2 F2
    + N (F2 (T // 4 // 8) + 1) parameters without attention: 2,226 for 64 x 128 inputs and two
    classes, 32 less than EEGNet.

    References
    ----------
    .. [1] V. J. Lawhern et al., "EEGNet: a compact convolutional neural network for EEG-based
       brain-computer interfaces", J. Neural Eng. 15:056013, 2018. arXiv 1611.08024.
    .. [2] M. Tan, Q. V. Le, "MixConv: mixed depthwise convolutional kernels", BMVC 2019.
       arXiv 1907.09595.
    .. [3] K. Liu et al., "FBMSNet: a filter-bank multi-scale convolutional neural network for
       EEG-based motor imagery decoding", IEEE Trans. Biomed. Eng. 70:436-445, 2023.

    Examples
    --------
    >>> import torch
    >>> network = MixNet(n_chans=64, n_times=128, n_outputs=2)
    >>> sum(parameter.numel() for parameter in network.parameters())
    2226
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
        separable_kernel_lengths: Sequence[int] = (3, 7, 15, 31),
        split: str = "equal",
        dropout: float = 0.5,
        activation: str = "elu",
        alpha: float | None = None,
        first_pool_length: int = 4,
        second_pool_length: int = 8,
        attention: str | None = None,
        attention_axis: str = "maps",
    ) -> None:
        lengths = check_lengths("separable_kernel_lengths", separable_kernel_lengths)

        def second_conv(n_in: int, n_out: int) -> nn.Module:
            return nn.Sequential(
                OrderedDict(
                    depthwise=MixedDepthwiseConv(n_in, lengths, split=split),
                    pointwise=nn.Conv2d(n_in, n_out, 1, bias=False),
                )
            )

        super().__init__(
            n_chans,
            n_times,
            n_outputs,
            own=VARIANTS["lawhern"],
            second_conv=second_conv,
            n_temporal_filters=n_temporal_filters,
            depth_multiplier=depth_multiplier,
            n_pointwise_filters=n_pointwise_filters,
            kernel_length=kernel_length,
            first_pool_length=first_pool_length,
            second_pool_length=second_pool_length,
            dropout=dropout,
            activation=activation,
            alpha=alpha,
            attention=attention,
            attention_axis=attention_axis,
        )
