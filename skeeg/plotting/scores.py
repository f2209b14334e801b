"""Figure of the scores of several estimators, with chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ._axes import given_axes
from ._style import BLUE, GREY, ORANGE, literal, new_figure, open_axes, wrapped

_LABELS = {
    "accuracy": "Accuracy (share of trials)",
    "balanced_accuracy": "Balanced accuracy (mean recall)",
    "roc_auc": "ROC AUC",
    "kappa": "Cohen's kappa",
    "r2": "R²",
    "mean_absolute_error": "Mean absolute error (unit of the target)",
    "pearson": "Pearson's correlation",
}
#: The smallest and the largest value of a metric; None where there is no bound.
_RANGES: dict[str, tuple[float | None, float | None]] = {
    **dict.fromkeys(("accuracy", "balanced_accuracy", "roc_auc"), (0.0, 1.0)),
    **dict.fromkeys(("kappa", "pearson"), (-1.0, 1.0)),
    "r2": (None, 1.0),
    "mean_absolute_error": (0.0, None),
}


def plot_scores(
    scores: pd.DataFrame,
    metric: str = "accuracy",
    *,
    unit: str = "fold",
    chance: float | None = None,
    chance_upper: float | None = None,
    title: str = "",
    ax: Any = None,
) -> Figure:
    """Plot the scores of each estimator, with their mean, standard deviation and chance.

    Parameters
    ----------
    scores : DataFrame
        A column for each estimator, a row for each unit. Non-finite scores are not drawn.
    metric : str
        Name of the metric: a built-in metric of `skeeg.compare`, or any other name.
    unit : str
        Unit of a row, which is a dot in the figure: ``"fold"`` or ``"subject"``.
    chance : float, optional
        Chance level, drawn as a dashed line.
    chance_upper : float, optional
        The 95th percentile of guessing, drawn as the end of a shaded range.
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
    >>> from skeeg.plotting import plot_scores
    >>> scores = pd.DataFrame({"csp-lda": [0.7, 0.8], "eegnet": [0.75, 0.9]})
    >>> figure = plot_scores(scores, "accuracy", chance=0.5)
    """
    if not np.isfinite(scores.to_numpy(dtype=float)).any():
        raise ValueError(f"There is no {metric} to plot: no score is finite.")
    scores = scores.where(np.isfinite(scores))
    if ax is None:
        figure = new_figure(7.0, 1.9 + 0.55 * scores.shape[1])
        axes = figure.subplots()
    else:
        figure, (axes,) = given_axes(ax, 1)
    rows = np.arange(scores.shape[1])
    for row, name in zip(rows, scores.columns, strict=True):
        own = scores[name].dropna().to_numpy(dtype=float)
        beside = row + np.linspace(-0.22, 0.22, len(own)) if len(own) > 1 else [row] * len(own)
        label = literal(f"one {unit}") if row == 0 else None
        axes.scatter(own, beside, s=22, color=BLUE, alpha=0.55, linewidths=0, label=label, zorder=2)
    axes.errorbar(
        scores.mean(),
        rows,
        xerr=scores.std().fillna(0.0),
        fmt="D",
        color=ORANGE,
        markersize=7,
        capsize=4,
        label=literal(f"mean ± standard deviation over {unit}s"),
        zorder=3,
    )
    if chance is not None:
        axes.axvline(chance, color=GREY, linestyle="--", label=f"chance {chance:.3g}", zorder=1)
    if chance is not None and chance_upper is not None and np.isfinite(chance_upper):
        label = f"95 % range of guessing all trials, up to {chance_upper:.3g}"
        axes.axvspan(chance, chance_upper, color=GREY, alpha=0.18, linewidth=0, label=label)
    axes.set_yticks(rows, [wrapped(name, 28) for name in scores.columns])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(*_limits(scores, metric, chance))
    axes.set_xlabel(axis_label(metric))
    axes.set_title(wrapped(title, 70), fontsize=11)
    open_axes(axes)
    if ax is None:
        figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    else:  # the figure may have other axes, and another layout
        axes.legend(frameon=False, fontsize=8)
    return figure


def axis_label(metric: str) -> str:
    """Return the label of an axis with the scores of a metric."""
    return _LABELS.get(metric, literal(metric))


def _limits(scores: pd.DataFrame, metric: str, chance: float | None) -> tuple[float, float]:
    """Return limits that include all scores and chance, within the range of the metric."""
    shown = np.append(scores.to_numpy(dtype=float), np.nan if chance is None else chance)
    shown = shown[np.isfinite(shown)]
    lower, upper = _RANGES.get(metric, (None, None))
    margin = 0.1 if upper == 1 else 0.1 * float(np.ptp(shown)) or 0.1
    low = float(shown.min()) - margin
    return (
        low if lower is None else max(low, lower - 0.2 * margin),
        float(shown.max()) + margin if upper is None else upper + 0.02,
    )
