"""The places of attention layers in a network."""

from __future__ import annotations

from torch import nn

from .attention_choice import make_attention


def place_attention(
    kind: str | None,
    axis: str,
    *,
    n_temporal_maps: int,
    n_spatial_maps: int,
    n_electrodes: int,
) -> tuple[nn.Module | None, nn.Module]:
    """Return the attention layers of a network that begins with temporal and spatial filters.

    Only one of the two changes its input. Electrodes are an axis of their own only between the
    temporal and the spatial filters; gates of maps apply to the outputs of the spatial filters.

    Parameters
    ----------
    kind : {"se", "cbam", "eca"} or None
        As in `make_attention`.
    axis : {"maps", "electrodes", "map-electrode"}
        What has a gate.
    n_temporal_maps, n_spatial_maps : int
        Number of temporal and of spatial filters.
    n_electrodes : int
        Number of electrodes.

    Returns
    -------
    between : torch.nn.Module or None
        For the argument `attention` of `TemporalSpatialFilter`; None for no attention.
    after : torch.nn.Module
        For the maps after the first pool; `torch.nn.Identity` for no attention.

    Raises
    ------
    ValueError
        If a parameter has a value that it cannot take.

    Examples
    --------
    >>> between, after = place_attention(
    ...     "se", "electrodes", n_temporal_maps=8, n_spatial_maps=16, n_electrodes=22
    ... )
    >>> between.size, after
    (22, Identity())
    """
    if axis == "maps" or kind is None:
        return None, make_attention(kind, axis, n_spatial_maps, 1)
    return make_attention(kind, axis, n_temporal_maps, n_electrodes), nn.Identity()
