"""Figures of spatial patterns, frequency responses, channel importance and saliency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch

from .._checks import check_positive_ints
from .._electrodes import has_place
from ._axes import given_axes
from ._discs import draw_discs
from ._scalp import draw_surface
from ._style import BLUE, GREY, ORANGE, literal, new_figure, open_axes, wrapped

if TYPE_CHECKING:
    from ..estimators import NetworkEstimator
    from ..inspection import FrequencyResponse, SpatialPatterns

_MAX_COLUMNS = 4
#: Number of channels with a bar in the figure of importance.
_MAX_BARS = 12
#: Largest number of names beside an image; more would overlap.
_MAX_NAMES = 40


def plot_patterns(
    patterns: SpatialPatterns | NetworkEstimator,
    X: Any = None,
    *,
    n_filters: int = 4,
    ch_names: Sequence[str] | None = None,
    unit: str = "V",
    fmax: float | None = None,
    title: str = "",
    ax: Any = None,
) -> Figure:
    """Plot the scalp patterns and the frequency responses of a network's spatial filters.

    Parameters
    ----------
    patterns : SpatialPatterns or NetworkEstimator
        From `skeeg.inspection.spatial_patterns`, or the fitted network.
    X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times), optional
        Trials, usually the training trials. Required with a network, because a pattern depends on
        the covariance of the trials.
    n_filters : int, default=4
        Number of filters that are drawn, in the order of their contributions.
    ch_names : sequence of str, length n_chans, optional
        Names of the electrodes in the 10-05 system. Required if the patterns have no names.
    unit : str, default="V"
        Unit of the trials. Volts are drawn as microvolts.
    fmax : float, optional
        Highest frequency that is drawn, in Hz; by default half the sampling rate.
    title : str
        Title of the figure.
    ax : matplotlib.axes.Axes or array-like of them, optional
        Axes to draw into: first one for each map, then one for each
        frequency response; by default those of a new figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Each map has its own colour scale. The sign of a pattern is arbitrary, because the sign of
        a filter's output is.

    Raises
    ------
    ValueError
        If the electrodes have no names or positions, `n_filters` is not a positive integer, the
        number of `ax` is another, or a network comes without `X`; and as `spatial_patterns`.
    TypeError
        If `patterns` is neither patterns nor a network of skeeg, or `ax` is not Axes.

    Examples
    --------
    >>> from skeeg import EEGNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.inspection import spatial_patterns
    >>> from skeeg.plotting import plot_patterns
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = EEGNetClassifier(max_epochs=2, random_state=0).fit(data, data.y)
    >>> figure = plot_patterns(spatial_patterns(clf, data), n_filters=3)
    """
    check_positive_ints(n_filters=n_filters)
    patterns = _patterns(patterns, X)
    n_chans = patterns.patterns.shape[1]
    names = _names(patterns.ch_names, ch_names, n_chans)
    factor, label = (1e6, "µV") if unit == "V" else (1.0, unit)
    chosen = np.argsort(-patterns.contributions, kind="stable")[:n_filters]
    n_columns = min(len(chosen), _MAX_COLUMNS)
    if ax is None:
        figure, panels = _pattern_panels(len(chosen), n_columns, bool(title))
    else:
        figure, panels = given_axes(ax, 2 * len(chosen))
    for place, i in enumerate(chosen):
        head, below = panels[place], panels[place + len(chosen)]
        values = patterns.patterns[i] * factor
        highest = float(np.abs(values).max()) or 1.0
        scale = Normalize(-highest, highest)
        drawn = draw_surface(head, values, names, scale, colormaps["PuOr_r"])
        figure.colorbar(drawn, ax=head, label=label, orientation="horizontal", shrink=0.7)
        head.set_title(_described(patterns, i), fontsize=10)
        _draw_frequencies(below, patterns, i, fmax)
        if place % n_columns == 0:
            below.set_ylabel("Relative to the maximum", fontsize=9)
    if ax is None:
        legend = below.get_legend_handles_labels()
        figure.legend(*legend, loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    else:
        below.legend(frameon=False, fontsize=8)
    _set_title(figure, panels, title, given=ax is not None)
    return figure


def _patterns(patterns: Any, X: Any) -> SpatialPatterns:
    """Return patterns, also those of a fitted network."""
    from ..inspection import SpatialPatterns, spatial_patterns

    if isinstance(patterns, SpatialPatterns):
        return patterns
    if X is None and hasattr(patterns, "fit"):
        raise ValueError(
            "The patterns of a network depend on the trials: pass them as X, usually the training "
            "trials, as in plot_patterns(clf, X)."
        )
    return spatial_patterns(patterns, X)


def _pattern_panels(n: int, n_columns: int, titled: bool) -> tuple[Figure, list[Axes]]:
    """Return a new figure with an axes for each map, then one for each frequency response."""
    n_rows = -(-n // n_columns)
    figure = new_figure(2.9 * n_columns, 4.6 * n_rows + (0.4 if titled else 0.1) + 0.4)
    panels = figure.subplots(
        2 * n_rows, n_columns, squeeze=False, gridspec_kw={"height_ratios": [1.5, 1] * n_rows}
    )
    heads, below = panels[::2].ravel(), panels[1::2].ravel()
    for axes in (*heads[n:], *below[n:]):
        axes.set_visible(False)
    return figure, [*heads[:n], *below[:n]]


def _set_title(figure: Figure, panels: list[Axes], title: str, *, given: bool) -> None:
    """Write the title above a new figure, or above the first of the axes of the user."""
    if not title:
        return
    if given:
        own = panels[0].get_title()
        panels[0].set_title(f"{wrapped(title, 40)}\n{own}".rstrip(), fontsize=11)
    else:
        figure.suptitle(wrapped(title, 80), fontsize=11)


def _described(patterns: SpatialPatterns, i: np.intp) -> str:
    contribution = patterns.contributions[i]
    share = "" if np.isnan(contribution) else f"\ncontribution {contribution:.2f}"
    return f"filter {i}{share}"


def _draw_frequencies(
    axes: Axes, patterns: SpatialPatterns, i: np.intp, fmax: float | None
) -> None:
    axes.fill_between(
        patterns.freqs,
        np.sqrt(patterns.spectra[i]),
        color=ORANGE,
        alpha=0.35,
        linewidth=0,
        label="amplitude of the output",
    )
    axes.plot(patterns.freqs, patterns.response[i], color=BLUE, label="response of the filter")
    peak = patterns.peak_freqs[i]
    if np.isfinite(peak):
        axes.axvline(peak, color=GREY, linestyle=":", linewidth=1)
        axes.set_title(f"peak at {peak:.1f} Hz", fontsize=9)
    axes.set_xlim(0, patterns.freqs[-1] if fmax is None else fmax)
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("Frequency (Hz)", fontsize=9)
    open_axes(axes)


def plot_frequency_response(
    response: FrequencyResponse, *, fmax: float | None = None, title: str = "", ax: Any = None
) -> Figure:
    """Plot the frequency response of each temporal filter as a row, sorted by peak frequency.

    Parameters
    ----------
    response : FrequencyResponse
        From `skeeg.inspection.temporal_filters`.
    fmax : float, optional
        Highest frequency that is drawn, in Hz; by default half the sampling rate.
    title : str
        Title of the figure.
    ax : matplotlib.axes.Axes or array-like of them, optional
        Axes to draw into, one for each kernel length; by default those of a new figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        With a panel for each kernel length.

    Raises
    ------
    ValueError
        If the number of `ax` is not that of the kernel lengths.
    TypeError
        If `ax` is not Axes.

    Examples
    --------
    >>> from skeeg import EEGNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.inspection import temporal_filters
    >>> from skeeg.plotting import plot_frequency_response
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = EEGNetClassifier(max_epochs=2, random_state=0).fit(data, data.y)
    >>> figure = plot_frequency_response(temporal_filters(clf), fmax=40)
    """
    lengths = list(dict.fromkeys(response.kernel_lengths.tolist()))
    heights = [1.0 + 0.12 * int(np.sum(response.kernel_lengths == length)) for length in lengths]
    if ax is None:
        figure = new_figure(6.5, sum(heights) + 0.9 + (0.4 if title else 0))
        ratios = {"height_ratios": heights}
        drawn = figure.subplots(len(lengths), squeeze=False, sharex=True, gridspec_kw=ratios)
        panels = list(drawn.ravel())
    else:
        figure, panels = given_axes(ax, len(lengths))
    highest = response.freqs[-1]
    for axes, length in zip(panels, lengths, strict=True):
        own = np.flatnonzero(response.kernel_lengths == length)
        rows = own[np.argsort(response.peak_freqs[own], kind="stable")]
        gains = response.response[rows]
        best = gains.max(axis=1, keepdims=True)
        image = axes.imshow(
            np.divide(gains, best, out=np.zeros_like(gains), where=best > 0),
            aspect="auto",
            interpolation="nearest",
            extent=(0, highest, len(rows) - 0.5, -0.5),
            cmap="cividis",
            vmin=0,
            vmax=1,
        )
        axes.plot(response.peak_freqs[rows], np.arange(len(rows)), ".", color=ORANGE, markersize=4)
        every = -(-len(rows) // _MAX_NAMES)
        axes.set_yticks(np.arange(0, len(rows), every), rows[::every], fontsize=7)
        axes.set_ylabel(f"Filter of {length} samples")
        axes.set_xlim(0, highest if fmax is None else fmax)
    panels[-1].set_xlabel("Frequency (Hz; dot: peak)")
    figure.colorbar(image, ax=list(panels), label="Gain relative to the peak")
    _set_title(figure, panels, title, given=ax is not None)
    return figure


def plot_importance(
    importance: Bunch,
    *,
    ch_names: Sequence[str] | None = None,
    metric: str = "accuracy",
    title: str = "",
    ax: Any = None,
) -> Figure:
    """Plot the permutation importance of channels on the scalp, and that of the most important.

    Parameters
    ----------
    importance : Bunch
        From `skeeg.inspection.channel_importance`.
    ch_names : sequence of str, length n_chans, optional
        Names of the electrodes in the 10-05 system. Required if `importance` has no names.
    metric : str, default="accuracy"
        Name of the score.
    title : str
        Title of the figure.
    ax : matplotlib.axes.Axes or array-like of them, optional
        Axes to draw into, one for the head and one for the bars; by default those of a new figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The head with a disc for each electrode, and bars for the twelve most important electrodes,
        with the standard deviation over repeats.

    Raises
    ------
    ValueError
        If the electrodes have no names or positions, or `ax` is not two Axes.
    TypeError
        If `ax` is not Axes.

    Examples
    --------
    >>> from skeeg.baselines import csp_lda
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.inspection import channel_importance
    >>> from skeeg.plotting import plot_importance
    >>> data = simulate_motor_imagery(n_subjects=1, difficulty=0.2, random_state=0)
    >>> clf = csp_lda().fit(data[:40], data.y[:40])
    >>> importance = channel_importance(clf, data[40:], data.y[40:], random_state=0)
    >>> figure = plot_importance(importance)
    """
    means, deviations = importance.importances_mean, importance.importances_std
    names = _names(importance.ch_names, ch_names, len(means))
    highest = float(np.abs(means).max()) or 0.01
    if ax is None:
        figure = new_figure(8.0, 4.0 + (0.3 if title else 0))
        panels = list(figure.subplots(1, 2, width_ratios=[1.3, 1]))
    else:
        figure, panels = given_axes(ax, 2)
    head, bars = panels
    scale = Normalize(-highest, highest)
    discs = draw_discs(head, means, names, scale, colormaps["PuOr_r"])
    loss = literal(f"Loss of {metric}")
    figure.colorbar(discs, ax=head, label=f"{loss} without the channel", shrink=0.8)
    order = np.argsort(-means, kind="stable")[:_MAX_BARS]
    rows = np.arange(len(order))
    bars.barh(
        rows,
        means[order],
        xerr=deviations[order],
        color=BLUE,
        ecolor=GREY,
        error_kw={"elinewidth": 1},
    )
    bars.axvline(0, color=GREY, linewidth=0.8)
    bars.set_yticks(rows, [literal(names[i]) for i in order], fontsize=8)
    bars.invert_yaxis()
    bars.set_xlabel(f"{loss} (of {importance.score:.3g})\nbar: standard deviation over repeats")
    open_axes(bars)
    _set_title(figure, panels, title, given=ax is not None)
    return figure


def plot_saliency(
    saliency: ArrayLike,
    *,
    ch_names: Sequence[str] | None = None,
    sfreq: float | None = None,
    tmin: float = 0.0,
    unit: str = "log-odds",
    title: str = "",
    ax: Any = None,
) -> Figure:
    """Plot the contribution of each channel over time, and its sum on the scalp.

    Parameters
    ----------
    saliency : array-like, shape (n_trials, n_chans, n_times) or (n_chans, n_times)
        From `skeeg.inspection.gradient_times_input`. For several trials, the mean is drawn.
    ch_names : sequence of str, length n_chans, optional
        Names of the channels. If all are electrodes of the 10-05 system, they are drawn on the
        scalp.
    sfreq : float, optional
        Sampling rate in Hz. Without it, time is in samples.
    tmin : float, default=0.0
        Time of the first sample, in seconds.
    unit : str, default="log-odds"
        Unit of the contributions, for the colour bars.
    title : str
        Title of the figure.
    ax : matplotlib.axes.Axes or array-like of them, optional
        Axes to draw into, one for the image and, with electrodes of the 10-05
        system, one for the head; by default those of a new figure.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If `saliency` has another shape or is not finite, or the number of names is not that of the
        channels, or the number of `ax` is another.
    TypeError
        If `ax` is not Axes.

    Examples
    --------
    >>> from skeeg import EEGNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.inspection import gradient_times_input
    >>> from skeeg.plotting import plot_saliency
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = EEGNetClassifier(max_epochs=2, random_state=0).fit(data, data.y)
    >>> saliency = gradient_times_input(clf, data, data.y)
    >>> figure = plot_saliency(saliency, ch_names=data.ch_names, sfreq=data.sfreq, tmin=0.5)
    """
    mean = _mean_saliency(saliency)
    names = None if ch_names is None else _names(None, ch_names, len(mean))
    placed = names is not None and all(map(has_place, names))
    if ax is None:
        figure = new_figure(9.5 if placed else 6.5, 4.2 + (0.3 if title else 0))
        ratios = [1.3, 1] if placed else None
        panels = list(figure.subplots(1, 1 + placed, squeeze=False, width_ratios=ratios)[0])
    else:
        figure, panels = given_axes(ax, 1 + placed)
    highest = float(np.abs(mean).max()) or 1.0
    step = 1.0 if sfreq is None else 1 / sfreq
    start = 0.0 if sfreq is None else tmin
    image = panels[0].imshow(
        mean,
        aspect="auto",
        interpolation="nearest",
        extent=(start, start + mean.shape[1] * step, len(mean) - 0.5, -0.5),
        cmap="PuOr_r",
        vmin=-highest,
        vmax=highest,
    )
    panels[0].set_xlabel("Time (samples)" if sfreq is None else "Time (s)")
    if names is not None:
        every = -(-len(names) // _MAX_NAMES)
        shown = [literal(name) for name in names[::every]]
        panels[0].set_yticks(np.arange(0, len(names), every), shown, fontsize=7)
    panels[0].set_ylabel("Channel")
    figure.colorbar(image, ax=panels[0], label=f"Contribution of a sample ({literal(unit)})")
    if names is not None and placed:
        total = mean.sum(axis=1)
        highest = float(np.abs(total).max()) or 1.0
        scale = Normalize(-highest, highest)
        discs = draw_discs(panels[1], total, names, scale, colormaps["PuOr_r"])
        label = f"Contribution of all samples ({literal(unit)})"
        figure.colorbar(discs, ax=panels[1], label=label, shrink=0.8)
    _set_title(figure, panels, title, given=ax is not None)
    return figure


def _mean_saliency(saliency: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(saliency, dtype=np.float64)
    if values.ndim == 3 and len(values):
        values = values.mean(axis=0)
    if values.ndim != 2 or values.size == 0:
        raise ValueError(
            "saliency must have shape (n_trials, n_chans, n_times) or (n_chans, n_times), got "
            f"{np.shape(saliency)}. For maps, use plot_topographic_map."
        )
    if not np.isfinite(values).all():
        raise ValueError("saliency must be finite; it holds NaN or infinity.")
    return values


def _names(
    known: Sequence[str] | None, given: Sequence[str] | None, n_chans: int
) -> tuple[str, ...]:
    """Return the names that the user passed or, if there are none, those of the trials."""
    names = known if given is None else given
    if names is None:
        raise ValueError(
            "The electrodes have no names, because the trials were a plain array. Pass ch_names, "
            "or use EEGData or mne.Epochs."
        )
    if len(names) != n_chans:
        raise ValueError(f"ch_names must name the {n_chans} channels; got {len(names)} names.")
    return tuple(names)
