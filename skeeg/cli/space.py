"""The file of a search space: values and ranges of parameters, for one or several models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from .._checks import did_you_mean
from ..models import spelt_as_known
from .documents import read_document

_KEYS = ("low", "high", "log")
_EXAMPLE = "[1, 2, 3] or {low = 0.0001, high = 0.01, log = true}"

#: Values or distributions by the name of the parameter; one for each dictionary of a list.
Space = list[dict[str, Any]]


def read_spaces(path: Path, models: Sequence[str]) -> dict[str, Space]:
    """Return the search space of each model.

    Parameters
    ----------
    path : pathlib.Path
        A TOML or YAML file. Its tables have the names of models; with a single model, it may hold
        the parameters alone. A list of tables is one of spaces. Each parameter has a list of
        values, or a table with ``low``, ``high`` and ``log``.
    models : sequence of str

    Returns
    -------
    spaces : dict of str to list of dict

    Raises
    ------
    ValueError
        If the file is invalid, or a model has no space.
    """
    document = read_document(path)
    named = {spelt_as_known(str(key), models): value for key, value in document.items()}
    if not any(name in models for name in named):
        if len(models) > 1 or not document:
            raise ValueError(
                f"{path} has no table of {' or '.join(models)}. Name it, such as [{models[0]}]."
            )
        named = {models[0]: document}
    for name in named:
        if name not in models:
            hint = did_you_mean(name, models)
            raise ValueError(
                f"{path} has a table of {name!r}, which is none of the models "
                f"{', '.join(models)}.{hint} Pass it with --models, or remove it."
            )
    missing = [name for name in models if name not in named]
    if missing:
        raise ValueError(f"{path} has no table of {', '.join(missing)}.")
    return {name: _space(named[name], f"{path}: {name}") for name in models}


def check_parameters(space: Space, model: Any, path: Path) -> None:
    """Raise a ValueError that suggests the nearest name, if a parameter is unknown.

    Parameters
    ----------
    space : list of dict
    model : estimator
    path : pathlib.Path
    """
    known = model.get_params(deep=True)
    for name in (name for part in space for name in part):
        if name not in known:
            settable = [key for key, value in known.items() if not hasattr(value, "fit")]
            ending = [key for key in settable if key.endswith(f"__{name}")]
            hint = f" Did you mean {ending[0]!r}?" if ending else did_you_mean(name, settable)
            raise ValueError(f"{path}: {name!r} is not a parameter of the model.{hint}")


def has_ranges(space: Space) -> bool:
    """Return whether a parameter has a range rather than a list of values."""
    return any(not isinstance(values, list) for part in space for values in part.values())


def _space(value: Any, where: str) -> Space:
    parts = value if isinstance(value, list) else [value]
    if not parts or not all(isinstance(part, Mapping) and part for part in parts):
        raise ValueError(f"{where} must be a table with parameters, or a list of tables.")
    return [
        {str(name): _values(entry, f"{where}.{name}") for name, entry in part.items()}
        for part in parts
    ]


def _values(entry: Any, where: str) -> Any:
    if isinstance(entry, list):
        if not entry:
            raise ValueError(f"{where} is an empty list.")
        return entry
    if not isinstance(entry, Mapping):
        raise ValueError(
            f"{where} must be a list of values or a range, such as {_EXAMPLE}; got {entry!r:.60}."
        )
    for key in entry:
        if key not in _KEYS:
            raise ValueError(
                f"{where} has an unknown key {key!r}.{did_you_mean(key, _KEYS)} A range is "
                f"{{low = ..., high = ..., log = ...}}."
            )
    return _range(entry, where)


def _range(entry: Mapping[str, Any], where: str) -> Any:
    from scipy.stats import loguniform, randint, uniform

    low, high, log = entry.get("low"), entry.get("high"), entry.get("log")
    if not _is_number(low) or not _is_number(high):
        raise ValueError(f"{where} needs two numbers low and high, got {low!r:.60}, {high!r:.60}.")
    if log not in (None, True, False):
        raise ValueError(f"{where}.log must be true or false, got {log!r:.60}.")
    if not (abs(low) < float("inf") and low < high < float("inf")):
        raise ValueError(f"{where}: low must lie below high, got {low!r} and {high!r}.")
    if log and low <= 0:
        raise ValueError(f"{where}: low must be positive with log, got {low!r}.")
    if log:
        if isinstance(low, int) and isinstance(high, int):
            raise ValueError(
                f"{where}: a range of whole numbers cannot have log. Write {low}.0 and {high}.0, "
                "or a list of values."
            )
        return loguniform(low, high)
    if isinstance(low, int) and isinstance(high, int):
        return randint(low, high + 1)
    return uniform(low, high - low)


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
