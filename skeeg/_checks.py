"""Checks of parameters, with errors that name the parameter, what came and what was expected."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import TypeVar

T = TypeVar("T")


def value_or(value: T | None, default: T) -> T:
    """Return `value`, or `default` where it is None.

    Parameters
    ----------
    value, default : object
        What the user passed, and what None stands for.

    Returns
    -------
    object
        One of the two.
    """
    return default if value is None else value


def did_you_mean(name: object, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return a sentence that suggests the known name closest to an unknown one.

    Parameters
    ----------
    name : object
        What the user passed; upper and lower case, and "-" and "_", count as equal.
    known : iterable of str
        The names that exist.
    cutoff : float, default=0.6
        How similar a name must be to be suggested, from 0 to 1, as in `difflib`.

    Returns
    -------
    str
        ``" Did you mean 'x'?"``, to append to an error message, or ``""`` if no name is similar.
    """
    if not isinstance(name, str):
        return ""
    spellings = {_comparable(spelling): spelling for spelling in known}
    closest = difflib.get_close_matches(_comparable(name), spellings, n=1, cutoff=cutoff)
    return f" Did you mean {spellings[closest[0]]!r}?" if closest else ""


def _comparable(name: str) -> str:
    return name.lower().replace("-", "_")


def check_choice(name: str, value: object, choices: Iterable[str]) -> str:
    """Return `value` if it is one of `choices`; the error suggests the closest one.

    Parameters
    ----------
    name : str
        The parameter, as the user spells it.
    value : object
        What the user passed.
    choices : iterable of str
        What is allowed.

    Returns
    -------
    str
        `value`.

    Raises
    ------
    ValueError
        If `value` is not one of `choices`.
    """
    choices = list(choices)
    if isinstance(value, str) and value in choices:
        return value
    listed = ", ".join(repr(choice) for choice in choices)
    raise ValueError(
        f"{name} must be one of {listed}; got {value!r}.{did_you_mean(value, choices)}"
    )


def check_positive_ints(**values: object) -> list[int]:
    """Return the values as ints if each is an integer of at least 1.

    Parameters
    ----------
    **values : object
        What the user passed, by parameter name; NumPy integers are allowed, booleans are not.

    Returns
    -------
    list of int
        The values, in their order.

    Raises
    ------
    ValueError
        If a value is anything else.
    """
    return [check_integer(name, value, at_least=1) for name, value in values.items()]


def check_lengths(name: str, values: object) -> list[int]:
    """Return the values as a list of ints if they are a sequence of integers of at least 1.

    Parameters
    ----------
    name : str
        The parameter, as the user spells it.
    values : object
        What the user passed.

    Returns
    -------
    list of int
        The values, one or more, in their order.

    Raises
    ------
    ValueError
        If it is not a sequence, is empty, or holds anything else.
    """
    if isinstance(values, str) or not isinstance(values, Sequence) or not values:
        raise ValueError(f"{name} must be a sequence of one integer or more; got {values!r}.")
    return check_positive_ints(**{f"{name}[{i}]": value for i, value in enumerate(values)})


def check_flag(name: str, value: object) -> bool:
    """Return `value` if it is a boolean.

    Parameters
    ----------
    name : str
        The parameter, as the user spells it.
    value : object
        What the user passed.

    Returns
    -------
    bool
        `value`.

    Raises
    ------
    ValueError
        If `value` is anything else, such as the 1 or "yes" that Python would take for true.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be True or False; got {value!r}.")
    return value


def check_integer(
    name: str, value: object, *, at_least: int | None = None, at_most: int | None = None
) -> int:
    """Return `value` as an int if it is an integer within the given bounds.

    Parameters
    ----------
    name : str
        The parameter, as the user spells it.
    value : object
        What the user passed; NumPy integers are allowed, booleans are not.
    at_least, at_most : int, optional
        The bounds, both allowed themselves.

    Returns
    -------
    int
        `value`.

    Raises
    ------
    ValueError
        If `value` is not an integer, or lies outside the bounds.
    """
    if isinstance(value, Integral) and not isinstance(value, bool):
        integer = int(value)
        if (at_least is None or integer >= at_least) and (at_most is None or integer <= at_most):
            return integer
    bounds = _listed(("at least", at_least), ("at most", at_most))
    raise ValueError(f"{name} must be an integer{' of' if bounds else ''}{bounds}; got {value!r}.")


def check_number(
    name: str,
    value: object,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
) -> float:
    """Return `value` as a float if it is a finite number within the given bounds.

    Parameters
    ----------
    name : str
        The parameter, as the user spells it.
    value : object
        What the user passed; NumPy numbers are allowed, booleans are not.
    at_least, above : float, optional
        The lower bound, allowed itself or not.
    at_most, below : float, optional
        The upper bound, allowed itself or not.

    Returns
    -------
    float
        `value`.

    Raises
    ------
    ValueError
        If `value` is not a number, is NaN or infinite, or lies outside the bounds.
    """
    number = _finite(value)
    if (
        number is not None
        and (at_least is None or number >= at_least)
        and (above is None or number > above)
        and (at_most is None or number <= at_most)
        and (below is None or number < below)
    ):
        return number
    bounds = _listed(
        ("at least", at_least), ("above", above), ("at most", at_most), ("below", below)
    )
    raise ValueError(f"{name} must be a finite number{bounds}; got {value!r}.")


def check_positive(name: str, value: object, unit: str) -> float:
    """Return `value` as a float if it is a positive, finite number.

    Parameters
    ----------
    name : str
        The parameter, as the user spells it.
    value : object
        What the user passed; NumPy numbers are allowed, booleans are not.
    unit : str
        What it is measured in, for the message.

    Returns
    -------
    float
        `value`.

    Raises
    ------
    ValueError
        If `value` is anything else.
    """
    number = _finite(value)
    if number is None or number <= 0:
        raise ValueError(f"{name} must be a positive number of {unit}; got {value!r}.")
    return number


def _finite(value: object) -> float | None:
    """Return a real, finite number as a float, and None for anything else."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:  # of an integer above 1.8e308
        return None
    return number if math.isfinite(number) else None


def _listed(*bounds: tuple[str, float | None]) -> str:
    """Return the bounds that exist, such as " at least 0 and below 1"."""
    given = [f"{what} {bound:g}" for what, bound in bounds if bound is not None]
    return " " + " and ".join(given) if given else ""
