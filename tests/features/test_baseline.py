"""Features less those of the baseline."""

import pickle

import mne
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from skeeg import EEGData
from skeeg.features import (
    BandPower,
    BaselineCorrection,
    DifferentialEntropy,
    HjorthParameters,
    SampleZScore,
    subtract_baseline,
)

SFREQ = 128.0
CH_NAMES = ["C3", "Cz", "C4"]


# The checks' trials last 1 to 20 samples.
def _one_sample():
    return BaselineCorrection(DifferentialEntropy(bands="deap"), SFREQ, 1 / SFREQ)


@parametrize_with_checks(
    [_one_sample(), BaselineCorrection(HjorthParameters(), 1.0, 1.0)],
    expected_failed_checks=lambda _: {
        "check_fit2d_1feature": "a trial of one sample has nothing after its baseline"
    },
)
def test_it_passes_every_check_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture
def X():
    return np.random.default_rng(0).standard_normal((8, 3, 640))


def test_the_mean_of_the_baselines_windows_is_subtracted():
    rng = np.random.default_rng(0)
    features, baseline = rng.standard_normal((4, 6, 2, 3)), rng.standard_normal((4, 3, 2, 3))
    corrected = subtract_baseline(features, baseline)
    for trial in range(4):
        for window in range(6):
            expected = features[trial, window] - baseline[trial].sum(axis=0) / 3
            assert_allclose(corrected[trial, window], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("features", "baseline", "message"),
    [
        ((4, 6, 2), (3, 3, 2), "agree in all axes but the second"),
        ((4, 6, 2), (4, 3, 5), "agree in all axes but the second"),
        ((4, 6, 2), (4, 3), r"must have shapes \(n_trials, n_windows, ...\)"),
        ((4,), (4,), "must have shapes"),
        ((4, 6, 2), (4, 0, 2), "must have shapes"),
    ],
)
def test_shapes_that_do_not_fit_are_named(features, baseline, message):
    with pytest.raises(ValueError, match=message):
        subtract_baseline(np.zeros(features), np.zeros(baseline))


def test_features_are_those_behind_the_baseline_less_those_of_it(X):
    corrected = BaselineCorrection(BandPower(SFREQ), SFREQ, duration=2.0).fit_transform(X)
    behind = BandPower(SFREQ).fit_transform(X[..., 256:])
    before = BandPower(SFREQ).fit_transform(X[..., :256])
    assert_allclose(corrected, behind - before, rtol=1e-12)


def test_a_change_in_amplitude_is_the_change_in_entropy(X):
    X[..., 128:] = np.e * np.tile(X[..., :128], 4)
    entropy = DifferentialEntropy(SFREQ, {"beta": (13, 30)}, method="spectral")
    corrected = BaselineCorrection(entropy, SFREQ).fit_transform(X)
    assert_allclose(corrected, 1, atol=0.2)


def test_the_gain_of_an_electrode_makes_no_difference(X):
    gain = np.array([1e-3, 1.0, 300.0])[:, None]
    plain, amplified = (BaselineCorrection(sfreq=SFREQ).fit_transform(Z) for Z in (X, gain * X))
    assert_allclose(plain, amplified, atol=1e-9)


def test_without_a_transformer_it_is_the_entropy(X):
    expected = BaselineCorrection(DifferentialEntropy(SFREQ), SFREQ).fit_transform(X)
    assert_array_equal(BaselineCorrection(sfreq=SFREQ).fit_transform(X), expected)


def test_names_are_those_of_the_transformer(X):
    data = EEGData.from_arrays(X, np.arange(8), SFREQ, CH_NAMES)
    fitted = BaselineCorrection(BandPower(SFREQ, "deap"), SFREQ).fit(data)
    expected = BandPower(SFREQ, "deap").fit(data).get_feature_names_out()
    assert_array_equal(fitted.get_feature_names_out(), expected)
    unnamed = BaselineCorrection(BandPower(SFREQ, "deap"), SFREQ).fit(X)
    assert_array_equal(unnamed.get_feature_names_out(CH_NAMES), expected)


def test_epochs_and_one_trial(X):
    info = mne.create_info(CH_NAMES, SFREQ, "eeg")
    epochs = mne.EpochsArray(X, info, tmin=-1, verbose="error")
    fitted = BaselineCorrection(sfreq=SFREQ, duration=1.0).fit(epochs)
    expected = BaselineCorrection(sfreq=SFREQ, duration=1.0).fit_transform(X)
    assert_allclose(fitted.transform(epochs), expected, rtol=1e-9)
    assert_allclose(fitted.transform(X[:1]), expected[:1], rtol=1e-9)


def test_it_works_in_a_search_and_clones_and_pickles(X):
    y = np.arange(8) % 2
    pipeline = make_pipeline(
        BaselineCorrection(DifferentialEntropy(), SFREQ), SampleZScore(), SVC()
    )
    grid = {"baselinecorrection__transformer__bands": ["deap", "classic"]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    again = pickle.loads(pickle.dumps(search))
    assert_array_equal(again.predict(X), search.predict(X))
    assert_array_equal(clone(pipeline).fit(X, y).predict(X), clone(pipeline).fit(X, y).predict(X))


def test_the_transformer_passed_stays_unfitted(X):
    entropy = DifferentialEntropy(SFREQ)
    BaselineCorrection(entropy, SFREQ).fit(X)
    assert not hasattr(entropy, "floor_")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"duration": 5.0},
            "takes all 640 samples of the trials at 128 Hz: nothing is left",
        ),
        ({"duration": -1}, "duration must be a positive number of seconds"),
        ({"sfreq": 0}, "sfreq must be a positive number"),
    ],
)
def test_wrong_arguments_are_named(X, arguments, message):
    with pytest.raises(ValueError, match=message):
        BaselineCorrection(**{"sfreq": SFREQ, **arguments}).fit(X)


def test_data_at_another_rate_and_values_that_are_not_finite_are_refused(X):
    data = EEGData.from_arrays(X, np.arange(8), sfreq=250)
    with pytest.raises(ValueError, match="sampled at 250 Hz, but BaselineCorrection has sfreq=128"):
        BaselineCorrection(sfreq=SFREQ).fit(data)
    X[2, 1, 3] = np.inf
    with pytest.raises(ValueError, match="infinity: first in trial 2, channel 1, sample 3"):
        BaselineCorrection(sfreq=SFREQ).fit(X)
