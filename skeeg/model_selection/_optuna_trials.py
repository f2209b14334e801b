"""Trials of a search with Optuna: their evaluation in the folds, and the table of results."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection._validation import _fit_and_score

from .._warnings import user_stacklevel
from ._continued import ContinuedFit, network_of
from ._inner_splits import Splits
from ._optuna_space import OptunaSpace

if TYPE_CHECKING:
    from .optuna_search import OptunaSearchCV

#: Position of a trial in the search, an attribute of the trial.
INDEX = "index"
#: Factor by which the epochs grow between two comparisons, and the number of comparisons.
_FACTOR, _N_COMPARISONS = 3, 2
#: After a single epoch, a training that continues may differ by rounding.
_FEWEST_EPOCHS = 2


@dataclass
class _Folds:
    """What is kept of the folds of a trial; lists have a value for each fold evaluated."""

    n_steps: int = 0
    test_scores: list[float] = field(default_factory=list)
    train_scores: list[float] = field(default_factory=list)
    fit_times: list[float] = field(default_factory=list)
    score_times: list[float] = field(default_factory=list)
    error: str = ""

    def add(self, result: Mapping[str, Any]) -> None:
        """Append a fold, from what scikit-learn returns."""
        for scores, name in (
            (self.test_scores, "test_scores"),
            (self.train_scores, "train_scores"),
        ):
            if name in result:
                scores.append(_number(result[name]))
        self.fit_times.append(float(result["fit_time"]))
        self.score_times.append(float(result["score_time"]))
        if result["fit_error"]:
            self.error = str(result["fit_error"])

    @property
    def mean(self) -> float:
        return float(np.mean(self.test_scores))


@dataclass
class Evaluation:
    """The folds in which each candidate is evaluated.

    Parameters
    ----------
    search : OptunaSearchCV
    X, y : array-like
    splits : list of (train, test)
    scorer : callable
    fit_params, score_params : mapping
    """

    search: OptunaSearchCV
    X: Any
    y: Any
    splits: Splits
    scorer: Any
    fit_params: Mapping[str, Any]
    score_params: Mapping[str, Any]
    _parallel: Any = field(default=None, init=False)

    @contextmanager
    def workers(self) -> Iterator[None]:
        """Keep the same worker processes for all trials."""
        with Parallel(n_jobs=self.search.n_jobs) as self._parallel:
            yield

    def evaluate(self, study: Any, trial: Any, candidate: dict[str, Any]) -> None:
        """Evaluate a candidate, and tell the study.

        Parameters
        ----------
        study : optuna.Study
        trial : optuna.Trial
        candidate : dict
            Parameters of the estimator.
        """
        from optuna.trial import TrialState

        earlier = next((t for t in study.trials[: trial.number] if t.params == trial.params), None)
        if earlier is not None:
            _copy(earlier, trial)
            study.tell(trial, earlier.value if earlier.state == TrialState.COMPLETE else None,
                       state=earlier.state)  # fmt: skip
            return
        folds = _Folds()
        steps = self._epochs if self.search.pruning == "epochs" else self._folds
        pruned = False
        for folds in steps(candidate):
            if self.search.pruning is not None and math.isfinite(folds.mean):
                trial.report(folds.mean, folds.n_steps)
                pruned = folds.n_steps < self._n_steps(candidate) and trial.should_prune()
            if pruned:
                break
        for name, value in vars(folds).items():
            trial.set_user_attr(name, value)
        if folds.error:
            _warn_of_failure(candidate, folds.error)
        if pruned:
            study.tell(trial, state=TrialState.PRUNED)
        elif math.isfinite(folds.mean):
            study.tell(trial, folds.mean)
        else:
            study.tell(trial, state=TrialState.FAIL)

    def _n_steps(self, candidate: dict[str, Any]) -> int:
        if self.search.pruning != "epochs":
            return len(self.splits)
        return self._rungs(candidate)[1][-1]

    def _folds(self, candidate: dict[str, Any]) -> Iterator[_Folds]:
        """Yield the results after each fold; all at once if there is no pruning."""
        folds = _Folds()
        estimator = self.search.estimator
        if self.search.pruning is None:
            size = len(self.splits)
        else:
            size = effective_n_jobs(self.search.n_jobs)
        for start in range(0, len(self.splits), size):
            for result in self._fitted(estimator, candidate, self.splits[start : start + size]):
                folds.add(result)
                folds.n_steps += 1
                yield folds

    def _epochs(self, candidate: dict[str, Any]) -> Iterator[_Folds]:
        """Yield the results of all folds after some epochs, while the training continues."""
        name, rungs = self._rungs(candidate)
        times = np.zeros(len(self.splits))
        with TemporaryDirectory(prefix="skeeg-optuna-") as folder:
            for n_epochs in rungs:
                estimator = ContinuedFit(self.search.estimator, folder)
                folds = _Folds(n_steps=n_epochs)
                for result in self._fitted(estimator, candidate | {name: n_epochs}, self.splits):
                    folds.add(result)
                times += folds.fit_times
                folds.fit_times = times.tolist()
                yield folds

    def _rungs(self, candidate: dict[str, Any]) -> tuple[str, list[int]]:
        """Return the name of the number of epochs, and the epochs of each comparison."""
        found = network_of(self.search.estimator)
        assert found is not None  # checked in `fit`
        name = f"{found[0]}max_epochs"
        n_epochs = int(candidate.get(name, found[1].max_epochs))
        fewer = [math.ceil(n_epochs / _FACTOR**i) for i in range(_N_COMPARISONS, 0, -1)]
        return name, [n for n in dict.fromkeys(fewer) if _FEWEST_EPOCHS <= n < n_epochs] + [
            n_epochs
        ]

    def _fitted(self, estimator: Any, candidate: dict[str, Any], splits: Splits) -> Any:
        """Return what scikit-learn returns for each fold."""
        return self._parallel(
            delayed(_fit_and_score)(
                clone(estimator),
                self.X,
                self.y,
                scorer=self.scorer,
                train=train,
                test=test,
                verbose=0,
                parameters=candidate,
                fit_params=self.fit_params,
                score_params=self.score_params,
                return_train_score=self.search.return_train_score,
                return_times=True,
                error_score=self.search.error_score,
            )
            for train, test in splits
        )

    def refitted(self, estimator: Any) -> tuple[Any, float]:
        """Return the estimator fitted to all trials, and the seconds it took.

        Parameters
        ----------
        estimator : estimator
        """
        start = time.perf_counter()
        arguments = (self.X,) if self.y is None else (self.X, self.y)
        fitted = estimator.fit(*arguments, **self.fit_params)
        return fitted, time.perf_counter() - start


def results_of(
    search: OptunaSearchCV, study: Any, space: OptunaSpace, n_splits: int
) -> tuple[dict[str, Any], int]:
    """Return the table of results and the row of the best trial.

    Parameters
    ----------
    search : OptunaSearchCV
    study : optuna.Study
    space : OptunaSpace
    n_splits : int

    Returns
    -------
    results : dict of ndarray
    best : int

    Raises
    ------
    ValueError
        If no trial is complete.
    """
    trials = study.trials
    states = [_STATES[trial.state.name] for trial in trials]
    if "complete" not in states:
        errors = [error for trial in trials if (error := trial.user_attrs["error"])]
        raise ValueError(
            f"No trial is complete: {states.count('failed')} failed and {states.count('pruned')} "
            f"were pruned. {_last_line(errors[-1]) if errors else 'Use a milder pruner.'}"
        )
    kept = [_Folds(**{k: v for k, v in trial.user_attrs.items() if k != INDEX}) for trial in trials]
    # The scores after fewer epochs are no scores of the candidate.
    comparable = [state != "pruned" or search.pruning != "epochs" for state in states]
    columns = {
        "fit_time": [folds.fit_times for folds in kept],
        "score_time": [folds.score_times for folds in kept],
        "test_scores": [
            f.test_scores if ok else [] for f, ok in zip(kept, comparable, strict=True)
        ],
    }
    if search.return_train_score:
        columns["train_scores"] = [
            f.train_scores if ok else [] for f, ok in zip(kept, comparable, strict=True)
        ]
    padded = {
        name: [values + [math.nan] * (n_splits - len(values)) for values in lists]
        for name, lists in columns.items()
    }
    out = [
        {name: rows[i][j] for name, rows in padded.items()}
        for i in range(len(trials))
        for j in range(n_splits)
    ]
    more = {"state": states, "n_steps": [folds.n_steps for folds in kept]}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="One or more of the", category=UserWarning)
        candidates = [space.candidate(trial.params) for trial in trials]
        results = search._format_results(candidates, n_splits, out, more)
    for name in ("fit_time", "score_time"):  # of the folds that were evaluated
        results[f"mean_{name}"] = np.array([np.mean(values) for values in columns[name]])
        results[f"std_{name}"] = np.array([np.std(values) for values in columns[name]])
    return results, int(results["rank_test_score"].argmin())


_STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}


def _copy(earlier: Any, trial: Any) -> None:
    """Give a trial the results of an earlier one with the same parameters."""
    for name, value in earlier.user_attrs.items():
        if name != INDEX:
            trial.set_user_attr(name, value)
    for step, value in earlier.intermediate_values.items():
        trial.report(value, step)


def _number(score: Any) -> float:
    if isinstance(score, Mapping):
        raise TypeError("scoring must return a single number, got several scores.")
    return float(score)


def _warn_of_failure(candidate: dict[str, Any], error: str) -> None:
    warnings.warn(
        f"A fit of the candidate {candidate} failed: {_last_line(error)} Pass error_score='raise' "
        "to stop there.",
        FitFailedWarning,
        stacklevel=user_stacklevel(),
    )


def _last_line(error: str) -> str:
    return error.strip().splitlines()[-1]
