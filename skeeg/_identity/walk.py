"""Reading of objects into a graph: estimators by their parameters, anything else by its content."""

from __future__ import annotations

import enum
import functools
import inspect
import logging
import platform
import re
import sys
import threading
import types
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from .code import imported, known_owner, own_attributes, read_code, resolve
from .graph import Node, digest, root_digest
from .packages import owner_of, versions_of
from .values import array_parts, frame_parts, is_frame, tensor_parts

#: Parameters of scikit-learn's estimators, and of those built like them, that change no result.
NO_EFFECT = frozenset({"verbose", "n_jobs", "memory", "pre_dispatch"})
#: Fitted attributes that hold times, or what only the training needs.
_TIMES = frozenset({"history_", "callbacks_", "optimizer_", "cv_results_", "refit_time_"})
#: What `sklearn.base.clone` copies beside the parameters.
_CLONED_STATE = ("_metadata_request", "_sklearn_output_config")
_ATOMS = (type(None), bool, int, float, complex, str, bytes, type(...), type(NotImplemented))
_INERT = (type(threading.Lock()), type(threading.RLock()), logging.Logger)
_C_MEMBERS = (
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    types.ClassMethodDescriptorType,
)
_HEAP_TYPE = 1 << 9
#: Attributes of functions that repeat what is read elsewhere, or are addresses.
_ABOUT_FUNCTIONS = ("__wrapped__", "__signature__", "_generated_for", "_torchdynamo_wrapper_id")


class Unidentifiable(TypeError):
    """Raised for an object whose equality in another process cannot be told."""


class Cloned(NamedTuple):
    """An estimator that is cloned before it is fitted, so that only its parameters matter."""

    value: Any


class _Unit(NamedTuple):
    """A code object and the globals that it runs with."""

    code: types.CodeType
    namespace: dict[str, Any]


class Parts(NamedTuple):
    """What tells an object apart, and the objects that it refers to, by name."""

    label: tuple[str | bytes, ...]
    children: Iterable[tuple[str, Any]] = ()
    ordered: bool = True


def identify(*values: Any) -> str:
    """Return a key that is equal for equal values, in every process.

    Parameters
    ----------
    *values : object
        Estimators in `Cloned` are identified by their parameters, others with their fitted state.

    Returns
    -------
    key : str
        Of 40 hexadecimal digits.

    Raises
    ------
    Unidentifiable
        If a part of a value cannot be told apart from another one; the message names it.
    """
    return _Walk(values).key()


def content_digest(value: Any) -> str:
    """Return a key of data alone, which does not depend on versions of packages.

    Parameters
    ----------
    value : object

    Returns
    -------
    key : str
        Of 40 hexadecimal digits.
    """
    return root_digest(_Walk(value).nodes).hex()


def fit_context() -> tuple[Any, ...]:
    """Return settings of the process on which the result of a fit depends.

    Returns
    -------
    context : tuple
        Python, processor, and the global settings of scikit-learn and torch.
    """
    context: list[Any] = [sys.version, platform.system(), platform.machine()]
    from sklearn import get_config

    shown = ("display", "print_changed_only", "working_memory")
    context.append({k: v for k, v in sorted(get_config().items()) if k not in shown})
    torch = sys.modules.get("torch")
    context.append("torch" if torch is None else str(torch.get_default_dtype()))
    return tuple(context)


