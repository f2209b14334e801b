"""Figure of the electrodes that a network or a selector selected."""

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
from ._axes import given_axes
from ._style import BLUE, GREY, ORANGE, literal, new_figure, open_axes, wrapped

#: Smallest probability with which a channel is shown, and largest number of channels shown.
_LEAST_SHOWN, _MOST_SHOWN = 0.05, 40


def plot_selection(
    estimator: Any, ch_names: Sequence[str] | None = None, *, title: str = "", ax: Any = None
) -> Figure:
    """Plot the selected electrodes on the head and, for networks, how they were selected.

    Parameters
    ----------
    estimator : classifier or selector
        Fitted classifier with ``n_selected_chans``, or a fitted transformer of
        `skeeg.channel_selection`.
    ch_names : sequence of str, length n_chans, optional
        Names of the channels, electrodes of the 10-05 system. By default the names in the training
        data.
    title : str
        Title of the figure.
    ax : matplotlib.axes.Axes or array-like of them, optional
        Axes to draw into, one for the head and, if there are two panels, one for the other; by
        default those of a new figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The head seen from above, with the nose at the top. Selected electrodes are filled and
        labelled. After an elimination, bars show the saliency of each channel, as its share in the
        channels that were left when it was last computed, in the order of removal: selected
        channels first, then the channel that was removed last. With ``selection__method="gumbel"``,
        an image shows the probability of each channel in each slot. A dot marks the channel that a
        slot selects, and a label counts the slots if there are several. Channels with a probability
        of at most 0.05 in all slots are not shown. At most 40 channels are shown.

    Raises
    ------
    NotFittedError
        Before ``fit``.
    ValueError
        If there are no names, or their number differs from that of the channels; or the number of
        `ax` is another.
    TypeError
        If `ax` is not Axes.

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
    ranking = getattr(network, "selection_ranking_", None)
    if ax is not None:
        figure, panels = given_axes(ax, 1 if p is None and ranking is None else 2)
    elif p is None and ranking is None:
        figure = new_figure(4.6, 4.6)
        panels = list(figure.subplots(1, 1, squeeze=False)[0])
    else:
        figure = new_figure(8.6, 4.6)
        panels = list(figure.subplots(1, 2, width_ratios=[1.25, 1]))
    _draw_head(panels[0], names, np.bincount(chosen, minlength=len(names)))
    if ranking is not None:
        _draw_saliency(panels[1], names, ranking, network.selection_saliency_)
    elif p is not None:
        _draw_probabilities(figure, panels[1], names, p, chosen)
    if title and ax is None:
        figure.suptitle(wrapped(title, 70), fontsize=11)
    elif title:
        panels[0].set_title(f"{wrapped(title, 40)}\n{panels[0].get_title()}", fontsize=11)
    return figure


def _names(estimator: Any, ch_names: Sequence[str] | None) -> tuple[str, ...]:
    """Return a name for each channel of the training data."""
    name = type(estimator).__name__
    given = ch_names if ch_names is not None else estimator.ch_names_
    if given is None:
        raise ValueError(f"{name} was fitted on trials without channel names; pass ch_names.")
    names = check_ch_names(given, "plot_selection")
    if len(names) != estimator.n_chans_:
        raise ValueError(
            f"ch_names must name each of the {estimator.n_chans_} channels that {name} was fitted "
            f"with, got {len(names)} names."
        )
    return names


def _draw_head(axes: Axes, names: Sequence[str], times: NDArray[np.int64]) -> None:
    """Draw the electrodes on the head, with selected electrodes filled and labelled."""
    places = flat_positions(names)
    reach = max(1.0, float(np.hypot(*places.T).max()))
    axes.add_patch(Circle((0, 0), 1, fill=False, color=GREY, linewidth=1.2))
    axes.plot([-0.1, 0, 0.1], [0.995, 1.12, 0.995], color=GREY, linewidth=1.2)
    axes.plot(*places[times == 0].T, "o", color=GREY, fillstyle="none", markersize=4)
    axes.plot(*places[times > 0].T, "o", color=BLUE, markersize=9)
    for name, place, n_slots in zip(names, places, times, strict=True):
        if n_slots:
            axes.annotate(
                literal(f"{name} x{n_slots}" if n_slots > 1 else name),
                tuple(place),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=9,
            )
    axes.set(xlim=(-1.15 * reach, 1.15 * reach), ylim=(-1.15 * reach, 1.2 * reach), aspect="equal")
    axes.axis("off")
    axes.set_title(f"{np.count_nonzero(times)} of {len(names)} electrodes", fontsize=11)


def _draw_saliency(
    axes: Axes, names: Sequence[str], ranking: NDArray[np.int64], saliency: NDArray[np.float32]
) -> None:
    """Draw the saliency of the channels that were left longest, the selected ones first."""
    rows = np.lexsort((-saliency, ranking))[:_MOST_SHOWN]
    axes.barh(
        range(len(rows)),
        saliency[rows],
        color=[BLUE if ranking[row] == 1 else GREY for row in rows],
    )
    size = 8 if len(rows) < 25 else 6
    axes.set_yticks(range(len(rows)), [literal(names[row]) for row in rows], fontsize=size)
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if ranking[row] == 1 else "normal")
    axes.invert_yaxis()
    axes.set_xlabel("share of the saliency")
    axes.set_ylabel("removed earlier  \N{LEFTWARDS ARROW}  selected")
    axes.set_title("Blue: selected channels", fontsize=9)
    open_axes(axes)


def _draw_probabilities(
    figure: Figure,
    axes: Axes,
    names: Sequence[str],
    p: NDArray[np.float32],
    chosen: NDArray[np.int64],
) -> None:
    """Draw the probabilities of the most probable channels in each slot, and the selected ones."""
    weight = p.max(axis=1) + np.isin(np.arange(len(p)), chosen)  # selected channels come first
    n_shown = min(np.count_nonzero(weight > _LEAST_SHOWN), _MOST_SHOWN)
    most = np.argsort(-weight, kind="stable")[:n_shown]
    # Channels are sorted by their most probable slot, so that the image is close to diagonal.
    rows = most[np.argsort(p[most].argmax(axis=1), kind="stable")]
    image = axes.imshow(p[rows], vmin=0, vmax=1, cmap="cividis", aspect="auto")
    axes.set_xticks(range(p.shape[1]), [str(slot + 1) for slot in range(p.shape[1])])
    size = 8 if len(rows) < 25 else 6
    axes.set_yticks(range(len(rows)), [literal(names[row]) for row in rows], fontsize=size)
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if row in chosen else "normal")
    taken = [(slot, row) for row, i in enumerate(rows) for slot in np.flatnonzero(chosen == i)]
    axes.plot(*np.array(taken).T, "o", color=ORANGE, markersize=5)
    axes.set_xlabel("slot")
    axes.set_title("Dots: selected channels", fontsize=9)
    figure.colorbar(image, ax=axes, label="probability", shrink=0.85)
