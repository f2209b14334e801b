"""Transformers that select channels: by a network, by mutual information, by geometry."""

from __future__ import annotations

import warnings
from typing import Any

from .._warnings import user_stacklevel
from .mutual_information import MutualInformationSelector, channel_information
from .network import NetworkChannelSelector
from .riemannian import RiemannianSelector

__all__ = [
    "MutualInformationSelector",
    "NetworkChannelSelector",
    "RiemannianSelector",
    "channel_information",
]


def __getattr__(name: str) -> Any:
    if name == "GumbelChannelSelector":
        warnings.warn(
            "GumbelChannelSelector is now NetworkChannelSelector, which selects channels by "
            'elimination. For the layer, set selection__method="gumbel" on its network.',
            DeprecationWarning,
            stacklevel=user_stacklevel(),
        )
        return NetworkChannelSelector
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
