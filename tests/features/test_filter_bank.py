"""The filter bank against the Butterworth filter's closed form."""

import mne
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.utils.estimator_checks import parametrize_with_checks

from skeeg import EEGData
from skeeg.features import FilterBank, filter_bank

SFREQ = 200.0


@parametrize_with_checks([FilterBank(SFREQ)])
def test_it_passes_every_check_of_scikit_learn(estimator, check):
    check(estimator)


def cosine(frequency, n_times=4000):
    return np.cos(2 * np.pi * frequency * np.arange(n_times) / SFREQ)[None, None]


def butterworth_gain(frequency, low, high, order):
    """The closed form of the digital band-pass filter, run forth and back."""
    warped, low, high = (np.tan(np.pi * f / SFREQ) for f in (frequency, low, high))
    analogue = (warped**2 - low * high) / (warped * (high - low))
    return 1 / (1 + analogue ** (2 * order))


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("frequency", [5, 7.5, 8, 10, 12.9, 13, 16])
def test_the_gain_is_the_closed_form_and_nothing_is_delayed(frequency, order):
    X = cosine(frequency)
    filtered = filter_bank(X, SFREQ, [(8, 13)], order=order)
    middle = slice(1500, 2500)
    gain = butterworth_gain(frequency, 8, 13, order)
    assert_allclose(filtered[..., middle], gain * X[..., middle], atol=2e-3)


def test_the_edges_are_attenuated_to_a_half():
    assert butterworth_gain(8, 8, 13, 4) == pytest.approx(0.5)


def test_bands_are_stacked_band_by_band():
    X = np.concatenate([cosine(10), cosine(20)], axis=1)
    filtered = filter_bank(X, SFREQ, {"alpha": (8, 13), "beta": (13, 30)})
    assert filtered.shape == (1, 4, 4000)
    power = (filtered[0, :, 1000:3000] ** 2).mean(axis=1)
    assert_allclose(power, [0.5, 0, 0, 0.5], atol=1e-2)


def test_a_band_from_zero_is_a_low_pass_and_one_to_nyquist_a_high_pass():
    X = cosine(5) + cosine(50) + 3
    middle = slice(1000, 3000)
    low, high = filter_bank(X, SFREQ, [(0, 20), (20, SFREQ / 2)], order=4)[0]
    assert_allclose(low[middle], cosine(5)[0, 0, middle] + 3, atol=1e-2)
    assert_allclose(high[middle], cosine(50)[0, 0, middle], atol=1e-2)


def test_the_middle_of_a_trial_agrees_with_filtering_the_recording():
    recording = np.random.default_rng(0).standard_normal((2, 4000))
    whole = mne.filter.filter_data(
        recording, SFREQ, 8, 13, method="iir", iir_params={"order": 4, "ftype": "butter"},
        verbose="error",
    )  # fmt: skip
    trial = filter_bank(recording[None, :, 1000:3000], SFREQ, [(8, 13)], order=4)[0]
    assert_allclose(trial[:, 500:1500], whole[:, 1500:2500], atol=1e-3)


def test_trials_are_filtered_by_themselves():
    X = np.random.default_rng(0).standard_normal((4, 2, 300))
    X[1] *= 1e6
    alone = filter_bank(X[[0]], SFREQ)
    assert_allclose(filter_bank(X, SFREQ)[[0]], alone, rtol=1e-12)


@pytest.mark.parametrize("n_times", [1, 2, 5])
def test_windows_of_a_few_samples_stay_finite(n_times):
    filtered = filter_bank(np.ones((3, 2, n_times)), SFREQ)
    assert filtered.shape == (3, 10, n_times)
    assert np.isfinite(filtered).all()


def test_the_input_stays_as_it_was_and_the_output_is_float64():
    X = np.random.default_rng(0).standard_normal((2, 2, 100)).astype(np.float32)
    before = X.copy()
    assert FilterBank(SFREQ).fit_transform(X).dtype == np.float64
    assert (before == X).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bands": [(8, 120)]}, "Nyquist"),
        ({"bands": [(0, 100)]}, "there is no filter"),
        ({"order": 0}, "order must be an integer of at least 1 and at most 50; got 0"),
        ({"order": 2.5}, "order must be an integer"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        filter_bank(np.ones((1, 1, 100)), **{"sfreq": SFREQ, **arguments})


def test_data_that_know_another_rate_are_refused():
    data = EEGData.from_arrays(np.ones((2, 1, 100)), [0, 1], sfreq=128)
    with pytest.raises(ValueError, match="sampled at 128 Hz, but FilterBank has sfreq=200"):
        FilterBank(SFREQ).fit(data)
