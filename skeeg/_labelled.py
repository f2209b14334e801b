"""The base of `EEGData` and `FeatureTable`: rows with labels and metadata."""

from __future__ import annotations

import dataclasses
import datetime
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Self, cast

import numpy as np
import pandas as pd
from numpy.typing import DTypeLike, NDArray

from ._checks import did_you_mean
from ._containers import Unwrapped
from ._divided_trials import warn_of_division
from ._metadata import PROVENANCE as PROVENANCE
from ._metadata import check_names


def refuse_what_holds_no_trials(X: Any) -> None:
    """Raise for objects that look like trials to NumPy but are not.

    Parameters
    ----------
    X : object
        What the user passed as trials or features.

    Raises
    ------
    TypeError
        If it is a recording or an average of MNE, or a list of `EEGData`.
    ValueError
        If it holds times.
    """
    mne = sys.modules.get("mne")  # imported only by users who pass its objects
    if mne is not None and isinstance(X, (mne.io.BaseRaw, mne.Evoked)):
        raise TypeError(
            f"X is an mne {type(X).__name__}, which has no trials. Cut the recording into trials "
            "with mne.Epochs or mne.make_fixed_length_epochs, and pass the epochs."
        )
    if isinstance(X, (list, tuple)) and any(isinstance(part, LabelledRows) for part in X):
        raise TypeError(
            f"X is a {type(X).__name__} of {len(X)} objects with labels. Join them with "
            "EEGData.concatenate(parts) or FeatureTable.concatenate(parts), and pass the result."
        )
    if _holds_times(X):
        raise ValueError("X must hold real numbers, got dates, times or durations.")


def _holds_times(X: Any) -> bool:
    if hasattr(X, "dtypes"):  # a data frame
        return any(getattr(dtype, "kind", "") in "mM" for dtype in np.ravel(X.dtypes))
    first = X
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    kind = getattr(getattr(first, "dtype", None), "kind", "")
    return kind in ("m", "M") or isinstance(first, (datetime.date, datetime.timedelta))


class LabelledRows:
    """The base of a frozen dataclass whose rows have labels and metadata.

    It has the length, the shape and the indexing of its array ``X``, so that scikit-learn splits it
    like an array, together with labels and metadata.
    """

    X: NDArray[Any]
    y: NDArray[Any]
    metadata: pd.DataFrame

    @property
    def duration(self) -> float:
        """Length of a row, in seconds."""
        raise NotImplementedError

    @property
    def identity(self) -> tuple[Any, ...]:
        """What distinguishes these rows from others with equal values, labels and metadata."""
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """Return what describes the rows, without labels and metadata, as numbers and lists."""
        raise NotImplementedError

    def _unwrap(self) -> Unwrapped:
        """Return the input of an estimator: values and, for trials, channel names and rate.

        A table of features is the value itself, because some estimators use its names.
        """
        return Unwrapped(self)

    def _check_rows(self, kind: str) -> None:
        """Raise unless `X` holds numbers, with a label and a row of metadata for each row."""
        parts = {"X": np.ndarray, "y": np.ndarray, "metadata": pd.DataFrame}
        for name, expected in parts.items():
            value = getattr(self, name)
            if not isinstance(value, expected):
                raise TypeError(
                    f"{name} must be a {expected.__name__}, got {type(value).__name__}. "
                    "EEGData.from_arrays makes EEGData of any array-like."
                )
        if self.X.dtype.kind not in "fiub":
            raise ValueError(f"X must hold real numbers, got an array of dtype {self.X.dtype}.")
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
        check_names(self.metadata)

    # ------------------------------------------------------------------ like an array

    def __len__(self) -> int:
        return len(self.X)

    def __sizeof__(self) -> int:
        """Return the size in bytes, by which Dask sees what to send to its workers only once."""
        of_metadata = int(self.metadata.memory_usage(deep=True).sum())
        return object.__sizeof__(self) + self.X.nbytes + self.y.nbytes + of_metadata

    def __getitem__(self, key: Any) -> Self:
        """Select rows: one by an integer, several by a slice, a mask or an index array."""
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
        if isinstance(key, np.ndarray) and key.dtype != bool:
            warn_of_division(self, rows)
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
        """Return the values of a column of the metadata as an array.

        Parameters
        ----------
        column : str
            A column of the metadata, such as ``"subject"``.

        Returns
        -------
        groups : ndarray, shape (n_trials,)
            The values as they are, so that ``data[data.groups("run") == 4]`` are the trials of run
            4, of all subjects. Missing numbers are NaN, other missing values None.

        Raises
        ------
        KeyError
            If the metadata has no such column.

        See Also
        --------
        nested_groups : Tell run 4 of one subject from run 4 of another.
        select : Select trials by the values of a column.
        """
        values = self._column(column)
        plain = values.to_numpy()
        if plain.dtype != object or not values.isna().any():
            return plain
        if pd.api.types.is_numeric_dtype(values.dtype):  # also pandas' nullable booleans
            return values.to_numpy(dtype=float, na_value=np.nan)
        # pd.NA == "a" is neither true nor false, so that it could not select trials.
        return np.array([None if pd.isna(value) else value for value in values], dtype=object)

    def nested_groups(self, column: str) -> NDArray[np.intp]:
        """Return the group of each trial, for ``groups`` of scikit-learn's splitters.

        Parameters
        ----------
        column : str
            A column of the metadata. ``"session"``, ``"run"`` and ``"trial"`` are nested in their
            subject: session 1 of two subjects are two groups.

        Returns
        -------
        groups : ndarray of int, shape (n_trials,)
            Integers from 0, in order of appearance. Missing values are a group of their own in
            each recording.

        Raises
        ------
        KeyError
            If the metadata has no such column.

        See Also
        --------
        groups : The values of the column.

        Examples
        --------
        >>> import numpy as np
        >>> from skeeg import EEGData
        >>> X = np.random.default_rng(0).standard_normal((4, 2, 100))
        >>> data = EEGData.from_arrays(X, [0, 1, 0, 1], 100, subject=[1, 1, 2, 2], run=[4, 8, 4, 8])
        >>> data.groups("run").tolist(), data.nested_groups("run").tolist()
        ([4, 8, 4, 8], [0, 1, 2, 3])
        """
        self._column(column)
        outer = PROVENANCE[: PROVENANCE.index(column)] if column in PROVENANCE else ()
        columns = [name for name in outer if name in self.metadata] + [column]
        return codes_of_rows(self.metadata[columns])

    def select(self, *, classes: Any = None, **columns: Any) -> Self:
        """Select trials by their labels and the values of their metadata.

        Parameters
        ----------
        classes : label or list of labels, optional
            Keep trials with these labels.
        **columns : value or list of values
            For a column of the metadata, such as ``subject`` or ``run``, the values to keep. A
            trial is kept if all columns agree.

        Returns
        -------
        selected : EEGData or FeatureTable
            The trials, in their order.

        Raises
        ------
        KeyError
            If the metadata has no such column.
        ValueError
            If a value does not occur, or no trial has all of them.

        Examples
        --------
        >>> import numpy as np
        >>> from skeeg import EEGData
        >>> X = np.random.default_rng(0).standard_normal((6, 2, 100))
        >>> data = EEGData.from_arrays(X, ["rest", "task"] * 3, 100, run=[4, 4, 8, 8, 12, 12])
        >>> data.select(run=[4, 12], classes="task").metadata["run"].tolist()
        [4, 12]
        """
        kept = np.ones(len(self), dtype=bool)
        if classes is not None:
            kept &= _rows_with("classes", classes, pd.Series(self.y))
        for name, values in columns.items():
            kept &= _rows_with(name, values, self._column(name))
        if not kept.any():
            wanted = columns if classes is None else columns | {"classes": classes}
            listed = ", ".join(f"{name}={values!r}" for name, values in wanted.items())
            raise ValueError(f"No trial has {listed} at once, though each value occurs.")
        return self[kept]

    def _column(self, name: str) -> pd.Series[Any]:
        if name not in self.metadata:
            known = list(self.metadata.columns)
            hint = did_you_mean(name, [column for column in known if isinstance(column, str)])
            raise KeyError(f"metadata has no column {name!r}; it has {known}.{hint}")
        return self.metadata[name]


