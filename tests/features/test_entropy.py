"""Differential entropy against the closed form, and against filtering by hand."""

import warnings

import mne
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import butter, lfilter
from sklearn.utils.estimator_checks import parametrize_with_checks

from skeeg import EEGData
from skeeg.features import (
    BANDS,
    DifferentialEntropy,
    SampleZScore,
    band_power,
    differential_entropy,
)
from skeeg.features.entropy import entropy_of

SFREQ = 128.0
CH_NAMES = ["C3", "Cz", "C4"]


@pytest.mark.filterwarnings("ignore:Segments of")
@parametrize_with_checks(
    [
        DifferentialEntropy(SFREQ),
        DifferentialEntropy(SFREQ, "deap", method="spectral", base="2"),
    ]
)
def test_it_passes_every_check_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture
def X():
    return np.random.default_rng(0).standard_normal((6, 3, 512))


def sine(frequency, amplitude, n_times=512):
    seconds = np.arange(n_times) / SFREQ
    return amplitude * np.sin(2 * np.pi * frequency * seconds + 0.3)[None, None]


@pytest.mark.parametrize(
    ("variance", "nats", "bits"),
    [(1.0, 1.418939, 2.047096), (4.0, 2.112086, None), (0.25, 0.725791, None)],
)
def test_the_entropy_of_known_variances(variance, nats, bits):
    assert entropy_of(np.array(variance), floor=1e-9) == pytest.approx(nats, abs=1e-6)
    if bits is not None:
        assert entropy_of(np.array(variance), base="2", floor=1e-9) == pytest.approx(bits, abs=1e-6)


@pytest.mark.parametrize("amplitude", [np.sqrt(2), np.sqrt(8), np.sqrt(0.5)])
def test_a_sine_wave_has_the_entropy_of_half_its_squared_amplitude(amplitude):
    entropy = differential_entropy(
        sine(10, amplitude), SFREQ, {"alpha": (8, 13)}, method="spectral"
    )
    expected = 0.5 * np.log(2 * np.pi * np.e * amplitude**2 / 2)
    assert entropy.item() == pytest.approx(expected, abs=1e-6)


def test_behind_the_filter_it_is_that_of_the_gain_of_the_filter_once_it_has_rung_in():
    """At the band's centre the filter passes all: geometric, as its edges are warped."""
    low, high = np.tan(np.pi * np.array([8, 13]) / SFREQ)
    centre = np.arctan(np.sqrt(low * high)) * SFREQ / np.pi
    X = sine(centre, 2, n_times=128 * 2000)
    entropy = differential_entropy(X, SFREQ, {"alpha": (8, 13)}).item()
    assert entropy == pytest.approx(0.5 * np.log(2 * np.pi * np.e * 2), abs=1e-3)


def test_the_filter_is_a_causal_butterworth_of_order_3_from_rest(X):
    entropy = differential_entropy(X, SFREQ, "deap")
    assert entropy.shape == (6, 4, 3)
    for k, edges in enumerate(BANDS["deap"].values()):
        b, a = butter(3, edges, "bandpass", fs=SFREQ)
        variance = lfilter(b, a, X).var(axis=2, ddof=1)
        assert_allclose(entropy[:, k], 0.5 * np.log(2 * np.pi * np.e * variance), atol=1e-9)


def test_the_spectral_variance_is_the_power_in_the_periodogram(X):
    power = band_power(X, SFREQ, "classic", segment=None)
    entropy = differential_entropy(X, SFREQ, "classic", method="spectral")
    assert_allclose(entropy, 0.5 * np.log(2 * np.pi * np.e * power), rtol=1e-12)


@pytest.mark.parametrize("method", ["filter", "spectral"])
def test_bits_are_nats_divided_by_ln_2(X, method):
    nats = differential_entropy(X, SFREQ, method=method)
    bits = differential_entropy(X, SFREQ, method=method, base="2")
    assert_allclose(bits * np.log(2), nats, rtol=1e-12)


@pytest.mark.parametrize("method", ["filter", "spectral"])
def test_white_noise_has_the_entropy_of_its_share_of_the_band(method):
    X = np.random.default_rng(0).standard_normal((50, 1, 4096))
    entropy = differential_entropy(X, SFREQ, {"beta": (16, 32)}, method=method).mean()
    assert entropy == pytest.approx(0.5 * np.log(2 * np.pi * np.e * 16 / 64), abs=0.03)


@pytest.mark.parametrize("method", ["filter", "spectral"])
def test_flat_channels_stay_finite(X, method):
    X[2, 1] = 0
    entropy = differential_entropy(X, SFREQ, method=method)
    assert np.isfinite(entropy).all()
    floor = 0.5 * np.log(2 * np.pi * np.e * np.finfo(float).tiny)
    assert_allclose(entropy[2, :, 1], floor)
    assert_allclose(differential_entropy(X, SFREQ, floor=1.0)[2, :, 1], 1.418939, atol=1e-6)


def test_a_flat_channel_counts_as_the_floor_found_in_fit(X):
    X[1, 2] = 0
    transformer = DifferentialEntropy(SFREQ).fit(X)
    features = transformer.transform(X).reshape(6, 5, 3)
    expected = 0.5 * np.log(2 * np.pi * np.e * np.finfo(float).eps * X.var())
    assert_allclose(features[1, :, 2], expected, rtol=1e-9)


