"""Objects of scikit-learn, MNE and pyRiemann, which skops stores, with skeeg's left out of them."""

from __future__ import annotations

import copy
import io
import sys
import zipfile
from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np
import skops.io

from ._names import UntrustedError, find_class, is_known


class Placeholder:
    """Stands for an object of skeeg in one of another package."""

    def __init__(self, index: int) -> None:
        self.index = index


def dump(value: Any, encode: Callable[[Any], int]) -> bytes:
    """Return an object of another package as skops stores it.

    Parameters
    ----------
    value : object
    encode : callable
        Stores an object of skeeg that is found in ``value``, and returns its index.

    Returns
    -------
    content : bytes

    Raises
    ------
    TypeError
        If it holds a function or class that has no name to be imported by.
    """
    stand_ins: dict[int, Any] = {}
    for inner in _found(value, _is_ours):
        stand_ins.setdefault(id(inner), Placeholder(encode(inner)))
    content: bytes = skops.io.dumps(copy.deepcopy(value, stand_ins), compression=zipfile.ZIP_STORED)
    for name in skops.io.get_untrusted_types(data=content):
        if not _can_be_found(name):
            raise TypeError(f"{name} cannot be imported by its name")
    return content


def _can_be_found(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    return hasattr(sys.modules.get(module), attribute)


def load(content: bytes, decode: Callable[[int], Any], trusted: Collection[str]) -> Any:
    """Return the object that `dump` stored.

    Parameters
    ----------
    content : bytes
    decode : callable
        Returns the object of skeeg with an index.
    trusted : collection of str
        Names beyond those of the known packages that may be imported.

    Raises
    ------
    UntrustedError
        If it names types that are neither known nor trusted.
    ValueError
        If it is not what `dump` writes.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
            raise ValueError("an object in it is compressed")
        if sum(info.file_size for info in archive.infolist()) > len(content):
            raise ValueError("the parts of an object in it are larger than the object")
    named = skops.io.get_untrusted_types(data=content)
    unknown = [name for name in named if not _may_load(name, trusted)]
    if unknown:
        raise UntrustedError([_with_colon(name) for name in unknown])
    value = skops.io.loads(content, trusted=named)
    objects = {id(inner): decode(inner.index) for inner in _found(value, _is_placeholder)}
    return copy.deepcopy(value, objects)


def _may_load(name: str, trusted: Collection[str]) -> bool:
    if _with_colon(name) in trusted:
        return True
    if not is_known(_with_colon(name)):
        return False
    try:  # a function of a known package could do anything, a class holds attributes
        find_class(_with_colon(name), ())
    except ValueError:
        return False
    return True


def _with_colon(name: str) -> str:
    module, _, cls = name.rpartition(".")
    return f"{module}:{cls}"


def _is_ours(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "skeeg"


def _is_placeholder(value: Any) -> bool:
    return isinstance(value, Placeholder)


def _found(value: Any, wanted: Callable[[Any], bool]) -> Iterator[Any]:
    """Yield the objects that ``wanted`` accepts, without looking into them."""
    seen: set[int] = set()
    stack = [value]
    while stack:
        item = stack.pop()
        if id(item) in seen or isinstance(item, type):
            continue
        seen.add(id(item))
        if wanted(item):
            yield item
        elif isinstance(item, dict):
            stack += [*item.keys(), *item.values()]
        elif isinstance(item, (list, tuple, set, frozenset)):
            stack += item
        elif isinstance(item, np.ndarray):
            stack += list(item.ravel()) if item.dtype == object else []
        elif hasattr(item, "__dict__"):
            stack += vars(item).values()
