import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skeeg.layers import ACTIVATIONS
from skeeg.layers._split import split_maps
from skeeg.networks import EEGNet, MixNet, summary

X = np.random.default_rng(5).standard_normal((3, 3, 22))
LENGTHS = (2, 5, 7)


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("shape", "hyperparameters", "expected"),
    [
        # Those of EEGNet in its paper's tests, with 56 weights for each 4 maps in place of 64.
        ((64, 128, 2), {}, 2258 - 32),
        ((22, 256, 4), {"kernel_length": 32}, 1716 - 32),
        ((22, 1125, 4), {}, 3700 - 32),
        ((64, 128, 2), {"split": "exponential"}, 2258 - 256 + 8 * 3 + 4 * 7 + 2 * 15 + 2 * 31),
        # 32 maps with FBMSNet's kernels: 1,872 weights, those of EEGNet's 512.
        (
            (22, 1125, 4),
            {"n_temporal_filters": 16, "separable_kernel_lengths": (15, 31, 63, 125)},
            1024 + 32 + 704 + 64 + 1872 + 1024 + 64 + 4 * (32 * 35 + 1),
        ),
    ],
)
def test_counts_added_by_hand(shape, hyperparameters, expected):
    assert count(MixNet(*shape, **hyperparameters)) == expected


sizes = st.integers(1, 6)


