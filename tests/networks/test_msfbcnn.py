import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skeeg.layers import ACTIVATIONS, ECA, SqueezeExcitation, make_attention
from skeeg.networks import MSFBCNN

X = np.random.default_rng(11).standard_normal((3, 3, 30))
VARIANTS = ("wu", "strypsteen")


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("n_chans", "variant", "expected"),
    [
        (44, "wu", 299204),
        (22, "wu", 158404),
        (44, "strypsteen", 22044),
        (3, "strypsteen", 5644),  # of three electrodes that were chosen
    ],
)
def test_published_counts(n_chans, variant, expected):
    assert count(MSFBCNN(n_chans, 1125, 4, variant=variant)) == expected


@settings(max_examples=25, deadline=None)
@given(
    c=st.integers(1, 6),
    t=st.integers(20, 90),
    n=st.integers(1, 5),
    f=st.integers(1, 5),
    o=st.integers(1, 5),
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    p=st.integers(1, 20),
    s=st.integers(1, 25),
    variant=st.sampled_from(VARIANTS),
)
def test_count_follows_its_closed_form(c, t, n, f, o, lengths, p, s, variant):
    network = MSFBCNN(
        c,
        t,
        n,
        n_temporal_filters=f,
        n_spatial_filters=o,
        kernel_lengths=lengths,
        pool_length=p,
        pool_stride=s,
        variant=variant,
    )
    n_maps = f * len(lengths)
    n_pooled = (t - p) // s + 1
    front = f * sum(lengths) + 2 * n_maps + n_maps * c * o + 2 * o
    assert count(network) == front + n * (o * n_pooled + 1)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("n_times", "n_pooled"), [(75, 1), (89, 1), (90, 2), (500, 29), (1000, 62), (1120, 70)]
)
def test_the_classifier_sees_every_full_pool_and_no_other(variant, n_times, n_pooled):
    network = MSFBCNN(2, n_times, 2, variant=variant).eval()
    n_maps = {"wu": 40, "strypsteen": 10}[variant]
    assert network.dense.in_features == n_maps * n_pooled
    assert network(torch.randn(2, 2, n_times)).shape == (2, 2)


def reference_chain(np_layers, n_banks, fixed_statistics=False):
    """MSFBCNN in NumPy, from its parameters and an input to the outputs of its layers."""

    def normalise(x, state, name):
        names = ("running_mean", "running_var") if fixed_statistics else ()
        statistics = [state[f"{name}.{statistic}"] for statistic in names]
        return np_layers.normalise(
            x, state[f"{name}.weight"], state[f"{name}.bias"], 1e-5, *statistics
        )

    def chain(state, x):
        y = {}
        banks = [f"filters.temporal.{i}" for i in range(n_banks)]
        for bank in banks:
            y[bank] = np_layers.convolve_same(x[:, None], state[f"{bank}.weight"])
        maps = np.concatenate([y[bank] for bank in banks], axis=1)
        y["filters.norm"] = normalise(maps, state, "filters.norm")
        y["filters.spatial"] = np_layers.convolve(
            y["filters.norm"], state["filters.spatial.weight"]
        )
        y["norm"] = normalise(y["filters.spatial"], state, "norm")
        y["activate"] = y["norm"] ** 2
        y["pool"] = np_layers.pool(y["activate"], np.mean, 6, stride=4)
        y["log"] = np.log(np.maximum(y["pool"], 1e-6))
        y["gates"] = y["log"]
        y["drop"] = y["log"]
        y["dense"] = np_layers.dense(y["drop"], state["dense.weight"], state["dense.bias"])
        return y

    return chain


LENGTHS = pytest.mark.parametrize("lengths", [(8, 5, 4), (7, 5)])


def small_network(reference, lengths):
    network = MSFBCNN(
        3,
        30,
        2,
        n_temporal_filters=2,
        n_spatial_filters=3,
        kernel_lengths=lengths,
        pool_length=6,
        pool_stride=4,
        dropout=0,
    )
    return reference.randomise(network)


