"""What every network in (batch, n_chans, n_times) form does alike."""

import copy
import inspect
import pickle
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from skeeg.networks import DeepConvNet, EEGNet, ShallowConvNet

VARIANTS = {
    EEGNet: ("lawhern", "lab"),
    DeepConvNet: ("schirrmeister", "lawhern", "lab"),
    ShallowConvNet: ("schirrmeister", "lawhern"),
}
each_network = pytest.mark.parametrize("network_class", VARIANTS)
each_variant = pytest.mark.parametrize(
    ("network_class", "variant"), [(c, v) for c, variants in VARIANTS.items() for v in variants]
)


@each_variant
def test_logits_come_out_of_trials(network_class, variant):
    network = network_class(3, 500, 4, variant=variant)
    logits = network(torch.randn(5, 3, 500))
    assert logits.shape == (5, 4)
    assert (logits < 0).any()  # so there is neither a softmax
    assert (logits.exp().sum(1) - 1).abs().max() > 1e-3  # nor a log-softmax at the end
    assert (network.n_chans, network.n_times, network.n_outputs) == (3, 500, 4)


@each_variant
@pytest.mark.parametrize("n_times", [1, 2, 7])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_one_channel_and_windows_down_to_one_sample(network_class, variant, n_times):
    network = network_class(1, n_times, 2, variant=variant)
    assert torch.isfinite(network(torch.randn(4, 1, n_times))).all()
    assert network.eval()(torch.randn(1, 1, n_times)).shape == (1, 2)


@each_network
def test_a_clipping_warning_points_at_the_caller(network_class):
    with pytest.warns(UserWarning, match="only 1 sample long") as record:
        network_class(1, 1, 2)
    assert {warning.filename for warning in record} == {__file__}


@each_variant
def test_an_ordinary_window_warns_of_nothing(network_class, variant):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network_class(3, 500, 2, variant=variant)(torch.randn(2, 3, 500))


@each_variant
def test_trials_are_independent_in_evaluation(network_class, variant):
    network = network_class(3, 500, 2, variant=variant).double().eval()
    x = torch.randn(3, 3, 500, dtype=torch.float64)
    alone = torch.cat([network(trial[None]) for trial in x])
    torch.testing.assert_close(network(x), alone, rtol=1e-10, atol=1e-12)


@each_variant
def test_dropout_acts_in_training_only(network_class, variant):
    torch.manual_seed(0)
    network = network_class(3, 500, 2, variant=variant)
    x = torch.randn(4, 3, 500)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


@each_variant
def test_pickles_and_copies_compute_the_same(network_class, variant):
    network = network_class(3, 500, 2, variant=variant)
    network(torch.randn(4, 3, 500))  # fitted networks have left their first state
    network.eval()
    x = torch.randn(4, 3, 500)
    assert torch.equal(pickle.loads(pickle.dumps(network))(x), network(x))
    assert torch.equal(copy.deepcopy(network)(x), network(x))


@each_network
def test_export_traces_the_whole_network(network_class):
    network = network_class(2, 500, 2).eval()
    x = torch.randn(3, 2, 500)
    exported = torch.export.export(network, (x,)).module()
    torch.testing.assert_close(exported(x), network(x))


@each_network
def test_the_seed_decides_the_first_weights(network_class):
    states = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        states.append(network_class(2, 500, 2).filters.temporal.weight)
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


@pytest.mark.parametrize(
    ("network_class", "front"),
    [
        (EEGNet, ["temporal", "norm", "spatial"]),
        (DeepConvNet, ["temporal", "spatial"]),
        (ShallowConvNet, ["temporal", "spatial"]),
    ],
)
def test_the_linear_front_end_comes_first(network_class, front):
    network = network_class(2, 500, 2)
    assert next(network.named_children())[0] == "filters"
    assert [name for name, _ in network.filters.named_children()] == front


@each_network
@pytest.mark.parametrize("name", ["n_chans", "n_times", "n_outputs"])
@pytest.mark.parametrize("value", [0, -1, 2.0, True, "3", None])
def test_sizes_must_be_positive_integers(network_class, name, value):
    sizes = {"n_chans": 2, "n_times": 500, "n_outputs": 2, name: value}
    with pytest.raises(ValueError, match=f"{name} must be an integer of at least 1; got {value!r}"):
        network_class(**sizes)


INTEGER_PARAMETERS = [
    (network_class, name)
    for network_class in VARIANTS
    for name in inspect.signature(network_class).parameters
    if name.endswith(("_filters", "_length", "_stride", "_multiplier"))
]


@pytest.mark.parametrize(("network_class", "name"), INTEGER_PARAMETERS)
@pytest.mark.parametrize("value", [0, -3, 1.5, False, "8"])
def test_counts_and_lengths_must_be_positive_integers(network_class, name, value):
    with pytest.raises(ValueError, match=f"{name} must be an integer of at least 1; got"):
        network_class(2, 500, 2, **{name: value})


@each_network
def test_numpy_integers_are_integers(network_class):
    network = network_class(np.int64(2), np.int32(500), np.uint8(2))
    assert [type(n) for n in (network.n_chans, network.n_times, network.n_outputs)] == [int] * 3


@each_network
@pytest.mark.parametrize("value", [-0.1, 1.0, 1, float("nan"), "0.5", True, None])
def test_dropout_must_lie_below_one(network_class, value):
    with pytest.raises(ValueError, match="dropout must be a finite number at least 0 and below 1"):
        network_class(2, 500, 2, dropout=value)


@each_network
def test_an_unknown_variant_is_answered_with_the_known_ones(network_class):
    with pytest.raises(ValueError, match="variant must be one of") as error:
        network_class(2, 500, 2, variant="lawern")
    assert "Did you mean 'lawhern'?" in str(error.value)
    assert all(repr(name) in str(error.value) for name in VARIANTS[network_class])


@each_network
def test_activation_and_alpha_reach_every_activation(network_class):
    network = network_class(2, 500, 2, activation="elu", alpha=0.2)
    alphas = [layer.alpha for layer in network.modules() if isinstance(layer, nn.ELU)]
    assert alphas == [0.2] * {EEGNet: 2, DeepConvNet: 4, ShallowConvNet: 1}[network_class]


@each_network
def test_hyperparameters_are_keyword_only(network_class):
    with pytest.raises(TypeError):
        network_class(2, 500, 2, 8)
