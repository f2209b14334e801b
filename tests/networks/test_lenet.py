import numpy as np
import pytest
import torch
from torch import nn

from skeeg.layers import ACTIVATIONS, RadialBasis, ScaledTanh
from skeeg.networks import LeNet, summary

X = np.random.default_rng(7).standard_normal((3, 2, 9, 12))


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("shape", "options", "expected"),
    [
        ((1, 28, 28, 10), {}, 61706),
        ((1, 32, 32, 10), {}, 61706),
        ((4, 9, 9, 2), {}, 21156),
        ((4, 9, 9, 2), {"interpolate_to": 32}, 61476),
        ((1, 32, 32, 10), {"variant": "1998"}, 60000),
        ((1, 28, 28, 10), {"variant": "1998"}, 60000),
    ],
)
def test_published_counts(shape, options, expected):
    assert count(LeNet(*shape, **options)) == expected


def test_the_first_lenet_has_the_papers_count_in_each_layer():
    network = LeNet(1, 32, 32, 10, variant="1998")
    layers = dict(network.named_children())
    expected = {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48120, "f6": 10164, "dense": 0}
    assert {name: count(layers[name]) for name in expected} == expected


def test_the_first_lenet_has_the_papers_sizes_and_connections():
    rows = {row.name: row for row in summary(LeNet(1, 32, 32, 10, variant="1998")).layers}
    shapes = {name: rows[name].output_shape for name in ("c1.conv", "s2.pool", "c3.conv")}
    assert shapes == {"c1.conv": (6, 28, 28), "s2.pool": (6, 14, 14), "c3.conv": (16, 10, 10)}
    assert rows["s4.pool"].output_shape == (16, 5, 5)
    # The paper counts a bias as one connection more of each unit.
    assert rows["c1.conv"].multiply_adds + 6 * 28 * 28 == 122304
    assert rows["c3.conv"].multiply_adds + 16 * 10 * 10 == 151600
    assert rows["dense"].multiply_adds == 840


def test_maps_of_c3_see_those_of_s2_as_in_table_one():
    expected = [
        "012", "123", "234", "345", "045", "015",
        "0123", "1234", "2345", "0345", "0145", "0125",
        "0134", "1245", "0235", "012345",
    ]  # fmt: skip
    conv = LeNet(1, 32, 32, 10, variant="1998").c3.conv
    x = torch.randn(1, 6, 14, 14)
    base = conv(x)
    seen = [""] * 16
    for i in range(6):
        changed = x.clone()
        changed[:, i] += 1
        difference = (conv(changed) - base).abs().amax(dim=(0, 2, 3)) > 1e-4
        for j in torch.nonzero(difference).flatten():
            seen[j] += str(i)
    assert seen == expected


def scaled_tanh(x):
    return 1.7159 * np.tanh(2 / 3 * x)


def reference_chain(np_layers, network, variant, padding):
    """LeNet in NumPy, from its parameters and an input to the outputs of its layers."""
    first = variant == "1998"

    def subsample(state, name, x):
        if not first:
            return {name: np_layers.pool_maps(x, np.max, 2, 2)}
        sums = np_layers.pool_maps(x, np.sum, 2, 2)
        column = np.s_[:, None, None]
        x = sums * state[f"{name}.pool.coefficient"][column] + state[f"{name}.pool.bias"][column]
        return {f"{name}.pool": x, f"{name}.activation": scaled_tanh(x)}

    def partial(weight):
        full, k = np.zeros((16, 6, 5, 5)), 0
        for i in range(16):
            for j in range(6):
                if i * 6 + j in network.c3.conv.connected:
                    full[i, j] = weight[k]
                    k += 1
        return full

    def chain(state, x):
        y = {"resize": x}
        for conv, pool, pad in zip(("c1", "c3"), ("s2", "s4"), padding, strict=True):
            x = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
            weight = state[f"{conv}.conv.weight"]
            weight = partial(weight) if first and conv == "c3" else weight
            y[f"{conv}.conv"] = np_layers.convolve(x, weight, state[f"{conv}.conv.bias"])
            y[f"{conv}.activation"] = scaled_tanh(y[f"{conv}.conv"])
            y |= subsample(state, pool, y[f"{conv}.activation"])
            x = list(y.values())[-1]
        for dense in ("c5", "f6"):
            x = np_layers.dense(x, state[f"{dense}.dense.weight"], state[f"{dense}.dense.bias"])
            y[f"{dense}.dense"] = x
            x = y[f"{dense}.activation"] = scaled_tanh(x)
        if first:
            y["dense"] = -((x[:, None, :] - state["dense.codes"]) ** 2).sum(axis=2)
        else:
            y["dense"] = np_layers.dense(x, state["dense.weight"], state["dense.bias"])
        return y

    return chain


@pytest.mark.parametrize("variant", ["simple", "1998"])
@pytest.mark.parametrize(
    ("shape", "padding"), [((9, 9), (2, 2)), ((13, 12), (2, 0)), ((32, 35), (0, 0))]
)
def test_each_layer_equals_its_numpy_form(reference, variant, shape, padding):
    network = reference.randomise(LeNet(2, *shape, 3, variant=variant))
    x = np.random.default_rng(7).standard_normal((3, 2, *shape))
    chain = reference_chain(reference, network, variant, padding)
    reference.assert_layers_agree(network, chain, x)


def test_interpolation_is_linear_between_corners_that_stay():
    network = LeNet(2, 9, 12, 2, interpolate_to=32).double()
    found = network.resize(torch.tensor(X)).numpy()
    rows, columns = np.linspace(0, 8, 32), np.linspace(0, 11, 32)
    expected = np.apply_along_axis(lambda x: np.interp(rows, range(9), x), 2, X)
    expected = np.apply_along_axis(lambda x: np.interp(columns, range(12), x), 3, expected)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_pools_are_clipped_along_each_side_of_its_own():
    with pytest.warns(UserWarning, match=r"LeNet\.s2 .* 1 row long") as record:
        network = LeNet(1, 1, 40, 2)
    assert [str(w.message).split()[0] for w in record] == ["LeNet.s2", "LeNet.s4"]
    assert (network.s2.kernel_size, network.s4.kernel_size) == ((1, 2), (1, 2))
    assert network.c5.dense.in_features == 16 * 10


@pytest.mark.parametrize("variant", ["simple", "1998"])
@pytest.mark.parametrize("name", ["scaled_tanh", *ACTIVATIONS])
def test_any_activation_of_the_table(variant, name):
    network = LeNet(2, 9, 9, 2, activation=name, variant=variant)
    assert torch.isfinite(network(torch.randn(3, 2, 9, 9))).all()


def test_the_first_lenet_has_an_activation_after_its_pools_too():
    kinds = [type(m) for m in LeNet(1, 32, 32, 10, variant="1998").modules()]
    assert kinds.count(ScaledTanh) == 6
    assert kinds.count(RadialBasis) == 1
    assert nn.MaxPool2d not in kinds


@pytest.mark.parametrize("variant", ["simple", "1998"])
def test_first_weights_keep_values_alive_down_to_the_last_layer(variant):
    torch.manual_seed(0)
    network = LeNet(4, 9, 9, 2, variant=variant)
    features = network.f6(network.c5(network.s4(network.c3(network.s2(network.c1(
        torch.randn(200, 4, 9, 9)
    )))).flatten(1)))  # fmt: skip
    assert 0.1 < features.std() < 1.2
