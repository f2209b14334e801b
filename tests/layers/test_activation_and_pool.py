"""An activation and a max pool in the faster order."""

import pytest
import torch
from torch import nn

from skeeg.layers import ACTIVATIONS, make_activation
from skeeg.layers._activation_and_pool import activation_and_max_pool


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_pooling_first_computes_the_same_with_its_gradient(name):
    pool = nn.MaxPool1d(3)
    layers = activation_and_max_pool(pool, name)
    assert list(layers) == (
        ["pool", "activation"] if ACTIVATIONS[name].is_monotone else ["activation", "pool"]
    )
    x = torch.randn(4, 5, 31, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weights = torch.randn(4, 5, 10, dtype=torch.float64)
    results = []
    for layer in (nn.Sequential(layers), nn.Sequential(make_activation(name), pool)):
        x_in = x.clone().requires_grad_()
        out = layer(x_in)
        (out * weights).sum().backward()
        results.append((out.detach(), x_in.grad))
    torch.testing.assert_close(results[0], results[1], rtol=1e-12, atol=1e-12)
