"""Paired tests against published examples, enumeration and other implementations."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.datasets import make_moons
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.svm import SVC

from skeeg.evaluation.statistics import (
    corrected_t_p_value,
    holm,
    paired_p_value,
    paired_scores,
    sign_flip_p_value,
    wilcoxon_p_value,
)


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


def test_the_sign_flips_of_fisher():
    # Fisher (1935), The Design of Experiments, section 21: differences in the height of Darwin's
    # fifteen pairs of maize, in eighths of an inch. Of 2 ** 15 sums, 863 are at least 314.
    maize = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    assert sum(maize) == 314
    assert sign_flip_p_value(maize, "greater") * 2**15 == pytest.approx(863)
    assert sign_flip_p_value(maize) * 2**15 == pytest.approx(2 * 863)
    assert sign_flip_p_value(maize, "less") == pytest.approx(
        1 - sign_flip_p_value(maize, "greater") + 28 / 2**15  # 28 sums are equal to 314
    )


def test_the_wilcoxon_example_of_r():
    # R's help page of wilcox.test, Hamilton's depression scale (Hollander and Wolfe 1973, 29 f.):
    # "V = 40, p-value = 0.01953", alternative "greater".
    before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    p_value = paired_p_value(before, after, "wilcoxon", alternative="greater")
    assert p_value == pytest.approx(0.01953, abs=5e-6)


def test_wilcoxon_enumerates_ties_and_zeros():
    differences = np.array([0.1, 0.1, 0.2, 0.0, -0.1, 0.3, 0.2, 0.2])
    ranks = stats.rankdata(np.abs(differences))[differences != 0]  # Pratt: ranked, then dropped
    signs = np.sign(differences[differences != 0])
    sums = [ranks @ (np.array(s) > 0) for s in itertools.product([-1, 1], repeat=len(ranks))]
    observed = ranks @ (signs > 0)
    expected = np.mean(np.array(sums) >= observed - 1e-12)
    assert wilcoxon_p_value(differences, "greater") == pytest.approx(expected)


def test_the_corrected_t_test_of_the_scikit_learn_example():
    # scikit-learn's example "Statistical comparison of models using grid search" prints
    # "Corrected t-value: 0.750, Corrected p-value: 0.227", and uncorrected "t-value: 2.611".
    X, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    cv = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    rbf, linear = (
        cross_val_score(SVC(kernel=kernel, random_state=0), X, y, cv=cv, scoring="roc_auc")
        for kernel in ("rbf", "linear")
    )
    p_value = paired_p_value(rbf, linear, "corrected-t", alternative="greater", test_ratio=10 / 90)
    assert p_value == pytest.approx(0.227, abs=5e-4)
    assert stats.t.isf(p_value, 99) == pytest.approx(0.750, abs=5e-4)
    assert stats.ttest_rel(rbf, linear).statistic == pytest.approx(2.611, abs=5e-4)
    two_sided = paired_p_value(rbf, linear, "corrected-t", test_ratio=10 / 90)
    assert two_sided == pytest.approx(2 * p_value)
    less = paired_p_value(rbf, linear, "corrected-t", alternative="less", test_ratio=10 / 90)
    assert less == pytest.approx(1 - p_value)


def test_folds_that_all_differ_alike_do_not_tell_their_variance():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert math.isnan(corrected_t_p_value([0.1 + 0.2, 0.3, 0.3], 0.5))
        assert corrected_t_p_value([0.0, 0.0, 0.0], 0.5) == 1.0
        assert math.isnan(paired_p_value([1, 1], [0, 0.5], "corrected-t", test_ratio=0.5))


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
    with pytest.raises(ValueError, match="test must be one of permutation, wilcoxon, corrected-t"):
        paired_p_value([1], [1], "t")
    with pytest.raises(ValueError, match="alternative must be one of two-sided"):
        paired_p_value([1], [1], alternative="better")
    with pytest.raises(ValueError, match="needs test_ratio"):
        paired_p_value([1, 2, 3], [1, 1, 1], "corrected-t")


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


@pytest.mark.parametrize("n_tests", [1, 2, 5, 20])
def test_holm_equals_that_of_statsmodels(n_tests):
    multitest = pytest.importorskip("statsmodels.stats.multitest")  # scikit-posthocs needs it
    p_values = np.random.default_rng(n_tests).random(n_tests) ** 3
    p_values[n_tests // 2 :] = p_values[-1]  # ties
    expected = multitest.multipletests(p_values, method="holm")[1]
    np.testing.assert_allclose(holm(p_values), expected, rtol=1e-14)
