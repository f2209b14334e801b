"""EEGData warns once if it is divided so that windows of one trial are in both parts."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    permutation_test_score,
    train_test_split,
)
from sklearn.utils import resample

from skeeg import EEGData, compare
from skeeg.model_selection import (
    BlockwiseKFold,
    LeaveSubjectsOut,
    ShuffledSegmentKFold,
    TrialKFold,
    WithinSubject,
    check_leakage,
)


@pytest.fixture
def data():
    trial = np.tile(np.repeat(np.arange(12), 4), 2)
    X = np.random.default_rng(0).standard_normal((96, 2, 16))
    subject = np.repeat([1, 2], 48)
    return EEGData.from_arrays(X, trial % 2, 16, subject=subject, run=1, trial=trial)


def scores(data, cv, **options):
    return cross_val_score(DummyClassifier(), data, data.y, cv=cv, **options)


@pytest.mark.parametrize("divide", [
    lambda data: scores(data, KFold(5, shuffle=True, random_state=0)),
    lambda data: scores(data, StratifiedKFold(5)),
    lambda data: scores(data, KFold(5, shuffle=True, random_state=0), n_jobs=2),
    lambda data: cross_val_predict(DummyClassifier(), data, data.y, cv=KFold(7)),
    lambda data: train_test_split(data, random_state=0),
    lambda data: (data[np.arange(0, 96, 2)], data[np.arange(1, 96, 2)]),
], ids=["KFold", "stratified", "threads", "predict", "train_test_split", "by hand"])  # fmt: skip
def test_a_split_that_divides_trials_warns_once(divide, data):
    from joblib import parallel_config

    with parallel_config(backend="threading"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        divide(data)
    texts = [str(w.message) for w in caught if "trials in common" in str(w.message)]
    assert len(texts) == 1
    assert "TrialKFold()" in texts[0]


def by_trial(data, cv):
    return scores(data, cv, groups=data.groups("trial"))


@pytest.mark.parametrize("harmless", [
    lambda data: scores(data, TrialKFold(3)),
    lambda data: scores(data, TrialKFold(3, shuffle=True, random_state=0)),
    lambda data: scores(data, LeaveSubjectsOut()),
    lambda data: scores(data, WithinSubject(3)),
    lambda data: scores(data, ShuffledSegmentKFold(3, random_state=0, allow_leakage=True)),
    lambda data: scores(
        data[data.groups("subject") == 1],
        WithinSubject(ShuffledSegmentKFold(3, random_state=0, allow_leakage=True)),
    ),
    lambda data: by_trial(data, GroupKFold(3)),
    lambda data: by_trial(data, StratifiedGroupKFold(3)),
    lambda data: by_trial(data, GroupShuffleSplit(3, random_state=0)),
    lambda data: scores(data, GroupKFold(2), groups=data.groups("subject")),
    lambda data: learning_curve(DummyClassifier(), data, data.y, cv=TrialKFold(3)),
    lambda data: permutation_test_score(
        DummyClassifier(), data, data.y, cv=TrialKFold(3), n_permutations=5
    ),
    lambda data: [resample(data, random_state=i) for i in range(20)],
    lambda data: [data[np.arange(i, i + 10)] for i in range(0, 90, 10)],
    lambda data: [data[i] for i in range(96)],
    lambda data: (data[:50], data[50:]),
    lambda data: (data[data.y == 0], data[data.y == 1]),
    lambda data: (data[np.flatnonzero(data.y == 0)], data[np.flatnonzero(data.y == 1)]),
    lambda data: data[np.random.default_rng(0).permutation(96)],
    lambda data: compare({"d": DummyClassifier()}, data, random_state=0, progress=False),
    lambda data: compare(
        {"d": DummyClassifier()}, data, cv=KFold(3, shuffle=True, random_state=0),
        allow_leakage=True, random_state=0, progress=False,
    ),
    lambda data: (
        check_leakage(KFold(3), data, allow_leakage=True), scores(data, KFold(3)),
    ),
])  # fmt: skip
def test_no_false_alarm(harmless, data):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*trials in common")
        harmless(data)


def test_no_false_alarm_with_one_row_for_each_trial_or_mixed_labels():
    X = np.zeros((24, 1, 16))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*trials in common")
        alone = EEGData.from_arrays(X, np.arange(24) % 2, 16, trial=np.arange(24))
        scores(alone, KFold(3, shuffle=True, random_state=0))
        scores(EEGData.from_arrays(X, np.arange(24) % 2, 16), KFold(3))
        mixed = EEGData.from_arrays(X, np.arange(24) % 2, 16, trial=np.arange(24) // 4)
        for label in (0, 1):
            mixed[np.flatnonzero(mixed.y == label)]
        for rows in BlockwiseKFold(3).split(mixed, mixed.y):
            assert rows


def test_selecting_rows_does_not_change_the_data(data):
    before = pickle.dumps(data)
    data[np.arange(40)]
    assert pickle.dumps(data) == before
