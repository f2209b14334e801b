"""The baselines are ordinary pipelines, find what is there, and take what the networks take."""

import json
import logging
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import mne
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    LeaveOneGroupOut,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from skeeg import EEGData
from skeeg.baselines import (
    CSP,
    Xdawn,
    band_power_lr,
    band_power_mlp,
    band_power_svm,
    csp_lda,
    csp_svm,
    tangent_space_lr,
    xdawn_lr,
)
from skeeg.datasets import load_eegbci, load_eegmat, load_muse, load_ssvep_exoskeleton

SFREQ = 128.0

BASELINES = {
    "csp_lda": csp_lda,
    "csp_lda with bands": lambda: csp_lda(bands=[(8, 30)], sfreq=SFREQ),
    "csp_svm": csp_svm,
    "band_power_lr": lambda: band_power_lr(SFREQ),
    "band_power_svm": lambda: band_power_svm(SFREQ),
    "band_power_mlp": lambda: band_power_mlp(SFREQ, random_state=0),
    "tangent_space_lr": tangent_space_lr,
    "tangent_space_lr with bands": lambda: tangent_space_lr(bands=[(8, 13), (13, 30)], sfreq=SFREQ),
    "xdawn_lr": xdawn_lr,
}
CH_NAMES = ["C3", "Cz", "C4", "Pz"]


@pytest.fixture(params=BASELINES.values(), ids=BASELINES.keys())
def pipeline(request):
    if "tangent" in request.node.name:
        pytest.importorskip("pyriemann", reason="pyRiemann comes with the extra 'riemann'")
    return request.param()


