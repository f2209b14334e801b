"""What functions and classes are made of, read from the code in memory, not from its source."""

from __future__ import annotations

import builtins
import dis
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from .graph import digest
from .packages import owner_of

#: Attributes of classes that Python keeps for itself, or that do not change what a class does.
_IGNORED = frozenset(
    {
        *("__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__slotnames__"),
        *("__firstlineno__", "__static_attributes__", "__annotations__", "__annotate__"),
        *("__annotate_func__", "__annotations_cache__", "__abstractmethods__", "_abc_impl"),
        *("__parameters__", "__orig_bases__", "__type_params__", "__conditional_annotations__"),
        *("__signature__", "__wrapped__"),
    }
)
#: Functions after which one cannot know what code runs.
_DYNAMIC = frozenset({"eval", "exec", "globals", "__import__"})
_LOADS = {dis.opmap[name] for name in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
          if name in dis.opmap}  # fmt: skip


class Reference(NamedTuple):
    """A global name that code loads, with the attributes that it takes from it."""

    names: tuple[str, ...]


class Import(NamedTuple):
    """An import inside a function."""

    level: int
    module: str
    names: tuple[str, ...]


class Unit(NamedTuple):
    """What can be read from a code object alone."""

    label: bytes
    references: tuple[Reference, ...]
    imports: tuple[Import, ...]
    dynamic: str


_UNITS: dict[int, tuple[CodeType, Unit]] = {}


def read_code(code: CodeType) -> Unit:
    """Return the digest of a code object, and what it refers to.

    Parameters
    ----------
    code : code object
        Those nested in it are included. Names of files and numbers of lines are not.

    Returns
    -------
    unit : Unit
    """
    known = _UNITS.get(id(code))
    if known is None:
        known = _UNITS[id(code)] = (code, _read(code))  # keeps the code, so that no id returns
    return known[1]


def _read(code: CodeType) -> Unit:
    nested = [read_code(value) for value in code.co_consts if isinstance(value, CodeType)]
    references, imports = _loaded(code)
    label = digest(
        code.co_code,
        *(_constant(value) for value in code.co_consts),
        repr((code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)),
        repr((code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)),
        code.co_exceptiontable,
        code.co_name,
    )
    for unit in nested:
        references |= set(unit.references)
        imports |= set(unit.imports)
    dynamic = next((r.names[0] for r in references if r.names[0] in _DYNAMIC), "")
    return Unit(label, tuple(sorted(references)), tuple(sorted(imports)), dynamic)


def _constant(value: Any) -> bytes:
    if isinstance(value, CodeType):
        return read_code(value).label
    if isinstance(value, (tuple, frozenset)):
        parts = [_constant(item) for item in value]
        ordered = parts if isinstance(value, tuple) else sorted(parts)
        return digest(type(value).__name__, *ordered)
    return digest(type(value).__name__, repr(value))


def _loaded(code: CodeType) -> tuple[set[Reference], set[Import]]:
    references: set[Reference] = set()
    imports: set[Import] = set()
    chain: list[str] = []
    before: list[Any] = [None, None]
    for instruction in dis.get_instructions(code):
        name = instruction.opname
        if chain and name in ("LOAD_ATTR", "LOAD_METHOD"):
            chain.append(instruction.argval)
        elif name not in ("PUSH_NULL", "PRECALL", "CACHE", "EXTENDED_ARG", "NOP"):
            if chain:
                references.add(Reference(tuple(chain)))
                chain = []
            if instruction.opcode in _LOADS:
                chain = [instruction.argval]
            elif name == "IMPORT_NAME":
                level, names = before
                imports.add(Import(level or 0, instruction.argval, tuple(names or ())))
        before = [before[1], instruction.argval]
    if chain:
        references.add(Reference(tuple(chain)))
    return references, imports


def resolve(reference: Reference, namespace: dict[str, Any]) -> tuple[str, Any]:
    """Return the value that a reference finds, followed through modules that are not installed.

    Parameters
    ----------
    reference : Reference
    namespace : dict
        The globals of the function.

    Returns
    -------
    kind : {"value", "builtin", "missing"}
    value : object
    """
    first, *rest = reference.names
    if first not in namespace:
        known = namespace.get("__builtins__", builtins)
        known = known if isinstance(known, dict) else vars(known)
        return ("builtin", known[first]) if first in known else ("missing", None)
    value = namespace[first]
    for name in rest:
        if not isinstance(value, ModuleType) or owner_of(value.__name__):
            break
        try:
            value = getattr(value, name)
        except AttributeError:
            return "missing", None
    return "value", value


def imported(item: Import, namespace: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what an import inside a function finds: values of code that no version identifies.

    Parameters
    ----------
    item : Import
    namespace : dict
        The globals of the function.

    Yields
    ------
    name : str
    value : object
        A value, a module, or the name of a module that is missing or identified by its version.
    """
    name = item.module
    if item.level:
        package = namespace.get("__package__") or ""
        name = importlib.util.resolve_name("." * item.level + item.module, package)
    if owner_of(name):
        yield name, name
        return
    try:
        module = sys.modules.get(name) or importlib.import_module(name)
    except Exception:
        yield name, f"{name} is missing"
        return
    for wanted in item.names:
        try:
            value = getattr(module, wanted)
        except AttributeError:
            try:
                value = importlib.import_module(f"{name}.{wanted}")
            except Exception:
                value = f"{name}.{wanted} is missing"
        yield f"{name}.{wanted}", value
    if not item.names:
        yield name, module


def own_attributes(cls: type) -> list[tuple[str, Any]]:
    """Return what a class defines itself, sorted by name.

    Parameters
    ----------
    cls : type

    Returns
    -------
    attributes : list of (str, object)
    """
    return sorted(
        ((name, value) for name, value in vars(cls).items() if name not in _IGNORED),
        key=lambda item: item[0],
    )


def _found_at(module: str, qualname: str) -> Any:
    value: Any = sys.modules.get(module)
    for part in qualname.split("."):
        value = getattr(value, part, None)
    return value


def known_owner(value: Any, module: str | None) -> str:
    """Return the owner of a function or class if its name leads to it, otherwise "".

    Parameters
    ----------
    value : function or class
    module : str or None
        Where it was defined.

    Returns
    -------
    owner : str
        See `owner_of`.
    """
    owner = owner_of(module)
    if not owner or module is None:
        return ""
    qualname = getattr(value, "__qualname__", "")
    return owner if "<" not in qualname and _found_at(module, qualname) is value else ""
