"""Random numbers of one thread, whatever other threads draw."""

from __future__ import annotations

import threading
import warnings

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skeeg.layers import Dropout, GumbelChannelSelection
from skeeg.layers._random import RandomFunctionsMode, current_generator, random_stream

X = torch.linspace(-2, 2, 240).reshape(5, 4, 12)
IMAGES = X.reshape(5, 4, 3, 4)


def initialised(module, *args, **kwargs):
    return lambda: list(module(*args, **kwargs).state_dict().values())


def filled(init, *args):
    return lambda: init(torch.empty(4, 6), *args)


def in_place(function, *args):
    return lambda: function(X.clone(), *args)


DRAWS = {
    "rand": lambda: torch.rand(3, 2),
    "rand of keywords": lambda: torch.rand(size=(3,), dtype=torch.float64),
    "randn": lambda: torch.randn((3, 2)),
    "randint": lambda: torch.randint(3, 9, (50,)),
    "randperm": lambda: torch.randperm(50),
    "normal": lambda: torch.normal(X, 2.0),
    "normal of numbers": lambda: torch.normal(1.0, 2.0, (3,)),
    "bernoulli": lambda: torch.bernoulli(X.sigmoid()),
    "multinomial": lambda: torch.multinomial(X[0].abs(), 3),
    "poisson": lambda: torch.poisson(X.abs()),
    "binomial": lambda: torch.binomial(X.abs().ceil(), X.sigmoid()),
    "rand_like": lambda: torch.rand_like(X),
    "rand_like of keywords": lambda: torch.rand_like(X, dtype=torch.float64, requires_grad=True),
    "rand_like of memory": lambda: torch.rand_like(IMAGES.to(memory_format=torch.channels_last)),
    "randn_like": lambda: torch.randn_like(X),
    "randint_like": lambda: torch.randint_like(X, 7),
    "randint_like of a range": lambda: torch.randint_like(X, 3, high=7, dtype=torch.int64),
    "uniform_": in_place(torch.Tensor.uniform_, -1, 3),
    "normal_": in_place(torch.Tensor.normal_),
    "random_": in_place(torch.Tensor.random_, 3, 9),
    "bernoulli_": in_place(torch.Tensor.bernoulli_, 0.3),
    "exponential_": in_place(torch.Tensor.exponential_),
    "log_normal_": in_place(torch.Tensor.log_normal_),
    "cauchy_": in_place(torch.Tensor.cauchy_),
    "geometric_": in_place(torch.Tensor.geometric_, 0.3),
    "Tensor.multinomial": lambda: X[0].abs().multinomial(2),
    "Tensor.bernoulli": lambda: X.sigmoid().bernoulli(),
    "Linear": initialised(nn.Linear, 3, 4),
    "Conv2d": initialised(nn.Conv2d, 3, 4, 5),
    "ConvTranspose1d": initialised(nn.ConvTranspose1d, 3, 4, 5),
    "Bilinear": initialised(nn.Bilinear, 3, 4, 5),
    "LSTM": initialised(nn.LSTM, 3, 4, num_layers=2, proj_size=2),
    "GRU": initialised(nn.GRU, 3, 4, bidirectional=True),
    "GRUCell": initialised(nn.GRUCell, 3, 4),
    "Embedding": initialised(nn.Embedding, 3, 4),
    "BatchNorm2d": initialised(nn.BatchNorm2d, 3),
    "MultiheadAttention": initialised(nn.MultiheadAttention, 4, 2, kdim=3),
    "TransformerEncoderLayer": initialised(nn.TransformerEncoderLayer, 4, 2, 8),
    "GumbelChannelSelection": initialised(GumbelChannelSelection, 6, 2),
    "init.uniform_": filled(nn.init.uniform_, -1, 2),
    "init.normal_": filled(nn.init.normal_),
    "init.trunc_normal_": filled(nn.init.trunc_normal_),
    "init.xavier_uniform_": filled(nn.init.xavier_uniform_),
    "init.xavier_normal_": filled(nn.init.xavier_normal_),
    "init.kaiming_uniform_": filled(nn.init.kaiming_uniform_),
    "init.kaiming_normal_": filled(nn.init.kaiming_normal_),
    "init.orthogonal_": filled(nn.init.orthogonal_),
    "init.sparse_": filled(nn.init.sparse_, 0.5),
    "distributions": lambda: [
        torch.distributions.Normal(0.0, 1.0).sample((9,)),
        torch.distributions.Gamma(2.0, 1.0).sample((9,)),
        torch.distributions.Dirichlet(torch.ones(3)).sample((9,)),
        torch.distributions.Categorical(torch.ones(3)).sample((9,)),
    ],
    "dropout": lambda: F.dropout(X, 0.3),
    "dropout in place": lambda: F.dropout(X.clone(), 0.3, inplace=True),
    "dropout1d": lambda: F.dropout1d(X),
    "dropout1d of one trial": lambda: F.dropout1d(X[0]),
    "dropout2d": lambda: F.dropout2d(IMAGES),
    "dropout3d": lambda: F.dropout3d(IMAGES[None], inplace=False),
    "alpha_dropout": lambda: F.alpha_dropout(X, 0.3, training=True),
    "alpha_dropout in place": lambda: F.alpha_dropout(X.clone(), 0.3, True, inplace=True),
    "feature_alpha_dropout": lambda: F.feature_alpha_dropout(X, 0.3, training=True),
    "torch.dropout": lambda: torch.dropout(X, 0.3, True),
    "Dropout": lambda: nn.Dropout(0.4)(X),
    "Dropout of layers": lambda: Dropout(0.4)(X),
    "Dropout of layers, half precision": lambda: Dropout(0.4)(X.bfloat16()),
    "Dropout of layers, in place": lambda: Dropout(0.4, inplace=True)(X.clone()),
    "AlphaDropout": lambda: nn.AlphaDropout(0.4)(X),
    "RReLU": lambda: nn.RReLU()(X),
    "RReLU in place": lambda: nn.RReLU(inplace=True)(X.clone()),
    "gumbel_softmax": lambda: F.gumbel_softmax(X),
    "FractionalMaxPool2d": lambda: nn.FractionalMaxPool2d(2, output_size=2)(IMAGES),
    "FractionalMaxPool2d with indices": lambda: nn.FractionalMaxPool2d(
        2, output_size=2, return_indices=True
    )(IMAGES[0]),
    "FractionalMaxPool3d": lambda: nn.FractionalMaxPool3d(1, output_size=2)(IMAGES[None]),
    "Gumbel noise": lambda: GumbelChannelSelection(4, 2)(X),
    "attention": lambda: nn.MultiheadAttention(12, 3, dropout=0.3)(X, X, X, need_weights=False)[0],
    "attention with weights": lambda: nn.MultiheadAttention(12, 3, dropout=0.3)(X, X, X),
    "recurrent dropout": lambda: nn.LSTM(12, 3, 3, dropout=0.3, bidirectional=True)(X),
}


