"""The gate: containers, shapes, scale, and where a bad value is."""

import mne
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator

from skeeg import EEGData, _validation
from skeeg._validation import (
    MAPS,
    POINTS,
    Unwrapped,
    check_finite,
    check_X,
    scaled,
    standard_deviation,
    unwrap,
)


class Estimator(BaseEstimator):
    pass


def epochs(n=3):
    info = mne.create_info(["C3", "C4", "EOG"], 100.0, ["eeg", "eeg", "eog"])
    return mne.EpochsArray(np.random.default_rng(0).random((n, 3, 7)), info, verbose="error")


def test_containers_give_values_names_and_rate():
    whole = epochs()
    array = whole.get_data(picks="eeg")
    data = EEGData.from_arrays(array, [0, 1, 0], 100, ["C3", "C4"])
    for container in (whole, [whole[i] for i in range(3)], data):
        found = unwrap(container)
        np.testing.assert_allclose(found.values, array, rtol=1e-6)
        assert found.ch_names == ("C3", "C4")
        assert found.sfreq == 100
    for container in (array, torch.tensor(array), torch.tensor(array, requires_grad=True)):
        found = unwrap(container)
        np.testing.assert_array_equal(found.values, array)
        assert found.ch_names is None
    half = unwrap(torch.tensor(array, dtype=torch.bfloat16))
    assert half.values.dtype == np.float32


def test_epochs_that_differ_in_a_list_are_refused():
    other = epochs().rename_channels({"C3": "F3"})
    with pytest.raises(ValueError, match="differ in their EEG channels"):
        unwrap([epochs(), other])


@settings(max_examples=60, deadline=None)
@given(
    offset=st.sampled_from([0.0, 1.0, -1e6]),
    spread=st.sampled_from([1e-7, 1.0, 3e4]),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 4), st.integers(2, 30)),
    chunk=st.sampled_from([1, 64, 2**22]),
    dtype=st.sampled_from([np.float64, np.float32, np.int64]),
)
def test_scale_is_the_standard_deviation_however_it_is_chunked(offset, spread, shape, chunk, dtype):
    X = np.random.default_rng(0).standard_normal(shape) * spread + offset
    X = X.astype(dtype)
    expected = np.asarray(X, dtype=np.longdouble).std()
    before, _validation._CHUNK = _validation._CHUNK, chunk
    try:
        found = standard_deviation(X)
    finally:
        _validation._CHUNK = before
    if expected > 1e-9 * abs(offset):
        assert found == pytest.approx(float(expected), rel=1e-5)
    assert found > 0


@pytest.mark.parametrize(("value", "scale"), [(0.0, 1.0), (3.0, 3.0), (-2e-6, 2e-6)])
def test_values_that_do_not_vary_are_scaled_by_their_magnitude(value, scale):
    assert standard_deviation(np.full((4, 2, 50), value)) == pytest.approx(scale)


def test_scaled_trials_are_new_contiguous_single_precision():
    X = np.asfortranarray(np.random.default_rng(0).standard_normal((5, 3, 8)) * 1e-6)
    out = scaled(X, 1e-6, name="Net")
    assert out.dtype == np.float32
    assert out.flags.c_contiguous
    assert not np.shares_memory(out, X)
    np.testing.assert_array_equal(out, (X / 1e-6).astype(np.float32))


@pytest.mark.parametrize("scale", [1e-44, 1e-30, 7e-6, 3.0, 1e30, 1e44])
def test_a_rounded_scale_gives_the_same_numbers_of_any_precision(scale):
    unit = np.random.default_rng(0).standard_normal((5, 3, 8))
    X = (unit * np.clip(scale, 1e-30, 1e30)).astype(np.float32)
    out = scaled(X, scale, name="Net", rounded=True)
    assert out.dtype == np.float32
    assert not np.shares_memory(out, X)
    np.testing.assert_allclose(out, X.astype(np.float64) / scale, rtol=2e-7, atol=1e-44)
    np.testing.assert_array_equal(scaled(X.astype(float), scale, name="Net", rounded=True), out)


@pytest.mark.parametrize("dtype", [np.int16, np.int64, np.float16])
def test_a_rounded_scale_of_other_numbers(dtype):
    X = np.arange(-60, 60).reshape(5, 3, 8).astype(dtype)
    expected = X.astype(np.float64) * float(np.float32(1 / 7))
    out = scaled(X, 7.0, name="Net", rounded=True)
    np.testing.assert_allclose(out, expected, rtol=1e-7)
    assert out.dtype == np.float32


