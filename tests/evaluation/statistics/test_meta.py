"""The meta-analysis against MOABB's and the closed form."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skeeg.evaluation.statistics import meta_analysis


def differences():
    rng = np.random.default_rng(0)
    sizes = {"first": 9, "second": 12, "third": 5}
    return {name: rng.normal(0.03, 0.05, size) for name, size in sizes.items()}


def test_the_result_is_that_of_moabb():
    moabb = pytest.importorskip("moabb.analysis.meta_analysis")
    rows = [
        {"dataset": name, "subject": i, "pipeline": pipeline, "score": 0.7 + value}
        for name, values in differences().items()
        for i, difference in enumerate(values)
        for pipeline, value in (("a", difference), ("b", 0.0))
    ]
    of_sets = moabb.compute_dataset_statistics(pd.DataFrame(rows))
    p_values, effects = moabb.find_significant_differences(of_sets)
    result = meta_analysis(differences())
    assert result.p_value == pytest.approx(p_values.loc["a", "b"])
    assert result.effect == pytest.approx(effects.loc["a", "b"])
    other = meta_analysis({name: -values for name, values in differences().items()})
    assert other.p_value == pytest.approx(p_values.loc["b", "a"])
    assert other.effect == pytest.approx(-result.effect)


def test_p_values_are_combined_by_stouffer_and_weights_follow_the_square_root():
    result = meta_analysis(differences())
    table = result.data_sets
    weights = np.sqrt([9, 12, 5])
    np.testing.assert_allclose(table["weight"], weights / weights.sum())
    z = stats.norm.isf(table["p_value"]) @ weights / math.sqrt(9 + 12 + 5)
    assert result.p_value == pytest.approx(stats.norm.sf(z))


def test_a_single_data_set_is_its_own_result():
    values = np.array([0.1, 0.2, 0.1, 0.3])
    result = meta_analysis({"only": values})
    assert result.p_value == pytest.approx(1 / 2**4)
    assert result.effect == pytest.approx(values.mean() / values.std(ddof=1))


def test_sets_at_the_extremes_do_not_decide_alone():
    result = meta_analysis({"all better": [0.1, 0.2, 0.3], "all worse": [-0.1, -0.2, -0.3]})
    assert result.p_value == pytest.approx(0.5)
    assert result.effect == pytest.approx(0.0)
    equal = meta_analysis({"equal": [0.0] * 4, "better": [0.1, 0.2, 0.1, 0.3]})
    assert equal.data_sets.loc["equal", "p_value"] == 0.5
    assert equal.data_sets.loc["equal", "effect"] == 0.0
    assert math.isnan(meta_analysis({"constant": [0.1] * 4}).effect)


def test_too_few_subjects_are_refused_by_name():
    with pytest.raises(ValueError, match="'small' has 1 subjects"):
        meta_analysis({"large": [0.1] * 5, "small": [0.1, np.nan]})
    with pytest.raises(ValueError, match="at least one data set"):
        meta_analysis({})