def flat(values):
    if isinstance(values, torch.Tensor):
        return [values]
    return [tensor for value in values for tensor in flat(value)]


def drawn(function, seed=3):
    with random_stream(seed), RandomFunctionsMode():
        return flat(function())


@pytest.mark.parametrize("name", DRAWS)
def test_a_stream_draws_what_torch_draws_after_its_seed(name):
    with torch.random.fork_rng([]):
        torch.manual_seed(3)
        expected = flat(DRAWS[name]())
        expected += [torch.rand(1)]  # so as many numbers were drawn
        before = torch.get_rng_state()
        found = drawn(lambda: [DRAWS[name](), torch.rand(1)])
        assert torch.equal(torch.get_rng_state(), before)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == theirs.dtype
        assert ours.stride() == theirs.stride()
        assert ours.requires_grad == theirs.requires_grad
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["Linear", "dropout", "rand_like", "attention", "dropout2d"])
def test_without_a_stream_the_mode_changes_nothing(name):
    with torch.random.fork_rng([]):
        torch.manual_seed(3)
        expected = flat(DRAWS[name]())
        torch.manual_seed(3)
        with RandomFunctionsMode():
            found = flat(DRAWS[name]())
    assert all(map(torch.equal, found, expected))


def network():
    return nn.Sequential(
        nn.Conv1d(4, 8, 3), Dropout(0.3), nn.Dropout(0.3), nn.Dropout1d(0.3), nn.Linear(10, 2)
    )


