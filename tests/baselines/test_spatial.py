"""Spatial filters of common patterns, source power and Xdawn against what is known of them."""

import logging
from concurrent.futures import ThreadPoolExecutor

import mne
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skeeg.baselines import CSP, SPoC, Xdawn, csp_lda, csp_svm, spoc_ridge, xdawn_lr
from skeeg.datasets import load_eegbci, load_muse, simulate_band_power_regression

from .support import CH_NAMES, SFREQ, trials

# ---------------------------------------------------------------- common spatial patterns


def test_csp_finds_simulated_sources():
    """Two sources whose variance depends on the class, mixed into six channels."""
    rng = np.random.default_rng(0)
    n_trials, n_times = 80, 300
    y = np.arange(n_trials) % 2
    sources = rng.standard_normal((n_trials, 6, n_times))
    sources[y == 0, 0] *= 4
    sources[y == 1, 1] *= 4
    mixing = rng.standard_normal((6, 6))
    fitted = csp_lda(n_components=2).fit(mixing @ sources, y)
    patterns = fitted["csp"].patterns_[:2]
    similarity = np.abs(
        (patterns / np.linalg.norm(patterns, axis=1, keepdims=True))
        @ (mixing[:, :2] / np.linalg.norm(mixing[:, :2], axis=0))
    )
    assert_allclose(np.sort(similarity.max(axis=0)), 1, atol=0.01)
    assert fitted.score(mixing @ sources, y) == 1


def test_csp_has_no_more_components_than_channels():
    X, y = trials()
    assert csp_lda(n_components=10).fit(X, y)["csp"].filters_.shape == (4, 4)
    assert csp_lda(n_components=10).fit(X, y)[:-1].transform(X).shape == (48, 4)


def test_csp_features_are_those_of_mne():
    X, y = trials()
    with mne.use_log_level("error"):
        theirs = mne.decoding.CSP(3, reg="oas", log=True).fit(X, y).transform(X)
    assert_array_equal(CSP(3, reg="oas", log=True).fit(X, y).transform(X), theirs)


@pytest.mark.parametrize("make", [csp_lda, csp_svm])
def test_a_flat_trial_gets_a_finite_feature(make):
    X, y = trials()
    X[3] = 0
    fitted = make().fit(X, y)
    features = fitted.named_steps["csp"].transform(fitted.named_steps["scale"].transform(X))
    assert_allclose(features[3], np.log(np.finfo(float).eps))
    assert fitted.predict(X[3:4]).shape == (1,)


def test_filtering_within_the_pipeline_frees_csp_of_a_strong_drift():
    X, y = trials()
    rng = np.random.default_rng(2)
    drift = 50 * rng.standard_normal((48, 4, 1)) * np.sin(np.pi * np.arange(256) / 256)
    cv = StratifiedKFold(4)
    score = cross_val_score(csp_lda(bands=[(8, 30)], sfreq=SFREQ), X + drift, y, cv=cv).mean()
    assert score > 0.85


@pytest.mark.parametrize("make", [csp_lda, csp_svm, spoc_ridge])
@pytest.mark.parametrize("arguments", [{"bands": [(8, 30)]}, {"sfreq": 128}])
def test_bands_and_rate_go_together(make, arguments):
    with pytest.raises(ValueError, match="bands and sfreq must be passed together"):
        make(**arguments)


# ---------------------------------------------------------------- source power comodulation


def test_spoc_finds_the_source_whose_power_follows_the_target():
    data = simulate_band_power_regression(1, 1, 1, 120, r2=1.0, random_state=0)
    fitted = spoc_ridge(n_components=1, bands=[(8, 13)], sfreq=128).fit(data, data.y)
    pattern = np.abs(fitted["spoc"].patterns_[0])
    assert data.ch_names[pattern.argmax()] in ("Pz", "CPz", "POz", "P1", "P2")
    assert fitted.score(data, data.y) > 0.9


