import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skeeg.layers import ACTIVATIONS, apply_max_norm
from skeeg.networks import EEGNeX

X = np.random.default_rng(5).standard_normal((3, 3, 22))
VARIANTS = ("paper", "released")
each_variant = pytest.mark.parametrize("variant", VARIANTS)


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("shape", "hyperparameters", "expected"),
    [
        ((22, 500, 4), {}, 55940),  # as braindecode 1.8.1 lists
        ((22, 500, 4), {"variant": "released"}, 55940 + 4 * 8 * (31 - 15)),
        ((64, 128, 2), {}, 55940 + 64 * (64 - 22) - 484 + 2 * (8 * 4 + 1)),
        ((22, 500, 4), {"kernel_length": 32}, 55940 - 8 * 32 - 8 * 32 * 32),
    ],
)
def test_published_count_and_those_that_follow_from_it(shape, hyperparameters, expected):
    assert count(EEGNeX(*shape, **hyperparameters)) == expected


sizes = st.integers(1, 5)


@settings(max_examples=30, deadline=None)
@given(
    c=sizes,
    t=st.integers(36, 90),
    n=sizes,
    f1=sizes,
    f2=sizes,
    d=sizes,
    k=st.integers(1, 70),
    dilated=st.integers(1, 20),
    steps=st.tuples(sizes, sizes),
    p1=sizes,
    p2=sizes,
    variant=st.sampled_from(VARIANTS),
)
def test_count_follows_its_closed_form(c, t, n, f1, f2, d, k, dilated, steps, p1, p2, variant):
    network = EEGNeX(
        c,
        t,
        n,
        n_temporal_filters=f1,
        n_second_filters=f2,
        depth_multiplier=d,
        kernel_length=k,
        dilated_kernel_length=dilated,
        first_dilation=steps[0],
        second_dilation=steps[1],
        first_pool_length=p1,
        second_pool_length=p2,
        variant=variant,
    )
    temporal = f1 * k + 2 * f1 + f1 * f2 * k + 2 * f2
    spatial = d * f2 * c + 2 * d * f2
    dilated_convs = d * f2 * f2 * dilated + 2 * f2 + f2 * f1 * dilated + 2 * f1
    assert count(network) == temporal + spatial + dilated_convs + n * (f1 * (t // p1 // p2) + 1)


def dilate(weight, step):
    """A kernel with zeros between its weights."""
    length = step * (weight.shape[3] - 1) + 1
    dilated = np.zeros((*weight.shape[:3], length))
    dilated[..., ::step] = weight
    return dilated


def reference_chain(np_layers, variant, fixed_statistics=False):
    """EEGNeX in NumPy, from its parameters and an input to the outputs of its layers."""

    def chain(state, x):
        y = {}

        def convolve(block, x, step=1):
            weight = dilate(state[f"{block}.conv.weight"], step)
            y[f"{block}.conv"] = np_layers.convolve_same(x, weight)
            return normalise(block, y[f"{block}.conv"])

        def normalise(block, x):
            statistics = ("running_mean", "running_var") if fixed_statistics else ()
            y[f"{block}.norm"] = np_layers.normalise(
                x,
                state[f"{block}.norm.weight"],
                state[f"{block}.norm.bias"],
                1e-3,
                *(state[f"{block}.norm.{statistic}"] for statistic in statistics),
            )
            return y[f"{block}.norm"]

        def activate(block, x):
            y[f"{block}.activation"] = np_layers.elu(x, 0.7)
            return y[f"{block}.activation"]

        def pool(block, x, length):
            x = np_layers.pool(activate(block, x), np.mean, length)
            y[f"{block}.pool"] = y[f"{block}.dropout"] = x
            return x

        x = convolve("block1", x[:, None])
        if variant == "released":
            x = activate("block1", x)
        x = convolve("block2", x)
        x = y["block3.conv"] = np_layers.convolve(x, state["block3.conv.weight"], groups=x.shape[1])
        x = pool("block3", normalise("block3", x), 4)
        x = convolve("block4", x, 2)
        x = pool("block5", convolve("block5", x, 3), 2)
        y["dense"] = np_layers.dense(x, state["dense.weight"], state["dense.bias"])
        return y

    return chain


def small_network(reference, variant):
    network = EEGNeX(
        3,
        22,
        2,
        variant=variant,
        n_temporal_filters=2,
        n_second_filters=3,
        kernel_length=6,
        dilated_kernel_length=4,
        second_dilation=3,
        second_pool_length=2,
        dropout=0,
        alpha=0.7,
    )
    return reference.randomise(network)


@each_variant
def test_each_layer_equals_its_numpy_form_in_training(reference, variant):
    network = small_network(reference, variant)
    reference.assert_layers_agree(network, reference_chain(reference, variant), X)


@each_variant
def test_each_layer_equals_its_numpy_form_in_evaluation(reference, variant):
    network = small_network(reference, variant).eval()
    chain = reference_chain(reference, variant, fixed_statistics=True)
    reference.assert_layers_agree(network, chain, X)


@each_variant
def test_gradients_equal_differences_of_the_numpy_form(reference, variant):
    network = small_network(reference, variant)
    reference.assert_gradients_agree(network, reference_chain(reference, variant), X)


def test_normalisation_has_the_settings_of_keras():
    norms = [m for m in EEGNeX(2, 64, 2).modules() if isinstance(m, nn.BatchNorm2d)]
    assert [(norm.eps, norm.momentum) for norm in norms] == [(1e-3, 0.01)] * 5


def test_dilated_kernels_reach_as_far_as_their_steps():
    """A kernel of 16 weights spans 31 samples at a step of 2, and 61 at a step of 4."""
    network = EEGNeX(2, 800, 2).double().eval()
    for block, n_maps, reach in ((network.block4, 64, 31), (network.block5[:1], 32, 61)):
        impulse = torch.zeros(1, n_maps, 1, 201, dtype=torch.float64)
        impulse[..., 100] = 1
        response = (block(impulse) - block(torch.zeros_like(impulse))).abs().sum(dim=(0, 1, 2))
        seen = response.nonzero().flatten()
        assert (seen.min(), seen.max()) == (100 - reach // 2, 100 + reach // 2)
        assert len(seen) == 16


def test_spatial_filters_and_class_weights_are_limited():
    network = EEGNeX(8, 64, 2)
    limits = {n: m.max_norm for n, m in network.named_modules() if hasattr(m, "max_norm")}
    assert limits == {"block3.conv": 1.0, "dense": 0.25}
    network.block3.conv.weight.data.fill_(1.0)
    apply_max_norm(network)
    norms = network.block3.conv.weight.flatten(1).norm(dim=1)
    torch.testing.assert_close(norms, torch.ones(64))


def test_first_weights_are_uniform_within_glorots_bounds():
    torch.manual_seed(0)
    network = EEGNeX(22, 500, 4)
    bounds = {
        network.block2.conv: 6 / (64 * (8 + 32)),
        network.block3.conv: 6 / (22 * (32 + 2)),
        network.block4.conv: 6 / (16 * (64 + 32)),
        network.dense: 6 / (120 + 4),
    }
    for layer, square in bounds.items():
        assert 0.98 * math.sqrt(square) < layer.weight.abs().max() <= math.sqrt(square)
    assert (network.dense.bias == 0).all()


@pytest.mark.parametrize(("variant", "length"), [("paper", 8), ("released", 4)])
def test_the_second_pool_is_that_of_the_variant_unless_given(variant, length):
    assert EEGNeX(2, 200, 2, variant=variant).block5.pool.length == length
    assert EEGNeX(2, 200, 2, variant=variant, second_pool_length=None).block5.pool.length == length
    for asked in (4, 8):
        network = EEGNeX(2, 200, 2, variant=variant, second_pool_length=asked)
        assert network.block5.pool.length == asked


@pytest.mark.parametrize(
    ("n_times", "clipped", "warned"), [(3, (3, 1), [3, 5]), (20, (4, 5), [5]), (32, (4, 8), [])]
)
def test_only_pools_are_clipped_and_named(n_times, clipped, warned, recwarn):
    network = EEGNeX(2, n_times, 2)
    assert (network.block3.pool.length, network.block5.pool.length) == clipped
    names = [str(warning.message).split()[0] for warning in recwarn]
    assert names == [f"EEGNeX.block{number}.pool" for number in warned]
    assert network.block2.conv.kernel_size == (1, 64)


@pytest.mark.parametrize("name", ["first_dilation", "second_dilation"])
@pytest.mark.parametrize("value", [0, 1.5, None])
def test_dilations_must_be_positive_integers(name, value):
    with pytest.raises(ValueError, match=f"{name} must be an integer of at least 1; got"):
        EEGNeX(2, 64, 2, **{name: value})


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_any_activation_of_the_table(name):
    network = EEGNeX(2, 40, 2, activation=name, variant="released")
    assert torch.isfinite(network(torch.randn(3, 2, 40))).all()
