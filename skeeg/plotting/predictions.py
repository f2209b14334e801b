"""Figure of predicted against true targets."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from sklearn.utils import check_consistent_length, column_or_1d

from ._axes import given_axes
from ._style import BLUE, GREY, new_figure, open_axes, wrapped


def plot_predictions(
    y_true: ArrayLike, y_pred: ArrayLike, *, title: str = "", ax: Any = None
) -> Figure:
    """Plot predicted against true targets, a dot for each trial.

    Both axes have the same range, so that perfect predictions lie on the diagonal. A regressor
    without information about the targets gives a horizontal band at the mean of its training
    targets.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (n_trials,)
        True and predicted targets, in the same unit.
    title : str
        Title of the figure.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are no trials, the lengths differ, or a target is not finite.
    TypeError
        If `ax` is not Axes.

    Examples
    --------
    >>> from skeeg.plotting import plot_predictions
    >>> figure = plot_predictions([1.0, 2.5, 4.0], [1.5, 2.0, 3.0], title="ridge")
    """
    true, predicted = (column_or_1d(np.asarray(y, dtype=float)) for y in (y_true, y_pred))
    check_consistent_length(true, predicted)
    both = np.concatenate([true, predicted])
    if not both.size or not np.isfinite(both).all():
        raise ValueError("There must be one trial or more, and all targets must be finite.")
    if ax is None:
        figure = new_figure(4.6, 4.6)
        axes = figure.subplots()
    else:
        figure, (axes,) = given_axes(ax, 1)
    margin = 0.05 * float(np.ptp(both)) or 0.5
    limits = float(both.min()) - margin, float(both.max()) + margin
    axes.plot(limits, limits, color=GREY, linestyle="--", linewidth=1, label="perfect prediction")
    axes.scatter(
        true, predicted, s=16, color=BLUE, alpha=0.5, linewidths=0, label="one trial", zorder=2
    )
    axes.set_xlim(*limits)
    axes.set_ylim(*limits)
    axes.set_aspect("equal")
    axes.set_xlabel("True target")
    axes.set_ylabel("Predicted target")
    axes.set_title(wrapped(title, 40), fontsize=11)
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    open_axes(axes)
    return figure