class _Walk:
    def __init__(self, root: Any) -> None:
        self.nodes: list[Node] = []
        self.owners: set[str] = {"python", "numpy"}
        self._index: dict[tuple[str, int], int] = {}
        self._kept: list[Any] = []  # so that no address is used twice
        self._waiting: deque[tuple[int, Any]] = deque()
        self._node(root, -1, "")
        while self._waiting:
            i, value = self._waiting.popleft()
            try:
                parts = self._parts(value)
                self._fill(i, parts)
            except Unidentifiable as error:
                raise Unidentifiable(f"{self._path(i)} ({error})") from error
            except Exception as error:
                kind = f"{type(value).__module__}.{type(value).__qualname__}"
                raise Unidentifiable(
                    f"{self._path(i)}, a {kind}: {type(error).__name__}: {error}"
                ) from error

    def key(self) -> str:
        versions = sorted({v for owner in self.owners for v in versions_of(owner)})
        return digest(root_digest(self.nodes), *versions).hex()

    def _fill(self, i: int, parts: Parts) -> None:
        node = self.nodes[i]
        names = []
        for name, child in parts.children:
            names.append(name)
            node.children.append(self._child(child, i, name))
        node.label = digest(*parts.label, *(names if parts.ordered else ()))
        node.ordered = parts.ordered

    def _child(self, value: Any, parent: int, name: str) -> int | bytes:
        if type(value) in _ATOMS:
            return digest(type(value).__name__, repr(value))
        return self._node(value, parent, name)

    def _node(self, value: Any, parent: int, name: str) -> int:
        inner = value
        if isinstance(value, (Cloned, _Unit)):
            inner = value[0]
        key = (type(value).__name__ if inner is not value else "", id(inner))
        if key not in self._index:
            self._index[key] = len(self.nodes)
            self._kept.append(inner)
            self.nodes.append(Node(parent, name))
            self._waiting.append((self._index[key], value))
        return self._index[key]

    def _path(self, i: int) -> str:
        names = []
        while i > 0:
            names.append(self.nodes[i].name)
            i = self.nodes[i].parent
        shown = [name for name in reversed(names) if name]
        return ".".join(shown[-4:]) or "the value"

    def _known(self, owner: str, *label: str) -> Parts:
        self.owners.add(owner)
        return Parts(("known", owner, *label))

    # ------------------------------------------------------------------ kinds of objects

    def _parts(self, value: Any) -> Parts:
        if isinstance(value, Cloned):
            return self._cloned(value.value)
        if isinstance(value, _Unit):
            return self._code(value)
        for kinds, read in _READERS:
            if isinstance(value, kinds):
                return read(self, value)
        return self._instance(value)

    def _cloned(self, value: Any) -> Parts:
        """Read what remains of a value when it is cloned."""
        kind = type(value)
        if kind in (list, tuple, set, frozenset):
            children = [(str(i), Cloned(item)) for i, item in enumerate(value)]
            return Parts(("cloned", kind.__name__), children, kind in (list, tuple))
        if type(value) in _ATOMS or isinstance(value, type) or not hasattr(value, "get_params"):
            return Parts(("same",), [("", value)])
        from sklearn.base import BaseEstimator

        own = getattr(kind, "__sklearn_clone__", None)
        if own not in (None, BaseEstimator.__sklearn_clone__):
            return Parts(("same",), [("", value)])
        params = result_params(value)
        state = [(n, vars(value)[n]) for n in _CLONED_STATE if n in getattr(value, "__dict__", {})]
        children = [(name, Cloned(param)) for name, param in sorted(params.items())]
        return Parts(("estimator",), [("class", kind), *children, *state])

    def _code(self, value: _Unit) -> Parts:
        unit = read_code(value.code)
        if unit.dynamic and not owner_of(value.namespace.get("__name__")):
            raise Unidentifiable(
                f"{value.code.co_qualname} calls {unit.dynamic}(), so what it runs is unknown"
            )
        children: list[tuple[str, Any]] = []
        owner = self._namespace_owner(value.namespace.get("__name__"))
        # The version of a package identifies what its functions refer to, but not what a function
        # that it has made, such as a decorator's, was given.
        for reference in () if owner else unit.references:
            kind, found = resolve(reference, value.namespace)
            name = ".".join(reference.names)
            if kind == "value":
                children.append((name, found))
            else:
                children.append((f"{kind} {reference.names[0]}", None))
        for item in () if owner else unit.imports:
            children += imported(item, value.namespace)
        return Parts(("code", unit.label, owner), children)

    def _function(self, value: types.FunctionType) -> Parts:
        own, running = value.__module__, value.__globals__.get("__name__")
        owner = known_owner(value, own) or known_owner(value, running)
        if owner:
            return self._known(owner, f"{own}.{value.__qualname__}")
        children: list[tuple[str, Any]] = [
            ("", _Unit(value.__code__, value.__globals__)),
            ("defaults", value.__defaults__),
            ("keyword defaults", value.__kwdefaults__),
        ]
        for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
            try:
                children.append((name, cell.cell_contents))
            except ValueError:
                children.append((f"{name} is empty", None))
        own_state = {k: v for k, v in vars(value).items() if k not in _ABOUT_FUNCTIONS}
        children += sorted(own_state.items(), key=lambda item: item[0])
        return Parts(("function",), children)

    def _namespace_owner(self, module: str | None) -> str:
        owner = owner_of(module)
        self.owners.add(owner or "python")
        return owner

    def _class(self, value: type) -> Parts:
        owner = known_owner(value, value.__module__)
        name = f"{value.__module__}.{value.__qualname__}"
        if not owner and not value.__flags__ & _HEAP_TYPE:
            owner = owner_of(value.__module__)
            if not owner:
                raise Unidentifiable(f"the class {name} is compiled and of no installed package")
        if owner:
            return self._known(owner, name)
        children: list[tuple[str, Any]] = []
        if type(value) is not type:
            children.append(("metaclass", type(value)))
        children += [("base", base) for base in value.__bases__]
        return Parts(("class", value.__name__), [*children, *own_attributes(value)])

    def _module(self, value: types.ModuleType) -> Parts:
        owner = owner_of(value.__name__)
        if owner:
            return self._known(owner, value.__name__)
        if getattr(value, "__file__", "") and not str(value.__file__).endswith(".py"):
            raise Unidentifiable(f"the module {value.__name__} is compiled")
        items = [
            (name, item) for name, item in sorted(vars(value).items()) if not name.startswith("__")
        ]
        return Parts(("module",), items)

    def _method(self, value: types.MethodType) -> Parts:
        return Parts(("method",), [("", value.__func__), ("self", value.__self__)])

    def _builtin(self, value: Any) -> Parts:
        bound = getattr(value, "__self__", None)
        name = getattr(value, "__qualname__", value.__name__)
        owner = owner_of(value.__module__)
        if bound is None or isinstance(bound, types.ModuleType):
            if not owner and value.__module__ is None:
                owner = next((o for o in ("torch",) if _is_of_torch(value)), "")
            if not owner:
                raise Unidentifiable(f"the compiled function {name} is of no installed package")
            return self._known(owner, f"{value.__module__}.{name}")
        return Parts(("builtin", name), [("self", bound)])

    def _ufunc(self, value: Any) -> Parts:
        homes = [module for name in ("numpy", "scipy.special") if (module := sys.modules.get(name))]
        home = next((h for h in homes if getattr(h, value.__name__, None) is value), None)
        if home is None:
            raise Unidentifiable(f"the compiled function {value.__name__} is of no known package")
        return self._known(home.__name__.partition(".")[0], f"ufunc {value.__name__}")

    def _member(self, value: Any) -> Parts:
        return Parts(("member", value.__name__, type(value).__name__))

    def _property(self, value: property) -> Parts:
        parts = [("", value.fget), ("set", value.fset), ("del", value.fdel)]
        return Parts(("property",), parts)

    def _wrapper(self, value: Any) -> Parts:
        return Parts(("descriptor", type(value).__name__), [("", value.__func__)])

    def _cached(self, value: Any) -> Parts:
        return Parts(("cached",), [("", value.__wrapped__)])

    def _cached_property(self, value: Any) -> Parts:
        return Parts(("cached property",), [("", value.func)])

    def _inert(self, value: Any) -> Parts:
        return Parts(("inert", type(value).__name__))

    def _weak(self, value: Any) -> Parts:
        return Parts(("weak",), [("", value())])

    def _sequence(self, value: Any) -> Parts:
        return Parts((type(value).__name__,), [(str(i), item) for i, item in enumerate(value)])

    def _set(self, value: Any) -> Parts:
        return Parts((type(value).__name__,), [("", item) for item in value], ordered=False)

    def _mapping(self, value: Any) -> Parts:
        children: list[tuple[str, Any]] = []
        for key, item in value.items():
            if type(key) is str:
                children.append((key, item))
            else:
                children += [("key", key), (f"{key!r:.20}" if type(key) is int else "value", item)]
        return Parts(("mapping",), children)

    def _array(self, value: np.ndarray[Any, Any]) -> Parts:
        label, items = array_parts(value)
        kind = [] if type(value) is np.ndarray else [("class", type(value))]
        own = getattr(value, "__dict__", {})
        state = [] if type(value) in (np.ndarray, np.memmap) else sorted(own.items())
        kind = [] if type(value) is np.memmap else kind
        return Parts(label, [*kind, *((str(i), item) for i, item in enumerate(items)), *state])

    def _generator(self, value: Any) -> Parts:
        if value is np.random.mtrand._rand:
            return Parts(("numpy's global generator",))
        if isinstance(value, np.random.RandomState):
            return Parts(("RandomState",), [("state", value.get_state(legacy=False))])
        source = value.bit_generator if isinstance(value, np.random.Generator) else value
        state = [("class", type(source)), ("state", source.state)]
        return Parts((type(value).__name__,), state)

    def _enum(self, value: enum.Enum) -> Parts:
        return Parts(("enum", value.name), [("class", type(value))])

    def _instance(self, value: Any) -> Parts:
        kind = type(value)
        special = _special(value)
        if special is not None:
            return special
        if hasattr(value, "get_params"):
            return self._fitted(value)
        ignored = getattr(kind, "_no_effect_on_result", ())
        if isinstance(value, threading.local) or ignored:
            own = {k: v for k, v in vars(value).items() if k not in ignored}
            return Parts(("instance",), [("class", kind), *sorted(own.items())])
        reduced = value.__reduce_ex__(4)
        if isinstance(reduced, str):
            owner = owner_of(getattr(value, "__module__", None) or kind.__module__)
            if not owner:
                raise Unidentifiable(f"{reduced} is compiled and of no installed package")
            return self._known(owner, f"{kind.__qualname__} {reduced}")
        make, args, state, items, pairs = (*reduced, None, None, None)[:5]
        state = (
            dict(sorted(state.items(), key=lambda i: str(i[0]))) if type(state) is dict else state
        )
        children: list[tuple[str, Any]] = [("class", kind), ("", make)]
        # The class is the first argument of copyreg.__newobj__.
        children += [("", item) for item in args if item is not kind]
        children += [("", state), ("", items and list(items)), ("", pairs and dict(pairs))]
        return Parts(("instance",), children)

    def _fitted(self, value: Any) -> Parts:
        """Read an estimator with its fitted state."""
        kind = type(value)
        own = getattr(kind, "_result_state", None)
        if own is not None:
            state = dict(own(value))
        else:
            state = dict(getattr(value, "__dict__", {}))
            without = _no_effect(value) | _TIMES
            state = {name: item for name, item in state.items() if name not in without}
        return Parts(("fitted",), [("class", kind), *sorted(state.items())])


