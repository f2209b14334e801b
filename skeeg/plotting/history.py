"""How training went, epoch by epoch."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ._style import BLUE, ORANGE, new_figure, open_axes, wrapped

_PARTS = {"train": ("training", BLUE, "-"), "valid": ("validation", ORANGE, "--")}
_QUANTITIES = ("loss", "acc")
#: Epochs that fewer folds than this share reached, because training stopped early, get no mean.
_MIN_SHARE = 0.5


def plot_history(
    history: pd.DataFrame, *, title: str = "", loss_label: str = "Loss (nats)"
) -> Figure:
    """Plot loss and accuracy against the epoch: thin lines are folds, thick ones their mean.

    Parameters
    ----------
    history : DataFrame
        A row for each epoch: ``epoch``, any of ``train_loss``, ``train_acc``, ``valid_loss``,
        ``valid_acc``, and ``fold`` where there are several.
    title : str
        Above the figure.
    loss_label : str
        What the loss is; by default the cross-entropy of a classifier.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no epoch, or neither a loss nor an accuracy.

    Examples
    --------
    >>> import pandas as pd
    >>> from skeeg.plotting import plot_history
    >>> history = pd.DataFrame({"epoch": [1, 2], "train_loss": [0.7, 0.5], "train_acc": [0.5, 0.8]})
    >>> figure = plot_history(history, title="eegnet")
    """
    labels = {"loss": loss_label, "acc": "Accuracy (share of trials)"}
    drawn = [name for name in _QUANTITIES if _recorded(history, name)]
    if not drawn:
        raise ValueError("There is no loss or accuracy of any epoch to plot.")
    figure = new_figure(4.2 * len(drawn) + 0.4, 3.8)
    panels = figure.subplots(1, len(drawn), squeeze=False)[0]
    for axes, quantity in zip(panels, drawn, strict=True):
        for part in _recorded(history, quantity):
            _draw(axes, history, part, quantity)
        axes.set_xlabel("Epoch")
        axes.set_ylabel(labels[quantity])
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(frameon=False, fontsize=9)
        open_axes(axes)
    if "acc" in drawn:
        panels[-1].set_ylim(-0.02, 1.02)
    figure.suptitle(wrapped(title, 70), fontsize=11)
    return figure


def _recorded(history: pd.DataFrame, quantity: str) -> list[str]:
    """Return the parts, training and validation, of which there is anything to draw."""
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
