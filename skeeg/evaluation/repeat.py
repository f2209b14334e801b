"""What is needed to repeat a comparison: estimators and parameters in full, and the call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator


def full_text(estimator: Any) -> str:
    """Return the text of an estimator, which scikit-learn would shorten to 700 characters.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    text : str
    """
    if type(estimator).__repr__ is BaseEstimator.__repr__:
        return str(estimator.__repr__(N_CHAR_MAX=10**9))
    return str(estimator)


def all_parameters(estimator: Any) -> dict[str, str]:
    """Return every parameter of an estimator and of its parts, also those left at the default.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    parameters : dict of str to str
        Values as text, by names such as ``"svc__C"``. Steps of a pipeline are not repeated.
    """
    if not hasattr(estimator, "get_params"):
        return {}
    params = estimator.get_params(deep=True)
    shown = {}
    for name, value in params.items():
        if hasattr(value, "get_params") and not isinstance(value, type):
            shown[name] = type(value).__name__
        elif name.rpartition("__")[2] not in ("steps", "transformers", "transformer_list"):
            shown[name] = repr(value)
    return dict(sorted(shown.items()))


def call_text(texts: Mapping[str, str], seed: int, **options: Any) -> str:
    """Return the call of `skeeg.compare` that repeats a comparison.

    Parameters
    ----------
    texts : mapping of str to str
        The text of each estimator by its name.
    seed : int
    **options : object
        Other arguments; those that are None or False are left out.

    Returns
    -------
    code : str
        The estimators must be imported, and ``data`` must be loaded.
    """
    lines = ["comparison = skeeg.compare(", "    {"]
    for name, text in texts.items():
        first, *more = text.splitlines() or [""]
        indent = " " * 8
        lines += [f"{indent}{name!r}: {first}", *[indent + line for line in more]]
        lines[-1] += ","
    lines += ["    },", "    data,"]
    given = {
        key: value for key, value in options.items() if value is not None and value is not False
    }
    lines += [f"    {key}={value!r}," for key, value in given.items()]
    return "\n".join(["import skeeg", "", *lines, f"    random_state={seed},", ")"])
