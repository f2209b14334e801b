"""Finished folds on disk, so that a long comparison survives a kill."""

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
from .fold import FoldResult, Task

_FORMAT = "skeeg.FoldResult"
_SIMPLE = (str, int, float, bool, type(None), complex, bytes)


class FoldStore:
    """A folder with one file for each finished estimator and fold.

    A file is found again only by the same estimator and parameters, rows, trials, labels, seed
    and package versions.

    Parameters
    ----------
    folder : path-like
        Made where it is missing.
    data : EEGData or FeatureTable
    """

    def __init__(self, folder: str | os.PathLike[str], data: LabelledRows) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.n_classes = len(np.unique(data.y))
        self._context = json.dumps([data_digest(data), package_versions()], sort_keys=True)

    def path(self, task: Task) -> Path:
        """Return the file that holds, or will hold, the result of a fold.

        Parameters
        ----------
        task : Task

        Returns
        -------
        path : pathlib.Path

        Raises
        ------
        TypeError
            If a parameter of the estimator cannot be told from another.
        """
        described = [self._context, describe(task.estimator), task.random_state]
        digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
        for rows in (task.fold.train, task.fold.test):
            digest.update(str(len(rows)).encode())
            digest.update(np.ascontiguousarray(rows, dtype="<i8").tobytes())
        return self.folder / f"{digest.hexdigest()[:40]}.json"

    def get(self, task: Task) -> FoldResult | None:
        """Return a finished result; None if there is none, or with a warning if it is damaged.

        Parameters
        ----------
        task : Task

        Returns
        -------
        result : FoldResult or None
        """
        path = self.path(task)
        if not path.exists():
            return None
        try:
            return _read(path, len(task.fold.test), self.n_classes)
        except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
            warnings.warn(
                f"{path} is damaged ({type(error).__name__}: {error}); fold {task.fold.name!r} is "
                "computed again.",
                UserWarning,
                stacklevel=2,
            )
            return None

    def put(self, task: Task, result: FoldResult) -> None:
        """Write a finished result; the file appears only when complete.

        Parameters
        ----------
        task : Task
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
        }
        document = {
            "format": _FORMAT,
            "estimator": task.name,
            "fold": task.fold.name,
            "random_state": task.random_state,
            "sha256": _digest(content),
            "result": content,
        }
        with atomic_path(self.path(task)) as partial:
            partial.write_text(json.dumps(document), encoding="utf-8")


def data_digest(data: LabelledRows) -> str:
    """Return the SHA-256 of the trials, labels, channels, rate and metadata.

    Parameters
    ----------
    data : EEGData or FeatureTable

    Returns
    -------
    digest : str
        In hexadecimal; the same in every process.
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
    """Return what makes a parameter what it is, in JSON: equal for equal estimators.

    Parameters
    ----------
    value : object
        An estimator is described by its class and parameters, a class or function by its name
        and source, anything else by its content.

    Returns
    -------
    description : object
        Of lists, dicts and strings.

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
        code: Any = value  # for type checkers: some routines do not say that they are hashable
        return ["code", f"{code.__module__}.{code.__qualname__}", _source(code)]
    try:
        return [f"{type(value).__module__}.{type(value).__qualname__}", joblib.hash(value)]
    except Exception as error:
        raise TypeError(
            f"store cannot tell whether {value!r} is the same in the next run ({error}). Use a "
            "parameter that can be pickled, or leave store out."
        ) from error


@functools.cache
def _source(code: Any) -> str:
    """Return the source of a function or class, so that editing it makes it another."""
    try:
        return inspect.getsource(code)
    except (OSError, TypeError):
        compiled = getattr(code, "__code__", None)
        if compiled is None:
            return ""
        constants = [value for value in compiled.co_consts if not inspect.iscode(value)]
        return f"{compiled.co_code.hex()} {constants!r} {compiled.co_names!r}"


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _read(path: Path, n_test: int, n_classes: int) -> FoldResult:
    document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise ValueError("it has no mark of a finished fold")
    content = document["result"]
    if _digest(content) != document["sha256"]:
        raise ValueError("its content is not what was written")
    predicted = np.array(content["predicted"], dtype=np.intp)
    scores = None if content["scores"] is None else np.array(content["scores"], dtype=float)
    if predicted.shape != (n_test,) or not np.isin(predicted, np.arange(n_classes)).all():
        raise ValueError("its predictions do not fit the fold")
    if scores is not None and scores.shape != (n_test, n_classes):
        raise ValueError("its class scores do not fit the fold")
    return FoldResult(**(content | {"predicted": predicted, "scores": scores}))
