"""HTML report of a comparison."""

from __future__ import annotations

import os
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from .._files import atomic_path
from .inference import BOUND_CAVEAT
from .tables import p_value_text
from .tasks import TASKS

if TYPE_CHECKING:
    from .comparison import Comparison

_COLUMNS = {
    "mean": "Mean",
    "ci_low": "95 % interval from",
    "ci_high": "to",
    "std": "SD",
    "n": "N",
    "chance": "Chance",
    "chance_upper": "95 % bound",
    "p_chance_holm": "p vs chance, Holm corrected",
    "difference": "Difference to reference",
    "effect_size": "Hedges' g",
    "p_value": "p vs reference",
    "p_holm": "p, Holm corrected",
    "fit_time": "Fit time (s per fold)",
    "predict_time": "Predict time (s per fold)",
    "n_parameters": "Parameters",
    "note": "Note",
}
_P_VALUES = ("p vs chance, Holm corrected", "p vs reference", "p, Holm corrected")
#: Titles of the kinds of figures of `Comparison.figures`.
_FIGURES = {
    "scores": "Scores",
    "critical_difference": "Ranks",
    "confusion": "Confusion",
    "predictions": "Predictions",
    "history": "Training",
}


def write_report(comparison: Comparison, path: str | os.PathLike[str]) -> Path:
    """Write a comparison as a self-contained HTML file.

    Parameters
    ----------
    comparison : Comparison
    path : path-like
        Path with the suffix ``.html`` or ``.htm``. The file is replaced only when complete.

    Returns
    -------
    path : pathlib.Path

    Raises
    ------
    ValueError
        If ``path`` has another suffix.
    """
    import mne

    target = Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"A report is an .html file, got {str(target)!r}.")
    report = mne.Report(title=_title(comparison), verbose="error")
    for metric in comparison.about.metrics:
        report.add_html(
            title=escape(comparison.about.label(metric)),
            html=_summary_html(comparison, metric),
            tags=("scores",),
        )
    _add_figures(report, comparison)
    if comparison.about.classes:
        report.add_html(title="Classes", html=_classes_html(comparison), tags=("scores",))
    report.add_html(title="Methods", html=_methods_html(comparison), tags=("methods",))
    report.add_html(title="Protocol", html=_protocol_html(comparison), tags=("protocol",))
    report.add_html(title="Data", html=_table_html(comparison.about.data), tags=("data",))
    report.add_html(title="Estimators", html=_estimators_html(comparison), tags=("estimators",))
    report.add_html(
        title="Environment",
        html=_table_html(comparison.about.environment),
        tags=("environment",),
    )
    with atomic_path(target) as partial:
        report.save(partial, overwrite=True, open_browser=False, verbose="error")
    return target


def _title(comparison: Comparison) -> str:
    title = f"skeeg: {len(comparison.estimators)} estimators, {comparison.about.protocol}"
    return escape(title) + (f" ({comparison.about.note})" if comparison.leakage else "")


def _add_figures(report: Any, comparison: Comparison) -> None:
    for kind, name, figure in comparison.figures():
        shown = comparison.about.label(name) if name in comparison.about.metrics else name
        report.add_figure(figure, title=f"{_FIGURES[kind]}: {escape(shown)}", tags=("figures",))


def _summary_html(comparison: Comparison, metric: str) -> str:
    summary, statistics = comparison.summary(metric), comparison.statistics(metric)
    unit, reference, test = (statistics[column].iloc[0] for column in ("unit", "reference", "test"))
    both = pd.concat([statistics, summary[summary.columns.difference(statistics.columns)]], axis=1)
    shown = both[[name for name in _COLUMNS if name in both]].dropna(axis="columns", how="all")
    shown = shown.rename(columns=_COLUMNS).rename_axis(None).astype(object)
    for column in shown:
        text = p_value_text if column in _P_VALUES else _number
        shown[column] = [text(value) for value in shown[column]]
    notes = [f"Mean and standard deviation (SD) over {unit}s (N)."]
    if statistics["p_value"].notna().any():
        notes.append(f"p vs reference: two-sided {test}, against {reference}.")
    if statistics["p_chance"].notna().any():
        notes.append(f"p vs chance: one-sided {test}.")
    notes += [mark for mark in comparison.caveats(metric) if mark != comparison.leakage]
    if "95 % bound" in shown:
        notes.append(BOUND_CAVEAT)
    if metric in comparison.about.chance:
        notes.append(TASKS[comparison.about.task].chance_note)
    return f"{_warning_html(comparison)}{_html(shown)}<p>{escape(' '.join(notes))}</p>"


def _classes_html(comparison: Comparison) -> str:
    shown = comparison.by_class().set_index("estimator").rename_axis(None).astype(object)
    for column in shown:
        shown[column] = [_number(value) for value in shown[column]]
    return f"{_warning_html(comparison)}{_html(shown)}<p>Over all tested rows together.</p>"


def _methods_html(comparison: Comparison) -> str:
    text, entries = escape(comparison.methods_text()), escape(comparison.bibtex())
    return f"<p>{text}</p><details><summary>BibTeX</summary><pre>{entries}</pre></details>"


def _protocol_html(comparison: Comparison) -> str:
    about = comparison.about
    return _warning_html(comparison) + _table_html(
        {
            "protocol": about.protocol,
            "folds": about.n_folds,
            "leakage": comparison.leakage or "none found",
            "test part": comparison.transductive or "predicted without other use of it",
            "random state": about.random_state,
            "finished": about.date,
        }
    )


def _warning_html(comparison: Comparison) -> str:
    if not comparison.leakage:
        return ""
    return f'<div class="alert alert-danger" role="alert">{escape(comparison.leakage)}</div>'


def _estimators_html(comparison: Comparison) -> str:
    return "".join(
        f"<h5>{escape(name)}</h5><pre>{escape(text)}</pre>"
        for name, text in comparison.about.estimators.items()
    )


def _table_html(entries: Mapping[str, Any]) -> str:
    rows = pd.Series({key: _text(value) for key, value in entries.items()}).to_frame()
    return _html(rows, header=False)


def _html(table: pd.DataFrame, *, header: bool = True) -> str:
    with pd.option_context("display.max_colwidth", None):
        return table.to_html(
            classes="table table-sm", border=0, header=header, escape=True, justify="left"
        )


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {item}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else f"{value}"


def _number(value: Any) -> str:
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return ""
    return f"{value:,d}" if isinstance(value, int) else f"{value:.3f}"
