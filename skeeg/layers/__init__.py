"""Torch building blocks that the networks share."""

from .activation import ACTIVATIONS, ALPHA_ACTIVATIONS, Activation, SafeLog, Square, make_activation
from .constraint import apply_max_norm, with_max_norm
from .dropout import Dropout
from .initialisation import glorot_uniform_, glorot_uniform_as_convolution_, lecun_uniform_
from .lecun import PartialConv2d, RadialBasis, ScaledTanh, TrainableSubsampling
from .length import SameConv2d, clip_length, output_length
from .pool import MeanPool
from .temporal_spatial import TemporalSpatialFilter

__all__ = [
    "ACTIVATIONS",
    "ALPHA_ACTIVATIONS",
    "Activation",
    "Dropout",
    "MeanPool",
    "PartialConv2d",
    "RadialBasis",
    "SafeLog",
    "SameConv2d",
    "ScaledTanh",
    "Square",
    "TemporalSpatialFilter",
    "TrainableSubsampling",
    "apply_max_norm",
    "clip_length",
    "glorot_uniform_",
    "glorot_uniform_as_convolution_",
    "lecun_uniform_",
    "make_activation",
    "output_length",
    "with_max_norm",
]
