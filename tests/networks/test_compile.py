"""Networks under ``torch.compile``, against themselves as written."""

from __future__ import annotations

import copy
import inspect
import shutil

import pytest
import torch
from torch import nn

import skeeg.networks
from skeeg.networks import CCNN, CNNLSTM, EEGNet, ShallowConvNet

NETWORKS = [
    value
    for value in map(vars(skeeg.networks).get, skeeg.networks.__all__)
    if isinstance(value, type) and issubclass(value, nn.Module)
]
SIZES = {"n_chans": 20, "n_times": 500, "n_features": 4, "n_bands": 3, "height": 9, "width": 9}
needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, ("g++", "clang++", "cl"))), reason="needs a C++ compiler"
)
each_network = pytest.mark.parametrize("network_class", NETWORKS)
precomputing = [c for c in NETWORKS if hasattr(c, "precompute_trials")]
each_form = pytest.mark.parametrize(
    ("network_class", "is_precomputed"),
    [(c, False) for c in NETWORKS] + [(c, True) for c in precomputing],
)
pytestmark = pytest.mark.filterwarnings("ignore")  # of torch, about its own compiler


@pytest.fixture(autouse=True)
def _compile_anew():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def build(network_class, **options):
    torch.manual_seed(0)
    if network_class is CCNN:  # which has millions of weights
        options |= {"n_filters": 4, "n_hidden": 16}
    names = [name for name in inspect.signature(network_class).parameters if name in SIZES]
    network = network_class(**{name: SIZES[name] for name in names}, n_outputs=2, **options)
    return network, torch.randn(6, *(SIZES[name] for name in names))


def without_chance(network_class):
    """Return arguments with which a network draws nothing in training."""
    names = inspect.signature(network_class).parameters
    return {name: 0.0 for name in names if name.endswith("dropout") or name == "jitter"}


def outcome(network, forward, x, known):
    """Return all that a training step and a prediction make, by name."""
    logits = forward(x, **known)
    (logits * torch.linspace(-1, 2, logits.numel()).view_as(logits)).sum().backward()
    found = {name: value.grad for name, value in network.named_parameters()}
    found |= {name: value.clone() for name, value in network.named_buffers()}
    network.eval()
    with torch.no_grad():
        return found | {"logits": logits.detach(), "predicted": forward(x)}


def assert_compiled_agrees(network_class, is_precomputed, backend):
    network, x = build(network_class, **without_chance(network_class))
    known = network.precompute_trials(x) if is_precomputed else {}
    twin = copy.deepcopy(network)
    expected = outcome(twin, twin, x, known)
    found = outcome(network, torch.compile(network, backend=backend), x, known)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-4, msg=name)


def assert_compiled_trains(network_class, backend):
    """Every parameter learns, and dropout drops others in the next pass."""
    network, x = build(network_class)
    compiled = torch.compile(network, backend=backend)
    logits = compiled(x)
    logits.square().sum().backward()
    for name, parameter in network.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
    draws = [layer for layer in network.modules() if isinstance(layer, nn.Dropout)]
    assert torch.equal(compiled(x), logits) == (not draws)


@pytest.mark.parametrize(
    ("network_class", "is_precomputed"), [(EEGNet, True), (ShallowConvNet, False)]
)
def test_a_traced_network_computes_the_same(network_class, is_precomputed):
    assert_compiled_agrees(network_class, is_precomputed, "aot_eager")


@pytest.mark.parametrize("network_class", [EEGNet, CNNLSTM])
def test_a_traced_network_trains_with_dropout(network_class):
    assert_compiled_trains(network_class, "aot_eager")


@pytest.mark.slow
@each_network
def test_every_traced_network_trains_with_dropout(network_class):
    assert_compiled_trains(network_class, "aot_eager")


@pytest.mark.slow
@each_form
def test_every_traced_network_takes_batches_of_any_size(network_class, is_precomputed):
    network, x = build(network_class, **without_chance(network_class))
    twin = copy.deepcopy(network)
    compiled = torch.compile(network, backend="aot_eager")
    for size in (6, 5, 4):
        known = network.precompute_trials(x[:size]) if is_precomputed else {}
        torch.testing.assert_close(compiled(x[:size], **known), twin(x[:size], **known))
    network.eval()
    twin.eval()
    for size in (6, 5, 1):
        torch.testing.assert_close(compiled(x[:size]), twin(x[:size]))


@pytest.mark.slow
@needs_compiler
@each_form
def test_every_compiled_network_computes_the_same(network_class, is_precomputed):
    assert_compiled_agrees(network_class, is_precomputed, "inductor")


@pytest.mark.slow
@needs_compiler
@pytest.mark.parametrize("network_class", [EEGNet, CNNLSTM])
def test_a_compiled_network_trains_with_dropout(network_class):
    assert_compiled_trains(network_class, "inductor")
