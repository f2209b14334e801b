"""One estimator on one fold: what a worker does, and what comes back from it."""

from __future__ import annotations

import random
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._labelled import LabelledRows
from .._seeding import seeded
from ..model_selection.folds import Fold

#: What is kept of each epoch of skorch's history.
CURVES = ("train_loss", "train_acc", "valid_loss", "valid_acc")


class Task(NamedTuple):
    """An estimator, the fold it is to be fitted on, and its seed there."""

    name: str
    estimator: Any
    fold: Fold
    random_state: int


class FoldError(RuntimeError):
    """An estimator failed in a fold; the estimator's own error is the cause."""


@dataclass(frozen=True, eq=False)
class FoldResult:
    """What one estimator made of one fold.

    Parameters
    ----------
    predicted : ndarray of int, shape (n_test,)
        Class codes: positions in the sorted labels.
    scores : ndarray, shape (n_test, n_classes), optional
        None for an estimator that gives neither probabilities nor decision values.
    kind : {"proba", "decision", "none"}
        What ``scores`` are.
    fit_time, predict_time : float
        In seconds; the latter for the whole test part.
    n_parameters : int, optional
        Of a network.
    history : list of dict
        An entry for each epoch of a network.
    warned : list of str
        What was warned of, each once.
    """

    predicted: NDArray[np.intp]
    scores: NDArray[np.float64] | None
    kind: str
    fit_time: float
    predict_time: float
    n_parameters: int | None = None
    history: list[dict[str, float]] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)


def run_fold(task: Task, data: LabelledRows) -> FoldResult:
    """Fit a clone on the training part and predict the test part.

    The global generators of Python, numpy and torch are seeded for as long as this takes, for
    estimators that know no other.

    Parameters
    ----------
    task : Task
    data : EEGData or FeatureTable

    Returns
    -------
    result : FoldResult

    Raises
    ------
    FoldError
        If the estimator raises, or predicts what is no class.
    """
    try:
        with _global_seed(task.random_state), warnings.catch_warnings(record=True) as caught:
            estimator = seeded(task.estimator, task.random_state)
            result = _fit_and_predict(estimator, data, task.fold)
    except Exception as error:
        raise FoldError(
            f"{task.name} failed in fold {task.fold.name!r}: {type(error).__name__}: {error}"
        ) from error
    warned = [f"{warning.category.__name__}: {warning.message}" for warning in caught]
    return replace(result, warned=list(dict.fromkeys(warned)))


def _fit_and_predict(estimator: Any, data: LabelledRows, fold: Fold) -> FoldResult:
    classes = np.unique(data.y)
    train, test = data[fold.train], data[fold.test]
    start = time.perf_counter()
    estimator.fit(train, train.y)
    fitted = time.perf_counter()
    predicted = estimator.predict(test)
    done = time.perf_counter()
    scores, kind = class_scores(estimator, test, classes)
    final = final_estimator(estimator)
    return FoldResult(
        _codes(predicted, classes, len(test)),
        scores,
        kind,
        fitted - start,
        done - fitted,
        count_parameters(final),
        learning_curves(final),
    )


def class_scores(
    estimator: Any, X: LabelledRows, classes: NDArray[Any]
) -> tuple[NDArray[np.float64] | None, str]:
    """Return a score for each trial and class, columns in the order of ``classes``.

    Parameters
    ----------
    estimator : fitted estimator
    X : EEGData or FeatureTable
    classes : ndarray, shape (n_classes,)
        Sorted.

    Returns
    -------
    scores : ndarray, shape (n_trials, n_classes), or None
    kind : {"proba", "decision", "none"}
        The decision value of two classes is that of the second and, negated, of the first.

    Raises
    ------
    ValueError
        If the values are not finite or have another shape.
    """
    if hasattr(estimator, "predict_proba"):
        values, kind = np.asarray(estimator.predict_proba(X), dtype=float), "proba"
    elif hasattr(estimator, "decision_function"):
        values, kind = np.asarray(estimator.decision_function(X), dtype=float), "decision"
        if len(classes) == 2 and values.size == len(X):
            values = np.column_stack([-values.ravel(), values.ravel()])
    else:
        return None, "none"
    if values.shape != (len(X), len(classes)):
        raise ValueError(
            f"its scores have shape {values.shape} for {len(X)} trials of {len(classes)} classes; "
            "only one value for each trial and class can be evaluated."
        )
    if not np.isfinite(values).all():
        raise ValueError("its probabilities or decision values are not finite: it diverged.")
    order = np.argsort(np.asarray(getattr(estimator, "classes_", classes)))
    return values[:, order], kind


def final_estimator(estimator: Any) -> Any:
    """Return the last step of a fitted pipeline, through searches and nested pipelines.

    Parameters
    ----------
    estimator : fitted estimator

    Returns
    -------
    final : fitted estimator
    """
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "steps"):
            estimator = estimator.steps[-1][1]
        else:
            return estimator


def count_parameters(estimator: Any) -> int | None:
    """Return how many parameters a fitted network has; None for what is no network.

    Parameters
    ----------
    estimator : fitted estimator
        A skorch network has a ``module_``.

    Returns
    -------
    n_parameters : int or None
    """
    module = getattr(estimator, "module_", None)
    if module is None or not hasattr(module, "parameters"):
        return None
    return sum(parameter.numel() for parameter in module.parameters())


def learning_curves(estimator: Any) -> list[dict[str, float]]:
    """Return loss and accuracy of each epoch from skorch's history.

    Parameters
    ----------
    estimator : fitted estimator

    Returns
    -------
    history : list of dict
        Empty for what is no network.
    """
    history = getattr(estimator, "history", None)
    if not isinstance(history, list):
        return []
    return [
        {"epoch": int(row["epoch"])}
        | {curve: float(row[curve]) for curve in CURVES if row.get(curve) is not None}
        for row in history
    ]


def _codes(predicted: Any, classes: NDArray[Any], n_test: int) -> NDArray[np.intp]:
    predicted = np.asarray(predicted)
    if predicted.shape != (n_test,):
        raise ValueError(f"it predicted shape {predicted.shape} for {n_test} trials.")
    strange = ~np.isin(predicted, classes)
    if strange.any():
        raise ValueError(
            f"it predicted {predicted[strange].tolist()[0]!r}, which is none of the classes "
            f"{classes.tolist()}. Only classifiers can be compared."
        )
    return np.searchsorted(classes, predicted)


@contextmanager
def _global_seed(seed: int) -> Iterator[None]:
    """Seed the global generators, and give them back as they were."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  the generator that foreign estimators draw from
    try:
        with _torch_seed(seed):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


@contextmanager
def _torch_seed(seed: int) -> Iterator[None]:
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield
