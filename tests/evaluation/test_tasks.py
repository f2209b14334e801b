"""The task follows from estimators and targets; each encodes, checks and scores its targets."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline

from skeeg.evaluation.metrics import METRICS
from skeeg.evaluation.tasks import TASKS, Classification, Regression, choose_task
from skeeg.model_selection.folds import Fold

CLASSES, FLOATS, RATINGS = (
    np.array(["a", "b"] * 3),
    np.linspace(0, 1, 6),
    np.array([1, 9, 3, 1, 7, 2]),
)


class Kindless(BaseEstimator):
    """Neither a classifier nor a regressor."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.zeros(len(X))


class Foreign:
    """Without scikit-learn's tags."""


# ---------------------------------------------------------------------- choice


@pytest.mark.parametrize(
    ("estimators", "y", "task"),
    [
        ([DummyClassifier()], CLASSES, Classification),
        ([DummyClassifier(), Kindless()], RATINGS, Classification),
        ([Kindless()], CLASSES, Classification),
        ([Kindless(), Foreign()], FLOATS, Regression),
        ([Ridge()], FLOATS, Regression),
        ([make_pipeline(GridSearchCV(Ridge(), {}))], RATINGS, Regression),
        ([Ridge(), Kindless()], RATINGS, Regression),
    ],
)
def test_the_task_follows_from_estimators_and_targets(estimators, y, task):
    assert type(choose_task(dict(enumerate(estimators)), y)) is task


@pytest.mark.parametrize(
    ("estimators", "y", "message"),
    [
        (
            {"lda": DummyClassifier(), "ridge": Ridge()},
            RATINGS,
            r"Classifiers \('lda'\) and regressors \('ridge'\) cannot be compared",
        ),
        ({"lda": DummyClassifier()}, FLOATS, r"continuous \(0.0 is the first\), and 'lda' predict"),
        ({"ridge": Ridge()}, CLASSES, r"must be numbers, got y of dtype <U1 with 'a' first"),
        ({"ridge": Ridge()}, np.array([True, False]), "must be numbers, got y of dtype bool"),
        ({"ridge": Ridge()}, np.array([0.5, np.inf]), "target of trial 1 is not finite"),
        ({"ridge": Ridge()}, np.full(3, 0.5), "All targets are 0.5: there is nothing to decode"),
        ({"lda": DummyClassifier()}, np.array(["a", "a"]), "one class only, 'a'"),
    ],
)
def test_targets_that_fit_no_task_are_refused(estimators, y, message):
    with pytest.raises(ValueError, match=message):
        choose_task(estimators, y)


# ---------------------------------------------------------------------- targets and predictions


def test_classes_are_encoded_by_their_order():
    task = Classification(np.array(["b", "c", "a", "b"]))
    np.testing.assert_array_equal(task.encode(np.array(["c", "a"])), [2, 0])
    np.testing.assert_array_equal(task.decode(np.array([2, 0])), ["c", "a"])


def test_continuous_targets_are_float64():
    task = Regression(RATINGS)
    assert task.encode(RATINGS).dtype == np.float64
    assert task.check_predictions(np.float32([[0.1], [2]]), 2).tolist() == [
        float(np.float32(0.1)),
        2,
    ]


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        (np.zeros(3), r"shape \(3,\) for 2 trials"),
        (np.zeros((2, 2)), r"shape \(2, 2\) for 2 trials"),
        (np.array([0.0, np.nan]), "not finite: it diverged"),
        (np.array(["a", "b"]), "a regressor predicts numbers"),
    ],
)
def test_predictions_that_are_no_numbers_are_refused(predicted, message):
    with pytest.raises(ValueError, match=message):
        Regression(FLOATS).check_predictions(predicted, 2)


# ---------------------------------------------------------------------- metrics and chance


def test_metrics_of_a_regression_are_those_of_scikit_learn_and_scipy():
    rng = np.random.default_rng(0)
    true = rng.normal(3, 2, 50)
    predicted = 0.7 * true + rng.normal(0, 1, 50)
    computed = {name: METRICS[name].compute(true, predicted, None) for name in Regression.metrics}
    assert computed == {
        "r2": pytest.approx(r2_score(true, predicted)),
        "mean_absolute_error": pytest.approx(mean_absolute_error(true, predicted)),
        "pearson": pytest.approx(stats.pearsonr(true, predicted).statistic),
    }
    assert [name for name in METRICS if not METRICS[name].greater_is_better] == [
        "mean_absolute_error"
    ]


def test_metrics_are_nan_where_they_are_undefined():
    constant, varied = np.full(3, 2.0), np.array([1.0, 2.0, 4.0])
    assert np.isnan(METRICS["r2"].compute(constant, varied, None))
    assert np.isnan(METRICS["pearson"].compute(constant, varied, None))
    assert np.isnan(METRICS["pearson"].compute(varied, constant, None))
    assert METRICS["mean_absolute_error"].compute(constant, varied, None) == 1


def test_chance_of_a_regression_is_the_mean_of_the_training_targets(make_targets):
    data = make_targets()
    folds = [
        Fold(train, test, name=str(i)) for i, (train, test) in enumerate(KFold(4).split(data.X))
    ]
    chance = Regression(data.y).chance(data, folds)
    predicted = [
        DummyRegressor().fit(data.X[f.train], data.y[f.train]).predict(data.X[f.test])
        for f in folds
    ]
    pairs = [(data.y[f.test], own) for f, own in zip(folds, predicted, strict=True)]
    assert chance["r2"].level == pytest.approx(np.mean([r2_score(*pair) for pair in pairs]))
    assert chance["mean_absolute_error"].level == pytest.approx(
        np.mean([mean_absolute_error(*pair) for pair in pairs])
    )
    assert -0.5 < chance["r2"].level <= 0
    assert chance["pearson"].level == 0
    assert set(chance) == set(Regression.metrics)


def test_folds_that_test_one_target_value_are_named():
    y = np.array([0.5, 0.5, 1.0, 2.0, 3.0])
    folds = [
        Fold(np.array([2, 3]), np.array([0, 1]), name="flat"),
        Fold(np.array([0]), np.array([3, 4])),
    ]
    task = Regression(y)
    with pytest.warns(UserWarning, match=r"R² and .* are undefined \(NaN\) in 1 of 2 .*: 'flat'"):
        task.warn_of_undefined(task.metrics, y, folds)
    with pytest.warns(UserWarning, match=r"^Pearson's correlation is undefined"):
        task.warn_of_undefined(["pearson"], y, folds)


def test_tasks_go_by_name():
    assert {"classification": Classification, "regression": Regression} == TASKS