@pytest.mark.parametrize(
    ("value", "kind"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")]
)
@pytest.mark.parametrize("check", [check_finite, standard_deviation, "scaled"])
def test_the_first_bad_value_is_named_even_in_a_late_chunk(value, kind, check, monkeypatch):
    monkeypatch.setattr(_validation, "_CHUNK", 40)
    X = np.ones((30, 2, 10))
    X[23, 1, 4] = value
    X[25, 0, 0] = value
    who = {"name": "Net", "ch_names": ("C3", "C4")}
    with pytest.raises(ValueError, match=rf"{kind}: first in trial 23, channel 1 \(C4\), sample 4"):
        scaled(X, 1.0, **who) if check == "scaled" else check(X, **who)


def test_numbers_too_large_to_square_or_for_single_precision_are_refused():
    with pytest.raises(ValueError, match="too large"):
        standard_deviation(np.array([[[1e300, -1e300]]]))
    with pytest.raises(ValueError, match="too large for float32: first in trial 0"):
        scaled(np.array([[[1e39, 1.0]]]), 1.0, name="Net")


def test_rate_of_other_trials_must_be_that_of_fit():
    data = EEGData.from_arrays(np.ones((2, 1, 4)), [0, 1], 100)
    estimator = Estimator()
    check_X(estimator, data, reset=True)
    check_X(estimator, data.X, reset=False)
    other = EEGData.from_arrays(np.ones((2, 1, 4)), [0, 1], 128)
    with pytest.raises(ValueError, match=r"sampled at 128 Hz.*fitted at 100 Hz"):
        check_X(estimator, other, reset=False)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((4, 3, 8, 9), (3, 8, 9)), ((4, 8, 9), (1, 8, 9)), ((4, 9), (1, 1, 9))],
)
def test_maps_lack_bands_first_and_rows_next(shape, expected):
    estimator = Estimator()
    X = np.random.default_rng(0).standard_normal(shape)
    maps = check_X(estimator, X, reset=True, axes=MAPS)
    assert maps.shape == (4, *expected)
    assert np.shares_memory(maps, X)
    assert (estimator.n_bands_, estimator.height_, estimator.width_) == expected
    assert estimator.n_features_in_ == shape[1]


def test_a_recording_is_no_map():
    data = EEGData.from_arrays(np.ones((2, 1, 4)), [0, 1], 100)
    for recording in (data, epochs(), [epochs(1), epochs(1)]):
        with pytest.raises(ValueError, match=r"Estimator takes topographic maps.*at 100 Hz"):
            check_X(Estimator(), recording, reset=True, axes=MAPS)


def test_the_place_of_a_bad_value_in_a_map_has_a_band_a_row_and_a_column():
    X = np.ones((3, 2, 4, 5))
    X[1, 0, 3, 2] = np.nan
    with pytest.raises(ValueError, match="NaN: first in trial 1, band 0, row 3, column 2"):
        check_finite(X, name="Net", ch_names=None, axes=MAPS)


def test_the_place_of_a_bad_value_at_a_point_has_a_channel_and_a_feature():
    X = np.ones((3, 2, 4))
    X[2, 1, 3] = np.nan
    with pytest.raises(ValueError, match=r"trial 2, channel 1 \(Cz\), feature 3"):
        scaled(X, 1.0, name="Net", ch_names=("C3", "Cz"), axes=POINTS)


def test_points_may_have_other_channels_where_all_names_are_known():
    estimator = Estimator()
    check_X(estimator, Unwrapped(np.ones((4, 2, 3)), ("C3", "Cz")), reset=True, axes=POINTS)
    other = Unwrapped(np.ones((5, 4, 3)), ("F3", "Fz", "F4", "Pz"))
    assert check_X(estimator, other, reset=False, axes=POINTS).shape == (5, 4, 3)
    assert estimator.ch_names_ == ("C3", "Cz")
    with pytest.raises(ValueError, match=r"2 features a trial.*fitted with 3"):
        check_X(estimator, Unwrapped(np.ones((5, 2, 2)), ("F3", "Fz")), reset=False, axes=POINTS)
    with pytest.raises(ValueError, match=r"4 channels a trial.*fitted with 2"):
        check_X(estimator, other.values, reset=False, axes=POINTS)
