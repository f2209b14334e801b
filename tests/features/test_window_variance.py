"""The variance of windows of filtered trials against scipy's filters, sample by sample."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.signal import butter, lfilter, sosfilt

from skeeg.features import check_bands
from skeeg.features._window_variance import window_variance

SFREQ = 128.0


def one_by_one(X, bands, n_window, sfreq=SFREQ):
    """Filter each channel alone; edges of 0 Hz and Nyquist are not for this."""
    n_windows = X.shape[2] // n_window
    out = np.empty((len(X), n_windows, len(bands), X.shape[1]))
    for k, edges in enumerate(bands.values()):
        b, a = butter(3, edges, "bandpass", fs=sfreq)
        for i, trial in enumerate(X.astype(float)):
            for c, channel in enumerate(trial):
                filtered = lfilter(b, a, channel)[: n_windows * n_window]
                out[i, :, k, c] = filtered.reshape(n_windows, n_window).var(axis=1, ddof=1)
    return out


@pytest.mark.parametrize("n_window", [128, 100, 64, 17, 16, 15, 2, 390, 500])
@pytest.mark.parametrize("shape", [(3, 2, 500), (40, 9, 500)])
def test_it_is_filtering_and_then_the_variance(shape, n_window):
    X = np.random.default_rng(0).standard_normal(shape)
    bands = check_bands("deap", SFREQ)
    variance = window_variance(X, SFREQ, bands, n_window, order=3)
    assert_allclose(variance, one_by_one(X, bands, n_window), rtol=1e-8, atol=1e-14)


def test_a_window_may_be_longer_than_the_blocks_that_are_squared_at_once():
    X = np.random.default_rng(0).standard_normal((2, 60, 3000))
    bands = check_bands("classic", SFREQ)
    variance = window_variance(X, SFREQ, bands, 1500, order=3)
    assert_allclose(variance, one_by_one(X, bands, 1500), rtol=1e-8)


def test_low_and_high_pass_stand_beside_a_band_pass():
    X = np.random.default_rng(0).standard_normal((2, 3, 256))
    bands = check_bands([(0, 8), (8, 13), (30, 64)], SFREQ)
    variance = window_variance(X, SFREQ, bands, 256, order=3)[:, 0]
    for k, (edges, kind) in enumerate([(8, "low"), ((8, 13), "band"), (30, "high")]):
        b, a = butter(3, edges, kind, fs=SFREQ)
        assert_allclose(variance[:, k], lfilter(b, a, X).var(axis=2, ddof=1), rtol=1e-8)


def test_slow_bands_at_a_high_rate_stay_accurate():
    """Second-order sections keep the digits that scipy's direct form of the filter loses."""
    X = np.random.default_rng(0).standard_normal((1, 2, 4000))
    variance = window_variance(X, 2000.0, {"delta": (1.0, 4.0)}, 4000, order=3)
    sections = butter(3, (1, 4), "bandpass", fs=2000, output="sos")
    assert_allclose(variance[:, 0, 0], sosfilt(sections, X).var(axis=2, ddof=1), rtol=1e-7)


def test_an_offset_a_thousand_times_the_signal_is_filtered_out():
    X = np.random.default_rng(0).standard_normal((1, 2, 1280)) + 1e3
    bands = check_bands("deap", SFREQ)
    # All but the first windows, which the step at the beginning rings into.
    variance = window_variance(X, SFREQ, bands, 128, order=3)[:, 5:]
    assert_allclose(variance, one_by_one(X, bands, 128)[:, 5:], rtol=1e-7)


def test_trials_are_filtered_by_themselves_and_from_rest():
    X = np.random.default_rng(0).standard_normal((120, 4, 200))
    X[1] *= 1e6
    bands = check_bands("deap", SFREQ)
    together = window_variance(X, SFREQ, bands, 100, order=3)
    alone = window_variance(X[[0]], SFREQ, bands, 100, order=3)
    assert_allclose(together[[0]], alone, rtol=1e-9)


@pytest.mark.parametrize(
    "change",
    [
        lambda X: X.astype(np.float32),
        lambda X: np.asfortranarray(X),
        lambda X: X.repeat(2, axis=2)[..., ::2],
    ],
    ids=["float32", "Fortran order", "strided"],
)
def test_dtype_and_memory_layout_make_no_difference(change):
    X = np.random.default_rng(0).standard_normal((5, 4, 256)).astype(np.float32).astype(float)
    X.setflags(write=False)
    bands = check_bands("deap", SFREQ)
    expected = window_variance(X, SFREQ, bands, 128, order=3)
    assert_allclose(window_variance(change(X), SFREQ, bands, 128, order=3), expected, rtol=1e-12)


def test_what_is_flat_has_no_variance_and_a_single_sample_none_either():
    bands = check_bands("deap", SFREQ)
    assert (window_variance(np.zeros((2, 3, 256)), SFREQ, bands, 128, order=3) == 0).all()
    assert (window_variance(np.ones((2, 3, 4)), SFREQ, bands, 1, order=3) == 0).all()
