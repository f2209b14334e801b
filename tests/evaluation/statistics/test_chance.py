"""Chance against the binomial distribution, enumeration and another package."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedKFold, permutation_test_score

from skeeg.evaluation.statistics import (
    binomial_bound,
    binomial_p_value,
    label_permutation_p_value,
    permutation_test,
    permuted_labels,
)


@pytest.mark.parametrize(("n", "p"), [(20, 0.5), (100, 0.25), (7, 0.9)])
def test_the_binomial_bound_is_where_the_sum_of_probabilities_passes(n, p):
    total = 0.0
    for k in range(n + 1):
        total += math.comb(n, k) * p**k * (1 - p) ** (n - k)
        if total >= 0.95:
            break
    assert binomial_bound(n, p) == k / n


@pytest.mark.parametrize("n_trials", [20, 40, 80, 100, 200, 500])
@pytest.mark.parametrize("n_classes", [2, 4, 8])
@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.001])
def test_the_binomial_bound_is_the_adjusted_chance_level_of_moabb(n_trials, n_classes, alpha):
    # MOABB implements the formula of Combrisson and Jerbi (2015), binoinv(1 - alpha, n, 1 / c) / n.
    chance_level = pytest.importorskip("moabb.analysis.chance_level")
    expected = chance_level.adjusted_chance_level(n_classes, n_trials, alpha)
    assert binomial_bound(n_trials, 1 / n_classes, 1 - alpha) == pytest.approx(expected)


def test_the_binomial_p_value_is_the_upper_tail():
    # R: binom.test(682, 925, p = 0.75, alternative = "greater"), Mendel's peas of its help page.
    tail = sum(math.comb(925, k) * 0.75**k * 0.25 ** (925 - k) for k in range(682, 926))
    assert binomial_p_value(682, 925, 0.75) == pytest.approx(tail)
    assert binomial_p_value(0, 10, 0.5) == pytest.approx(1.0)
    assert binomial_p_value(10, 10, 0.5) == pytest.approx(2**-10)


def test_the_bound_and_the_p_value_agree():
    n_correct = round(binomial_bound(60, 0.5) * 60)
    assert binomial_p_value(n_correct, 60, 0.5) > 0.05 >= binomial_p_value(n_correct + 1, 60, 0.5)


# ---------------------------------------------------------------------- permuted labels


def test_permutation_of_labels_approaches_the_enumeration():
    true = np.array([0, 0, 0, 1, 1, 1])
    predicted = np.array([0, 0, 1, 1, 1, 1])
    observed = balanced_accuracy_score(true, predicted)
    scores = [
        balanced_accuracy_score(true[list(order)], predicted)
        for order in itertools.permutations(range(6))
    ]
    exact = np.mean(np.array(scores) >= observed - 1e-12)
    p_value = label_permutation_p_value(true, predicted, n_permutations=4_000)
    assert p_value == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 4_000))


def test_windows_of_a_trial_are_permuted_together():
    trials = np.repeat(np.arange(8), 5)
    labels = np.repeat([0, 1] * 4, 5)
    for drawn in permuted_labels(labels, trials=trials, n_permutations=20):
        assert all(len(set(drawn[trials == trial])) == 1 for trial in range(8))
        assert drawn.sum() == labels.sum()
    # Eight trials have 70 arrangements of their labels; 40 windows that were alike would give less.
    p_value = label_permutation_p_value(labels, labels, trials=trials, n_permutations=3000)
    assert p_value == pytest.approx(1 / math.comb(8, 4), abs=0.009)


def test_labels_stay_in_their_blocks():
    labels = np.array(["a"] * 6 + ["b"] * 2 + ["a"] * 2 + ["b"] * 6)
    blocks = np.repeat(["first", "second"], 8)
    draws = list(permuted_labels(labels, blocks=blocks, n_permutations=20))
    assert {tuple(np.unique(drawn[:8], return_counts=True)[1]) for drawn in draws} == {(6, 2)}
    assert len({tuple(drawn) for drawn in draws}) > 10
    # What the blocks tell about the labels is not evidence: the prediction is the block.
    predicted = np.repeat(["a", "b"], 8)
    assert label_permutation_p_value(labels, predicted, blocks=blocks) == 1.0
    assert label_permutation_p_value(labels, predicted) < 0.1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trials": [1, 1, 1, 1]}, "several labels: row 1 differs from row 0"),
        ({"trials": [1, 2, 1, 2], "blocks": [1, 1, 2, 2]}, "several blocks: row 2"),
        ({"trials": [1, 2]}, r"trials must have one value for each of the 4 rows, .*\(2,\)"),
        ({"blocks": [1]}, "blocks must have one value"),
    ],
)
def test_trials_and_blocks_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        label_permutation_p_value([0, 1, 0, 1], [0, 1, 0, 1], **changes)
    with pytest.raises(ValueError, match="of one length, got the shapes"):
        label_permutation_p_value([0, 1, 0, 1], [0, 1])


def test_a_class_that_is_predicted_but_never_true_is_a_miss():
    assert label_permutation_p_value(["a", "b"] * 10, ["c"] * 20) == 1.0


def test_the_test_with_new_fits_is_that_of_scikit_learn_for_single_trials():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 20)
    X = rng.standard_normal((40, 3)) + 0.4 * y[:, None]
    cv = StratifiedKFold(4)
    ours = permutation_test(LinearDiscriminantAnalysis(), X, y, cv=cv, n_permutations=49)
    score, null, p_value = permutation_test_score(
        LinearDiscriminantAnalysis(), X, y, cv=cv, n_permutations=49, random_state=1
    )
    assert ours.score == score
    assert ours.p_value == pytest.approx(p_value, abs=0.04)
    assert ours.null_scores.mean() == pytest.approx(null.mean(), abs=0.04)
    assert ours.p_value == (np.sum(ours.null_scores >= score - 1e-12) + 1) / 50
