import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skeeg.networks import EEGNet

#: The parameters for which each variant has a value of its own.
OWN = ("n_temporal_filters", "kernel_length", "dropout", "separable", "separable_kernel_length")

X = np.random.default_rng(5).standard_normal((3, 3, 22))


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("n_chans", "n_times", "n_outputs", "kernel_length", "count_8_2", "count_4_2"),
    [
        (64, 128, 2, 64, 2258, 1066),  # P300
        (56, 160, 2, 64, 2162, 1018),  # ERN, whose published counts are those of 64 electrodes
        (64, 160, 2, 64, 2290, 1082),
        (64, 192, 2, 64, 2322, 1098),  # MRCP
        (22, 256, 4, 32, 1716, 796),  # SMR
    ],
)
def test_counts_of_the_paper(n_chans, n_times, n_outputs, kernel_length, count_8_2, count_4_2):
    shape = n_chans, n_times, n_outputs
    assert count(EEGNet(*shape, kernel_length=kernel_length)) == count_8_2
    assert count(EEGNet(*shape, kernel_length=kernel_length, n_temporal_filters=4)) == count_4_2


@pytest.mark.parametrize(
    ("shape", "hyperparameters", "expected"),
    [
        ((64, 128, 4), {}, 2388),  # the defaults of the authors' code
        ((60, 151, 4), {"kernel_length": 32}, 2068),  # their example on the MNE sample data
        ((22, 1125, 4), {"first_pool_length": 8}, 2548),  # as in the EEG-TCNet paper
        ((22, 1125, 4), {"kernel_length": 125}, 4188),
        ((44, 1125, 4), {"kernel_length": 125}, 4540),
        ((22, 1125, 4), {}, 3700),  # as braindecode 1.8.1
        ((44, 1125, 4), {}, 4052),
        ((32, 128, 2), {}, 1746),  # one second of DEAP
        ((32, 128, 4), {}, 1876),
        (
            (8, 256, 12),  # SSVEP
            {"n_temporal_filters": 96, "depth_multiplier": 1, "kernel_length": 256},
            45900,
        ),
        ((2, 750, 2), {"variant": "lab"}, 17874),
        ((2, 750, 2), {"variant": "lab", "separable": True}, 4018),
    ],
)
def test_counts_of_other_configurations(shape, hyperparameters, expected):
    assert count(EEGNet(*shape, **hyperparameters)) == expected


sizes = st.integers(1, 6)


