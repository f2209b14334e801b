"""The splits of a search, which do not divide trials where these are known."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import process_routing

from .._labelled import LabelledRows
from ._checked_splits import trial_folds
from .leakage import check_leakage
from .protocols import make_folds

Splits = list[tuple[NDArray[np.intp], NDArray[np.intp]]]


def inner_splits(cv: Any, estimator: Any, X: Any, y: Any, groups: Any = None) -> Splits:
    """Return the training and test part of each split of a search.

    Parameters
    ----------
    cv : int, splitter, iterable, str or None
        As in scikit-learn. For `EEGData` and `FeatureTable`, a number of folds means folds of whole
        trials, None means five of them, and the name of a protocol is allowed.
    estimator : estimator
    X, y, groups : array-like
        As in ``fit``.

    Returns
    -------
    splits : list of (train, test)

    Raises
    ------
    LeakageError
        If a split of `EEGData` or `FeatureTable` divides what the leakage guard keeps together, and
        `cv` does not have ``allow_leakage=True``.
    """
    if not isinstance(X, LabelledRows):
        splitter = check_cv(cv, y, classifier=is_classifier(estimator))
        return list(splitter.split(X, y, groups))
    if cv is None or isinstance(cv, Integral):
        splitter = trial_folds(cv, not is_classifier(estimator))
        splits: Splits = list(splitter.split(X, y, groups))
    else:
        folds = make_folds(cv, X, groups=groups, continuous=not is_classifier(estimator))
        splits = [(fold.train, fold.test) for fold in folds]
    check_leakage(splits, X, allow_leakage=getattr(cv, "allow_leakage", False))
    return splits


def divided_params(search: Any, params: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return the groups of the splits, and the parameters for the fits and the scorer.

    Parameters
    ----------
    search : BaseSearchCV
    params : dict
        Arguments of its ``fit``.

    Returns
    -------
    groups : array-like or None
    others : dict
    """
    from sklearn import get_config

    if not get_config()["enable_metadata_routing"]:
        others = dict(params)
        return others.pop("groups", None), others
    routed = process_routing(search, "fit", **params)
    used = {*routed.estimator.fit, *routed.scorer.score}
    return routed.splitter.split.get("groups"), {k: v for k, v in params.items() if k in used}
