"""The list of all estimators."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from sklearn.base import BaseEstimator, is_classifier, is_regressor

from ._checks import check_choice

_TYPES: dict[str, Callable[[Any], bool]] = {
    "classifier": is_classifier,
    "regressor": is_regressor,
    "transformer": lambda estimator: hasattr(estimator, "transform"),
}


def all_estimators(type_filter: str | Iterable[str] | None = None) -> list[tuple[str, type[Any]]]:
    """Return every public estimator of skeeg, as scikit-learn's function of that name does.

    Parameters
    ----------
    type_filter : {"classifier", "regressor", "transformer"} or list of them, optional
        Types of the estimators that are returned; by default all.

    Returns
    -------
    estimators : list of (str, type)
        Name and class, sorted by name.

    Raises
    ------
    ValueError
        If a type is unknown. There are no estimators of scikit-learn's type ``"cluster"``.

    Examples
    --------
    >>> from skeeg import all_estimators
    >>> [name for name, _ in all_estimators("classifier")][:3]
    ['CCNNClassifier', 'CNNGRUClassifier', 'CNNLSTMClassifier']
    """
    from . import alignment, channel_selection, estimators, features

    if type_filter is None or isinstance(type_filter, str):
        types = [] if type_filter is None else [type_filter]
    else:
        types = list(type_filter)
    for name in types:
        check_choice("type_filter", name, _TYPES)
    found = {}
    for module in (alignment, channel_selection, estimators, features):
        for name in module.__all__:
            cls = getattr(module, name)
            if not (inspect.isclass(cls) and issubclass(cls, BaseEstimator)):
                continue
            if module is estimators and getattr(cls, "module", None) is None:
                continue  # a base class, which has no network
            if type_filter is None or any(_TYPES[kind](cls()) for kind in types):
                found[name] = cls
    return sorted(found.items())
