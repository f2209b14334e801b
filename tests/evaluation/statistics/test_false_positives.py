"""Under the null hypothesis, p-values at or below the level are no more frequent than the level.

`benchmarks/false_positives.py` measures the same with decoders that are fitted.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from skeeg.evaluation.statistics import (
    binomial_p_value,
    corrected_t_p_value,
    label_permutation_p_value,
    meta_analysis,
    sign_flip_p_value,
    wilcoxon_p_value,
)

N = 400


def subjects(rng):
    """Return differences of accuracies of 20 trials in seven subjects, which are often tied."""
    return (rng.binomial(20, 0.7, 7) - rng.binomial(20, 0.7, 7)) / 20


def resamples(rng, n_folds=10, ratio=1 / 9):
    """Return values with the correlation ratio / (1 + ratio) that Nadeau and Bengio assume."""
    correlation = ratio / (1 + ratio)
    common = np.sqrt(correlation) * rng.standard_normal()
    return common + np.sqrt(1 - correlation) * rng.standard_normal(n_folds)


def guesses(rng):
    return np.tile([0, 1], 15), rng.integers(2, size=30)


TESTS = {
    "sign flips": lambda rng: sign_flip_p_value(subjects(rng)),
    "sign flips, one-sided": lambda rng: sign_flip_p_value(subjects(rng), "greater"),
    "Wilcoxon": lambda rng: wilcoxon_p_value(subjects(rng)),
    "corrected t": lambda rng: corrected_t_p_value(resamples(rng), 1 / 9),
    "binomial": lambda rng: binomial_p_value(rng.binomial(40, 0.5), 40, 0.5),
    "labels": lambda rng: label_permutation_p_value(*guesses(rng), n_permutations=99),
    "meta-analysis": lambda rng: meta_analysis({"A": subjects(rng), "B": subjects(rng)}).p_value,
}


@pytest.mark.parametrize("test", TESTS)
def test_false_positives_stay_at_or_below_the_level(test):
    rng = np.random.default_rng(1)
    p_values = np.array([TESTS[test](rng) for _ in range(N)])
    for level in (0.05, 0.2):
        assert stats.binomtest(int((p_values <= level).sum()), N, level, "greater").pvalue > 0.01


def test_the_usual_t_test_of_such_folds_is_far_above_the_level():
    rng = np.random.default_rng(1)
    p_values = [corrected_t_p_value(resamples(rng), 0.0) for _ in range(N)]
    assert np.mean(np.array(p_values) <= 0.05) > 0.1
