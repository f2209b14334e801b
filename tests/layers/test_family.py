"""What all layers do alike, whatever torch's default dtype and device are."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import torch
from torch import nn

from skeeg.layers import (
    CBAM,
    ECA,
    ELU,
    GRU,
    Dropout,
    GumbelChannelSelection,
    MeanPool,
    MixedDepthwiseConv,
    PartialConv2d,
    RadialBasis,
    SafeLog,
    SameConv2d,
    ScaledTanh,
    Square,
    SqueezeExcitation,
    TemporalSpatialFilter,
    TrainableSubsampling,
    XConv,
    apply_max_norm,
    glorot_uniform_,
    lecun_uniform_,
    normalised_power,
    with_max_norm,
)
from skeeg.layers._random import RandomFunctionsMode, random_stream


class Power(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.pool = nn.BatchNorm2d(4), MeanPool(6, 3)

    def forward(self, x):
        return normalised_power(x, self.norm, self.pool)


class OfNeighbours(XConv):
    def __init__(self):
        super().__init__(4, 5, 3, n_lifted=2)

    def forward(self, x):
        neighbours = torch.arange(6, device=x.device).reshape(2, 3)
        return super().forward(x, neighbours, x.new_ones(2, 3, 3) / 3)


def filters(method, **options):
    def build():
        norm = None if "temporal_bias" in options else nn.BatchNorm2d(2)
        return TemporalSpatialFilter(4, 2, 7, 4, norm=norm, method=method, **options)

    return build


# For each, how to build it, and the shape of its input.
LAYERS = {
    "ELU": (ELU, (64, 4, 130)),  # of as many values as take the faster form
    "Square": (Square, (3, 4)),
    "SafeLog": (SafeLog, (3, 4)),
    "ScaledTanh": (ScaledTanh, (3, 4)),
    "Dropout": (lambda: Dropout(0.4), (5, 4, 12)),
    "GRU": (lambda: GRU(4, 3, batch_first=True), (5, 6, 4)),
    "MeanPool": (lambda: MeanPool(6, 3), (5, 4, 1, 20)),
    "SameConv2d": (lambda: SameConv2d(4, 4, 6, groups=4), (5, 4, 1, 20)),
    "MixedDepthwiseConv": (lambda: MixedDepthwiseConv(4, (3, 6)), (5, 4, 1, 20)),
    "PartialConv2d": (lambda: PartialConv2d(4, [[0], [1, 3]], 3), (5, 4, 6, 6)),
    "TrainableSubsampling": (lambda: TrainableSubsampling(4, 2), (5, 4, 6, 6)),
    "RadialBasis": (lambda: RadialBasis(4, 3), (5, 4)),
    "SqueezeExcitation": (lambda: SqueezeExcitation(4, reduction=2), (5, 4, 1, 20)),
    "CBAM": (lambda: CBAM(4, axis="electrodes", statistic="power"), (5, 2, 4, 20)),
    "ECA": (lambda: ECA(4), (5, 4, 1, 20)),
    "GumbelChannelSelection": (lambda: GumbelChannelSelection(4, 2), (5, 4, 20)),
    "normalised_power": (Power, (5, 4, 1, 20)),
    "XConv": (OfNeighbours, (5, 6, 4)),
    "direct": (filters("direct", depthwise=True), (5, 4, 40)),
    "merged": (filters("merged", depthwise=True), (5, 4, 40)),
    "spectral": (filters("spectral", depthwise=True), (5, 4, 40)),
    "merged of all maps": (filters("merged", temporal_bias=True), (5, 4, 40)),
    "spectral of all maps": (filters("spectral", spatial_bias=True), (5, 4, 40)),
}
each_layer = pytest.mark.parametrize("name", LAYERS)


@contextmanager
def defaults(dtype=None, device=None):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype or before)
    torch.set_default_device(device)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
        torch.set_default_device(None)


def built(name):
    with random_stream(0), RandomFunctionsMode():
        return LAYERS[name][0]()


def outcome(layer, x):
    """Return all that a training step and a prediction make, by name."""
    given = x.clone().requires_grad_()
    layer.train()
    with random_stream(1):
        outputs = layer(given)
    outputs = outputs[0] if isinstance(outputs, tuple) else outputs
    outputs.sum().backward()
    with torch.no_grad():
        evaluated = layer.eval()(x)
    found = {"outputs": outputs.detach(), "of input": given.grad}
    found["evaluated"] = evaluated[0] if isinstance(evaluated, tuple) else evaluated
    found |= {f"of {key}": p.grad for key, p in layer.named_parameters() if p.grad is not None}
    return found | dict(layer.named_buffers())


def inputs(name, dtype):
    generator = torch.Generator().manual_seed(2)
    return torch.randn(LAYERS[name][1], dtype=dtype, device="cpu", generator=generator)


def is_index(tensor):
    return not tensor.is_floating_point()


@each_layer
def test_a_layer_built_in_double_precision_computes_in_it(name):
    x = inputs(name, torch.float64)
    with defaults(dtype=torch.float64):
        found = outcome(built(name), x)
    dtypes = {key: value.dtype for key, value in found.items() if not is_index(value)}
    assert set(dtypes.values()) == {torch.float64}, dtypes


@each_layer
@pytest.mark.parametrize("setting", [{"dtype": torch.float64}, {"device": "meta"}])
def test_defaults_set_after_a_layer_was_built_change_nothing(name, setting):
    x = inputs(name, torch.float32)
    expected = outcome(built(name), x)
    layer = built(name)
    with defaults(**setting):
        found = outcome(layer, x)
    for key, value in expected.items():
        assert found[key].dtype == value.dtype, key
        assert torch.equal(found[key], value), key


@each_layer
def test_a_layer_built_on_the_meta_device_stays_on_it(name):
    shapes = {key: value.shape for key, value in outcome(built(name), inputs(name, None)).items()}
    with defaults(device="meta"):
        layer = built(name)
        found = outcome(layer, torch.empty(LAYERS[name][1]))
    assert {key: value.shape for key, value in found.items()} == shapes
    tensors = [*found.values(), *layer.parameters(), *layer.buffers()]
    assert {value.device.type for value in tensors} == {"meta"}


@pytest.mark.parametrize("initialise", [glorot_uniform_, lecun_uniform_])
def test_initialisation_keeps_dtype_and_device(initialise):
    with defaults(dtype=torch.float64):
        layer = nn.Conv2d(2, 3, 4, dtype=torch.float32, device="cpu")
        initialise(layer)
    assert {p.dtype for p in layer.parameters()} == {torch.float32}
    layer = nn.Linear(2, 3, device="meta")
    initialise(layer)
    assert {p.device.type for p in layer.parameters()} == {"meta"}


@pytest.mark.parametrize("setting", [{"dtype": torch.float64}, {"device": "meta"}])
def test_max_norm_is_that_of_the_weights_dtype_and_device(setting):
    weight = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
    layer = with_max_norm(nn.Linear(2, 2, bias=False), 1.0)
    layer.weight.data = weight.clone()
    with defaults(**setting):
        apply_max_norm(layer)
        other = with_max_norm(nn.Linear(2, 2), 1.0)
        apply_max_norm(other)
    torch.testing.assert_close(layer.weight.data, torch.tensor([[0.6, 0.8], [0.3, 0.4]]))
    assert other.weight.dtype == setting.get("dtype", torch.float32)
    assert other.weight.device.type == setting.get("device", "cpu")


def test_the_state_of_a_selection_is_kept_whatever_the_default_device():
    selection = GumbelChannelSelection(4, 2)
    selection.set_progress(0.25)
    selection.freeze()
    with defaults(device="meta"):
        state = selection.state_dict()
    other = GumbelChannelSelection(4, 2)
    other.load_state_dict(state)
    assert (other.progress, other.frozen) == (0.25, True)
