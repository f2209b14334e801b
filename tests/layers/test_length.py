import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skeeg.layers import SameConv2d, clip_length, output_length


def test_a_length_that_fits_is_kept_in_silence():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert clip_length(75, 75, "Net.pool") == 75
        assert clip_length(3, 75, "Net.pool") == 3


@pytest.mark.parametrize(("n_times", "unit"), [(1, "1 sample long"), (50, "50 samples long")])
def test_a_length_that_does_not_fit_is_clipped_with_a_warning_that_says_all(n_times, unit):
    with pytest.warns(UserWarning, match="Net.pool") as record:
        assert clip_length(75, n_times, "Net.pool") == n_times
    message = str(record[0].message)
    assert "length of 75" in message
    assert unit in message
    assert f"clipped to {n_times}" in message


def test_a_clipped_length_can_count_rows():
    with pytest.warns(UserWarning, match="length of 2, but its input is only 1 row long"):
        assert clip_length(2, 1, "Net.pool", unit="row") == 1


@given(length=st.integers(1, 40), extra=st.integers(0, 60), stride=st.integers(1, 50))
def test_output_length_counts_the_positions_of_a_window(length, extra, stride):
    n_times = length + extra
    positions = [t for t in range(0, n_times, stride) if t + length <= n_times]
    assert output_length(n_times, length, stride) == len(positions)


@pytest.mark.parametrize("kernel_length", [1, 2, 3, 16, 51, 64])
def test_an_impulse_shows_the_kernel_with_one_sample_less_before_an_even_one(kernel_length):
    conv = SameConv2d(1, 1, kernel_length, bias=False).double()
    conv.weight.data = torch.arange(1.0, kernel_length + 1).double().view(1, 1, 1, -1)
    impulse = torch.zeros(1, 1, 1, 201, dtype=torch.float64)
    impulse[..., 100] = 1
    response = conv(impulse).detach().numpy().ravel()
    expected = np.zeros(201)
    after = kernel_length // 2  # the samples after the current one that the kernel sees
    first = 100 - after
    expected[first : first + kernel_length] = np.arange(kernel_length, 0, -1)
    np.testing.assert_allclose(response, expected, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    kernel_length=st.integers(1, 12),
    n_times=st.integers(1, 20),
    groups=st.sampled_from([1, 2]),
    bias=st.booleans(),
)
@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_same_convolution_is_torchs_own_with_the_same_state(kernel_length, n_times, groups, bias):
    ours = SameConv2d(2, 4, kernel_length, groups=groups, bias=bias).double()
    theirs = nn.Conv2d(2, 4, (1, kernel_length), groups=groups, bias=bias, padding="same").double()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 2, 3, n_times, dtype=torch.float64)
    assert ours(x).shape == (2, 4, 3, n_times)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-10, atol=1e-12)


def test_even_kernels_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SameConv2d(1, 1, 64)(torch.zeros(1, 1, 2, 10))


def test_the_padding_is_visible_in_print():
    assert "time_padding=(31, 32)" in repr(SameConv2d(1, 8, 64))
