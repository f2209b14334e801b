"""What all baselines for continuous targets have in common."""

import pickle

import mne
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_regressor
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from skeeg import EEGData, compare
from skeeg.baselines import FlatTrialCheck, band_power_ridge, spoc_ridge, tangent_space_ridge

from .support import CH_NAMES, SFREQ

BASELINES = {
    "band_power_ridge": lambda: band_power_ridge(SFREQ),
    "spoc_ridge": spoc_ridge,
    "spoc_ridge with bands": lambda: spoc_ridge(bands=[(8, 16)], sfreq=SFREQ),
    "tangent_space_ridge": tangent_space_ridge,
    "tangent_space_ridge with bands": lambda: tangent_space_ridge(bands=[(8, 16)], sfreq=SFREQ),
}


@pytest.fixture(params=BASELINES.values(), ids=BASELINES.keys())
def pipeline(request):
    if "tangent" in request.node.name:
        pytest.importorskip("pyriemann", reason="pyRiemann comes with the extra 'riemann'")
    return request.param()


def rhythms(n_trials=96, slope=1.0, seed=0):
    """A 12-Hz rhythm in one channel whose log power is the target, in weak noise."""
    rng = np.random.default_rng(seed)
    y = rng.standard_normal(n_trials)
    X = 0.1 * rng.standard_normal((n_trials, len(CH_NAMES), 256))
    phase = rng.uniform(0, 2 * np.pi, (n_trials, 1))
    rhythm = np.sin(2 * np.pi * 12 * np.arange(256) / SFREQ + phase)
    X[:, 2] += np.exp(slope * y / 2)[:, None] * rhythm
    return X, y


def _checked():
    pipelines = [band_power_ridge(SFREQ), spoc_ridge()]
    try:
        return [*pipelines, tangent_space_ridge()]
    except ImportError:
        return pipelines


def _expected_failures(pipeline):
    # What scikit-learn itself answers for: any Pipeline of it fails the first two.
    expected = {
        "check_estimators_overwrite_params": "a Pipeline fits its steps in place",
        "check_dont_overwrite_parameters": "a Pipeline fits its steps in place",
        "check_estimators_dtypes": "of noise as whole numbers, some trials are flat",
        "check_regressors_train": "the targets follow the level of the samples, not their power",
    }
    if "spoc" in pipeline.named_steps:
        expected["check_regressor_multioutput"] = "filters are found for one target"
    return expected


@pytest.mark.filterwarnings("ignore:Segments of")
@parametrize_with_checks(_checked(), expected_failed_checks=_expected_failures)
def test_scikit_learns_checks_pass_as_far_as_pipelines_do(estimator, check):
    check(estimator)


def test_every_baseline_is_a_plain_pipeline_that_regresses(pipeline):
    assert type(pipeline) is Pipeline
    assert is_regressor(pipeline)


def test_log_power_is_predicted(pipeline):
    X, y = rhythms()
    assert cross_val_score(pipeline, X, y, cv=KFold(4)).mean() > 0.9


def test_targets_that_say_nothing_are_not_predicted(pipeline):
    X, y = rhythms(slope=0.0)
    assert cross_val_score(pipeline, X, y, cv=KFold(4)).mean() <= 0.02


def test_predictions_follow_scale_and_shift_of_the_target(pipeline):
    X, y = rhythms()
    expected = clone(pipeline).fit(X, y).predict(X)
    assert_allclose(pipeline.fit(X, 1000 + 30 * y).predict(X), 1000 + 30 * expected, rtol=1e-6)


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_the_unit_makes_no_difference(pipeline, factor):
    X, y = rhythms()
    expected = clone(pipeline).fit(X, y).predict(X)
    assert_allclose(pipeline.fit(factor * X, y).predict(factor * X), expected, rtol=1e-6, atol=1e-8)


def test_every_container_scores_the_same(pipeline):
    X, y = rhythms(n_trials=24)
    X = X.astype(np.float32).astype(float)  # what EEGData holds
    epochs = mne.EpochsArray(X, mne.create_info(CH_NAMES, SFREQ, "eeg"), verbose="error")
    data = EEGData.from_arrays(X, y, SFREQ, CH_NAMES)
    scores = [cross_val_score(pipeline, Z, y, cv=2, error_score="raise") for Z in (X, epochs, data)]
    assert_array_equal(scores[0], scores[1])
    assert_array_equal(scores[0], scores[2])


