"""Scoring of a comparison: built-in metrics and scorers of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sklearn.metrics import get_scorer, get_scorer_names

from .._checks import did_you_mean
from .metrics import METRICS
from .tasks import Task

#: Function of a fitted estimator, the test trials and their targets that returns a number.
Scorer = Callable[[Any, Any, Any], Any]
Scoring = str | Scorer | Sequence[str | Scorer] | Mapping[str, str | Scorer]

#: Columns of the scores that are not metrics.
COLUMNS = (
    *("estimator", "fold", "subject", "fit_time", "predict_time"),
    *("n_train", "n_test", "n_parameters", "note"),
)


@dataclass(frozen=True)
class Score:
    """One metric of a comparison.

    Parameters
    ----------
    name : str
        Name of the column of the scores.
    source : str
        A key of `METRICS`, the name of a scorer of scikit-learn, or the scorer as text.
    scorer : callable, optional
        Scorer that is called in the worker of the fold; None for a key of `METRICS`.
    """

    name: str
    source: str
    scorer: Scorer | None = None


def check_scoring(scoring: Scoring | None, task: Task) -> tuple[Score, ...]:
    """Return the metrics of a comparison, after checking their names.

    Parameters
    ----------
    scoring : str, callable, sequence of them, or mapping of str to them; or None
        A string is a built-in metric of the task, or a name for `sklearn.metrics.get_scorer`. A
        callable takes a fitted estimator, ``X`` and ``y``. None gives the built-in metrics.
    task : Task

    Returns
    -------
    scores : tuple of Score

    Raises
    ------
    ValueError
        If there are no metrics, a name is unknown, belongs to the other task or is another column
        of the scores, or two scorers have the same name.
    TypeError
        If an entry is neither a string nor a callable.
    """
    if scoring is None:
        scoring = task.metrics
    if isinstance(scoring, str) or callable(scoring):
        scoring = [scoring]
    if not isinstance(scoring, (Sequence, Mapping)):
        raise TypeError(
            "scoring must be a name, a callable, or a list or dict of them, got "
            f"{type(scoring).__name__}."
        )
    for entry in scoring.values() if isinstance(scoring, Mapping) else scoring:
        if not (isinstance(entry, str) or callable(entry)):
            raise TypeError(
                "scoring must hold names and callables scorer(estimator, X, y), got "
                f"{type(entry).__name__}: {entry!r:.80}."
            )
    if isinstance(scoring, Mapping):
        entries = [(_checked_name(name, entry), entry) for name, entry in scoring.items()]
    else:
        entries = [(_name_of(entry), entry) for entry in scoring]
    if not entries:
        raise ValueError(f"scoring must name at least one metric, such as {task.metrics[0]!r}.")
    scores: dict[str, Score] = {}
    for name, entry in entries:
        score = _score(name, entry, task)
        if scores.setdefault(name, score) != score:
            raise ValueError(
                f"Two scorers are called {name!r}. Pass a dict that names them, such as "
                f"{{'{name} 1': ..., '{name} 2': ...}}."
            )
    return tuple(scores.values())


def unknown_metric(name: str, known: Iterable[str]) -> ValueError:
    """Return the error for a name that is not a metric; it offers the nearest.

    Parameters
    ----------
    name : str
    known : iterable of str
        The built-in metrics of the task.

    Returns
    -------
    error : ValueError
    """
    known = list(known)
    meant = did_you_mean(name, [*known, *get_scorer_names()])
    return ValueError(
        f"Unknown metric {name!r}.{meant} There are {', '.join(known)}, and the scorers of "
        "sklearn.metrics.get_scorer_names()."
    )


def _score(name: str, entry: Any, task: Task) -> Score:
    if not isinstance(entry, str):
        return Score(name, _text(entry), entry)
    if entry in task.metrics:
        return Score(name, entry)
    if entry in METRICS:
        raise ValueError(
            f"{entry!r} is not a metric of a {task.name}. There are {', '.join(task.metrics)}, and "
            "the scorers of sklearn.metrics.get_scorer_names()."
        )
    if entry not in get_scorer_names():
        raise unknown_metric(entry, task.metrics)
    return Score(name, entry, get_scorer(entry))


def _checked_name(name: Any, entry: Any) -> str:
    """Return a key of the mapping that was passed, if it can be a column of the scores."""
    if not isinstance(name, str) or not name or name in COLUMNS:
        raise ValueError(
            f"A metric cannot be called {name!r}: it must be a string that is no other column of "
            f"the scores, which are {', '.join(COLUMNS)}."
        )
    if name in METRICS and entry != name:
        raise ValueError(
            f"{name!r} is the name of a built-in metric: call {_text(entry)} something else."
        )
    return name


def _name_of(entry: Any) -> str:
    """Return the name of a scorer that was passed without one."""
    if isinstance(entry, str):
        return entry
    function = getattr(entry, "_score_func", entry)  # what sklearn.metrics.make_scorer wraps
    name = getattr(function, "__name__", type(function).__name__)
    if name == "<lambda>":
        raise ValueError("A lambda has no name: pass a dict, such as {'name': scorer}.")
    return _checked_name(name, entry)


def _text(entry: Any) -> str:
    """Return a scorer as text that is the same in every process, without addresses in memory."""
    if isinstance(entry, str):
        return entry
    if hasattr(entry, "_score_func"):
        return repr(entry)
    return getattr(entry, "__qualname__", type(entry).__qualname__)
