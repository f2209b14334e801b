"""Arrays from pickles of untrusted origin, without executing any of their content.

A pickle is a program. The restricted form that is read here cannot call functions: the few names
that a pickled array needs are mapped to steps of this module, everything else is refused.
"""

from __future__ import annotations

import mmap
import pickle
import pickletools
from collections.abc import Callable
from enum import Enum
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._files import check_regular


class _Name(Enum):
    """A name that a pickled array uses; it cannot be called or changed."""

    NDARRAY = "ndarray"
    RECONSTRUCT = "_reconstruct"
    DTYPE = "dtype"
    ENCODE = "encode"


_NAMES = {
    ("numpy", "ndarray"): _Name.NDARRAY,
    ("numpy", "dtype"): _Name.DTYPE,
    ("numpy.core.multiarray", "_reconstruct"): _Name.RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _Name.RECONSTRUCT,
    # Python 3 writes bytes this way with protocol 2.
    ("_codecs", "encode"): _Name.ENCODE,
}
_DTYPES = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {"f2", "f4", "f8"}
_BYTE_ORDERS = {"<", ">", "=", "|"}
_MAX_DIMENSIONS = 32
_MAX_REASON = 200  # characters of an error, which may repeat what the file says


class _Dtype:
    """A data type under construction."""

    def __init__(self, code: Any) -> None:
        if _text(code) not in _DTYPES:
            raise pickle.UnpicklingError(
                f"it holds an array of {_text(code)[:20]!r}, and only numbers are read"
            )
        self.dtype = np.dtype(_text(code))

    def build(self, state: tuple[Any, ...]) -> None:
        """Set the byte order, the second entry; the others describe records and objects."""
        order = _text(state[1])
        if order not in _BYTE_ORDERS:
            raise pickle.UnpicklingError(f"it holds an array of byte order {order[:20]!r}")
        self.dtype = self.dtype.newbyteorder(order)  # type: ignore[arg-type]


class _Array:
    """An array under construction."""

    values: NDArray[Any] | None = None

    def build(self, state: tuple[Any, ...]) -> None:
        """Set shape, data type and values; the file must hold as many bytes as the shape needs."""
        _, shape, dtype, is_fortran, raw = state
        if not (
            isinstance(shape, tuple)
            and len(shape) <= _MAX_DIMENSIONS
            and all(isinstance(length, int) and length >= 0 for length in shape)
            and isinstance(dtype, _Dtype)
            and isinstance(raw, bytes)
        ):
            raise pickle.UnpicklingError("it holds an array that is not made of plain numbers")
        if prod(shape) * dtype.dtype.itemsize != len(raw):
            raise pickle.UnpicklingError(
                f"it claims an array of shape {shape} and type {dtype.dtype}, and holds "
                f"{len(raw)} bytes for it"
            )
        values = np.frombuffer(raw, dtype.dtype)
        self.values = values.reshape(shape, order="F" if is_fortran else "C")


class _Opcodes(dict[int, Any]):
    def __missing__(self, code: int) -> Any:
        names = {opcode.code: opcode.name for opcode in pickletools.opcodes}
        name = names.get(chr(code), f"{code:#04x}")
        raise pickle.UnpicklingError(f"it uses opcode {name}, which no dictionary of arrays needs")


