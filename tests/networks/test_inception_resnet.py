import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skeeg.layers import ACTIVATIONS
from skeeg.networks import EEGNet, InceptionResNet

X = np.random.default_rng(5).standard_normal((3, 2, 22))


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("shape", "hyperparameters", "expected"),
    [
        ((64, 128, 2), {}, 528 + 1056 + 7904 + 66),
        ((22, 256, 4), {"kernel_length": 32}, 272 + 384 + 7904 + 260),
        ((44, 1125, 4), {"kernel_length": 125, "branch_kernel_length": 31}, 1752 + 13664 + 1092),
        ((64, 128, 2), {"n_blocks": 1}, 528 + 1056 + 3952 + 258),
        ((1, 64, 3), {"n_branch_filters": 32, "depth_multiplier": 1}, 552 + 102160 + 27),
    ],
)
def test_counts_added_by_hand(shape, hyperparameters, expected):
    assert count(InceptionResNet(*shape, **hyperparameters)) == expected


sizes = st.integers(1, 6)


@settings(max_examples=30, deadline=None)
@given(
    c=sizes,
    t=st.integers(64, 90),
    n=sizes,
    f=sizes,
    d=sizes,
    k1=st.integers(1, 80),
    blocks=st.integers(1, 3),
    b=sizes,
    k2=st.integers(1, 20),
    p1=st.integers(1, 4),
    p2=st.integers(1, 2),
)
def test_count_follows_its_closed_form(c, t, n, f, d, k1, blocks, b, k2, p1, p2):
    network = InceptionResNet(
        c,
        t,
        n,
        n_temporal_filters=f,
        depth_multiplier=d,
        kernel_length=k1,
        n_blocks=blocks,
        n_branch_filters=b,
        branch_kernel_length=k2,
        first_pool_length=p1,
        block_pool_length=p2,
    )
    m, left = d * f, t // p1
    for _ in range(blocks):
        left //= p2
    stem = f * k1 + 2 * f + m * c + 2 * m
    block = 6 * m * b + m + 3 * k2 * b**2 + 12 * b
    assert count(network) == stem + blocks * block + n * (m * left + 1)


def reference_chain(np_layers, fixed_statistics=False):
    """The network in NumPy, from its parameters and an input to the outputs of its layers."""

    def chain(state, x):
        y = {}

        def normalise(name, x):
            statistics = ("running_mean", "running_var") if fixed_statistics else ()
            y[name] = np_layers.normalise(
                x,
                state[f"{name}.weight"],
                state[f"{name}.bias"],
                1e-5,
                *(state[f"{name}.{statistic}"] for statistic in statistics),
            )
            return y[name]

        def activate(name, x):
            y[name] = np_layers.elu(x, 0.7)
            return y[name]

        def convolve_unit(name, x, convolve):
            x = y[f"{name}.conv"] = convolve(x, state[f"{name}.conv.weight"])
            return activate(f"{name}.activation", normalise(f"{name}.norm", x))

        x = y["filters.temporal"] = np_layers.convolve_same(
            x[:, None], state["filters.temporal.weight"]
        )
        x = normalise("filters.norm", x)
        x = y["filters.spatial"] = np_layers.convolve(
            x, state["filters.spatial.weight"], groups=x.shape[1]
        )
        x = activate("first_activation", normalise("first_norm", x))
        x = y["first_pool"] = np_layers.pool(x, np.mean, 4)
        y["gates"] = y["first_dropout"] = x
        n_blocks = sum(name.endswith("inception.linear.bias") for name in state)
        for block in (f"blocks.{i}" for i in range(n_blocks)):
            found = []
            for n_filtered in range(3):
                name = f"{block}.inception.branches.{n_filtered}"
                part = convolve_unit(f"{name}.0", x, np_layers.convolve)
                for i in range(1, n_filtered + 1):
                    part = convolve_unit(f"{name}.{i}", part, np_layers.convolve_same)
                found.append(part)
            linear = y[f"{block}.inception.linear"] = np_layers.convolve(
                np.concatenate(found, axis=1),
                state[f"{block}.inception.linear.weight"],
                state[f"{block}.inception.linear.bias"],
            )
            x = activate(f"{block}.inception.activation", x + 0.3 * linear)
            x = y[f"{block}.pool"] = np_layers.pool(x, np.mean, 2)
            y[f"{block}.dropout"] = x
        y["dense"] = np_layers.dense(x, state["dense.weight"], state["dense.bias"])
        return y

    return chain


def small_network(reference, n_blocks=2):
    network = InceptionResNet(
        2,
        22,
        2,
        n_temporal_filters=1,
        kernel_length=6,
        n_blocks=n_blocks,
        n_branch_filters=2,
        branch_kernel_length=4,
        scale=0.3,
        block_pool_length=2,
        dropout=0,
        alpha=0.7,
    )
    return reference.randomise(network)


def test_each_layer_equals_its_numpy_form_in_training(reference):
    reference.assert_layers_agree(small_network(reference), reference_chain(reference), X)


