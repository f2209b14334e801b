"""TOML and YAML files."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from .._files import atomic_path, check_regular

#: The largest file that is read, in bytes.
_LARGEST = 2**20
_YAML = (".yaml", ".yml")
SUFFIXES = (".toml", *_YAML)


def read_document(path: Path) -> dict[str, Any]:
    """Return the content of a TOML or YAML file.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    document : dict

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a file of this kind, or has no names and values.
    ImportError
        If it is YAML, and PyYAML is not installed.
    """
    check_suffix(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist.")
    check_regular(path)
    if path.stat().st_size > _LARGEST:
        raise ValueError(f"{path} has more than {_LARGEST} bytes, which is too many for options.")
    try:
        text = path.read_text(encoding="utf-8")
        document = _parse_yaml(text) if path.suffix.lower() in _YAML else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read ({' '.join(str(error).split())}).") from error
    if not isinstance(document, dict):
        raise ValueError(f"{path} must hold names and values, got {type(document).__name__}.")
    return document


def write_document(path: Path, document: dict[str, Any]) -> None:
    """Write a TOML or YAML file, which is complete or absent.

    Parameters
    ----------
    path : pathlib.Path
    document : dict
        Numbers, strings, lists and dicts of them; in YAML also None.
    """
    check_suffix(path)
    if path.suffix.lower() in _YAML:
        text = _yaml().safe_dump(document, sort_keys=False, allow_unicode=True)
    else:
        import tomlkit

        text = tomlkit.dumps(document)
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")


def check_suffix(path: Path) -> None:
    """Raise a ValueError if the name of a file does not say what it holds."""
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path} must end in {', '.join(SUFFIXES)}.")


def _parse_yaml(text: str) -> Any:
    yaml = _yaml()

    def compose_node(self: Any, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):  # a few of them can stand for a whole disk
            raise ValueError("it has an alias, such as *name; write the value out")
        return yaml.SafeLoader.compose_node(self, parent, index)

    loader: Any = type("PlainLoader", (yaml.SafeLoader,), {"compose_node": compose_node})
    # YAML 1.1 takes 1e-4, without a point, for text.
    loader.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+[eE][-+]?\d+"), list("-+0123456789")
    )
    try:
        return yaml.load(text, Loader=loader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _yaml() -> Any:
    try:
        import yaml
    except ImportError as error:
        raise ImportError(
            "A YAML file needs the package PyYAML: pip install 'skeeg[yaml]'. Or use a TOML file."
        ) from error
    return yaml
