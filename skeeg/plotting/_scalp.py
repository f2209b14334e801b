"""Values of electrodes as an interpolated surface on the head, seen from above."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from numpy.typing import NDArray

from .._electrodes import flat_positions
from ._discs import draw_discs


def draw_surface(
    axes: Axes,
    values: NDArray[np.float64],
    ch_names: Sequence[str],
    scale: Normalize,
    colours: Colormap,
) -> ScalarMappable:
    """Draw values interpolated between electrodes on the scalp, with MNE.

    Three or fewer electrodes, or electrodes on one line or circle, are drawn as discs, because they
    cannot be triangulated.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    values : ndarray, shape (n_chans,)
        Finite.
    ch_names : sequence of str, length n_chans
        Electrodes of the 10-05 system, in upper or lower case.
    scale : matplotlib.colors.Normalize
        With limits.
    colours : matplotlib.colors.Colormap

    Returns
    -------
    drawn : matplotlib.cm.ScalarMappable
        For a colour bar.

    Raises
    ------
    ValueError
        If a name is not in the 10-05 system.
    """
    places = flat_positions(ch_names)
    # Points on one line or circle satisfy a linear equation in these terms.
    terms = np.column_stack([np.sum(places**2, axis=1), places, np.ones(len(places))])
    if np.linalg.matrix_rank(terms, tol=1e-6) < terms.shape[1]:
        return draw_discs(axes, values, ch_names, scale, colours)
    from mne.viz import plot_topomap

    plot_topomap(
        values,
        places,
        axes=axes,
        show=False,
        # The outline of the head in the unit of `flat_positions`.
        sphere=(0.0, 0.0, 0.0, 1.0),
        extrapolate="head",
        cnorm=scale,
        cmap=colours,
        contours=4,
    )
    return ScalarMappable(scale, colours)
