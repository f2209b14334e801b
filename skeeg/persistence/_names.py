"""Classes by name, of which only some are imported without the caller's consent."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Collection
from operator import attrgetter
from typing import Any

#: Packages whose classes are known. Their modules can be imported: they are installed with skeeg.
KNOWN_PACKAGES = (
    "mne.decoding",
    "pyriemann",
    "skeeg",
    "sklearn",
    "skorch",
    "torch.nn",
    "torch.optim",
)


def name_of(value: Any) -> str:
    """Return the name by which a class or function is found again, such as ``"a.b:C.D"``.

    Raises
    ------
    TypeError
        If nothing of that name is found in the module, as for a function in a function.
    """
    name = f"{value.__module__}:{value.__qualname__}"
    try:
        found = attrgetter(value.__qualname__)(sys.modules[value.__module__])
    except (KeyError, AttributeError):
        found = None
    if found is not value:
        raise TypeError(f"{name} cannot be imported by its name")
    return name


def is_known(name: str) -> bool:
    """Return whether a name is one of a package that skeeg knows."""
    module = name.partition(":")[0]
    return any(module == known or module.startswith(known + ".") for known in KNOWN_PACKAGES)


def find_class(name: Any, trusted: Collection[str]) -> type:
    """Return a class by its name.

    Parameters
    ----------
    name : str
        As `name_of` returns it.
    trusted : collection of str
        Names beyond those of the known packages that may be imported.

    Returns
    -------
    cls : type

    Raises
    ------
    UntrustedError
        If the name is neither known nor trusted. Nothing is imported in that case.
    ValueError
        If there is no class of that name.
    """
    if not isinstance(name, str) or name.count(":") != 1:
        raise ValueError(f"{name!r} is not the name of a class")
    if not is_known(name) and name not in trusted:
        raise UntrustedError([name])
    module, _, path = name.partition(":")
    try:
        found = attrgetter(path)(importlib.import_module(module))
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"there is no class {name}: {error}") from error
    # A module can hold what another one defines, such as os; only classes of its own count.
    if not isinstance(found, type) or (is_known(name) and found.__module__ != module):
        raise ValueError(f"{name} is not a class")
    return found


class UntrustedError(Exception):
    """A file names code that is neither that of a known package nor trusted by the caller."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names
