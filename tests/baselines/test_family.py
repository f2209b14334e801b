"""The baselines are ordinary pipelines, find what is there, and take what the networks take."""

import json
import pickle
import subprocess
import sys

import mne
import numpy as np
import pytest
from numpy.testing import assert_array_equal
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
    acm_tangent_space_svm,
    band_power_lr,
    band_power_mlp,
    band_power_svm,
    csp_lda,
    csp_svm,
    entropy_mlp,
    entropy_svm,
    entropy_tree,
    erp_covariance_mdm,
    fbcsp_lda,
    ssvep_trca,
    tangent_space_lr,
    xdawn_lr,
    xdawn_tangent_space_lr,
)

from .support import CH_NAMES, SFREQ, trials

BASELINES = {
    "csp_lda": csp_lda,
    "csp_lda with bands": lambda: csp_lda(bands=[(8, 30)], sfreq=SFREQ),
    "csp_svm": csp_svm,
    "band_power_lr": lambda: band_power_lr(SFREQ),
    "band_power_svm": lambda: band_power_svm(SFREQ),
    "band_power_mlp": lambda: band_power_mlp(SFREQ, random_state=0),
    "entropy_svm": lambda: entropy_svm(SFREQ),
    "entropy_mlp": lambda: entropy_mlp(SFREQ, random_state=0),
    "entropy_tree": lambda: entropy_tree(SFREQ, random_state=0),
    "tangent_space_lr": tangent_space_lr,
    "tangent_space_lr with bands": lambda: tangent_space_lr(bands=[(8, 13), (13, 30)], sfreq=SFREQ),
    "xdawn_lr": xdawn_lr,
    "fbcsp_lda": lambda: fbcsp_lda(SFREQ, [(8, 12), (12, 16)]),
    "xdawn_tangent_space_lr": xdawn_tangent_space_lr,
    "erp_covariance_mdm, tangent": erp_covariance_mdm,
    "acm_tangent_space_svm": acm_tangent_space_svm,
    "ssvep_trca": ssvep_trca,
}


@pytest.fixture(params=BASELINES.values(), ids=BASELINES.keys())
def pipeline(request):
    if "tangent" in request.node.name:
        pytest.importorskip("pyriemann", reason="pyRiemann comes with the extra 'riemann'")
    return request.param()


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


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_flat_trials_can_be_fitted_and_predicted(pipeline, value):
    X, y = trials()
    X[3] = value
    X_new, y_new = trials(seed=1)
    fitted = pipeline.fit(X, y)
    assert fitted.predict(X[3:4]).shape == (1,)
    assert np.mean(fitted.predict(X_new) == y_new) > 0.8


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


@pytest.mark.parametrize("make", [band_power_lr, band_power_svm, band_power_mlp])
def test_a_band_above_nyquist_is_refused_at_once(make):
    with pytest.raises(ValueError, match=r"'gamma' .* reaches above the Nyquist"):
        make(sfreq=64)


def test_the_perceptron_repeats_itself():
    X, y = trials()
    weights = [
        band_power_mlp(SFREQ, random_state=seed).fit(X, y)["mlp"].coefs_[0] for seed in (0, 0, 1)
    ]
    assert_array_equal(weights[0], weights[1])
    assert np.abs(weights[0] - weights[2]).max() > 1e-3


def test_the_module_needs_neither_torch_nor_pyriemann():
    code = (
        "import sys, skeeg.baselines as b; b.csp_lda(); b.band_power_svm(128); b.xdawn_lr();"
        "assert not {'torch', 'pyriemann'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