@settings(max_examples=30, deadline=None)
@given(
    c=sizes,
    t=st.integers(36, 90),
    n=sizes,
    f1=st.integers(2, 6),
    d=st.integers(2, 4),
    f2=sizes,
    k1=st.integers(1, 80),
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    split=st.sampled_from(["equal", "exponential"]),
    p1=sizes,
    p2=sizes,
)
def test_count_follows_its_closed_form(c, t, n, f1, d, f2, k1, lengths, split, p1, p2):
    network = MixNet(
        c,
        t,
        n,
        n_temporal_filters=f1,
        depth_multiplier=d,
        n_pointwise_filters=f2,
        kernel_length=k1,
        separable_kernel_lengths=lengths,
        split=split,
        first_pool_length=p1,
        second_pool_length=p2,
    )
    groups = split_maps(d * f1, len(lengths), split)
    mixed = sum(size * length for size, length in zip(groups, lengths, strict=True))
    front = f1 * k1 + 2 * f1 + d * f1 * c + 2 * d * f1
    assert count(network) == (front + mixed + d * f1 * f2 + 2 * f2 + n * (f2 * (t // p1 // p2) + 1))


def reference_chain(np_layers, fixed_statistics=False):
    """MixNet in NumPy, from its parameters and an input to the outputs of its layers."""

    def chain(state, x):
        y = {}

        def normalise(name, x):
            statistics = ("running_mean", "running_var") if fixed_statistics else ()
            y[name] = np_layers.normalise(
                x,
                state[f"{name}.weight"],
                state[f"{name}.bias"],
                1e-3,
                *(state[f"{name}.{statistic}"] for statistic in statistics),
            )
            return y[name]

        x = y["filters.temporal"] = np_layers.convolve_same(
            x[:, None], state["filters.temporal.weight"]
        )
        x = normalise("filters.norm", x)
        x = y["filters.spatial"] = np_layers.convolve(
            x, state["filters.spatial.weight"], groups=x.shape[1]
        )
        x = y["first_activation"] = np_layers.elu(normalise("first_norm", x), 0.7)
        x = y["first_pool"] = np_layers.pool(x, np.mean, 4)
        y["gates"] = y["first_dropout"] = x
        parts, start = [], 0
        for i in range(len(LENGTHS)):
            name = f"second_conv.depthwise.banks.{i}"
            kernels = state[f"{name}.weight"]
            part = x[:, start : start + len(kernels)]
            y[name] = np_layers.convolve_same(part, kernels, groups=len(kernels))
            parts.append(y[name])
            start += len(kernels)
        x = y["second_conv.pointwise"] = np_layers.convolve(
            np.concatenate(parts, axis=1), state["second_conv.pointwise.weight"]
        )
        x = y["second_activation"] = np_layers.elu(normalise("second_norm", x), 0.7)
        x = y["second_pool"] = y["second_dropout"] = np_layers.pool(x, np.mean, 2)
        y["dense"] = np_layers.dense(x, state["dense.weight"], state["dense.bias"])
        return y

    return chain


def small_network(reference, split, method="direct"):
    network = MixNet(
        3,
        22,
        2,
        n_temporal_filters=2,
        n_pointwise_filters=3,
        kernel_length=6,
        separable_kernel_lengths=LENGTHS,
        split=split,
        dropout=0,
        alpha=0.7,
        second_pool_length=2,
    )
    network.second_conv.depthwise.method = method  # "direct" calls each group, as `record` needs
    return reference.randomise(network)


each_split = pytest.mark.parametrize("split", ["equal", "exponential"])


@each_split
def test_each_layer_equals_its_numpy_form_in_training(reference, split):
    reference.assert_layers_agree(small_network(reference, split), reference_chain(reference), X)


@each_split
def test_each_layer_equals_its_numpy_form_in_evaluation(reference, split):
    chain = reference_chain(reference, fixed_statistics=True)
    reference.assert_layers_agree(small_network(reference, split).eval(), chain, X)


@pytest.mark.parametrize("method", ["direct", "merged"])
def test_gradients_equal_differences_of_the_numpy_form(reference, method):
    network = small_network(reference, "exponential", method)
    reference.assert_gradients_agree(network, reference_chain(reference), X)


def trained(start, x, y, front, mixed):
    """The state after five steps on precomputed trials, by the methods of both layers."""
    network = copy.deepcopy(start)
    network.filters.method, network.second_conv.depthwise.method = front, mixed
    known = network.precompute_trials(x)
    assert bool(known) == (front != "direct")
    optimizer = torch.optim.SGD(network.parameters(), 1e-2)
    for step in range(5):
        batch = torch.arange(step, step + 6) % len(x)
        rows = {name: sums[batch] for name, sums in known.items()}
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(x[batch], **rows), y[batch]).backward()
        optimizer.step()
    return network.state_dict()


@pytest.mark.parametrize("front", ["merged", "spectral"])
def test_all_methods_train_alike_on_precomputed_trials(front):
    torch.manual_seed(0)
    start = MixNet(4, 60, 3, kernel_length=16, dropout=0.0).double()
    x, y = torch.randn(9, 4, 60, dtype=torch.float64) + 2, torch.arange(9) % 3
    expected = trained(start, x, y, "direct", "direct")
    assert not torch.equal(expected["dense.weight"], start.dense.weight)
    found = trained(start, x, y, front, "merged")
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-9, atol=1e-9, msg=name)


def test_with_one_kernel_length_it_is_eegnet():
    """From the same seed, since the same numbers are drawn in the same order."""
    torch.manual_seed(0)
    eegnet = EEGNet(5, 64, 3)
    torch.manual_seed(0)
    mixnet = MixNet(5, 64, 3, separable_kernel_lengths=[16])
    for mine, other in zip(mixnet.parameters(), eegnet.parameters(), strict=True):
        assert torch.equal(mine, other)
    x = torch.randn(4, 5, 64)
    torch.testing.assert_close(mixnet.eval()(x), eegnet.eval()(x))


def test_limits_and_momentum_are_those_of_eegnet():
    def settings_of(network):
        limits = {n: m.max_norm for n, m in network.named_modules() if hasattr(m, "max_norm")}
        norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        return limits, [(norm.eps, norm.momentum) for norm in norms]

    expected = {"filters.spatial": 1.0, "dense": 0.25}, [(1e-3, 0.01)] * 3
    assert settings_of(MixNet(8, 64, 2)) == settings_of(EEGNet(8, 64, 2)) == expected


def test_default_kernels_span_a_quarter_of_the_published_ones():
    banks = MixNet(2, 64, 2).second_conv.depthwise.banks
    assert [bank.kernel_size[1] for bank in banks] == [k // 4 for k in (15, 31, 63, 125)]
    assert [bank.out_channels for bank in banks] == [4, 4, 4, 4]


def test_the_summary_counts_what_the_groups_do_not_the_zeros_around_their_kernels():
    rows = {row.name: row for row in summary(MixNet(3, 64, 2)).layers}
    banks = [rows[f"second_conv.depthwise.banks.{i}"] for i in range(4)]
    assert [bank.multiply_adds for bank in banks] == [4 * 16 * k for k in (3, 7, 15, 31)]


@pytest.mark.parametrize(("n_times", "clipped"), [(3, (3, 1)), (20, (4, 5)), (32, (4, 8))])
@pytest.mark.filterwarnings("ignore:MixNet")
def test_only_pools_are_clipped(n_times, clipped):
    network = MixNet(2, n_times, 2)
    assert (network.first_pool.length, network.second_pool.length) == clipped
    assert network.filters.temporal.weight.shape[-1] == 64
    assert network.second_conv.depthwise.banks[3].weight.shape[-1] == 31


def test_a_clipped_pool_is_named_with_its_network():
    with pytest.warns(UserWarning, match="is clipped to") as record:
        MixNet(2, 3, 2)
    assert [str(warning.message).split()[0] for warning in record] == [
        "MixNet.first_pool",
        "MixNet.second_pool",
    ]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_any_activation_of_the_table(name):
    network = MixNet(2, 40, 2, activation=name)
    assert torch.isfinite(network(torch.randn(3, 2, 40))).all()


@pytest.mark.parametrize(
    ("hyperparameters", "message"),
    [
        ({"separable_kernel_lengths": 16}, "separable_kernel_lengths must be a sequence of one"),
        ({"separable_kernel_lengths": (3, 0)}, r"separable_kernel_lengths\[1\] must be an integer"),
        (
            {"n_temporal_filters": 1},
            "2 maps cannot be split into 4 groups, one for each kernel length",
        ),
    ],
)
def test_lengths_that_fit_no_maps_are_refused(hyperparameters, message):
    with pytest.raises(ValueError, match=message):
        MixNet(2, 64, 2, **hyperparameters)
