"""What trials and their features have in common: rows with labels and provenance."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Self, cast

import numpy as np
import pandas as pd
from numpy.typing import DTypeLike, NDArray

#: Columns that together say where a trial was recorded; windows of one trial agree in all of them.
PROVENANCE = ("subject", "session", "run", "trial")


class LabelledRows:
    """The base of a frozen dataclass whose rows have labels and metadata.

    It has the length, the shape and the indexing of its array ``X``, so that scikit-learn cuts it
    like one, labels and metadata alike.
    """

    X: NDArray[Any]
    y: NDArray[Any]
    metadata: pd.DataFrame

    @property
    def duration(self) -> float:
        """How long a row lasts, in seconds."""
        raise NotImplementedError

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells these rows from others of equal values, labels and metadata."""
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """Return what the rows are, but for labels and metadata, as plain numbers and lists."""
        raise NotImplementedError

    def _check_rows(self, kind: str) -> None:
        """Raise if there is not one label and one row of metadata for each row of `X`."""
        n_rows = len(self.X)
        if self.y.ndim != 1 or len(self.y) != n_rows:
            several = " Pass one column of targets at a time." if self.y.ndim == 2 else ""
            raise ValueError(
                f"y must hold one label for each of the {n_rows} {kind} of X, "
                f"got shape {self.y.shape}.{several}"
            )
        if len(self.metadata) != n_rows:
            raise ValueError(
                f"metadata must have a row for each of the {n_rows} {kind}, "
                f"got {len(self.metadata)} rows."
            )

    # ------------------------------------------------------------------ like an array

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, key: Any) -> Self:
        """Cut rows: an integer keeps one row, slices, masks and index arrays several."""
        if isinstance(key, tuple):
            rest = [k for k in key[1:] if k is not Ellipsis and k != slice(None)]
            if not key or rest:
                raise IndexError(
                    f"{type(self).__name__} is indexed by trial only; index data.X for the rest."
                )
            key = key[0]
        if isinstance(key, (int, np.integer)):
            if not -len(self) <= key < len(self):
                raise IndexError(f"trial {key} is out of range: there are {len(self)} trials.")
            key = [int(key)]
        rows = np.arange(len(self))[key]
        metadata = self.metadata.iloc[rows].reset_index(drop=True)
        cut = dataclasses.replace(cast(Any, self), X=self.X[key], y=self.y[key], metadata=metadata)
        return cast(Self, cut)

    def __iter__(self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.X, dtype=dtype, copy=copy)

    @property
    def ndim(self) -> int:
        """The number of axes of `X`."""
        return self.X.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of `X`."""
        return self.X.dtype

    # ------------------------------------------------------------------ provenance

    def groups(self, column: str) -> NDArray[Any]:
        """Return what each trial belongs to, for ``groups`` of scikit-learn's splitters.

        Parameters
        ----------
        column : str
            A column of the metadata. ``"session"``, ``"run"`` and ``"trial"`` count within their
            subject: session 1 of two subjects are two groups, however they are numbered.

        Returns
        -------
        groups : ndarray, shape (n_trials,)
            The column itself, or integers where it counts within a subject, session or run.

        Raises
        ------
        KeyError
            If the metadata has no such column.
        """
        if column not in self.metadata:
            raise KeyError(
                f"metadata has no column {column!r}; it has {list(self.metadata.columns)}."
            )
        outer = PROVENANCE[: PROVENANCE.index(column)] if column in PROVENANCE else ()
        columns = [name for name in outer if name in self.metadata] + [column]
        if len(columns) == 1:
            return self.metadata[column].to_numpy()
        return self.metadata.groupby(columns, sort=False, dropna=False).ngroup().to_numpy()


def is_continuous(y: NDArray[Any]) -> bool:
    """Return whether targets are numbers to estimate, not classes to tell apart.

    The rule is that of `sklearn.utils.multiclass.type_of_target`: floats of which one at least is
    no whole number. Whole numbers may be either; `skeeg.compare` decides by the estimators.

    Parameters
    ----------
    y : ndarray, shape (n_trials,)
        Missing targets are left out.

    Returns
    -------
    continuous : bool
    """
    if y.dtype.kind != "f":
        return False
    known = y[np.isfinite(y)]
    return bool((known != np.floor(known)).any())


def describe_labels(y: NDArray[Any]) -> str:
    """Return the number of rows of each class, or the range of continuous targets.

    Parameters
    ----------
    y : ndarray, shape (n_rows,)

    Returns
    -------
    description : str
        Such as ``"rest: 20, task: 20"`` or ``"y from -1.2 to 3.4"``.
    """
    if is_continuous(y):
        return f"y from {np.nanmin(y):.3g} to {np.nanmax(y):.3g}"
    labels, counts = np.unique(y, return_counts=True)
    return ", ".join(f"{label}: {n}" for label, n in zip(labels, counts, strict=True))


def subject_codes(data: LabelledRows) -> NDArray[np.intp]:
    """Return which subject each row is of, counted from 0 in order of appearance.

    Parameters
    ----------
    data : EEGData or FeatureTable

    Returns
    -------
    codes : ndarray of int, shape (n_rows,)
        All 0 without a column ``subject``.

    Raises
    ------
    ValueError
        If the metadata do not say of whom a row is.
    """
    if "subject" not in data.metadata:
        return np.zeros(len(data), dtype=np.intp)
    codes = pd.factorize(data.metadata["subject"])[0]
    if (codes < 0).any():
        raise ValueError(f"The metadata do not say which subject row {codes.argmin()} is of.")
    return codes
