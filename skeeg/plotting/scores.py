"""Scores of several estimators beside chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ._style import BLUE, GREY, ORANGE, new_figure, open_axes, wrapped

_LABELS = {
    "accuracy": "Accuracy (share of trials)",
    "balanced_accuracy": "Balanced accuracy (mean recall)",
    "roc_auc": "ROC AUC",
    "kappa": "Cohen's kappa",
}
_LOWEST = {"kappa": -1.0}


def plot_scores(
    scores: pd.DataFrame,
    metric: str = "accuracy",
    *,
    unit: str = "fold",
    chance: float | None = None,
    chance_upper: float | None = None,
    title: str = "",
) -> Figure:
    """Plot the scores of each estimator, with mean, standard deviation and chance.

    Parameters
    ----------
    scores : DataFrame
        A column for each estimator, a row for each unit. A NaN is not drawn.
    metric : str
        What the scores are.
    unit : str
        What a row, a dot in the figure, is: ``"fold"`` or ``"subject"``.
    chance : float, optional
        Drawn as a dashed line.
    chance_upper : float, optional
        Guessing stays below it 95 times of 100; drawn as the end of a shaded range.
    title : str
        Above the figure.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no score at all.

    Examples
    --------
    >>> import pandas as pd
    >>> from skeeg.plotting import plot_scores
    >>> scores = pd.DataFrame({"csp-lda": [0.7, 0.8], "eegnet": [0.75, 0.9]})
    >>> figure = plot_scores(scores, "accuracy", chance=0.5)
    """
    if scores.isna().to_numpy().all():
        raise ValueError(f"There is no {metric} to plot: all scores are NaN.")
    figure = new_figure(7.0, 1.9 + 0.55 * scores.shape[1])
    axes = figure.subplots()
    rows = np.arange(scores.shape[1])
    for row, name in zip(rows, scores.columns, strict=True):
        own = scores[name].dropna().to_numpy(dtype=float)
        beside = row + np.linspace(-0.22, 0.22, len(own)) if len(own) > 1 else [row]
        label = f"one {unit}" if row == 0 else None
        axes.scatter(own, beside, s=22, color=BLUE, alpha=0.55, linewidths=0, label=label, zorder=2)
    axes.errorbar(
        scores.mean(),
        rows,
        xerr=scores.std().fillna(0.0),
        fmt="D",
        color=ORANGE,
        markersize=7,
        capsize=4,
        label=f"mean ± standard deviation over {unit}s",
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
    axes.set_xlabel(_LABELS.get(metric, metric))
    axes.set_title(wrapped(title, 70), fontsize=11)
    open_axes(axes)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return figure


def _limits(scores: pd.DataFrame, metric: str, chance: float | None) -> tuple[float, float]:
    """Show all scores and chance with a margin, and no value that the metric cannot take."""
    seen = scores.to_numpy(dtype=float)
    lowest = min(np.nanmin(seen), np.nanmin(seen) if chance is None else chance)
    return max(float(lowest) - 0.1, _LOWEST.get(metric, 0.0) - 0.02), 1.02
