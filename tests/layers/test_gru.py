"""The gated recurrent layer, against torch's and against its recursion in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skeeg.layers import GRU

from ..recurrences import run_gru


def pair(*args, **kwargs):
    """Return torch's layer and ours, of the same weights."""
    torch.manual_seed(0)
    theirs, ours = nn.GRU(*args, **kwargs), GRU(*args, **kwargs)
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def assert_alike(layers, x, hx=None):
    results = []
    for layer in layers:
        states, last = layer(x, hx)
        loss = (states * torch.linspace(-1, 2, states.shape[-1], dtype=x.dtype)).sum()
        wanted = [x, *layer.parameters()]
        results.append([states, last, *torch.autograd.grad(loss + last.square().sum(), wanted)])
    for theirs, ours in zip(*results, strict=True):
        assert ours.shape == theirs.shape
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(
    batch=st.integers(1, 6),
    n_steps=st.integers(1, 20),
    n_inputs=st.integers(1, 6),
    n_units=st.integers(1, 9),
    batch_first=st.booleans(),
)
def test_states_and_gradients_are_torchs(batch, n_steps, n_inputs, n_units, batch_first):
    shape = (batch, n_steps) if batch_first else (n_steps, batch)
    x = torch.randn(*shape, n_inputs, requires_grad=True)
    assert_alike(pair(n_inputs, n_units, batch_first=batch_first), x)


def test_states_follow_their_recursion():
    torch.manual_seed(0)
    layer, x = GRU(3, 4, batch_first=True), torch.randn(2, 6, 3)
    parameters = [p.detach().numpy().astype(float) for p in layer.parameters()]
    expected = run_gru(x.numpy(), *parameters)
    states, last = layer(x)
    np.testing.assert_allclose(states.detach().numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(last[0].detach().numpy(), expected[:, -1], atol=1e-6)


@pytest.mark.parametrize(
    "kwargs", [{"num_layers": 2}, {"bidirectional": True}, {"bias": False}, {"dtype": torch.double}]
)
def test_other_forms_are_torchs(kwargs):
    x = torch.randn(5, 3, 2, dtype=kwargs.get("dtype"), requires_grad=True)
    assert_alike(pair(2, 4, **kwargs), x)


def test_an_initial_state_or_a_single_trial_is_torchs():
    layers = pair(2, 4)
    assert_alike(layers, torch.randn(5, 3, 2, requires_grad=True), torch.randn(1, 3, 4))
    assert_alike(layers, torch.randn(5, 2, requires_grad=True))


def test_packed_sequences_are_torchs():
    theirs, ours = pair(2, 4)
    packed = nn.utils.rnn.pack_sequence([torch.randn(5, 2), torch.randn(3, 2)])
    torch.testing.assert_close(ours(packed)[0].data, theirs(packed)[0].data)


def test_prediction_keeps_nothing_for_a_gradient():
    theirs, ours = pair(2, 4)
    x = torch.randn(5, 3, 2)
    with torch.no_grad():
        states, _ = ours(x)
    assert not states.requires_grad
    torch.testing.assert_close(states, theirs(x)[0])


def test_a_gradient_of_a_gradient_says_that_there_is_none():
    x = torch.randn(5, 3, 2, requires_grad=True)
    with pytest.raises(RuntimeError, match="convert the network to double precision"):
        torch.autograd.grad(GRU(2, 4)(x)[0].sum(), x, create_graph=True)


@pytest.mark.filterwarnings("ignore")
def test_compiled_and_exported_layers_agree():
    _, ours = pair(2, 4)
    x = torch.randn(5, 3, 2)
    torch.testing.assert_close(torch.compile(ours, backend="aot_eager")(x)[0], ours(x)[0])
    torch.testing.assert_close(torch.export.export(ours, (x,)).module()(x)[0], ours(x)[0])
