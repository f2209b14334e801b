"""Networks of other packages by name, such as ``"braindecode.ATCNet"``.

Nothing is imported before a name is resolved.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from ._checks import did_you_mean

#: The module of each package whose public classes are its networks.
PACKAGES = {"braindecode": "braindecode.models"}

#: Arguments that the constructor of a network must have.
SHAPE = frozenset({"n_chans", "n_times", "n_outputs"})


def is_other_network(name: object) -> bool:
    """Return whether a string names a network of another package, existing or not.

    Parameters
    ----------
    name : object

    Returns
    -------
    named : bool
    """
    return isinstance(name, str) and name.partition(".")[0] in PACKAGES and "." in name


def other_networks(package: str) -> dict[str, type[Any]]:
    """Return the networks of a package whose constructors take the shape of the trials.

    Parameters
    ----------
    package : str
        A key of `PACKAGES`.

    Returns
    -------
    networks : dict of str to type
        By full name, such as ``"braindecode.ATCNet"``; sorted.

    Raises
    ------
    ImportError
        If the package is not installed, or cannot be imported.
    """
    home = PACKAGES[package]
    try:
        module = importlib.import_module(home)
    except (ImportError, OSError) as error:  # OSError: a shared library of it does not load
        missing = isinstance(error, ModuleNotFoundError) and error.name in (package, home)
        raise ImportError(
            f"Networks named '{package}....' need {package}, which "
            + ("is not installed" if missing else f"cannot be imported ({error})")
            + f": pip install 'skeeg[{package}]'"
        ) from error
    networks = {
        f"{package}.{name}": value
        for name, value in vars(module).items()
        if _is_network(name, value)
    }
    return dict(sorted(networks.items()))


def _is_network(name: str, value: Any) -> bool:
    """Return whether it is a public module that needs nothing but the shape of the trials."""
    from torch import nn

    if name.startswith("_") or not inspect.isclass(value) or not issubclass(value, nn.Module):
        return False
    parameters = inspect.signature(value).parameters
    needed = {
        parameter.name
        for parameter in parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
    return parameters.keys() >= SHAPE >= needed


def other_network(name: str) -> type[Any]:
    """Return the class of a network of another package.

    Parameters
    ----------
    name : str
        Such as ``"braindecode.EEGConformer"``.

    Returns
    -------
    network : type

    Raises
    ------
    ImportError
        If the package is not installed.
    ValueError
        If there is no such package or network; the message suggests the closest name.
    """
    if not is_other_network(name):
        packages = ", ".join(f"'{package}.'" for package in PACKAGES)
        raise ValueError(
            f"A network given by name must begin with {packages}, as in 'braindecode.ATCNet'; got "
            f"{name!r}. Pass any other network as its class."
        )
    networks = other_networks(name.partition(".")[0])
    if name not in networks:
        hint = did_you_mean(name, networks)
        raise ValueError(f"There is no network {name!r}.{hint} There are: {', '.join(networks)}.")
    return networks[name]
