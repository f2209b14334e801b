"""AdaptedClassifier and AdaptedRegressor: a network adapted to each domain that it predicts."""

from __future__ import annotations

import copy
import pickle

import mne
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from skeeg import EEGData
from skeeg.adaptation import AdaptedClassifier, AdaptedRegressor
from skeeg.ensemble import EnsembleClassifier
from skeeg.estimators import (
    EEGNetClassifier,
    EEGNetRegressor,
    ShallowConvNetClassifier,
    expected_failed_checks,
)
from skeeg.evaluation import compare
from skeeg.features import UnitScaler
from skeeg.model_selection import LeaveSubjectsOut

RNG = np.random.default_rng(0)
GAINS = {"A": 1.0, "B": 5.0, "C": 0.2}
SUBJECTS = np.array(list("ABC"))[np.arange(18) % 3]  # interleaved
X = (RNG.standard_normal((18, 3, 64)) * [[[GAINS[who]]] for who in SUBJECTS]).astype(np.float32)
LABELS = np.array(["left", "right"])[np.arange(18) // 3 % 2]
DATA = EEGData.from_arrays(X, LABELS, sfreq=64, subject=SUBJECTS)
NETWORK = EEGNetClassifier(max_epochs=1, random_state=0)


def by_hand(fitted, data):
    """Predictions of copies that are adapted to one subject each."""
    proba = np.empty((len(data), 2), dtype=np.float32)
    for who in np.unique(data.groups("subject")):
        own = data.groups("subject") == who
        proba[own] = copy.deepcopy(fitted).adapt(data[own]).predict_proba(data[own])
    return proba


def test_each_subject_is_predicted_by_a_network_adapted_to_it():
    adapted = AdaptedClassifier(NETWORK).fit(DATA, LABELS)
    plain = clone(NETWORK).fit(DATA, LABELS)
    proba = adapted.predict_proba(DATA)
    assert_array_equal(proba, by_hand(plain, DATA))
    assert_array_equal(adapted.predict(DATA), adapted.classes_[proba.argmax(axis=1)])
    # Predictions change nothing.
    assert_array_equal(adapted.estimator_.predict_proba(DATA), plain.predict_proba(DATA))
    assert_array_equal(adapted.predict_proba(DATA), proba)
    assert_array_equal(pickle.loads(pickle.dumps(adapted)).predict_proba(DATA), proba)


def test_trials_of_arrays_are_one_domain():
    adapted = AdaptedClassifier(NETWORK).fit(X, LABELS)
    expected = copy.deepcopy(adapted.estimator_).adapt(X[:9]).predict_proba(X[:9])
    assert_array_equal(adapted.predict_proba(X[:9]), expected)


def test_gain_of_a_new_subject_does_not_matter():
    adapted = AdaptedClassifier(NETWORK).fit(X, LABELS)
    assert_allclose(adapted.predict_proba(1e5 * X), adapted.predict_proba(X), atol=1e-4)
    kept = AdaptedClassifier(NETWORK, rescale=False).fit(X, LABELS)
    assert kept.estimator_.scale_ == adapted.estimator_.scale_
    expected = copy.deepcopy(kept.estimator_).adapt(2 * X, rescale=False).predict_proba(2 * X)
    assert_array_equal(kept.predict_proba(2 * X), expected)


def test_domains_are_columns_of_the_metadata_of_epochs_too():
    info = mne.create_info(["C3", "Cz", "C4"], 64, "eeg")
    metadata = pd.DataFrame({"run": [1] * 9 + [2] * 9})
    epochs = mne.EpochsArray(X.astype(float), info, metadata=metadata, verbose="error")
    adapted = AdaptedClassifier(NETWORK, domain="run").fit(epochs, LABELS)
    proba = adapted.predict_proba(epochs)
    expected = copy.deepcopy(adapted.estimator_).adapt(epochs[:9]).predict_proba(epochs[:9])
    assert_allclose(proba[:9], expected, atol=1e-6)
    with pytest.raises(ValueError, match="no column 'subject'"):
        AdaptedClassifier(NETWORK).fit(epochs, LABELS).predict(epochs)


def test_pipelines_ensembles_and_regressors_are_adapted():
    pipeline = make_pipeline(UnitScaler(), NETWORK)
    adapted = AdaptedClassifier(pipeline).fit(X, LABELS)
    trials = adapted.estimator_[:-1].transform(X)
    expected = copy.deepcopy(adapted.estimator_[-1]).adapt(trials).predict_proba(trials)
    assert_array_equal(adapted.predict_proba(X), expected)

    ensemble = EnsembleClassifier(EEGNetClassifier(max_epochs=1), n_members=2, random_state=0)
    averaged = AdaptedClassifier(ensemble).fit(X, LABELS)
    members = [copy.deepcopy(m).adapt(X) for m in averaged.estimator_.estimators_]
    assert_array_equal(
        averaged.predict_proba(X), np.mean([m.predict_proba(X) for m in members], axis=0)
    )

    regressor = AdaptedRegressor(EEGNetRegressor(max_epochs=1, random_state=0))
    regressor.fit(DATA, X[:, :2, 0])
    assert regressor.predict(DATA).shape == (18, 2)


def test_searches_and_cross_validation_reach_the_network():
    search = GridSearchCV(AdaptedClassifier(NETWORK), {"estimator__max_epochs": [1, 2]}, cv=2)
    search.fit(X, LABELS)
    fitted = search.best_estimator_.estimator_
    assert len(fitted.history) == search.best_params_["estimator__max_epochs"]
    predicted = cross_val_predict(
        AdaptedClassifier(NETWORK), DATA, LABELS, cv=LeaveOneGroupOut(), groups=SUBJECTS
    )
    own = SUBJECTS == "A"
    fitted = clone(NETWORK).fit(DATA[~own], LABELS[~own]).adapt(DATA[own])
    assert_array_equal(predicted[own], fitted.predict(DATA[own]))


def test_compare_says_that_it_is_transductive():
    comparison = compare(
        {"adapted": AdaptedClassifier(NETWORK), "as is": NETWORK}, DATA, cv=LeaveSubjectsOut(1)
    )
    assert "adapted (AdaptedClassifier)" in comparison.transductive
    assert "as is" not in comparison.transductive


def test_what_cannot_be_adapted_is_refused_in_fit():
    with pytest.raises(TypeError, match=r"LogisticRegression"):
        AdaptedClassifier(LogisticRegression()).fit(X[:, 0], LABELS)
    with pytest.raises(TypeError, match=r"EEGNetRegressor"):
        AdaptedClassifier(EEGNetRegressor()).fit(X, LABELS)
    with pytest.raises(ValueError, match="domain must be"):
        AdaptedClassifier(NETWORK, domain=3).fit(X, LABELS)
    with pytest.raises(NotFittedError):
        AdaptedClassifier(NETWORK).predict(X)
    assert not hasattr(AdaptedClassifier(NETWORK), "classes_")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_check_estimator_passes():
    # A network without a long front end, which is trained quickly.
    network = ShallowConvNetClassifier(max_epochs=1, n_temporal_filters=4, random_state=0)
    estimator = AdaptedClassifier(network)
    results = check_estimator(
        estimator, expected_failed_checks=expected_failed_checks(estimator), on_fail=None
    )
    assert not {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert {r["check_name"] for r in results if r["status"] == "xfail"} <= {
        "check_methods_subset_invariance",
        "check_sample_weight_equivalence_on_dense_data",
    }
