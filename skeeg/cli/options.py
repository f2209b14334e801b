"""Checks of the options, and their error messages."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NoReturn

import typer

from ..models import MODELS, check_model_names, check_names, spelt_as_known


@contextlib.contextmanager
def warnings_in_one_line() -> Iterator[None]:
    """Print each warning once at the end, without the lines of code that Python adds."""
    with warnings.catch_warnings(record=True) as caught:
        try:
            yield
        finally:
            for text in dict.fromkeys(str(warning.message) for warning in caught):
                typer.echo(f"skeeg: warning: {_in_one_line(text)}", err=True)


def _in_one_line(text: str) -> str:
    """Return a text without line breaks; of the traces of failed fits, only the last line."""
    lines = text.strip().splitlines()
    if "Traceback (most recent call last):" in lines:
        lines = [lines[0], lines[-1]]
    return " ".join(" ".join(lines).split())


def fail(message: str) -> NoReturn:
    """Exit with a message of one line."""
    typer.echo(f"skeeg: {_in_one_line(message)}", err=True)
    raise typer.Exit(1)


def names_between_commas(text: str) -> list[str]:
    """Return the names between the commas, each once."""
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def name_list(text: str | None, option: str) -> list[str] | None:
    """Return the names between the commas of an option; it is a usage error if there are none."""
    if text is None:
        return None
    names = names_between_commas(text)
    if not names:
        raise typer.BadParameter(f"{text!r} has no name.", param_hint=option)
    return names


def chosen(names: str, known: Iterable[str], kind: str, option: str) -> list[str]:
    """Return the names between the commas; an unknown name is a usage error."""
    known = list(known)
    return _checked(names, partial(check_names, known=known, kind=kind), known, kind, option)


def chosen_models(names: str) -> list[str]:
    """Return the models between the commas; an unknown name is a usage error.

    A network of another package that is not installed is left for later.
    """

    def check(wanted: list[str]) -> None:
        for name in wanted:
            with contextlib.suppress(ImportError):
                check_model_names([name])

    return _checked(names, check, MODELS, "model", "--models")


def _checked(
    names: str,
    check: Callable[[list[str]], None],
    known: Iterable[str],
    kind: str,
    option: str,
) -> list[str]:
    wanted = [spelt_as_known(name, known) for name in names_between_commas(names)]
    if not wanted:
        raise typer.BadParameter(f"Pass at least one {kind}.", param_hint=option)
    try:
        check(wanted)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
    return list(dict.fromkeys(wanted))


def subject_list(text: str | None) -> list[int | str] | None:
    """Return the subjects of a list such as ``1,2,5-8`` or ``S4b,X11b``."""
    if text is None:
        return None
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
