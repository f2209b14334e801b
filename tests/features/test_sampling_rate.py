"""The sampling rate: taken from data that know it, and required of plain arrays."""

import mne
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline

from skeeg import EEGData, all_estimators
from skeeg.channel_selection import MutualInformationSelector
from skeeg.features import (
    BandPower,
    BaselineCorrection,
    DifferentialEntropy,
    FeatureTable,
    FilterBank,
    SampleZScore,
    band_power,
    deap_entropy,
    differential_entropy,
    filter_bank,
    segment,
)

TRANSFORMERS = [BandPower, BaselineCorrection, DifferentialEntropy, FilterBank]
FUNCTIONS = [band_power, differential_entropy, filter_bank]

each_transformer = pytest.mark.parametrize("transformer", TRANSFORMERS)


@pytest.fixture
def data():
    X = np.random.default_rng(0).standard_normal((6, 2, 750))
    return EEGData.from_arrays(X, [0, 1] * 3, sfreq=250, ch_names=["C3", "C4"])


def epochs_of(data):
    info = mne.create_info(list(data.ch_names), data.sfreq, "eeg")
    return mne.EpochsArray(data.X, info, verbose="error")


def test_these_are_all_transformers_with_a_sampling_rate():
    found = {cls for _, cls in all_estimators("transformer") if "sfreq" in cls().get_params()}
    assert found == {*TRANSFORMERS, MutualInformationSelector}
    assert all(cls().sfreq is None for cls in found)


@each_transformer
def test_data_give_their_rate(transformer, data):
    expected = transformer(sfreq=250).fit_transform(data.X)
    for trials in (data, epochs_of(data)):
        fitted = transformer().fit(trials)
        assert fitted.sfreq is None
        assert fitted.sfreq_ == 250
        np.testing.assert_allclose(fitted.transform(trials), expected, rtol=1e-6)
        np.testing.assert_allclose(fitted.transform(data.X), expected, rtol=1e-6)


@each_transformer
def test_a_plain_array_needs_the_rate(transformer, data):
    name = transformer.__name__
    with pytest.raises(ValueError, match=rf"pass {name}\(sfreq=\.\.\.\) in Hz, or .* EEGData"):
        transformer().fit(data.X)
    assert transformer(sfreq=250).fit(data.X).sfreq_ == 250


@each_transformer
def test_a_rate_that_contradicts_the_data_is_refused_with_both(transformer, data):
    with pytest.raises(ValueError, match=rf"at 250 Hz, but {transformer.__name__} has sfreq=128"):
        transformer(sfreq=128).fit(data)
    fitted = transformer(sfreq=128).fit(data.X)
    with pytest.raises(ValueError, match=r"at 250 Hz, but .* was fitted at 128 Hz"):
        fitted.transform(data)


@pytest.mark.parametrize("sfreq", [0, -128, np.nan, np.inf, "128", True, 1j, [128], 10**400])
@pytest.mark.parametrize("make", [*TRANSFORMERS, *FUNCTIONS])
def test_what_is_no_rate_is_refused(make, sfreq, data):
    with pytest.raises(ValueError, match="sfreq must be a positive number of Hz; got"):
        _computed(make, data.X, sfreq=sfreq)


# Rounding spoils the gain of a filter narrower than 1e-7 of the rate.
@pytest.mark.parametrize(
    ("sfreq", "bands"),
    [
        (1e12, "classic"),
        (1e300, "classic"),
        (128, [(0, 1e-300)]),
        (128, [(1e-9, 30)]),
        (128, [(8, 8 + 1e-9)]),
    ],
)
@pytest.mark.parametrize("make", [BandPower, DifferentialEntropy, FilterBank, *FUNCTIONS])
def test_bands_too_narrow_for_the_rate_are_refused(make, sfreq, bands, data):
    with pytest.raises(ValueError, match="is too narrow, or too close to 0 Hz, for a sampling"):
        _computed(make, data.X, sfreq=sfreq, bands=bands)


@pytest.mark.parametrize("edges", [("8", "13"), (True, 13), (8, None), (8, 13j), "ab", (8, [13])])
@pytest.mark.parametrize("make", [BandPower, DifferentialEntropy, FilterBank, *FUNCTIONS])
def test_edges_must_be_numbers(make, edges, data):
    with pytest.raises(ValueError, match="'alpha' must be a pair of edges in Hz"):
        _computed(make, data.X, sfreq=250, bands={"alpha": edges})


@pytest.mark.parametrize(
    "bands", [[(8, 13), (8, 13)], [(8, 13), (8.0000001, 13)], {"1": (4, 8), 1: (8, 13)}]
)
def test_no_band_is_lost_to_another_of_its_name(bands, data):
    with pytest.raises(ValueError, match="bands must have different names; 2 bands have the names"):
        band_power(data.X, 250, bands)


@pytest.mark.parametrize("order", [0, -1, 51, 10**9, 2.0, True, "2", None])
def test_an_order_out_of_range_is_refused_at_once(order, data):
    for make in (FilterBank, filter_bank):
        with pytest.raises(ValueError, match="order must be an integer of at least 1 and at most"):
            _computed(make, data.X, sfreq=250, order=order)


@pytest.mark.parametrize("duration", [1e300, 1e308, 3.0])
def test_a_baseline_longer_than_the_trials_is_refused(duration, data):
    with pytest.raises(ValueError, match="takes all 750 samples of the trials at 250 Hz"):
        BaselineCorrection(duration=duration).fit(data)


@pytest.mark.parametrize("seconds", [1e300, 1e308])
def test_segments_longer_than_the_trials_are_the_trials(seconds, data):
    longest = band_power(data.X, 250, segment=seconds)
    assert_array_equal(longest, band_power(data.X, 250, segment=None))


@pytest.mark.parametrize("window", [1e300, 1e308])
def test_windows_longer_than_the_trials_are_refused(window, data):
    for cut in (segment, deap_entropy):
        with pytest.raises(ValueError, match=r"too long|at most as long|Pass a shorter"):
            cut(data, window=window)


def test_the_features_of_a_baseline_correction_get_its_rate(data):
    for inner in (BandPower(), make_pipeline(BandPower(), SampleZScore())):
        change = BaselineCorrection(inner).fit(data)
        assert change.sfreq_ == 250
        explicit = BaselineCorrection(inner.set_params(), 250).fit_transform(data.X)
        np.testing.assert_allclose(change.transform(data), explicit, rtol=1e-6, atol=1e-6)
    assert change.transformer_[0].sfreq == 250
    assert inner[0].sfreq is None
    with pytest.raises(ValueError, match="at 250 Hz, but BandPower has sfreq=128"):
        BaselineCorrection(BandPower(sfreq=128)).fit(data)


def test_a_transformer_without_a_rate_stays_as_it_is(data):
    class Mean(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return X.mean(axis=2)

    change = BaselineCorrection(Mean(), 250).fit_transform(data.X)
    expected = data.X[..., 250:].mean(axis=2) - data.X[..., :250].mean(axis=2)
    np.testing.assert_allclose(change, expected, atol=1e-6)


def test_a_table_of_features_takes_the_rate_of_the_trials(data):
    table = FeatureTable.from_data(data, BandPower(bands="deap"))
    assert table.bands == ("theta", "alpha", "beta", "gamma")
    assert_array_equal(table.X, BandPower(250, "deap").fit_transform(data))


def _computed(make, X, **arguments):
    if isinstance(make, type):
        return make(**arguments).fit_transform(X)
    sfreq = arguments.pop("sfreq")
    return make(X, sfreq, **arguments)
