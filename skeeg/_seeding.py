"""Giving estimators, with all that they are made of, one source of randomness."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone


def seeded(estimator: Any, random_state: int) -> Any:
    """Return a clone with every ``random_state`` that is None set, nested ones included.

    Parameters
    ----------
    estimator : estimator
        Unchanged.
    random_state : int

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
