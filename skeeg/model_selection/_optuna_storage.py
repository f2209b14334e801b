"""Finished trials of a search in a storage of Optuna, so that a search can be resumed."""

from __future__ import annotations

import hashlib
import json
import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any, TypeGuard

from .._files import check_regular
from ._optuna_trials import INDEX

_SEED, _CHECKSUM = "seed", "checksum"
#: Attempts to create the tables, which fail if another process does so at the same moment.
_ATTEMPTS = 8
#: Seconds to wait for another process that writes.
_TIMEOUT = 60
_HEADER = b"SQLite format 3\0"


class StoredTrials:
    """The finished trials of one search.

    Each is written in one transaction when it is finished, so that a process that is killed leaves
    no part of a trial.

    Parameters
    ----------
    storage : path-like, str or optuna.storages.BaseStorage
        An SQLite file, which is created if it does not exist, the URL of a database, or a storage.
    name : str
        Name of the study.

    Raises
    ------
    OSError
        If the storage cannot be opened.
    ValueError
        If it is not a database of Optuna.
    """

    def __init__(self, storage: Any, name: str) -> None:
        import optuna

        self._shown = _shown(storage)
        _check(storage)
        with self._named_errors():
            self._study = optuna.create_study(
                storage=_opened(storage), study_name=name, direction="maximize", load_if_exists=True
            )

    def seed(self, new: int) -> int:
        """Return the seed that the search was begun with; it begins now with the new one."""
        with self._named_errors():
            if _SEED not in self._study.user_attrs:
                self._study.set_user_attr(_SEED, new)
            return int(self._study.user_attrs[_SEED])

    def finished(self) -> list[Any]:
        """Return the trials in the order of the search, up to one that is missing or damaged.

        Returns
        -------
        trials : list of optuna.trial.FrozenTrial
        """
        found: dict[Any, Any] = {}
        with self._named_errors():
            trials = self._study.get_trials()
        for trial in trials:
            # A database does not notice a changed number.
            if trial.user_attrs.pop(_CHECKSUM, None) == _checksum(trial):
                found.setdefault(trial.user_attrs[INDEX], trial)
        ordered: list[Any] = []
        while len(ordered) in found:
            ordered.append(found[len(ordered)])
        return ordered

    def add(self, trial: Any) -> None:
        """Keep a finished trial.

        Parameters
        ----------
        trial : optuna.trial.FrozenTrial
        """
        trial = deepcopy(trial)
        trial.user_attrs[_CHECKSUM] = _checksum(trial)
        with self._named_errors():
            self._study.add_trial(trial)

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Turn the errors of databases into those of files, with the name of the storage."""
        import optuna
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (optuna.exceptions.StorageInternalError, SQLAlchemyError) as error:
            reason = str(error.__cause__ or error).splitlines()[0]
            raise OSError(
                f"The storage {self._shown} cannot be used ({reason}). The trials in it stay "
                "valid. Free space, make it writable, or pass another storage."
            ) from error
        except Exception as error:  # a damaged database, or one of another version of Optuna
            raise ValueError(
                f"The storage {self._shown} cannot be read ({type(error).__name__}: {error}). Pass "
                "another storage."
            ) from error


def _shown(storage: Any) -> str:
    if isinstance(storage, str) and "://" in storage:
        scheme, _, rest = storage.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"  # without the password
    is_path = isinstance(storage, (str, os.PathLike))
    return os.fspath(storage) if is_path else type(storage).__name__


def _checksum(trial: Any) -> str:
    """Return a checksum of the result of a trial."""
    content = [
        trial.state.name,
        trial.values,
        sorted(trial.params.items()),
        sorted(trial.intermediate_values.items()),
        sorted(trial.user_attrs.items()),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _is_path(storage: Any) -> TypeGuard[str | os.PathLike[str]]:
    return isinstance(storage, os.PathLike) or (isinstance(storage, str) and "://" not in storage)


def _check(storage: Any) -> None:
    """Raise if a storage is none, or its file is of another kind."""
    import optuna

    if not isinstance(storage, (str, os.PathLike, optuna.storages.BaseStorage)):
        raise TypeError(
            "storage must be the path of an SQLite file, the URL of a database or a storage of "
            f"Optuna, got {type(storage).__name__}."
        )
    path = Path(storage).expanduser() if _is_path(storage) else None
    if path is not None and path.exists():
        check_regular(path)
        with path.open("rb") as file:
            begin = file.read(len(_HEADER))
        if begin and begin != _HEADER:
            raise ValueError(f"{path} is not an SQLite file. Pass another storage.")


def _opened(storage: Any) -> Any:
    """Return a storage of Optuna."""
    if not isinstance(storage, (str, os.PathLike)):
        return storage
    if not _is_path(storage):
        return _database(str(storage), {})
    path = Path(storage).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    # The path is not part of the URL, because its characters may have a meaning there.
    connect = partial(sqlite3.connect, path, timeout=_TIMEOUT, check_same_thread=False)
    return _database("sqlite:///skeeg.db", {"creator": connect})


def _database(url: str, options: dict[str, Any]) -> Any:
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    for attempt in range(_ATTEMPTS):
        try:
            return optuna.storages.RDBStorage(url, engine_kwargs=options)
        except SQLAlchemyError:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0.02, 0.2))
    raise AssertionError("unreachable")