def test_clones_and_pickles_predict_alike(pipeline):
    X, y = rhythms(n_trials=24)
    fitted = pipeline.fit(X, y)
    expected = fitted.predict(X)
    assert_array_equal(clone(pipeline).fit(X, y).predict(X), expected)
    assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), expected)


def test_one_trial_and_one_channel_are_enough(pipeline):
    X, y = rhythms(n_trials=24)
    fitted = clone(pipeline).fit(X[:, 2:3], y)
    together = fitted.predict(X[:4, 2:3])
    assert_allclose([fitted.predict(x[None, 2:3])[0] for x in X[:4]], together, rtol=1e-9)
    assert_allclose(pipeline.fit(X[:, 2], y).predict(X[:4, 2]), together, rtol=1e-9)


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_flat_trials_are_refused_by_number(pipeline, value):
    X, y = rhythms(n_trials=24)
    fitted = clone(pipeline).fit(X, y)
    X[3], X[5] = value, [[1.0], [2.0], [3.0], [4.0]]
    with pytest.raises(ValueError, match=r"Trial 3 of X is flat \(2 of 24 trials are\): all"):
        pipeline.fit(X, y)
    with pytest.raises(ValueError, match="Trial 0 of X is flat: all samples of each channel are"):
        fitted.predict(X[5:6])
    X[3, 1, 7] += 1e-6
    X[5, 0] = np.arange(256)
    fitted.predict(X)  # a channel that is flat in a trial is not a flat trial


def test_the_advice_of_the_error_leaves_flat_trials_out():
    X, y = rhythms(n_trials=24)
    X[3] = 0.1
    data = EEGData.from_arrays(X, y, SFREQ, CH_NAMES)
    kept = data[np.ptp(data.X, axis=2).any(axis=1)]
    assert len(kept) == 23
    band_power_ridge(SFREQ).fit(kept, kept.y)


def test_flat_trials_are_not_looked_for_in_single_samples():
    X = np.arange(6.0).reshape(3, 2, 1)
    check = FlatTrialCheck().fit(X)
    assert check.transform(X) is X


def test_values_that_are_not_finite_are_located(pipeline):
    X, y = rhythms(n_trials=24)
    X[5, 2, 100] = np.nan
    with pytest.raises(ValueError, match="first in trial 5, channel 2, sample 100"):
        pipeline.fit(X, y)


def test_dependent_channels_do_no_harm(pipeline):
    X, y = rhythms()
    X -= X.mean(axis=1, keepdims=True)
    assert cross_val_score(pipeline, X, y, cv=KFold(4)).mean() > 0.9


@pytest.mark.parametrize(
    ("make", "grid"),
    [
        (BASELINES["band_power_ridge"], {"power__bands": ["classic", [(8, 16)]]}),
        (spoc_ridge, {"spoc__n_components": [1, 2], "ridge__alphas": [(1.0, 10.0)]}),
    ],
)
def test_a_grid_search_reaches_the_steps(make, grid):
    X, y = rhythms(n_trials=24)
    search = GridSearchCV(make(), grid, cv=2, error_score="raise").fit(X, y)
    assert set(search.best_params_) == set(grid)


def test_the_strength_of_regularisation_is_chosen_within_the_training_data():
    X, y = rhythms(n_trials=24)
    assert band_power_ridge(SFREQ, alphas=(3.0, 7.0)).fit(X, y)["ridge"].alpha_ in (3.0, 7.0)


def test_they_are_compared_by_their_out_of_fold_predictions():
    X, y = rhythms(n_trials=40)
    data = EEGData.from_arrays(X, y, SFREQ, CH_NAMES)
    comparison = compare(
        {"spoc": spoc_ridge(n_components=1), "power": band_power_ridge(SFREQ)},
        data,
        random_state=0,
        progress=False,
    )
    assert comparison.about.n_folds == 5
    assert (comparison.summary("pearson")["mean"] > 0.9).all()
