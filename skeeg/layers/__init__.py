"""Torch building blocks that the networks share."""

from .activation import (
    ACTIVATIONS,
    ALPHA_ACTIVATIONS,
    ELU,
    Activation,
    SafeLog,
    Square,
    make_activation,
)
from .attention import ATTENTION_AXES, CBAM, ECA, Attention, SqueezeExcitation
from .attention_choice import ATTENTIONS, make_attention
from .channel_selection import GumbelChannelSelection
from .constraint import apply_max_norm, with_max_norm
from .dropout import Dropout
from .gru import GRU
from .initialisation import glorot_uniform_, glorot_uniform_as_convolution_, lecun_uniform_
from .lecun import PartialConv2d, RadialBasis, ScaledTanh, TrainableSubsampling
from .mixed_conv import MixedDepthwiseConv
from .pool import MeanPool
from .power import normalised_power
from .same_conv import SameConv2d
from .temporal_spatial import TemporalSpatialFilter
from .x_conv import XConv, farthest_points, nearest_points

__all__ = [
    "ACTIVATIONS",
    "ALPHA_ACTIVATIONS",
    "ATTENTIONS",
    "ATTENTION_AXES",
    "CBAM",
    "ECA",
    "ELU",
    "GRU",
    "Activation",
    "Attention",
    "Dropout",
    "GumbelChannelSelection",
    "MeanPool",
    "MixedDepthwiseConv",
    "PartialConv2d",
    "RadialBasis",
    "SafeLog",
    "SameConv2d",
    "ScaledTanh",
    "Square",
    "SqueezeExcitation",
    "TemporalSpatialFilter",
    "TrainableSubsampling",
    "XConv",
    "apply_max_norm",
    "farthest_points",
    "glorot_uniform_",
    "glorot_uniform_as_convolution_",
    "lecun_uniform_",
    "make_activation",
    "make_attention",
    "nearest_points",
    "normalised_power",
    "with_max_norm",
]