@LENGTHS
def test_each_layer_equals_its_numpy_form_in_training(reference, lengths):
    network = small_network(reference, lengths)
    reference.assert_layers_agree(network, reference_chain(reference, len(lengths)), X)


@LENGTHS
def test_each_layer_equals_its_numpy_form_in_evaluation(reference, lengths):
    network = small_network(reference, lengths).eval()
    chain = reference_chain(reference, len(lengths), fixed_statistics=True)
    reference.assert_layers_agree(network, chain, X)


@LENGTHS
@pytest.mark.parametrize("method", ["direct", "merged", "spectral"])
def test_gradients_equal_differences_of_the_numpy_form(reference, lengths, method):
    network = small_network(reference, lengths)
    network.filters.method = method
    reference.assert_gradients_agree(network, reference_chain(reference, len(lengths)), X)


@pytest.mark.parametrize("variant", VARIANTS)
def test_all_methods_train_alike_on_precomputed_trials(variant):
    torch.manual_seed(0)
    start = MSFBCNN(4, 150, 3, variant=variant, n_temporal_filters=3, dropout=0.0).double()
    x, y = torch.randn(12, 4, 150, dtype=torch.float64) + 2, torch.arange(12) % 3
    trained = {}
    for method in ("direct", "merged", "spectral"):
        network = MSFBCNN(4, 150, 3, variant=variant, n_temporal_filters=3, dropout=0.0).double()
        network.load_state_dict(start.state_dict())
        network.filters.method = method
        known = network.precompute_trials(x)
        assert bool(known) == (method != "direct")
        optimizer = torch.optim.SGD(network.parameters(), 1e-3)
        for step in range(10):
            batch = torch.arange(step, step + 6) % 12
            rows = {name: sums[batch] for name, sums in known.items()}
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(x[batch], **rows), y[batch]).backward()
            optimizer.step()
        trained[method] = network.state_dict()
    for method in ("merged", "spectral"):
        for name, expected in trained["direct"].items():
            torch.testing.assert_close(
                trained[method][name], expected, rtol=1e-9, atol=1e-9, msg=f"{method}: {name}"
            )


@pytest.mark.parametrize(
    ("variant", "n_filters", "lengths"),
    [("wu", 40, [64, 40, 26, 16]), ("strypsteen", 10, [65, 41, 27, 17])],
)
def test_sizes_are_those_of_the_variant_unless_given(variant, n_filters, lengths):
    def sizes(**kwargs):
        filters = MSFBCNN(2, 200, 2, variant=variant, **kwargs).filters
        return (
            [(bank.out_channels, bank.kernel_size[1]) for bank in filters.banks],
            filters.spatial.out_channels,
        )

    assert sizes() == ([(n_filters, length) for length in lengths], n_filters)
    given = sizes(n_temporal_filters=40, kernel_lengths=[9, 4])
    assert given == ([(40, 9), (40, 4)], 40)
    assert sizes(n_temporal_filters=3, n_spatial_filters=5)[1] == 5


@pytest.mark.parametrize("lengths", [np.array([8, 5]).tolist(), (8, 5), tuple(np.int64([8, 5]))])
def test_kernel_lengths_may_be_any_sequence_of_integers(lengths):
    network = MSFBCNN(2, 200, 2, kernel_lengths=lengths)
    assert [bank.kernel_size[1] for bank in network.filters.banks] == [8, 5]


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        (64, "kernel_lengths must be a sequence of one integer or more; got 64"),
        ([], r"kernel_lengths must be a sequence of one integer or more; got \[\]"),
        ("64", "kernel_lengths must be a sequence of one integer or more; got '64'"),
        ([8, 0], r"kernel_lengths\[1\] must be an integer of at least 1; got 0"),
        ([8.5], r"kernel_lengths\[0\] must be an integer of at least 1; got 8.5"),
        ([True], r"kernel_lengths\[0\] must be an integer of at least 1; got True"),
    ],
)
def test_other_kernel_lengths_are_refused(lengths, message):
    with pytest.raises(ValueError, match=message):
        MSFBCNN(2, 200, 2, kernel_lengths=lengths)


