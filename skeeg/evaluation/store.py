"""Files of finished folds, so that an interrupted comparison can be resumed."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

from .._files import atomic_path
from .._labelled import LabelledRows
from .environment import package_versions
from .fold import FoldResult, Job
from .scoring import Scorer
from .tasks import Classification, Task

_FORMAT = "skeeg.FoldResult"
_SIMPLE = (str, int, float, bool, type(None), complex, bytes)


class FoldStore:
    """A folder with one file for each finished estimator and fold.

    A file is used only for the same estimator and parameters, rows, trials, labels, seed, scorers
    and package versions.

    Parameters
    ----------
    folder : path-like
        Folder, which is created if it does not exist.
    data : EEGData or FeatureTable
    task : Task
    scorers : mapping of str to callable
        The scorers that are not built in.

    Raises
    ------
    TypeError
        If a scorer cannot be identified.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        data: LabelledRows,
        task: Task,
        scorers: Mapping[str, Scorer],
    ) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.task = task
        context = [data_digest(data), package_versions()]
        if scorers or task.name != Classification.name:
            described = {name: [scorer, type(scorer)] for name, scorer in scorers.items()}
            context += [task.name, describe(described)]
        self._context = json.dumps(context, sort_keys=True)

    def path(self, job: Job) -> Path:
        """Return the path of the file for the result of a fold.

        Parameters
        ----------
        job : Job

        Returns
        -------
        path : pathlib.Path

        Raises
        ------
        TypeError
            If a parameter of the estimator cannot be identified.
        """
        described = [self._context, describe(job.estimator), job.random_state]
        digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
        for rows in (job.fold.train, job.fold.test):
            digest.update(str(len(rows)).encode())
            digest.update(np.ascontiguousarray(rows, dtype="<i8").tobytes())
        return self.folder / f"{digest.hexdigest()[:40]}.json"

    def get(self, job: Job) -> FoldResult | None:
        """Return a finished result, or None if there is none or, with a warning, it is damaged.

        Parameters
        ----------
        job : Job

        Returns
        -------
        result : FoldResult or None
        """
        path = self.path(job)
        if not path.exists():
            return None
        try:
            return _read(path, len(job.fold.test), self.task)
        except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
            warnings.warn(
                f"{path} is damaged ({type(error).__name__}: {error}); fold {job.fold.name!r} is "
                "computed again.",
                UserWarning,
                stacklevel=2,
            )
            return None

    def put(self, job: Job, result: FoldResult) -> None:
        """Write a finished result; the file is replaced only when complete.

        Parameters
        ----------
        job : Job
        result : FoldResult
        """
        content = {
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
        document = {
            "format": _FORMAT,
            "estimator": job.name,
            "fold": job.fold.name,
            "random_state": job.random_state,
            "sha256": _digest(content),
            "result": content,
        }
        with atomic_path(self.path(job)) as partial:
            partial.write_text(json.dumps(document), encoding="utf-8")


def data_digest(data: LabelledRows) -> str:
    """Return the SHA-256 of the trials, labels, channels, sampling rate and metadata.

    Parameters
    ----------
    data : EEGData or FeatureTable

    Returns
    -------
    digest : str
        Hexadecimal digest, which is the same in every process.
    """
    digest = hashlib.sha256(repr(data.identity).encode())
    for start in range(0, len(data), 256):
        digest.update(np.ascontiguousarray(data.X[start : start + 256]).data)
    digest.update(repr(data.y.tolist()).encode())
    for column in data.metadata.columns:
        digest.update(repr(column).encode())
        hashes = pd.util.hash_pandas_object(data.metadata[column].astype("object"), index=False)
        digest.update(hashes.to_numpy().tobytes())
    return digest.hexdigest()


def describe(value: Any) -> Any:
    """Return a description of a parameter in types of JSON, which is equal for equal values.

    Parameters
    ----------
    value : object
        An estimator is described by its class and parameters, a class or function by its name
        and source, anything else by its content.

    Returns
    -------
    description : object
        Nested lists, dicts and strings.

    Raises
    ------
    TypeError
        If the content cannot be read.
    """
    if hasattr(value, "get_params") and not inspect.isclass(value):
        params = value.get_params(deep=False)
        return ["estimator", describe(type(value)), describe(params)]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _SIMPLE):
        return [type(value).__name__, repr(value)]
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, [describe(item) for item in value]]
    if isinstance(value, Mapping):
        items = ((json.dumps(describe(k)), describe(v)) for k, v in value.items())
        return ["dict", sorted(items, key=lambda item: item[0])]
    if inspect.isclass(value) or inspect.isroutine(value):
        code: Any = value  # for type checkers, which do not know that all routines are hashable
        return ["code", f"{code.__module__}.{code.__qualname__}", _source(code), *_bound(code)]
    if isinstance(value, functools.partial):
        return ["partial", describe([value.func, value.args, value.keywords])]
    if hasattr(value, "_score_func"):  # of sklearn.metrics.make_scorer
        return ["scorer", describe(type(value)), describe(vars(value))]
    if inspect.ismodule(value):
        return ["module", value.__name__]
    try:
        return [f"{type(value).__module__}.{type(value).__qualname__}", joblib.hash(value)]
    except Exception as error:
        raise TypeError(
            f"store cannot identify {value!r} in the next run ({error}). Use a parameter that can "
            "be pickled, or leave store out."
        ) from error


def _bound(code: Any) -> list[Any]:
    """Return a description of the enclosed variables and the bound object of a function."""
    cells = code.__closure__ or () if inspect.isfunction(code) else ()
    enclosed = [cell.cell_contents for cell in cells]
    if inspect.ismethod(code):
        enclosed.append(code.__self__)
    return [describe([value for value in enclosed if value is not code])] if enclosed else []


@functools.cache
def _source(code: Any) -> str:
    """Return the source of a function or class, so that an edited one is described differently."""
    try:
        return inspect.getsource(code)
    except (OSError, TypeError):
        compiled = getattr(code, "__code__", None)
        if not inspect.iscode(compiled):
            return ""
        constants = [value for value in compiled.co_consts if not inspect.iscode(value)]
        return f"{compiled.co_code.hex()} {constants!r} {compiled.co_names!r}"


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _read(path: Path, n_test: int, task: Task) -> FoldResult:
    document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise ValueError("it has no mark of a finished fold")
    content = document["result"]
    if _digest(content) != document["sha256"]:
        raise ValueError("its content is not what was written")
    predicted = task.restore(content["predicted"], n_test)
    scores = None if content["scores"] is None else np.array(content["scores"], dtype=float)
    if scores is not None and scores.shape != (n_test, len(task.classes)):
        raise ValueError("its class scores do not fit the fold")
    return FoldResult(**(content | {"predicted": predicted, "scores": scores}))