def _rows_with(name: str, values: Any, column: pd.Series[Any]) -> NDArray[np.bool_]:
    """Return which rows of a column have one of some values, each of which must occur."""
    wanted = [values] if pd.api.types.is_scalar(values) else list(values)
    if not wanted:
        raise ValueError(f"{name} must name one or more values, got none.")
    # 1 == True, so that a flag or a mask would select subject 1.
    flags = [value for value in wanted if isinstance(value, (bool, np.bool_))]
    if flags and not _holds_booleans(column):
        raise ValueError(
            f"{name} has no True or False, got {flags[0]!r}. Pass the values to keep, or select "
            "by a mask of all trials: data[mask]."
        )
    rows = np.zeros(len(column), dtype=bool)
    for value in wanted:
        found = column.isna() if pd.isna(value) else (column == value).fillna(False)
        if not found.any():
            present = ", ".join(repr(entry) for entry in pd.unique(column).tolist()[:30])
            raise ValueError(f"No trial has {name} {value!r}; present are {present}.")
        rows |= found.to_numpy(dtype=bool)
    return rows


def _holds_booleans(column: pd.Series[Any]) -> bool:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = pd.Series(column.cat.categories)
    if column.dtype == object:
        return any(isinstance(value, (bool, np.bool_)) for value in column)
    return pd.api.types.is_bool_dtype(column.dtype)


def codes_of_rows(columns: pd.DataFrame) -> NDArray[np.intp]:
    """Return an integer for each different row of some columns, from 0 in order of appearance."""
    names = list(columns.columns)
    # observed, because categories that no row has would be counted too
    grouped = columns.groupby(names, sort=False, dropna=False, observed=True)
    return np.asarray(grouped.ngroup(), dtype=np.intp)


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
    counts = pd.Series(y).value_counts(sort=False, dropna=False)
    with suppress(TypeError):  # labels of several types have no order
        counts = counts.sort_index()
    return ", ".join(f"{label}: {n}" for label, n in counts.items())


def subject_codes(data: LabelledRows) -> NDArray[np.intp]:
    """Return the subject of each row as integers from 0, in order of appearance.

    Parameters
    ----------
    data : EEGData or FeatureTable

    Returns
    -------
    codes : ndarray of int, shape (n_rows,)
        All 0 if there is no column ``subject``.

    Raises
    ------
    ValueError
        If the subject of a row is missing.
    """
    if "subject" not in data.metadata:
        return np.zeros(len(data), dtype=np.intp)
    codes = pd.factorize(data.metadata["subject"])[0]
    if (codes < 0).any():
        raise ValueError(f"The metadata do not say which subject row {codes.argmin()} is of.")
    return codes
