"""Columns of metadata from what users pass: their names, and their order, which is by position."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

#: Columns that together identify a recorded trial; its windows have equal values in all of them.
PROVENANCE = ("subject", "session", "run", "trial")
#: Columns that the leakage guard and the protocols of `compare` read.
_READ = (*PROVENANCE, "window")
#: Other words for them, such as the entities of BIDS.
_SYNONYMS = {
    "sub": "subject",
    "subj": "subject",
    "participant": "subject",
    "ses": "session",
    "sess": "session",
}
#: What people append to such a word: numbers, identifiers, and the plural.
_ENDING = re.compile(r"(id|idx|index|no|nr|num|number|name)?s?$")


def metadata_frame(
    metadata: pd.DataFrame | Mapping[str, ArrayLike] | None,
    columns: Mapping[str, Any],
    n_trials: int,
) -> pd.DataFrame:
    """Return a row of metadata for each trial.

    Parameters
    ----------
    metadata : DataFrame, mapping or None
    columns : mapping
        More columns, which replace those of the same name.
    n_trials : int

    Returns
    -------
    frame : DataFrame
        All columns are taken by position. Levels of the index become columns if they have a name
        that the leakage guard reads, such as ``subject``; the rest of the index is ignored.

    Raises
    ------
    ValueError
        If a column has another length, or a column or a level of the index has a name that is
        nearly one that the leakage guard reads, or both have one name.
    """
    named: dict[Any, Any] = {}
    if isinstance(metadata, Mapping):
        named, frame = dict(metadata), pd.DataFrame(index=pd.RangeIndex(n_trials))
    elif metadata is None:
        frame = pd.DataFrame(index=pd.RangeIndex(n_trials))
    else:
        frame = _levels_as_columns(pd.DataFrame(metadata))
    for name, column in (named | dict(columns)).items():
        frame[name] = _by_position(name, column, n_trials)
    check_names(frame)
    return frame


def check_names(frame: pd.DataFrame) -> None:
    """Raise if the leakage guard would overlook where trials were recorded.

    Parameters
    ----------
    frame : DataFrame

    Raises
    ------
    ValueError
        If a column has nearly a name that the guard reads, such as ``trials``, or such a name, or
        nearly one, belongs to the index.
    """
    names = list(frame.columns)
    for name in names:
        meant = _nearly(name) if isinstance(name, str) else None
        if meant is not None and meant not in names:
            raise ValueError(
                f"The column {name!r} is not read by the leakage guard and the protocols. Did you "
                f"mean {meant!r}? Pass {meant}=..., or rename the column."
            )
    _check_index(frame, names)


def _check_index(frame: pd.DataFrame, names: list[Any]) -> None:
    for name in frame.index.names:
        meant = None if not isinstance(name, str) else name if name in _READ else _nearly(name)
        if meant is not None and meant not in names:
            renamed = "" if name == meant else f", and rename it to {meant!r}"
            raise ValueError(
                f"{name!r} is in the index of metadata, which is not kept. Pass "
                f"metadata.reset_index(), in which it is a column{renamed}."
            )


def _levels_as_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with an index of positions, and levels that the guard reads as columns."""
    levels = [name for name in frame.index.names if name in _READ]
    for name in levels:
        if name in frame:
            raise ValueError(
                f"metadata has {name!r} both as a column and in its index. Pass "
                "metadata.reset_index(drop=True) to use the column."
            )
    frame = frame.reset_index(levels) if levels else frame
    _check_index(frame, list(frame.columns))
    return frame.reset_index(drop=True)


def _by_position(name: Any, column: Any, n_trials: int) -> Any:
    """Return a column without its index, which need not be the order of the trials."""
    if pd.api.types.is_scalar(column):
        return column
    entries = column.array if isinstance(column, (pd.Series, pd.Index)) else column
    if not isinstance(entries, pd.api.extensions.ExtensionArray):
        values = np.asarray(entries)
        texts = values.ndim == 1 and values.dtype.kind == "U"
        if texts and not all(isinstance(entry, str) for entry in entries):
            values = np.array(entries, dtype=object)  # otherwise 4 and "4" would be one run
        entries = values
        if entries.ndim == 0 and entries.dtype.kind != "O":
            return entries.item()
    if entries.ndim != 1:
        raise ValueError(
            f"{name} must be a list of {n_trials} entries or a single value, got a "
            f"{type(column).__name__} with {entries.ndim} dimensions."
        )
    if len(entries) != n_trials:
        raise ValueError(
            f"{name} must have an entry for each of the {n_trials} trials, got {len(entries)}."
        )
    return entries


@lru_cache(maxsize=1024)  # every selection of trials checks the same names again
def _nearly(name: str) -> str | None:
    """Return the column that the guard reads whose name a name nearly is, if there is one."""
    if name in _READ:
        return None
    word = re.sub(r"[\W_\d]+", "", name.casefold())
    word = _SYNONYMS.get(word, word)
    stem = _ENDING.sub("", word)
    stem = _SYNONYMS.get(stem, stem)
    if stem in _READ:
        return stem
    closest = difflib.get_close_matches(word, _READ, n=1, cutoff=0.8)
    # A typing error; what is longer, such as subject_age, is a name of its own.
    return closest[0] if closest and abs(len(closest[0]) - len(word)) <= 1 else None