@settings(max_examples=40, deadline=None)
@given(
    c=sizes,
    t=st.integers(36, 90),
    n=sizes,
    f1=sizes,
    d=sizes,
    f2=sizes,
    k1=st.integers(1, 80),
    k2=sizes,
    p1=sizes,
    p2=sizes,
    separable=st.booleans(),
    variant=st.sampled_from(["lawhern", "lab"]),
)
def test_count_follows_its_closed_form(c, t, n, f1, d, f2, k1, k2, p1, p2, separable, variant):
    network = EEGNet(
        c,
        t,
        n,
        n_temporal_filters=f1,
        depth_multiplier=d,
        n_pointwise_filters=f2,
        kernel_length=k1,
        separable=separable,
        separable_kernel_length=k2,
        first_pool_length=p1,
        second_pool_length=p2,
        variant=variant,
    )
    front = f1 * k1 + 2 * f1 + d * f1 * c + 2 * d * f1
    second = k2 * d * f1 + d * f1 * f2 if separable else k2 * d * f1 * f2
    assert count(network) == front + second + 2 * f2 + n * (f2 * (t // p1 // p2) + 1)


def reference_chain(np_layers, separable, eps, fixed_statistics=False):
    """EEGNet in NumPy, from its parameters and an input to the outputs of its layers."""

    def normalise(x, state, name):
        statistics = (
            (state[f"{name}.running_mean"], state[f"{name}.running_var"])
            if fixed_statistics
            else ()
        )
        return np_layers.normalise(
            x, state[f"{name}.weight"], state[f"{name}.bias"], eps, *statistics
        )

    def chain(state, x):
        y = {
            "filters.temporal": np_layers.convolve_same(
                x[:, None], state["filters.temporal.weight"]
            )
        }
        y["filters.norm"] = normalise(y["filters.temporal"], state, "filters.norm")
        y["filters.spatial"] = np_layers.convolve(
            y["filters.norm"],
            state["filters.spatial.weight"],
            groups=y["filters.temporal"].shape[1],
        )
        y["first_norm"] = normalise(y["filters.spatial"], state, "first_norm")
        y["first_activation"] = np_layers.elu(y["first_norm"], 0.7)
        y["first_pool"] = np_layers.pool(y["first_activation"], np.mean, 4)
        y["gates"] = y["first_dropout"] = y["first_pool"]
        if separable:
            y["second_conv.depthwise"] = np_layers.convolve_same(
                y["first_dropout"],
                state["second_conv.depthwise.weight"],
                groups=y["first_dropout"].shape[1],
            )
            second = y["second_conv.pointwise"] = np_layers.convolve(
                y["second_conv.depthwise"], state["second_conv.pointwise.weight"]
            )
        else:
            second = y["second_conv"] = np_layers.convolve_same(
                y["first_dropout"], state["second_conv.weight"]
            )
        y["second_norm"] = normalise(second, state, "second_norm")
        y["second_activation"] = np_layers.elu(y["second_norm"], 0.7)
        y["second_pool"] = np_layers.pool(y["second_activation"], np.mean, 2)
        y["second_dropout"] = y["second_pool"]
        y["dense"] = np_layers.dense(
            y["second_dropout"], state["dense.weight"], state["dense.bias"]
        )
        return y

    return chain


VARIANTS = pytest.mark.parametrize(
    ("variant", "separable", "eps"),
    [("lawhern", True, 1e-3), ("lawhern", False, 1e-3), ("lab", False, 1e-5), ("lab", True, 1e-5)],
)


def small_network(reference, variant, separable, **kwargs):
    network = EEGNet(
        3,
        22,
        2,
        n_temporal_filters=2,
        n_pointwise_filters=3,
        kernel_length=6,
        dropout=0,
        alpha=0.7,
        separable=separable,
        separable_kernel_length=4,
        second_pool_length=2,
        variant=variant,
        **kwargs,
    )
    return reference.randomise(network)


@VARIANTS
def test_each_layer_equals_its_numpy_form_in_training(reference, variant, separable, eps):
    network = small_network(reference, variant, separable)
    chain = reference_chain(reference, separable, eps)
    reference.assert_layers_agree(network, chain, X)


@VARIANTS
def test_each_layer_equals_its_numpy_form_in_evaluation(reference, variant, separable, eps):
    network = small_network(reference, variant, separable).eval()
    chain = reference_chain(reference, separable, eps, fixed_statistics=True)
    reference.assert_layers_agree(network, chain, X)


@VARIANTS
def test_gradients_equal_differences_of_the_numpy_form(reference, variant, separable, eps):
    network = small_network(reference, variant, separable)
    chain = reference_chain(reference, separable, eps)
    reference.assert_gradients_agree(network, chain, X)


@pytest.mark.parametrize(("variant", "momentum"), [("lawhern", 0.01), ("lab", 0.1)])
def test_running_statistics_move_by_the_momentum_of_the_variant(reference, variant, momentum):
    network = small_network(reference, variant, True)
    norm = network.filters.norm
    norm.reset_running_stats()
    values = reference.record(network, X)["filters.temporal"]
    mean, var = values.mean(axis=(0, 2, 3)), values.var(axis=(0, 2, 3), ddof=1)
    np.testing.assert_allclose(norm.running_mean, momentum * mean, rtol=1e-9)
    np.testing.assert_allclose(norm.running_var, 1 - momentum + momentum * var, rtol=1e-9)


def test_lawhern_limits_spatial_filters_and_class_weights():
    network = EEGNet(8, 64, 2)
    limits = {n: m.max_norm for n, m in network.named_modules() if hasattr(m, "max_norm")}
    assert limits == {"filters.spatial": 1.0, "dense": 0.25}


def test_lab_has_no_limits():
    assert not any(
        hasattr(layer, "max_norm") for layer in EEGNet(8, 64, 2, variant="lab").modules()
    )


def test_lawhern_starts_from_glorot_and_lab_from_torch():
    torch.manual_seed(0)
    spatial = EEGNet(64, 128, 2).filters.spatial.weight.abs().max().item()
    glorot = math.sqrt(6 / (64 * (8 + 2)))
    assert 0.98 * glorot < spatial <= glorot
    torch.manual_seed(0)
    lab = EEGNet(64, 750, 2, variant="lab").second_conv.weight.abs().max().item()
    kaiming = 1 / math.sqrt(32 * 15)
    assert 0.98 * kaiming < lab <= kaiming


def test_dense_bias_starts_at_zero_in_lawhern():
    assert (EEGNet(4, 64, 3).dense.bias == 0).all()


@pytest.mark.parametrize("none", [{}, dict.fromkeys(OWN), {"kernel_length": None}])
@pytest.mark.parametrize(("variant", "own"), [("lawhern", (8, 64, 0.5)), ("lab", (16, 51, 0.25))])
def test_none_takes_the_value_of_the_variant(variant, own, none):
    network = EEGNet(2, 750, 2, variant=variant, **none)
    n_filters, length, p = own
    assert network.filters.temporal.weight.shape == (n_filters, 1, 1, length)
    assert network.first_dropout.p == network.second_dropout.p == p


def test_lab_takes_any_value_that_is_asked_for_those_of_the_paper_too():
    papers = {"n_temporal_filters": 8, "kernel_length": 64, "dropout": 0.5}
    lab = EEGNet(2, 750, 2, variant="lab", **papers)
    assert lab.filters.temporal.weight.shape == (8, 1, 1, 64)
    assert lab.first_dropout.p == lab.second_dropout.p == 0.5
    lab = EEGNet(2, 750, 2, variant="lab", separable=True, separable_kernel_length=16)
    assert lab.second_conv.depthwise.weight.shape == (32, 1, 1, 16)
    asked = EEGNet(2, 750, 2, variant="lab", n_temporal_filters=4, kernel_length=33, dropout=0.1)
    assert asked.filters.temporal.weight.shape == (4, 1, 1, 33)
    assert asked.first_dropout.p == asked.second_dropout.p == 0.1


def test_the_kernel_of_the_report_is_a_number_of_samples_at_any_rate():
    for sfreq in (None, 125, 250, 1000):
        network = EEGNet(2, 750, 2, variant="lab", sfreq=sfreq)
        assert network.filters.temporal.weight.shape[-1] == 51


def test_none_is_the_number_of_samples_that_the_paper_has_at_128_hz():
    assert EEGNet(2, 750, 2, sfreq=250, kernel_length=None).filters.temporal.weight.shape[-1] == 64


def test_the_activation_is_used_twice():
    network = EEGNet(2, 64, 2, activation="leaky_relu", alpha=0.3)
    layers = [layer for layer in network.modules() if isinstance(layer, nn.LeakyReLU)]
    assert [layer.negative_slope for layer in layers] == [0.3, 0.3]


@pytest.mark.parametrize(("n_times", "clipped"), [(3, (3, 1)), (20, (4, 5)), (32, (4, 8))])
@pytest.mark.filterwarnings("ignore:EEGNet")
def test_only_pools_are_clipped(n_times, clipped):
    network = EEGNet(2, n_times, 2)
    assert (network.first_pool.length, network.second_pool.length) == clipped
    assert network.filters.temporal.weight.shape[-1] == 64
    assert network.second_conv.depthwise.weight.shape[-1] == 16


def test_separable_must_be_a_boolean():
    with pytest.raises(ValueError, match="separable must be True or False; got 'yes'"):
        EEGNet(2, 64, 2, separable="yes")
