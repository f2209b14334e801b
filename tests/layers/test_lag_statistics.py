"""Lag statistics against the samples themselves, laid out tap by tap."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skeeg.layers._lag_statistics import lag_statistics, lag_sums, statistics_of_sums


def seen_by_taps(x, length, padding):
    """What every tap sees, (K, number of outputs), in numpy."""
    padded = np.pad(x, ((0, 0), (0, 0), padding))
    windows = np.lib.stride_tricks.sliding_window_view(padded, length, axis=-1)
    return windows.reshape(-1, length).T


@settings(max_examples=80, deadline=None)
@given(
    batch=st.integers(1, 4),
    n_chans=st.integers(1, 4),
    n_times=st.integers(1, 60),
    length=st.integers(1, 40),
    before=st.integers(0, 39),
    after=st.integers(0, 39),
    offset=st.sampled_from([0.0, -7.0, 1e3]),
)
def test_against_numpy(batch, n_chans, n_times, length, before, after, offset):
    assume(before < length and after < length)
    n_out = n_times + before + after - length + 1
    assume(n_out > 0 and batch * n_chans * n_out > 1)
    rng = np.random.default_rng(n_times)
    x = rng.standard_normal((batch, n_chans, n_times)) + offset
    seen = seen_by_taps(x, length, (before, after))
    scale = max(1.0, offset**2)
    found = lag_statistics(torch.tensor(x), length, (before, after))
    assert found.count == seen.shape[1]
    np.testing.assert_allclose(found.mean, seen.mean(axis=1), rtol=1e-12, atol=1e-12 * scale)
    covariance = np.cov(seen, bias=True).reshape(length, length)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-9, atol=1e-12 * scale)

    known = lag_sums(torch.tensor(x), length, (before, after))
    summed = statistics_of_sums(known, torch.Size(x.shape), length, (before, after))
    assert summed.count == found.count
    np.testing.assert_allclose(summed.mean, found.mean, rtol=1e-12, atol=1e-12 * scale)
    np.testing.assert_allclose(summed.covariance, covariance, rtol=1e-9, atol=1e-11 * scale)


def test_pieces_add_up():
    """Data of many pieces, which are summed one by one."""
    x = np.random.default_rng(0).standard_normal((70, 64, 200)).astype(np.float32) + 3
    seen = seen_by_taps(x.astype(np.float64), 9, (4, 4))
    found = lag_statistics(torch.tensor(x), 9, (4, 4))
    np.testing.assert_allclose(found.mean, seen.mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(found.covariance, np.cov(seen, bias=True), rtol=1e-5, atol=1e-6)


def test_single_precision_keeps_its_digits_under_an_offset():
    """An offset of a thousand deviations: its square has all the digits of single precision."""
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((8, 4, 300)) + 1000).astype(np.float32)
    seen = seen_by_taps(x.astype(np.float64), 5, (0, 0))
    found = lag_statistics(torch.tensor(x), 5, (0, 0))
    np.testing.assert_allclose(found.covariance, np.cov(seen, bias=True), rtol=1e-4, atol=1e-4)
    known = statistics_of_sums(lag_sums(torch.tensor(x), 5, (0, 0)), torch.Size(x.shape), 5, (0, 0))
    np.testing.assert_allclose(known.covariance, found.covariance, rtol=1e-4, atol=1e-4)


def test_differentiable_by_the_signals():
    x = torch.randn(2, 2, 12, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: lag_statistics(x, 5, (2, 2)).covariance, x)
    assert torch.autograd.gradcheck(lambda x: lag_statistics(x, 5, (2, 2)).mean, x)


def test_one_output_has_no_variance():
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        lag_statistics(torch.zeros(1, 1, 5), 5, (0, 0))
