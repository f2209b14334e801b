"""Batch normalisation, square and mean pool in one, against the three layers in a row."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skeeg.layers import MeanPool, normalised_power

LAYOUTS = {"maps side by side": torch.channels_last, "one after the other": torch.contiguous_format}


def maps(*shape, dtype=torch.float64, layout="maps side by side", offset=0.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(*shape, dtype=dtype, generator=generator) + offset
    return x.contiguous(memory_format=LAYOUTS[layout]).requires_grad_()


def normalisation(n_maps, dtype=torch.float64, **kwargs):
    norm = nn.BatchNorm2d(n_maps, **kwargs).to(dtype)
    for i, values in enumerate([*norm.parameters(), *norm.buffers()][:4]):
        generator = torch.Generator().manual_seed(i)
        values.data.copy_(torch.rand(n_maps, generator=generator) + 0.5)
    return norm


def both(x, norm, pool):
    """Return outputs, gradients by input and parameters, and buffers, of both ways."""
    results = []
    for layers in (normalised_power, lambda x, norm, pool: pool(norm(x).square())):
        own, mine = copy.deepcopy(norm), x.detach().clone().requires_grad_()
        output = layers(mine, own, pool)
        weights = torch.linspace(-1, 1, output.numel(), dtype=x.dtype).reshape(output.shape)
        gradients = torch.autograd.grad((output * weights).sum(), [mine, *own.parameters()])
        results.append([output, *gradients, *own.buffers()])
    return zip(*results, strict=True)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("layout", LAYOUTS)
@given(
    st.integers(1, 5),
    st.integers(1, 4),
    st.integers(1, 6),
    st.integers(1, 4),
    st.integers(0, 9),
    st.floats(-100, 100),
)
@settings(max_examples=40, deadline=None)
def test_it_computes_what_the_three_layers_do(
    layout, training, batch, n_maps, stride, n_each, more, offset
):
    n_times = stride * n_each + more
    norm = normalisation(n_maps).train(training)
    if batch * n_times == 1:
        norm.eval()
    x = maps(batch, n_maps, 1, n_times, layout=layout, offset=offset)
    for ours, theirs in both(x, norm, MeanPool(stride * n_each, stride)):
        # A variance of close to nothing divides rounding errors of the offset.
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_single_precision_bears_an_offset(layout):
    """The squares of values of about 1,000 would lose the deviations of about 1."""
    x = maps(8, 3, 1, 110, dtype=torch.float32, layout=layout, offset=1000.0)
    norm = normalisation(3, torch.float32)
    for ours, theirs in both(x, norm, MeanPool(30, 10)):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)


def test_many_trials_are_taken_in_portions():
    x = maps(9, 40, 1, 3000)
    for ours, theirs in both(x, normalisation(40), MeanPool(75, 15)):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_pools_that_share_no_parts_take_the_layers_one_by_one():
    for ours, theirs in both(maps(4, 2, 1, 50), normalisation(2), MeanPool(7, 3)):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


@pytest.mark.parametrize("kwargs", [{"affine": False}, {"momentum": None}])
def test_other_normalisations(kwargs):
    norm = nn.BatchNorm2d(3, **kwargs).double()
    for _ in range(2):
        for ours, theirs in both(maps(4, 3, 1, 50), norm, MeanPool(20, 10)):
            torch.testing.assert_close(ours, theirs)
        norm(maps(4, 3, 1, 50, seed=1))


def test_without_running_statistics_a_batch_is_normalised_by_itself():
    norm = nn.BatchNorm2d(3, track_running_stats=False).double().eval()
    x, pool = maps(4, 3, 1, 50), MeanPool(20, 10)
    torch.testing.assert_close(normalised_power(x, norm, pool), pool(norm(x).square()))


def test_one_value_has_no_statistics():
    with pytest.raises(ValueError, match="more than 1 value"):
        normalised_power(maps(1, 3, 1, 1), normalisation(3), MeanPool(1))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_of_gradients(layout):
    norm, pool = normalisation(2), MeanPool(6, 3)
    x = maps(3, 2, 1, 11, layout=layout)
    assert torch.autograd.gradcheck(lambda x: normalised_power(x, norm, pool), x)
    assert torch.autograd.gradgradcheck(lambda x: normalised_power(x, norm, pool), x)


def test_it_is_the_mean_square_of_standardised_values():
    x = maps(5, 2, 1, 40)
    values = x.detach().numpy()[:, :, 0]
    z = (values - values.mean(axis=(0, 2), keepdims=True)) / np.sqrt(
        values.var(axis=(0, 2), keepdims=True) + 1e-5
    )
    expected = np.stack([(z[..., i : i + 20] ** 2).mean(axis=-1) for i in (0, 10, 20)], axis=-1)
    result = normalised_power(x, nn.BatchNorm2d(2).double(), MeanPool(20, 10))
    np.testing.assert_allclose(result.detach().numpy()[:, :, 0], expected)
