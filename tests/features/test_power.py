"""Band power against closed forms, and against Welch's method computed by hand."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skeeg import EEGData
from skeeg.features import BandPower, DifferentialEntropy, band_power

SFREQ = 128.0


@pytest.mark.filterwarnings("ignore:Segments of")
@parametrize_with_checks(
    [BandPower(SFREQ), BandPower(SFREQ, log=False, segment=None), BandPower(SFREQ, relative=True)]
)
def test_it_passes_every_check_of_scikit_learn(estimator, check):
    check(estimator)


def sine(frequency, amplitude, n_times=512, sfreq=SFREQ):
    seconds = np.arange(n_times) / sfreq
    return amplitude * np.sin(2 * np.pi * frequency * seconds + 0.3)[None, None]


@pytest.fixture
def X():
    return np.random.default_rng(0).standard_normal((5, 3, 512))


@pytest.mark.parametrize("segment", [None, 1.0, 2.0, 4.0])
def test_a_sine_wave_has_half_its_squared_amplitude_in_its_band_and_nothing_elsewhere(segment):
    power = band_power(sine(10, 3), SFREQ, segment=segment)
    assert power.shape == (1, 5, 1)
    assert_allclose(power[0, :, 0], [0, 0, 4.5, 0, 0], atol=1e-12)


def test_a_sine_wave_between_bins_keeps_its_power_within_a_percent():
    power = band_power(sine(20.23, 2), SFREQ, {"beta": (13, 30)})
    assert power.item() == pytest.approx(2, rel=0.01)


def test_bands_that_touch_share_no_bin_and_lose_none():
    # 13 Hz, where alpha ends, belongs to beta; the Hann window spreads it to the bins beside it.
    alpha, beta, both = band_power(sine(13, 2), SFREQ, [(8, 13), (13, 30), (8, 30)])[0, :, 0]
    assert alpha + beta == pytest.approx(both, rel=1e-12)
    assert both == pytest.approx(2, rel=1e-12)
    # Of a Hann window's power, (1/4)² of (1/4)² + (1/2)² + (1/4)² is in the bin below.
    assert alpha / both == pytest.approx(1 / 6, rel=1e-9)


def test_all_bands_together_hold_the_variance_of_the_windowed_signal(X):
    """Parseval's theorem, for the periodogram."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    centred = X - X.mean(axis=2, keepdims=True)
    expected = ((window * centred) ** 2).sum(axis=2) / (window**2).sum()
    spectrum = np.abs(np.fft.rfft(window * centred)) ** 2
    nyquist = spectrum[..., -1] / (512 * (window**2).sum())
    power = band_power(X, SFREQ, {"all": (0, 64)}, segment=None)
    assert_allclose(power[:, 0], expected - nyquist, rtol=1e-10)


