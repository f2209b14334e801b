"""The scalers take unit and level away; the first is the gate of a pipeline."""

import mne
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import zscore
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from skeeg import EEGData
from skeeg.features import DifferentialEntropy, SampleZScore, UnitScaler, sample_zscore

CH_NAMES = ["C3", "Cz", "C4"]


@parametrize_with_checks([UnitScaler(), SampleZScore()])
def test_it_passes_every_check_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(2, 7, (12, 3, 50))


def test_training_data_are_divided_by_their_deviation_and_not_centred(X):
    scaler = UnitScaler().fit(X)
    assert scaler.scale_ == pytest.approx(np.std(X), rel=1e-12)
    assert_allclose(scaler.transform(X), X / np.std(X), rtol=1e-12)


def test_new_data_are_divided_by_the_deviation_of_the_training_data(X):
    assert_allclose(UnitScaler().fit(X).transform(100 * X[:2]), 100 * X[:2] / np.std(X))


@pytest.mark.parametrize("factor", [1e-6, 1e6, 1e-30])
def test_the_unit_makes_no_difference(X, factor):
    assert_allclose(
        UnitScaler().fit_transform(factor * X), UnitScaler().fit_transform(X), rtol=1e-12
    )


def test_the_result_is_float64_even_where_float32_would_overflow():
    X = np.float32(1e38) * np.random.default_rng(0).uniform(-1, 1, (5, 2, 20)).astype(np.float32)
    scaled = UnitScaler().fit_transform(X)
    assert scaled.dtype == np.float64
    assert scaled.std() == pytest.approx(1)


def test_the_input_stays_as_it_was(X):
    before = X.copy()
    X.setflags(write=False)
    UnitScaler().fit_transform(X)
    assert_array_equal(X, before)


def test_two_axes_are_one_channel(X):
    scaled = UnitScaler().fit_transform(X[:, 0])
    assert scaled.shape == (12, 1, 50)


def test_constant_and_zero_data_stay_finite():
    assert_allclose(UnitScaler().fit_transform(np.full((4, 2, 10), 5.0)), 1)
    assert_allclose(UnitScaler().fit_transform(np.zeros((4, 2, 10))), 0)


def _epochs(X):
    info = mne.create_info([*CH_NAMES, "EOG"], 100.0, ["eeg", "eeg", "eeg", "eog"])
    with_eog = np.concatenate([X, 1e3 * np.ones_like(X[:, :1])], axis=1)
    return mne.EpochsArray(with_eog, info, verbose="error")


def test_every_container_gives_the_same_numbers(X, tmp_path):
    np.save(tmp_path / "X.npy", X)
    epochs = _epochs(X)
    containers = {
        "memory map": np.load(tmp_path / "X.npy", mmap_mode="r"),
        "tensor": torch.from_numpy(X),
        "fortran order": np.asfortranarray(X),
        "list": X.tolist(),
        "epochs": epochs,
        "list of epochs, as splitters cut them": [epochs[i] for i in range(len(epochs))],
    }
    expected = UnitScaler().fit_transform(X)
    for name, container in containers.items():
        scaled = UnitScaler().fit_transform(container)
        assert type(scaled) is np.ndarray, name
        assert_allclose(scaled, expected, rtol=1e-12, err_msg=name)


def test_eeg_data_gives_its_names_and_rate(X):
    data = EEGData.from_arrays(X, np.arange(12) % 2, sfreq=100, ch_names=CH_NAMES)
    scaler = UnitScaler().fit(data)
    assert scaler.ch_names_ == tuple(CH_NAMES)
    assert scaler.sfreq_ == 100
    assert_allclose(scaler.transform(data), X / np.std(X), rtol=1e-5)


def test_channels_in_another_order_are_refused(X):
    data = EEGData.from_arrays(X, np.arange(12) % 2, sfreq=100, ch_names=CH_NAMES)
    mixed = EEGData.from_arrays(X, np.arange(12) % 2, sfreq=100, ch_names=["Cz", "C3", "C4"])
    with pytest.raises(ValueError, match="Channel 0 of X is 'Cz'"):
        UnitScaler().fit(data).transform(mixed)


