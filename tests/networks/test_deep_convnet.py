import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skeeg.networks import DeepConvNet

X = np.random.default_rng(6).standard_normal((3, 2, 31))
VARIANTS = ("schirrmeister", "lawhern", "lab")


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("shape", "variant", "expected"),
    [
        ((22, 1125, 4), "schirrmeister", 284479),
        ((44, 1125, 4), "schirrmeister", 298229),
        ((22, 1000, 4), "schirrmeister", 282879),
        ((44, 1000, 4), "schirrmeister", 296629),
        ((64, 128, 2), "lawhern", 174127),  # P300
        ((56, 160, 2), "lawhern", 169927),  # ERN
        ((64, 192, 2), "lawhern", 175727),  # MRCP
        ((22, 256, 4), "lawhern", 155879),  # SMR, where the paper prints 152,219
        ((64, 256, 4), "lawhern", 182129),
        ((2, 750, 2), "lab", 150977),
    ],
)
def test_published_counts(shape, variant, expected):
    assert count(DeepConvNet(*shape, variant=variant)) == expected


def test_biases_before_normalisation_are_375_parameters():
    shape, lengths = (22, 1125, 4), {"kernel_length": 10, "pool_length": 3}
    with_biases = DeepConvNet(*shape, variant="lawhern", **lengths)
    assert count(with_biases) - count(DeepConvNet(*shape, **lengths)) == 375


@settings(max_examples=25, deadline=None)
@given(
    c=st.integers(1, 5),
    t=st.integers(80, 120),
    n=st.integers(1, 5),
    f=st.integers(1, 4),
    k=st.integers(1, 5),
    p=st.integers(1, 2),
    variant=st.sampled_from(VARIANTS),
)
def test_count_follows_its_closed_form(c, t, n, f, k, p, variant):
    network = DeepConvNet(
        c, t, n, n_temporal_filters=f, kernel_length=k, pool_length=p, variant=variant
    )
    bias = 0 if variant == "schirrmeister" else 1
    expected = f * k + f + f * f * c + bias * f + 2 * f
    t = (t - k + 1) // p
    for maps in (2 * f, 4 * f, 8 * f):
        expected += maps // 2 * maps * k + bias * maps + 2 * maps
        t = (t - k + 1) // p
    assert count(network) == expected + n * (8 * f * t + 1)


def reference_chain(np_layers, fixed_statistics=False):
    """DeepConvNet in NumPy, from its parameters and an input to the outputs of its layers."""

    def chain(state, x):
        y = {}
        y["filters.temporal"] = np_layers.convolve(
            x[:, None], state["filters.temporal.weight"], state["filters.temporal.bias"]
        )
        y["filters.spatial"] = z = np_layers.convolve(
            y["filters.temporal"],
            state["filters.spatial.weight"],
            state.get("filters.spatial.bias"),
        )
        for block in ("block1", "block2", "block3", "block4"):
            if block != "block1":
                y[f"{block}.conv"] = z = np_layers.convolve(
                    z, state[f"{block}.conv.weight"], state.get(f"{block}.conv.bias")
                )
            names = ("running_mean", "running_var") if fixed_statistics else ()
            statistics = [state[f"{block}.norm.{name}"] for name in names]
            affine = state[f"{block}.norm.weight"], state[f"{block}.norm.bias"]
            y[f"{block}.norm"] = np_layers.normalise(z, *affine, 1e-5, *statistics)
            y[f"{block}.pool"] = np_layers.pool(y[f"{block}.norm"], np.max, 2)
            # In the paper's order; ELU never falls, so that the network may pool first.
            z = np_layers.pool(np_layers.elu(y[f"{block}.norm"], 0.7), np.max, 2)
            y[f"{block}.activation"] = z
            if block == "block1":
                y["block1.attention"] = z
            y[f"{block}.dropout"] = z
        y["dense"] = np_layers.dense(z, state["dense.weight"], state["dense.bias"])
        return y

    return chain


def small_network(reference, variant):
    return reference.randomise(
        DeepConvNet(
            2,
            31,
            2,
            n_temporal_filters=2,
            kernel_length=2,
            pool_length=2,
            dropout=0,
            alpha=0.7,
            variant=variant,
        )
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_layer_equals_its_numpy_form_in_training(reference, variant):
    network = small_network(reference, variant)
    reference.assert_layers_agree(network, reference_chain(reference), X)


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_layer_equals_its_numpy_form_in_evaluation(reference, variant):
    network = small_network(reference, variant).eval()
    reference.assert_layers_agree(network, reference_chain(reference, fixed_statistics=True), X)


@pytest.mark.parametrize("variant", ["schirrmeister", "lawhern"])
def test_gradients_equal_differences_of_the_numpy_form(reference, variant):
    network = small_network(reference, variant)
    reference.assert_gradients_agree(network, reference_chain(reference), X)


def test_original_has_a_bias_only_where_no_normalisation_follows():
    network = DeepConvNet(2, 600, 2)
    biased = {n for n, m in network.named_modules() if getattr(m, "bias", None) is not None}
    norms = {f"block{number}.norm" for number in range(1, 5)}
    assert biased - norms == {"filters.temporal", "dense"}


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("schirrmeister", [0.4, 0.4, 0.4, 0.0]),
        ("lawhern", [0.4, 0.4, 0.4, 0.4]),
        ("lab", [0.4, 0.4, 0.4, 0.4]),
    ],
)
def test_original_drops_before_blocks_two_to_four_and_others_after_each(variant, expected):
    network = DeepConvNet(2, 600, 2, dropout=0.4, variant=variant).double()
    blocks = [network.block1, network.block2, network.block3, network.block4]
    dropped = []
    torch.manual_seed(0)
    for block in blocks:
        ones = torch.ones(20, block.norm.num_features, 1, 50, dtype=torch.float64)
        dropped.append((block.dropout(ones) == 0).double().mean().item())
    np.testing.assert_allclose(dropped, expected, atol=0.02)


