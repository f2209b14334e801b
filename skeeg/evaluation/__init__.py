"""Comparison of estimators on the same folds, without leakage."""

from __future__ import annotations

from .about import About
from .compare import compare
from .comparison import Comparison
from .fold import FoldError
from .metrics import METRICS
from .statistics import Chance, binomial_bound, holm, paired_p_value

__all__ = [
    "METRICS",
    "About",
    "Chance",
    "Comparison",
    "FoldError",
    "binomial_bound",
    "compare",
    "holm",
    "paired_p_value",
]
