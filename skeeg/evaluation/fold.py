"""Fit and evaluation of one estimator on one fold."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._divided_trials import accept_division
from .._labelled import LabelledRows
from .._seeding import seeded
from ..model_selection._trial_routing import fit_by_trials
from ..model_selection.folds import Fold, LeakageError
from ..model_selection.memoized import Memoized
from .isolation import global_seed, recorded_warnings, uses_own_randomness
from .scoring import Scorer
from .tasks import Task


class Job(NamedTuple):
    """An estimator, a fold on which it is fitted, and the seed of the fit."""

    name: str
    estimator: Any
    fold: Fold
    random_state: int


class FoldError(RuntimeError):
    """Raised if an estimator fails in a fold; the original error is the cause."""


@dataclass(frozen=True, eq=False)
class FoldResult:
    """Result of one estimator on one fold.

    Parameters
    ----------
    predicted : ndarray, shape (n_test,)
        Predictions, encoded as by `Task.encode`.
    scores : ndarray, shape (n_test, n_classes), optional
        Probabilities or decision values; None for an estimator without them.
    kind : {"proba", "decision", "none"}
        Kind of the ``scores``.
    fit_time, predict_time : float
        Time of the fit, and of the prediction of the test part, in seconds.
    n_parameters : int, optional
        Number of parameters of a network.
    history : list of dict
        An entry for each epoch of a network.
    warned : list of str
        Distinct warnings.
    scored : dict of str to float
        Values of the scorers that are not built in.
    """

    predicted: NDArray[Any]
    scores: NDArray[np.float64] | None
    kind: str
    fit_time: float
    predict_time: float
    n_parameters: int | None = None
    history: list[dict[str, float]] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    scored: dict[str, float] = field(default_factory=dict)


def run_fold(
    job: Job,
    data: LabelledRows,
    task: Task,
    scorers: Mapping[str, Scorer],
    *,
    across: str | None = None,
    allow_leakage: bool = False,
) -> FoldResult:
    """Fit a clone on the training part and predict the test part.

    For estimators that may draw from the global generators of Python, numpy and torch, these are
    seeded during the fit, and only one such fold runs in a process at a time. Folds of estimators
    that draw from their ``random_state`` only can run in several threads.

    Parameters
    ----------
    job : Job
    data : EEGData or FeatureTable
    task : Task
    scorers : mapping of str to callable
        Functions of the fitted estimator, the test part and its targets.
    across : str, optional
        What the fold claims to generalise over.
    allow_leakage : bool
        Whether inner splits of the estimator may divide a trial.

    Returns
    -------
    result : FoldResult

    Raises
    ------
    LeakageError
        If inner splits of the estimator divide a trial.
    FoldError
        If the estimator or a scorer raises, or the prediction is not a target of the task.
    """
    try:
        estimator = seeded(job.estimator, job.random_state)
        own = uses_own_randomness([estimator, *scorers.values()])
        draws = nullcontext() if own else global_seed(job.random_state)
        with draws, recorded_warnings() as caught:
            result = _fit_and_predict(
                estimator, data, job.fold, task, scorers, across, allow_leakage
            )
    except LeakageError as error:
        raise LeakageError(f"{job.name} in fold {job.fold.name!r}: {error}") from error
    except Exception as error:
        raise FoldError(
            f"{job.name} failed in fold {job.fold.name!r}: {type(error).__name__}: {error}"
        ) from error
    warned = [f"{warning.category.__name__}: {warning.message}" for warning in caught]
    return replace(result, warned=list(dict.fromkeys(warned)))


def _fit_and_predict(
    estimator: Any,
    data: LabelledRows,
    fold: Fold,
    task: Task,
    scorers: Mapping[str, Scorer],
    across: str | None,
    allow_leakage: bool,
) -> FoldResult:
    accept_division(data)  # the comparison has checked the folds
    train, test = data[fold.train], data[fold.test]
    start = time.perf_counter()
    estimator = fit_by_trials(estimator, train, across=across, allow_leakage=allow_leakage)
    fitted = time.perf_counter()
    predicted = estimator.predict(test)
    done = time.perf_counter()
    scores, kind = task.class_scores(estimator, test)
    final = final_estimator(estimator)
    return FoldResult(
        task.check_predictions(predicted, len(test)),
        scores,
        kind,
        fitted - start,
        done - fitted,
        count_parameters(final),
        learning_curves(final, task.curves),
        scored={name: _value(name, scorer, estimator, test) for name, scorer in scorers.items()},
    )


def _value(name: str, scorer: Scorer, estimator: Any, test: LabelledRows) -> float:
    """Return the value of a scorer for the test part."""
    try:
        value = scorer(estimator, test, test.y)
    except Exception as error:
        raise ValueError(f"the scorer {name!r} raised {type(error).__name__}: {error}") from error
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(
            f"the scorer {name!r} must return a number, got {type(value).__name__}: "
            f"{value!r:.80}. To score several ways, pass a dict of scorers."
        ) from None


def final_estimator(estimator: Any) -> Any:
    """Return the last step of a fitted pipeline, also in searches and nested pipelines.

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
        elif isinstance(estimator, Memoized):
            estimator = estimator.estimator_
        elif hasattr(estimator, "steps"):
            estimator = estimator.steps[-1][1]
        else:
            return estimator


def count_parameters(estimator: Any) -> int | None:
    """Return how many parameters a fitted network has; None for any other estimator.

    Parameters
    ----------
    estimator : fitted estimator
        Networks of skorch have a ``module_``.

    Returns
    -------
    n_parameters : int or None
    """
    module = getattr(estimator, "module_", None)
    if module is None or not hasattr(module, "parameters"):
        return None
    return sum(parameter.numel() for parameter in module.parameters())


def learning_curves(estimator: Any, curves: Sequence[str]) -> list[dict[str, float]]:
    """Return loss and score of each epoch from skorch's history.

    Parameters
    ----------
    estimator : fitted estimator
    curves : sequence of str
        Columns of the history that are returned if they were recorded.

    Returns
    -------
    history : list of dict
        Empty for an estimator that is not a network.
    """
    history = getattr(estimator, "history", None)
    if not isinstance(history, list):
        return []
    return [
        {"epoch": int(row["epoch"])}
        | {curve: float(row[curve]) for curve in curves if row.get(curve) is not None}
        for row in history
    ]
