"""Options and parameters of models in a file: ``--config`` and ``--save-config``."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import typer

from .._checks import did_you_mean
from .documents import read_document, write_document

#: The table with the parameters of models.
PARAMETERS = "parameters"
#: Options that are not part of a file.
_NOT_KEPT = ("config", "save_config_to", "help", "ctx")
#: What an option of each type takes: types of Python, and words for the message.
_KINDS: dict[type, tuple[tuple[type, ...], str]] = {
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    bool: ((bool,), "true or false"),
}
_TEXT: tuple[tuple[type, ...], str] = ((str, int, float), "text, a number or a list of them")


def read_config(ctx: typer.Context, value: Path | None) -> Path | None:
    """Make the options in a file the defaults of the command; a callback of ``--config``."""
    if value is None:
        return None
    try:
        document = read_document(value)
        parameters = _checked_parameters(document.pop(PARAMETERS, {}), value)
        options = _types(ctx.command.callback)
        ctx.default_map = {
            name: _checked(name, options[name], entry, value)
            for name, entry in _by_option(document, options, value).items()
        }
    except (ValueError, OSError, ImportError) as error:
        raise typer.BadParameter(" ".join(str(error).split()), param_hint="--config") from None
    ctx.meta[PARAMETERS] = parameters
    return value


def parameters_of(ctx: typer.Context) -> dict[str, dict[str, Any]]:
    """Return the parameters of models in the file of ``--config``, by the name of the model."""
    return dict(ctx.meta.get(PARAMETERS, {}))


def save_config(ctx: typer.Context, path: Path) -> None:
    """Write the options of a command, and the parameters of models.

    Parameters
    ----------
    ctx : typer.Context
    path : pathlib.Path
        A TOML or YAML file. Options without a value are left out.
    """
    options = {
        name: str(value) if isinstance(value, Path) else value
        for name in _types(ctx.command.callback)
        if (value := ctx.params[name]) is not None
    }
    parameters = parameters_of(ctx)
    write_document(path, options | ({PARAMETERS: parameters} if parameters else {}))


def _types(command: Any) -> dict[str, tuple[type, ...]]:
    """Return the types of the options of a command, by the name of the parameter."""
    hints = get_type_hints(command)
    return {
        name: get_args(hint) or (hint,)
        for name, hint in hints.items()
        if name not in (*_NOT_KEPT, "return")
    }


def _by_option(document: dict[Any, Any], options: Collection[str], path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, entry in document.items():
        name = str(key).replace("-", "_")
        if name not in options:
            raise ValueError(
                f"{path} has an unknown option {key!r}.{did_you_mean(name, [*options, PARAMETERS])}"
            )
        if name in found:
            raise ValueError(f"{path} has the option {key!r} twice.")
        found[name] = entry
    return found


def _checked(name: str, types: Iterable[type], entry: Any, path: Path) -> Any:
    """Return the value of an option as the command line has it, after checking its type."""
    allowed, expected = next((_KINDS[kind] for kind in types if kind in _KINDS), _TEXT)
    is_text = expected == _TEXT[1]
    entries = entry if isinstance(entry, list) and is_text else [entry]
    fits = all(
        isinstance(part, allowed) and (isinstance(part, bool) == (bool in allowed))
        for part in entries
    )
    if not fits or not entries:
        raise ValueError(
            f"{path}: {name} must be {expected}, got {type(entry).__name__} {entry!r:.60}."
        )
    return ",".join(str(part) for part in entries) if is_text else entry


def _checked_parameters(table: Any, path: Path) -> dict[str, dict[str, Any]]:
    if not isinstance(table, dict) or not all(isinstance(v, dict) for v in table.values()):
        raise ValueError(
            f"{path}: {PARAMETERS} must be tables of the models' parameters, such as "
            f"[{PARAMETERS}.eegnet] with lr = 0.001."
        )
    for name, parameters in table.items():
        unnamed = [key for key in parameters if not isinstance(key, str)]
        if not isinstance(name, str) or unnamed:
            raise ValueError(f"{path}: the names in {PARAMETERS} must be text.")
    return table
