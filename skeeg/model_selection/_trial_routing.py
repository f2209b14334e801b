"""Fits whose inner splits keep the windows of a trial together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import clone, is_regressor
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import StackingClassifier, StackingRegressor
from sklearn.model_selection import check_cv
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object

from .._labelled import LabelledRows, subject_codes
from ._checked_splits import CheckedSplits, unit_codes
from ._splitting_parts import (
    GRIDS,
    SplittingPart,
    ancestors,
    decisive_entries,
    is_estimator,
    nested_estimators,
    splitting_parts,
    takes_groups,
)
from .folds import LeakageError
from .memoized import Memoized

#: Estimators that pass all their rows, in order, to the estimators that they hold.
_PASS_ALL_ROWS = (Pipeline, FeatureUnion, ColumnTransformer, TransformedTargetRegressor, Memoized)
_STACKS = (StackingClassifier, StackingRegressor)


def divided_trials(estimator: Any, data: LabelledRows, train: NDArray[np.intp]) -> str:
    """Return which parts of an estimator divide windows of one trial, and what to do.

    Parameters
    ----------
    estimator : estimator
    data : EEGData or FeatureTable
    train : ndarray of int
        The rows of a training part, the largest one.

    Returns
    -------
    reasons : str
        Empty if there are none.
    """
    units, y = unit_codes(data)[train], data.y[train]
    if len(np.unique(units)) == len(units):
        return ""
    parts = splitting_parts(estimator, len(train))
    lost = _lost(estimator, parts)
    reasons = [
        f"{part.cause} {_why(part)}. {part.advice}".rstrip() for part in parts if part.path in lost
    ]
    for part in parts:
        if part.path not in lost and part.kind == "cv":
            n_divided = _n_divided(part.estimator, units, y)
            if n_divided:
                reasons.append(f"{part.cause} divides {n_divided} trials. {part.advice}")
    return " ".join(reasons)


def fit_by_trials(
    estimator: Any, train: LabelledRows, *, across: str | None = None, allow_leakage: bool = False
) -> Any:
    """Return a fitted estimator whose inner splits keep the windows of a trial together.

    Parameters
    ----------
    estimator : estimator
        It is fitted itself if it does not split its rows, a clone otherwise.
    train : EEGData or FeatureTable
    across : str, optional
        What the outer split claims to generalise over. For ``"subject"``, an integer ``cv`` means
        folds of whole subjects.
    allow_leakage : bool
        Whether to fit parts that divide trials as they are.

    Returns
    -------
    fitted : estimator

    Raises
    ------
    LeakageError
        If a part divides windows of one trial.
    """
    parts = splitting_parts(estimator, len(train))
    shared = len(np.unique(units := unit_codes(train))) < len(units)
    by_subject = across == "subject" and len(np.unique(subject_codes(train))) > 1
    if not parts or not (shared or by_subject):
        return estimator.fit(train, train.y)
    lost = _lost(estimator, parts)
    if lost and shared and not allow_leakage:
        raise LeakageError(divided_trials(estimator, train, np.arange(len(train))))
    options = {"across": across, "allow_leakage": allow_leakage or not shared}
    with config_context(enable_metadata_routing=True):
        routed = _routed(estimator, lost, units, options)
        groups = {"groups": units} if _consumes_groups(routed) else {}
        return routed.fit(train, train.y, **groups)


def _why(part: SplittingPart) -> str:
    if part.kind == "rows":
        return "sets rows aside without regard to trials"
    return "does not receive the trials of its rows"


def _n_divided(estimator: Any, units: NDArray[np.int64], y: NDArray[Any]) -> int:
    """Return how many trials the splitter of an estimator divides in the first split that does."""
    rows = np.zeros((len(units), 1))
    splits = CheckedSplits(estimator.cv, allow_leakage=True).split(rows, y, units)
    try:
        shared = (np.intersect1d(units[a], units[b]).size for a, b in splits)
        return next((int(size) for size in shared if size), 0)
    except (ValueError, IndexError, TypeError):  # the splits of rows that only the fit knows
        return 0


def _lost(estimator: Any, parts: list[SplittingPart]) -> set[str]:
    """Return the paths of the parts that the trials of the rows do not reach."""
    nested = nested_estimators(estimator)
    return {part.path for part in parts if not _is_kept(estimator, part, nested)}


def _is_kept(estimator: Any, part: SplittingPart, nested: Mapping[str, Any]) -> bool:
    if part.kind == "rows":
        return False
    outer = _outer(part.path, nested)
    if part.kind == "cv" and _gets_all_rows(part.path, nested):
        return True
    if any(isinstance(holder, _STACKS) for holder in outer):
        # A stack hands groups on to its final estimator too, which does not take them. A network
        # directly inside finds the trials in the data.
        final = "final_estimator" in part.path.split("__")
        direct = all(isinstance(holder, _STACKS) for holder in outer)
        return part.kind == "groups" and direct and not final
    with config_context(enable_metadata_routing=True):
        alone = clone(estimator)
        for path, other in nested_estimators(alone).items():
            if takes_groups(other):
                other.set_fit_request(groups=path == part.path)
            elif _splits_by_cv(other):
                other.set_params(cv=CheckedSplits(2) if path == part.path else 2)
        return _consumes_groups(alone)


def _outer(path: str, nested: Mapping[str, Any]) -> list[Any]:
    return [nested[outer] for outer in ancestors(path) if outer in nested]


def _gets_all_rows(path: str, nested: Mapping[str, Any]) -> bool:
    """Return whether a part is fitted on all rows, so that its splitter can hold their trials.

    Stacks and the steps of a pipeline before the last one receive no groups.
    """
    return all(type(outer) in _PASS_ALL_ROWS for outer in _outer(path, nested))


def _consumes_groups(estimator: Any) -> bool:
    try:
        return "groups" in get_routing_for_object(estimator).consumes("fit", {"groups"})
    except (NotImplementedError, AttributeError, TypeError):
        return False


def _routed(
    estimator: Any, lost: set[str], units: NDArray[np.int64], options: dict[str, Any]
) -> Any:
    """Return a clone whose parts request groups, but for those that these do not reach."""
    routed = clone(estimator)
    nested = nested_estimators(routed)
    in_stacks = [
        path for path in nested if any(isinstance(o, _STACKS) for o in _outer(path, nested))
    ]
    for path, part in nested.items():
        if path in lost:
            continue
        if takes_groups(part):
            part.set_fit_request(groups=path not in in_stacks)
        elif _splits_by_cv(part):
            bound = units if _gets_all_rows(path, nested) else None
            part.set_params(cv=_checked(part, part.cv, options, bound))
        for name in GRIDS:
            if name in part.get_params(deep=False):
                _route_candidates(getattr(part, name), lost, units, options)
    return routed


def _splits_by_cv(part: Any) -> bool:
    return any(found.kind == "cv" for found in splitting_parts(part, 0) if not found.path)


def _checked(
    part: Any, cv: Any, options: dict[str, Any], bound: NDArray[np.int64] | None = None
) -> CheckedSplits:
    continuous = is_regressor(part) if hasattr(part, "predict") else None
    return CheckedSplits(cv, groups=bound, continuous=continuous or None, **options)


def _route_candidates(
    grid: Any, lost: set[str], units: NDArray[np.int64], options: dict[str, Any]
) -> None:
    """Let estimators and splitters among the values of a grid, which is a copy, use groups."""
    for entries in grid if isinstance(grid, (list, tuple)) else [grid]:
        for name, values in decisive_entries(entries).items():
            if name.rpartition("__")[2] == "cv":
                for value in values:
                    check_cv(value)
                entries[name] = [CheckedSplits(value, **options) for value in values]
            else:
                entries[name] = [
                    _routed(value, lost, units, options) if is_estimator(value) else value
                    for value in values
                ]
