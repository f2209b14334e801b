"""Results of a comparison: scores, predictions, statistics, figures and files."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path

import pandas as pd
from sklearn.metrics import (
    confusion_matrix,
    get_scorer_names,
    precision_recall_fscore_support,
)

from .about import LEAKAGE_ALLOWED, LEAKAGE_UNKNOWN, About
from .comparison_figures import ComparisonFigures
from .comparison_statistics import ComparisonStatistics
from .files import FRAMES, check_replaceable, read_files, write_files
from .inference import reference_p_values, units_of
from .report import write_report
from .scoring import unknown_metric
from .tables import summary_html
from .tasks import TASKS


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(ComparisonFigures, ComparisonStatistics):
    """Results of estimators on the same folds, returned by `compare`.

    Parameters
    ----------
    scores : DataFrame
        A row for each estimator and fold: ``estimator``, ``fold``, ``subject``, a column for
        each metric, ``fit_time``, ``predict_time``, ``n_train``, ``n_test``, ``n_parameters``.
        Times are in seconds.
    predictions : DataFrame
        A row for each estimator and test trial: ``estimator``, ``row`` of the data, ``fold``,
        ``subject``, ``y_true``, ``y_pred``, and a column ``proba_<class>`` for each class
        (``decision_<class>`` for an estimator without probabilities; the columns of the other
        kind are NaN in its rows). A regression has no classes.
    history : DataFrame
        A row for each network, fold and epoch: ``estimator``, ``fold``, ``epoch``,
        ``train_loss``, ``train_acc``, ``valid_loss``, ``valid_acc``. A regression has ``train_mae``
        and ``valid_mae``, in the unit of the targets, instead of the accuracies.
    about : About
        Protocol, seed, chance levels, data and versions.
    reused : dict of str to int
        The number of folds of each estimator that were found in the store. It is not saved.

    Examples
    --------
    >>> import skeeg
    >>> comparison = skeeg.Comparison.load("skeeg-results")  # doctest: +SKIP
    >>> comparison.summary("balanced_accuracy")  # doctest: +SKIP
    """

    scores: pd.DataFrame
    predictions: pd.DataFrame
    history: pd.DataFrame
    about: About
    reused: dict[str, int] = field(default_factory=dict)

    @property
    def estimators(self) -> list[str]:
        """The names of the estimators, in the order in which they were passed."""
        return self.scores["estimator"].unique().tolist()

    @property
    def leakage(self) -> str:
        """The leaks, or why the metadata cannot tell; empty for a split without leaks."""
        about = self.about
        texts = ((LEAKAGE_ALLOWED, about.leakage), (LEAKAGE_UNKNOWN, about.leakage_unknown))
        return "; ".join(f"{mark}: {text}" for mark, text in texts if text)

    @property
    def transductive(self) -> str:
        """The estimators that use the unlabelled test part, in words; empty if there are none."""
        listed = ", ".join(f"{name} ({how})" for name, how in self.about.transductive.items())
        return f"transductive, uses the unlabelled test part: {listed}" if listed else ""

    def summary(
        self,
        metric: str | None = None,
        *,
        reference: str | None = None,
        test: str = "auto",
    ) -> pd.DataFrame:
        """Return mean, spread, chance and paired tests for one metric, the best first.

        With at least five subjects, the unit of ``mean``, ``std`` and the tests is a subject (the
        mean over its folds), otherwise a fold. Folds share training trials, for which only the
        corrected resampled t-test allows. `statistics` has intervals and effect sizes too, and
        `caveats` what a reader must know.

        Parameters
        ----------
        metric : str, optional
            A metric of the comparison; by default the first.
        reference : str, optional
            The estimator with which all others are compared; by default the best.
        test : {"auto", "permutation", "wilcoxon", "corrected-t"}
            As in `statistics`.

        Returns
        -------
        summary : DataFrame
            A row for each estimator: ``mean``, ``std``, ``n`` units of the kind ``unit``,
            ``chance`` and ``chance_upper`` (see `Chance`), ``reference``, ``p_value``, and
            ``p_holm`` corrected for the number of tests, as in `statistics`. A p-value is NaN with
            fewer than five subjects or three folds, and for the reference itself. Then
            ``fit_time`` and ``predict_time`` of a fold in seconds, and ``n_parameters``.

        Raises
        ------
        ValueError
            If the metric, the reference or the test is unknown.
        """
        metric = self.check_metric(metric)
        reference = reference if reference is None else self.check_name(reference)
        units = units_of(self.scores, self.about, metric, test)
        chance = self.about.chance_of(metric)
        folds = self.scores.groupby("estimator", sort=False)
        table = pd.DataFrame(
            {
                "mean": units.paired.mean(),
                "std": units.paired.std(),
                "n": units.paired.count(),
                "unit": units.unit,
                "chance": chance.level,
                "chance_upper": float("nan") if chance.upper is None else chance.upper,
                **reference_p_values(units, reference),
                "fit_time": folds["fit_time"].mean(),
                "predict_time": folds["predict_time"].mean(),
                "n_parameters": folds["n_parameters"].max(),
            }
        ).loc[units.paired.columns]
        if self.about.note:
            table["note"] = self.about.note
        return table.rename_axis("estimator")

    def by_class(self) -> pd.DataFrame:
        """Return confusion, precision, recall and F1 of each class, over all test rows.

        Returns
        -------
        classes : DataFrame
            A row for each estimator and class: ``estimator``, ``class``, ``precision``,
            ``recall``, ``f1`` (0 if a class is never predicted), ``n`` rows of the class, and
            ``predicted_<class>``, the number of these rows that were predicted as each class.

        Raises
        ------
        ValueError
            If it is a regression.
        """
        self._check_task("classification", "classes")
        classes = list(self.about.classes)
        parts = []
        for name, own in self.predictions.groupby("estimator", sort=False):
            labels = own["y_true"], own["y_pred"]
            rates = precision_recall_fscore_support(*labels, labels=classes, zero_division=0.0)
            counts = confusion_matrix(*labels, labels=classes)
            columns = dict(zip(("precision", "recall", "f1", "n"), rates, strict=True))
            columns |= {f"predicted_{label}": counts[:, i] for i, label in enumerate(classes)}
            parts.append(pd.DataFrame({"estimator": name, "class": classes, **columns}))
        table = pd.concat(parts, ignore_index=True)
        return table.assign(note=self.about.note) if self.about.note else table

    # ------------------------------------------------------------------ files

    def save(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write ``scores.csv``, ``predictions.csv``, ``history.csv`` and ``comparison.json``.

        Parameters
        ----------
        folder : path-like
            Folder, which is created if it does not exist. Nothing is replaced before all files are
            complete.
        overwrite : bool, default=False
            Whether to replace a comparison of other data, or files that cannot be read as one.

        Returns
        -------
        folder : pathlib.Path

        Raises
        ------
        FileExistsError
            If the folder has a comparison of other data, and ``overwrite`` is False.
        """
        if not overwrite:
            check_replaceable(folder, self.about.data)
        return write_files(
            folder,
            {name: getattr(self, name) for name in FRAMES},
            self.about,
            {metric: self.summary(metric) for metric in self.about.metrics},
        )

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Comparison:
        """Read the files of `save`.

        Parameters
        ----------
        folder : path-like

        Returns
        -------
        comparison : Comparison

        Raises
        ------
        FileNotFoundError
            If a file is missing.
        ValueError
            If a file is damaged or has been changed.
        """
        frames, about = read_files(folder)
        return cls(frames["scores"], frames["predictions"], frames["history"], about)

    def report(self, path: str | os.PathLike[str], *, question: str | None = None) -> Path:
        """Write one HTML file with tables, figures, protocol, data, seeds and versions.

        Parameters
        ----------
        path : path-like
            Path with the suffix ``.html``.
        question : str, optional
            The question that the comparison answers, which is the title of the report.

        Returns
        -------
        path : pathlib.Path
        """
        return write_report(self, path, question=question)

    # ------------------------------------------------------------------ checks and text

    def check_metric(self, metric: str | None) -> str:
        """Return the name of a metric, the first for None, or raise if it was not computed."""
        if metric is None:
            return self.about.metrics[0]
        if metric not in self.about.metrics:
            known = TASKS[self.about.task].metrics
            if metric not in (*known, *get_scorer_names()):
                raise unknown_metric(metric, dict.fromkeys((*self.about.metrics, *known)))
            raise ValueError(
                f"{metric!r} was not computed; this comparison has "
                f"{', '.join(self.about.metrics)}. Compute it with compare(..., scoring=...)."
            )
        return metric

    def check_name(self, name: str) -> str:
        """Return the name of an estimator, or raise if it does not exist."""
        if name not in self.estimators:
            raise ValueError(f"No estimator is called {name!r}; there are {self.estimators}.")
        return name

    def _repr_html_(self) -> str:
        """Return the main table with its caveats for notebooks."""
        metric = self.about.metrics[0]
        return summary_html(self.statistics(metric), self.about, metric, self.caveats(metric))

    def __repr__(self) -> str:
        metric = self.about.metrics[0]
        table = self.summary(metric)
        width = max(len(name) for name in table.index)
        lines = [
            f"  {name:<{width}}  {row['mean']:.3f} ± {row['std']:.3f}"
            for name, row in table.iterrows()
        ]
        chance = self.about.chance_of(metric).level
        head = (
            f"<Comparison: {len(table)} estimators on {self.about.n_folds} folds, "
            f"{self.about.protocol}; {metric}"
        )
        head += "" if isnan(chance) else f", chance {chance:.3f}"
        if table["unit"].iloc[0] == "fold" and table["n"].max() > 1:
            lines.append("  ± over folds, which share training trials: no measure of error")
        lines += [f"  {mark}" for mark in (self.leakage, self.transductive) if mark]
        return "\n".join([head, *lines]) + ">"
