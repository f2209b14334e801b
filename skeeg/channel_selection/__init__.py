"""Transformers that select channels: by a network, by mutual information, by geometry."""

from .gumbel import GumbelChannelSelector
from .mutual_information import MutualInformationSelector, channel_information
from .riemannian import RiemannianSelector

__all__ = [
    "GumbelChannelSelector",
    "MutualInformationSelector",
    "RiemannianSelector",
    "channel_information",
]
