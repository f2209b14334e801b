"""MixNet, for EEG a design of skeeg: EEGNet with the kernels of Tan and Le (2019)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Literal

from torch import nn

from .._checks import check_lengths
from .._parameters import parameter
from ..layers import MixedDepthwiseConv
from .eegnet import EEGNetBody, EEGNetBodyParameters


class MixNetParameters(EEGNetBodyParameters):
    """Parameters of MixNet."""

    n_temporal_filters: int = parameter(default=8, doc="Number of temporal filters, F1.")
    kernel_length: int | Literal["auto"] = parameter(
        default="auto",
        doc="""Length of the temporal filters in samples, K. ``"auto"`` is half a second, as in
        EEGNet, or 64 samples where the sampling rate is not known.""",
    )
    separable_kernel_lengths: Sequence[int] = parameter(
        default=(3, 7, 15, 31),
        doc="""Lengths of the second convolution's kernels, in samples that are left after the first
        pool; at most as many lengths as there are maps, D * F1.""",
    )
    split: str = parameter(
        default="equal",
        kind='{"equal", "exponential"}',
        doc="""How many maps each of these lengths gets: the same number, or about half of the maps,
        then a quarter, and so on; see `skeeg.layers.split_maps`.""",
    )
    dropout: float = parameter(
        default=0.5, doc="Probability with which a value is dropped after each pool."
    )


class MixNet(MixNetParameters, EEGNetBody):
    """EEGNet [1]_ whose second convolution has kernels of several lengths [2]_.

    A design of skeeg. The second convolution of EEGNet filters each map with a kernel of its own,
    all of one length; here, groups of maps have kernels of different lengths, for fast and for slow
    changes.

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
    second_conv.depthwise       K1, K2, ... samples of each map      D F1, 1, T // 4
    second_conv.pointwise       F2 mixtures of all maps              F2, 1, T // 4
    second_norm, -_activation   batch normalisation, activation      F2, 1, T // 4
    second_pool, -_dropout      mean of 8 samples, dropout           F2, 1, T // 4 // 8
    dense                       one logit per class                  N
    ==========================  ===================================  =================

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
    a fixed filter bank: a first convolution has a single map, which cannot be split into groups.
    The default lengths are a quarter of these, since the first pool has quartered the rate: 48 to
    500 ms at 250 Hz and 94 ms to a second at 128 Hz, where the 16 samples of EEGNet last half a
    second.

    The rest is `EEGNet` in its authors' form, with the same limits on norms, which
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

    def make_second_conv(self, n_in: int, n_out: int) -> nn.Module:
        """Return a convolution along time of each map alone, then mixtures of all maps."""
        lengths = check_lengths("separable_kernel_lengths", self.separable_kernel_lengths)
        return nn.Sequential(
            OrderedDict(
                depthwise=MixedDepthwiseConv(n_in, lengths, split=self.split),
                pointwise=nn.Conv2d(n_in, n_out, 1, bias=False),
            )
        )
