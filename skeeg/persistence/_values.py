"""The values of a model as JSON, with arrays apart from it, and back."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch.history import History

from . import _foreign, _networks
from ._names import find_class, name_of

#: Depth of lists in lists, objects in objects and so on; a file could be nested without end.
_DEEPEST = 60


class Encoder:
    """Turns values into JSON.

    Attributes
    ----------
    arrays : dict of str to torch.Tensor
        By the keys that stand for them in the JSON.
    foreign : list of bytes
        Objects of other packages, by their index in the JSON.
    objects : list
        The JSON of objects of skeeg that are inside of those of other packages.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, torch.Tensor] = {}
        self.foreign: list[bytes] = []
        self.objects: list[Any] = []
        self._path: list[str] = []
        self._inside: set[int] = set()

    def encode(self, value: Any, name: str = "estimator") -> Any:
        """Return a value as JSON.

        Parameters
        ----------
        value : object
        name : str
            Of the attribute or item, for messages.

        Raises
        ------
        TypeError
            If a file without code cannot hold the value; the message says where it is.
        """
        if id(value) in self._inside:
            raise TypeError(
                f"{'.'.join([*self._path, name])} contains itself, which no file holds."
            )
        self._path.append(name)
        self._inside.add(id(value))
        try:
            return self._encoded(value)
        finally:
            self._path.pop()
            self._inside.discard(id(value))

    def _encoded(self, value: Any) -> Any:
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if type(value) is list:
            return {"list": self._items(value)}
        if type(value) is tuple:
            return {"tuple": self._items(value)}
        if type(value) in (set, frozenset):
            return {type(value).__name__: self._items(sorted(value, key=repr))}
        if type(value) is dict:
            pairs = value.items()
            return {"dict": [[self.encode(k, "key"), self.encode(v, str(k))] for k, v in pairs]}
        if type(value) is History:
            return {"history": self._items(list(value))}
        if type(value) is bytes:
            return {"bytes": base64.b64encode(value).decode("ascii")}
        if isinstance(value, Path):
            return {"path": str(value)}
        if type(value) is slice:
            return {"slice": self._items([value.start, value.stop, value.step])}
        if isinstance(value, torch.Tensor):
            return {"tensor": self._stored(value), "parameter": type(value) is torch.nn.Parameter}
        if type(value) is np.ndarray:
            return self._array(value)
        if isinstance(value, np.generic):
            return {"scalar": self._array(np.asarray(value))}
        if type(value) in (torch.dtype, torch.device):
            return {type(value).__name__: str(value).removeprefix("torch.")}
        if isinstance(value, type):
            return {"class": self._name(value)}
        if isinstance(value, np.dtype):
            return {"np_dtype": value.str}
        return self._object(value)

    def _items(self, values: Iterable[Any]) -> list[Any]:
        return [self.encode(item, str(i)) for i, item in enumerate(values)]

    def _stored(self, tensor: torch.Tensor) -> str:
        key = str(len(self.arrays))
        # A copy: safetensors refuses tensors that share their memory.
        self.arrays[key] = tensor.detach().cpu().clone().contiguous()
        return key

    def _array(self, array: NDArray[Any]) -> Any:
        if array.dtype.kind in "biuf" and array.dtype.itemsize <= 8:
            native = array.astype(array.dtype.newbyteorder("="))
            return {
                "array": self._stored(torch.from_numpy(native.copy())),
                "dtype": array.dtype.str,
            }
        if array.dtype.kind in "UO":
            items = self._items(array.ravel().tolist())
            return {"items": items, "shape": list(array.shape), "dtype": array.dtype.str}
        return self._as_foreign(array)

    def _object(self, value: Any) -> Any:
        kind = type(value)
        if _networks.is_network_estimator(value):
            state = _networks.state_of(value)
            return {"network": self._name(kind), "state": self.encode(state, kind.__name__)}
        if kind.__module__.partition(".")[0] == "skeeg":
            state = dict(value.__getstate__() or {})
            return {"object": self._name(kind), "state": self.encode(state, kind.__name__)}
        if callable(value) and not hasattr(value, "get_params") and hasattr(value, "__qualname__"):
            raise TypeError(
                f"{'.'.join(self._path)} is the function {value.__qualname__}, which a file "
                "without code cannot hold. Use a parameter or a class instead."
            )
        if isinstance(value, torch.nn.Module):
            raise TypeError(
                f"{'.'.join(self._path)} is an instance of {kind.__name__}. Pass the class, and "
                "its arguments as parameters such as module__n_filters or criterion__weight; its "
                "weights are stored then."
            )
        return self._as_foreign(value)

    def _as_foreign(self, value: Any) -> Any:
        try:
            content = _foreign.dump(value, self._kept)
        except Exception as error:  # skops raises errors of many types
            if isinstance(error, TypeError) and str(error).startswith("estimator"):
                raise
            raise TypeError(
                f"{'.'.join(self._path)} is a {type(value).__module__}.{type(value).__qualname__}, "
                f"which skops cannot store: {error}"
            ) from error
        self.foreign.append(content)
        return {"foreign": len(self.foreign) - 1}

    def _kept(self, value: Any) -> int:
        """Store an object of skeeg that is inside one of another package."""
        encoded = self.encode(value, type(value).__name__)
        self.objects.append(encoded)
        return len(self.objects) - 1

    def _name(self, kind: type) -> str:
        try:
            return name_of(kind)
        except TypeError as error:
            raise TypeError(
                f"{'.'.join(self._path)}: {error}. Define the class in a module."
            ) from error


