"""Every network describes each of its parameters once, and takes any value that it is given."""

import dataclasses
import inspect
import re

import pytest
import torch
from torch import nn

from skeeg import networks
from skeeg._parameters import parameter, parameter_names, split_sections
from skeeg.networks import CCNN, MSFBCNN, DeepConvNet, EEGNet, LeNet, ShallowConvNet
from skeeg.networks._base import Network, SignalNetwork

CLASSES = [
    cls
    for cls in (getattr(networks, name) for name in networks.__all__)
    if inspect.isclass(cls) and issubclass(cls, nn.Module)
]
#: What only a network takes: the estimators find it in the trials.
SIZES = {"n_chans", "n_times", "n_features", "n_bands", "height", "width", "n_outputs"}
FOUND = SIZES | {"sfreq", "positions"}
each_network = pytest.mark.parametrize("cls", CLASSES)


def entries(cls):
    """The names that the "Parameters" section of a docstring describes."""
    return re.findall(r"^(\w+) : ", split_sections(cls.__doc__)["Parameters"], re.MULTILINE)


def parameters_class(cls):
    """The class of parameters that a network shares with its estimators."""
    shared = (base for base in cls.__mro__ if base.__name__.endswith("Parameters"))
    return next(shared)


def test_all_networks_are_found():
    assert {EEGNet, CCNN, LeNet} < set(CLASSES)
    assert all(issubclass(cls, Network) for cls in CLASSES)


@each_network
def test_every_field_has_a_text_that_is_a_sentence(cls):
    for field in dataclasses.fields(cls):
        text = field.metadata["doc"]
        assert text[0].isupper() or text.startswith("``"), field.name
        assert text.rstrip().endswith("."), field.name


@each_network
def test_the_docstring_describes_each_parameter_once_in_the_order_of_the_signature(cls):
    assert entries(cls) == list(inspect.signature(cls).parameters) == parameter_names(cls)


@each_network
def test_only_the_sizes_are_positional_and_required(cls):
    for name, given in inspect.signature(cls).parameters.items():
        is_size = name in SIZES
        assert (given.default is inspect.Parameter.empty) == is_size
        kinds = {True: inspect.Parameter.POSITIONAL_OR_KEYWORD}
        assert given.kind == kinds.get(is_size, inspect.Parameter.KEYWORD_ONLY)


@each_network
def test_estimators_inherit_all_but_what_they_find_in_the_trials(cls):
    base = parameters_class(cls)
    assert set(parameter_names(cls)) - set(parameter_names(base)) <= FOUND
    assert not FOUND & set(parameter_names(base))
    for field in dataclasses.fields(base):
        assert inspect.signature(cls).parameters[field.name].default == field.default


@each_network
def test_no_layer_has_the_name_of_a_parameter(cls):
    network = build(cls)
    layers = {name for name, _ in network.named_children()}
    tensors = {name for name, _ in [*network.named_parameters(), *network.named_buffers()]}
    assert not (layers | tensors) & set(parameter_names(cls))


@each_network
def test_a_network_keeps_what_it_was_given(cls):
    network = build(cls)
    for name, given in inspect.signature(cls).parameters.items():
        if name not in FOUND:
            assert getattr(network, name) == given.default


def build(cls, **options):
    known = {"n_chans": 9, "n_times": 500, "n_features": 4, "n_bands": 3, "height": 9, "width": 9}
    known |= {"n_outputs": 2}
    return cls(**{name: known[name] for name in parameter_names(cls) if name in known}, **options)


