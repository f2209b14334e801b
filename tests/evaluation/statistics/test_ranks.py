"""Ranks against the example of Demšar (2006), R and the distribution of the range."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skeeg.evaluation.statistics import friedman_nemenyi

# Demšar (2006), table 6: the area under the ROC curve of four variants of C4.5 on 14 data sets.
# In "voting", the last two are ranked 2 and 3 there, and printed equal; 0.0001 tells them apart.
DEMSAR = pd.DataFrame(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.975, 0.9749],
        [0.957, 0.978, 0.946, 0.970],
    ],
    columns=["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"],
)


def test_the_example_of_demsar():
    result = friedman_nemenyi(DEMSAR)
    assert result.ranks.index.tolist() == ["C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"]
    np.testing.assert_allclose(result.ranks, [1.964, 2.000, 2.893, 3.143], atol=5e-4)
    # The paper does not correct its chi-square of 9.28 for the ties of 2, 2, 4 and 2 data.
    ties = sum(t**3 - t for t in (2, 2, 4, 2)) / (14 * 4 * (4**2 - 1))
    assert result.statistic * (1 - ties) == pytest.approx(9.28, abs=0.005)
    assert result.critical_difference == pytest.approx(1.25, abs=0.005)
    assert (result.p_values.to_numpy() > 0.05).all()
    weaker = friedman_nemenyi(DEMSAR, level=0.10)
    assert weaker.critical_difference == pytest.approx(1.12, abs=0.005)
    assert weaker.n_units == 14
    significant = result.p_values < 0.10
    assert significant["C4.5"].tolist() == [True, True, False, False]
    assert significant.to_numpy().sum() == 4


@pytest.mark.parametrize(
    ("k", "level", "q"),
    [(3, 0.05, 2.343), (4, 0.05, 2.569), (10, 0.05, 3.164), (4, 0.10, 2.291), (10, 0.10, 2.920)],
)
def test_critical_values_are_those_of_table_5(k, level, q):
    scores = pd.DataFrame(np.random.default_rng(0).random((7, k)))
    result = friedman_nemenyi(scores, level=level)
    unit = np.sqrt(k * (k + 1) / (6 * 7))
    assert result.critical_difference / unit == pytest.approx(q, abs=1.1e-3)


def test_the_example_of_r():
    # R's help page of friedman.test, RoundingTimes (Hollander and Wolfe 1973, p. 140 ff.), gives
    # "Friedman chi-squared = 11.143, df = 2, p-value = 0.003805".
    times = """
    5.40 5.50 5.55 5.85 5.70 5.75 5.20 5.60 5.50 5.55 5.50 5.40 5.90 5.85 5.70 5.45 5.55 5.60
    5.40 5.40 5.35 5.45 5.50 5.35 5.25 5.15 5.00 5.85 5.80 5.70 5.25 5.20 5.10 5.65 5.55 5.45
    5.60 5.35 5.45 5.05 5.00 4.95 5.50 5.50 5.40 5.45 5.55 5.50 5.55 5.55 5.35 5.45 5.50 5.55
    5.50 5.45 5.25 5.65 5.60 5.40 5.70 5.65 5.55 6.30 6.30 6.25
    """
    table = np.array(times.split(), dtype=float).reshape(22, 3)
    names = ["Round Out", "Narrow Angle", "Wide Angle"]
    result = friedman_nemenyi(pd.DataFrame(table, columns=names), greater_is_better=False)
    assert result.statistic == pytest.approx(11.143, abs=5e-4)
    assert result.p_value == pytest.approx(0.003805, abs=5e-7)
    assert result.ranks.index[0] == "Wide Angle"


def test_p_values_are_those_of_the_studentized_range_and_agree_with_the_difference():
    scores = pd.DataFrame(np.random.default_rng(3).random((9, 4)) + np.array([0, 0.2, 0.4, 0.9]))
    result = friedman_nemenyi(scores)
    distance = np.abs(result.ranks.to_numpy()[:, None] - result.ranks.to_numpy())
    statistic = distance / np.sqrt(4 * 5 / (6 * 9)) * np.sqrt(2)
    expected = stats.studentized_range.sf(statistic, 4, np.inf)
    np.testing.assert_allclose(result.p_values, expected, atol=1e-9)
    np.testing.assert_array_equal(result.p_values < 0.05, distance > result.critical_difference)


def test_rows_with_nan_are_left_out_and_equal_scores_do_not_differ():
    scores = pd.DataFrame({"a": [0.5] * 6, "b": [0.5] * 6, "c": [0.5] * 6})
    scores.loc[6] = [0.1, 0.9, np.nan]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = friedman_nemenyi(scores)
    assert (result.n_units, result.statistic, result.p_value) == (6, 0.0, 1.0)
    assert (result.ranks == 2.0).all()
    assert (result.p_values == 1.0).all(axis=None)


@pytest.mark.parametrize("shape", [(9, 2), (1, 5), (0, 3)])
def test_too_little_is_refused(shape):
    with pytest.raises(ValueError, match=f"got {shape[1]} and {shape[0]}.*use paired_p_value"):
        friedman_nemenyi(pd.DataFrame(np.zeros(shape)))
