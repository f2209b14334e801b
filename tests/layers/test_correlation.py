"""Correlations along time, against numpy's and against torch's own gradients."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skeeg.layers import SameConv2d
from skeeg.layers._correlation import (
    convolve,
    correlate_all,
    correlate_each,
    correlate_each_by_spectrum,
)

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


# ---------------------------------------------------------------- every map into every output

# One frame, several, several whose last is not full, kernels longer than signals, single samples.
SHAPES = [
    (2, 3, 20, 4, 8),
    (3, 2, 400, 2, 9),
    (40, 5, 157, 6, 8),
    (1, 2, 5, 3, 12),
    (1, 1, 1, 1, 1),
]


def every_pair(shape, dtype=torch.float64):
    batch, n_maps, n_times, n_outputs, length = shape
    torch.manual_seed(length)
    x = torch.randn(batch, n_maps, n_times, dtype=dtype)
    return x, torch.randn(n_outputs, n_maps, length, dtype=dtype)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_pair_against_numpy(shape):
    x, kernels = every_pair(shape)
    before, after = (shape[-1] - 1) // 2, shape[-1] // 2
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (before, after)))
    expected = [
        [
            sum(np.correlate(*pair, "valid") for pair in zip(trial, of_maps, strict=True))
            for of_maps in kernels.numpy()
        ]
        for trial in padded
    ]
    found = correlate_all(x, kernels, (before, after))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-11, atol=1e-11)


@settings(max_examples=60, deadline=None)
@given(
    batch=st.integers(1, 5),
    n_maps=st.integers(1, 5),
    n_times=st.integers(1, 200),
    n_outputs=st.integers(1, 5),
    length=st.integers(1, 40),
    before=st.integers(0, 39),
    after=st.integers(0, 39),
)
def test_gradients_by_every_pair_are_those_of_a_convolution(
    batch, n_maps, n_times, n_outputs, length, before, after
):
    assume(before < length and after < length and n_times + before + after >= length)
    found, expected = [], []
    for correlate, into in ((correlate_all, found), (convolved, expected)):
        leaves = every_pair((batch, n_maps, n_times, n_outputs, length))
        for leaf in leaves:
            leaf.requires_grad_()
        out = correlate(*leaves, (before, after))
        weight = torch.linspace(-1, 2, out.numel(), dtype=out.dtype).reshape(out.shape)
        into += [out, *torch.autograd.grad((out * weight).sum(), leaves)]
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-9)


def convolved(x, kernels, padding):
    return F.conv1d(F.pad(x, padding), kernels)


@pytest.mark.parametrize("wanted", [0, 1])
def test_the_gradient_by_one_of_a_pair_alone(wanted):
    leaves = every_pair((3, 2, 60, 4, 9))
    leaves[wanted].requires_grad_()
    (found,) = torch.autograd.grad(correlate_all(*leaves, (3, 5)).square().sum(), leaves[wanted])
    (expected,) = torch.autograd.grad(convolved(*leaves, (3, 5)).square().sum(), leaves[wanted])
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("shape", [(2, 2, 6, 3, 4), (2, 1, 40, 1, 3)])
def test_gradients_of_gradients_by_every_pair(shape):
    leaves = [leaf.requires_grad_() for leaf in every_pair(shape)]
    assert torch.autograd.gradgradcheck(lambda x, k: correlate_all(x, k, (1, 2)), leaves)


def test_every_pair_in_single_precision():
    x, kernels = every_pair((8, 22, 500, 10, 64), torch.float32)
    expected = convolved(x.double(), kernels.double(), (31, 32))
    error = (correlate_all(x, kernels, (31, 32)).double() - expected).abs().max()
    assert error < 1e-5 * expected.abs().max()


@pytest.mark.filterwarnings("ignore")
def test_every_pair_exports_and_compiles():
    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.kernels = torch.nn.Parameter(torch.randn(4, 3, 9))

        def forward(self, x):
            return correlate_all(x, self.kernels, (4, 4))

    layer, x = Layer(), torch.randn(2, 3, 100)
    torch.testing.assert_close(torch.export.export(layer, (x,)).module()(x), layer(x))
    compiled = torch.compile(layer, backend="aot_eager")
    outputs = [form(x) for form in (layer, compiled)]
    torch.testing.assert_close(*outputs)
    gradients = [torch.autograd.grad(out.square().sum(), layer.kernels)[0] for out in outputs]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("wanted", ["x", "weight", "bias", "x weight bias"])
def test_convolutions_have_torchs_outputs_and_gradients(layout, wanted):
    generator = torch.Generator().manual_seed(0)
    shapes = {"x": (3, 2, 1, 30), "weight": (5, 2, 1, 7), "bias": (5,)}
    tensors = {n: torch.randn(*shape, generator=generator) for n, shape in shapes.items()}
    tensors["x"] = tensors["x"].contiguous(memory_format=layout)
    leaves = [tensors[name].requires_grad_() for name in wanted.split()]
    results = []
    for layer in (convolve, F.conv2d):
        output = layer(*tensors.values())
        weights = torch.linspace(-1, 2, output.numel()).reshape(output.shape)
        results.append([output, *torch.autograd.grad((output * weights).sum(), leaves)])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_gradients_of_gradients_by_a_convolution():
    """In single precision, which is what the gradients are written out for."""
    x, weight, bias = torch.randn(2, 2, 1, 9), torch.randn(3, 2, 1, 4), torch.randn(3)
    leaves = [x.requires_grad_(), weight.requires_grad_(), bias.requires_grad_()]
    seconds = []
    for layer in (convolve, F.conv2d):
        firsts = torch.autograd.grad(layer(*leaves).pow(3).sum(), leaves, create_graph=True)
        seconds.append(torch.autograd.grad(sum(f.square().sum() for f in firsts), leaves))
    for ours, theirs in zip(*seconds, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-2)
