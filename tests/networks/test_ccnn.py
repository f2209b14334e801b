import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skeeg.layers import ACTIVATIONS
from skeeg.networks import CCNN

X = np.random.default_rng(7).standard_normal((3, 2, 3, 4))


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_published_counts():
    paper, released = CCNN(4, 9, 9, 2), CCNN(4, 9, 9, 2, variant="released")
    assert count(paper) == 4160 + 131200 + 524544 + 16448 + 5309440 + 2050 == 5987842
    assert count(released) == 21896642
    assert released.hidden.dense.in_features == 20736


@settings(max_examples=25, deadline=None)
@given(
    bands=st.integers(1, 5),
    height=st.integers(1, 7),
    width=st.integers(1, 7),
    n=st.integers(1, 5),
    f=st.integers(1, 4),
    d=st.integers(1, 9),
    variant=st.sampled_from(["paper", "released"]),
)
def test_count_follows_its_closed_form(bands, height, width, n, f, d, variant):
    network = CCNN(bands, height, width, n, n_filters=f, n_hidden=d, variant=variant)
    convs = f * (16 * bands + 1) + 2 * f * (16 * f + 1) + 4 * f * (32 * f + 1)
    convs += f * (4 * f + 1) if variant == "paper" else 0
    n_maps = f if variant == "paper" else 4 * f
    dense = d * (n_maps * height * width + 1) + n * (d + 1)
    assert count(network) == convs + dense


def selu(x):
    return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))


def reference_chain(np_layers, variant):
    """CCNN in NumPy, from its parameters and an input to the outputs of its layers."""

    def chain(state, x):
        y = {}
        blocks = ["block1", "block2", "block3"] + ["block4"] * (variant == "paper")
        for block in blocks:
            if block != "block4":
                x = y[f"{block}.pad"] = np.pad(x, [(0, 0), (0, 0), (1, 2), (1, 2)])
            x = np_layers.convolve(x, state[f"{block}.conv.weight"], state[f"{block}.conv.bias"])
            y[f"{block}.conv"] = x
            x = y[f"{block}.activation"] = selu(x)
        if variant == "released":
            y["block4"] = x
        x = np_layers.dense(x, state["hidden.dense.weight"], state["hidden.dense.bias"])
        y["hidden.dense"] = x
        y["hidden.activation"] = y["drop"] = selu(x)
        y["dense"] = np_layers.dense(y["drop"], state["dense.weight"], state["dense.bias"])
        return y

    return chain


def small_network(reference, variant):
    return reference.randomise(
        CCNN(2, 3, 4, 2, n_filters=2, n_hidden=3, dropout=0, variant=variant)
    )


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_each_layer_equals_its_numpy_form(reference, variant):
    network = small_network(reference, variant)
    reference.assert_layers_agree(network, reference_chain(reference, variant), X)


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_gradients_equal_differences_of_the_numpy_form(reference, variant):
    network = small_network(reference, variant)
    reference.assert_gradients_agree(network, reference_chain(reference, variant), X)


def test_an_impulse_shows_one_row_and_column_before_and_two_after():
    conv = CCNN(1, 9, 9, 2, n_filters=1).block1[:2]
    conv.conv.weight.data.fill_(1.0)
    impulse = torch.zeros(1, 1, 9, 9)
    impulse[..., 4, 4] = 1
    rows, columns = np.nonzero(conv(impulse)[0, 0].detach().numpy())
    assert set(rows) == set(columns) == {2, 3, 4, 5}


def test_values_keep_their_variance_from_layer_to_layer():
    torch.manual_seed(0)
    network = CCNN(4, 9, 9, 2)
    x = torch.randn(64, 4, 9, 9)
    for layer in (network.block1, network.block2, network.block3, network.block4):
        x = layer(x)
        assert 0.5 < x[:, :, 2:7, 2:7].var() < 2  # the padding lowers it at the rim
    assert 0.3 < network.hidden(x.flatten(1)).var() < 2


def test_first_weights_fill_their_bound():
    torch.manual_seed(0)
    network = CCNN(4, 9, 9, 2)
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(layers) == 6
    for layer in layers:
        bound = math.sqrt(3 / layer.weight[0].numel())
        assert 0.99 * bound < layer.weight.abs().max() <= bound
        assert (layer.bias == 0).all()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_layout_of_the_input_in_memory_changes_nothing(layout):
    network = CCNN(4, 9, 9, 2, n_filters=4, n_hidden=8).eval()
    x = torch.randn(5, 4, 9, 9)
    assert torch.equal(network(x.contiguous(memory_format=layout)), network(x))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_any_activation_of_the_table(name):
    network = CCNN(2, 5, 5, 2, n_filters=2, n_hidden=4, activation=name)
    assert torch.isfinite(network(torch.randn(3, 2, 5, 5))).all()
