"""Files of a comparison: three CSV files, and a JSON file with their checksums."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import stat
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._csv import escape, to_csv, unescape
from .._files import atomic_path
from .about import About
from .statistics import Chance

_FORMAT = "skeeg.Comparison"
#: The largest file that is read, in bytes.
_LARGEST = 2**30
#: Tables of a comparison; each is a CSV file.
FRAMES = ("scores", "predictions", "history")
#: Columns of names and labels, in which "" and "NA" are not missing values.
_LITERAL = ("estimator", "fold", "y_true", "y_pred")


def write_files(
    folder: str | os.PathLike[str],
    tables: Mapping[str, pd.DataFrame],
    about: About,
    summaries: Mapping[str, pd.DataFrame],
) -> Path:
    """Write a comparison; ``comparison.json`` is written last and has the checksums of the tables.

    Parameters
    ----------
    folder : path-like
        Folder, which is created if it does not exist.
    tables : mapping of str to DataFrame
        The tables in `FRAMES`.
    about : About
    summaries : mapping of str to DataFrame
        For each metric, a row for each estimator.

    Returns
    -------
    folder : pathlib.Path
    """
    folder = Path(folder)
    frames: dict[str, Any] = {}
    contents: dict[str, bytes] = {}
    for name in FRAMES:
        content = to_csv(tables[name]).encode()
        contents[f"{name}.csv"] = content
        frames[name] = {
            "dtypes": {str(column): str(dtype) for column, dtype in tables[name].dtypes.items()},
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    document = {
        "format": _FORMAT,
        "note": about.note,
        "about": dataclasses.asdict(about),
        "summary": {
            metric: summary.reset_index().to_dict("records")
            for metric, summary in summaries.items()
        },
        "frames": frames,
    }
    plain = _plain(document)
    plain["sha256"] = _digest(plain)
    text = json.dumps(plain, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    contents["comparison.json"] = text.encode()
    with ExitStack() as stack:  # all are written before the first one replaces an older file
        for name, content in reversed(contents.items()):
            stack.enter_context(atomic_path(folder / name)).write_bytes(content)
    return folder


def check_replaceable(folder: str | os.PathLike[str], data: Mapping[str, Any]) -> None:
    """Raise an error if a folder has a finished comparison of other data.

    Parameters
    ----------
    folder : path-like
    data : mapping
        Description of the data of the new comparison.

    Raises
    ------
    FileExistsError
        If it has one, or files that cannot be read as one.
    """
    source = Path(folder) / "comparison.json"
    if not os.path.lexists(source):
        return
    advice = "Choose another folder, or replace it with overwrite=True (--overwrite)."
    try:
        before = _read_document(source)["about"]["data"]
    except (ValueError, OSError) as error:
        raise FileExistsError(f"{source} is there, and cannot be read: {error} {advice}") from error
    if before.get("sha256") != data.get("sha256") or (
        "sha256" not in before and before != _plain(data)
    ):
        raise FileExistsError(f"{folder} has a comparison of other data. {advice}")


def read_files(folder: str | os.PathLike[str]) -> tuple[dict[str, pd.DataFrame], About]:
    """Read the files of `write_files`.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    tables : dict of str to DataFrame
        The tables in `FRAMES`.
    about : About

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If a file is damaged, or was not saved together with the others.
    """
    folder = Path(folder)
    source = folder / "comparison.json"
    document = _read_document(source)
    try:
        about = _about(document["about"])
        described = {name: document["frames"][name] for name in FRAMES}
        return {
            name: _load_frame(folder / f"{name}.csv", described[name]) for name in FRAMES
        }, about
    except (KeyError, TypeError, AttributeError) as error:
        raise _unreadable(source, error) from error


def _read_document(source: Path) -> dict[str, Any]:
    """Return the content of ``comparison.json``, after checking its own checksum."""
    content = _read(source)
    try:
        document = json.loads(content)
        if document["format"] != _FORMAT:
            raise ValueError("it has no mark of a saved comparison")
        if document.pop("sha256", "") != _digest(document):
            raise ValueError("its content is not what was saved")
        document["about"]["data"].get("sha256")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _unreadable(source, error) from error
    return document


def _unreadable(source: Path, error: Exception) -> ValueError:
    return ValueError(
        f"{source} cannot be read as a comparison ({type(error).__name__}: {error}). Expected "
        "a file written by Comparison.save."
    )


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _load_frame(path: Path, described: dict[str, Any]) -> pd.DataFrame:
    if hashlib.sha256(_read(path)).hexdigest() != described["sha256"]:
        raise ValueError(
            f"{path} does not match the checksum in comparison.json: it was changed, or saving was "
            "interrupted. Save the comparison again."
        )
    texts = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    return pd.DataFrame(
        {
            column: _column(texts[escape(column)].tolist(), dtype, literal=column in _LITERAL)
            for column, dtype in described["dtypes"].items()
        }
    )


def _column(texts: list[str], dtype: str, *, literal: bool) -> Any:
    """Return the values in ``texts``; floats are restored exactly."""
    if dtype == "float64":
        return np.array([float(text or "nan") for text in texts])
    if dtype == "bool":
        return np.array([text == "True" for text in texts], dtype=bool)
    parse = int if dtype in ("int64", "Int64") else unescape
    values = [None if text == "" and not literal else parse(text) for text in texts]
    return pd.Series(values, dtype=dtype)


def _read(path: Path) -> bytes:
    """Return the content of a file that may be anything, such as a pipe or without an end."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{path} is not a regular file. Save the comparison again.")
        if status.st_size > _LARGEST:
            raise ValueError(
                f"{path} has {status.st_size / 2**30:.1f} GiB, more than a comparison can have. "
                "Save the comparison again."
            )
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(
            f"{path} does not exist; Comparison.save writes {', '.join(FRAMES)} as .csv and "
            "comparison.json into one folder."
        ) from error


def _about(fields: dict[str, Any]) -> About:
    chance = {metric: Chance(**item) for metric, item in fields["chance"].items()}
    return About(
        **fields
        | {
            "metrics": tuple(fields["metrics"]),
            "classes": tuple(fields["classes"]),
            "chance": chance,
        }
    )


def _plain(value: Any) -> Any:
    """Return ``value`` with types of JSON; missing and non-finite numbers become null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value.item() if hasattr(value, "item") else value