def test_threads_with_equal_seeds_agree_whatever_else_draws():
    results, stop = {}, threading.Event()
    turns = threading.Barrier(2)

    def fit(name):
        with random_stream(5), RandomFunctionsMode():
            net = network()
            outputs = []
            for _ in range(20):
                turns.wait(30)
                outputs.append(net(X))
        results[name] = [*net.parameters(), *outputs]

    def draw():
        while not stop.is_set():
            torch.rand(10)

    others = threading.Thread(target=draw)
    fits = [threading.Thread(target=fit, args=(name,)) for name in "ab"]
    for thread in (others, *fits):
        thread.start()
    for thread in fits:
        thread.join()
    stop.set()
    others.join()
    turns = threading.Barrier(1)
    with torch.random.fork_rng([]):
        torch.manual_seed(1)
        fit("alone")
    alone = results.pop("alone")
    assert set(results) == {"a", "b"}
    for found in results.values():
        assert all(map(torch.equal, found, alone))


def test_a_stream_belongs_to_its_thread():
    found = []
    with random_stream(0):
        thread = threading.Thread(target=lambda: found.append(current_generator()))
        thread.start()
        thread.join()
        assert current_generator() is not None
    assert found == [None]
    assert current_generator() is None


def test_streams_nest():
    with torch.random.fork_rng([]):
        torch.manual_seed(1)
        outer = torch.rand(6)
        torch.manual_seed(2)
        inner = torch.rand(3)
    mode = RandomFunctionsMode()
    with mode, random_stream(1):
        first = torch.rand(3)
        with random_stream(2), mode:
            assert torch.equal(torch.rand(3), inner)
        assert torch.equal(torch.cat([first, torch.rand(3)]), outer)


def test_a_stream_ends_with_an_error():
    with pytest.raises(KeyError), random_stream(1):
        raise KeyError
    assert current_generator() is None


def test_a_given_generator_is_used():
    def generator():
        return torch.Generator().manual_seed(9)

    expected = torch.rand(3, generator=generator())
    assert torch.equal(drawn(lambda: torch.rand(3, generator=generator()))[0], expected)
    expected = torch.poisson(X.abs(), generator())
    assert torch.equal(drawn(lambda: torch.poisson(X.abs(), generator()))[0], expected)
    expected = torch.empty(3).normal_(generator=generator())
    assert torch.equal(drawn(lambda: torch.empty(3).normal_(generator=generator()))[0], expected)


def test_parameters_of_the_meta_device_stay_there():
    (weight, _) = drawn(initialised(nn.Linear, 3, 4, device="meta"))
    assert weight.device.type == "meta"


def test_the_default_device_decides_where_to_draw():
    torch.set_default_device("meta")
    try:
        (found,) = drawn(lambda: torch.rand(3))
    finally:
        torch.set_default_device(None)
    assert found.device.type == "meta"


@pytest.mark.parametrize("drop", [Dropout, nn.Dropout, nn.Dropout1d])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("inplace", [False, True])
def test_share_and_scale_of_masks(drop, p, inplace):
    x = torch.ones(400, 250, 1)
    (found,) = drawn(lambda: drop(p, inplace=inplace)(x))
    assert (found is x) == inplace
    share = (found == 0).double().mean()
    assert abs(share - p) < 5 * (p * (1 - p) / found.numel()) ** 0.5  # five standard errors
    torch.testing.assert_close(found[found != 0], torch.full_like(found[found != 0], 1 / (1 - p)))


def test_alpha_dropout_keeps_mean_and_variance():
    x = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    (found,) = drawn(lambda: nn.AlphaDropout(0.4)(x))
    assert abs(found.mean()) < 0.02
    assert abs(found.std() - 1) < 0.02


@pytest.mark.parametrize("layer", [Dropout, nn.Dropout])
@pytest.mark.parametrize("p", [0.0, 1.0])
def test_ends_of_the_scale(layer, p):
    assert torch.equal(drawn(lambda: layer(p)(X))[0], X * (1 - p) + 0.0)
    assert drawn(lambda: layer(0.5)(X[:0]))[0].shape == (0, 4, 12)


