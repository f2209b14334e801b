"""Versions of packages and the machine of a comparison."""

from __future__ import annotations

import functools
import importlib.metadata
import platform

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


def environment() -> dict[str, str]:
    """Return the versions of packages, the platform and the machine.

    Returns
    -------
    environment : dict of str to str
    """
    return package_versions() | {"platform": platform.platform(), "machine": platform.machine()}
