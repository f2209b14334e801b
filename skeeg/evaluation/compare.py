"""Evaluation of estimators on the same folds."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import check_random_state

from .._labelled import LabelledRows
from .._validation import check_finite
from ..data import EEGData
from ..model_selection._trial_routing import divided_trials
from ..model_selection.folds import Fold, LeakageError
from ..model_selection.leakage import LeakageReport, check_leakage
from ..model_selection.protocols import claimed_across, make_folds
from ..models import build_model
from ._parallel import run_jobs
from .about import About, transductive_steps
from .comparison import Comparison
from .environment import environment
from .fold import FoldResult, Job, run_fold
from .frames import Finished, history_frame, prediction_frame, score_frame
from .scoring import Score, Scoring, check_scoring
from .store import FoldStore, data_digest
from .tasks import Task, choose_task


def compare(
    estimators: Mapping[str, Any] | Sequence[str | tuple[str, Any]] | str,
    data: Any,
    *,
    cv: Any = "within-subject",
    groups: str | ArrayLike | None = None,
    scoring: Scoring | None = None,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    allow_leakage: bool = False,
    store: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Comparison:
    """Evaluate estimators on the same folds, and raise an error if the folds leak.

    The task is a regression if the targets are continuous or the estimators are regressors,
    otherwise a classification.

    Parameters
    ----------
    estimators : mapping of str to estimator, or sequence of (name, estimator) or of str
        A string is the name of a built-in model, see `skeeg.models.MODELS`. Estimators are cloned
        before they are fitted.
    data : EEGData, FeatureTable or mne.Epochs
        Epochs are converted with `EEGData.from_epochs`. A `skeeg.features.FeatureTable` is for
        estimators that take features; the built-in models take trials. Continuous targets, floats
        that are not all whole numbers, need regressors.
    cv : str, int, splitter or iterable of (train, test)
        ``"within-subject"``, ``"cross-session"``, ``"cross-subject"``, a splitter of
        `skeeg.model_selection`, or ``cv`` as in scikit-learn.
    groups : str or array-like, shape (n_trials,), optional
        For splitters that use groups: a column of the metadata, or an entry for each trial. With
        ``"subject"`` or ``"session"``, a subject or session in both training and test is a leak.
    scoring : str, callable, sequence of them, or mapping of str to them, optional
        Built-in metrics of a classification are ``accuracy``, ``balanced_accuracy``, ``roc_auc``
        (several classes: one against the rest, weighted) and ``kappa``, those of a regression
        ``r2``, ``mean_absolute_error`` and ``pearson``. By default all built-in metrics are
        computed; the first is the accuracy or, if one class is more frequent, the area under the
        ROC curve for two classes and the balanced accuracy for several. Names of
        `sklearn.metrics.get_scorer_names` and callables ``scorer(estimator, X, y)`` can be passed
        as well. Such a scorer is called with the fitted estimator and the test part. It has no
        chance level, and a greater value is better. The first metric is the main one, which
        estimators are ranked by.
    n_jobs : int, optional
        Number of folds that are fitted in parallel, as in joblib. Results do not depend on it.
    random_state : int or RandomState, optional
        In fold ``i``, from 0, every ``random_state`` of an estimator that is None, including nested
        ones, is set to ``random_state + i``, so that folds have different seeds. It is also the
        seed of a splitter whose ``random_state`` is None. By default a seed is drawn and stored in
        ``about``.
    allow_leakage : bool
        Whether to run a split that leaks, and mark all its outputs. It is not needed for a splitter
        with ``allow_leakage=True``.
    store : path-like, optional
        Folder for the results of finished folds, with which the same call resumes after an
        interruption. Requires a ``random_state``. ``reused`` of the comparison says what was found.
    progress : bool
        Whether to show a progress bar on the standard error.

    Returns
    -------
    comparison : Comparison

    Raises
    ------
    LeakageError
        If the split leaks (see `skeeg.model_selection.check_leakage`), or an estimator splits its
        training part so that windows of one trial are divided.
    FoldError
        If an estimator or a scorer fails. The message names the estimator and the fold, and the
        cause is the original error.
    ValueError
        If an estimator, protocol or metric is unknown, the trials are not finite, there is only one
        class or one target value, a class is missing in a training part, classifiers and regressors
        are mixed, or the targets of classifiers are continuous.
    TypeError
        If ``data`` has another type, a built-in model is used with features, a scorer is not
        callable, or an estimator has no ``fit`` or ``predict``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> from skeeg import EEGData, compare
    >>> X = np.random.default_rng(0).standard_normal((20, 2, 16))
    >>> data = EEGData.from_arrays(X, ["left", "right"] * 10, sfreq=16)
    >>> comparison = compare({"dummy": DummyClassifier()}, data, random_state=0, progress=False)
    >>> comparison.scores[["estimator", "fold", "accuracy"]].head(2)
      estimator    fold  accuracy
    0     dummy  fold 1       0.5
    1     dummy  fold 2       0.5
    """
    data = _checked_data(data)
    named = _named(estimators, data)
    task = choose_task(named, data.y)
    if store is not None and random_state is None:
        raise ValueError(
            "store needs a random_state, because without one a later run would differ. Pass, for "
            "example, random_state=0."
        )
    seed = _seed(random_state)
    allow_leakage = allow_leakage or getattr(cv, "allow_leakage", False)
    folds = make_folds(
        cv,
        data,
        groups=groups,
        random_state=seed,
        allow_leakage=allow_leakage,
        continuous=task.continuous,
    )
    across = claimed_across(cv, data, groups)
    leakage = check_leakage(folds, data, across=across, allow_leakage=allow_leakage)
    inner = _inner_leakage(named, data, folds, allow_leakage)
    if scoring is None:
        scoring = task.default_metrics(data.y, folds, named.values())
    scores = check_scoring(scoring, task)
    task.warn_of_undefined([score.source for score in scores], data.y, folds)
    jobs = [
        Job(name, estimator, fold, (seed + i) % 2**32)
        for name, estimator in named.items()
        for i, fold in enumerate(folds)
    ]
    scorers = {score.name: score.scorer for score in scores if score.scorer is not None}
    rules: dict[str, Any] = {"across": across, "allow_leakage": allow_leakage}
    fold_store = None if store is None else FoldStore(store, data, task, scorers, rules)
    worker = partial(run_fold, task=task, scorers=scorers, **rules)
    found = {} if fold_store is None else _found(jobs, fold_store)
    results = found | _run(jobs, worker, data, n_jobs, fold_store, progress, found)
    finished = [(job.name, job.fold, results[i]) for i, job in enumerate(jobs)]
    _warn_again(finished)
    _warn_of_not_finite(finished)
    about = _about(named, data, task, folds, scores, seed, _protocol(cv, groups), leakage, inner)
    reused = Counter(dict.fromkeys(named, 0))
    reused.update(jobs[i].name for i in found)
    return _comparison(finished, data, task, scores, about, dict(reused))


def _inner_leakage(
    named: Mapping[str, Any], data: LabelledRows, folds: Sequence[Fold], allow_leakage: bool
) -> str:
    """Return which estimators divide trials of the training part, or raise if that is refused."""
    largest = max((fold.train for fold in folds), key=len)
    reasons = {name: divided_trials(e, data, largest) for name, e in named.items()}
    listed = [f"Inner splits of {name!r} leak: {text}" for name, text in reasons.items() if text]
    if listed and not allow_leakage:
        raise LeakageError(
            f"{' '.join(listed)} Or use one row for each trial. To run it anyway and mark its "
            "results, pass allow_leakage=True."
        )
    return " ".join(listed)


def _found(jobs: Sequence[Job], store: FoldStore) -> dict[int, FoldResult]:
    """Return the finished results in the store by the index of their job."""
    found = {i: store.get(job) for i, job in enumerate(jobs)}
    return {i: result for i, result in found.items() if result is not None}


def _run(
    jobs: Sequence[Job],
    worker: Callable[[Job, LabelledRows], FoldResult],
    data: LabelledRows,
    n_jobs: int | None,
    store: FoldStore | None,
    progress: bool,
    found: Mapping[int, FoldResult],
) -> dict[int, FoldResult]:
    """Return the result of each job that was not found, by its index."""
    results: dict[int, FoldResult] = {}
    waiting = {i: job for i, job in enumerate(jobs) if i not in found}
    arriving = run_jobs(worker, waiting, data, n_jobs)
    with _progress(len(jobs), len(found), progress) as bar, contextlib.closing(arriving):
        for i, result in arriving:
            results[i] = result
            if store is not None:
                store.put(jobs[i], result)
            bar.update(bar.task_ids[0], advance=1, what=f"{jobs[i].name}, {jobs[i].fold.name}")
    return results


def _warn_again(finished: Sequence[Finished]) -> None:
    """Repeat the distinct warnings of the workers, once for each estimator."""
    counts = Counter((name, text) for name, _, result in finished for text in result.warned)
    folds = Counter(name for name, _, _ in finished)
    for (name, text), count in counts.items():
        warnings.warn(f"{name}, {count} of {folds[name]} folds: {text}", UserWarning, stacklevel=3)


def _warn_of_not_finite(finished: Sequence[Finished]) -> None:
    """Warn about scorers with non-finite values, once for each estimator."""
    folds = Counter(name for name, _, _ in finished)
    bad: dict[tuple[str, str], list[str]] = {}
    for name, fold, result in finished:
        for scorer, value in result.scored.items():
            if not np.isfinite(value):
                bad.setdefault((name, scorer), []).append(repr(fold.name))
    for (name, scorer), names in bad.items():
        shown = ", ".join(names[:3]) + (", ..." if names[3:] else "")
        warnings.warn(
            f"{name}: the scorer {scorer!r} is not finite in {len(names)} of {folds[name]} folds: "
            f"{shown}.",
            UserWarning,
            stacklevel=3,
        )


@contextlib.contextmanager
def _progress(total: int, completed: int, shown: bool) -> Iterator[Progress]:
    columns = (
        TextColumn("comparing"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[what]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as bar:
        found = f"{completed} found in the store" if completed else ""
        bar.add_task("compare", total=total, completed=completed, what=found)
        yield bar


def _comparison(
    finished: Sequence[Finished],
    data: LabelledRows,
    task: Task,
    scores: Sequence[Score],
    about: About,
    reused: dict[str, int],
) -> Comparison:
    frames = (
        score_frame(finished, data, task, scores),
        prediction_frame(finished, data, task),
        history_frame(finished, task),
    )
    if about.note:
        for frame in frames:
            frame["note"] = about.note
    return Comparison(*frames, about, reused)


def _about(
    named: Mapping[str, Any],
    data: LabelledRows,
    task: Task,
    folds: Sequence[Fold],
    scores: Sequence[Score],
    seed: int,
    protocol: str,
    leakage: LeakageReport,
    inner: str,
) -> About:
    chance = task.chance(data, folds)
    return About(
        metrics=tuple(score.name for score in scores),
        classes=tuple(task.classes.tolist()),
        protocol=protocol,
        n_folds=len(folds),
        random_state=seed,
        chance={score.name: chance[score.source] for score in scores if score.scorer is None},
        leakage=" ".join(filter(None, (leakage.description, inner))),
        leakage_unknown=leakage.unknown,
        estimators={name: str(estimator) for name, estimator in named.items()},
        data=_described(data, task),
        environment=environment(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        task=task.name,
        scoring={score.name: score.source for score in scores},
        transductive={name: steps for name, e in named.items() if (steps := transductive_steps(e))},
    )


def _described(data: LabelledRows, task: Task) -> dict[str, Any]:
    known = {"subject", "session", "run", "trial"}.intersection(data.metadata.columns)
    return {
        **data.describe(),
        **task.describe(data.y),
        **{f"n_{name}s": len(np.unique(data.nested_groups(name))) for name in sorted(known)},
        "sha256": data_digest(data),
    }


def _protocol(cv: Any, groups: Any) -> str:
    if isinstance(cv, str):
        return cv
    by = f", groups={groups!r}" if isinstance(groups, str) else ""
    named = hasattr(cv, "split") or isinstance(cv, int)
    return f"{cv if named else 'given folds'}{by}"


def _seed(random_state: int | np.random.RandomState | None) -> int:
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0] >> 1)
    if isinstance(random_state, (int, np.integer)):
        check_random_state(random_state)
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def _checked_data(data: Any) -> LabelledRows:
    if hasattr(data, "get_data") and hasattr(data, "event_id"):
        data = EEGData.from_epochs(data)
    if not isinstance(data, LabelledRows):
        raise TypeError(
            f"data must be EEGData, FeatureTable or mne.Epochs, got {type(data).__name__}. Convert "
            "arrays with EEGData.from_arrays(X, y, sfreq=..., subject=...)."
        )
    if len(data) == 0:
        raise ValueError("data has no trials.")
    if pd.isna(data.y).any():
        raise ValueError(f"The label of trial {int(np.argmax(pd.isna(data.y)))} is missing.")
    if isinstance(data, EEGData):  # a FeatureTable is always finite
        check_finite(data.X, name="compare", ch_names=data.ch_names)
    return data


def _named(estimators: Any, data: LabelledRows) -> dict[str, Any]:
    """Return the estimators by name, after checking that each can be fitted and can predict."""
    if isinstance(estimators, str):
        estimators = [estimators]
    if isinstance(estimators, Mapping):
        estimators = list(estimators.items())
    if not isinstance(estimators, Sequence) or not estimators:
        raise TypeError(
            "estimators must be a dict of name to estimator, a list of (name, estimator), or "
            f"names of built-in models, got {estimators!r:.80}."
        )
    named: dict[str, Any] = {}
    for entry in estimators:
        name, estimator = _entry(entry, data)
        if name in named:
            raise ValueError(f"Two estimators have the name {name!r}. Give each its own name.")
        named[name] = estimator
    return named


def _entry(entry: Any, data: LabelledRows) -> tuple[str, Any]:
    if isinstance(entry, str):
        if not isinstance(data, EEGData):
            raise TypeError(
                f"The built-in model {entry!r} takes trials, and data are features. Pass "
                "(name, estimator), such as ('svm', SVC())."
            )
        return entry, build_model(entry, sfreq=data.sfreq)
    if not (isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str)):
        raise TypeError(f"An estimator must be given as (name, estimator), got {entry!r:.80}.")
    name, estimator = entry
    if not name:
        raise ValueError("The name of an estimator must not be empty.")
    if isinstance(estimator, type):
        raise TypeError(f"{name!r} is the class {estimator.__name__}; pass an instance of it.")
    lacking = [method for method in ("fit", "predict") if not _has(estimator, method)]
    if lacking:
        raise TypeError(f"{name!r} has no {' and no '.join(lacking)}: {estimator!r:.80}.")
    return name, estimator


def _has(estimator: Any, method: str) -> bool:
    """Return whether an estimator has a method, perhaps only once it is fitted, as a stack."""
    fittable = hasattr(estimator, "get_params") and hasattr(type(estimator), method)
    known = fittable and (is_classifier(estimator) or is_regressor(estimator))
    return known or hasattr(estimator, method)
