"""Networks with attention have it in its place, and are unchanged without it."""

import copy
import pickle

import pytest
import torch

from skeeg.layers import ATTENTION_AXES, ATTENTIONS, Attention
from skeeg.networks import (
    DeepConvNet,
    EEGNet,
    InceptionResNet,
    MixNet,
    ShallowConvNet,
    summary,
)

#: What comes before and after the gates of maps, and how many maps there are.
AFTER_POOL = {
    EEGNet: ("first_pool", "first_dropout", 16),
    MixNet: ("first_pool", "first_dropout", 16),
    InceptionResNet: ("first_pool", "first_dropout", 16),
    ShallowConvNet: ("log", "drop", 40),
    DeepConvNet: ("block1.activation", "block1.dropout", 25),
}
#: What comes before the gates of electrodes.
IN_FILTERS = {
    EEGNet: "filters.norm",
    MixNet: "filters.norm",
    InceptionResNet: "filters.norm",
    ShallowConvNet: "filters.temporal",
    DeepConvNet: "filters.temporal",
}

each_network = pytest.mark.parametrize("network_class", AFTER_POOL)
each_kind = pytest.mark.parametrize("kind", ATTENTIONS)
each_axis = pytest.mark.parametrize("axis", ATTENTION_AXES)


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def build(network_class, kind="se", axis="maps", n_chans=6, **options):
    torch.manual_seed(0)
    return network_class(n_chans, 500, 3, attention=kind, attention_axis=axis, **options)


def attention_of(network):
    """The layer that a network has exactly one of."""
    (layer,) = (layer for layer in network.modules() if isinstance(layer, Attention))
    return layer


def seen(network, names, x):
    """Inputs and outputs of some layers."""
    found = {}
    for name in names:
        network.get_submodule(name).register_forward_hook(
            lambda _, args, output, name=name: found.update({name: (args[0], output)})
        )
    network(x)
    return found


@each_network
@each_kind
def test_gates_of_maps_act_on_what_is_pooled_and_before_the_dropout(network_class, kind):
    network = build(network_class, kind).eval()
    before, after, n_maps = AFTER_POOL[network_class]
    found = seen(network, (before, after), torch.randn(4, 6, 500))
    layer = attention_of(network)
    assert layer.size == n_maps
    expected = layer(found[before][1])
    assert torch.equal(found[after][0], expected)
    assert (expected - found[before][1]).abs().max() > 0.01


@each_network
@each_kind
@pytest.mark.parametrize("axis", ["electrodes", "map-electrode"])
def test_gates_of_electrodes_act_before_the_spatial_filters(network_class, kind, axis):
    network = build(network_class, kind, axis).eval()
    before = IN_FILTERS[network_class]
    found = seen(network, (before, "filters.spatial"), torch.randn(4, 6, 500))
    layer = attention_of(network)
    assert (layer.size, layer.statistic) == (6, "power")
    assert torch.equal(found["filters.spatial"][0], layer(found[before][1]))


@each_network
@pytest.mark.parametrize("axis", ["electrodes", "map-electrode"])
def test_louder_electrodes_have_other_gates(network_class, axis):
    """Which the published means of zero-mean maps would not tell apart."""
    network = build(network_class, "se", axis).eval()
    x = torch.randn(2, 6, 500)
    x[1, 3] *= 10
    maps = seen(network, (IN_FILTERS[network_class],), x)[IN_FILTERS[network_class]][1]
    gates = attention_of(network).gate(maps)
    assert (gates[1] - gates[0]).abs().max() > 0.05


@pytest.mark.parametrize(
    ("network_class", "expected"),
    [
        # 22 x 1125, four classes: SE and CBAM with a reduction of 4, ECA with 3 neighbours.
        (EEGNet, {"se": 3700 + 128, "cbam": 3700 + 143, "eca": 3700 + 3}),
        (MixNet, {"se": 3668 + 128, "cbam": 3668 + 143, "eca": 3668 + 3}),
        (InceptionResNet, {"se": 9908 + 128, "cbam": 9908 + 143, "eca": 9908 + 3}),
        (ShallowConvNet, {"se": 47364 + 800, "cbam": 47364 + 815, "eca": 47364 + 3}),
        (DeepConvNet, {"se": 284479 + 300, "cbam": 284479 + 315, "eca": 284479 + 3}),
    ],
)
def test_counts_with_gates_of_maps(network_class, expected):
    assert {kind: count(network_class(22, 1125, 4, attention=kind)) for kind in expected} == (
        expected
    )


@each_network
@pytest.mark.parametrize("axis", ["electrodes", "map-electrode"])
def test_counts_with_gates_of_electrodes_depend_on_their_number_alone(network_class, axis):
    plain = count(network_class(22, 1125, 4))
    added = [
        count(network_class(22, 1125, 4, attention=kind, attention_axis=axis)) - plain
        for kind in ("se", "cbam", "eca")
    ]
    assert added == [2 * 22 * 5, 2 * 22 * 5 + 15, 3]


@each_network
@each_axis
def test_without_attention_nothing_changes(network_class, axis):
    torch.manual_seed(0)
    plain = network_class(6, 500, 3)
    network = build(network_class, None, axis)
    assert network.state_dict().keys() == plain.state_dict().keys()
    x = torch.randn(2, 6, 500)
    assert torch.equal(network.eval()(x), plain.eval()(x))
    assert network.filters.attention is None  # so the fast front end remains


@each_network
@each_axis
@each_kind
def test_every_weight_learns(network_class, axis, kind):
    network = build(network_class, kind, axis, dropout=0.0)
    start = copy.deepcopy(network.state_dict())
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    x, y = torch.randn(9, 6, 500), torch.arange(9) % 3
    for _ in range(2):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(x), y).backward()
        optimizer.step()
    names = [
        name for name, _ in network.named_parameters() if "attention" in name or "gates" in name
    ]
    assert names
    assert not any(torch.equal(start[name], network.state_dict()[name]) for name in names)


@each_network
@each_axis
@each_kind
def test_one_channel_and_pickles(network_class, axis, kind):
    network = build(network_class, kind, axis, n_chans=1).eval()
    x = torch.randn(2, 1, 500)
    assert torch.isfinite(network(x)).all()
    assert torch.equal(pickle.loads(pickle.dumps(network))(x), network(x))


@each_network
@each_axis
@each_kind
def test_summary_counts_it(network_class, axis, kind):
    network = build(network_class, kind, axis)
    table = summary(network)
    assert table.n_parameters == count(network)
    assert table.uncounted == ()


@each_network
def test_bad_arguments(network_class):
    with pytest.raises(ValueError, match="attention, where it is not None, must be one of 'se'"):
        build(network_class, "transformer")
    with pytest.raises(ValueError, match=r"attention_axis must be one of .* Did you mean 'maps'"):
        build(network_class, None, "map")
