"""Figure of the gates of a network with attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length, column_or_1d

from ._axes import given_axes
from ._discs import draw_discs
from ._style import BLUE, GREY, new_figure, open_axes, wrapped

if TYPE_CHECKING:
    from ..estimators import NetworkEstimator

_MAX_COLUMNS = 4
#: Smallest range of the colours, so that rounding errors of equal gates are not visible.
_NARROWEST = 0.02


def plot_attention(
    estimator: NetworkEstimator,
    X: Any,
    y: ArrayLike | None = None,
    *,
    ch_names: Sequence[str] | None = None,
    title: str = "",
    ax: Any = None,
) -> Figure:
    """Plot the mean gates of a network with attention, for electrodes on the scalp.

    Parameters
    ----------
    estimator : NetworkEstimator
        A fitted network with attention, such as ``EEGNetClassifier(attention="se",
        attention_axis="electrodes")``.
    X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
        Trials as for ``predict``.
    y : array-like, shape (n_trials,), optional
        Labels of any type. If given, the mean gates of each label are drawn separately. Gates are
        computed for each trial, so they can differ between classes.
    ch_names : sequence of str, length n_chans, optional
        Names of the channels in `X`, electrodes of the 10-05 system. By default the names of the
        channels in ``fit``.
    title : str
        Title of the figure.
    ax : matplotlib.axes.Axes or array-like of them, optional
        Axes to draw into, one for each label, or a single one without `y`; by default those of a
        new figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        For ``attention_axis="maps"``, a bar for each map with the standard deviation over trials.
        Otherwise the head seen from above, with a disc for each electrode that the network uses;
        for ``"map-electrode"``, the mean over maps.

    Raises
    ------
    TypeError
        If `estimator` is not a network of skeeg, or `ax` is not Axes.
    NotFittedError
        If it is not fitted.
    ValueError
        If it has no attention, the trials differ in shape or channels from those in ``fit``, the
        electrodes have no names or positions, or the number of `ax` is another.

    See Also
    --------
    skeeg.inspection.attention_gates : Return the gates, with notes on their interpretation.

    Examples
    --------
    >>> from skeeg import EEGNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.plotting import plot_attention
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)[:40]
    >>> clf = EEGNetClassifier(
    ...     attention="se", attention_axis="electrodes", max_epochs=1, random_state=0
    ... )
    >>> figure = plot_attention(clf.fit(data, data.y), data, data.y)
    """
    # Imported here, so that the other figures do not import torch.
    from ..inspection.attention import attention_gates, attention_layer

    gates = attention_gates(estimator, X)
    groups = _groups(gates, y)
    if attention_layer(estimator, "plot_attention").axis == "maps":
        figure, panels = _plot_maps(groups, ax)
    else:
        names = _input_names(estimator, ch_names)
        means = {name: own.reshape(-1, len(names)).mean(axis=0) for name, own in groups.items()}
        figure, panels = _plot_electrodes(means, names, ax)
    if title and ax is None:
        figure.suptitle(wrapped(title, 70), fontsize=11)
    elif title:
        panels[0].set_title(f"{wrapped(title, 40)}\n{panels[0].get_title()}", fontsize=11)
    return figure


def _groups(gates: NDArray[np.float64], y: ArrayLike | None) -> dict[str, NDArray[np.float64]]:
    """Return the gates of each label, or of all trials, by a name with the number of trials."""
    if y is None:
        return {_counted("all trials", len(gates)): gates}
    labels = column_or_1d(y)
    check_consistent_length(gates, labels)
    return {
        _counted(str(label), int(np.sum(labels == label))): gates[labels == label]
        for label in np.unique(labels)
    }


def _counted(name: str, n_trials: int) -> str:
    return f"{name} (n = {n_trials})"


def _input_names(estimator: NetworkEstimator, ch_names: Sequence[str] | None) -> list[str]:
    """Return the names of the electrodes that the network uses, in its order."""
    from ..inspection._networks import input_channels

    names = estimator.ch_names_ if ch_names is None else ch_names
    if names is None:
        raise ValueError(
            "The electrodes have no names, because the estimator was fitted on a plain array. "
            "Pass ch_names, or fit on EEGData or mne.Epochs."
        )
    if len(names) != estimator.n_chans_:
        raise ValueError(
            f"ch_names must name the {estimator.n_chans_} channels that the estimator was fitted "
            f"on; got {len(names)} names."
        )
    return [names[channel] for channel in input_channels(estimator)]


def _plot_electrodes(
    means: dict[str, NDArray[np.float64]], ch_names: list[str], ax: Any
) -> tuple[Figure, list[Axes]]:
    if ax is None:
        n_columns = min(len(means), _MAX_COLUMNS)
        n_rows = -(-len(means) // n_columns)
        figure = new_figure(3.4 * n_columns + 1.1, 3.6 * n_rows + 0.3)
        panels = list(figure.subplots(n_rows, n_columns, squeeze=False).ravel())
    else:
        figure, panels = given_axes(ax, len(means))
    scale, colours = _scale(np.concatenate(list(means.values()))), colormaps["cividis"]
    for axes, (name, own) in zip(panels, means.items(), strict=False):
        discs = draw_discs(axes, own, ch_names, scale, colours)
        axes.set_title(wrapped(name, 30), fontsize=11)
    for axes in panels[len(means) :]:
        axes.set_visible(False)
    figure.colorbar(discs, ax=list(panels), label="Mean gate (0: blocked, 1: passed)", shrink=0.8)
    return figure, panels


def _scale(values: NDArray[np.float64]) -> Normalize:
    low, high = float(values.min()), float(values.max())
    missing = max(0.0, _NARROWEST - (high - low)) / 2
    return Normalize(low - missing, high + missing)


def _plot_maps(groups: dict[str, NDArray[np.float64]], ax: Any) -> tuple[Figure, list[Axes]]:
    n_maps = next(iter(groups.values())).shape[1]
    if ax is None:
        figure = new_figure(min(12.0, max(4.0, 1.2 + 0.22 * n_maps)), 0.6 + 2.2 * len(groups))
        drawn = figure.subplots(len(groups), 1, squeeze=False, sharex=True, sharey=True)
        panels = list(drawn.ravel())
    else:
        figure, panels = given_axes(ax, len(groups))
    for axes, (name, own) in zip(panels, groups.items(), strict=True):
        axes.bar(
            np.arange(n_maps),
            own.mean(axis=0),
            yerr=own.std(axis=0),
            color=BLUE,
            ecolor=GREY,
            error_kw={"elinewidth": 1},
        )
        axes.set_xlim(-0.6, n_maps - 0.4)
        axes.set_ylim(0, 1)
        axes.set_ylabel("Mean gate ± SD")
        axes.set_title(wrapped(name, 60), fontsize=11)
        open_axes(axes)
    panels[-1].set_xlabel("Map of the spatial filters")
    panels[-1].xaxis.get_major_locator().set_params(integer=True)
    return figure, panels
