"""Figures of results; each function returns a matplotlib Figure and leaves pyplot alone."""

from __future__ import annotations

from .confusion import plot_confusion
from .history import plot_history
from .scores import plot_scores
from .topography import plot_topographic_map

__all__ = ["plot_confusion", "plot_history", "plot_scores", "plot_topographic_map"]
