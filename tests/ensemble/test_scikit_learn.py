"""Ensembles among the tools of scikit-learn: searches, pipelines, routing, processes, pickles."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skeeg import EEGData
from skeeg.ensemble import EnsembleClassifier, EnsembleRegressor
from skeeg.estimators import EEGNetClassifier, EEGNetRegressor, LeNetClassifier
from skeeg.evaluation import compare
from skeeg.features import UnitScaler
from skeeg.layers import TemporalSpatialFilter
from skeeg.model_selection import TrialKFold

RNG = np.random.default_rng(0)
X = RNG.standard_normal((24, 3, 64)).astype(np.float32)
LABELS = np.array(["left", "right"])[np.arange(24) % 2]
GROUPS = np.arange(24) // 4
WEIGHTS = RNG.uniform(0.1, 2, 24)


def pair(**params):
    """An ensemble of two small networks."""
    network = EEGNetClassifier(**{"max_epochs": 2} | params)
    return EnsembleClassifier(network, n_members=2, random_state=0)


def assert_members_are_single_fits(ensemble, make, *args, **kwargs):
    for member, seed in zip(ensemble.estimators_, ensemble.seeds_, strict=True):
        alone = make(seed).fit(*args, **kwargs)
        assert_array_equal(member.predict_proba(X), alone.predict_proba(X))


@pytest.mark.parametrize(
    "params", [{}, {"early_stopping": True, "class_weight": "balanced"}, {"n_selected_chans": 2}]
)
def test_members_are_single_fits_with_weights_and_groups(params):
    ensemble = pair(**params).fit(X, LABELS, sample_weight=WEIGHTS, groups=GROUPS)

    def make(seed):
        return EEGNetClassifier(max_epochs=2, random_state=seed, **params)

    assert_members_are_single_fits(ensemble, make, X, LABELS, sample_weight=WEIGHTS, groups=GROUPS)
    alone = [member.predict_proba(X[:5]) for member in ensemble.estimators_]
    assert_array_equal(ensemble.predict_proba(X[:5]), np.mean(alone, axis=0))


def test_groups_reach_the_validation_split_of_members():
    parts = []

    class Recorded(EEGNetClassifier):
        def _validation_split(self, y, groups, seed):
            train, valid = super()._validation_split(y, groups, seed)
            parts.append((set(groups[train]), set(groups[valid])))
            return train, valid

    network = Recorded(max_epochs=1, early_stopping=True)
    EnsembleClassifier(network, n_members=2, random_state=0).fit(X, LABELS, groups=GROUPS)
    assert len(parts) == 2
    assert all(valid and not train & valid for train, valid in parts)


def test_trials_are_checked_and_precomputed_once(monkeypatch):
    calls = {"precompute": 0, "check": 0}
    precompute, check = TemporalSpatialFilter.precompute_trials, EEGNetClassifier._check_targets

    def counted(self, x):
        calls["precompute"] += 1
        return precompute(self, x)

    def checked(self, y):
        calls["check"] += 1
        return check(self, y)

    monkeypatch.setattr(TemporalSpatialFilter, "precompute_trials", counted)
    monkeypatch.setattr(EEGNetClassifier, "_check_targets", checked)
    ensemble = pair().fit(X, LABELS)
    assert calls == {"precompute": 1, "check": 1}
    first, second = ensemble.estimators_
    assert first.scale_ == second.scale_
    assert len(first.history) == len(second.history) == 2


def test_members_with_another_scale_see_trials_of_their_own():
    ensemble = EnsembleClassifier(
        EEGNetClassifier(max_epochs=1), n_members=1, random_state=0, warm_start=True
    ).fit(X, LABELS)
    ensemble.set_params(n_members=2).fit(2 * X, LABELS)
    first, second = ensemble.estimators_
    assert second.scale_ == pytest.approx(2 * first.scale_)
    expected = np.mean([member.predict_proba(X) for member in (first, second)], axis=0)
    assert_array_equal(ensemble.predict_proba(X), expected)


def test_parallel_members_equal_sequential_ones():
    sequential = pair().fit(X, LABELS)
    parallel = pair().set_params(n_jobs=2).fit(X, LABELS)
    assert_array_equal(parallel.predict_proba(X), sequential.predict_proba(X))
    parallel.partial_fit(X, LABELS)
    assert [len(member.history) for member in parallel.estimators_] == [4, 4]


def test_grid_search_reaches_the_parameters_of_members():
    search = GridSearchCV(pair(), {"estimator__lr": [1e-3, 1e-2], "n_members": [1, 2]}, cv=2).fit(
        X, LABELS
    )
    best = search.best_estimator_
    assert best.estimators_[0].lr == search.best_params_["estimator__lr"]
    assert len(best.estimators_) == search.best_params_["n_members"]


def test_pipelines_are_members_and_hold_ensembles():
    member = make_pipeline(UnitScaler(), EEGNetClassifier(max_epochs=1))
    of_pipelines = EnsembleClassifier(member, n_members=2, random_state=0)
    of_pipelines.fit(X, LABELS, eegnetclassifier__sample_weight=WEIGHTS)
    seeds = [fitted[-1].random_state for fitted in of_pipelines.estimators_]
    assert seeds == of_pipelines.seeds_
    proba = of_pipelines.predict_proba(X)
    around = make_pipeline(UnitScaler(), pair(max_epochs=1))
    around.fit(X, LABELS, ensembleclassifier__sample_weight=WEIGHTS)
    assert_array_equal(around.predict_proba(X), proba)


def test_metadata_are_routed_to_members():
    requested = EEGNetClassifier(max_epochs=1)
    with sklearn.config_context(enable_metadata_routing=True):
        requested.set_fit_request(sample_weight=True, groups=True)
        ensemble = EnsembleClassifier(requested, n_members=2, random_state=0)
        scores = cross_val_score(
            ensemble, X, LABELS, cv=GroupKFold(2), params={"groups": GROUPS}, error_score="raise"
        )
        assert np.isfinite(scores).all()
        ensemble.fit(X, LABELS, sample_weight=WEIGHTS)
        silent = EnsembleClassifier(EEGNetClassifier(max_epochs=1), n_members=2)
        with pytest.raises(ValueError, match="sample_weight"):
            silent.fit(X, LABELS, sample_weight=WEIGHTS)
    assert_members_are_single_fits(
        ensemble,
        lambda seed: EEGNetClassifier(max_epochs=1, random_state=seed),
        X,
        LABELS,
        sample_weight=WEIGHTS,
    )


def test_compare_takes_ensembles():
    data = EEGData.from_arrays(X, LABELS, sfreq=64, subject="S1")
    comparison = compare({"two": pair(max_epochs=1)}, data, cv=TrialKFold(2))
    assert comparison.scores["estimator"].unique().tolist() == ["two"]
    assert len(comparison.scores) == 2


def test_pickle_predicts_the_same_in_a_new_process(tmp_path):
    ensemble = pair().fit(X, LABELS)
    (tmp_path / "ensemble.pkl").write_bytes(pickle.dumps((ensemble, X)))
    code = (
        "import pickle, sys; from pathlib import Path\n"
        "folder = Path(sys.argv[1])\n"
        "ensemble, X = pickle.loads((folder / 'ensemble.pkl').read_bytes())\n"
        "assert [len(m.history) for m in ensemble.estimators_] == [2, 2]\n"
        "(folder / 'proba.pkl').write_bytes(pickle.dumps(ensemble.predict_proba(X)))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert_array_equal(
        pickle.loads((tmp_path / "proba.pkl").read_bytes()), ensemble.predict_proba(X)
    )


def test_random_state_may_be_a_generator():
    network = EEGNetClassifier(max_epochs=1)
    first, second = (
        EnsembleClassifier(network, n_members=2, random_state=np.random.RandomState(3))
        .fit(X, LABELS)
        .predict_proba(X)
        for _ in range(2)
    )
    assert_array_equal(first, second)


def test_regressors_decode_each_member():
    target = 100 + X[:, :2].mean(axis=2)
    ensemble = EnsembleRegressor(EEGNetRegressor(max_epochs=1), n_members=2, random_state=0)
    ensemble.fit(X, target)
    expected = np.mean([member.predict(X) for member in ensemble.estimators_], axis=0)
    assert ensemble.predict(X).shape == (24, 2)
    assert_array_equal(ensemble.predict(X), expected)


def test_names_of_columns_are_those_of_the_members():
    table = pd.DataFrame(X.reshape(24, -1)[:, :16]).add_prefix("feature ")
    ensemble = EnsembleClassifier(LeNetClassifier(max_epochs=1), n_members=2, random_state=0)
    assert not hasattr(ensemble, "feature_names_in_")
    assert not hasattr(ensemble, "n_features_in_")
    ensemble.fit(table, LABELS)
    assert ensemble.feature_names_in_.tolist() == table.columns.tolist()
    assert ensemble.n_features_in_ == 16


def test_what_cannot_be_averaged_is_refused():
    with pytest.raises(TypeError, match=r"EEGNetRegressor.*classifier with predict_proba"):
        EnsembleClassifier(EEGNetRegressor()).fit(X, LABELS)
    with pytest.raises(TypeError, match=r"EEGNetClassifier.*a regressor"):
        EnsembleRegressor(EEGNetClassifier()).fit(X, X[:, 0, 0])


def test_members_without_a_seed_are_warned_of():
    class Unseeded(LogisticRegression):
        def __init__(self, C=1.0):
            super().__init__(C=C)

    with pytest.warns(UserWarning, match="Unseeded has no random_state"):
        EnsembleClassifier(Unseeded(), n_members=2).fit(X[:, 0], LABELS)