@pytest.mark.parametrize(
    ("variant", "kernel_length", "pool_length"),
    [("schirrmeister", 10, 3), ("lawhern", 5, 2), ("lab", 5, 2)],
)
def test_lengths_are_those_of_the_variant_unless_given(variant, kernel_length, pool_length):
    network = DeepConvNet(2, 600, 2, variant=variant)
    pools = [layer for layer in network.modules() if isinstance(layer, nn.MaxPool2d)]
    assert {pool.kernel_size[1] for pool in pools} == {pool_length}
    convolutions = [
        network.filters.temporal,
        network.block2.conv,
        network.block3.conv,
        network.block4.conv,
    ]
    assert {conv.kernel_size[1] for conv in convolutions} == {kernel_length}
    asked = DeepConvNet(2, 900, 2, variant=variant, kernel_length=3, pool_length=4)
    assert (asked.block4.conv.kernel_size[1], asked.block4.pool.kernel_size[1]) == (3, 4)


def test_lawhern_limits_every_convolution_and_the_class_weights():
    network = DeepConvNet(2, 128, 2, variant="lawhern")
    limits = {n: m.max_norm for n, m in network.named_modules() if hasattr(m, "max_norm")}
    convolutions = [
        "filters.temporal",
        "filters.spatial",
        "block2.conv",
        "block3.conv",
        "block4.conv",
    ]
    assert limits == {**dict.fromkeys(convolutions, 2.0), "dense": 0.5}


@pytest.mark.parametrize("variant", ["schirrmeister", "lab"])
def test_the_others_have_no_limits(variant):
    network = DeepConvNet(2, 600, 2, variant=variant)
    assert not any(hasattr(layer, "max_norm") for layer in network.modules())


@pytest.mark.parametrize("variant", VARIANTS)
def test_first_weights_are_those_of_the_variant(variant):
    torch.manual_seed(0)
    network = DeepConvNet(8, 600, 4, variant=variant)
    maps, length = 200, network.dense.in_features // 200
    bounds = {
        "schirrmeister": (math.sqrt(6 / (8 * 50)), math.sqrt(6 / ((maps + 4) * length))),
        "lawhern": (math.sqrt(6 / (8 * 50)), math.sqrt(6 / (maps * length + 4))),
        "lab": (1 / math.sqrt(8 * 25), 1 / math.sqrt(maps * length)),
    }[variant]
    for layer, bound in zip((network.filters.spatial, network.dense), bounds, strict=True):
        assert 0.995 * bound < layer.weight.abs().max() <= bound
    assert (network.filters.temporal.bias == 0).all() == (variant != "lab")


def test_running_statistics_move_by_a_tenth(reference):
    network = small_network(reference, "schirrmeister")
    norm = network.block1.norm
    norm.reset_running_stats()
    values = reference.record(network, X)["filters.spatial"]
    np.testing.assert_allclose(norm.running_mean, 0.1 * values.mean(axis=(0, 2, 3)), rtol=1e-9)


def test_a_short_window_clips_what_does_not_fit_and_names_it():
    with pytest.warns(UserWarning, match="DeepConvNet") as record:
        network = DeepConvNet(2, 100, 2)
    # 100 -10-> 91 -3-> 30 -10-> 21 -3-> 7 -(10)7-> 1 -(3)1-> 1 -(10)1-> 1 -(3)1-> 1
    assert [str(warning.message).split()[0] for warning in record] == [
        "DeepConvNet.block3.conv",
        "DeepConvNet.block3.pool",
        "DeepConvNet.block4.conv",
        "DeepConvNet.block4.pool",
    ]
    assert network.block3.conv.kernel_size == (1, 7)
    assert network.dense.in_features == 200


def test_a_window_that_just_fits_is_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network = DeepConvNet(2, 441, 2)  # ((441 - 9) / 3 - 9) / 3 and so on are all whole
    assert network.dense.in_features == 200
    with pytest.warns(UserWarning, match="block4.pool"):
        DeepConvNet(2, 440, 2)
