"""Splits inside an estimator keep the windows of a trial together."""

from __future__ import annotations

from html import unescape

import mne
import numpy as np
import pytest
from mne.decoding import Scaler
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skeeg import Comparison, EEGData, EEGNetClassifier, LeakageError, compare
from skeeg.cli.output import show
from skeeg.features import FilterBank, UnitScaler
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


INFO = mne.create_info(2, 32, "eeg")
STEPS = {
    "bare": [],
    "array": [FunctionTransformer(np.asarray)],
    "unit scaler": [UnitScaler()],
    "filters": [FilterBank(sfreq=32, bands=[(4, 12)])],
    "scaler of MNE": [FunctionTransformer(np.asarray), Scaler(INFO)],
    "nested": [make_pipeline(UnitScaler(), FunctionTransformer(np.asarray))],
}


@pytest.mark.parametrize("jitter", [0, 1e-12], ids=["exact", "jitter"])
@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_early_stopping_after_any_step_knows_the_trials(steps, jitter, data, monkeypatch):
    seen = []
    split = EEGNetClassifier._validation_split

    def noted(self, y, groups, seed):
        train, valid = split(self, y, groups, seed)
        seen.append((len(np.unique(groups)), np.intersect1d(groups[train], groups[valid]).size))
        return train, valid

    monkeypatch.setattr(EEGNetClassifier, "_validation_split", noted)
    trial = data.metadata["trial"] + jitter * (np.arange(96) % 4)
    moved = EEGData.from_arrays(data.X, data.y, 32, trial=trial)
    network = EEGNetClassifier(max_epochs=1, early_stopping=True)
    pipeline = make_pipeline(*steps, network)
    compare({"network": pipeline}, moved, cv=TrialKFold(2), random_state=0, progress=False)
    assert seen == [(12, 0)] * 2
    seen.clear()
    network.fit(moved, moved.y)
    assert seen == [(24, 0)]


def test_all_outputs_say_that_leakage_cannot_be_told(data, tmp_path, capsys):
    unknown = EEGData.from_arrays(data.X, data.y, 32, trial=np.full(96, np.nan))
    comparison = compare(
        {"nothing": make_pipeline(FunctionTransformer(flattened), Recorder())},
        unknown, cv=TrialKFold(3), random_state=0, progress=False,
    )  # fmt: skip
    assert comparison.about.leakage == ""
    text = "'trial' is missing in 96 of 96 rows"
    assert text in repr(comparison)
    for frame in (comparison.scores, comparison.predictions, comparison.summary()):
        assert set(frame["note"]) == {"cannot tell whether it leaks"}
    loaded = Comparison.load(comparison.save(tmp_path / "saved"))
    assert loaded.about.leakage_unknown == comparison.about.leakage_unknown
    assert loaded.leakage == comparison.leakage
    html = loaded.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "(cannot tell whether it leaks)" in html
    assert text in unescape(html)
    show(loaded)
    shown = " ".join(capsys.readouterr().out.split())
    assert "(cannot tell whether it leaks)" in shown
    assert text in shown
