import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skeeg.layers import ACTIVATIONS
from skeeg.networks import CNNGRU, CNNLSTM

from ..recurrences import run_gru, run_lstm

X = np.random.default_rng(7).standard_normal((3, 2, 19))
each_network = pytest.mark.parametrize("network_class", [CNNLSTM, CNNGRU])
each_head = pytest.mark.parametrize("head", ["last", "flatten"])


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("n_chans", "lstm", "gru"),
    [
        (1, 486916, 378820),
        (10, 490372, 382276),
        (14, 491908, 383812),
        (32, 498820, 390724),
    ],
)
def test_published_counts_with_the_last_step(n_chans, lstm, gru):
    for n_times in (128, 300):
        assert count(CNNLSTM(n_chans, n_times, 4)) == lstm
        assert count(CNNGRU(n_chans, n_times, 4)) == gru


@settings(max_examples=25, deadline=None)
@given(
    c=st.integers(1, 5),
    t=st.integers(16, 60),
    n=st.integers(1, 5),
    f=st.integers(1, 6),
    k=st.integers(1, 4),
    p=st.integers(1, 3),
    u1=st.integers(1, 6),
    u2=st.integers(1, 6),
    d=st.integers(1, 6),
    flatten=st.booleans(),
    lstm=st.booleans(),
)
def test_count_follows_its_closed_form(c, t, n, f, k, p, u1, u2, d, flatten, lstm):
    network = (CNNLSTM if lstm else CNNGRU)(
        c,
        t,
        n,
        n_filters=f,
        kernel_length=k,
        pool_length=p,
        n_first_units=u1,
        n_second_units=u2,
        n_hidden=d,
        head="flatten" if flatten else "last",
    )
    convolved_twice = (t - k + 1) // p - k + 1
    t2 = convolved_twice // min(p, convolved_twice)  # a pool is clipped to what is left
    gates = 4 if lstm else 3
    convs = f * (c * k + 1) + f * (f * k + 1)
    recurrent = gates * (u1 * (f + u1 + 2) + u2 * (u1 + u2 + 2))
    dense = d * (u2 * (t2 if flatten else 1) + 1) + n * (d + 1)
    assert count(network) == convs + recurrent + dense


def reference_chain(np_layers, network_class, head):
    """The network in NumPy, from its parameters and an input to the outputs of its layers."""
    run = run_lstm if network_class is CNNLSTM else run_gru

    def recur(state, name, x):
        kinds = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        return run(x, *(state[f"{name}.{kind}"] for kind in kinds))

    def chain(state, x):
        y = {}
        for block in ("block1", "block2"):
            weight, bias = state[f"{block}.conv.weight"], state[f"{block}.conv.bias"]
            x = np_layers.convolve(x[:, :, None], weight[:, :, None], bias)
            y[f"{block}.conv"] = x[:, :, 0]
            y[f"{block}.pool"] = np_layers.pool(x, np.max, 2)[:, :, 0]
            # In the paper's order; ReLU never falls, so that the network may pool first.
            x = np_layers.pool(np.maximum(x, 0), np.max, 2)[:, :, 0]
            y[f"{block}.activation"] = y[f"{block}.dropout"] = x
        x = y["first_recurrent"] = recur(state, "first_recurrent", x.transpose(0, 2, 1))
        y["first_dropout"] = x
        x = y["second_recurrent"] = recur(state, "second_recurrent", x)
        x = x[:, -1] if head == "last" else x.reshape(len(x), -1)
        y["second_dropout"] = x
        x = np_layers.dense(x, state["hidden.dense.weight"], state["hidden.dense.bias"])
        y["hidden.dense"] = x
        x = y["hidden.activation"] = np.maximum(x, 0)
        y["dense"] = np_layers.dense(x, state["dense.weight"], state["dense.bias"])
        return y

    return chain


def small_network(reference, network_class, head):
    units = {"n_filters": 3, "n_first_units": 3, "n_second_units": 2, "n_hidden": 4}
    return reference.randomise(network_class(2, 19, 2, dropout=0, head=head, **units))


@each_network
@each_head
def test_each_layer_equals_its_numpy_form(reference, network_class, head):
    network = small_network(reference, network_class, head)
    reference.assert_layers_agree(network, reference_chain(reference, network_class, head), X)


@each_network
@each_head
def test_gradients_equal_differences_of_the_numpy_form(reference, network_class, head):
    network = small_network(reference, network_class, head)
    reference.assert_gradients_agree(network, reference_chain(reference, network_class, head), X)


@each_network
def test_the_last_step_has_seen_the_first_sample(network_class):
    network = network_class(1, 60, 2).double().eval()
    x = torch.randn(1, 1, 60, dtype=torch.float64, requires_grad=True)
    network(x)[0, 0].backward()
    assert (x.grad[0, 0, :3] != 0).any()


@each_network
def test_a_short_window_clips_what_does_not_fit_and_names_it(network_class):
    with pytest.warns(UserWarning, match=network_class.__name__) as record:
        network = network_class(3, 7, 2)
    layers = [f"{network_class.__name__}.{layer}" for layer in ("block2.conv", "block2.pool")]
    assert [str(warning.message).split()[0] for warning in record] == layers
    assert network.block2.conv.kernel_size == (2,)
    assert network.block2.pool.kernel_size == 1


@each_network
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_any_activation_of_the_table(network_class, name):
    network = network_class(2, 30, 2, activation=name)
    assert torch.isfinite(network(torch.randn(3, 2, 30))).all()
