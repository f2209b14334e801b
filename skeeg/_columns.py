"""Columns of labels and metadata as plain arrays, which ``.npz`` files hold without pickles.

`encode` turns a column into arrays and a description, from which `decode` restores the same values
of the same dtype.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]

#: The dtypes of NumPy that a file holds as they are: numbers, booleans, text, bytes and times.
_PLAIN_KINDS = "biufcUSMm"
_MISSING = {"NA": pd.NA, "NaT": pd.NaT}
_NULLABLE = (pd.arrays.BooleanArray, pd.arrays.IntegerArray, pd.arrays.FloatingArray)


def encode(values: pd.Series | NDArray[Any], key: str, name: str) -> tuple[dict[str, Any], Arrays]:
    """Return a column as a description and plain arrays.

    Parameters
    ----------
    values : Series or ndarray, shape (n_rows,)
    key : str
        The key of the first array; those of the others begin with it.
    name : str
        The name of the column, for messages.

    Returns
    -------
    description : dict
        Strings, booleans and dicts of these.
    arrays : dict of str to ndarray

    Raises
    ------
    TypeError
        If the column cannot be stored exactly.
    """
    description, arrays = _encoded(values, key, name)
    try:
        again = decode(description, arrays, key)
    except (ValueError, TypeError, KeyError, ImportError):
        again = None
    if again is None or again.dtype != values.dtype:
        raise TypeError(
            f"{name} has the dtype {values.dtype}, which a file without pickles cannot hold "
            "exactly. Convert it to numbers or strings first."
        )
    return description, arrays


def _encoded(values: Any, key: str, name: str) -> tuple[dict[str, Any], Arrays]:
    dtype = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in _PLAIN_KINDS:
        return {"kind": "plain"}, {key: np.asarray(values)}
    if isinstance(dtype, np.dtype) and dtype.kind == "O":
        return {"kind": "object"}, {key: _as_json(values.tolist(), name)}
    if isinstance(dtype, pd.StringDtype):
        texts = [None if pd.isna(value) else value for value in values]
        na = "NA" if dtype.na_value is pd.NA else "NaN"
        return {"kind": "string", "storage": dtype.storage, "na": na}, {key: encode_text(texts)}
    if isinstance(dtype, pd.CategoricalDtype):
        categories, arrays = _encoded(pd.Series(dtype.categories), f"{key}_categories", name)
        arrays[key] = values.cat.codes.to_numpy()
        kind = {"kind": "category", "ordered": bool(dtype.ordered), "categories": categories}
        return kind, arrays
    if isinstance(dtype, pd.DatetimeTZDtype):
        times = values.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        return {"kind": "time zone", "time zone": str(dtype.tz)}, {key: times}
    if isinstance(values.array, _NULLABLE):
        missing = values.isna().to_numpy()
        plain = values.to_numpy(dtype=dtype.numpy_dtype, na_value=0)
        return {"kind": "nullable"}, {key: plain, f"{key}_missing": missing}
    return {"kind": "unknown"}, {}


def _as_json(values: list[Any], name: str) -> NDArray[np.uint8]:
    """Return objects as JSON, if all of them are strings or all are numbers, or missing."""
    kinds = {type(value) for value in values if not _is_missing(value)}
    if not (kinds <= {str} or kinds <= {bool, int, float}):
        mix = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise TypeError(
            f"{name} {'mixes' if len(kinds) > 1 else 'holds objects of type'} {mix}; a file "
            "without pickles holds only strings or only numbers. Convert the column first."
        )
    return encode_text([["NA"] if v is pd.NA else ["NaT"] if v is pd.NaT else v for v in values])


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or _is_nan(value)


def _is_nan(value: Any) -> bool:
    return type(value) is float and math.isnan(value)


def decode(description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], key: str) -> Any:
    """Return the values that `encode` described.

    Parameters
    ----------
    description : mapping
    arrays : mapping of str to ndarray
    key : str

    Returns
    -------
    values : ndarray or pandas.api.extensions.ExtensionArray, shape (n_rows,)

    Raises
    ------
    ValueError, TypeError, KeyError
        If description and arrays do not fit together.
    """
    kind, values = description["kind"], arrays[key]
    if kind == "plain":
        if values.ndim != 1:
            raise ValueError(f"a column has the shape {values.shape}")
        return values
    if kind == "object":
        return _objects(decode_text(values))
    if kind == "string":
        return pd.array(decode_text(values), dtype=_string_dtype(description))
    if kind == "category":
        categories = decode(description["categories"], arrays, f"{key}_categories")
        return pd.Categorical.from_codes(
            values, categories=pd.Index(categories), ordered=description["ordered"]
        )
    if kind == "time zone":
        times = pd.DatetimeIndex(values).tz_localize("UTC")
        return times.tz_convert(description["time zone"]).array
    if kind == "nullable":
        of_kind = {"b": 0, "i": 1, "u": 1, "f": 2}[values.dtype.kind]
        return _NULLABLE[of_kind](values, arrays[f"{key}_missing"])
    raise ValueError(f"the kind of column {kind!r} is unknown")


def _objects(values: list[Any]) -> NDArray[np.object_]:
    objects = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        objects[i] = _MISSING[value[0]] if isinstance(value, list) else value
    return objects


def _string_dtype(description: Mapping[str, Any]) -> Any:
    """Return a dtype of text; without pyarrow, Python's own storage holds the same strings."""
    storage = description["storage"]
    options: dict[str, Any] = {} if description["na"] == "NA" else {"na_value": np.nan}
    try:
        return pd.StringDtype(storage, **options)
    except ImportError:
        return pd.StringDtype("python", **options)


def encode_text(content: Any) -> NDArray[np.uint8]:
    """Return lists, dicts, strings and numbers as an array of JSON in ASCII.

    An array of NumPy's strings would lose NUL characters at their ends.
    """
    return np.frombuffer(json.dumps(content).encode("ascii"), dtype=np.uint8)


def decode_text(array: NDArray[Any]) -> Any:
    """Return what `encode_text` got.

    Raises
    ------
    ValueError
        If the array does not hold JSON.
    """
    if array.dtype != np.uint8:
        raise ValueError(f"text is stored as {array.dtype}")
    return json.loads(array.tobytes())
