"""What all networks do alike, those of recorded trials and those of topographic maps."""

import copy
import inspect
import pickle
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from skeeg.networks import (
    CCNN,
    CNNGRU,
    CNNLSTM,
    MSFBCNN,
    DeepConvNet,
    EEGNet,
    EEGNeX,
    InceptionResNet,
    LeNet,
    MixNet,
    PointCNN,
    ShallowConvNet,
)

CHOICES = {
    EEGNet: ("variant", ["lawhern", "lab"]),
    EEGNeX: ("variant", ["paper", "released"]),
    DeepConvNet: ("variant", ["schirrmeister", "lawhern", "lab"]),
    ShallowConvNet: ("variant", ["schirrmeister", "lawhern"]),
    MSFBCNN: ("variant", ["wu", "strypsteen"]),
    MixNet: ("split", ["equal", "exponential"]),
    InceptionResNet: ("attention_axis", ["maps", "electrodes", "map-electrode"]),
    CNNLSTM: ("head", ["last", "flatten"]),
    CNNGRU: ("head", ["last", "flatten"]),
    CCNN: ("variant", ["paper", "released"]),
    LeNet: ("variant", ["simple", "1998"]),
    PointCNN: ("activation", ["elu", "selu"]),
}
OF_MAPS = (CCNN, LeNet)
each_network = pytest.mark.parametrize("network_class", CHOICES)
each_form = pytest.mark.parametrize(
    ("network_class", "form"),
    [(c, {name: value}) for c, (name, values) in CHOICES.items() for value in values],
)


def trial_shape(network_class):
    if network_class is PointCNN:
        return (20, 4)
    return (3, 9, 9) if network_class in OF_MAPS else (3, 500)


def sizes(network_class):
    names = ("n_bands", "height", "width") if network_class in OF_MAPS else ("n_chans", "n_times")
    if network_class is PointCNN:
        names = ("n_chans", "n_features")
    return dict(zip(names, trial_shape(network_class), strict=True)) | {"n_outputs": 2}


def build(network_class, form, shape=None, n_outputs=2):
    if network_class is CCNN:  # which has millions of weights
        form = {"n_filters": 4, "n_hidden": 16, **form}
    return network_class(*(shape or trial_shape(network_class)), n_outputs, **form)


def trials(network_class, n_trials, **options):
    return torch.randn(n_trials, *trial_shape(network_class), **options)


@each_form
def test_logits_come_out_of_trials(network_class, form):
    torch.manual_seed(3)
    network = build(network_class, form, n_outputs=4)
    logits = network(trials(network_class, 5))
    assert logits.shape == (5, 4)
    assert (logits < 0).any()  # so there is neither a softmax
    assert (logits.exp().sum(1) - 1).abs().max() > 1e-3  # nor a log-softmax at the end
    for name, size in sizes(network_class).items():
        assert getattr(network, name) == (4 if name == "n_outputs" else size)


@each_form
@pytest.mark.parametrize("size", [1, 2, 7])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_one_channel_and_windows_down_to_one_sample(network_class, form, size):
    for shape in [(1, 1, size), (1, size, 1)] if network_class in OF_MAPS else [(1, size)]:
        network = build(network_class, form, shape)
        assert torch.isfinite(network(torch.randn(4, *shape))).all()
        assert network.eval()(torch.randn(1, *shape)).shape == (1, 2)


@pytest.mark.parametrize(
    "network_class", [c for c in CHOICES if c is not CCNN]
)  # which has nothing to clip
def test_a_clipping_warning_points_at_the_caller(network_class):
    shape, unit = ((1, 1, 1), "(row|column)") if network_class is LeNet else ((1, 1), "sample")
    if network_class is PointCNN:
        unit = "electrode"
    with pytest.warns(UserWarning, match=f"only 1 {unit} long") as record:
        network_class(*shape, 2)
    assert {warning.filename for warning in record} == {__file__}


@each_form
def test_an_ordinary_trial_warns_of_nothing(network_class, form):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build(network_class, form)(trials(network_class, 2))


@each_form
def test_trials_are_independent_in_evaluation(network_class, form):
    network = build(network_class, form).double().eval()
    x = trials(network_class, 3, dtype=torch.float64)
    alone = torch.cat([network(trial[None]) for trial in x])
    torch.testing.assert_close(network(x), alone, rtol=1e-10, atol=1e-12)


@each_form
def test_dropout_acts_in_training_only(network_class, form):
    torch.manual_seed(0)
    network = build(network_class, form)
    x = trials(network_class, 4)
    assert torch.equal(network(x), network(x)) == (network_class is LeNet)  # which has none
    network.eval()
    assert torch.equal(network(x), network(x))


@each_form
def test_pickles_and_copies_compute_the_same(network_class, form):
    network = build(network_class, form)
    x = trials(network_class, 4)
    network(x)  # fitted networks have left their first state
    network.eval()
    assert torch.equal(pickle.loads(pickle.dumps(network))(x), network(x))
    assert torch.equal(copy.deepcopy(network)(x), network(x))


@each_network
def test_export_traces_the_whole_network(network_class):
    network = build(network_class, {}).eval()
    x = trials(network_class, 3)
    exported = torch.export.export(network, (x,)).module()
    torch.testing.assert_close(exported(x), network(x))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@each_form
