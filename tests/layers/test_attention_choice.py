"""Attention layers by name have the sizes that networks need."""

import pytest
import torch

from skeeg.layers import ATTENTION_AXES, ATTENTIONS, make_attention

each_kind = pytest.mark.parametrize("kind", ATTENTIONS)
each_axis = pytest.mark.parametrize("axis", ATTENTION_AXES)


def count(layer):
    return sum(parameter.numel() for parameter in layer.parameters())


@each_kind
def test_made_by_name(kind):
    maps = make_attention(kind, "maps", 16, 1)
    assert type(maps) is ATTENTIONS[kind]
    assert (maps.size, maps.axis, maps.statistic) == (16, "maps", "mean")
    electrodes = make_attention(kind, "map-electrode", 16, 22)
    assert (electrodes.size, electrodes.statistic) == (22, "power")


def test_counts_of_those_made_by_name():
    """With a reduction of 4, 2 n (n // 4) weights, and CBAM's 15 for the time; 4 units at least."""
    assert [count(make_attention(kind, "maps", 16, 1)) for kind in ATTENTIONS] == [128, 143, 3]
    made = [make_attention(kind, "electrodes", 8, 22) for kind in ATTENTIONS]
    assert [count(layer) for layer in made] == [220, 235, 3]
    few = [count(make_attention("se", "electrodes", 8, n)) for n in (1, 2, 3, 6, 14, 15, 16)]
    assert few == [2, 8, 18, 72, 2 * 14 * 4, 2 * 15 * 5, 2 * 16 * 4]


@each_axis
def test_none_changes_nothing(axis):
    layer, x = make_attention(None, axis, 5, 7), torch.randn(3, 5, 7, 30)
    assert layer(x) is x


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("SE", "maps", 4, 1), r"not None, must be one of .* mean 'se'"),
        ((None, "channels", 4, 1), "attention_axis must be one of 'maps'"),
        (("se", "maps", 0, 1), "size must be an integer"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_attention(*arguments)
