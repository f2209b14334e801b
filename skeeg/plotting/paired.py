"""Figure of the scores of each subject, joined across estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ._axes import given_axes
from ._style import BLUE, GREY, ORANGE, literal, new_figure, open_axes, wrapped
from .scores import axis_label


def plot_paired_scores(
    scores: pd.DataFrame,
    metric: str = "accuracy",
    *,
    unit: str = "subject",
    chance: float | None = None,
    title: str = "",
    ax: Any = None,
) -> Figure:
    """Plot the scores of each subject as a line across the estimators, and their mean.

    Lines that rise or fall together show that estimators differ in the same way in all subjects,
    which the spread of the scores hides.

    Parameters
    ----------
    scores : DataFrame
        A column for each estimator, in the order in which they are drawn; a row for each unit.
        Non-finite scores are not drawn.
    metric : str
        Name of the metric: a built-in metric of `skeeg.compare`, or any other name.
    unit : str
        Unit of a row: ``"subject"`` or ``"fold"``.
    chance : float, optional
        Chance level, drawn as a dashed line.
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
        If no score is finite.
    TypeError
        If `ax` is not Axes.

    Examples
    --------
    >>> import pandas as pd
    >>> from skeeg.plotting import plot_paired_scores
    >>> scores = pd.DataFrame({"csp-lda": [0.7, 0.8], "eegnet": [0.75, 0.9]})
    >>> figure = plot_paired_scores(scores, "accuracy", chance=0.5)
    """
    if not np.isfinite(scores.to_numpy(dtype=float)).any():
        raise ValueError(f"There is no {metric} to plot: no score is finite.")
    scores = scores.where(np.isfinite(scores))
    n_estimators = scores.shape[1]
    if ax is None:
        figure = new_figure(max(4.6, 1.8 + 1.3 * n_estimators), 3.8)
        axes = figure.subplots()
    else:
        figure, (axes,) = given_axes(ax, 1)
    columns = np.arange(n_estimators)
    for row, own in enumerate(scores.to_numpy(dtype=float)):
        label = literal(f"one {unit}") if row == 0 else None
        axes.plot(
            columns, own, "o-", color=BLUE, alpha=0.45, linewidth=1, markersize=4, label=label
        )
    axes.plot(columns, scores.mean(), "D-", color=ORANGE, linewidth=2, markersize=7, label="mean")
    if chance is not None:
        axes.axhline(chance, color=GREY, linestyle="--", label=f"chance {chance:.3g}", zorder=1)
    names = [wrapped(name, 14) for name in scores.columns]
    axes.set_xticks(columns, names)
    axes.set_xlim(-0.4, n_estimators - 0.6)
    axes.set_ylabel(axis_label(metric))
    axes.set_title(wrapped(title, 60), fontsize=11)
    axes.legend(frameon=False, fontsize=9)
    open_axes(axes)
    return figure
