"""What the user typed, checked, and what is said where it is wrong."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterable, Iterator
from typing import NoReturn

import typer

from ..models import check_names


@contextlib.contextmanager
def warnings_in_one_line() -> Iterator[None]:
    """Print what was warned of in the end, without the lines of code that Python adds."""
    with warnings.catch_warnings(record=True) as caught:
        try:
            yield
        finally:
            for text in dict.fromkeys(str(warning.message) for warning in caught):
                typer.echo(f"skeeg: warning: {' '.join(text.split())}", err=True)


def fail(message: str) -> NoReturn:
    """End with one line that says what is wrong."""
    typer.echo(f"skeeg: {message}", err=True)
    raise typer.Exit(1)


def chosen(names: str, known: Iterable[str], kind: str, option: str) -> list[str]:
    """Return the names between the commas; unknown ones are an error of usage."""
    wanted = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    if not wanted:
        raise typer.BadParameter(f"Give at least one {kind}.", param_hint=option)
    try:
        check_names(wanted, known, kind)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
    return wanted


def subject_list(text: str) -> list[int | str]:
    """Return the subjects that ``1,2,5-8`` or ``S4b,X11b`` stands for."""
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
