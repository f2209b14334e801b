"""Folds, and the rows of the data that belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._labelled import PROVENANCE, LabelledRows, subject_codes


class LeakageError(ValueError):
    """Raised if training and test of a split share information that inflates the scores."""


@dataclass(frozen=True, eq=False)
class Fold:
    """One split of the trials into a training and a test part.

    Parameters
    ----------
    train, test : ndarray of int
        Row indices.
    subject : object, optional
        The test subject, if there is only one.
    name : str
        Name that is unique among the folds of a protocol, such as ``"subject 1, run 2"``.
    """

    train: NDArray[np.intp]
    test: NDArray[np.intp]
    subject: Any = None
    name: str = "fold"


def as_fold(split: Any, number: int, data: LabelledRows) -> Fold:
    """Return a split as a fold, after checking that its rows exist.

    Parameters
    ----------
    split : Fold or (train, test)
        Row indices or boolean masks.
    number : int
        Index of the split, from which its name is made.
    data : EEGData or FeatureTable

    Returns
    -------
    fold : Fold

    Raises
    ------
    ValueError
        If it is not a pair, or a part does not consist of rows of the data.
    """
    if isinstance(split, Fold):
        return split
    name = f"fold {number + 1}"
    try:
        train, test = split
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} of cv must be (train, test) row indices, got {split!r:.80}."
        ) from None
    train = as_rows(train, len(data), f"The training part of {name!r}")
    test = as_rows(test, len(data), f"The test part of {name!r}")
    subjects = [name for name, rows in rows_of_subjects(data) if np.isin(test, rows).any()]
    return Fold(train, test, subjects[0] if len(subjects) == 1 else None, name)


def as_rows(index: Any, n_trials: int, what: str) -> NDArray[np.intp]:
    """Return row indices for ``index``, which may be a boolean mask.

    Parameters
    ----------
    index : array-like of int or bool
    n_trials : int
    what : str
        Name of the part and the fold, for messages.

    Returns
    -------
    rows : ndarray of int

    Raises
    ------
    ValueError
        If ``index`` is of another type, or has rows that do not exist.
    """
    rows = np.asarray(index)
    if rows.dtype == bool and rows.shape == (n_trials,):
        return np.flatnonzero(rows)
    if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
        raise ValueError(
            f"{what} must be row indices or a boolean mask of length {n_trials}, got an array of "
            f"shape {rows.shape} and dtype {rows.dtype}."
        )
    if rows.size and not (rows.min() >= 0 and rows.max() < n_trials):
        raise ValueError(
            f"{what} has row {rows.max() if rows.min() >= 0 else rows.min()}, but there are rows "
            f"0 to {n_trials - 1}."
        )
    return rows.astype(np.intp)


def checked_folds(folds: list[Fold], data: LabelledRows, *, continuous: bool) -> list[Fold]:
    """Return ``folds``, after checking their names, their test parts and their classes.

    Parameters
    ----------
    folds : list of Fold
    data : EEGData or FeatureTable
    continuous : bool
        Whether the targets are continuous, so that classes are not checked.

    Returns
    -------
    folds : list of Fold

    Raises
    ------
    ValueError
        If there are no folds, two folds have the same name, a part is empty, or a class is missing
        in a training part. The message names the fold and the class.
    """
    if not folds:
        raise ValueError("cv gave no folds. Pass a splitter or an iterable with at least one.")
    names = pd.Series([fold.name for fold in folds])
    if names.duplicated().any():
        raise ValueError(
            f"Two folds have the name {names[names.duplicated()].iloc[0]!r}. Give each fold its "
            "own name."
        )
    classes = np.unique(data.y[:0] if continuous else data.y)
    for fold in folds:
        if not len(fold.test):
            raise ValueError(f"The test part of fold {fold.name!r} is empty.")
        if continuous and not len(fold.train):
            raise ValueError(f"The training part of fold {fold.name!r} is empty.")
        missing = np.setdiff1d(classes, data.y[fold.train])
        if missing.size:
            raise ValueError(
                f"The training part of fold {fold.name!r} ({len(fold.train)} trials) lacks class "
                f"{listed(missing.tolist())}, so an estimator cannot learn it. Use another "
                "protocol or fewer folds, or leave that subject out."
            )
    return folds


def trial_codes(data: LabelledRows) -> NDArray[np.intp]:
    """Return an integer for each row of ``data``, equal for windows of one recorded trial.

    Parameters
    ----------
    data : EEGData or FeatureTable

    Returns
    -------
    codes : ndarray of int, shape (n_trials,)
        Without a column ``trial``, or where its value is missing, each row is its own trial.
    """
    rows = np.arange(len(data))
    if "trial" not in data.metadata:
        return rows
    outer = [name for name in PROVENANCE[:-1] if name in data.metadata]
    columns = data.metadata[outer].assign(trial=_without_jitter(data.metadata["trial"]))
    codes = columns.groupby([*outer, "trial"], sort=False, dropna=False).ngroup().to_numpy()
    unknown = data.metadata["trial"].isna().to_numpy()
    return np.where(unknown, codes.max(initial=0) + 1 + rows, codes)


def _without_jitter(trial: pd.Series[Any]) -> pd.Series[Any]:
    """Return equal numbers for trials that differ by rounding only."""
    if not pd.api.types.is_float_dtype(trial.dtype):
        return trial
    values = trial.to_numpy(dtype=float, na_value=np.nan)
    known, inverse = np.unique(values, return_inverse=True)
    tolerance = np.minimum(1e-6 * np.maximum(1, np.abs(known[1:])), 1e-3)
    first = np.r_[True, ~(np.diff(known) <= tolerance)][: len(known)]
    codes = np.cumsum(first) - 1
    return pd.Series(codes[inverse], index=trial.index).where(trial.notna())


def rows_of_subjects(data: LabelledRows) -> list[tuple[Any, NDArray[np.intp]]]:
    """Return the rows of each subject.

    Parameters
    ----------
    data : EEGData or FeatureTable

    Returns
    -------
    subjects : list of (subject, ndarray of int)
        In order of appearance. Without a column ``subject`` there is one subject, None.

    Raises
    ------
    ValueError
        If the subject of a row is missing.
    """
    if "subject" not in data.metadata:
        return [(None, np.arange(len(data)))]
    codes = subject_codes(data)
    subjects = data.metadata["subject"].unique().tolist()
    return [(subject, np.flatnonzero(codes == i)) for i, subject in enumerate(subjects)]


def require_column(data: LabelledRows, column: str, what: str) -> None:
    """Raise an error if the metadata do not have a column.

    Parameters
    ----------
    data : EEGData or FeatureTable
    column : str
    what : str
        What needs the column, for the message.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    if column not in data.metadata:
        raise ValueError(
            f"{what} needs a column {column!r} in the metadata; there are "
            f"{list(data.metadata.columns)}. Add it with EEGData.from_arrays(..., {column}=...)."
        )


def listed(values: list[Any]) -> str:
    """Return the first few values as text."""
    shown = ", ".join(repr(value) for value in values[:5])
    return shown + (", ..." if len(values) > 5 else "")