def test_it_is_welch_computed_by_hand(X):
    length, step = 256, 128
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    spectra = []
    for start in range(0, 512 - length + 1, step):
        part = X[..., start : start + length]
        part = part - part.mean(axis=-1, keepdims=True)
        spectra.append(2 * np.abs(np.fft.rfft(part * window)) ** 2 / (window**2).sum() / SFREQ)
    density = np.mean(spectra, axis=0)
    frequency = np.arange(length // 2 + 1) * SFREQ / length
    inside = (frequency >= 8) & (frequency < 13)
    expected = density[..., inside].sum(axis=-1) * SFREQ / length
    assert_allclose(band_power(X, SFREQ, {"alpha": (8, 13)})[:, 0], expected, rtol=1e-10)


def test_white_noise_has_power_in_proportion_to_the_width_of_the_band():
    X = np.random.default_rng(0).standard_normal((200, 1, 1024))
    power = band_power(X, SFREQ, [(4, 8), (8, 16), (16, 32)]).mean(axis=(0, 2))
    assert_allclose(power, np.array([4, 8, 16]) / 64, rtol=0.03)


def test_an_offset_has_no_power(X):
    assert_allclose(band_power(X + 1e3, SFREQ), band_power(X, SFREQ), rtol=1e-6)


def test_trials_are_computed_by_themselves(X):
    whole = band_power(X, SFREQ)
    for i in range(len(X)):
        assert_allclose(band_power(X[[i]], SFREQ)[0], whole[i], rtol=1e-12)


def test_trials_beyond_one_chunk_come_out_alike(monkeypatch, X):
    whole = band_power(X, SFREQ)
    monkeypatch.setattr("skeeg._validation._CHUNK", 2 * 3 * 512)
    assert_allclose(band_power(X, SFREQ), whole, rtol=1e-12)


def test_a_band_between_bins_takes_the_nearest_one_and_warns():
    X = sine(10, 3)
    with pytest.warns(UserWarning, match=r"0\.25 Hz apart, and none lies in 'narrow'"):
        power = band_power(X, SFREQ, {"narrow": (9.9, 9.95), "alpha": (8, 13)}, segment=None)
    density_at_peak = 4.5 * (2 / 3) / 0.25  # a Hann window leaves 2/3 of the power in the bin
    assert power[0, 0, 0] == pytest.approx(0.05 * density_at_peak, rel=1e-9)
    assert power[0, 1, 0] == pytest.approx(4.5)


@pytest.mark.parametrize("n_times", [1, 2, 3, 10])
def test_windows_of_a_few_samples_give_finite_features(n_times):
    X = np.random.default_rng(0).standard_normal((6, 2, n_times))
    with pytest.warns(UserWarning, match=f"Segments of {n_times} samples"):
        features = BandPower(SFREQ).fit_transform(X)
    assert features.shape == (6, 10)
    assert np.isfinite(features).all()


def test_a_usual_window_does_not_warn(X):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        BandPower(SFREQ).fit_transform(X)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bands": {"gamma": (30, 65)}}, r"'gamma' \(30-65 Hz\) reaches above the Nyquist"),
        ({"bands": {"alpha": (13, 8)}}, "'alpha' must rise"),
        ({"bands": {"alpha": (8, 8)}}, "'alpha' must rise"),
        ({"bands": {"alpha": (-1, 8)}}, "at least 0 Hz"),
        ({"bands": {"alpha": (np.nan, 8)}}, "'alpha' must rise"),
        ({"bands": {"alpha": (8, np.inf)}}, "Nyquist"),
        ({"bands": {"alpha": 10}}, "'alpha' must be a pair of edges"),
        ({"bands": {"alpha": (8, 10, 13)}}, "must be a pair of edges"),
        ({"bands": [8, 13]}, "got \\[8, 13\\]"),
        ({"bands": [("a", "b")]}, "list of pairs"),
        ({"bands": {}}, "at least one band"),
        ({"bands": "klassic"}, "bands must be one of 'classic'.*'klassic'"),
        ({"bands": None}, "got None"),
        ({"sfreq": 0}, "sfreq must be a positive number"),
        ({"sfreq": np.nan}, "sfreq must be a positive number"),
        ({"sfreq": "128"[:0]}, "sfreq must be a positive number"),
        ({"segment": -1.0}, "segment must be a positive number"),
    ],
)
def test_wrong_arguments_are_named(X, arguments, message):
    with pytest.raises(ValueError, match=message):
        band_power(X, **{"sfreq": SFREQ, **arguments})
    with pytest.raises(ValueError, match=message):
        BandPower(**{"sfreq": SFREQ, **arguments}).fit_transform(X)


def test_the_function_wants_three_axes(X):
    with pytest.raises(ValueError, match=r"One trial needs X\[None\]"):
        band_power(X[0], SFREQ)


def test_features_are_the_logarithm_band_by_band(X):
    power = band_power(X, SFREQ)
    assert_allclose(BandPower(SFREQ).fit_transform(X), np.log(power.reshape(5, -1)))
    assert_allclose(BandPower(SFREQ, log=False).fit_transform(X), power.reshape(5, -1))


def test_features_are_named_by_channel_and_band_in_their_order():
    X = np.concatenate([sine(10, 3), sine(20, 5)], axis=1).repeat(4, axis=0)
    data = EEGData.from_arrays(X, [0, 1, 0, 1], sfreq=SFREQ, ch_names=["C3", "C4"])
    transformer = BandPower(SFREQ, {"alpha": (8, 13), "beta": (13, 30)}, log=False).fit(data)
    power = dict(
        zip(transformer.get_feature_names_out(), transformer.transform(data)[0], strict=True)
    )
    assert power == pytest.approx(
        {"C3_alpha": 4.5, "C4_alpha": 0, "C3_beta": 0, "C4_beta": 12.5}, abs=1e-5
    )


def test_channels_without_names_are_named_as_scikit_learn_does(X):
    transformer = BandPower(SFREQ, [(8, 13), (13, 30)]).fit(X)
    names = ["x0_8-13", "x1_8-13", "x2_8-13", "x0_13-30", "x1_13-30", "x2_13-30"]
    assert transformer.get_feature_names_out().tolist() == names
    assert transformer.get_feature_names_out(["a", "b", "c"])[0] == "a_8-13"
    assert BandPower(SFREQ, [(8, 13)]).fit(X[:, 0]).get_feature_names_out().tolist() == ["x0_8-13"]


