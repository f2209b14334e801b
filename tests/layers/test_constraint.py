import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrizations

from skeeg.layers import apply_max_norm, with_max_norm


def keras_max_norm(weight, limit):
    """The constraint as Keras computes it, for rows of flattened weights."""
    rows = weight.reshape(len(weight), -1)
    norms = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return (rows * np.clip(norms, 0, limit) / (norms + 1e-7)).reshape(weight.shape)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.floats(0.01, 100),
    limit=st.floats(0.05, 5),
    shape=st.sampled_from([(3, 7), (4, 1, 5, 1), (6, 2, 1, 3), (1, 1)]),
)
def test_rows_are_limited_as_in_keras(seed, scale, limit, shape):
    weight = scale * np.random.default_rng(seed).standard_normal(shape)
    layer = nn.Conv2d(1, 1, 1) if len(shape) == 4 else nn.Linear(1, 1)
    layer.weight = nn.Parameter(torch.tensor(weight))
    apply_max_norm(with_max_norm(layer, limit))
    limited = layer.weight.detach().numpy()

    exceeds = np.linalg.norm(weight.reshape(shape[0], -1), axis=1) > limit
    np.testing.assert_allclose(limited[exceeds], keras_max_norm(weight, limit)[exceeds], rtol=1e-12)
    np.testing.assert_array_equal(limited[~exceeds], weight[~exceeds])


def test_float32_rows_equal_keras_to_rounding_whether_they_exceed_or_not():
    weight = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)
    layer = with_max_norm(nn.Linear(4, 50), 2.0)
    layer.weight.data = torch.tensor(weight)
    apply_max_norm(layer)
    np.testing.assert_allclose(layer.weight.detach(), keras_max_norm(weight, 2.0), rtol=1e-6)


def test_a_row_of_zeros_stays_zero():
    layer = with_max_norm(nn.Linear(3, 2), 1.0)
    layer.weight.data = torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]])
    apply_max_norm(layer)
    np.testing.assert_allclose(layer.weight.detach(), [[0, 0, 0], [1, 0, 0]], rtol=1e-6)


def test_the_bias_and_unmarked_layers_are_left_alone():
    network = nn.Sequential(with_max_norm(nn.Linear(4, 4), 0.1), nn.Linear(4, 4))
    for parameter in network.parameters():
        nn.init.constant_(parameter, 5.0)
    apply_max_norm(network)
    assert network[0].weight.norm(dim=1).max() < 0.11
    assert (network[0].bias == 5).all()
    assert (network[1].weight == 5).all()


def test_layers_inside_layers_are_found():
    network = nn.Sequential(nn.Sequential(with_max_norm(nn.Conv2d(2, 3, (4, 1)), 0.5)))
    network[0][0].weight.data.fill_(1.0)
    apply_max_norm(network)
    norms = network[0][0].weight.detach().flatten(1).norm(dim=1)
    np.testing.assert_allclose(norms, 0.5, rtol=1e-6)


def test_the_optimiser_keeps_its_parameters_and_the_limit_holds_after_each_step():
    torch.manual_seed(0)
    layer = with_max_norm(nn.Linear(5, 3), 0.25)
    parameter = layer.weight
    optimiser = torch.optim.SGD(layer.parameters(), lr=1.0)
    for _ in range(3):
        optimiser.zero_grad()
        layer(torch.randn(8, 5)).pow(3).sum().backward()
        optimiser.step()
        assert layer.weight.norm(dim=1).max() > 0.25  # else the step would prove nothing
        apply_max_norm(layer)
        assert layer.weight.norm(dim=1).max() <= 0.25 * (1 + 1e-6)
    assert layer.weight is parameter
    assert parameter.is_leaf
    assert parameter.requires_grad


def test_a_marked_network_pickles_and_copies_with_its_limits():
    network = nn.Sequential(with_max_norm(nn.Linear(4, 2), 0.25))
    assert pickle.loads(pickle.dumps(network))[0].max_norm == 0.25
    assert copy.deepcopy(network)[0].max_norm == 0.25


def test_embeddings_and_parametrised_layers_manage_their_own_weights():
    embedding = nn.Embedding(3, 4, max_norm=1.0)
    parametrised = parametrizations.weight_norm(nn.Linear(4, 3))
    parametrised.max_norm = 0.01  # as some packages call the limit of such a layer
    before = embedding.weight.detach().clone() * 10, parametrised.weight.detach().clone()
    embedding.weight.data.mul_(10)
    apply_max_norm(nn.ModuleList([embedding, parametrised]))
    torch.testing.assert_close(embedding.weight.detach(), before[0])
    torch.testing.assert_close(parametrised.weight.detach(), before[1])


def test_marking_returns_the_layer_and_none_marks_nothing():
    layer = nn.Linear(2, 2)
    assert with_max_norm(layer, None) is layer
    assert not hasattr(layer, "max_norm")
    assert with_max_norm(layer, 2) is layer
    assert layer.max_norm == 2.0


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), "1", True])
def test_the_limit_must_be_a_positive_number(value):
    with pytest.raises(ValueError, match="max_norm must be a finite number above 0; got"):
        with_max_norm(nn.Linear(2, 2), value)


@pytest.mark.parametrize("layer", [nn.ELU(), nn.BatchNorm2d(3)])
def test_a_layer_without_weight_rows_cannot_be_marked(layer):
    with pytest.raises(ValueError, match="needs a layer whose weight has rows"):
        with_max_norm(layer, 1.0)