def test_a_step_on_cuda_is_that_on_the_cpu(network_class, form):
    torch.manual_seed(0)
    there = build(network_class, form).double()
    for layer in there.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    here = copy.deepcopy(there).cuda()
    x = trials(network_class, 6, dtype=torch.float64)
    weights = torch.randn(6, 2, dtype=torch.float64)
    outcomes = []
    for network in (here, there):
        device = next(network.parameters()).device
        given = x.to(device).requires_grad_()
        torch.manual_seed(1)  # PointCNN draws electrodes, on the CPU in any case
        logits = network(given)
        (logits * weights.to(device)).sum().backward()
        gradients = {name: value.grad for name, value in network.named_parameters()}
        outcome = {
            "logits": logits,
            "input": given.grad,
            **gradients,
            **dict(network.named_buffers()),
        }
        outcome["evaluated"] = network.eval()(given)
        outcomes.append({name: value.detach().cpu() for name, value in outcome.items()})
    for name, expected in outcomes[1].items():
        torch.testing.assert_close(outcomes[0][name], expected, rtol=1e-8, atol=1e-9, msg=name)


@each_network
def test_the_seed_decides_the_first_weights(network_class):
    states = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        states.append(next(build(network_class, {}).parameters()))
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


@pytest.mark.parametrize(
    ("network_class", "front"),
    [
        (EEGNet, ["temporal", "norm", "spatial"]),
        (DeepConvNet, ["temporal", "spatial"]),
        (ShallowConvNet, ["temporal", "spatial"]),
        (MSFBCNN, ["temporal", "norm", "spatial"]),
        (MixNet, ["temporal", "norm", "spatial"]),
        (InceptionResNet, ["temporal", "norm", "spatial"]),
    ],
)
def test_the_linear_front_end_comes_first(network_class, front):
    network = network_class(2, 500, 2)
    assert next(network.named_children())[0] == "filters"
    assert [name for name, _ in network.filters.named_children()] == front


SIZES = [(network_class, name) for network_class in CHOICES for name in sizes(network_class)]


@pytest.mark.parametrize(("network_class", "name"), SIZES)
@pytest.mark.parametrize("value", [0, -1, 2.0, True, "3", None])
def test_sizes_must_be_positive_integers(network_class, name, value):
    with pytest.raises(ValueError, match=f"{name} must be an integer of at least 1; got {value!r}"):
        network_class(**sizes(network_class) | {name: value})


COUNTS = ("_filters", "_length", "_stride", "_multiplier", "_units", "_hidden", "_to")
COUNTS += ("_points", "_neighbors", "_embedded", "dilation")
INTEGER_PARAMETERS = [
    (network_class, name)
    for network_class in CHOICES
    for name in inspect.signature(network_class).parameters
    if name.endswith(COUNTS)
]


@pytest.mark.parametrize(("network_class", "name"), INTEGER_PARAMETERS)
@pytest.mark.parametrize("value", [0, -3, 1.5, False, "8"])
def test_counts_and_lengths_must_be_positive_integers(network_class, name, value):
    with pytest.raises(ValueError, match=f"{name} must be an integer of at least 1; got"):
        network_class(**sizes(network_class), **{name: value})


@each_network
def test_numpy_integers_are_integers(network_class):
    given = {name: np.int32(size) for name, size in sizes(network_class).items()}
    network = network_class(**given | {"n_outputs": np.uint8(2)})
    assert {type(getattr(network, name)) for name in given} == {int}


@pytest.mark.parametrize(
    ("network_class", "value"),
    [
        (network_class, value)
        for network_class in CHOICES
        for value in (-0.1, 1.0, 1, float("nan"), "0.5", True, None)
        if network_class is not LeNet  # which has none
        if (network_class, value) != (EEGNet, None)  # which takes the variant's own
    ],
)
def test_dropout_must_lie_below_one(network_class, value):
    with pytest.raises(ValueError, match="dropout must be a finite number at least 0 and below 1"):
        network_class(**sizes(network_class), dropout=value)


@each_network
def test_an_unknown_form_is_answered_with_the_known_ones(network_class):
    name, known = CHOICES[network_class]
    with pytest.raises(ValueError, match=f"{name} must be one of") as error:
        network_class(**sizes(network_class), **{name: known[0][:-1]})
    assert f"Did you mean {known[0]!r}?" in str(error.value)
    assert all(repr(value) in str(error.value) for value in known)


N_ACTIVATIONS = {
    EEGNet: 2,
    EEGNeX: 2,
    DeepConvNet: 4,
    ShallowConvNet: 1,
    MSFBCNN: 1,
    MixNet: 2,
    InceptionResNet: 15,
    CNNLSTM: 3,
    CNNGRU: 3,
    CCNN: 5,
    LeNet: 4,
    PointCNN: 14,
}


@each_network
def test_activation_and_alpha_reach_every_activation(network_class):
    network = build(network_class, {"activation": "elu", "alpha": 0.2})
    alphas = [layer.alpha for layer in network.modules() if isinstance(layer, nn.ELU)]
    assert alphas == [0.2] * N_ACTIVATIONS[network_class]


@each_network
def test_hyperparameters_are_keyword_only(network_class):
    with pytest.raises(TypeError):
        network_class(*sizes(network_class).values(), 8)
