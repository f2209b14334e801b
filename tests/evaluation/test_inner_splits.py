"""Splits inside an estimator keep the windows of a trial together."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skeeg import EEGData, EEGNetClassifier, LeakageError, compare
from skeeg.model_selection import TrialKFold

SEEN: list[np.ndarray] = []


def flattened(trials):
    return np.asarray(trials).reshape(len(trials), -1)


class Recorder(ClassifierMixin, BaseEstimator):
    """Note the trials it is fitted on, which are its first feature."""

    def __init__(self, C=1):
        self.C = C

    def fit(self, X, y):
        SEEN.append(X[:, 0])
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


@pytest.fixture
def data():
    trial = np.repeat(np.arange(24), 4)
    X = np.random.default_rng(0).standard_normal((96, 2, 32))
    X[:, 0, 0] = trial
    return EEGData.from_arrays(X, trial % 2, 32, trial=trial)


def run(estimator, data, **options):
    SEEN.clear()
    options = {"cv": TrialKFold(3), "random_state": 0, "progress": False} | options
    return compare(
        {"nested": make_pipeline(FunctionTransformer(flattened), estimator)}, data, **options
    )


@pytest.mark.parametrize("cv", [None, 3, GroupKFold(3)])
@pytest.mark.parametrize("nested", [GridSearchCV, CalibratedClassifierCV])
def test_inner_splits_do_not_divide_trials(cv, nested, data):
    options = {"param_grid": {"C": [1, 2]}} if nested is GridSearchCV else {}
    run(nested(Recorder(), cv=cv, **options), data)
    assert SEEN
    for trials in SEEN:
        assert (np.unique(trials, return_counts=True)[1] == 4).all()


def test_inner_splitters_that_divide_trials_are_refused(data):
    search = GridSearchCV(
        LogisticRegression(), {"C": [1]}, cv=KFold(3, shuffle=True, random_state=0)
    )
    with pytest.raises(LeakageError, match=r"KFold.* divides \d+ trials"):
        run(search, data)
    run(search, data, allow_leakage=True)


def test_early_stopping_after_a_step_that_returns_arrays_knows_the_trials(data, monkeypatch):
    seen = []
    split = EEGNetClassifier._validation_split

    def noted(self, y, groups, seed):
        train, valid = split(self, y, groups, seed)
        seen.append(np.intersect1d(groups[train], groups[valid]).size)
        return train, valid

    monkeypatch.setattr(EEGNetClassifier, "_validation_split", noted)
    network = EEGNetClassifier(max_epochs=1, early_stopping=True)
    pipeline = make_pipeline(FunctionTransformer(np.asarray), network)
    compare({"network": pipeline}, data, cv=TrialKFold(3), random_state=0, progress=False)
    assert seen == [0, 0, 0]


def test_outputs_say_that_leakage_cannot_be_told(data):
    unknown = EEGData.from_arrays(data.X, data.y, 32, trial=np.full(96, np.nan))
    comparison = compare(
        {"nothing": make_pipeline(FunctionTransformer(flattened), Recorder())},
        unknown, cv=TrialKFold(3), random_state=0, progress=False,
    )  # fmt: skip
    assert comparison.about.leakage == ""
    assert "'trial' is missing in 96 of 96 rows" in repr(comparison)
    assert set(comparison.summary()["note"]) == {"cannot tell whether it leaks"}