@pytest.mark.parametrize("method", ["filter", "spectral"])
def test_another_unit_adds_one_constant(X, method):
    X[0, 0] = 0  # a flat channel, too
    volts, microvolts = (
        DifferentialEntropy(SFREQ, method=method).fit_transform(unit * X) for unit in (1e-6, 1)
    )
    assert_allclose(microvolts - volts, np.log(1e6), rtol=1e-9)
    assert_allclose(
        SampleZScore().fit_transform(volts), SampleZScore().fit_transform(microvolts), atol=1e-9
    )


@pytest.mark.parametrize("n_times", [1, 2, 3, 10])
@pytest.mark.parametrize("method", ["filter", "spectral"])
@pytest.mark.filterwarnings("ignore:Segments of")
def test_windows_of_a_few_samples_give_finite_features(n_times, method):
    X = np.random.default_rng(0).standard_normal((6, 2, n_times))
    features = DifferentialEntropy(SFREQ, method=method).fit_transform(X)
    assert features.shape == (6, 10)
    assert np.isfinite(features).all()


def test_a_usual_window_does_not_warn(X):
    X[0, 0] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DifferentialEntropy(SFREQ).fit_transform(X)
        DifferentialEntropy(SFREQ, method="spectral").fit_transform(X)


def test_trials_are_computed_by_themselves(X):
    transformer = DifferentialEntropy(SFREQ).fit(X)
    whole = transformer.transform(X)
    for i in range(len(X)):
        assert_allclose(transformer.transform(X[[i]])[0], whole[i], rtol=1e-9)


def test_every_container_gives_the_same_features(X):
    X = X.astype(np.float32)
    info = mne.create_info(CH_NAMES, SFREQ, "eeg")
    epochs = mne.EpochsArray(X.astype(float), info, verbose="error")
    data = EEGData.from_arrays(X, np.arange(6), SFREQ, CH_NAMES)
    expected = DifferentialEntropy(SFREQ).fit_transform(X)
    for container in (epochs, data, X.astype(float), np.asfortranarray(X), X.tolist()):
        assert_allclose(DifferentialEntropy(SFREQ).fit_transform(container), expected, rtol=1e-9)


def test_features_are_laid_out_and_named_band_by_band():
    X = np.concatenate([sine(10, 3), sine(20, 5)], axis=1).repeat(4, axis=0)
    data = EEGData.from_arrays(X, [0, 1, 0, 1], sfreq=SFREQ, ch_names=["C3", "C4"])
    bands = {"alpha": (8, 13), "beta": (13, 30)}
    transformer = DifferentialEntropy(SFREQ, bands, "spectral").set_output(transform="pandas")
    frame = transformer.fit_transform(data)
    assert isinstance(frame, pd.DataFrame)
    assert frame.columns.tolist() == ["C3_alpha", "C4_alpha", "C3_beta", "C4_beta"]
    assert frame.iloc[0].idxmax() == "C4_beta"
    assert frame["C3_alpha"][0] == pytest.approx(0.5 * np.log(2 * np.pi * np.e * 4.5), abs=1e-6)


def test_data_that_know_another_rate_are_refused(X):
    data = EEGData.from_arrays(X, np.arange(6), sfreq=250)
    with pytest.raises(ValueError, match="sampled at 250 Hz, but DifferentialEntropy has sfreq"):
        DifferentialEntropy(SFREQ).fit(data)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "welch"}, "method must be one of 'filter', 'spectral'; got 'welch'"),
        ({"base": 2}, "base must be one of 'e', '2'; got 2"),
        ({"bands": {"gamma": (30, 65)}}, "Nyquist"),
        ({"sfreq": 0}, "sfreq must be a positive number"),
    ],
)
def test_wrong_arguments_are_named(X, arguments, message):
    with pytest.raises(ValueError, match=message):
        differential_entropy(X, **{"sfreq": SFREQ, **arguments})
    with pytest.raises(ValueError, match=message):
        DifferentialEntropy(**{"sfreq": SFREQ, **arguments}).fit(X)


def test_a_floor_must_be_positive_and_trials_have_three_axes(X):
    with pytest.raises(ValueError, match="floor must be a positive number"):
        differential_entropy(X, SFREQ, floor=0)
    with pytest.raises(ValueError, match=r"One trial needs X\[None\]"):
        differential_entropy(X[0], SFREQ)


def test_values_that_are_not_finite_are_located(X):
    X[3, 1, 7] = np.nan
    with pytest.raises(ValueError, match="NaN: first in trial 3, channel 1"):
        DifferentialEntropy(SFREQ).fit(X)


def test_the_input_stays_as_it_was(X):
    before = X.copy()
    X.setflags(write=False)
    DifferentialEntropy(SFREQ).fit_transform(X)
    assert_array_equal(X, before)


def test_the_named_bands_are_the_published_ones():
    assert list(BANDS["deap"].values()) == [(4, 8), (8, 14), (14, 31), (31, 45)]
    assert list(BANDS["seed"].values()) == [(1, 3), (4, 7), (8, 13), (14, 30), (31, 50)]
    assert list(BANDS["classic"]) == list(BANDS["seed"])
