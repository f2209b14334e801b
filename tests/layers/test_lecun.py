import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from skeeg.layers import PartialConv2d, RadialBasis, ScaledTanh, TrainableSubsampling

CONNECTIONS = [[0], [2, 0], [0, 1, 2]]


def masked(layer):
    """The full convolution, with zeros where maps are not connected."""
    full = nn.Conv2d(3, 3, 3, padding=layer.padding, dtype=torch.float64)
    full.weight.data.zero_()
    kernels = iter(layer.weight.detach())
    for i, maps in enumerate(CONNECTIONS):
        for j in maps:
            full.weight.data[i, j] = next(kernels)
    full.bias.data = layer.bias.detach().clone()
    return full


@pytest.mark.parametrize("padding", [0, 1])
def test_a_partial_convolution_is_a_full_one_without_the_kernels_that_are_missing(padding):
    layer = PartialConv2d(3, CONNECTIONS, 3, padding=padding).double()
    layer.bias.data.normal_()
    x = torch.randn(4, 3, 6, 5, dtype=torch.float64)
    torch.testing.assert_close(layer(x), masked(layer)(x))
    assert sum(p.numel() for p in layer.parameters()) == 6 * 9 + 3


def test_gradients_of_a_partial_convolution_are_exact():
    layer = PartialConv2d(3, CONNECTIONS, 3).double()
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    parameters = (x, layer.weight, layer.bias)
    assert torch.autograd.gradcheck(lambda *_: layer(x), parameters)


def test_kernels_start_with_the_variance_of_the_inputs_that_their_unit_sees():
    torch.manual_seed(0)
    layer = PartialConv2d(6, [[0], [0, 1, 2, 3, 4, 5]], 25)
    for kernels, n_seen in ((layer.weight[:1], 1), (layer.weight[1:], 6)):
        bound = math.sqrt(3 / (n_seen * 625))
        assert 0.99 * bound < kernels.abs().max() <= bound
    assert (layer.bias == 0).all()


@pytest.mark.parametrize("maps", [[], [0, 3], [-1], [1, 1]])
def test_connections_must_be_to_different_maps_that_exist(maps):
    with pytest.raises(ValueError, match="different input maps among 0 to 2; got"):
        PartialConv2d(3, [[0], maps], 5)


def test_a_partial_convolution_shows_its_settings():
    assert "connections=6, kernel_size=3" in repr(PartialConv2d(3, CONNECTIONS, 3))


def test_subsampling_is_the_sum_of_a_field_times_a_coefficient_plus_a_bias():
    layer = TrainableSubsampling(2, (2, 3)).double()
    layer.coefficient.data = torch.tensor([2.0, -1.0], dtype=torch.float64)
    layer.bias.data = torch.tensor([0.5, 3.0], dtype=torch.float64)
    x = np.random.default_rng(0).standard_normal((4, 2, 5, 7))
    fields = x[:, :, :4, :6].reshape(4, 2, 2, 2, 2, 3).sum(axis=(3, 5))
    expected = fields * np.array([2, -1])[:, None, None] + np.array([0.5, 3])[:, None, None]
    np.testing.assert_allclose(layer(torch.tensor(x)).detach().numpy(), expected)
    assert sum(p.numel() for p in layer.parameters()) == 4
    assert "2, size=(2, 3)" in repr(layer)


def test_subsampling_starts_as_a_mean():
    x = torch.randn(3, 2, 6, 6)
    torch.testing.assert_close(TrainableSubsampling(2, 3)(x), F.avg_pool2d(x, 3))


def test_the_nearest_code_has_the_highest_output():
    layer = RadialBasis(84, 10)
    x = layer.codes + 0.1 * torch.randn(10, 84)
    distances = np.linalg.norm(x.numpy()[:, None] - layer.codes.numpy(), axis=2)
    np.testing.assert_allclose(layer(x), -(distances**2), rtol=1e-5)
    assert (layer(x).argmax(1) == torch.arange(10)).all()


def test_codes_are_signs_far_apart_the_same_in_every_network_and_not_trained():
    codes = RadialBasis(84, 10).codes
    assert set(codes.unique().tolist()) == {-1.0, 1.0}
    differing = (codes[:, None] != codes).sum(2) + 84 * torch.eye(10)
    assert differing.min() >= 25
    assert torch.equal(RadialBasis(84, 10).codes, codes)
    assert not list(RadialBasis(84, 10).parameters())
    assert "codes" in RadialBasis(84, 10).state_dict()


def test_the_scaled_tanh_takes_one_to_one():
    values = ScaledTanh()(torch.tensor([-50.0, -1.0, 0.0, 1.0, 50.0], dtype=torch.float64))
    np.testing.assert_allclose(values, [-1.7159, -1, 0, 1, 1.7159], atol=2e-5)
