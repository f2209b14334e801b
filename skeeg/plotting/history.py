"""Figure of loss and score during training."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.base import is_regressor
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ._axes import given_axes
from ._style import BLUE, ORANGE, literal, new_figure, open_axes, wrapped

_PARTS = {"train": ("training", BLUE, "-"), "valid": ("validation", ORANGE, "--")}
_SCORES = {"acc": "Accuracy (share of trials)", "mae": "Mean absolute error"}
#: A mean is drawn for epochs that at least this proportion of folds reached before early stopping.
_MIN_SHARE = 0.5


def plot_history(
    history: Any, *, title: str = "", loss_label: str | None = None, ax: Any = None
) -> Figure:
    """Plot loss and score against the epoch: thin lines are folds, thick lines their mean.

    Parameters
    ----------
    history : estimator or DataFrame
        A fitted network or a pipeline that ends with one, or a table with a row for each epoch.
        Columns are ``epoch``, at least one of ``train_loss``,
        ``valid_loss``, ``train_acc`` and ``valid_acc`` (for regressors ``train_mae`` and
        ``valid_mae``), and ``fold`` if there are several folds.
    title : str
        Title of the figure.
    loss_label : str, optional
        Label of the loss; by default ``"Loss (nats)"``, as of a classifier's cross-entropy, and
        ``"Loss"`` for a fitted regressor.
    ax : matplotlib.axes.Axes or array-like of them, optional
        Axes to draw into, one for the loss and one for the score; by default those of a new
        figure.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are no epochs, or none of these columns; or the number of `ax` is another.
    TypeError
        If `history` is neither a table nor an estimator that trains in epochs, or `ax` is not Axes.
    NotFittedError
        If the estimator is not fitted.

    Examples
    --------
    >>> import pandas as pd
    >>> from skeeg.plotting import plot_history
    >>> history = pd.DataFrame({"epoch": [1, 2], "train_loss": [0.7, 0.5], "train_acc": [0.5, 0.8]})
    >>> figure = plot_history(history, title="eegnet")
    """
    if not isinstance(history, pd.DataFrame):
        estimator = history
        history = _history(estimator)
        if loss_label is None and is_regressor(estimator):
            loss_label = "Loss"
    labels = {"loss": loss_label or "Loss (nats)"} | _SCORES
    drawn = [name for name in labels if _recorded(history, name)]
    if not drawn:
        raise ValueError(
            "There is no loss or accuracy or absolute error to plot: history must have epochs, and "
            "a column such as train_loss."
        )
    if ax is None:
        figure = new_figure(4.2 * len(drawn) + 0.4, 3.8)
        panels = list(figure.subplots(1, len(drawn), squeeze=False)[0])
        figure.suptitle(wrapped(title, 70), fontsize=11)
    else:
        figure, panels = given_axes(ax, len(drawn))
        panels[0].set_title(wrapped(title, 40), fontsize=11)
    for axes, quantity in zip(panels, drawn, strict=True):
        for part in _recorded(history, quantity):
            _draw(axes, history, part, quantity)
        axes.set_xlabel("Epoch")
        axes.set_ylabel(literal(labels[quantity]))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(frameon=False, fontsize=9)
        open_axes(axes)
    if "acc" in drawn:
        panels[-1].set_ylim(-0.02, 1.02)
    return figure


def _history(estimator: Any) -> pd.DataFrame:
    """Return the epochs of a fitted network, or of that at the end of a pipeline."""
    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise TypeError(
            "history must be a fitted network or a table with a row for each epoch, got "
            f"{estimator!r:.80}."
        )
    check_is_fitted(estimator)
    network = getattr(estimator, "best_estimator_", estimator)
    network = network[-1] if isinstance(network, Pipeline) else network
    rows = getattr(network, "history_", None)
    if rows is None:
        raise TypeError(f"{type(network).__name__} does not train in epochs: it has no history_.")
    return pd.DataFrame(list(rows))


def _recorded(history: pd.DataFrame, quantity: str) -> list[str]:
    """Return which of training and validation have values to draw."""
    columns = {part: f"{part}_{quantity}" for part in _PARTS}
    return [
        part
        for part, column in columns.items()
        if column in history and history[column].notna().any()
    ]


def _draw(axes: Axes, history: pd.DataFrame, part: str, quantity: str) -> None:
    name, colour, style = _PARTS[part]
    column = f"{part}_{quantity}"
    folds = history["fold"] if "fold" in history else pd.Series("", index=history.index)
    n_folds = folds.nunique()
    if n_folds > 1:
        for _, own in history.groupby(folds, sort=False):
            axes.plot(own["epoch"], own[column], color=colour, alpha=0.2, linewidth=0.8)
    by_epoch = history.groupby("epoch")[column]
    mean = by_epoch.mean()[by_epoch.count() >= _MIN_SHARE * n_folds]
    label = f"{name}, mean of {n_folds} folds" if n_folds > 1 else name
    marker = "o" if len(mean) == 1 else None
    axes.plot(mean.index, mean, color=colour, linestyle=style, marker=marker, label=label)
