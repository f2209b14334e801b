"""Figure of features on topographic maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike, NDArray

from ..features._base import check_ch_names
from ..features.topography import electrode_places, topographic_map
from ._axes import given_axes
from ._style import ink_on, literal, new_figure, wrapped

_MAX_COLUMNS = 5
#: Cells without an electrode, and those outside the head.
_EMPTY = "#e8e8e8"


def plot_topographic_map(
    features: ArrayLike,
    ch_names: Sequence[str],
    *,
    bands: Sequence[str] | None = None,
    layout: str = "deap-9x9",
    shape: tuple[int, int] | None = None,
    unit: str = "nats",
    symmetric: bool = False,
    title: str = "",
    ax: Any = None,
) -> Figure:
    """Plot features as topographic maps, one for each band.

    Parameters
    ----------
    features : array-like, shape (n_bands, n_chans) or (n_bands * n_chans,)
        The features of one sample, or their mean: all channels in the first band, then all
        channels in the second, and so on.
    ch_names : sequence of str, length n_chans
        Names of the channels.
    bands : sequence of str, length n_bands, optional
        Names of the bands, which are the titles of the maps. By default the bands are numbered.
    layout : {"deap-9x9", "grid", "interpolated"}, default="deap-9x9"
        As in `skeeg.features.topographic_map`.
    shape : (int, int), optional
        Height and width of the maps, as in `skeeg.features.topographic_map`.
    unit : str, default="nats"
        Label of the colour bar, which is common to all maps.
    symmetric : bool, default=False
        Whether to use diverging colours around 0, for differences.
    title : str
        Title of the figure.
    ax : matplotlib.axes.Axes or array-like of them, optional
        Axes to draw into, one for each band; by default those of a new figure.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the shape of the features does not match the names, or a feature is not finite, or
        the number of `ax` is not that of the bands; and as in `skeeg.features.topographic_map`.
    TypeError
        If `ax` is not Axes.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.plotting import plot_topographic_map
    >>> entropy = np.array([[1.2, 1.4, 0.8], [0.3, 0.2, 0.4]])
    >>> figure = plot_topographic_map(entropy, ["F3", "Cz", "F4"], bands=["alpha", "beta"])
    """
    values = _by_band(features, ch_names, bands)
    maps = topographic_map(values, ch_names, layout, shape)
    empty = topographic_map(np.ones(len(ch_names)), ch_names, layout, shape) == 0
    places = electrode_places(ch_names, layout, shape)
    scale, colours = _colours(maps[:, ~empty], symmetric)
    if ax is None:
        n_columns = min(len(values), _MAX_COLUMNS)
        n_rows = -(-len(values) // n_columns)
        figure = new_figure(2.7 * n_columns + 1.2, 2.9 * n_rows + (0.4 if title else 0.1))
        panels = list(figure.subplots(n_rows, n_columns, squeeze=False).ravel())
    else:
        figure, panels = given_axes(ax, len(values))
    names = bands if bands is not None else [f"band {i + 1}" for i in range(len(values))]
    for axes, own, of_channels, name in zip(panels, maps, values, names, strict=False):
        image = axes.imshow(np.ma.masked_array(own, empty), norm=scale, cmap=colours)
        _label(axes, places, ch_names, colours(scale(of_channels)), layout != "interpolated")
        axes.set_title(literal(name), fontsize=11)
    for axes in panels[len(values) :]:
        axes.set_visible(False)
    figure.colorbar(image, ax=list(panels), label=literal(unit), shrink=0.85)
    if title and ax is None:
        figure.suptitle(wrapped(title, 70), fontsize=11)
    elif title:
        panels[0].set_title(f"{wrapped(title, 40)}\n{panels[0].get_title()}", fontsize=11)
    return figure


def _by_band(
    features: ArrayLike, ch_names: Sequence[str], bands: Sequence[str] | None
) -> NDArray[np.float64]:
    """Return finite features of shape (n_bands, n_chans)."""
    check_ch_names(ch_names, "plot_topographic_map")
    values = np.asarray(features, dtype=np.float64)
    if values.ndim > 2 or values.size == 0 or values.size % len(ch_names):
        raise ValueError(
            f"features must have shape (n_bands, {len(ch_names)}), the features of one sample, "
            f"got {values.shape}. For several samples, plot one of them or the mean."
        )
    values = values.reshape(-1, len(ch_names))
    if bands is not None and len(bands) != len(values):
        raise ValueError(
            f"bands must name each of the {len(values)} bands, got {len(bands)} names."
        )
    if not np.isfinite(values).all():
        band, channel = np.argwhere(~np.isfinite(values))[0]
        raise ValueError(
            f"features must be finite: the feature of {ch_names[channel]} in band {band} is "
            f"{values[band, channel]}."
        )
    return values


def _colours(values: NDArray[np.float64], symmetric: bool) -> tuple[Normalize, Colormap]:
    """Return the scale of all maps, and colours for colour-blind readers."""
    low, high = float(values.min()), float(values.max())
    if symmetric:
        high = float(np.abs(values).max())
        low = -high
    if low == high:
        low, high = low - 0.5, high + 0.5
    colours = colormaps["PuOr_r" if symmetric else "cividis"]
    return Normalize(low, high), colours.with_extremes(bad=_EMPTY)


def _label(
    axes: Axes,
    places: NDArray[np.float64],
    ch_names: Sequence[str],
    colours: NDArray[np.float64],
    in_cells: bool,
) -> None:
    """Label the electrodes, in their own cells or above a dot."""
    halo = [withStroke(linewidth=1.2, foreground="white")]
    for name, (row, column), colour in zip(ch_names, places, colours, strict=True):
        if in_cells:
            ink = ink_on(colour)
            axes.text(column, row, literal(name), ha="center", va="center", color=ink, fontsize=7)
        else:
            axes.plot(column, row, ".", color="black", markersize=3, path_effects=halo)
            axes.annotate(
                literal(name),
                (column, row),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=5.5,
                path_effects=halo,
            )
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel("left to right", fontsize=8)
    axes.set_ylabel("back to front", fontsize=8)
