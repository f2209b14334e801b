import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skeeg.layers import ACTIVATIONS
from skeeg.networks import ShallowConvNet

X = np.random.default_rng(7).standard_normal((3, 3, 30))
VARIANTS = ("schirrmeister", "lawhern")


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("shape", "variant", "expected"),
    [
        ((22, 1125, 4), "schirrmeister", 47364),
        ((44, 1125, 4), "schirrmeister", 82564),
        ((22, 1000, 4), "schirrmeister", 46084),
        ((44, 1000, 4), "schirrmeister", 81284),
        ((64, 128, 2), "lawhern", 104002),  # P300
        ((56, 160, 2), "lawhern", 91602),  # ERN
        ((64, 192, 2), "lawhern", 104722),  # MRCP
        ((22, 256, 4), "lawhern", 40644),  # SMR
        ((64, 256, 4), "lawhern", 107844),
    ],
)
def test_published_counts(shape, variant, expected):
    assert count(ShallowConvNet(*shape, variant=variant)) == expected


@settings(max_examples=25, deadline=None)
@given(
    c=st.integers(1, 6),
    t=st.integers(30, 90),
    n=st.integers(1, 5),
    f=st.integers(1, 6),
    k=st.integers(1, 10),
    p=st.integers(1, 20),
    s=st.integers(1, 25),
    variant=st.sampled_from(VARIANTS),
)
def test_count_follows_its_closed_form(c, t, n, f, k, p, s, variant):
    network = ShallowConvNet(
        c,
        t,
        n,
        n_temporal_filters=f,
        kernel_length=k,
        pool_length=p,
        pool_stride=s,
        variant=variant,
    )
    n_pooled = (t - k + 1 - p) // s + 1
    assert count(network) == f * k + f + f * f * c + 2 * f + n * (f * n_pooled + 1)


def reference_chain(np_layers, limits, fixed_statistics=False):
    """ShallowConvNet in NumPy, from its parameters and an input to the outputs of its layers."""

    def chain(state, x):
        y = {}
        y["filters.temporal"] = np_layers.convolve(
            x[:, None], state["filters.temporal.weight"], state["filters.temporal.bias"]
        )
        y["filters.spatial"] = np_layers.convolve(
            y["filters.temporal"], state["filters.spatial.weight"]
        )
        names = ("running_mean", "running_var") if fixed_statistics else ()
        statistics = [state[f"norm.{name}"] for name in names]
        y["norm"] = np_layers.normalise(
            y["filters.spatial"], state["norm.weight"], state["norm.bias"], 1e-5, *statistics
        )
        y["activate"] = y["norm"] ** 2
        y["pool"] = np_layers.pool(y["activate"], np.mean, 6, stride=4)
        y["log"] = np.log(np.clip(y["pool"], *limits))
        y["gates"] = y["drop"] = y["log"]
        y["dense"] = np_layers.dense(y["drop"], state["dense.weight"], state["dense.bias"])
        return y

    return chain


LIMITS = {"schirrmeister": (1e-6, np.inf), "lawhern": (1e-7, 1e4)}


