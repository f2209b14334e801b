"""Seeding of estimators and their nested estimators."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone


def seeded(estimator: Any, random_state: int) -> Any:
    """Return a clone in which every ``random_state`` that is None is set, also nested ones.

    Parameters
    ----------
    estimator : estimator
        The estimator, which is not changed.
    random_state : int
        The seed.

    Returns
    -------
    clone : estimator
    """
    cloned = clone(estimator)
    unset = [
        name
        for name, value in cloned.get_params(deep=True).items()
        if name.rpartition("__")[2] == "random_state" and value is None
    ]
    return cloned.set_params(**dict.fromkeys(unset, random_state)) if unset else cloned