def test_spoc_features_are_those_of_mne():
    X, _ = trials()
    y = np.random.default_rng(0).standard_normal(len(X))
    with mne.use_log_level("error"):
        theirs = mne.decoding.SPoC(3, reg="oas", log=True).fit(X, y).transform(X)
    ours = SPoC(3, reg="oas", log=True).fit(X, y).transform(X)
    assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


# ---------------------------------------------------------------- epochs


@pytest.mark.parametrize("filters", [CSP(2), SPoC(2), Xdawn(2, reg="oas")])
def test_epochs_may_come_whole_or_in_the_list_that_scikit_learn_cuts_them_into(filters):
    X, y = trials(n_trials=24)
    epochs = mne.EpochsArray(X, mne.create_info(CH_NAMES, SFREQ, "eeg"), verbose="error")
    expected = clone(filters).fit(X, y).transform(X)
    for cut in (epochs, [epochs[i] for i in range(24)]):
        assert_allclose(clone(filters).fit(cut, y).transform(cut), expected, rtol=1e-9, atol=1e-12)
        assert_allclose(clone(filters).fit_transform(cut, y), expected, rtol=1e-9, atol=1e-12)
    pipeline = make_pipeline(filters, mne.decoding.Vectorizer(), LinearDiscriminantAnalysis())
    scores = [cross_val_score(pipeline, Z, y, cv=3, error_score="raise") for Z in (X, epochs)]
    assert_array_equal(scores[0], scores[1])


# ---------------------------------------------------------------- MNE's messages


@pytest.mark.parametrize("make", [csp_lda, xdawn_lr])
def test_fitting_says_nothing(make, capsys):
    X, y = trials()
    with mne.use_log_level("info"):
        make().fit(X, y)
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_threads_that_fit_at_once_leave_the_log_level_as_it_was():
    X, y = trials()
    before = logging.getLogger("mne").level
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: csp_lda().fit(X, y), range(8)))
    assert logging.getLogger("mne").level == before


# ---------------------------------------------------------------- evoked responses


def test_xdawn_finds_rare_targets_because_classes_weigh_the_same():
    X, y = trials(n_trials=300)
    keep = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:30]]
    X_new, y_new = trials(seed=1)

    def recall(pipeline):
        return np.mean(pipeline.fit(X[keep], y[keep]).predict(X_new)[y_new == 1] == 1)

    assert recall(xdawn_lr()) > 0.9
    assert recall(xdawn_lr().set_params(lr__class_weight=None)) < 0.5


def test_xdawn_without_labels_is_one_class():
    X, _ = trials()
    assert Xdawn(2, reg="oas").fit(X).transform(X).shape == (48, 2, 256)


# ---------------------------------------------------------------- real recordings


def _score(pipeline, data, column, scoring=None):
    groups = data.nested_groups(column)
    cv = LeaveOneGroupOut()
    return cross_val_score(pipeline, data, data.y, groups=groups, cv=cv, scoring=scoring).mean()


def test_csp_on_imagined_fists_and_feet_run_by_run(recordings):
    """45 trials of subject 1, of which the data's README finds 0.97; chance is 0.5."""
    data = load_eegbci(recordings("eegmmidb"), task="fists_feet", subjects=1)
    assert _score(csp_lda(), data, "run") >= 0.93


def test_a_broad_recording_is_filtered_by_the_pipeline(recordings):
    data = load_eegbci(recordings("eegmmidb"), task="fists_feet", subjects=1, fmin=1, fmax=40)
    assert _score(csp_lda(), data, "run") < 0.75
    assert _score(csp_lda(bands=[(8, 30)], sfreq=data.sfreq), data, "run") >= 0.85


@pytest.mark.parametrize(("task", "folder", "floor"), [
    ("left_right", "left-right", 0.80), ("p300", "p300", 0.69),
])  # fmt: skip
def test_xdawn_on_a_headband_run_by_run(recordings, task, folder, floor):
    data = load_muse(recordings("muse") / folder, task=task)
    assert _score(xdawn_lr(), data, "run", "roc_auc") >= floor
