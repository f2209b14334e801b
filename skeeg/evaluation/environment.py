"""Versions of packages and the machine of a comparison."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import sys
from pathlib import Path

from .._version import __version__

_PACKAGES = ("numpy", "scipy", "scikit-learn", "mne", "torch", "skorch", "pyriemann")


def package_versions() -> dict[str, str]:
    """Return the versions of installed packages on which results may depend.

    Returns
    -------
    versions : dict of str to str
    """
    versions = {"python": platform.python_version(), "skeeg": __version__}
    found = {package: _version(package) for package in _PACKAGES}
    return versions | {package: version for package, version in found.items() if version}


@functools.cache
def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def loaded_packages() -> dict[str, str]:
    """Return the versions of all packages of which a module is loaded.

    Returns
    -------
    versions : dict of str to str
        Sorted by name.
    """
    known = _distributions()
    names = {module.partition(".")[0] for module in list(sys.modules)}
    loaded = {package for name in names for package in known.get(name, ())}
    return {package: _version(package) for package in sorted(loaded, key=str.lower)}


@functools.cache
def _distributions() -> dict[str, list[str]]:
    """Return the packages that provide each top-level module."""
    return dict(importlib.metadata.packages_distributions())


def environment() -> dict[str, str]:
    """Return the versions of packages, the platform and the machine.

    Returns
    -------
    environment : dict of str to str
    """
    machine = {
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": str(os.cpu_count() or ""),
        "gpu": _gpu(),
    }
    return package_versions() | {name: value for name, value in machine.items() if value}


@functools.cache
def _processor() -> str:
    """Return the name of the processor, which Python does not know on Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())


def _gpu() -> str:
    """Return the name of the GPU, if PyTorch was loaded and has one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return ""
    return str(torch.cuda.get_device_name())
