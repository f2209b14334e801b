"""Depthwise convolutions with several kernel lengths, against numpy's correlation of each map."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skeeg.layers import MixedDepthwiseConv, glorot_uniform_


@pytest.mark.parametrize(
    ("lengths", "split", "expected"),
    [
        ((15, 31, 63, 125), "equal", 8 * (15 + 31 + 63 + 125)),
        ((15, 31, 63, 125), "exponential", 16 * 15 + 8 * 31 + 4 * 63 + 4 * 125),
        ((16,), "equal", 32 * 16),
    ],
)
def test_weights_along_time(lengths, split, expected):
    conv = MixedDepthwiseConv(32, lengths, split=split)
    assert sum(parameter.numel() for parameter in conv.parameters()) == expected
    biased = MixedDepthwiseConv(32, lengths, split=split, bias=True)
    assert sum(parameter.numel() for parameter in biased.parameters()) == expected + 32


def test_1872_weights_of_32_maps_in_equal_groups():
    conv = MixedDepthwiseConv(32, (15, 31, 63, 125))
    assert [bank.weight.shape for bank in conv.banks] == [(8, 1, 1, k) for k in (15, 31, 63, 125)]
    assert sum(bank.weight.numel() for bank in conv.banks) == 1872


def by_numpy(conv, x):
    """Each row of each map correlated by `numpy.correlate` with its own kernel."""
    kernels = [taps[0, 0].detach().numpy() for bank in conv.banks for taps in bank.weight]
    biases = np.zeros(len(kernels))
    if conv.banks[0].bias is not None:
        biases = np.concatenate([bank.bias.detach().numpy() for bank in conv.banks])
    out = np.empty_like(x)
    for i, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
        n_before = (len(kernel) - 1) // 2
        padding = (n_before, len(kernel) - 1 - n_before)
        for trial in range(x.shape[0]):
            for row in range(x.shape[2]):
                padded = np.pad(x[trial, i, row], padding)
                out[trial, i, row] = np.correlate(padded, kernel, "valid") + bias
    return out


@pytest.mark.parametrize("method", ["merged", "direct"])
@pytest.mark.parametrize("split", ["equal", "exponential"])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("height", [1, 3])
@pytest.mark.parametrize("lengths", [(3, 7, 15), (4, 1, 9), (2, 30), (6,), (5, 5)])
def test_against_numpy(method, split, bias, height, lengths):
    torch.manual_seed(0)
    conv = MixedDepthwiseConv(7, lengths, split=split, bias=bias, method=method).double()
    x = np.random.default_rng(0).standard_normal((2, 7, height, 17))
    found = conv(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(found, by_numpy(conv, x), rtol=1e-12, atol=1e-12)


def gradients(conv, x, method):
    conv = copy.deepcopy(conv)
    conv.method = method
    leaf = x.clone().requires_grad_()
    out = conv(leaf)
    weight = torch.linspace(-1, 2, out.numel(), dtype=out.dtype).reshape(out.shape)
    (out * weight).sum().backward()
    return [out.detach(), leaf.grad, *(parameter.grad for parameter in conv.parameters())]


@settings(max_examples=30, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    extra=st.integers(0, 6),
    n_times=st.integers(1, 50),
    height=st.integers(1, 2),
    split=st.sampled_from(["equal", "exponential"]),
    bias=st.booleans(),
)
def test_methods_agree_in_single_precision(lengths, extra, n_times, height, split, bias):
    torch.manual_seed(n_times)
    conv = MixedDepthwiseConv(len(lengths) + extra, lengths, split=split, bias=bias)
    x = torch.randn(3, conv.n_maps, height, n_times)
    exact = gradients(copy.deepcopy(conv).double(), x.double(), "direct")
    for mine, expected in zip(gradients(conv, x, "merged"), exact, strict=True):
        scale = expected.abs().max().clamp_min(1)
        assert ((mine.double() - expected) / scale).abs().max() < 1e-5


@pytest.mark.parametrize("method", ["merged", "direct"])
def test_gradients_are_differences(method):
    torch.manual_seed(0)
    conv = MixedDepthwiseConv(5, (2, 5, 9), bias=True, method=method).double()
    x = torch.randn(2, 5, 1, 7, dtype=torch.float64, requires_grad=True)
    names = dict(conv.named_parameters())

    def run(x, *parameters):
        state = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(conv, state, x)

    assert torch.autograd.gradcheck(run, (x, *names.values()))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_memory_layout_does_not_matter(layout):
    conv = MixedDepthwiseConv(6, (3, 8))
    x = torch.randn(2, 6, 1, 30)
    torch.testing.assert_close(conv(x.contiguous(memory_format=layout)), conv(x))


def test_kernels_may_exceed_their_input():
    conv = MixedDepthwiseConv(4, (3, 125)).double()
    x = torch.randn(2, 4, 1, 1, dtype=torch.float64)
    middle = torch.cat(
        [bank.weight[:, 0, 0, len(bank.weight[0, 0, 0]) // 2] for bank in conv.banks]
    )
    torch.testing.assert_close(conv(x), x * middle[:, None, None])


def test_glorot_reaches_the_kernels_of_each_length():
    torch.manual_seed(0)
    conv = MixedDepthwiseConv(64, (3, 31))
    glorot_uniform_(conv)
    for bank, length in zip(conv.banks, (3, 31), strict=True):
        limit = (6 / (33 * length)) ** 0.5  # 32 maps in, one out for each
        assert 0.9 * limit < bank.weight.abs().max() <= limit


def test_pickles_compute_the_same():
    conv = MixedDepthwiseConv(6, (3, 8), split="exponential", bias=True)
    x = torch.randn(2, 6, 1, 30)
    assert torch.equal(pickle.loads(pickle.dumps(conv))(x), conv(x))


def test_the_settings_are_visible_in_print():
    assert "6, split='equal', method='merged'" in repr(MixedDepthwiseConv(6, (3, 8)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, (3, 5, 7, 9)), "3 maps cannot be split into 4 groups"),
        ((0, (3,)), "n_maps must be an integer of at least 1; got 0"),
        ((4, 16), "kernel_lengths must be a sequence of one integer or more; got 16"),
        ((4, ()), r"kernel_lengths must be a sequence of one integer or more; got \(\)"),
        ((4, "37"), "kernel_lengths must be a sequence of one integer or more; got '37'"),
        ((4, (3, 0)), r"kernel_lengths\[1\] must be an integer of at least 1; got 0"),
        ((4, (3, 2.5)), r"kernel_lengths\[1\] must be an integer of at least 1; got 2.5"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        MixedDepthwiseConv(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "exponent"}, "split must be one of.*Did you mean 'exponential'"),
        ({"method": "fast"}, "method must be one of 'merged', 'direct'; got 'fast'"),
        ({"bias": 1}, "bias must be True or False; got 1"),
    ],
)
def test_unknown_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        MixedDepthwiseConv(4, (3, 5), **options)


def test_an_unknown_method_set_later_is_refused_in_use():
    conv = MixedDepthwiseConv(4, (3, 5))
    conv.method = "spectral"
    with pytest.raises(ValueError, match="method must be one of"):
        conv(torch.zeros(1, 4, 1, 9))
