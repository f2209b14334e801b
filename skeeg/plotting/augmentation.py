"""Figure of what augmentations do to a trial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.base import clone

from .._checks import check_integer
from .._validation import unwrap
from ._axes import given_axes
from ._style import BLUE, GREY, literal, new_figure, open_axes, wrapped

if TYPE_CHECKING:
    from ..augmentation import Augmentation

#: Number of channels that are drawn by default.
_N_CHANNELS = 3


def plot_augmentations(
    X: Any,
    augmentations: str | Augmentation | Sequence[str | Augmentation],
    *,
    trial: int = 0,
    channels: Sequence[str | int] | None = None,
    fmax: float | None = None,
    random_state: Any = 0,
    title: str = "",
    ax: Any = None,
) -> Figure:
    """Plot a trial, and its amplitude spectrum, before and after each augmentation.

    The trial is changed whatever the probability of the augmentation is.

    Parameters
    ----------
    X : EEGData, mne.Epochs or array-like, shape (n_trials, n_chans, n_times)
        Trials: the one that is drawn, and others for `skeeg.augmentation.Mixup`.
    augmentations : str, Augmentation or sequence of them
        As the parameter ``augment`` of estimators. Each has a row.
    trial : int, default=0
        The trial that is drawn.
    channels : sequence of str or int, optional
        Names or indices of the channels that are drawn; by default the first three.
    fmax : float, optional
        Highest frequency that is drawn, in Hz; by default half the sampling rate.
    random_state : int, RandomState or None, default=0
        Seed of the changes.
    title : str
        Title of the figure.
    ax : sequence of matplotlib.axes.Axes, optional
        Two for each augmentation: for its signals and for its spectra. By default a new figure is
        made.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    TypeError
        If `ax` is something else.
    ValueError
        If `ax` has another number of Axes, there is no augmentation, no such trial or channel, or
        the trials do not have what an augmentation needs.

    Examples
    --------
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.plotting import plot_augmentations
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> figure = plot_augmentations(data, ["time_shift", "mirror"], channels=["C3", "C4"])
    >>> len(figure.axes)
    4
    """
    from ..augmentation import resolve_augmentations

    resolved = resolve_augmentations(augmentations)
    if not resolved:
        raise ValueError("plot_augmentations needs at least one augmentation, got none.")
    unwrapped = unwrap(X)
    trials = np.asarray(unwrapped.values)
    check_integer("trial", trial, at_least=0, at_most=len(trials) - 1)
    places, names = _chosen_channels(channels, unwrapped.ch_names, trials.shape[1])
    sfreq = unwrapped.sfreq
    before = trials[trial, places]
    if ax is None:
        figure = new_figure(9, 0.8 + (0.5 + 0.35 * len(places)) * len(resolved))
        rows = figure.subplots(len(resolved), 2, squeeze=False, width_ratios=[2, 1], sharex="col")
    else:
        figure, panels = given_axes(ax, 2 * len(resolved))
        rows = np.array(panels).reshape(len(resolved), 2)
    for (signals, spectra), augmentation in zip(rows, resolved, strict=True):
        changed = clone(augmentation).set_params(probability=1.0)(X, None, random_state)
        after = changed[trial, places]
        _draw_signals(signals, before, after, names, sfreq)
        _draw_spectra(spectra, before, after, sfreq, fmax)
        signals.set_title(literal(repr(augmentation)), loc="left", fontsize=9)
    lines = rows[0, 0].lines[0], rows[0, 0].lines[len(places)]
    if ax is None:
        figure.legend(lines, ["before", "after"], loc="outside upper right", ncols=2, fontsize=8)
    else:
        rows[0, 1].legend(lines, ["before", "after"], fontsize=8)
    rows[-1, 0].set_xlabel("Time (samples)" if sfreq is None else "Time (s)")
    rows[-1, 1].set_xlabel("Frequency (cycles per trial)" if sfreq is None else "Frequency (Hz)")
    if title and ax is None:
        figure.suptitle(wrapped(title, 90))
    elif title:
        rows[0, 0].set_title(wrapped(title, 60))
    return figure


def _chosen_channels(
    channels: Sequence[str | int] | None, ch_names: tuple[str, ...] | None, n_chans: int
) -> tuple[list[int], list[str]]:
    known = [str(i) for i in range(n_chans)] if ch_names is None else list(ch_names)
    if channels is None:
        places = list(range(min(_N_CHANNELS, n_chans)))
    else:
        valid = {*known, *range(n_chans)}
        missing = [channel for channel in channels if channel not in valid]
        if missing or not len(channels):
            wrong = missing[0] if missing else list(channels)
            raise ValueError(
                f"channels has {wrong!r}; the channels of X are {', '.join(known)}, with the "
                f"indices 0 to {n_chans - 1}."
            )
        places = [known.index(c) if isinstance(c, str) else c for c in channels]
    return places, [known[place] for place in places]


def _draw_signals(
    axes: Axes,
    before: NDArray[Any],
    after: NDArray[Any],
    names: list[str],
    sfreq: float | None,
) -> None:
    """Draw the channels below each other, at a distance at which few samples overlap."""
    times = np.arange(before.shape[1]) / (sfreq or 1.0)
    distance = 5 * np.median(before.std(axis=1)) or 1.0
    offsets = -distance * np.arange(len(before))[:, None]
    middle = before.mean(axis=1, keepdims=True)
    for values, colour in ((before, GREY), (after, BLUE)):
        axes.plot(times, (values - middle + offsets).T, color=colour, linewidth=0.8)
    axes.set_yticks(offsets[:, 0], [literal(name) for name in names])
    axes.margins(x=0)
    open_axes(axes)


def _draw_spectra(
    axes: Axes,
    before: NDArray[Any],
    after: NDArray[Any],
    sfreq: float | None,
    fmax: float | None,
) -> None:
    """Draw the mean amplitude spectrum of the channels."""
    n_times = before.shape[1]
    frequencies = np.fft.rfftfreq(n_times, 1 / (sfreq or n_times))
    shown = frequencies <= (frequencies[-1] if fmax is None else fmax)
    for values, colour in ((before, GREY), (after, BLUE)):
        centred = values - values.mean(axis=1, keepdims=True)
        amplitudes = np.abs(np.fft.rfft(centred)).mean(axis=0)
        axes.plot(frequencies[shown], amplitudes[shown], color=colour, linewidth=0.8)
    axes.set_yticks([])
    axes.set_ylabel("Amplitude", fontsize=8)
    axes.margins(x=0)
    open_axes(axes)