def test_each_layer_equals_its_numpy_form_in_evaluation(reference):
    chain = reference_chain(reference, fixed_statistics=True)
    reference.assert_layers_agree(small_network(reference).eval(), chain, X)


def test_gradients_equal_differences_of_the_numpy_form(reference):
    network = small_network(reference, n_blocks=1)
    reference.assert_gradients_agree(network, reference_chain(reference), X)


@pytest.mark.parametrize("method", ["merged", "spectral"])
def test_all_methods_of_the_front_end_train_alike_on_precomputed_trials(method):
    torch.manual_seed(0)
    start = InceptionResNet(4, 64, 3, kernel_length=16, dropout=0.0).double()
    x, y = torch.randn(9, 4, 64, dtype=torch.float64) + 2, torch.arange(9) % 3
    states = []
    for way in ("direct", method):
        network = copy.deepcopy(start)
        network.filters.method = way
        known = network.precompute_trials(x)
        assert bool(known) == (way != "direct")
        optimizer = torch.optim.SGD(network.parameters(), 1e-2)
        for step in range(5):
            batch = torch.arange(step, step + 6) % len(x)
            rows = {name: sums[batch] for name, sums in known.items()}
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(x[batch], **rows), y[batch]).backward()
            optimizer.step()
        states.append(network.state_dict())
    assert not torch.equal(states[0]["dense.weight"], start.dense.weight)
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value, rtol=1e-9, atol=1e-9, msg=name)


def test_the_stem_has_the_layers_of_eegnet():
    def shapes(network):
        stem = ("filters", "first_norm")
        return {n: p.shape for n, p in network.named_parameters() if n.startswith(stem)}

    assert shapes(InceptionResNet(8, 64, 2)) == shapes(EEGNet(8, 64, 2))


@pytest.mark.parametrize("block", [0, 1])
def test_a_branch_sees_as_far_as_its_kernels(block):
    """Branches reach 1, k and 2k - 1 samples, which an impulse in their input shows."""
    network = InceptionResNet(2, 400, 2, branch_kernel_length=5).double().eval()
    impulse = torch.zeros(1, 16, 1, 41, dtype=torch.float64)
    impulse[..., 20] = 1
    for branch, reach in zip(network.blocks[block].inception.branches, (0, 2, 4), strict=True):
        response = (branch(impulse) - branch(torch.zeros_like(impulse))).abs().sum(dim=(0, 1, 2))
        assert response.nonzero().flatten().tolist() == list(range(20 - reach, 20 + reach + 1))


def test_a_block_whose_branches_are_silent_is_its_activation():
    block = InceptionResNet(2, 64, 2).blocks[0].inception
    nn.init.zeros_(block.linear.weight)
    x = torch.randn(3, 16, 1, 9)
    torch.testing.assert_close(block(x), nn.functional.elu(x))


@pytest.mark.parametrize("n_blocks", [1, 3])
def test_the_activation_follows_every_convolution_but_the_linear_one(n_blocks):
    network = InceptionResNet(2, 300, 2, n_blocks=n_blocks, activation="leaky_relu", alpha=0.3)
    slopes = [
        layer.negative_slope for layer in network.modules() if isinstance(layer, nn.LeakyReLU)
    ]
    assert slopes == [0.3] * (1 + 7 * n_blocks)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_any_activation_of_the_table(name):
    network = InceptionResNet(2, 70, 2, activation=name)
    assert torch.isfinite(network(torch.randn(3, 2, 70))).all()


@pytest.mark.parametrize(
    ("n_times", "clipped"), [(3, (3, 1, 1)), (9, (4, 2, 1)), (40, (4, 4, 2)), (64, (4, 4, 4))]
)
@pytest.mark.filterwarnings("ignore:InceptionResNet")
def test_only_pools_are_clipped(n_times, clipped):
    network = InceptionResNet(2, n_times, 2)
    pools = [network.first_pool, *(block.pool for block in network.blocks)]
    assert tuple(pool.length for pool in pools) == clipped
    assert network.filters.temporal.weight.shape[-1] == 64
    assert network.blocks[1].inception.branches[1][1].conv.weight.shape[-1] == 16


def test_a_clipped_pool_is_named_with_its_block():
    with pytest.warns(UserWarning, match="is clipped to") as record:
        InceptionResNet(2, 9, 2)
    assert [str(warning.message).split()[0] for warning in record] == [
        "InceptionResNet.blocks.0.pool",
        "InceptionResNet.blocks.1.pool",
    ]


@pytest.mark.parametrize("value", [0, -0.1, float("nan"), "0.2", True, None])
def test_scale_must_be_positive(value):
    with pytest.raises(ValueError, match="scale must be a finite number above 0"):
        InceptionResNet(2, 64, 2, scale=value)


@pytest.mark.parametrize("value", [0, 1.5, None])
def test_the_number_of_blocks_must_be_a_positive_integer(value):
    with pytest.raises(ValueError, match="n_blocks must be an integer of at least 1; got"):
        InceptionResNet(2, 64, 2, n_blocks=value)
