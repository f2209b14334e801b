"""Statistics of scores: chance, paired tests, intervals, effect sizes, ranks, meta-analysis."""

from __future__ import annotations

from .chance import (
    Chance,
    binomial_bound,
    binomial_p_value,
    chance_levels,
    label_permutation_p_value,
)
from .effects import bootstrap_interval, corrected_interval, hedges_g
from .meta import MetaAnalysis, meta_analysis
from .paired import (
    corrected_t_p_value,
    holm,
    paired_p_value,
    sign_flip_p_value,
    wilcoxon_p_value,
)
from .permutation import PermutationResult, permutation_test, permuted_labels
from .ranks import RankTest, friedman_nemenyi
from .units import paired_scores

__all__ = [
    "Chance",
    "MetaAnalysis",
    "PermutationResult",
    "RankTest",
    "binomial_bound",
    "binomial_p_value",
    "bootstrap_interval",
    "chance_levels",
    "corrected_interval",
    "corrected_t_p_value",
    "friedman_nemenyi",
    "hedges_g",
    "holm",
    "label_permutation_p_value",
    "meta_analysis",
    "paired_p_value",
    "paired_scores",
    "permutation_test",
    "permuted_labels",
    "sign_flip_p_value",
    "wilcoxon_p_value",
]
