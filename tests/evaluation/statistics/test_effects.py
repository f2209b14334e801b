"""Effect sizes and intervals against published examples, closed forms and simulation."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy import stats

from skeeg.evaluation.statistics import (
    bootstrap_interval,
    corrected_interval,
    corrected_t_p_value,
    hedges_g,
)

# Lakens (2013), Frontiers in Psychology 4, 863, table 1: ratings of two movies by ten people,
# with t(9) = 4.74 and Cohen's d of pairs 1.50.
FIRST = np.array([9, 7, 8, 9, 8, 9, 9, 10, 9, 9])
SECOND = np.array([9, 6, 7, 8, 7, 9, 8, 8, 8, 7])


def test_hedges_g_is_the_published_effect_times_the_exact_correction():
    factor = math.gamma(9 / 2) / (math.sqrt(9 / 2) * math.gamma(8 / 2))
    assert factor == pytest.approx(1 - 3 / (4 * 9 - 1), abs=1e-3)  # the usual approximation
    assert hedges_g(FIRST - SECOND) / factor == pytest.approx(1.50, abs=0.005)
    t = stats.ttest_rel(FIRST, SECOND).statistic
    assert t == pytest.approx(4.74, abs=0.005)
    assert hedges_g(FIRST - SECOND) == pytest.approx(factor * t / math.sqrt(10))
    assert hedges_g(SECOND - FIRST) == -hedges_g(FIRST - SECOND)


def test_hedges_g_has_no_bias_for_few_pairs():
    rng = np.random.default_rng(0)
    samples = rng.normal(0.5, 1.0, (10_000, 5))
    estimates = np.array([hedges_g(sample) for sample in samples])
    assert estimates.mean() == pytest.approx(0.5, abs=4 * estimates.std() / math.sqrt(10_000))


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ([0.0] * 6, 0.0),
        ([0.1] * 6, math.nan),
        ([0.1 + 0.2, 0.3, 0.3, 0.3], math.nan),  # equal up to rounding
        ([0.1, 0.2], math.nan),
        ([math.nan] * 6, math.nan),
        ([], math.nan),
    ],
)
def test_what_has_no_spread_has_no_effect_size_or_interval(differences, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_equal(hedges_g(differences), expected)
        low, high = bootstrap_interval(differences)
        finite = np.array(differences)[np.isfinite(differences)]
        if len(finite) > 1:
            np.testing.assert_allclose([low, high], [finite.min(), finite.max()])
        else:
            assert math.isnan(low)
            assert math.isnan(high)
        corrected_interval(differences, 0.25)


def test_the_bootstrap_interval_is_close_to_that_of_t_for_normal_values():
    values = np.random.default_rng(1).normal(0.7, 0.1, 40)
    expected = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
    np.testing.assert_allclose(bootstrap_interval(values), expected, atol=0.004)
    assert bootstrap_interval(values) == bootstrap_interval(values)
    assert bootstrap_interval([*values, np.nan]) == bootstrap_interval(values)
    inner = bootstrap_interval(values, 0.5)
    assert bootstrap_interval(values)[0] < inner[0] < inner[1] < bootstrap_interval(values)[1]


def test_intervals_of_accuracies_stay_between_0_and_1():
    low, high = bootstrap_interval([1.0, 1.0, 0.95, 1.0, 0.9])
    assert 0.9 <= low < high <= 1.0


def test_the_interval_over_folds_and_its_test_agree():
    values = np.array([0.1, 0.2, 0.1, 0.3, 0.2])
    p_value = corrected_t_p_value(values, 0.25)
    low, high = corrected_interval(values, 0.25, confidence=1 - p_value)
    assert low == pytest.approx(0.0, abs=1e-12)
    assert high == pytest.approx(2 * values.mean())
    assert corrected_interval(values, 0.25)[0] > low


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_a_confidence_is_between_0_and_1(confidence):
    for interval in (bootstrap_interval, lambda v, c: corrected_interval(v, 0.2, c)):
        kwargs = {"confidence": confidence} if interval is bootstrap_interval else {"c": confidence}
        with pytest.raises(ValueError, match="confidence must be between 0 and 1, got"):
            interval([0.5, 0.6, 0.7], **kwargs)