class Decoder:
    """Turns JSON into values.

    Parameters
    ----------
    arrays : mapping of str to torch.Tensor
    foreign : mapping of int to bytes
    objects : list
        As `Encoder` collects them.
    trusted : collection of str
        Names of classes, beyond those of the known packages, that may be imported.
    """

    def __init__(
        self,
        arrays: Mapping[str, torch.Tensor],
        foreign: Mapping[int, bytes],
        objects: list[Any],
        trusted: Collection[str],
    ) -> None:
        self.arrays, self.foreign, self.objects, self.trusted = arrays, foreign, objects, trusted
        self._depth = 0

    def decode(self, value: Any) -> Any:
        """Return the value that JSON stands for.

        Raises
        ------
        UntrustedError
            If it names a class that may not be imported.
        ValueError, KeyError, TypeError, IndexError
            If it is not what `Encoder` returns.
        """
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if not isinstance(value, dict) or not value:
            raise ValueError(f"a {type(value).__name__} stands where a value should")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("its values are nested too deeply")
        try:
            kind = next(iter(value))
            if kind not in _DECODERS:
                raise ValueError(f"{kind!r} is not a kind of value")
            return _DECODERS[kind](self, value)
        finally:
            self._depth -= 1

    def items(self, values: Any) -> list[Any]:
        """Return the values of a list."""
        if not isinstance(values, list):
            raise ValueError("a list of values is missing")
        return [self.decode(item) for item in values]

    def array(self, value: dict[str, Any]) -> NDArray[Any]:
        """Return an array of numbers."""
        array: NDArray[Any] = self.arrays[value["array"]].numpy()
        dtype = np.dtype(value["dtype"])
        if dtype.kind not in "biuf" or dtype.newbyteorder("=") != array.dtype:
            raise ValueError("an array has another type than is said of it")
        return array.astype(dtype)

    def items_array(self, value: dict[str, Any]) -> NDArray[Any]:
        """Return an array of strings or objects."""
        items, dtype = self.items(value["items"]), np.dtype(value["dtype"])
        if dtype.kind not in "UO" or dtype.itemsize > max(8, 4 * _longest(items)):
            raise ValueError("an array has another type than is said of it")
        array = np.empty(len(items), dtype=dtype)
        array[:] = items
        return array.reshape(value["shape"])

    def class_(self, name: Any) -> type:
        """Return a class by its name."""
        found = find_class(name, self.trusted)
        if not (name in self.trusted or issubclass(found, _networks.COMPONENTS)):
            raise ValueError(f"{name} is not a class of estimators, networks or their components")
        return found

    def object(self, value: dict[str, Any]) -> Any:
        """Return an object of skeeg."""
        cls = find_class(value["object"], ())
        if cls.__module__.partition(".")[0] != "skeeg":
            raise ValueError(f"{cls.__name__} is not a class of skeeg")
        result: Any = object.__new__(cls)
        state = self._state(value)
        if hasattr(result, "__setstate__"):
            result.__setstate__(state)
        else:
            result.__dict__.update(state)
        return result

    def network(self, value: dict[str, Any]) -> Any:
        """Return an estimator with its network."""
        cls = find_class(value["network"], self.trusted)
        return _networks.rebuilt(cls, self._state(value))

    def _state(self, value: dict[str, Any]) -> dict[str, Any]:
        state = self.decode(value["state"])
        if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
            raise ValueError("the attributes of an object are missing")
        return state

    def foreign_object(self, value: dict[str, Any]) -> Any:
        """Return an object of another package."""

        def inner(index: Any) -> Any:
            if not isinstance(index, int) or not 0 <= index < len(self.objects):
                raise ValueError("an object in another one is missing")
            return self.decode(self.objects[index])

        return _foreign.load(self.foreign[value["foreign"]], inner, self.trusted)


def _longest(items: list[Any]) -> int:
    return max((len(item) for item in items if isinstance(item, str)), default=0)


def _tensor(decoder: Decoder, value: dict[str, Any]) -> torch.Tensor:
    tensor = decoder.arrays[value["tensor"]]
    return torch.nn.Parameter(tensor) if value["parameter"] else tensor


def _pairs(decoder: Decoder, value: dict[str, Any]) -> dict[Any, Any]:
    return {decoder.decode(key): decoder.decode(item) for key, item in value["dict"]}


def _dtype(decoder: Decoder, value: dict[str, Any]) -> torch.dtype:
    found = getattr(torch, value["dtype"], None)
    if not isinstance(found, torch.dtype):
        raise ValueError(f"{value['dtype']!r} is not a type of tensors")
    return found


_DECODERS: dict[str, Callable[[Decoder, dict[str, Any]], Any]] = {
    "array": Decoder.array,
    "bytes": lambda decoder, value: base64.b64decode(value["bytes"], validate=True),
    "class": lambda decoder, value: decoder.class_(value["class"]),
    "device": lambda decoder, value: torch.device(value["device"]),
    "dict": _pairs,
    "dtype": _dtype,
    "float": lambda decoder, value: float(value["float"]),
    "foreign": Decoder.foreign_object,
    "frozenset": lambda decoder, value: frozenset(decoder.items(value["frozenset"])),
    "history": lambda decoder, value: History(decoder.items(value["history"])),
    "items": Decoder.items_array,
    "list": lambda decoder, value: decoder.items(value["list"]),
    "network": Decoder.network,
    "np_dtype": lambda decoder, value: np.dtype(value["np_dtype"]),
    "object": Decoder.object,
    "path": lambda decoder, value: Path(value["path"]),
    "scalar": lambda decoder, value: decoder.decode(value["scalar"])[()],
    "set": lambda decoder, value: set(decoder.items(value["set"])),
    "slice": lambda decoder, value: slice(*decoder.items(value["slice"])),
    "tensor": _tensor,
    "tuple": lambda decoder, value: tuple(decoder.items(value["tuple"])),
}
