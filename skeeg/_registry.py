"""The list of everything that fits."""

from __future__ import annotations

import inspect
from typing import Any

from sklearn.base import BaseEstimator, is_classifier


def all_estimators(kind: str | None = None) -> list[tuple[str, type[Any]]]:
    """Return every public estimator of skeeg, as scikit-learn's function of that name does.

    Parameters
    ----------
    kind : {"classifier", "transformer"}, optional
        Return only these.

    Returns
    -------
    estimators : list of (str, type)
        Name and class, sorted by name.

    Raises
    ------
    ValueError
        If ``kind`` is unknown.

    Examples
    --------
    >>> from skeeg import all_estimators
    >>> [name for name, _ in all_estimators("classifier")][:3]
    ['CCNNClassifier', 'CNNGRUClassifier', 'CNNLSTMClassifier']
    """
    from . import channel_selection, classifiers, features

    if kind not in (None, "classifier", "transformer"):
        raise ValueError(f'kind must be "classifier", "transformer" or None, got {kind!r}.')
    found = {}
    for module in (channel_selection, classifiers, features):
        for name in module.__all__:
            cls = getattr(module, name)
            if not (inspect.isclass(cls) and issubclass(cls, BaseEstimator)):
                continue
            if cls is classifiers.NetworkClassifier:  # it has no network of its own
                continue
            if kind is None or is_classifier(cls()) == (kind == "classifier"):
                found[name] = cls
    return sorted(found.items())
