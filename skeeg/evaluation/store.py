"""Results of finished folds, so that an interrupted comparison can be resumed."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._entries import Entries, describe_failure
from .._identity import Cloned, Unidentifiable, content_digest, fit_context, identify
from .._labelled import LabelledRows
from .fold import FoldResult, Job, run_fold
from .scoring import Scorer
from .tasks import Task


class FoldStore:
    """A folder with an entry for each finished estimator and fold.

    An entry is used only for the same estimator, parameters and code, rows, trials, labels, seed,
    scorers and package versions.

    Parameters
    ----------
    folder : path-like
        Folder, which is created if it does not exist.
    data : EEGData or FeatureTable
    task : Task
    scorers : mapping of str to callable
        The scorers that are not built in.
    rules : mapping, optional
        What else `run_fold` is called with, such as ``allow_leakage``.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        data: LabelledRows,
        task: Task,
        scorers: Mapping[str, Scorer],
        rules: Mapping[str, Any] | None = None,
    ) -> None:
        self.entries = Entries(folder)
        self.task = task
        self._full = False
        self._estimators: dict[int, tuple[Any, str | None]] = {}
        self._keys: dict[tuple[int, int, int], str | None] = {}
        self._context = self._identified(
            "the scorers",
            fit_context(),
            run_fold,
            data_digest(data),
            task.name,
            dict(scorers),
            dict(rules or {}),
        )

    def _identified(self, what: str, *values: Any) -> str | None:
        """Return a key; if there is none, warn, and return None."""
        try:
            return identify(*values)
        except Unidentifiable as error:
            warnings.warn(
                f"The store cannot identify {what} in another run, so every fold is computed: "
                f"{error}.",
                UserWarning,
                stacklevel=4,
            )
            return None

    def key(self, job: Job) -> str | None:
        """Return the key of the result of a fold, as it was when it was first asked for.

        Parameters
        ----------
        job : Job

        Returns
        -------
        key : str or None
            None if an object cannot be identified, after a warning that names it.
        """
        place = (id(job.estimator), id(job.fold), job.random_state)
        if place not in self._keys:
            self._keys[place] = self._new_key(job)
        return self._keys[place]

    def _new_key(self, job: Job) -> str | None:
        if self._context is None:
            return None
        known = self._estimators.get(id(job.estimator))
        if known is None:
            key = self._identified(repr(job.name), Cloned(job.estimator))
            known = self._estimators[id(job.estimator)] = (job.estimator, key)
        if known[1] is None:
            return None
        rows = [np.ascontiguousarray(r, dtype="<i8") for r in (job.fold.train, job.fold.test)]
        return identify(self._context, known[1], job.random_state, rows)

    def get(self, job: Job) -> FoldResult | None:
        """Return a finished result, or None if there is none or, with a warning, it is damaged.

        Parameters
        ----------
        job : Job

        Returns
        -------
        result : FoldResult or None
        """
        key = self.key(job)
        if key is None:
            return None
        try:
            entry = self.entries.read(key)
            return None if entry is None else _restored(entry[0], len(job.fold.test), self.task)
        except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
            warnings.warn(
                f"{self.entries.path(key)} is damaged ({type(error).__name__}: {error}); fold "
                f"{job.fold.name!r} is computed again.",
                UserWarning,
                stacklevel=2,
            )
            return None

    def put(self, job: Job, result: FoldResult) -> None:
        """Write a finished result; warn once if the disk is full or the folder is not writable.

        Parameters
        ----------
        job : Job
        result : FoldResult
        """
        key = self.key(job)
        if key is None:
            return
        content = {
            "estimator": job.name,
            "fold": job.fold.name,
            "predicted": result.predicted.tolist(),
            "scores": None if result.scores is None else result.scores.tolist(),
            "kind": result.kind,
            "fit_time": result.fit_time,
            "predict_time": result.predict_time,
            "n_parameters": result.n_parameters,
            "history": result.history,
            "warned": result.warned,
            "scored": result.scored,
        }
        try:
            self.entries.write(key, content)
        except OSError as error:
            if not self._full:
                self._full = True
                warnings.warn(
                    describe_failure(error, self.entries.folder), UserWarning, stacklevel=2
                )


def data_digest(data: LabelledRows) -> str:
    """Return a digest of the trials, labels, channels, sampling rate and metadata.

    Parameters
    ----------
    data : EEGData or FeatureTable

    Returns
    -------
    digest : str
        Hexadecimal digest, which is the same in every process.
    """
    return content_digest(data)


def _restored(content: dict[str, Any], n_test: int, task: Task) -> FoldResult:
    predicted = task.restore(content["predicted"], n_test)
    scores = None if content["scores"] is None else np.array(content["scores"], dtype=float)
    if scores is not None and scores.shape != (n_test, len(task.classes)):
        raise ValueError("its class scores do not fit the fold")
    kept = {k: v for k, v in content.items() if k not in ("estimator", "fold")}
    return FoldResult(**(kept | {"predicted": predicted, "scores": scores}))