def trials(n_trials=48, n_classes=2, n_times=256, seed=0):
    """Noise; in the channel that is the trial's class a 12-Hz rhythm and an evoked response."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_trials) % n_classes
    X = rng.standard_normal((n_trials, len(CH_NAMES), n_times))
    seconds = np.arange(n_times) / SFREQ
    phase = rng.uniform(0, 2 * np.pi, (n_trials, 1))
    X[np.arange(n_trials), y] += 1.5 * np.sin(2 * np.pi * 12 * seconds + phase)
    X[np.arange(n_trials), y] += 3 * np.exp(-(((seconds - 0.4) / 0.1) ** 2))
    return X, y


# What scikit-learn itself answers for: any Pipeline of it fails these.
_PIPELINE = {
    "check_estimators_overwrite_params": "a Pipeline fits its steps in place",
    "check_dont_overwrite_parameters": "a Pipeline fits its steps in place",
}
_NO_RHYTHM = {"check_classifiers_train": "the blobs' classes differ in level, not in power"}
_EXPECTED = {
    "power": _NO_RHYTHM,
    "csp": _NO_RHYTHM,
    "tangent_space": _NO_RHYTHM,
    "lda": {"check_transformer_preserve_dtypes": "an array of three axes fits no data frame"},
    "covariance": dict.fromkeys(
        (
            "check_estimators_dtypes",
            "check_classifier_data_not_an_array",
            "check_fit2d_1feature",
        ),
        "a flat trial has no positive definite covariance",
    ),
}


def _expected_failures(pipeline):
    return _PIPELINE | {
        check: reason
        for step, checks in _EXPECTED.items()
        if step in pipeline.named_steps
        for check, reason in checks.items()
    }


def _checked():
    pipelines = [csp_lda(), band_power_svm(SFREQ), xdawn_lr()]
    try:
        return [*pipelines, tangent_space_lr()]
    except ImportError:
        return pipelines


@pytest.mark.filterwarnings("ignore:Segments of")
@parametrize_with_checks(_checked(), expected_failed_checks=_expected_failures)
def test_scikit_learns_checks_pass_as_far_as_pipelines_do(estimator, check):
    check(estimator)


def test_every_baseline_is_a_plain_pipeline(pipeline):
    assert type(pipeline) is Pipeline


def test_every_baseline_finds_what_is_there(pipeline):
    X, y = trials()
    cv = StratifiedKFold(4)
    assert cross_val_score(pipeline, X, y, cv=cv).mean() > 0.8


def test_three_classes_named_by_strings(pipeline):
    X, y = trials(n_trials=60, n_classes=3)
    labels = np.array(["feet", "left", "right"])[y]
    fitted = pipeline.fit(X, labels)
    assert_array_equal(fitted.classes_, ["feet", "left", "right"])
    X_new, y_new = trials(n_trials=30, n_classes=3, seed=1)
    predicted = fitted.predict(X_new)
    assert set(predicted) <= set(labels)
    assert np.mean(predicted == np.array(["feet", "left", "right"])[y_new]) > 0.8


def test_every_container_scores_the_same(pipeline):
    X, y = trials(n_trials=24)
    X = X.astype(np.float32).astype(float)  # what EEGData holds
    info = mne.create_info(CH_NAMES, SFREQ, "eeg")
    epochs = mne.EpochsArray(X, info, verbose="error")
    data = EEGData.from_arrays(X, y, SFREQ, CH_NAMES)
    scores = [cross_val_score(pipeline, Z, y, cv=2, error_score="raise") for Z in (X, epochs, data)]
    assert_array_equal(scores[0], scores[1])
    assert_array_equal(scores[0], scores[2])


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_the_unit_makes_no_difference(pipeline, factor):
    X, y = trials()
    X_new, _ = trials(seed=1)
    expected = clone(pipeline).fit(X, y).predict(X_new)
    assert_array_equal(pipeline.fit(factor * X, y).predict(factor * X_new), expected)


def test_clones_and_pickles_predict_alike(pipeline):
    X, y = trials()
    fitted = pipeline.fit(X, y)
    expected = fitted.predict(X)
    assert_array_equal(clone(pipeline).fit(X, y).predict(X), expected)
    assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), expected)


def test_one_trial_is_enough_to_predict(pipeline):
    X, y = trials()
    fitted = pipeline.fit(X, y)
    assert_array_equal([fitted.predict(x[None])[0] for x in X[:6]], fitted.predict(X[:6]))


def test_one_channel_is_enough(pipeline):
    X, y = trials()
    three_axes, two_axes = X[:, :1], X[:, 0]
    predicted = clone(pipeline).fit(three_axes, y).predict(three_axes)
    assert np.mean(predicted == y) > 0.85
    assert_array_equal(pipeline.fit(two_axes, y).predict(two_axes), predicted)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_located(pipeline, bad):
    X, y = trials()
    fitted = clone(pipeline).fit(X, y)
    X[5, 2, 100] = bad
    with pytest.raises(ValueError, match="first in trial 5, channel 2, sample 100"):
        pipeline.fit(X, y)
    with pytest.raises(ValueError, match="first in trial 0, channel 2, sample 100"):
        fitted.predict(X[5:])


def test_channels_that_differ_from_fit_are_named(pipeline):
    X, y = trials()
    data = EEGData.from_arrays(X, y, SFREQ, CH_NAMES)
    swapped = EEGData.from_arrays(X, y, SFREQ, CH_NAMES[::-1])
    with pytest.raises(ValueError, match="Channel 0 of X is 'Pz'"):
        pipeline.fit(data, y).predict(swapped)


def test_dependent_channels_do_no_harm(pipeline):
    """As after an average reference, or where an electrode was interpolated."""
    X, y = trials()
    X -= X.mean(axis=1, keepdims=True)
    X_new, y_new = trials(seed=1)
    X_new -= X_new.mean(axis=1, keepdims=True)
    assert np.mean(pipeline.fit(X, y).predict(X_new) == y_new) > 0.85


@pytest.mark.parametrize(
    ("make", "grid"),
    [
        (csp_lda, {"csp__n_components": [1, 2]}),
        (csp_svm, {"csp__reg": ["oas", 0.1], "svm__C": [0.1, 1]}),
        (BASELINES["band_power_lr"], {"power__bands": ["classic", [(8, 13)]], "lr__C": [0.1]}),
        (BASELINES["band_power_svm"], {"power__segment": [1.0, None], "svm__gamma": [0.1]}),
        (xdawn_lr, {"xdawn__n_components": [1, 2], "lr__C": [0.01]}),
    ],
)
def test_a_grid_search_reaches_the_steps(make, grid):
    X, y = trials()
    search = GridSearchCV(make(), grid, cv=2, error_score="raise").fit(X, y)
    assert set(search.best_params_) == set(grid)
    json.dumps(search.best_params_)


def test_groups_reach_the_splitter():
    X, y = trials()
    run = np.repeat([1, 2, 3], 16)
    data = EEGData.from_arrays(X, y, SFREQ, run=run)
    scores = cross_val_score(csp_lda(), data, y, groups=data.groups("run"), cv=LeaveOneGroupOut())
    assert scores.shape == (3,)


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


@pytest.mark.parametrize("make", [csp_lda, csp_svm, tangent_space_lr])
@pytest.mark.parametrize("arguments", [{"bands": [(8, 30)]}, {"sfreq": 128}])
def test_bands_and_rate_go_together(make, arguments):
    if make is tangent_space_lr:
        pytest.importorskip("pyriemann", reason="pyRiemann comes with the extra 'riemann'")
    with pytest.raises(ValueError, match="bands and sfreq go together"):
        make(**arguments)


@pytest.mark.parametrize("make", [band_power_lr, band_power_svm, band_power_mlp])
def test_a_band_above_nyquist_is_refused_at_once(make):
    with pytest.raises(ValueError, match=r"'gamma' .* reaches above the Nyquist"):
        make(sfreq=64)


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


# ---------------------------------------------------------------- random numbers, extras


def test_the_perceptron_repeats_itself():
    X, y = trials()
    weights = [
        band_power_mlp(SFREQ, random_state=seed).fit(X, y)["mlp"].coefs_[0] for seed in (0, 0, 1)
    ]
    assert_array_equal(weights[0], weights[1])
    assert np.abs(weights[0] - weights[2]).max() > 1e-3


def test_without_pyriemann_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyriemann.estimation", None)
    with pytest.raises(ImportError, match=r"pip install 'skeeg\[riemann\]'"):
        tangent_space_lr()


def test_the_module_needs_neither_torch_nor_pyriemann():
    code = (
        "import sys, skeeg.baselines as b; b.csp_lda(); b.band_power_svm(128); b.xdawn_lr();"
        "assert not {'torch', 'pyriemann'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---------------------------------------------------------------- real recordings


def _score(pipeline, data, column, scoring=None):
    groups = data.groups(column)
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


@pytest.mark.slow
def test_tangent_space_on_mental_arithmetic_of_unseen_subjects(recordings):
    pytest.importorskip("pyriemann", reason="pyRiemann comes with the extra 'riemann'")
    data = load_eegmat(recordings("eegmat"), sfreq=128)
    assert _score(tangent_space_lr(), data, "subject") >= 0.68


def test_tangent_space_on_steady_state_responses_within_a_session(recordings):
    pytest.importorskip("pyriemann", reason="pyRiemann comes with the extra 'riemann'")
    """Subject 6, whose lamps blinked at 13, 17 and 21 Hz; with rest, chance is 0.25."""
    data = load_ssvep_exoskeleton(recordings("ssvep"), subjects=6)
    pipeline = tangent_space_lr(bands=[(12, 14), (16, 18), (20, 22)], sfreq=data.sfreq)
    sessions = data.groups("session")
    scores = [
        cross_val_score(pipeline, part, part.y, cv=StratifiedKFold(4)).mean()
        for part in (data[sessions == session] for session in np.unique(sessions))
    ]
    assert np.mean(scores) > 0.6
