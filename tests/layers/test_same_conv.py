"""Convolutions that keep the length of their input, against torch's."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skeeg.layers import SameConv2d


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


@settings(max_examples=25, deadline=None)
@given(
    kernel_length=st.integers(1, 9),
    dilation=st.integers(1, 5),
    groups=st.sampled_from([1, 2]),
    n_times=st.integers(1, 30),
)
@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_dilated_kernels_agree_with_the_same_padding_of_torch(
    kernel_length, dilation, groups, n_times
):
    options = {"groups": groups, "bias": False}
    ours = SameConv2d(2, 2, kernel_length, dilation=dilation, **options).double()
    theirs = nn.Conv2d(
        2, 2, (1, kernel_length), dilation=(1, dilation), padding="same", **options
    ).double()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 2, 1, n_times, dtype=torch.float64)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-10, atol=1e-12)


def test_even_kernels_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SameConv2d(1, 1, 64)(torch.zeros(1, 1, 2, 10))


def test_the_padding_is_visible_in_print():
    assert "time_padding=(31, 32)" in repr(SameConv2d(1, 8, 64))
