"""What the report of a comparison shows, as plain texts and tables."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..inference import BOUND_CAVEAT
from ..tables import main_caption, main_columns
from ..tasks import TASKS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..comparison import Comparison

_CONTENTS = {
    "summary": "Summary",
    "figures": "Scores",
    "subjects": "Scores of each subject",
    "predictions": "Predictions",
    "training": "Training",
    "metrics": "Other metrics",
    "methods": "Methods to cite",
    "estimators": "Estimators",
    "data": "Data",
    "repeat": "How to repeat it",
}
#: Titles of the kinds of figures of `Comparison.figures`.
_TITLES = {
    "scores": "Scores",
    "paired_scores": "Scores of each subject or fold",
    "critical_difference": "Mean ranks",
    "confusion": "Confusion matrix",
    "predictions": "Predictions",
    "history": "Training",
}
_DPI = 160


@dataclass(frozen=True)
class Grid:
    """A table of texts."""

    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Picture:
    """A figure as PNG in base64, and its width on the page in pixels."""

    title: str
    data: str
    width: int


def page_content(comparison: Comparison, question: str | None) -> dict[str, Any]:
    """Return the variables of the template.

    Parameters
    ----------
    comparison : Comparison
    question : str, optional

    Returns
    -------
    content : dict of str to object
    """
    about = comparison.about
    main, *others = about.metrics
    pictures: dict[str, list[tuple[str, Picture]]] = {}
    for kind, name, figure in comparison.figures():
        pictures.setdefault(kind, []).append((name, _picture(figure, f"{_TITLES[kind]}: {name}")))
    shown = {kind: [own for _, own in named] for kind, named in pictures.items()}
    scores = dict(pictures.get("scores", []))
    content = {
        "title": question or _question(comparison),
        "answer": _answer(comparison, main),
        "overview": _overview(comparison),
        "leakage": _leakage(comparison),
        "main": _metric(comparison, main),
        "figures": {
            "main": [
                *[scores[name] for name in (main,) if name in scores],
                *shown.get("paired_scores", []),
                *shown.get("critical_difference", []),
            ],
            "predictions": shown.get(TASKS[about.task].figure, []),
            "history": shown.get("history", []),
        },
        "subjects": _subjects(comparison, main),
        "classes": _classes(comparison) if about.classes else None,
        "others": [
            _metric(comparison, name)
            | {"figures": [scores[name]] if name in scores else [], "label": about.label(name)}
            for name in others
        ],
        "methods": comparison.methods_text(),
        "bibtex": comparison.bibtex(),
        "costs": _costs(comparison, main),
        "estimators": {
            name: {"text": text, "parameters": about.parameters.get(name, {})}
            for name, text in about.estimators.items()
        },
        "data": {_label(key): _text(value) for key, value in about.data.items()},
        "protocol": _protocol(comparison),
        "repeat": about.repeat,
        "environment": about.environment,
        "packages": ", ".join(
            f"{name} {version}"
            for name, version in about.packages.items()
            if name not in about.environment
        ),
    }
    empty = {"subjects": content["subjects"], "training": shown.get("history"), "metrics": others}
    content["contents"] = {
        key: heading for key, heading in _CONTENTS.items() if key not in empty or empty[key]
    }
    return content


# ---------------------------------------------------------------------------- summary


def _question(comparison: Comparison) -> str:
    about, n = comparison.about, len(comparison.estimators)
    if about.classes:
        labels = [str(label) for label in about.classes]
        what = ", ".join(labels[:-1]) + f" or {labels[-1]}" if len(labels) < 6 else "the class"
    else:
        what = "the target"
    note = f" ({about.note})" if about.note else ""
    which = f"Which of {n} estimators" if n > 1 else f"How well does {comparison.estimators[0]}"
    return f"{which} predict{'s' if n > 1 else ''} {what}{' best' if n > 1 else ''}?{note}"


def _answer(comparison: Comparison, metric: str) -> str:
    """Return the result in one or two sentences."""
    about, table = comparison.about, comparison.statistics(metric)
    best = table.iloc[0]
    text = f"{table.index[0]}: {about.label(metric)} {best['mean']:.3f}"
    if pd.notna(best["ci_low"]):
        text += f" (95 % interval {best['ci_low']:.3f} to {best['ci_high']:.3f})"
    if pd.notna(best["chance"]):
        text += f", chance {best['chance']:.3f}"
    text += "."
    if len(table) == 1:
        return text
    p_values = table["p_holm"].drop(table.index[0])
    if p_values.isna().all():
        return f"{text} There are too few {best['unit']}s to test the differences."
    alike = [str(name) for name, p in p_values.items() if not p < 0.05]
    if not alike:
        return f"{text} It differs from all others (p < 0.05, Holm corrected)."
    return f"{text} No difference was found from {_listed(alike)} (p ≥ 0.05, Holm corrected)."


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _overview(comparison: Comparison) -> dict[str, str]:
    """Return data and protocol in a few lines."""
    about, data = comparison.about, comparison.about.data
    rows = "trials" if "n_chans" in data else "rows of features"
    n_rows, n_whole = data.get("n_trials", 0), data.get("n_whole_trials")
    size = [f"{n_rows:,d} windows of {n_whole:,d} trials" if n_whole else f"{n_rows:,d} {rows}"]
    for key, unit in (("n_subjects", "subject"), ("n_sessions", "session")):
        if key in data:
            size.append(f"{data[key]} {unit}{'s' if data[key] != 1 else ''}")
    lines = {
        "Data": " – ".join(_text(data[key]) for key in ("name", "citation", "path") if key in data),
        "Size": ", ".join(size),
        "Signal": _signal(data),
        "Classes": _text(data["n_per_class"]) if "n_per_class" in data else "",
        "Protocol": f"{about.protocol}, {about.n_folds} folds, seed {about.random_state}",
        "Finished": about.date,
    }
    return {name: text for name, text in lines.items() if text}


def _signal(data: Mapping[str, Any]) -> str:
    if "n_chans" not in data:
        return ""
    text = f"{data['n_chans']} channels, {data['n_times']} samples"
    if data.get("sfreq"):
        text += f" at {data['sfreq']:g} Hz ({data['n_times'] / data['sfreq']:g} s)"
    return f"{text}, {data['band']}" if data.get("band") else text


def _leakage(comparison: Comparison) -> dict[str, Any]:
    if comparison.leakage:
        return {"bad": True, "text": comparison.leakage}
    text = "No leakage found: no trial, and nothing that the protocol separates, is in both parts."
    return {"bad": False, "text": f"{text} {comparison.transductive}".strip()}


# ---------------------------------------------------------------------------- tables


def _metric(comparison: Comparison, metric: str) -> dict[str, Any]:
    """Return the table of a metric and the sentences below it."""
    about, table = comparison.about, comparison.statistics(metric)
    columns = main_columns(table, about, metric, str)
    notes = [main_caption(table, about)]
    notes += [f"{mark.rstrip('.')}." for mark in comparison.caveats(metric)]
    chance = about.chance_of(metric)
    if chance.upper is not None:
        notes.append(f"The binomial bound of chance is {chance.upper:.3f}. {BOUND_CAVEAT}")
    if metric in about.chance:
        notes.append(TASKS[about.task].chance_note)
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return {"table": Grid(list(columns), rows), "note": " ".join(notes)}


def _subjects(comparison: Comparison, metric: str) -> Grid | None:
    if comparison.scores["subject"].isna().any():
        return None
    scores = comparison.subject_scores(metric)[comparison.summary(metric).index.tolist()]
    rows = [
        [str(name), *map(_number, own)]
        for name, own in zip(scores.index, scores.to_numpy(), strict=True)
    ]
    return Grid(["Subject", *map(str, scores.columns)], rows)


def _classes(comparison: Comparison) -> Grid:
    ranked = comparison.summary().index.tolist()
    table = comparison.by_class().sort_values(
        "estimator", key=lambda c: c.map(ranked.index), kind="stable"
    )
    names = {"estimator": "Estimator", "class": "Class", "n": "N", "f1": "F1"}
    columns = [names.get(name, _label(name)) for name in map(str, table)]
    rows = [[_number(value) for value in row] for row in table.astype(object).to_numpy()]
    return Grid(columns, rows)


def _costs(comparison: Comparison, metric: str) -> Grid:
    """Return times and numbers of weights."""
    summary = comparison.summary(metric)
    rows = [
        [str(name), *(_number(row[key]) for key in ("fit_time", "predict_time", "n_parameters"))]
        for name, row in summary.astype(object).iterrows()
    ]
    return Grid(["Estimator", "Fit (s per fold)", "Predict (s per fold)", "Weights"], rows)


def _protocol(comparison: Comparison) -> dict[str, str]:
    about = comparison.about
    return {
        "Protocol": about.protocol,
        "Folds": str(about.n_folds),
        "Leakage": comparison.leakage or "none found",
        "Test part": comparison.transductive or "predicted without other use of it",
        "Random state": f"{about.random_state}; in fold i, from 0, it is {about.random_state} + i",
        "Finished": about.date,
    }


# ---------------------------------------------------------------------------- texts


def _picture(figure: Figure, title: str) -> Picture:
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=_DPI)
    data = base64.b64encode(target.getvalue()).decode()
    return Picture(title, data, round(96 * figure.get_size_inches()[0]))


def _label(key: str) -> str:
    names = {
        "n_whole_trials": "Number of whole trials, from which windows were cut",
        "sfreq": "Sampling rate (Hz)",
    }
    named = names.get(key, key.replace("n_", "number of ", 1).replace("_", " "))
    return named if key == "sha256" else named[:1].upper() + named[1:]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {item}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else f"{value}"


def _number(value: Any) -> str:
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return "–"
    return f"{value:,d}" if isinstance(value, int) else f"{value:.3f}"
