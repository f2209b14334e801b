"""Figure of a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from sklearn.metrics import confusion_matrix

from ._axes import given_axes
from ._style import new_figure, wrapped


def plot_confusion(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    classes: Sequence[Any],
    title: str = "",
    ax: Any = None,
) -> Figure:
    """Plot the confusion matrix, in per cent of each true class and in numbers of trials.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (n_trials,)
        True and predicted labels.
    classes : sequence
        Labels in the order of rows and columns.
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
        If none of the labels is one of the classes.
    TypeError
        If `ax` is not Axes.

    Examples
    --------
    >>> from skeeg.plotting import plot_confusion
    >>> figure = plot_confusion(["rest", "task"], ["rest", "rest"], classes=["rest", "task"])
    """
    counts = confusion_matrix(y_true, y_pred, labels=list(classes))
    shares = 100 * counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    n_classes = len(classes)
    if ax is None:
        side = max(3.2, 1.0 + 0.85 * n_classes)
        figure = new_figure(side + 1.6, side + 0.6)
        axes = figure.subplots()
    else:
        figure, (axes,) = given_axes(ax, 1)
    image = axes.imshow(shares, cmap="cividis", vmin=0, vmax=100)
    for row in range(n_classes):
        for column in range(n_classes):
            dark = shares[row, column] < 55
            axes.text(
                column,
                row,
                f"{shares[row, column]:.0f} %\n({counts[row, column]})",
                ha="center",
                va="center",
                color="white" if dark else "black",
                fontsize=10 if n_classes < 6 else 8,
            )
    names = [wrapped(label, 14) for label in classes]
    rotation = 0 if max(map(len, names)) <= 9 else 40
    axes.set_xticks(
        range(n_classes), names, rotation=rotation, ha="right" if rotation else "center"
    )
    axes.set_yticks(range(n_classes), names)
    axes.set_xlabel("Predicted class")
    axes.set_ylabel("True class")
    axes.set_title(wrapped(title, 40), fontsize=11)
    figure.colorbar(image, ax=axes, label="Share of the true class (%)", shrink=0.85)
    return figure
