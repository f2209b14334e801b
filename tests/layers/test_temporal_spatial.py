"""The fast form of temporal and spatial filters is the direct one to rounding."""

import copy

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from skeeg.layers import SameConv2d
from skeeg.layers.temporal_spatial import temporal_spatial_filter
from skeeg.networks import DeepConvNet, EEGNet, ShallowConvNet


def layers(n_chans, kernel, *, same, normalised, n_filters=3, multiplier=2, dtype=torch.float64):
    torch.manual_seed(kernel)
    biased = not normalised
    if same:
        temporal = SameConv2d(1, n_filters, kernel, bias=biased)
    else:
        temporal = nn.Conv2d(1, n_filters, (1, kernel), bias=biased)
    norm = nn.BatchNorm2d(n_filters, eps=1e-3, momentum=0.2) if normalised else None
    groups = n_filters if normalised else 1
    spatial = nn.Conv2d(n_filters, multiplier * n_filters, (n_chans, 1), groups=groups, bias=biased)
    if norm is not None:
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.normal_(norm.bias)
    modules = nn.ModuleDict({"temporal": temporal, "spatial": spatial})
    if norm is not None:
        modules["norm"] = norm
    return modules.to(dtype)


def apply(modules, x, method):
    norm = dict(modules).get("norm")
    return temporal_spatial_filter(x, modules["temporal"], norm, modules["spatial"], method=method)


def results(modules, x, method):
    """Output, gradients of all parameters, and running statistics after two steps."""
    modules = copy.deepcopy(modules)
    found = {}
    for step in range(2):
        out = apply(modules, x * (1 + step), method)
        weight = torch.linspace(-1, 2, out.numel(), dtype=out.dtype).reshape(out.shape)
        (out * weight / out.numel()).sum().backward()
        found[f"out{step}"] = out.detach()
    found |= {name: p.grad for name, p in modules.named_parameters()}
    return found | {name: b.clone() for name, b in modules.named_buffers()}


def assert_close(modules, x, tolerance):
    direct, fast = results(modules, x, "direct"), results(modules, x, "fast")
    assert direct.keys() == fast.keys()
    for name, expected in direct.items():
        scale = expected.abs().max().clamp_min(1) if expected.is_floating_point() else 1
        error = ((fast[name] - expected) / scale).abs().max()
        assert error <= tolerance, (name, float(error))


shapes = st.fixed_dictionaries(
    {
        "batch": st.integers(1, 4),
        "n_chans": st.integers(1, 5),
        "n_times": st.integers(2, 60),
        "kernel": st.integers(1, 40),
        "same": st.booleans(),
        "normalised": st.booleans(),
        "offset": st.sampled_from([0.0, 3.0, 1e4]),
    }
)


@settings(max_examples=150, deadline=None)
@given(shapes)
def test_fast_form_is_the_direct_one_in_float64(case):
    kernel = case["kernel"] if case["same"] else min(case["kernel"], case["n_times"])
    n_out = case["n_times"] if case["same"] else case["n_times"] - kernel + 1
    assume(not case["normalised"] or case["batch"] * case["n_chans"] * n_out > 1)
    modules = layers(case["n_chans"], kernel, same=case["same"], normalised=case["normalised"])
    torch.manual_seed(case["n_times"])
    x = torch.randn(case["batch"], case["n_chans"], case["n_times"], dtype=torch.float64)
    # An offset of 1e4 leaves twelve of sixteen digits, of which squares keep half.
    assert_close(modules, x + case["offset"], 1e-9 if case["offset"] < 1e4 else 1e-7)
    modules.eval()
    torch.testing.assert_close(
        apply(modules, x, "fast"), apply(modules, x, "direct"), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("offset", [0.0, 30.0])
@pytest.mark.parametrize(("n_chans", "n_times", "kernel"), [(22, 256, 64), (8, 500, 25)])
def test_fast_form_is_the_direct_one_in_float32(normalised, offset, n_chans, n_times, kernel):
    modules = layers(n_chans, kernel, same=normalised, normalised=normalised, dtype=torch.float32)
    x = torch.randn(6, n_chans, n_times) + offset
    assert_close(modules, x, 1e-4)


def test_auto_differentiates_by_the_input_in_training_as_the_direct_form_does():
    modules = layers(4, 16, same=True, normalised=True)
    x = torch.randn(3, 4, 50, dtype=torch.float64)
    gradients = []
    for method in ("auto", "direct"):
        leaf = x.clone().requires_grad_()
        apply(copy.deepcopy(modules), leaf, method).pow(2).sum().backward()
        gradients.append(leaf.grad)
    torch.testing.assert_close(*gradients)
    modules.eval()
    for method in ("fast", "direct"):
        leaf = x.clone().requires_grad_()
        apply(modules, leaf, method).pow(2).sum().backward()
        gradients.append(leaf.grad)
    torch.testing.assert_close(*gradients[2:])


@pytest.mark.parametrize("cls", [EEGNet, ShallowConvNet, DeepConvNet])
def test_networks_train_alike_with_either_front_end(cls):
    torch.manual_seed(0)
    start = cls(6, 200, 3, dropout=0.0).double()
    x, y = torch.randn(12, 6, 200, dtype=torch.float64), torch.arange(12) % 3
    trained = {}
    for method in ("auto", "direct"):
        network = copy.deepcopy(start)
        network.front_end = method
        optimizer = torch.optim.Adam(network.parameters(), 1e-3)
        for _ in range(20):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(x), y).backward()
            optimizer.step()
        trained[method] = network.state_dict()
    for name, expected in trained["direct"].items():
        torch.testing.assert_close(trained["auto"][name], expected, rtol=1e-6, atol=1e-8, msg=name)


def test_unknown_method_is_refused():
    modules = layers(2, 3, same=True, normalised=True)
    with pytest.raises(ValueError, match="'fats'"):
        apply(modules, torch.zeros(1, 2, 9, dtype=torch.float64), "fats")
