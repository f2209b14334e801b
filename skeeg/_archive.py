"""The ``.npz`` file of an `EEGData`, without pickles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ._columns import decode, decode_text, encode, encode_text
from ._dropped import dropped_frame
from ._files import atomic_path
from ._npz import UNREADABLE, open_npz

if TYPE_CHECKING:
    from .data import EEGData

_FORMAT = "skeeg.EEGData 2"


def write_archive(data: EEGData, target: Path) -> Path:
    """Write a file; see `EEGData.save`."""
    if target.suffix != ".npz":
        target = target.with_name(target.name + ".npz")
    _check_column_names(data.metadata)
    labels, arrays = encode(np.asarray(data.y), "y", "y")
    columns = []
    for i, (name, column) in enumerate(data.metadata.items()):
        described, parts = encode(column, f"column_{i}", str(name))
        columns.append({"name": name, **described})
        arrays |= parts
    arrays |= {
        "format": np.array(_FORMAT),
        "X": data.X,
        "sfreq": np.array(data.sfreq),
        "contents": encode_text(
            {
                "ch_names": data.ch_names,
                "y": labels,
                "columns": columns,
                "dropped": _plain_rows(data.dropped),
            }
        ),
    }
    with atomic_path(target) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    return target


def read_archive(source: Path) -> dict[str, Any]:
    """Return the arguments of the `EEGData` in a file; see `EEGData.load`."""
    if not source.exists():
        raise FileNotFoundError(f"{source} does not exist; EEGData.save writes such files.")
    try:
        with open_npz(source) as archive:
            if "format" not in archive or str(archive["format"]) != _FORMAT:
                raise ValueError("it has no mark of a saved EEGData of this version of skeeg")
            return _fields(archive)
    except UNREADABLE as error:
        raise unreadable(source, error) from error


def unreadable(source: Path, error: Exception) -> ValueError:
    """Return the error of a file that cannot be read."""
    return ValueError(
        f"{source} cannot be read as EEGData ({error}). Expected a .npz file written by "
        "EEGData.save; write it again from the original recording."
    )


def _fields(archive: Any) -> dict[str, Any]:
    contents = decode_text(archive["contents"])
    columns = {}
    for i, described in enumerate(contents["columns"]):
        values = decode(described, archive, f"column_{i}")
        # Without the dtype, pandas would convert objects that are strings to text.
        columns[described["name"]] = pd.Series(values, dtype=values.dtype)
    X, sfreq, names = archive["X"], archive["sfreq"], contents["ch_names"]
    if sfreq.shape != () or sfreq.dtype.kind != "f" or not isinstance(names, list):
        raise ValueError("its sampling rate or channel names are not what save writes")
    return {
        "X": X,
        "y": decode(contents["y"], archive, "y"),
        "sfreq": float(sfreq),
        "ch_names": tuple(map(str, names)),
        "metadata": pd.DataFrame(columns, index=pd.RangeIndex(len(X))),
        "dropped": dropped_frame(contents.get("dropped", [])),
    }


def _plain_rows(dropped: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table of what was left out, as JSON can hold them."""
    rows = dropped.astype(object).to_dict("records")
    return [
        {str(name): None if pd.isna(value) else _plain(value) for name, value in row.items()}
        for row in rows
    ]


def _plain(value: Any) -> int | str:
    return int(value) if isinstance(value, (int, np.integer)) else str(value)


def _check_column_names(metadata: pd.DataFrame) -> None:
    """Raise if a file cannot hold the names of the columns."""
    names = list(metadata.columns)
    for name in names:
        if type(name) not in (str, int):
            raise TypeError(
                f"metadata has a column named {name!r}, of type {type(name).__name__}; a file "
                "holds strings and integers as names. Rename the column first."
            )
        if names.count(name) > 1:
            raise TypeError(f"metadata has two columns named {name!r}. Rename one of them first.")
