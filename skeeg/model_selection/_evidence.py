"""What rows of the data have in common: samples, values, and recordings that reveal the class."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._labelled import LabelledRows
from .folds import trial_codes

LEVELS = ("subject", "session", "run")
#: Other columns that identify a recording or a part of it.
RECORDINGS = ("block", "file", "filename", "recording")
#: Proportion of the errors of guessing the most frequent class that knowing the recording must
#: avoid. 0.8 tolerates a stray label in ten; recordings with similar classes are near 0.
_REVEALED = 0.8
#: Rows with fewer values, such as rounded features, may be equal by chance.
_FEWEST_VALUES = 16


def window_starts(data: LabelledRows) -> NDArray[np.float64] | None:
    """Return ``window`` of each row in seconds; None if there is no known start."""
    if "window" not in data.metadata:
        return None
    column = data.metadata["window"]
    try:
        starts = pd.to_numeric(column).to_numpy(dtype=float, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise ValueError(
            "The column 'window' of the metadata must hold the start of each window in seconds, "
            f"as numbers; got {column.iloc[0]!r} (dtype {column.dtype}). Convert it, or give it "
            "another name if it is not a time."
        ) from error
    return starts if np.isfinite(starts).any() else None


def recording_codes(data: LabelledRows) -> NDArray[np.intp]:
    """Return an integer for the finest known recording of each row."""
    known = [level for level in LEVELS if level in data.metadata]
    return data.nested_groups(known[-1]) if known else np.zeros(len(data), np.intp)


def alone_in_trial(data: LabelledRows) -> NDArray[np.bool_]:
    """Return which rows have a ``trial`` that no other row has."""
    if "trial" not in data.metadata:
        return np.zeros(len(data), dtype=bool)
    codes = trial_codes(data)
    return np.asarray(np.bincount(codes, minlength=1)[codes] == 1)


def separated(
    starts: NDArray[np.float64], units: NDArray[np.intp], length: float
) -> NDArray[np.float64]:
    """Return starts with offsets, so that windows of different units do not overlap."""
    longest = np.nanmax(starts) - np.nanmin(starts)
    return units * (longest + 2 * length) + starts


def value_codes(data: LabelledRows) -> NDArray[np.intp]:
    """Return an integer for each row, equal for rows with equal values.

    Constant rows, such as trials of zeros, and rows of few values differ from each other.
    """
    rows = np.arange(len(data))
    if not len(data) or data.X[0].size < _FEWEST_VALUES:
        return rows
    digests = [
        hashlib.blake2b(np.ascontiguousarray(row).data, digest_size=16).digest() for row in data.X
    ]
    codes = pd.factorize(pd.Series(digests))[0]
    repeated = np.flatnonzero(np.bincount(codes)[codes] > 1)
    constant = [row for row in repeated if (data.X[row] == data.X[row].flat[0]).all()]
    codes[constant] = codes.max() + 1 + np.asarray(constant, dtype=np.intp)
    return codes


def reveals_class(recordings: NDArray[np.intp], y: NDArray[np.generic]) -> bool:
    """Return whether knowing the recording of a row is nearly as good as knowing its class."""
    counts = pd.crosstab(recordings, pd.factorize(y)[0]).to_numpy()
    if len(counts) < 2:
        return False
    known, guessed = counts.max(axis=1).sum(), counts.sum(axis=0).max()
    total = counts.sum()
    return bool(guessed < total and known - guessed >= (_REVEALED - 1e-9) * (total - guessed))
