"""Critical-difference diagram of mean ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ._axes import given_axes
from ._style import BLUE, GREY, ORANGE, new_figure, wrapped

if TYPE_CHECKING:
    from ..evaluation.statistics import RankTest


def plot_critical_difference(result: RankTest, *, title: str = "", ax: Any = None) -> Figure:
    """Plot mean ranks, with bars that join the estimators that do not differ.

    Parameters
    ----------
    result : skeeg.evaluation.statistics.RankTest
        Result of `friedman_nemenyi` or `Comparison.rank_test`.
    title : str
        Title of the figure.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    TypeError
        If `ax` is not Axes.

    Examples
    --------
    >>> import pandas as pd
    >>> from skeeg.evaluation.statistics import friedman_nemenyi
    >>> from skeeg.plotting import plot_critical_difference
    >>> scores = pd.DataFrame({"A": [0.9, 0.8, 0.9], "B": [0.8, 0.7, 0.8], "C": [0.7, 0.6, 0.6]})
    >>> figure = plot_critical_difference(friedman_nemenyi(scores))
    """
    from scikit_posthocs import critical_difference_diagram

    n = len(result.ranks)
    if ax is None:
        figure = new_figure(7.5, 2.2 + 0.22 * n)
        axes = figure.subplots()
    else:
        figure, (axes,) = given_axes(ax, 1)
    # Numbers stand for the names, which could be read as formats or formulas.
    ranks = result.ranks.set_axis(range(n))
    artists = critical_difference_diagram(
        ranks,
        result.p_values.set_axis(range(n)).set_axis(range(n), axis=1),
        alpha=result.level,
        ax=axes,
        label_fmt_left="{label}",
        label_fmt_right="{label}",
        label_props={"fontsize": 10},
        marker_props={"color": BLUE, "s": 30},
        elbow_props={"color": GREY, "linewidth": 1},
        crossbar_props={"color": ORANGE, "linewidth": 4, "solid_capstyle": "round"},
        text_h_margin=0.02 * (n - 1),
    )
    for label in artists["labels"]:
        row = int(label.get_text())
        shown = wrapped(result.ranks.index[row], 24)
        label.set_color("black")
        label.set_text(f"{shown} ({ranks.iloc[row]:.2f})")
    _mark_critical_difference(axes, float(ranks.iloc[0]), result)
    axes.set_title(wrapped(title, 70), fontsize=11)
    return figure


def _mark_critical_difference(ax: Axes, start: float, result: RankTest) -> None:
    """Draw the critical difference above the axis of ranks, and say what the bars mean."""
    stop = start + result.critical_difference
    ax.plot([start, stop], [1.4, 1.4], color="black", linewidth=1.5, marker="|", markersize=8)
    ax.text(
        (start + stop) / 2,
        1.6,
        f"critical difference {result.critical_difference:.2f}",
        ha="center",
        va="bottom",
        fontsize=9,
    )
    ax.set_ylim(top=2.4)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.text(
        0.5,
        -0.04,
        f"mean rank over {result.n_units} subjects or data sets, 1 is the best\n"
        f"thick bars join estimators that do not differ\n"
        f"(Nemenyi's test, level {result.level:g}; Friedman's test: p = {result.p_value:.2g})",
        transform=ax.transAxes,
        ha="center",
        va="top",
        fontsize=9,
        color=GREY,
    )
