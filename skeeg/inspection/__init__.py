"""Inspection of fitted estimators: patterns, filters, saliency and channel importance."""

from .attention import attention_gates
from .frequency import FrequencyResponse, temporal_filters
from .importance import channel_importance
from .patterns import SpatialPatterns, filter_contributions, spatial_patterns
from .saliency import gradient_times_input

__all__ = [
    "FrequencyResponse",
    "SpatialPatterns",
    "attention_gates",
    "channel_importance",
    "filter_contributions",
    "gradient_times_input",
    "spatial_patterns",
    "temporal_filters",
]
