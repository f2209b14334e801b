"""The places of attention layers in networks with temporal and spatial filters."""

import pytest
from torch import nn

from skeeg.layers import ATTENTION_AXES
from skeeg.layers._place_attention import place_attention

each_axis = pytest.mark.parametrize("axis", ATTENTION_AXES)


@each_axis
def test_no_attention_has_no_place(axis):
    sizes = {"n_temporal_maps": 8, "n_spatial_maps": 16, "n_electrodes": 22}
    between, after = place_attention(None, axis, **sizes)
    assert between is None
    assert isinstance(after, nn.Identity)


@each_axis
def test_attention_has_one_place(axis):
    between, after = place_attention(
        "se", axis, n_temporal_maps=8, n_spatial_maps=16, n_electrodes=22
    )
    if axis == "maps":
        assert between is None
        assert (after.axis, after.size) == ("maps", 16)
    else:
        assert (between.axis, between.size) == (axis, 22)
        assert isinstance(after, nn.Identity)
