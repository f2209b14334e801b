"""Subject, session and run of recordings, from the names of their files or from a table."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ._recording import PathLike
from ._recording_files import FORMATS

Columns = dict[str, Any]
#: Columns of the metadata by the entities in names of BIDS.
BIDS_COLUMNS = {
    "sub": "subject",
    "ses": "session",
    "run": "run",
    "task": "task",
    "acq": "acquisition",
}
_TABLES = (".csv", ".tsv")
#: What a pattern may leave out at the end of a name.
_END = rf"(?:[-_](?i:raw|eeg))?(?i:{'|'.join(map(re.escape, FORMATS))})?"


def describe_files(
    files: Sequence[Path], metadata: PathLike | pd.DataFrame | None
) -> list[Columns]:
    """Return the columns of the metadata of each file.

    Parameters
    ----------
    files : sequence of pathlib.Path
    metadata : str, path-like, DataFrame or None
        As in `load_recordings`.

    Returns
    -------
    columns : list of dict
        ``file`` and ``run`` are always among them; a run that is not known is the file's name.

    Raises
    ------
    FileNotFoundError
        If `metadata` is the name of a table that does not exist.
    ValueError
        If a pattern does not fit a name, or a table has not one row for each file.
    """
    if isinstance(metadata, pd.DataFrame):
        found = [_row(file, metadata, "metadata") for file in files]
    elif metadata is None:
        found = _in_all([bids_columns(file) for file in files])
    elif isinstance(metadata, os.PathLike) or str(metadata).lower().endswith(_TABLES):
        table = read_table(Path(metadata))
        found = [_row(file, table, str(metadata)) for file in files]
    else:
        expression = _expression(metadata)
        found = _in_all([_matched(file, expression, metadata) for file in files])
    return [
        {"file": file.name} | ({} if "run" in columns else {"run": file.stem}) | columns
        for file, columns in zip(files, found, strict=True)
    ]


def bids_columns(file: Path) -> Columns:
    """Return what the name of a file says about it in the words of BIDS."""
    entities = re.findall(r"(?:^|_)(sub|ses|run|task|acq)-([A-Za-z0-9]+)", file.name)
    return {BIDS_COLUMNS[entity]: value for entity, value in entities}


def _in_all(found: list[Columns]) -> list[Columns]:
    """Return the columns that all files have; others would be missing subjects in the rest."""
    everywhere = set.intersection(*(set(columns) for columns in found))
    return [{name: columns[name] for name in columns if name in everywhere} for columns in found]


def read_table(path: Path) -> pd.DataFrame:
    """Return a table of a CSV or TSV file, in which text such as ``"01"`` is kept.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    table : DataFrame

    Raises
    ------
    FileNotFoundError
        If it does not exist.
    ValueError
        If it is no such table.
    """
    path = path.expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"There is no table {path}.")
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    try:
        texts = pd.read_csv(path, sep=separator, dtype=str, skipinitialspace=True)
        numbers = pd.read_csv(path, sep=separator, skipinitialspace=True)
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read as a table ({error}).") from error
    # 01 is the name of a subject, 1.5 a number.
    names = [c for c in texts if texts[c].str.fullmatch(r"0\d+").any() or c == "file"]
    return numbers.assign(**{str(name): texts[name] for name in names})


def _row(file: Path, table: pd.DataFrame, source: str) -> Columns:
    levels = [name for name in table.index.names if name is not None and name not in table]
    table = table.reset_index(levels) if levels else table
    if "file" not in table:
        raise ValueError(f"{source} needs a column 'file'; it has {list(table.columns)}.")
    named = table["file"].astype(str).to_numpy()
    path = "/" + file.absolute().as_posix()
    rows = [i for i, name in enumerate(named) if path.endswith("/" + name.lstrip("/"))]
    if len(rows) != 1:
        raise ValueError(f"{source} has {len(rows)} rows of the file {file}, expected one.")
    row = table.iloc[rows[0]]
    return {str(name): row[name] for name in table.columns} | {"file": file.name}


def _expression(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern, which may be one already."""
    regular = "(?P<" in pattern
    parts = re.split(r"\{(\w+)\}", pattern)
    template = "".join(
        f"(?P<{part}>[^/]+?)" if i % 2 else re.escape(part) for i, part in enumerate(parts)
    )
    try:
        expression = re.compile(pattern if regular else template + _END)
    except re.error as error:
        raise ValueError(f"metadata={pattern!r} is not a valid pattern: {error}.") from error
    if not expression.groupindex:
        raise ValueError(
            f"metadata={pattern!r} names no column. Expected is a pattern such as "
            "'{subject}_{run}', a regular expression with named groups, such as "
            "r'(?P<subject>S\\d+)', or a table."
        )
    return expression


def _matched(file: Path, expression: re.Pattern[str], pattern: str) -> Columns:
    path = file.absolute()
    if "(?P<" in pattern:
        text = path.as_posix() if "/" in pattern else file.name
        # A folder far above the recordings may match, too: the last match is the nearest.
        found = next(iter(list(expression.finditer(text))[::-1]), None)
    else:
        found = expression.fullmatch("/".join(path.parts[-1 - pattern.count("/") :]))
    if found is None:
        raise ValueError(f"The name of {file} does not match metadata={pattern!r}.")
    return {name: value for name, value in found.groupdict().items() if value is not None}
