"""The scaler takes the unit away, and is the gate of a pipeline."""

import mne
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from skeeg import EEGData
from skeeg.features import UnitScaler

CH_NAMES = ["C3", "Cz", "C4"]


@parametrize_with_checks([UnitScaler()])
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