#: What the parameters that may be None stand for, by network and variant.
OWN = {
    ShallowConvNet: {
        "schirrmeister": {"kernel_length": 25, "pool_length": 75, "pool_stride": 15},
        "lawhern": {"kernel_length": 13, "pool_length": 35, "pool_stride": 7},
    },
    DeepConvNet: {
        "schirrmeister": {"kernel_length": 10, "pool_length": 3},
        "lawhern": {"kernel_length": 5, "pool_length": 2},
        "lab": {"kernel_length": 5, "pool_length": 2},
    },
    MSFBCNN: {
        "wu": {"n_temporal_filters": 40, "kernel_lengths": (64, 40, 26, 16)},
        "strypsteen": {"n_temporal_filters": 10, "kernel_lengths": (65, 41, 27, 17)},
    },
    EEGNet: {
        "lawhern": {
            "n_temporal_filters": 8,
            "kernel_length": 64,
            "dropout": 0.5,
            "separable": True,
            "separable_kernel_length": 16,
        },
        "lab": {
            "n_temporal_filters": 16,
            "kernel_length": 51,
            "dropout": 0.25,
            "separable": False,
            "separable_kernel_length": 15,
        },
    },
}
each_variant = pytest.mark.parametrize(
    ("cls", "variant"), [(cls, variant) for cls, variants in OWN.items() for variant in variants]
)


def made(network):
    """Sizes, pools and dropout of a network, layer by layer."""
    found = {}
    for name, layer in network.named_modules():
        shapes = {key: tuple(value.shape) for key, value in layer.named_parameters(recurse=False)}
        settings = [getattr(layer, key, None) for key in ("p", "length", "stride", "kernel_size")]
        found[name] = (shapes, settings)
    return found


@each_variant
def test_none_is_the_value_of_the_variant(cls, variant):
    own = OWN[cls][variant]
    named = made(build(cls, variant=variant, **own))
    assert made(build(cls, variant=variant)) == named
    assert made(build(cls, variant=variant, **dict.fromkeys(own))) == named


@each_variant
def test_a_variant_takes_the_values_of_any_other_one_when_asked(cls, variant):
    """Also those that are defaults elsewhere, which a variant once replaced by its own."""
    for other, values in OWN[cls].items():
        network, expected = build(cls, variant=variant, **values), build(cls, variant=other)
        for name in values:
            assert size_of(network, name) == size_of(expected, name)


def size_of(network, name):
    """What a parameter decides of a network."""
    banks = network.filters.banks
    if name == "n_temporal_filters":
        return [bank.out_channels for bank in banks]
    if name in ("kernel_length", "kernel_lengths"):
        return [bank.kernel_size for bank in banks]
    if name == "separable_kernel_length":
        return next(network.second_conv.parameters()).shape[-1]
    if name == "separable":
        return len(list(network.second_conv.parameters()))
    if name == "dropout":
        return [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)]
    pool = network.block1.pool if isinstance(network, DeepConvNet) else network.pool
    return pool.kernel_size if isinstance(network, DeepConvNet) else (pool.length, pool.stride)


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_ccnn_takes_any_width_in_both_forms(variant):
    network = CCNN(3, 9, 9, 2, variant=variant, n_filters=64, n_hidden=8, dropout=0.5)
    assert network.block1.conv.out_channels == 64
    assert (network.hidden.dense.out_features, network.drop.p) == (8, 0.5)


@pytest.mark.parametrize("variant", ["simple", "1998"])
@pytest.mark.parametrize("activation", ["scaled_tanh", "tanh"])
def test_lenet_takes_any_activation_in_both_forms(variant, activation):
    network = LeNet(3, 9, 9, 2, variant=variant, activation=activation)
    assert type(network.c1.activation).__name__.lower() == activation.replace("_", "")


def test_a_network_of_ones_own_needs_fields_and_a_build():
    class Mean(SignalNetwork):
        """The mean of some samples, weighted."""

        n_first: int = parameter(default=4, doc="Number of samples.")

        def build(self):
            self.dense = nn.Linear(self.n_chans, self.n_outputs)

        def forward(self, x):
            return self.dense(x[..., : self.n_first].mean(dim=-1))

    network = Mean(3, 20, 2)
    assert network(torch.randn(5, 3, 20)).shape == (5, 2)
    assert entries(Mean) == ["n_chans", "n_times", "n_outputs", "n_first"]
    with pytest.raises(ValueError, match="n_times must be an integer of at least 1; got 0"):
        Mean(3, 0, 2)
