"""Chance and tests against enumeration, simulation and other implementations."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skeeg.evaluation import binomial_bound, holm, paired_p_value
from skeeg.evaluation.statistics import paired_scores


@pytest.mark.parametrize(("n", "p"), [(20, 0.5), (100, 0.25), (7, 0.9)])
def test_the_binomial_bound_is_where_the_sum_of_probabilities_passes(n, p):
    total = 0.0
    for k in range(n + 1):
        total += math.comb(n, k) * p**k * (1 - p) ** (n - k)
        if total >= 0.95:
            break
    assert binomial_bound(n, p) == k / n


def test_the_permutation_test_enumerates_all_signs():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.8, 0.1, 8), rng.normal(0.7, 0.1, 8)
    differences = a - b
    means = [abs(np.mean(differences * signs)) for signs in itertools.product([-1, 1], repeat=8)]
    expected = np.mean(np.array(means) >= abs(differences.mean()) - 1e-12)
    assert paired_p_value(a, b) == pytest.approx(expected)
    assert paired_p_value(b, a) == pytest.approx(expected)


def test_five_pairs_that_all_agree_cannot_do_better_than_one_in_sixteen():
    assert paired_p_value([0.9] * 5, [0.5, 0.6, 0.7, 0.4, 0.3]) == pytest.approx(2 / 2**5)


def test_many_pairs_are_sampled_alike_every_time():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 30))
    assert paired_p_value(a, b) == paired_p_value(a, b)
    assert paired_p_value(a, b) == pytest.approx(stats.ttest_rel(a, b).pvalue, abs=0.03)


def test_wilcoxon_is_the_table_value():
    # Seven differences of one sign: the exact two-sided p-value is 2 / 2**7.
    assert paired_p_value(np.arange(1, 8), np.zeros(7), "wilcoxon") == pytest.approx(2 / 2**7)


def test_too_few_pairs_give_no_p_value():
    assert math.isnan(paired_p_value([1, 1, 1, 1], [0, 0, 0, 0]))
    assert math.isnan(paired_p_value([1, 1, 1, 1, np.nan], [0, 0, 0, 0, 0]))


@pytest.mark.parametrize("test", ["permutation", "wilcoxon"])
def test_equal_scores_do_not_differ(test):
    assert paired_p_value([0.5] * 6, [0.5] * 6, test) == 1.0


def test_an_unknown_test_is_refused():
    with pytest.raises(ValueError, match="test must be one of permutation, wilcoxon"):
        paired_p_value([1], [1], "t")


def test_holm_follows_its_definition():
    p = [0.01, 0.04, 0.03, 0.005]
    # sorted: 0.005*4, 0.01*3, 0.03*2, 0.04*1, and never falling
    np.testing.assert_allclose(holm(p), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.6, np.nan, 0.5]), [1.0, np.nan, 1.0])
    assert holm([]).tolist() == []


def scores(n_subjects, n_folds=2):
    rows = [
        {"estimator": name, "fold": f"{s}-{f}", "subject": s, "accuracy": s + 10 * f + 100 * i}
        for i, name in enumerate(["b", "a"])
        for s in range(n_subjects)
        for f in range(n_folds)
    ]
    return pd.DataFrame(rows).astype({"subject": "Int64"})


def test_five_subjects_are_the_units():
    paired, unit = paired_scores(scores(5), "accuracy")
    assert unit == "subject"
    assert paired.columns.tolist() == ["b", "a"]
    assert paired["b"].tolist() == [5.0, 6.0, 7.0, 8.0, 9.0]


def test_folds_are_the_units_of_fewer_subjects_or_unknown_ones():
    paired, unit = paired_scores(scores(4), "accuracy")
    assert (unit, len(paired)) == ("fold", 8)
    unknown = scores(5)
    unknown.loc[3, "subject"] = pd.NA
    assert paired_scores(unknown, "accuracy")[1] == "fold"
