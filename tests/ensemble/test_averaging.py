"""Ensembles equal the mean of fits with their seeds."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skeeg.ensemble import EnsembleClassifier, EnsembleRegressor
from skeeg.estimators import EEGNetClassifier, EEGNetRegressor

RNG = np.random.default_rng(0)
X = RNG.standard_normal((24, 3, 64)).astype(np.float32)
LABELS = np.array(["left", "right"])[np.arange(24) % 2]


def test_members_equal_fits_with_their_seeds():
    ensemble = EnsembleClassifier(EEGNetClassifier(max_epochs=2), n_members=2, random_state=3)
    ensemble.fit(X, LABELS)
    alone = [
        EEGNetClassifier(max_epochs=2, random_state=seed).fit(X, LABELS).predict_proba(X)
        for seed in ensemble.seeds_
    ]
    assert ensemble.seeds_[0] != ensemble.seeds_[1]
    assert_array_equal(ensemble.predict_proba(X), np.mean(alone, axis=0))
    assert set(ensemble.predict(X)) <= {"left", "right"}
    assert_array_equal(pickle.loads(pickle.dumps(ensemble)).predict(X), ensemble.predict(X))
    assert_array_equal(clone(ensemble).fit(X, LABELS).predict_proba(X), ensemble.predict_proba(X))


def test_warm_start_keeps_members_and_adds_others():
    estimator = EEGNetClassifier(max_epochs=1)
    grown = EnsembleClassifier(estimator, n_members=1, random_state=0, warm_start=True)
    first = grown.fit(X, LABELS).estimators_[0]
    grown.set_params(n_members=2).fit(X, LABELS)
    assert grown.estimators_[0] is first
    at_once = EnsembleClassifier(estimator, n_members=2, random_state=0).fit(X, LABELS)
    assert_array_equal(grown.predict_proba(X), at_once.predict_proba(X))
    with pytest.raises(ValueError, match="only added"):
        grown.set_params(n_members=1).fit(X, LABELS)


def test_predict_before_fit_is_an_error():
    with pytest.raises(NotFittedError):
        EnsembleClassifier(EEGNetClassifier()).predict(X)


def test_regressor_averages_predictions():
    target = X[:, 0].mean(axis=1)
    ensemble = EnsembleRegressor(EEGNetRegressor(max_epochs=1), n_members=2, random_state=0)
    ensemble.fit(X, target)
    expected = np.mean([member.predict(X) for member in ensemble.estimators_], axis=0)
    assert_array_equal(ensemble.predict(X), expected)


def test_partial_fit_trains_members_further():
    ensemble = EnsembleClassifier(EEGNetClassifier(max_epochs=1), n_members=2, random_state=0)
    ensemble.partial_fit(X, LABELS).partial_fit(X, LABELS)
    assert [len(member.history) for member in ensemble.estimators_] == [2, 2]


def test_error_names_the_member():
    ensemble = EnsembleClassifier(EEGNetClassifier(max_epochs=-1), n_members=2, random_state=0)
    with pytest.raises(ValueError, match="max_epochs") as caught:
        ensemble.fit(X, LABELS)
    assert "member 0" in caught.value.__notes__[0]
