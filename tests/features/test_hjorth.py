"""Hjorth's parameters against closed forms and the definition."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils.estimator_checks import parametrize_with_checks

from skeeg import EEGData
from skeeg.features import HjorthParameters, hjorth_parameters

SFREQ = 128.0


@parametrize_with_checks([HjorthParameters()])
def test_it_passes_every_check_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture
def X():
    return np.random.default_rng(0).standard_normal((5, 3, 300))


def test_it_is_the_definition(X):
    activity, mobility, complexity = hjorth_parameters(X).transpose(1, 0, 2)
    slope = X[..., 1:] - X[..., :-1]
    bend = slope[..., 1:] - slope[..., :-1]
    of_slope = np.sqrt(np.var(bend, axis=2) / np.var(slope, axis=2))
    assert_allclose(activity, ((X - X.mean(axis=2, keepdims=True)) ** 2).mean(axis=2))
    assert_allclose(mobility, np.sqrt(np.var(slope, axis=2) / np.var(X, axis=2)))
    assert_allclose(complexity, of_slope / mobility)


@pytest.mark.parametrize("frequency", [1, 10, 40])
def test_a_sine_wave_has_a_closed_form(frequency):
    seconds = np.arange(100 * 128) / SFREQ
    X = 3 * np.sin(2 * np.pi * frequency * seconds)[None, None]
    activity, mobility, complexity = hjorth_parameters(X)[0, :, 0]
    assert activity == pytest.approx(4.5)
    assert mobility == pytest.approx(2 * np.sin(np.pi * frequency / SFREQ), rel=1e-3)
    assert complexity == pytest.approx(1, abs=1e-3)


def test_white_noise_has_a_closed_form():
    """Differences of white noise have twice its variance, second differences six times."""
    X = np.random.default_rng(0).standard_normal((1, 1, 200_000))
    expected = [1, np.sqrt(2), np.sqrt(6 / 2) / np.sqrt(2)]
    assert_allclose(hjorth_parameters(X)[0, :, 0], expected, rtol=0.02)


@pytest.mark.parametrize("unit", [1e-6, 1e9])
def test_the_unit_scales_the_activity_only(X, unit):
    scaled, plain = hjorth_parameters(unit * X), hjorth_parameters(X)
    assert_allclose(scaled[:, 0], unit**2 * plain[:, 0], rtol=1e-9)
    assert_allclose(scaled[:, 1:], plain[:, 1:], rtol=1e-9)


def test_an_offset_makes_no_difference(X):
    assert_allclose(hjorth_parameters(X + 1e3), hjorth_parameters(X), rtol=1e-9)


def test_quotients_by_nothing_are_zero():
    X = np.zeros((3, 1, 50))
    X[1] = 0.1  # whose mean is not exactly itself
    X[2] = 0.1 * np.arange(50)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        activity, mobility, complexity = hjorth_parameters(X)[:, :, 0].T
    assert_array_equal(activity[:2], 0)
    assert_array_equal(mobility, [0, 0, 0])
    assert_array_equal(complexity, [0, 0, 0])
    assert activity[2] == pytest.approx(0.01 * (50**2 - 1) / 12)


@pytest.mark.parametrize("n_times", [1, 2, 3])
def test_windows_of_a_few_samples_stay_finite(n_times):
    X = np.random.default_rng(0).standard_normal((4, 2, n_times))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        features = HjorthParameters().fit_transform(X)
    assert features.shape == (4, 6)
    assert np.isfinite(features).all()


def test_trials_beyond_one_chunk_come_out_alike(monkeypatch, X):
    whole = hjorth_parameters(X)
    monkeypatch.setattr("skeeg._validation._CHUNK", 2 * 3 * 300)
    assert_allclose(hjorth_parameters(X), whole, rtol=1e-12)


def test_features_are_laid_out_and_named_kind_by_kind(X):
    X[:, 1] *= 100
    data = EEGData.from_arrays(X, np.arange(5), SFREQ, ["C3", "Cz", "C4"])
    frame = HjorthParameters().set_output(transform="pandas").fit_transform(data)
    assert frame.columns.tolist()[:4] == [
        "C3_activity",
        "Cz_activity",
        "C4_activity",
        "C3_mobility",
    ]
    assert frame.loc[0].idxmax() == "Cz_activity"
    assert len(frame.columns) == 9


def test_dtype_and_layout_make_no_difference_and_the_input_stays(X):
    X = X.astype(np.float32)
    before = X.copy()
    X.setflags(write=False)
    expected = hjorth_parameters(X.astype(float))
    for container in (X, np.asfortranarray(X), X.repeat(2, axis=0)[::2]):
        assert_allclose(hjorth_parameters(container), expected, rtol=1e-12)
    assert_array_equal(X, before)


def test_wrong_shapes_and_values_are_named(X):
    with pytest.raises(ValueError, match=r"One trial needs X\[None\]"):
        hjorth_parameters(X[0])
    X[1, 2, 3] = np.nan
    with pytest.raises(ValueError, match="NaN: first in trial 1, channel 2, sample 3"):
        HjorthParameters().fit(X)