def result_params(estimator: Any) -> dict[str, Any]:
    """Return the parameters of an estimator on which the result of a fit depends.

    Parameters
    ----------
    estimator : estimator
        A method ``_result_params`` of its class may return them.

    Returns
    -------
    params : dict of str to object
    """
    own = getattr(type(estimator), "_result_params", None)
    if own is not None:
        return dict(own(estimator))
    without = _no_effect(estimator)
    params = estimator.get_params(deep=False)
    return {name: value for name, value in params.items() if name not in without}


def _no_effect(estimator: Any) -> frozenset[str]:
    """Return the parameters without an effect: known ones, where a package declares them."""
    kind = type(estimator)
    declared = frozenset(getattr(kind, "_no_effect_on_result", ()))
    owner = next((base for base in kind.__mro__ if "__init__" in vars(base)), kind)
    return declared | NO_EFFECT if owner_of(owner.__module__) else declared


def _is_of_torch(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and any(
        getattr(home, value.__name__, None) is value for home in (torch, torch._C._nn)
    )


def _special(value: Any) -> Parts | None:
    """Read objects of packages whose pickles differ from one process to another."""
    module = type(value).__module__.partition(".")[0]
    torch, scipy = sys.modules.get("torch"), sys.modules.get("scipy.stats")
    if is_frame(value):
        label, children = frame_parts(value)
        return Parts(label, children)
    if torch is not None:
        if isinstance(value, torch.nn.Module):
            return _network(value)
        if isinstance(value, torch.Tensor):
            return Parts(tensor_parts(value), sorted(getattr(value, "__dict__", {}).items()))
        if isinstance(value, torch.Generator):
            if value is torch.default_generator:
                return Parts(("torch's global generator",))
            return Parts(("torch.Generator", str(value.device)), [("", value.get_state())])
        if isinstance(value, (torch.dtype, torch.device, torch.layout, torch.memory_format)):
            return Parts(("torch", str(value)))
    if scipy is not None and module == "scipy":
        base = sys.modules["scipy.stats._distn_infrastructure"]
        if isinstance(value, base.rv_frozen):
            kept = {k: v for k, v in vars(value).items() if k in ("args", "kwds", "dist")}
            return Parts(("distribution",), [("class", type(value)), *sorted(kept.items())])
        if isinstance(value, base.rv_generic):
            made = {k: v for k, v in value._updated_ctor_param().items() if k != "seed"}
            children = [("class", type(value)), ("random_state", value._random_state)]
            return Parts(("distribution",), [*children, *sorted(made.items())])
    if isinstance(value, ContextVar):  # what it holds is that of the thread, as of threading.local
        return Parts(("context variable", value.name))
    if any(base.__name__ == "LabelledRows" for base in type(value).__mro__):
        state = [("X", value.X), ("y", value.y), ("metadata", value.metadata)]
        return Parts(("rows", type(value).__name__), [*state, ("identity", value.identity)])
    if hasattr(value, "get_data") and hasattr(value, "event_id") and module == "mne":
        info = value.info
        known = (info["ch_names"], info["sfreq"], list(info["bads"]), value.get_channel_types())
        places = [channel["loc"] for channel in info["chs"]]
        state = [("X", value.get_data()), ("events", value.events), ("info", known)]
        state += [("event_id", value.event_id), ("metadata", value.metadata), ("places", places)]
        return Parts(("epochs", str(value.tmin)), state)
    return None


def _network(module: Any) -> Parts:
    """Read a module of torch; hooks are stored under numbers that differ between processes."""
    children: list[tuple[str, Any]] = [("class", type(module))]
    for name, value in sorted(vars(module).items()):
        hooks = name.endswith(("_hooks", "_hooks_with_kwargs", "_hooks_always_called"))
        children.append(
            (name, list(value.values()) if hooks and isinstance(value, dict) else value)
        )
    return Parts(("network",), children)


_Reader = Callable[[_Walk, Any], Parts]
_READERS: list[tuple[Any, _Reader]] = [
    (enum.Enum, _Walk._enum),
    (types.FunctionType, _Walk._function),
    (type, _Walk._class),
    (types.MethodType, _Walk._method),
    (types.ModuleType, _Walk._module),
    (types.BuiltinFunctionType, _Walk._builtin),
    (_C_MEMBERS, _Walk._member),
    (np.ufunc, _Walk._ufunc),
    (property, _Walk._property),
    ((classmethod, staticmethod), _Walk._wrapper),
    (type(functools.lru_cache(len)), _Walk._cached),
    (functools.cached_property, _Walk._cached_property),
    (_INERT, _Walk._inert),
    (weakref.ref, _Walk._weak),
    (np.ndarray, _Walk._array),
    (np.generic, lambda walk, value: Parts(("scalar", value.dtype.str, value.tobytes()))),
    (np.dtype, lambda walk, value: Parts(("dtype", repr(value)))),
    (
        (np.random.RandomState, np.random.Generator, np.random.BitGenerator),
        _Walk._generator,
    ),
    (types.MappingProxyType, _Walk._mapping),
    (re.Pattern, lambda walk, value: Parts(("pattern", repr((value.pattern, value.flags))))),
    (inspect.Parameter, lambda walk, value: Parts(("parameter", str(value)))),
]


def _reads_exactly(kind: type, read: _Reader) -> tuple[Any, _Reader]:
    """Return a reader of a builtin type, but not of classes derived from it."""

    class Exactly(type):
        def __instancecheck__(cls, value: Any) -> bool:
            return type(value) is kind

    return Exactly("Exactly", (), {}), read


_READERS += [_reads_exactly(kind, _Walk._sequence) for kind in (list, tuple, deque)]
_READERS += [_reads_exactly(kind, _Walk._set) for kind in (set, frozenset)]
_READERS += [_reads_exactly(dict, _Walk._mapping)]
_READERS += [
    _reads_exactly(kind, lambda walk, value: Parts((type(value).__name__, repr(value))))
    for kind in (*_ATOMS, range, bytearray)
]