def test_another_sampling_rate_is_refused(X):
    slow, fast = (EEGData.from_arrays(X, np.arange(12) % 2, sfreq=rate) for rate in (100, 200))
    with pytest.raises(ValueError, match="sampled at 200 Hz, but UnitScaler was fitted at 100 Hz"):
        UnitScaler().fit(slow).transform(fast)
    UnitScaler().fit(slow).transform(X)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_located(X, bad):
    fitted = UnitScaler().fit(X)
    X[7, 2, 40] = bad
    where = "trial 7, channel 2, sample 40"
    with pytest.raises(ValueError, match=where):
        fitted.transform(X)
    with pytest.raises(ValueError, match=where):
        UnitScaler().fit(X)


def test_another_number_of_channels_or_samples_is_refused(X):
    fitted = UnitScaler().fit(X)
    with pytest.raises(ValueError, match=r"2 channels a trial.*fitted with 3"):
        fitted.transform(X[:, :2])
    with pytest.raises(ValueError, match=r"49 samples a trial.*fitted with 50"):
        fitted.transform(X[:, :, :49])


def test_one_trial_is_enough_to_transform(X):
    assert UnitScaler().fit(X).transform(X[:1]).shape == (1, 3, 50)


def test_a_clone_is_not_fitted(X):
    with pytest.raises(NotFittedError):
        clone(UnitScaler().fit(X)).transform(X)


# ---------------------------------------------------------------- over the features of a sample


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(3, 5, (10, 128))


def test_each_sample_is_standardised_over_its_own_features(features):
    assert_allclose(sample_zscore(features), zscore(features, axis=1), rtol=1e-12)
    assert_allclose(SampleZScore().fit_transform(features), zscore(features, axis=1), rtol=1e-12)


def test_level_and_spread_of_a_sample_leave_no_trace(features):
    changed = features * np.linspace(1e-6, 1e6, 10)[:, None] + np.linspace(-1, 1, 10)[:, None]
    assert_allclose(sample_zscore(changed), sample_zscore(features), atol=1e-9)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e9, 1e-300])
def test_equal_features_become_zero(value):
    assert_array_equal(sample_zscore(np.full((3, 7), value)), 0)


def test_nothing_is_learnt_from_the_training_data(features):
    fitted = SampleZScore().fit(1e3 * features[:2] + 7)
    assert_array_equal(fitted.transform(features[2:]), sample_zscore(features[2:]))


def test_names_of_features_are_kept(features):
    named = pd.DataFrame(features[:, :2], columns=["C3_alpha", "C4_alpha"])
    fitted = SampleZScore().set_output(transform="pandas").fit(named)
    assert fitted.transform(named).columns.tolist() == ["C3_alpha", "C4_alpha"]
    pipeline = make_pipeline(DifferentialEntropy(128, bands="deap"), SampleZScore())
    pipeline.fit(np.random.default_rng(0).standard_normal((3, 2, 256)))
    assert pipeline.get_feature_names_out()[0] == "x0_theta"


def test_trials_are_refused_with_what_to_do(X):
    data = EEGData.from_arrays(X, np.arange(12) % 2, sfreq=100, ch_names=CH_NAMES)
    for trials in (X, data, _epochs(X), torch.from_numpy(X)):
        with pytest.raises(ValueError, match=r"SampleZScore takes features .*DifferentialEntropy"):
            SampleZScore().fit(trials)


def test_wrong_features_are_refused(features):
    with pytest.raises(
        ValueError, match=r"X must have shape \(n_samples, n_features\), got \(4,\)"
    ):
        sample_zscore(np.zeros(4))
    with pytest.raises(ValueError, match="expecting 128 features"):
        SampleZScore().fit(features).transform(features[:, :3])