def test_evaluation_draws_nothing():
    (out, _) = drawn(lambda: [network().eval()[1:4](X), torch.rand(1)])
    assert torch.equal(out, X)


@settings(max_examples=20, deadline=None)
@given(
    kind=st.sampled_from([nn.RNN, nn.LSTM, nn.GRU]),
    n_layers=st.integers(1, 4),
    bidirectional=st.booleans(),
    bias=st.booleans(),
    batch_first=st.booleans(),
    packed=st.booleans(),
    batch=st.integers(1, 3),
    state=st.booleans(),
)
def test_recurrent_layers_run_one_by_one_are_those_run_at_once(
    kind, n_layers, bidirectional, bias, batch_first, packed, batch, state
):
    """With next to no dropout, against torch's with none."""
    layers = []
    for p in (0.0, 1e-9):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that dropout needs two layers
            options = {"bias": bias, "batch_first": batch_first, "bidirectional": bidirectional}
            layers.append(kind(3, 4, n_layers, dropout=p, **options))
    layers[1].load_state_dict(layers[0].state_dict())
    x = torch.randn(batch, 5, 3) if batch_first else torch.randn(5, batch, 3)
    if packed:
        x = nn.utils.rnn.pack_padded_sequence(
            x, [5, 4, 2][:batch], batch_first=batch_first, enforce_sorted=True
        )
    first = None
    if state:
        first = torch.randn(n_layers * (1 + bidirectional), batch, 4)
        first = (first, first * 2) if kind is nn.LSTM else first
    expected = layers[0](x, first)
    with random_stream(0), RandomFunctionsMode():
        found = layers[1](x, first)
    for ours, theirs in zip(_tensors(found), _tensors(expected), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def _tensors(found):
    states, last = found
    states = states.data if isinstance(states, nn.utils.rnn.PackedSequence) else states
    return flat([states, last])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"scale": 0.3},
        {"is_causal": True},
        {"attn_mask": torch.tensor([[True, False, True], [False] * 3, [True] * 3])},
        {"attn_mask": torch.tensor([[0.0, -1.0, 2.0]] * 3)},
        {"enable_gqa": True},
    ],
)
def test_attention_with_next_to_no_dropout_is_torchs(options):
    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(2, 4, 3, 8, generator=generator) for _ in range(3))
    if "enable_gqa" in options:
        key, value = key[:, :2], value[:, :2]
    expected = F.scaled_dot_product_attention(query, key, value, **options)
    (found,) = drawn(
        lambda: F.scaled_dot_product_attention(query, key, value, dropout_p=1e-9, **options)
    )
    torch.testing.assert_close(found, expected)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", DRAWS)
def test_cuda_draws_from_the_stream(name, monkeypatch):
    """Two equal streams draw alike, and leave the global generators of both devices alone."""
    for inputs in ("X", "IMAGES"):
        monkeypatch.setitem(globals(), inputs, globals()[inputs].cuda())

    def draw():
        with random_stream(3, "cuda"), RandomFunctionsMode(), torch.device("cuda"):
            return flat(DRAWS[name]())

    before = torch.get_rng_state(), torch.cuda.get_rng_state()
    first = draw()
    torch.rand(5, device="cuda")
    middle = torch.cuda.get_rng_state()
    second = draw()
    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.equal(torch.cuda.get_rng_state(), middle)
    assert all(map(torch.equal, first, second))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(
    "layer",
    [Dropout(0.3), nn.Dropout(0.3), nn.Dropout1d(0.3), nn.AlphaDropout(0.3), nn.RReLU()],
)
def test_masks_on_cuda_come_from_the_stream(layer):
    x = torch.ones(5, 40, 12, device="cuda")

    def draw(seed):
        with random_stream(seed, "cuda"), RandomFunctionsMode():
            return layer.train()(x if not isinstance(layer, nn.RReLU) else -x)

    before = torch.cuda.get_rng_state()
    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))
    assert torch.equal(torch.cuda.get_rng_state(), before)
