"""Content of arrays, tensors and tables as bytes."""

from __future__ import annotations

import hashlib
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BLOCK = 2**22


def array_parts(values: NDArray[Any]) -> tuple[tuple[str | bytes, ...], list[Any]]:
    """Return what tells an array apart, and its elements if they are objects.

    Parameters
    ----------
    values : ndarray
        Type, byte order, shape and the order in memory count, because sums depend on them.

    Returns
    -------
    label : tuple of str or bytes
    items : list of object
    """
    order = "F" if values.flags.f_contiguous and not values.flags.c_contiguous else "C"
    label: tuple[str | bytes, ...] = ("array", repr(values.dtype.descr), str(values.shape), order)
    if values.dtype.hasobject:
        return label, [values.tolist()]
    return (*label, content(values)), []


def content(values: NDArray[Any]) -> bytes:
    """Return the SHA-256 of an array, in the order of its indices, without a copy of all of it."""
    hasher = hashlib.sha256()
    plain = np.asarray(values)
    if plain.flags.c_contiguous:
        hasher.update(plain.reshape(-1).view(np.uint8).data if plain.size else b"")
        return hasher.digest()
    rows = max(1, _BLOCK // max(1, plain.nbytes // max(1, len(plain))))
    for start in range(0, len(plain), rows):
        block = np.ascontiguousarray(plain[start : start + rows])
        hasher.update(block.tobytes())
    return hasher.digest()


def tensor_parts(tensor: Any) -> tuple[str | bytes, ...]:
    """Return what tells a tensor of torch apart, whatever device it is on."""
    torch = sys.modules["torch"]
    if tensor.layout is not torch.strided or tensor.is_quantized:
        raise TypeError(f"a tensor of layout {tensor.layout} cannot be compared with others")
    if type(tensor) not in (torch.Tensor, torch.nn.Parameter, torch.nn.Buffer):
        raise TypeError(f"a tensor of type {type(tensor).__name__} cannot be compared with others")
    plain = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    described = (str(tensor.dtype), str(tuple(tensor.shape)), str(tensor.requires_grad))
    return ("tensor", *described, content(plain))


def is_frame(value: Any) -> bool:
    """Return whether a value is a table, column or index of pandas."""
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return False
    return isinstance(
        value, (pandas.DataFrame, pandas.Series, pandas.Index, pandas.api.extensions.ExtensionArray)
    )


def frame_parts(value: Any) -> tuple[tuple[str, ...], list[tuple[str, Any]]]:
    """Return what tells a table of pandas apart, and its columns.

    Parameters
    ----------
    value : DataFrame, Series, Index or ExtensionArray

    Returns
    -------
    label : tuple of str
    children : list of (str, object)
    """
    import pandas as pd

    kind = type(value).__name__
    if isinstance(value, pd.DataFrame):
        columns = [(f"column {i}", value.iloc[:, i]) for i in range(value.shape[1])]
        return (kind,), [("columns", value.columns), ("index", value.index), *columns]
    if isinstance(value, pd.Series):
        return (kind,), [("name", value.name), ("index", value.index), ("", value.array)]
    if isinstance(value, pd.RangeIndex):
        return (kind, repr(value)), []
    if isinstance(value, pd.MultiIndex):
        return (kind,), [("names", list(value.names)), ("", value.tolist())]
    if isinstance(value, pd.Index):
        return (kind,), [("name", value.name), ("", value.array)]
    if isinstance(value, pd.Categorical):
        parts = [("categories", value.categories), ("", value.codes)]
        return (kind, str(value.ordered)), parts
    if isinstance(value, pd.arrays.NumpyExtensionArray):
        return ("column",), [("", value.to_numpy())]
    missing = value.isna()
    filled = [None if gone else item for item, gone in zip(value, missing, strict=True)]
    return (kind, str(value.dtype)), [("", filled)]