def small_network(reference, variant):
    return reference.randomise(
        ShallowConvNet(
            3,
            30,
            2,
            n_temporal_filters=3,
            kernel_length=5,
            pool_length=6,
            pool_stride=4,
            dropout=0,
            variant=variant,
        )
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_layer_equals_its_numpy_form_in_training(reference, variant):
    network = small_network(reference, variant)
    reference.assert_layers_agree(network, reference_chain(reference, LIMITS[variant]), X)


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_layer_equals_its_numpy_form_in_evaluation(reference, variant):
    network = small_network(reference, variant).eval()
    chain = reference_chain(reference, LIMITS[variant], fixed_statistics=True)
    reference.assert_layers_agree(network, chain, X)


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_equal_differences_of_the_numpy_form(reference, variant):
    network = small_network(reference, variant)
    reference.assert_gradients_agree(network, reference_chain(reference, LIMITS[variant]), X)


@pytest.mark.parametrize(
    ("variant", "values", "expected"),
    [
        ("schirrmeister", [0.0, 1e-7, 1.0, 1e6], [1e-6, 1e-6, 1.0, 1e6]),
        ("lawhern", [0.0, 1e-8, 1.0, 1e6], [1e-7, 1e-7, 1.0, 1e4]),
    ],
)
def test_the_logarithm_is_limited_as_in_the_variant(variant, values, expected):
    log = ShallowConvNet(2, 128, 2, variant=variant).log
    limited = log(torch.tensor(values, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(limited, np.log(expected))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_flat_signal_gives_finite_logits(variant):
    network = ShallowConvNet(2, 128, 2, variant=variant)
    assert torch.isfinite(network(torch.zeros(4, 2, 128))).all()


@pytest.mark.parametrize(
    ("variant", "expected"), [("schirrmeister", (25, 75, 15)), ("lawhern", (13, 35, 7))]
)
def test_lengths_are_those_of_the_variant_unless_given(variant, expected):
    def lengths(**kwargs):
        network = ShallowConvNet(2, 200, 2, variant=variant, **kwargs)
        return (
            network.filters.temporal.kernel_size[1],
            network.pool.length,
            network.pool.stride,
        )

    assert lengths() == expected
    assert lengths(kernel_length=9, pool_length=20, pool_stride=4) == (9, 20, 4)


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("schirrmeister", {}),
        ("lawhern", {"filters.temporal": 2.0, "filters.spatial": 2.0, "dense": 0.5}),
    ],
)
def test_limits_on_norms_are_those_of_the_variant(variant, expected):
    network = ShallowConvNet(2, 128, 2, variant=variant)
    limits = {n: m.max_norm for n, m in network.named_modules() if hasattr(m, "max_norm")}
    assert limits == expected


@pytest.mark.parametrize("variant", VARIANTS)
def test_first_weights_are_those_of_the_variant(variant):
    torch.manual_seed(0)
    network = ShallowConvNet(8, 1125, 4, variant=variant)
    length = network.dense.in_features // 40
    bounds = {
        "schirrmeister": (math.sqrt(6 / (8 * 80)), math.sqrt(6 / (44 * length))),
        "lawhern": (math.sqrt(6 / (8 * 80)), math.sqrt(6 / (40 * length + 4))),
    }[variant]
    for layer, bound in zip((network.filters.spatial, network.dense), bounds, strict=True):
        assert 0.99 * bound < layer.weight.abs().max() <= bound
    assert (network.filters.temporal.bias == 0).all()
    assert (network.dense.bias == 0).all()


@pytest.mark.parametrize("name", ["square", *ACTIVATIONS])
def test_square_or_any_activation_of_the_table(name):
    network = ShallowConvNet(2, 128, 2, activation=name, variant="lawhern")
    assert torch.isfinite(network(torch.randn(3, 2, 128))).all()


def test_square_has_no_alpha():
    with pytest.raises(ValueError, match="'square' has no alpha"):
        ShallowConvNet(2, 128, 2, alpha=0.5)


def test_the_error_for_an_unknown_activation_suggests_square():
    with pytest.raises(ValueError, match="Did you mean 'square'"):
        ShallowConvNet(2, 128, 2, activation="sqare")


@pytest.mark.parametrize(
    ("n_times", "expected", "warned"),
    [
        (20, (20, 1), ["ShallowConvNet.filters.temporal", "ShallowConvNet.pool"]),
        (60, (25, 36), ["ShallowConvNet.pool"]),
    ],
)
def test_a_short_window_clips_what_does_not_fit_and_names_it(n_times, expected, warned):
    with pytest.warns(UserWarning, match="ShallowConvNet") as record:
        network = ShallowConvNet(2, n_times, 2)
    assert [str(warning.message).split()[0] for warning in record] == warned
    assert (network.filters.temporal.kernel_size[1], network.pool.length) == expected
    assert network.dense.in_features == 40


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_pools_are_normalised_at_once_without_hooks(variant, dtype, rtol):
    """A hook makes the network compute its layers one by one, which must not change it."""
    torch.manual_seed(0)
    x, y = torch.randn(12, 3, 200, dtype=dtype) + 2, torch.arange(12) % 2
    one = ShallowConvNet(3, 200, 2, dropout=0, variant=variant).to(dtype)
    other = copy.deepcopy(one)
    seen = []
    other.norm.register_forward_hook(lambda *_: seen.append(True))
    for network in (one, other):
        optimiser = torch.optim.SGD(network.parameters(), lr=1e-2)
        for _ in range(20):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(network(x), y).backward()
            optimiser.step()
        network.eval()
    assert len(seen) == 20
    for name, value in one.state_dict().items():
        torch.testing.assert_close(value, other.state_dict()[name], rtol=rtol, atol=rtol)
    torch.testing.assert_close(one(x), other(x), rtol=rtol, atol=rtol)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("training", [True, False])
def test_pools_at_once_export_and_compile(training):
    network, x = ShallowConvNet(3, 200, 2, dropout=0).train(training), torch.randn(4, 3, 200)
    compiled = torch.compile(copy.deepcopy(network), backend="aot_eager")
    torch.testing.assert_close(compiled(x), network(x), rtol=1e-4, atol=1e-5)
    exported = torch.export.export(network.eval(), (x,)).module()
    torch.testing.assert_close(exported(x), network(x), rtol=1e-4, atol=1e-5)


def test_another_layer_in_the_place_of_the_normalisation():
    network = ShallowConvNet(3, 200, 2).eval()
    network.norm = torch.nn.GroupNorm(4, 40)
    x = torch.randn(4, 3, 200)
    maps = network.pool(network.norm(network.filters(x)).square())
    torch.testing.assert_close(network(x), network.dense(network.log(maps).flatten(1)))
