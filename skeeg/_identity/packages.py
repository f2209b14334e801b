"""Which installed package code belongs to, and its version."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import re
import site
import sys
import sysconfig
from typing import Any

from .._version import __version__

_NAME = re.compile(r"^[A-Za-z0-9._-]+")
#: The project for which a version does not identify the code, while it is being developed.
_DEVELOPED = "skeeg" if "dev" in __version__ else ""

#: Modules of skeeg that keep results and make none.
_WITHOUT_RESULTS = ("skeeg._identity", "skeeg._entries", "skeeg._files")


@functools.cache
def _site_folders() -> tuple[str, ...]:
    paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    paths.update(getattr(site, "getsitepackages", list)())
    paths.add(getattr(site, "getusersitepackages", str)())
    return tuple(os.path.realpath(path) + os.sep for path in paths if path)


@functools.cache
def _is_installed_file(path: str) -> bool:
    return os.path.realpath(path).startswith(_site_folders())


def owner_of(module: str | None) -> str:
    """Return what identifies the code of a module by its version.

    Parameters
    ----------
    module : str or None
        Full name.

    Returns
    -------
    owner : str
        ``"python"`` for the standard library, the top-level name of an installed package, or ""
        where only the code itself identifies it: scripts, notebooks, modules that are not
        installed, and packages that are being developed.
    """
    top = (module or "").partition(".")[0]
    if (module or "").startswith(_WITHOUT_RESULTS):
        return "python"
    if not top or top in ("__main__", "__mp_main__", _DEVELOPED):
        return ""
    if top in sys.builtin_module_names:
        return "python"
    loaded = sys.modules.get(module or "") or sys.modules.get(top)
    file = _file_of(loaded) or _file_of(sys.modules.get(top))  # compiled parts have none
    if top in sys.stdlib_module_names:
        return "" if file is not None and not _in_standard_library(file) else "python"
    if file is None:
        return _installed_but_not_loaded(top) if loaded is None else ""
    return top if _is_installed_file(file) and _distributions(top) else ""


def _file_of(module: Any) -> str | None:
    return getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)


@functools.cache
def _in_standard_library(path: str) -> bool:
    folders = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    return os.path.realpath(path).startswith(
        tuple(os.path.realpath(folder) + os.sep for folder in folders)
    )


@functools.cache
def _installed_but_not_loaded(top: str) -> str:
    return top if _distributions(top) else ""


@functools.cache
def _distributions(top: str) -> tuple[str, ...]:
    return tuple(sorted(set(_packages_distributions().get(top, ()))))


@functools.cache
def _packages_distributions() -> Any:
    return importlib.metadata.packages_distributions()


@functools.cache
def versions_of(owner: str) -> tuple[str, ...]:
    """Return the versions of an installed package and of all that it needs.

    Parameters
    ----------
    owner : str
        Returned by `owner_of`.

    Returns
    -------
    versions : tuple of str
        Such as ``"numpy 2.0.1"``.
    """
    if owner in ("", "python"):
        return (f"python {sys.version}",)
    found: dict[str, str] = {}
    waiting = list(_distributions(owner))
    while waiting:
        name = waiting.pop()
        if name.lower() in found:
            continue
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        found[name.lower()] = distribution.version
        for requirement in distribution.requires or ():
            match = _NAME.match(requirement)
            if match and "extra ==" not in requirement:
                waiting.append(match[0])
    return tuple(f"{name} {version}" for name, version in sorted(found.items()))
