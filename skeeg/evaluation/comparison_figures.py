"""The methods of a comparison for figures."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .about import About
from .figure_files import COLUMN_WIDTH, FORMATS, check_formats, figure_name, save_figure
from .metrics import METRICS
from .statistics import paired_scores
from .tasks import TASKS

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ComparisonFigures:
    """The figures of a `Comparison`.

    Importing matplotlib takes half a second, so plotting is imported when a figure is drawn.
    """

    scores: pd.DataFrame
    predictions: pd.DataFrame
    history: pd.DataFrame
    about: About

    if TYPE_CHECKING:

        def summary(self, metric: str | None = None) -> pd.DataFrame:
            """As in `Comparison`."""

        def can_rank(self, metric: str | None = None) -> bool:
            """As in `Comparison`."""

        def plot_critical_difference(
            self, metric: str | None = None, *, level: float = 0.05, ax: Any = None
        ) -> Figure:
            """As in `Comparison`."""

        def check_metric(self, metric: str | None) -> str:
            """As in `Comparison`."""

        def check_name(self, name: str) -> str:
            """As in `Comparison`."""

    def plot_scores(self, metric: str | None = None, *, ax: Any = None) -> Figure:
        """Plot the scores of each estimator, with their mean, standard deviation and chance.

        Parameters
        ----------
        metric : str, optional
            A metric of the comparison; by default the first.
        ax : matplotlib.axes.Axes, optional
            Axes to draw into; by default those of a new figure.

        Returns
        -------
        figure : matplotlib.figure.Figure
        """
        from ..plotting import plot_scores

        metric = self.check_metric(metric)
        paired, unit = self._paired(metric)
        return plot_scores(
            paired,
            self._source(metric),
            unit=unit,
            chance=self._chance(metric),
            chance_upper=self.about.chance_of(metric).upper,
            title=self._title(self.about.protocol),
            ax=ax,
        )

    def plot_paired_scores(self, metric: str | None = None, *, ax: Any = None) -> Figure:
        """Plot the scores of each subject, or fold, as a line across the estimators.

        Parameters
        ----------
        metric : str, optional
            A metric of the comparison; by default the first.
        ax : matplotlib.axes.Axes, optional
            Axes to draw into; by default those of a new figure.

        Returns
        -------
        figure : matplotlib.figure.Figure
        """
        from ..plotting import plot_paired_scores

        metric = self.check_metric(metric)
        paired, unit = self._paired(metric)
        return plot_paired_scores(
            paired,
            self._source(metric),
            unit=unit,
            chance=self._chance(metric),
            title=self._title(self.about.protocol),
            ax=ax,
        )

    def plot_confusion(self, name: str, *, ax: Any = None) -> Figure:
        """Plot the confusion matrix of an estimator over the out-of-fold trials.

        Parameters
        ----------
        name : str
            Name of the estimator.
        ax : matplotlib.axes.Axes, optional
            Axes to draw into; by default those of a new figure.

        Returns
        -------
        figure : matplotlib.figure.Figure

        Raises
        ------
        ValueError
            If it is a regression.
        """
        from ..plotting import plot_confusion

        self._check_task("classification", "classes to confuse: use plot_predictions")
        own = self.predictions[self.predictions["estimator"] == self.check_name(name)]
        return plot_confusion(
            own["y_true"],
            own["y_pred"],
            classes=self.about.classes,
            title=self._title(name),
            ax=ax,
        )

    def plot_predictions(self, name: str, *, ax: Any = None) -> Figure:
        """Plot the out-of-fold predictions of a regression against the true targets.

        Parameters
        ----------
        name : str
            Name of the estimator.
        ax : matplotlib.axes.Axes, optional
            Axes to draw into; by default those of a new figure.

        Returns
        -------
        figure : matplotlib.figure.Figure

        Raises
        ------
        ValueError
            If it is a classification.
        """
        from ..plotting import plot_predictions

        self._check_task("regression", "continuous predictions: use plot_confusion")
        own = self.predictions[self.predictions["estimator"] == self.check_name(name)]
        return plot_predictions(own["y_true"], own["y_pred"], title=self._title(name), ax=ax)

    def plot_history(self, name: str, *, ax: Any = None) -> Figure:
        """Plot loss and accuracy, or absolute error, of a network against the epoch.

        Parameters
        ----------
        name : str
            Name of the estimator.
        ax : matplotlib.axes.Axes or array-like of them, optional
            Axes to draw into, one for the loss and one for the score; by default those of a new
            figure.

        Returns
        -------
        figure : matplotlib.figure.Figure

        Raises
        ------
        ValueError
            If the estimator has no history, because it is not a network.
        """
        from ..plotting import plot_history

        own = self.history[self.history["estimator"] == self.check_name(name)]
        if own.empty:
            having = ", ".join(self.history["estimator"].unique()) or "none here"
            raise ValueError(f"{name!r} has no training history; those that have one: {having}.")
        loss_label = TASKS[self.about.task].loss_label
        return plot_history(own, title=self._title(name), loss_label=loss_label, ax=ax)

    def figures(self) -> Iterator[tuple[str, str, Figure]]:
        """Yield all figures; estimators are in the order of the main table.

        Yields
        ------
        kind : {"scores", "paired_scores", "critical_difference", "confusion", "predictions", \
                "history"}
            Kind of the figure, as in the name of the method ``plot_<kind>``.
        name : str
            Name of the metric or the estimator.
        figure : matplotlib.figure.Figure
        """
        for metric in self.about.metrics:
            if np.isfinite(self.scores[metric]).any():
                yield "scores", metric, self.plot_scores(metric)
        main = self.about.metrics[0]
        ranked = self.summary(main).index.tolist()
        if len(ranked) > 1 and np.isfinite(self.scores[main]).any():
            yield "paired_scores", main, self.plot_paired_scores(main)
        if self.can_rank(main):
            yield "critical_difference", main, self.plot_critical_difference(main)
        kind = TASKS[self.about.task].figure
        for name in ranked:
            yield kind, name, getattr(self, f"plot_{kind}")(name)
        for name in ranked:
            if name in self.history["estimator"].to_numpy():
                yield "history", name, self.plot_history(name)

    def save_figures(
        self,
        folder: str | os.PathLike[str],
        *,
        formats: Sequence[str] = FORMATS,
        width: float = COLUMN_WIDTH,
    ) -> Path:
        """Write all figures for a paper, as ``<kind>_<name>.<format>``.

        Parameters
        ----------
        folder : path-like
            Folder, which is created if it does not exist.
        formats : sequence of {"pdf", "svg", "png"}
            PDF embeds its fonts as TrueType, SVG draws text as outlines, PNG has 300 dots per
            inch.
        width : float
            Width of wide figures, in mm; others keep theirs. Letters have at least 6 points.

        Returns
        -------
        folder : pathlib.Path

        Raises
        ------
        ValueError
            If a format is unknown, or the width is not from 60 to 500 mm.
        """
        check_formats(formats, width)
        used: set[str] = set()
        for kind, name, figure in self.figures():
            stem = figure_name(kind, name)
            if stem in used:  # "a/b" and "a:b" have the same name
                stem += f"_{len(used)}"
            used.add(stem)
            save_figure(figure, Path(folder) / stem, formats, width)
        return Path(folder)

    # ------------------------------------------------------------------ what is drawn

    def _paired(self, metric: str) -> tuple[pd.DataFrame, str]:
        """Return the scores of each unit in the order of the main table, and the unit."""
        paired, unit = paired_scores(self.scores, metric)
        return paired[self.summary(metric).index.tolist()], unit

    def _chance(self, metric: str) -> float | None:
        level = self.about.chance_of(metric).level
        return None if isnan(level) else level

    def _source(self, metric: str) -> str:
        """Return the name of a built-in metric, or that of the column."""
        source = self.about.scoring.get(metric, metric)
        return source if source in METRICS else metric

    def _check_task(self, task: str, what: str) -> None:
        """Raise an error if the comparison is of another task."""
        if self.about.task != task:
            raise ValueError(f"This comparison is a {self.about.task}, without {what}.")

    def _title(self, text: str) -> str:
        return f"{text}\n{self.about.note}" if self.about.note else text
