"""The methods of a comparison for statistics, and for tables to paste."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from .about import About
from .inference import caveats_of, statistics_table, units_of
from .methods_text import methods_paragraph
from .references import bibtex
from .statistics import RankTest, friedman_nemenyi
from .statistics.units import MIN_SUBJECTS
from .tables import escape_latex, escape_markdown, latex_table, markdown_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ComparisonStatistics:
    """The statistical methods of a `Comparison`."""

    scores: pd.DataFrame
    history: pd.DataFrame
    about: About

    if TYPE_CHECKING:

        @property
        def leakage(self) -> str:
            """As in `Comparison`."""

        @property
        def transductive(self) -> str:
            """As in `Comparison`."""

        def check_metric(self, metric: str | None) -> str:
            """As in `Comparison`."""

        def check_name(self, name: str) -> str:
            """As in `Comparison`."""

    def statistics(
        self,
        metric: str | None = None,
        *,
        reference: str | None = None,
        test: str = "auto",
        confidence: float = 0.95,
    ) -> pd.DataFrame:
        """Return intervals, tests against chance and the reference, and effect sizes.

        With at least five subjects, the unit is a subject (the mean over its folds), otherwise a
        fold. The interval of the mean over subjects is a bootstrap interval, that over folds is
        corrected for the training trials that they share.

        Parameters
        ----------
        metric : str, optional
            A metric of the comparison; by default the first.
        reference : str, optional
            The estimator with which all others are compared; by default the best.
        test : {"auto", "permutation", "wilcoxon", "corrected-t"}
            A sign-flip permutation test of the mean, Wilcoxon's signed-rank test, or the corrected
            resampled t-test. ``"auto"`` is the first over subjects and the last over folds.
        confidence : float
            Probability that an interval covers the true mean.

        Returns
        -------
        statistics : DataFrame
            A row for each estimator, the best first: ``mean``, its interval ``ci_low`` to
            ``ci_high``, ``n`` units of the kind ``unit``; ``chance``, the one-sided ``p_chance``
            and ``p_chance_holm``, corrected for the number of estimators; ``reference``,
            ``difference`` (mean), ``effect_size`` (Hedges' g of pairs), the two-sided ``p_value``
            and ``p_holm``, corrected for all pairs of estimators, or for those with the reference
            if it was named; and the ``test``. What too few units do not tell is NaN.

        Raises
        ------
        ValueError
            If the metric, the reference or the test is unknown.
        """
        metric = self.check_metric(metric)
        reference = reference if reference is None else self.check_name(reference)
        units = units_of(self.scores, self.about, metric, test)
        return statistics_table(units, self.about, metric, reference, confidence)

    def caveats(
        self, metric: str | None = None, *, reference: str | None = None, test: str = "auto"
    ) -> tuple[str, ...]:
        """Return what a reader of the p-values and intervals must know, in sentences.

        The report, the command and the tables to paste show them.

        Parameters
        ----------
        metric, reference, test
            As in `statistics`.

        Returns
        -------
        caveats : tuple of str
        """
        metric = self.check_metric(metric)
        reference = reference if reference is None else self.check_name(reference)
        units = units_of(self.scores, self.about, metric, test)
        marks = (mark for mark in (self.leakage, self.transductive) if mark)
        return (*marks, *caveats_of(units, reference))

    def subject_scores(self, metric: str | None = None) -> pd.DataFrame:
        """Return the mean score of each subject over its folds, as for `meta_analysis`.

        Parameters
        ----------
        metric : str, optional
            A metric of the comparison; by default the first.

        Returns
        -------
        scores : DataFrame
            A row for each subject, a column for each estimator.

        Raises
        ------
        ValueError
            If the metric is unknown, or the subject of a fold is.
        """
        metric = self.check_metric(metric)
        if self.scores["subject"].isna().any():
            raise ValueError(
                "The subject of some folds is unknown: they test several subjects, or the data "
                "have none. Compare with cv='within-subject', 'cross-session' or 'cross-subject'."
            )
        by_subject = self.scores.groupby(["subject", "estimator"], sort=False)[metric].mean()
        return by_subject.unstack("estimator")[self.scores["estimator"].unique()]

    def rank_test(self, metric: str | None = None, *, level: float = 0.05) -> RankTest:
        """Return the mean ranks over subjects, with the tests of Friedman and Nemenyi.

        Parameters
        ----------
        metric : str, optional
            A metric of the comparison; by default the first.
        level : float
            Significance level of the critical difference.

        Returns
        -------
        result : skeeg.evaluation.statistics.RankTest

        Raises
        ------
        ValueError
            If there are fewer than five subjects or three estimators.
        """
        metric = self.check_metric(metric)
        units = units_of(self.scores, self.about, metric)
        if not self.can_rank(metric):
            raise ValueError(
                f"The tests of Friedman and Nemenyi need three estimators and at least "
                f"{MIN_SUBJECTS} subjects with a finite {metric} of each, got "
                f"{units.paired.shape[1]} estimators and {len(units.paired.dropna())} {units.unit}s"
                ". Folds share training trials, and are not independent."
            )
        return friedman_nemenyi(units.paired, greater_is_better=units.descending, level=level)

    def can_rank(self, metric: str | None = None) -> bool:
        """Return whether there are the five subjects and three estimators that `rank_test` needs.

        Parameters
        ----------
        metric : str, optional
            A metric of the comparison; by default the first.

        Returns
        -------
        can_rank : bool
        """
        units = units_of(self.scores, self.about, self.check_metric(metric))
        complete = units.paired.dropna()
        return units.unit == "subject" and len(complete) >= MIN_SUBJECTS and complete.shape[1] >= 3

    def plot_critical_difference(
        self, metric: str | None = None, *, level: float = 0.05, ax: Any = None
    ) -> Figure:
        """Plot the mean ranks over subjects, with bars over those that do not differ.

        Parameters
        ----------
        metric : str, optional
            A metric of the comparison; by default the first.
        level : float
            Significance level of the critical difference.
        ax : matplotlib.axes.Axes, optional
            Axes to draw into; by default those of a new figure.

        Returns
        -------
        figure : matplotlib.figure.Figure

        Raises
        ------
        ValueError
            If there are fewer than five subjects or three estimators.
        """
        from ..plotting import plot_critical_difference

        metric = self.check_metric(metric)
        title = f"{self.about.label(metric)}, {self.about.protocol}"
        title += f"\n{self.about.note}" if self.about.note else ""
        return plot_critical_difference(self.rank_test(metric, level=level), title=title, ax=ax)

    def to_markdown(self, metric: str | None = None, *, reference: str | None = None) -> str:
        """Return the main table in Markdown, with its caveats below.

        Parameters
        ----------
        metric, reference
            As in `statistics`.

        Returns
        -------
        text : str

        Raises
        ------
        ValueError
            If the metric or the reference is unknown.
        """
        metric = self.check_metric(metric)
        table = self.statistics(metric, reference=reference)
        notes = self.caveats(metric, reference=reference)
        return markdown_table(table, self.about, metric, notes)

    def to_latex(self, metric: str | None = None, *, reference: str | None = None) -> str:
        r"""Return the main table in LaTeX, with a caption that has the caveats.

        It needs ``\usepackage{booktabs}``.

        Parameters
        ----------
        metric, reference
            As in `statistics`.

        Returns
        -------
        text : str

        Raises
        ------
        ValueError
            If the metric or the reference is unknown.
        """
        metric = self.check_metric(metric)
        table = self.statistics(metric, reference=reference)
        notes = self.caveats(metric, reference=reference)
        return latex_table(table, self.about, metric, notes)

    def methods_text(self, metric: str | None = None, *, style: str = "markdown") -> str:
        r"""Return a paragraph for the methods section of a paper, with citations.

        It says what the comparison knows: describe what came before, such as the recording and the
        filters, yourself.

        Parameters
        ----------
        metric : str, optional
            A metric of the comparison; by default the first.
        style : {"markdown", "latex"}
            Citations as ``[@key]``, for Pandoc and Quarto, or ``\cite{key}`` and escaped text.

        Returns
        -------
        text : str

        Raises
        ------
        ValueError
            If the metric or the style is unknown.
        """
        return self._methods(metric, style)[0]

    def bibtex(self, metric: str | None = None) -> str:
        """Return the BibTeX entries that `methods_text` cites.

        Parameters
        ----------
        metric : str, optional
            A metric of the comparison; by default the first.

        Returns
        -------
        entries : str
        """
        keys = self._methods(metric, "markdown")[1]
        return bibtex(keys, self.about.environment.get("skeeg", ""))

    def _methods(self, metric: str | None, style: str) -> tuple[str, list[str]]:
        """Return the paragraph, and the keys in the order in which they are cited first."""
        if style not in _STYLES:
            raise ValueError(f"style must be one of {', '.join(_STYLES)}, got {style!r}.")
        metric = self.check_metric(metric)
        cited: dict[str, None] = {}

        def cite(*keys: str) -> str:
            cited.update(dict.fromkeys(keys))
            return f"\0cite:{','.join(keys)}\0"

        table = self.statistics(metric)
        networks = not self.history.empty
        text = methods_paragraph(table, self.about, metric, cite, networks=networks)
        parts = re.split("\0cite:(.+?)\0", text)
        escape, form = _STYLES[style]
        for i, part in enumerate(parts):
            parts[i] = form(part.split(",")) if i % 2 else _escaped(part, escape)
        return "".join(parts), list(cited)


def _escaped(text: str, escape: Callable[[object], str]) -> str:
    """Return an escaped text that keeps a space at its ends."""
    start, end = (" " if part.isspace() else "" for part in (text[:1], text[-1:]))
    return f"{start}{escape(text)}{end}"


#: How a style escapes text, and forms a citation of several keys.
_STYLES: dict[str, tuple[Callable[[object], str], Callable[[list[str]], str]]] = {
    "markdown": (escape_markdown, lambda keys: f"[{'; '.join(f'@{key}' for key in keys)}]"),
    "latex": (escape_latex, lambda keys: rf"\cite{{{','.join(keys)}}}"),
}