def test_first_weights_are_uniform_within_glorots_bounds():
    torch.manual_seed(0)
    network = MSFBCNN(8, 1125, 4)
    layers = {
        network.filters.banks[0]: 6 / (64 + 40 * 64),
        network.filters.spatial: 6 / (8 * (160 + 40)),
        network.dense: 6 / (40 * 71 + 4),
    }
    for layer, square in layers.items():
        assert 0.99 * math.sqrt(square) < layer.weight.abs().max() <= math.sqrt(square)
    assert (network.dense.bias == 0).all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_flat_signal_gives_finite_logits_and_gradients(variant):
    network = MSFBCNN(2, 128, 2, variant=variant)
    network(torch.zeros(4, 2, 128)).sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in network.parameters())


def test_the_logarithm_has_a_floor():
    log = MSFBCNN(2, 128, 2).log
    limited = log(torch.tensor([-1.0, 0.0, 1e-7, 1.0, 1e6], dtype=torch.float64)).numpy()
    np.testing.assert_allclose(limited, np.log([1e-6, 1e-6, 1e-6, 1.0, 1e6]))


@pytest.mark.parametrize("name", ["square", *ACTIVATIONS])
def test_square_or_any_activation_of_the_table(name):
    network = MSFBCNN(2, 128, 2, activation=name, variant="strypsteen")
    assert torch.isfinite(network(torch.randn(3, 2, 128))).all()


def test_a_short_window_clips_the_pool_alone():
    with pytest.warns(UserWarning, match="MSFBCNN.pool has a length of 75") as record:
        network = MSFBCNN(2, 20, 2)
    assert len(record) == 1
    assert network.pool.length == 20
    assert network.dense.in_features == 40
    assert network.filters.banks[0].kernel_size[1] == 64


def test_attention_of_maps_acts_on_log_power():
    torch.manual_seed(0)
    plain = MSFBCNN(3, 150, 2, variant="strypsteen", dropout=0).double().eval()
    gated = MSFBCNN(3, 150, 2, variant="strypsteen", dropout=0, attention="se").double().eval()
    gated.load_state_dict(plain.state_dict(), strict=False)
    assert isinstance(gated.gates, SqueezeExcitation)
    x = torch.randn(4, 3, 150, dtype=torch.float64)
    log_power = plain.log(plain.pool(plain.activate(plain.norm(plain.filters(x)))))
    gate = gated.gates.gate(log_power)
    expected = plain.dense((log_power * gate).flatten(1))
    torch.testing.assert_close(gated(x), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("axis", ["electrodes", "map-electrode"])
def test_attention_of_electrodes_acts_between_the_filters(axis):
    network = MSFBCNN(3, 150, 2, variant="strypsteen", attention="eca", attention_axis=axis)
    assert isinstance(network.filters.attention, ECA)
    assert isinstance(network.gates, torch.nn.Identity)
    seen = []
    network.filters.attention.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    assert network(torch.randn(4, 3, 150)).shape == (4, 2)
    assert seen[0].shape == (4, 40, 3, 150)


@pytest.mark.parametrize("attention", ["se", "cbam", "eca"])
@pytest.mark.parametrize(
    ("axis", "sizes"), [("maps", (10, 1)), ("electrodes", (40, 44)), ("map-electrode", (40, 44))]
)
def test_attention_adds_the_parameters_of_its_layer(attention, axis, sizes):
    options = {"attention": attention, "attention_axis": axis}
    network = MSFBCNN(44, 1125, 4, variant="strypsteen", **options)
    assert count(network) == 22044 + count(make_attention(attention, axis, *sizes))
