"""What rows of the data have in common: samples, values, and recordings that reveal the class."""

from __future__ import annotations

import hashlib
from typing import Any

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
#: Number of values of each row that are compared before whole rows are.
_N_COMPARED = 64


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
    # Rows that differ in a few values are not equal, and need not be read as a whole.
    places = np.linspace(0, data.X[0].size - 1, _N_COMPARED).astype(np.intp)
    index: Any = (slice(None), *np.unravel_index(places, data.X.shape[1:]))
    few = data.X[index]
    candidates = _repeated(np.ascontiguousarray(few).view(f"V{few[0].nbytes}").ravel(), rows)
    digests = [
        hashlib.blake2b(np.ascontiguousarray(data.X[row]).data, digest_size=16).digest()
        for row in candidates
    ]
    codes = rows.copy()
    codes[candidates] = candidates[_first_equal(digests)]
    constant = [row for row in candidates if (data.X[row] == data.X[row].flat[0]).all()]
    codes[constant] = constant
    return codes


def _repeated(values: NDArray[np.void], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the rows whose value is also that of another row."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return rows[counts[inverse] > 1]


def _first_equal(values: list[bytes]) -> NDArray[np.intp]:
    """Return for each value the index of the first one that is equal."""
    first: dict[bytes, int] = {}
    indices = [first.setdefault(value, i) for i, value in enumerate(values)]
    return np.array(indices, dtype=np.intp)


def reveals_class(recordings: NDArray[np.intp], y: NDArray[np.generic]) -> bool:
    """Return whether knowing the recording of a row is nearly as good as knowing its class."""
    return avoided_errors(recordings, y) >= _REVEALED - 1e-9


def avoided_errors(recordings: NDArray[np.intp], y: NDArray[np.generic]) -> float:
    """Return the proportion of errors that knowing the recording of a row avoids.

    Parameters
    ----------
    recordings : ndarray of int, shape (n_rows,)
        From 0.
    y : ndarray, shape (n_rows,)

    Returns
    -------
    avoided : float
        From 0, no better than guessing the most frequent class, to 1; 0 for a single recording or
        a single class.
    """
    _, of_rows = np.unique(recordings, return_inverse=True)
    labels = pd.factorize(y, use_na_sentinel=False)[0]
    counts = np.zeros((of_rows.max(initial=-1) + 1, labels.max(initial=-1) + 1), dtype=np.intp)
    np.add.at(counts, (of_rows, labels), 1)
    if len(counts) < 2:
        return 0.0
    known, guessed = counts.max(axis=1).sum(), counts.sum(axis=0).max()
    errors = len(labels) - guessed
    return float((known - guessed) / errors) if errors else 0.0
