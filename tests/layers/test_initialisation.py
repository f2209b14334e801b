import math

import pytest
import torch
from torch import nn

from skeeg.layers import glorot_uniform_, glorot_uniform_as_convolution_, lecun_uniform_

# The fans that Keras computes from its kernel shapes, (height, width, maps in, maps out) and, for a
# depthwise convolution, (height, width, maps in, depth multiplier).
LAYERS = {
    "conv": (lambda: nn.Conv2d(25, 50, (1, 10)), 25 * 10 + 50 * 10),
    "spatial, depth multiplier 2": (
        lambda: nn.Conv2d(8, 16, (64, 1), groups=8),
        8 * 64 + 2 * 64,
    ),
    "depthwise": (lambda: nn.Conv2d(40, 40, (1, 50), groups=40), 40 * 50 + 1 * 50),
    "conv1d": (lambda: nn.Conv1d(25, 50, 10), 25 * 10 + 50 * 10),
    "dense": (lambda: nn.Linear(300, 4), 300 + 4),
}


@pytest.mark.parametrize("name", LAYERS)
def test_weights_fill_the_interval_of_keras_and_biases_are_zero(name):
    torch.manual_seed(0)
    make, fans = LAYERS[name]
    layer = make()
    glorot_uniform_(layer)
    bound = math.sqrt(6 / fans)
    assert layer.weight.abs().max() <= bound
    assert layer.weight.abs().max() > 0.98 * bound
    assert abs(layer.weight.std() / (bound / math.sqrt(3)) - 1) < 0.1  # uniform, not just bounded
    assert (layer.bias == 0).all()


@pytest.mark.parametrize("initialise", [glorot_uniform_, lecun_uniform_])
def test_other_layers_are_left_alone(initialise):
    norm = nn.BatchNorm2d(3)
    nn.init.constant_(norm.weight, 7.0)
    nn.init.constant_(norm.bias, 8.0)
    initialise(nn.Sequential(norm))
    assert (norm.weight == 7).all()
    assert (norm.bias == 8).all()


@pytest.mark.parametrize(
    ("layer", "fan_in"),
    [
        (nn.Conv2d(64, 128, 4), 64 * 16),
        (nn.Conv2d(40, 40, (1, 50), groups=40), 50),
        (nn.Conv1d(25, 50, 10), 250),
        (nn.Linear(300, 40), 300),
    ],
)
def test_an_output_starts_with_the_variance_of_the_input(layer, fan_in):
    torch.manual_seed(0)
    lecun_uniform_(layer)
    bound = math.sqrt(3 / fan_in)
    assert 0.98 * bound < layer.weight.abs().max() <= bound
    assert layer.weight.var().item() * fan_in == pytest.approx(1, abs=0.1)
    assert (layer.bias == 0).all()


def test_a_dense_layer_can_start_as_the_convolution_it_stands_for():
    dense, conv = nn.Linear(40 * 69, 4), nn.Conv2d(40, 4, (1, 69))
    torch.manual_seed(3)
    glorot_uniform_as_convolution_(dense, n_maps=40)
    torch.manual_seed(3)
    nn.init.xavier_uniform_(conv.weight)
    torch.testing.assert_close(dense.weight, conv.weight.flatten(1), rtol=0, atol=0)
    assert (dense.bias == 0).all()