def test_names_that_contradict_the_training_data_are_refused(X):
    data = EEGData.from_arrays(X, np.arange(5), sfreq=SFREQ, ch_names=["C3", "Cz", "C4"])
    with pytest.raises(ValueError, match="not equal to the channels"):
        BandPower(SFREQ).fit(data).get_feature_names_out(["a", "b", "c"])


def test_pandas_output_carries_the_names(X):
    data = EEGData.from_arrays(X, np.arange(5), sfreq=SFREQ, ch_names=["C3", "Cz", "C4"])
    frame = BandPower(SFREQ).set_output(transform="pandas").fit_transform(data)
    assert isinstance(frame, pd.DataFrame)
    assert frame.columns[0] == "C3_delta"


def test_data_that_know_another_rate_are_refused(X):
    data = EEGData.from_arrays(X, np.arange(5), sfreq=250)
    with pytest.raises(ValueError, match=r"sampled at 250 Hz, but BandPower has sfreq=128"):
        BandPower(SFREQ).fit(data)
    with pytest.raises(ValueError, match=r"sampled at 250 Hz"):
        BandPower(SFREQ).fit(X).transform(data)


def test_another_unit_adds_one_constant(X):
    X[0, 0] = 0  # a flat channel, too
    volts, microvolts = (BandPower(SFREQ).fit_transform(unit * X) for unit in (1e-6, 1))
    assert_allclose(microvolts - volts, np.log(1e12), rtol=1e-9)
    standardised = [
        make_pipeline(BandPower(SFREQ), StandardScaler()).fit_transform(unit * X)
        for unit in (1e-6, 1)
    ]
    assert_allclose(*standardised, rtol=1e-7, atol=1e-9)


def test_a_flat_channel_has_the_floor_as_its_power(X):
    X[1, 2] = 4
    transformer = BandPower(SFREQ).fit(X)
    features = transformer.transform(X).reshape(5, 5, 3)
    assert_allclose(features[1, :, 2], np.log(np.finfo(float).eps * X.var()), rtol=1e-9)
    assert_array_equal(np.isfinite(features), True)


def test_values_that_are_not_finite_are_located(X):
    X[3, 1, 7] = np.nan
    with pytest.raises(ValueError, match=r"Input X contains NaN: first in trial 3, channel 1"):
        BandPower(SFREQ).fit(X)


def test_relative_power_is_each_bands_share_whatever_the_gain_of_a_channel(X):
    bands = {"theta": (4, 8), "alpha": (8, 13), "beta": (13, 30)}
    power = band_power(X, SFREQ, bands)
    shares = power / power.sum(axis=1, keepdims=True)
    relative = BandPower(SFREQ, bands, log=False, relative=True).fit(X)
    assert_allclose(relative.transform(X), shares.reshape(len(X), -1), rtol=1e-12)
    gains = np.array([1e-6, 3, 200])[:, None]
    assert_allclose(relative.transform(X * gains), shares.reshape(len(X), -1), rtol=1e-9)
    logarithms = BandPower(SFREQ, bands, relative=True).fit_transform(X)
    assert_allclose(logarithms, np.log(shares).reshape(len(X), -1), rtol=1e-9)


def test_a_flat_channel_has_equal_shares(X):
    X[:, 1] = 0
    shares = BandPower(SFREQ, log=False, relative=True).fit_transform(X).reshape(5, 5, 3)
    assert_allclose(shares[..., 1], 1 / 5)
    assert_allclose(shares.sum(axis=1), 1)


@pytest.mark.parametrize("transformer", [BandPower(128), DifferentialEntropy(128)])
def test_flat_training_trials_are_named_at_the_line_of_the_user(transformer):
    X = np.random.default_rng(0).standard_normal((12, 3, 256))
    X[[2, 7]] = 0.5
    with pytest.warns(
        UserWarning, match="2 of 12 training trials are flat.*: trial 2, 7"
    ) as caught:
        transformer.fit(X)
    assert [Path(warning.filename) for warning in caught] == [Path(__file__)]


@pytest.mark.parametrize("flat", ["one channel", "all trials", "no logarithm"])
def test_what_no_logarithm_turns_into_an_outlier_is_not_reported(flat):
    X = np.random.default_rng(0).standard_normal((12, 3, 256))
    if flat == "one channel":
        X[:, 1] = 0
    else:
        X[:: 1 if flat == "all trials" else 4] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        BandPower(128, log=flat != "no logarithm").fit(X)
