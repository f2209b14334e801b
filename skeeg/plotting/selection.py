"""Which electrodes were chosen, where they lie, and how surely."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from .._electrodes import flat_positions
from ..features._base import check_ch_names
from ._style import BLUE, GREY, ORANGE, new_figure, wrapped

#: Channels that no slot takes with more than this probability are left out, and all beyond so many.
_LEAST_SHOWN, _MOST_SHOWN = 0.05, 40


def plot_selection(
    estimator: Any, ch_names: Sequence[str] | None = None, *, title: str = ""
) -> Figure:
    """Plot the chosen electrodes on the head and, of networks, each slot's probabilities.

    Parameters
    ----------
    estimator : classifier or selector
        Fitted: a classifier with ``n_selected_chans``, or a transformer of
        `skeeg.channel_selection`.
    ch_names : sequence of str, length n_chans, optional
        The channels' names, electrodes of the 10-05 system; those of the training data when left
        out.
    title : str
        Above the figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The head seen from above, the nose upwards; chosen electrodes are filled and named, those
        that several slots have chosen with their number. Beside it, the channels by slots; a dot
        marks what a slot takes, and channels that no slot takes with a probability above 0.05 are
        left out.

    Raises
    ------
    NotFittedError
        Before ``fit``.
    ValueError
        If the names are unknown, or do not fit the channels.

    Examples
    --------
    >>> from skeeg.channel_selection import MutualInformationSelector
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.plotting import plot_selection
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> figure = plot_selection(MutualInformationSelector(2).fit(data, data.y))
    """
    check_is_fitted(estimator)
    names = _names(estimator, ch_names)
    network = getattr(estimator, "estimator_", estimator)
    chosen = network.selected_channels_
    p = getattr(network, "selection_probabilities_", None)
    figure = new_figure(4.6 if p is None else 8.6, 4.6)
    panels = figure.subplots(
        1, 1 if p is None else 2, squeeze=False, width_ratios=[1] if p is None else [1.25, 1]
    )[0]
    _draw_head(panels[0], names, np.bincount(chosen, minlength=len(names)))
    if p is not None:
        _draw_probabilities(figure, panels[1], names, p, chosen)
    if title:
        figure.suptitle(wrapped(title, 70), fontsize=11)
    return figure


def _names(estimator: Any, ch_names: Sequence[str] | None) -> tuple[str, ...]:
    """Return a name for each channel of the training data."""
    name = type(estimator).__name__
    given = ch_names if ch_names is not None else estimator.ch_names_
    if given is None:
        raise ValueError(f"{name} was fitted to trials without channel names; pass ch_names.")
    names = check_ch_names(given, "plot_selection")
    if len(names) != estimator.n_chans_:
        raise ValueError(
            f"ch_names must name each of the {estimator.n_chans_} channels that {name} was fitted "
            f"with, got {len(names)} names."
        )
    return names


def _draw_head(axes: Axes, names: Sequence[str], times: NDArray[np.int64]) -> None:
    """Draw the electrodes on the head, those that were chosen filled and named."""
    places = flat_positions(names)
    reach = max(1.0, float(np.hypot(*places.T).max()))
    axes.add_patch(Circle((0, 0), 1, fill=False, color=GREY, linewidth=1.2))
    axes.plot([-0.1, 0, 0.1], [0.995, 1.12, 0.995], color=GREY, linewidth=1.2)
    axes.plot(*places[times == 0].T, "o", color=GREY, fillstyle="none", markersize=4)
    axes.plot(*places[times > 0].T, "o", color=BLUE, markersize=9)
    for name, place, n_slots in zip(names, places, times, strict=True):
        if n_slots:
            axes.annotate(
                f"{name} x{n_slots}" if n_slots > 1 else name,
                tuple(place),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=9,
            )
    axes.set(xlim=(-1.15 * reach, 1.15 * reach), ylim=(-1.15 * reach, 1.2 * reach), aspect="equal")
    axes.axis("off")
    axes.set_title(f"{np.count_nonzero(times)} of {len(names)} electrodes", fontsize=11)


def _draw_probabilities(
    figure: Figure,
    axes: Axes,
    names: Sequence[str],
    p: NDArray[np.float32],
    chosen: NDArray[np.int64],
) -> None:
    """Draw how probable channels are in each slot, of the most probable, and what it took."""
    weight = p.max(axis=1) + np.isin(np.arange(len(p)), chosen)  # chosen channels come first
    n_shown = min(np.count_nonzero(weight > _LEAST_SHOWN), _MOST_SHOWN)
    most = np.argsort(-weight, kind="stable")[:n_shown]
    # By slots: the channels of the first, then of the second, down the diagonal.
    rows = most[np.argsort(p[most].argmax(axis=1), kind="stable")]
    image = axes.imshow(p[rows], vmin=0, vmax=1, cmap="cividis", aspect="auto")
    axes.set_xticks(range(p.shape[1]), [str(slot + 1) for slot in range(p.shape[1])])
    size = 8 if len(rows) < 25 else 6
    axes.set_yticks(range(len(rows)), [names[row] for row in rows], fontsize=size)
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if row in chosen else "normal")
    taken = [(slot, row) for row, i in enumerate(rows) for slot in np.flatnonzero(chosen == i)]
    axes.plot(*np.array(taken).T, "o", color=ORANGE, markersize=5)
    axes.set_xlabel("slot")
    axes.set_title("Dots: what each slot takes", fontsize=9)
    figure.colorbar(image, ax=axes, label="probability", shrink=0.85)
