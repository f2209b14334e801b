"""Depthwise correlations, against numpy's and against torch's own gradients."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skeeg.layers import SameConv2d
from skeeg.layers.correlation import correlate_each, correlate_each_by_spectrum

each_way = pytest.mark.parametrize("correlate", [correlate_each, correlate_each_by_spectrum])


@each_way
@pytest.mark.parametrize("padding", [(0, 0), (3, 4), (4, 3), (0, 7), (7, 7)])
def test_against_numpy(correlate, padding):
    rng = np.random.default_rng(0)
    x, kernels = rng.standard_normal((2, 3, 20)), rng.standard_normal((3, 8))
    bias = rng.standard_normal(3)
    padded = np.pad(x, ((0, 0), (0, 0), padding))
    expected = [
        [np.correlate(s, k, "valid") + b for s, k, b in zip(trial, kernels, bias, strict=True)]
        for trial in padded
    ]
    found = correlate(torch.tensor(x), torch.tensor(kernels), padding, torch.tensor(bias))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-12)


def gradients(correlate, x, kernels, bias, padding):
    leaves = [leaf.clone().requires_grad_() for leaf in (x, kernels, bias)]
    out = correlate(*leaves[:2], padding, leaves[2])
    weight = torch.linspace(-1, 2, out.numel(), dtype=out.dtype).reshape(out.shape)
    return torch.autograd.grad((out * weight).sum(), leaves)


@settings(max_examples=60, deadline=None)
@given(
    batch=st.integers(1, 5),
    n_maps=st.integers(1, 20),
    n_times=st.integers(1, 90),
    length=st.integers(1, 70),
    before=st.integers(0, 69),
    after=st.integers(0, 69),
)
def test_single_precision_gradients_are_those_of_double(
    batch, n_maps, n_times, length, before, after
):
    """In single precision the gradients are written out; in double they are torch's own."""
    assume(before < length and after < length and n_times + before + after >= length)
    torch.manual_seed(length)
    x, kernels = torch.randn(batch, n_maps, n_times), torch.randn(n_maps, length)
    bias = torch.randn(n_maps)
    found = gradients(correlate_each, x, kernels, bias, (before, after))
    doubles = (x.double(), kernels.double(), bias.double())
    for mine, exact in zip(
        found, gradients(correlate_each, *doubles, (before, after)), strict=True
    ):
        scale = exact.abs().max().clamp_min(1)
        assert ((mine.double() - exact) / scale).abs().max() < 1e-5


def test_gradients_are_computed_only_where_they_are_wanted():
    x, kernels = torch.randn(2, 3, 20), torch.randn(3, 5, requires_grad=True)
    out = correlate_each(x, kernels, (2, 2))
    (by_kernels,) = torch.autograd.grad(out.sum(), kernels)
    windows = F.pad(x, (2, 2)).unfold(-1, 5, 1)
    torch.testing.assert_close(by_kernels, windows.sum(dim=(0, 2)), rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        assert not correlate_each(x, kernels, (2, 2)).requires_grad


def test_gradients_of_gradients():
    x = torch.randn(2, 3, 9, dtype=torch.float64, requires_grad=True)
    kernels = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x, k: correlate_each(x, k, (1, 2)), (x, kernels))


def test_maps_of_a_sample_lie_side_by_side():
    out = correlate_each(torch.randn(2, 3, 20), torch.randn(3, 5), (2, 2))
    assert out.unsqueeze(2).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("height", [1, 3])
@pytest.mark.parametrize("length", [1, 4, 5, 30])
def test_depthwise_same_convolution_is_torchs(height, length):
    torch.manual_seed(0)
    layer = SameConv2d(4, 4, length, groups=4)
    x = torch.randn(2, 4, height, 17)
    expected = F.conv2d(x, layer.weight, layer.bias, padding="same", groups=4)
    torch.testing.assert_close(layer(x), expected, rtol=1e-5, atol=1e-5)
