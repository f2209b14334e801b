"""Checks of constructor arguments, with errors that name argument, value and what is allowed."""

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
        What the user passed, and what replaces None.

    Returns
    -------
    object
        One of the two.
    """
    return default if value is None else value


def check_choice(name: str, value: object, choices: Iterable[str]) -> str:
    """Return `value` if it is one of `choices`; the error suggests the nearest one.

    Parameters
    ----------
    name : str
        The argument, as the user spells it.
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
    if isinstance(value, str):
        if value in choices:
            return value
        nearest = difflib.get_close_matches(value.lower(), choices, n=1)
    else:
        nearest = []
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    listed = ", ".join(repr(choice) for choice in choices)
    raise ValueError(f"{name} must be one of {listed}; got {value!r}.{hint}")


def check_positive_ints(**values: object) -> list[int]:
    """Return the values as ints if each is a whole number of at least 1.

    Parameters
    ----------
    **values : object
        What the user passed, by the argument's name; NumPy integers are accepted, booleans are
        not.

    Returns
    -------
    list of int
        The values, in their order.

    Raises
    ------
    ValueError
        If a value is anything else.
    """
    checked = []
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
            raise ValueError(f"{name} must be an integer of at least 1; got {value!r}.")
        checked.append(int(value))
    return checked


def check_lengths(name: str, values: object) -> list[int]:
    """Return the values as a list of ints if they are a sequence of whole numbers of at least 1.

    Parameters
    ----------
    name : str
        The argument, as the user spells it.
    values : object
        What the user passed.

    Returns
    -------
    list of int
        The values, one or more, in their order.

    Raises
    ------
    ValueError
        If `values` is not a sequence, is empty, or contains anything else.
    """
    if isinstance(values, str) or not isinstance(values, Sequence) or not values:
        raise ValueError(f"{name} must be a sequence of one integer or more; got {values!r}.")
    return check_positive_ints(**{f"{name}[{i}]": value for i, value in enumerate(values)})


def check_flag(name: str, value: object) -> bool:
    """Return `value` if it is a boolean.

    Parameters
    ----------
    name : str
        The argument, as the user spells it.
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


def check_number(
    name: str,
    value: object,
    *,
    at_least: float | None = None,
    above: float | None = None,
    below: float = math.inf,
) -> float:
    """Return `value` as a float if it is a finite number within the given bounds.

    Parameters
    ----------
    name : str
        The argument, as the user spells it.
    value : object
        What the user passed; NumPy numbers are accepted, booleans are not.
    at_least, above : float, optional
        The lower bound, inclusive or exclusive.
    below : float, default=inf
        The upper bound, exclusive.

    Returns
    -------
    float
        `value`.

    Raises
    ------
    ValueError
        If `value` is not a number, is NaN or infinite, or lies outside the bounds.
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        number = float(value)
        above_minimum = at_least is None or number >= at_least
        above_limit = above is None or number > above
        if above_minimum and above_limit and -math.inf < number < below:
            return number
    bounds = [f"at least {at_least:g}"] if at_least is not None else []
    bounds += [f"above {above:g}"] if above is not None else []
    bounds += [f"below {below:g}"] if below < math.inf else []
    raise ValueError(f"{name} must be a finite number {' and '.join(bounds)}; got {value!r}.")
