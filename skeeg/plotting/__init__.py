"""Figures of results; each function takes ``ax`` and returns a matplotlib Figure."""

from __future__ import annotations

from .attention import plot_attention
from .augmentation import plot_augmentations
from .confusion import plot_confusion
from .critical_difference import plot_critical_difference
from .history import plot_history
from .inspection import (
    plot_frequency_response,
    plot_importance,
    plot_patterns,
    plot_saliency,
)
from .paired import plot_paired_scores
from .predictions import plot_predictions
from .scores import plot_scores
from .selection import plot_selection
from .topography import plot_topographic_map

__all__ = [
    "plot_attention",
    "plot_augmentations",
    "plot_confusion",
    "plot_critical_difference",
    "plot_frequency_response",
    "plot_history",
    "plot_importance",
    "plot_paired_scores",
    "plot_patterns",
    "plot_predictions",
    "plot_saliency",
    "plot_scores",
    "plot_selection",
    "plot_topographic_map",
]
