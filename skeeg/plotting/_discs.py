"""Values of single electrodes as discs on the head, without interpolation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import Colormap, Normalize
from matplotlib.patches import Circle
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from .._electrodes import flat_positions
from ._style import GREY, ink_on, literal

#: Largest radius of a disc, in units of the head's radius; discs of dense montages are smaller.
_LARGEST = 0.12
#: Smallest half width of the axes, which includes the nose, in the same unit.
_NARROWEST = 1.2
#: Smallest readable font size, in points; smaller names are not drawn.
_SMALLEST_LETTERS = 3.5


def draw_discs(
    axes: Axes,
    values: NDArray[np.float64],
    ch_names: Sequence[str],
    scale: Normalize,
    colours: Colormap,
) -> PatchCollection:
    """Draw a head with a disc for each electrode, coloured by its value and labelled if it fits.

    Any montage can be drawn, also a single electrode.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    values : ndarray, shape (n_chans,)
    ch_names : sequence of str, length n_chans
        Electrodes of the 10-05 system, in upper or lower case.
    scale : matplotlib.colors.Normalize
    colours : matplotlib.colors.Colormap

    Returns
    -------
    discs : matplotlib.collections.PatchCollection
        For a colour bar.

    Raises
    ------
    ValueError
        If a name is not in the 10-05 system.
    """
    places = flat_positions(ch_names)
    apart = pdist(places)
    radius = min(_LARGEST, 0.48 * apart[apart > 0].min(initial=1.0))
    extent = max(_NARROWEST, float(np.abs(places).max()) + 1.1 * radius)
    _draw_head(axes, extent)
    discs = PatchCollection(
        [Circle((x, y), radius) for x, y in places],
        cmap=colours,
        norm=scale,
        edgecolor=GREY,
        linewidth=0.5,
        zorder=2,
    )
    discs.set_array(values)
    axes.add_collection(discs)
    _name(axes, places, ch_names, colours(scale(values)), radius / extent)
    return discs


def _draw_head(axes: Axes, extent: float) -> None:
    """Draw the outline of the head, with nose and ears."""
    around, outwards = np.linspace(0, 2 * np.pi, 120), np.linspace(-1.3, 1.3, 40)
    ear_x, ear_y = 0.99 + 0.07 * np.cos(outwards), 0.13 * np.sin(outwards)
    nose = np.array([-0.1, 0, 0.1]), np.array([0.995, 1.12, 0.995])
    for x, y in [(np.cos(around), np.sin(around)), nose, (ear_x, ear_y), (-ear_x, ear_y)]:
        axes.plot(x, y, color=GREY, linewidth=1.2, zorder=1)
    axes.set_xlim(-extent, extent)
    axes.set_ylim(-extent, extent)
    axes.set_aspect("equal")
    axes.set_axis_off()


def _name(
    axes: Axes,
    places: NDArray[np.float64],
    ch_names: Sequence[str],
    colours: NDArray[np.float64],
    share: float,
) -> None:
    """Write the names of electrodes into their discs, whose radius is a share of the axes."""
    box = axes.get_window_extent()
    diameter = share * min(box.width, box.height) * 72 / axes.figure.dpi  # in points
    longest = max(map(len, ch_names))
    size = min(8.0, 1.5 * diameter / max(longest, 3))
    if size < _SMALLEST_LETTERS:
        return
    for name, (x, y), colour in zip(ch_names, places, colours, strict=True):
        ink = ink_on(colour)
        axes.text(x, y, literal(name), ha="center", va="center", color=ink, fontsize=size, zorder=3)
