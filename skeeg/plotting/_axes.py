"""The axes that users pass to a plot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure


def given_axes(ax: Any, n: int) -> tuple[Figure, list[Axes]]:
    """Return the axes that the user passed, and their figure.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or array-like of them
    n : int
        The number of axes that are needed.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : list of matplotlib.axes.Axes, length n

    Raises
    ------
    TypeError
        If `ax` has something else than axes.
    ValueError
        If their number is another, or they are in several figures.
    """
    flat = [ax] if isinstance(ax, Axes) else _flat(ax)
    for entry in flat:
        if not isinstance(entry, Axes):
            raise TypeError(
                f"ax must be matplotlib Axes, or an array or list of them, got "
                f"{type(entry).__name__}. plt.subplots() returns them."
            )
    if len(flat) != n:
        raise ValueError(
            f"ax must have {n} Axes for this figure, got {len(flat)}. plt.subplots(1, {n}) returns "
            f"{'them' if n > 1 else 'it'}."
        )
    figures = [_figure(entry) for entry in flat]
    if any(figure is not figures[0] for figure in figures):
        raise ValueError("All Axes in ax must be in the same figure.")
    return figures[0], flat


def _figure(axes: Axes) -> Figure:
    """Return the figure, also that of a subfigure."""
    figure = axes.figure
    if isinstance(figure, SubFigure):
        figure = figure.figure
    if not isinstance(figure, Figure):
        raise ValueError("The Axes in ax were removed from their figure.")
    return figure


def _flat(ax: Any) -> list[Any]:
    if isinstance(ax, np.ndarray):
        return list(ax.ravel())
    if isinstance(ax, Iterable) and not isinstance(ax, str):
        return [entry for part in ax for entry in (_flat(part) if _nested(part) else [part])]
    return [ax]


def _nested(part: Any) -> bool:
    return isinstance(part, (list, tuple, np.ndarray))