class _ArrayUnpickler(pickle._Unpickler):
    """Reads dictionaries of numpy arrays.

    It extends the class in pure Python, because only its table of opcodes can be restricted: the
    one in C returns registered extensions (EXT1) from a cache without a call of `find_class`. An
    array of any size is one opcode, so the class in Python is not slower.
    """

    # Attributes of the base class that it does not declare.
    stack: list[Any]
    append: Callable[[Any], None]
    pop_mark: Callable[[], list[Any]]
    #: The bytes that may be made of text: those in the file.
    largest: int
    _n_bytes = 0

    # Numbers, strings, tuples, dictionaries, the memo, names and calls. No lists, sets, instances,
    # persistent identities, extensions or buffers.
    dispatch = _Opcodes(
        {
            code: pickle._Unpickler.dispatch[code]
            for code in b"".join(
                [
                    *(pickle.PROTO, pickle.FRAME, pickle.MARK, pickle.STOP),
                    *(pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE, pickle.INT, pickle.LONG),
                    *(pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG1),
                    *(pickle.STRING, pickle.BINSTRING, pickle.SHORT_BINSTRING),
                    *(pickle.UNICODE, pickle.BINUNICODE, pickle.SHORT_BINUNICODE),
                    *(pickle.BINBYTES, pickle.SHORT_BINBYTES, pickle.BINBYTES8),
                    *(pickle.EMPTY_TUPLE, pickle.TUPLE),
                    *(pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3, pickle.EMPTY_DICT),
                    *(pickle.PUT, pickle.BINPUT, pickle.LONG_BINPUT, pickle.MEMOIZE),
                    *(pickle.GET, pickle.BINGET, pickle.LONG_BINGET),
                    *(pickle.GLOBAL, pickle.STACK_GLOBAL),
                ]
            )
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise pickle.UnpicklingError(
                f"it asks for {module[:60]}.{name[:60]}, which is no part of an array"
            )
        return _NAMES[module, name]

    def load_reduce(self) -> None:
        """Call: make an empty array, a data type, or bytes of text."""
        arguments, name = self.stack.pop(), self.stack.pop()
        if name is _Name.RECONSTRUCT and arguments[0] is _Name.NDARRAY:
            self.stack.append(_Array())
        elif name is _Name.DTYPE:
            self.stack.append(_Dtype(arguments[0]))
        elif name is _Name.ENCODE and _text(arguments[1]) == "latin1":
            self._count(len(arguments[0]))
            self.stack.append(_text(arguments[0]).encode("latin-1"))
        else:
            raise pickle.UnpicklingError("it calls what makes no array")

    def _count(self, n_bytes: int) -> None:
        """Raise if more bytes are made of text than a file can hold that names each text once."""
        self._n_bytes += n_bytes
        if self._n_bytes > self.largest:
            raise pickle.UnpicklingError("it makes more bytes than it holds")

    def load_build(self) -> None:
        state = self.stack.pop()
        if not isinstance(self.stack[-1], (_Array, _Dtype)):
            raise pickle.UnpicklingError("it changes what is not an array")
        self.stack[-1].build(state)

    def load_dict(self) -> None:
        items = self.pop_mark()
        self.append({})
        self._add(items)

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._add([key, value])

    def load_setitems(self) -> None:
        self._add(self.pop_mark())

    def _add(self, items: list[Any]) -> None:
        # Only text is hashed: hashing nested tuples that repeat each other takes exponential time.
        for key, value in zip(items[::2], items[1::2], strict=True):
            self.stack[-1][_text(key)] = value

    dispatch.update(
        {
            pickle.REDUCE[0]: load_reduce,
            pickle.BUILD[0]: load_build,
            pickle.DICT[0]: load_dict,
            pickle.SETITEM[0]: load_setitem,
            pickle.SETITEMS[0]: load_setitems,
        }
    )


def read_pickled_arrays(file: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a pickled dictionary, by their names.

    It reads the output of Python 2 and 3 with protocols 0 to 4. Only arrays of integers and floats
    are built, from the bytes in the file, and no code from the file is executed.

    Parameters
    ----------
    file : pathlib.Path

    Returns
    -------
    arrays : dict of str to ndarray
        Read-only.

    Raises
    ------
    ValueError
        If the file is damaged, holds anything but numbers, or refers to another class or function,
        which the message names.

    References
    ----------
    .. [1] Python Software Foundation. pickle, Python object serialization: restricting globals.
       https://docs.python.org/3/library/pickle.html#restricting-globals
    """
    try:
        check_regular(file)
        # Mapped into memory, so that a false length does not allocate memory.
        with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as m:
            unpickler = _ArrayUnpickler(m, encoding="bytes")
            unpickler.largest = len(m)
            loaded = unpickler.load()
        if not isinstance(loaded, dict):
            raise pickle.UnpicklingError("it does not hold a dictionary")
        others = [name for name, value in loaded.items() if not isinstance(value, _Array)]
        if others:
            raise pickle.UnpicklingError(f"its entry {others[0][:60]!r} is not an array")
        return {name: _finished(name, array) for name, array in loaded.items()}
    except Exception as error:  # a damaged pickle can raise any exception
        reason = "it ends too early" if isinstance(error, EOFError) else str(error)
        raise ValueError(
            f"{(reason or type(error).__name__)[:_MAX_REASON]}; nothing in the file was run"
        ) from error


def _finished(name: str, array: _Array) -> NDArray[Any]:
    if array.values is None:
        raise pickle.UnpicklingError(f"its array {name[:60]!r} has no values")
    return array.values


def _text(value: Any) -> str:
    """Return a string of Python 2, which arrives as bytes, or of Python 3."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str):
        return value
    raise pickle.UnpicklingError(f"it holds a {type(value).__name__} where text belongs")
