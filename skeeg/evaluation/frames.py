"""Data frames of a comparison, from the results of its folds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from .._labelled import LabelledRows
from ..model_selection.folds import Fold
from .fold import FoldResult
from .metrics import METRICS
from .scoring import Score
from .tasks import Task

#: Name of an estimator, a fold, and its result.
Finished = tuple[str, Fold, FoldResult]


def score_frame(
    finished: Iterable[Finished], data: LabelledRows, task: Task, scores: Sequence[Score]
) -> pd.DataFrame:
    """Return a row for each estimator and fold.

    Parameters
    ----------
    finished : iterable of (name, Fold, FoldResult)
    data : EEGData or FeatureTable
    task : Task
    scores : sequence of Score

    Returns
    -------
    scores : DataFrame
        Columns ``estimator``, ``fold``, ``subject``, the metrics, ``fit_time`` and
        ``predict_time`` in seconds, ``n_train``, ``n_test``, ``n_parameters``.
    """
    targets = task.encode(data.y)
    rows = [
        {"estimator": name, "fold": fold.name, "subject": fold.subject}
        | {
            score.name: result.scored[score.name]
            if score.scorer is not None
            else METRICS[score.source].compute(targets[fold.test], result.predicted, result.scores)
            for score in scores
        }
        | {
            "fit_time": result.fit_time,
            "predict_time": result.predict_time,
            "n_train": len(fold.train),
            "n_test": len(fold.test),
            "n_parameters": result.n_parameters,
        }
        for name, fold, result in finished
    ]
    frame = pd.DataFrame(rows)
    frame["subject"] = nullable(row["subject"] for row in rows)
    frame["n_parameters"] = frame["n_parameters"].astype("Int64")
    return frame


def prediction_frame(finished: Iterable[Finished], data: LabelledRows, task: Task) -> pd.DataFrame:
    """Return a row for each estimator and test trial.

    Parameters
    ----------
    finished : iterable of (name, Fold, FoldResult)
    data : EEGData or FeatureTable
    task : Task

    Returns
    -------
    predictions : DataFrame
        Columns ``estimator``, ``row`` (of the data), ``fold``, ``subject``, ``y_true``,
        ``y_pred``, and for each class ``proba_<class>`` or ``decision_<class>``, which are NaN for
        estimators without probabilities or decision values.
    """
    true = task.decode(task.encode(data.y))
    return pd.concat(
        [_predictions(name, fold, result, data, true, task) for name, fold, result in finished],
        ignore_index=True,
    )


def history_frame(finished: Iterable[Finished], task: Task) -> pd.DataFrame:
    """Return a row for each network, fold and epoch.

    Parameters
    ----------
    finished : iterable of (name, Fold, FoldResult)
    task : Task

    Returns
    -------
    history : DataFrame
        Columns ``estimator``, ``fold``, ``epoch``, and `Task.curves`, which are NaN if they were
        not recorded.
    """
    rows = [
        {"estimator": name, "fold": fold.name} | epoch
        for name, fold, result in finished
        for epoch in result.history
    ]
    frame = pd.DataFrame(rows, columns=["estimator", "fold", "epoch", *task.curves])
    types: dict[str, Any] = {"estimator": str, "fold": str, "epoch": "int64"}
    return frame.astype(types | dict.fromkeys(task.curves, "float64"))


def nullable(values: Iterable[Any]) -> pd.Series[Any]:
    """Return a column in which values can be missing without changing the type of the others.

    Parameters
    ----------
    values : iterable
        Values, with None or NaN if one is missing.

    Returns
    -------
    column : Series
    """
    column = pd.Series(list(values), dtype=object).convert_dtypes()
    return column.astype("string") if column.dtype == object else column


def _predictions(
    name: str,
    fold: Fold,
    result: FoldResult,
    data: LabelledRows,
    true: NDArray[Any],
    task: Task,
) -> pd.DataFrame:
    known = "subject" in data.metadata
    subjects = data.metadata["subject"].iloc[fold.test] if known else [None] * len(fold.test)
    columns = {
        "estimator": name,
        "row": fold.test.astype("int64"),
        "fold": fold.name,
        "subject": nullable(subjects),
        "y_true": true[fold.test],
        "y_pred": task.decode(result.predicted),
    }
    if result.scores is not None:
        columns |= {
            f"{result.kind}_{label}": result.scores[:, i] for i, label in enumerate(task.classes)
        }
    return pd.DataFrame(columns)
