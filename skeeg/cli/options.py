"""Checks of the options, and their error messages."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NoReturn

import typer

from ..models import check_model_names, check_names


@contextlib.contextmanager
def warnings_in_one_line() -> Iterator[None]:
    """Print each warning once at the end, without the lines of code that Python adds."""
    with warnings.catch_warnings(record=True) as caught:
        try:
            yield
        finally:
            for text in dict.fromkeys(str(warning.message) for warning in caught):
                typer.echo(f"skeeg: warning: {' '.join(text.split())}", err=True)


def fail(message: str) -> NoReturn:
    """Exit with a message of one line."""
    typer.echo(f"skeeg: {message}", err=True)
    raise typer.Exit(1)


def chosen(names: str, known: Iterable[str], kind: str, option: str) -> list[str]:
    """Return the names between the commas; an unknown name is a usage error."""
    return _checked(names, partial(check_names, known=known, kind=kind), kind, option)


def chosen_models(names: str) -> list[str]:
    """Return the models between the commas; an unknown name is a usage error."""
    return _checked(names, check_model_names, "model", "--models")


def _checked(names: str, check: Callable[[list[str]], None], kind: str, option: str) -> list[str]:
    wanted = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    if not wanted:
        raise typer.BadParameter(f"Pass at least one {kind}.", param_hint=option)
    try:
        check(wanted)
    except (ImportError, ValueError) as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
    return wanted


def subject_list(text: str) -> list[int | str]:
    """Return the subjects of a list such as ``1,2,5-8`` or ``S4b,X11b``."""
    subjects: list[int | str] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        numbers = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        if numbers is None:
            subjects.append(part)
        else:
            subjects += range(int(numbers[1]), int(numbers[2] or numbers[1]) + 1)
    if not subjects:
        raise typer.BadParameter(f"{text!r} names no subject.", param_hint="--subjects")
    return list(dict.fromkeys(subjects))
