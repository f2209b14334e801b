"""The parts of an estimator that split the rows they are fitted on."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from typing import Any, Literal

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv
from sklearn.model_selection._split import GroupsConsumerMixin
from sklearn.multioutput import ClassifierChain, RegressorChain

#: Above so many rows, scikit-learn's ``early_stopping="auto"`` stops early.
_AUTO_ROWS = 10_000
#: Parameters that decide whether an estimator splits its rows.
_DECISIVE = ("cv", "early_stopping", "n_iter_no_change", "validation_fraction", "solver")
GRIDS = ("param_grid", "param_distributions")
_MOST_CANDIDATES = 1000
_EARLY_STOPPING_ADVICE = "a network of skeeg, whose early stopping keeps trials together"


@dataclass(frozen=True)
class SplittingPart:
    """An estimator that splits the rows it is fitted on.

    Parameters
    ----------
    path : str
        Its name in ``get_params``; empty for the whole estimator.
    estimator : estimator
    kind : {"cv", "groups", "rows"}
        Whether it splits by its ``cv``, keeps together the ``groups`` of its ``fit``, or splits
        rows whatever it is told.
    cause : str
        The parameter that makes it split, such as ``"MLPClassifier(early_stopping=True)"``.
    advice : str
        How to avoid it.
    """

    path: str
    estimator: Any
    kind: Literal["cv", "groups", "rows"]
    cause: str
    advice: str = ""


def nested_estimators(estimator: Any) -> dict[str, Any]:
    """Return all estimators that are fitted with an estimator, by their names in ``get_params``.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    nested : dict of str to estimator
        With the estimator itself, under the empty name. Those that are not fitted again, in
        `FrozenEstimator` or with ``cv="prefit"``, are left out.
    """
    params = estimator.get_params(deep=True) if is_estimator(estimator) else {}
    nested = {"": estimator} | {name: part for name, part in params.items() if is_estimator(part)}
    fixed = [name for name, part in nested.items() if _is_fixed(part)]
    return {
        name: part
        for name, part in nested.items()
        if not isinstance(part, FrozenEstimator) and not set(fixed).intersection(ancestors(name))
    }


def ancestors(path: str) -> list[str]:
    """Return the names of the estimators that hold another one, the outermost first.

    Parameters
    ----------
    path : str
        A name in ``get_params``.

    Returns
    -------
    paths : list of str
        Some of them may be no estimators, if a name contains two underscores.
    """
    names = path.split("__")
    return ["__".join(names[:i]) for i in range(len(names))] if path else []


def is_estimator(value: Any) -> bool:
    """Return whether a value is an estimator, not a class of estimators."""
    return hasattr(value, "fit") and hasattr(value, "get_params") and not isinstance(value, type)


def takes_groups(estimator: Any) -> bool:
    """Return whether ``fit`` of an estimator has a parameter ``groups`` that can be requested."""
    if not hasattr(estimator, "set_fit_request"):
        return False
    return "groups" in inspect.signature(estimator.fit).parameters


def splitting_parts(estimator: Any, n_rows: int) -> list[SplittingPart]:
    """Return the parts of an estimator that split the rows they are fitted on.

    Parameters
    ----------
    estimator : estimator
    n_rows : int
        Number of rows that the estimator is fitted on.

    Returns
    -------
    parts : list of SplittingPart
        Also those that a search only finds among its candidates. Estimators that do not appear in
        ``get_params`` have the kind ``"rows"``.
    """
    nested = nested_estimators(estimator)
    named = list(estimator.get_params(deep=True).values()) if is_estimator(estimator) else []
    parts = {path: part for path in nested if (part := _part(path, nested[path], n_rows))}
    for path, owner in nested.items():
        grids = [name for name in GRIDS if name in _own(owner)]
        for candidate in candidates(owner):
            for part in _of_candidate(path, candidate, nested, n_rows):
                parts.setdefault(part.path, part)
        for name, value in _own(owner).items():
            if name not in grids:
                for hidden in _hidden(value, named):
                    parts |= _unreachable(f"{path}__{name}".lstrip("_"), hidden, n_rows)
    return list(parts.values())


def candidates(search: Any) -> Iterator[Any]:
    """Yield the candidates of a search that differ in whether and how they split their rows.

    Parameters
    ----------
    search : estimator
        Those without a ``param_grid`` or ``param_distributions`` have none.

    Yields
    ------
    candidate : estimator
        An unfitted clone. Combinations that the estimator refuses are left out.
    """
    own = _own(search)
    for grid in (own[name] for name in GRIDS if name in own):
        for entries in grid if isinstance(grid, (list, tuple)) else [grid]:
            decisive = decisive_entries(entries)
            for values in islice(product(*decisive.values()), _MOST_CANDIDATES if decisive else 0):
                chosen = dict(zip(decisive, values, strict=True))
                try:
                    yield clone(search.estimator).set_params(**chosen)
                except (ValueError, TypeError):
                    continue


def decisive_entries(entries: Any) -> dict[str, list[Any]]:
    """Return the lists of a grid that decide whether candidates split their rows."""
    if not isinstance(entries, Mapping):
        return {}
    return {
        name: list(values)
        for name, values in entries.items()
        if isinstance(values, (list, tuple))
        and (name.rpartition("__")[2] in _DECISIVE or any(map(is_estimator, values)))
    }


def _own(part: Any) -> dict[str, Any]:
    return dict(part.get_params(deep=False)) if is_estimator(part) else {}


def _is_fixed(part: Any) -> bool:
    if isinstance(part, FrozenEstimator):
        return True
    cv = _own(part).get("cv")
    return isinstance(cv, str) and cv == "prefit"


def _of_candidate(
    path: str, candidate: Any, nested: Mapping[str, Any], n_rows: int
) -> Iterator[SplittingPart]:
    """Yield the parts of a candidate; groups reach it where they reach the search's estimator."""
    prefix = f"{path}__estimator" if path else "estimator"
    for part in splitting_parts(candidate, n_rows):
        where = f"{prefix}__{part.path}" if part.path else prefix
        base = nested.get(where)
        reached = takes_groups(base) if part.kind == "groups" else "cv" in _own(base)
        kind = part.kind if reached else "rows"
        advice = part.advice or "Search this estimator separately."
        yield SplittingPart(where, part.estimator, kind, f"{part.cause}, a candidate", advice)


def _unreachable(name: str, estimator: Any, n_rows: int) -> dict[str, SplittingPart]:
    advice = "Pass it so that it is in get_params, as the estimators of scikit-learn do."
    return {
        f"{name}[{part.cause}]": SplittingPart(
            f"{name}[{part.cause}]", part.estimator, "rows", part.cause, part.advice or advice
        )
        for part in splitting_parts(estimator, n_rows)
    }


def _hidden(value: Any, named: list[Any], depth: int = 3) -> Iterator[Any]:
    """Yield estimators in lists and dicts that ``get_params`` does not name."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, (list, tuple)) or not depth:
        return
    for entry in value:
        if is_estimator(entry):
            if not any(entry is part for part in named):
                yield entry
        else:
            yield from _hidden(entry, named, depth - 1)


def _part(path: str, estimator: Any, n_rows: int) -> SplittingPart | None:
    own = _own(estimator)
    name = type(estimator).__name__
    if "cv" in own:
        return _of_cv(path, estimator, own["cv"])
    if takes_groups(estimator) and not _monitors(own):
        stops = [key for key in ("early_stopping", "train_split") if own.get(key)]
        cause = f"{name}({stops[0]}={own[stops[0]]!r:.40})" if stops else ""
        return SplittingPart(path, estimator, "groups", cause) if stops else None
    if own.get("validation_fraction", 0.1) is None:  # stops by the training loss
        return None
    if _stops_early(own, n_rows):
        off = "early_stopping=False"
        cause = f"{name}(early_stopping={own['early_stopping']!r})"
    elif "validation_fraction" in own and "early_stopping" not in own:
        if own.get("n_iter_no_change") is None:
            return None
        off, cause = "n_iter_no_change=None", f"{name}(n_iter_no_change=...)"
    elif _monitors(own):
        off, cause = "train_split=None", f"{name}(train_split=..., callbacks=...)"
    else:
        return None
    return SplittingPart(
        path, estimator, "rows", cause, f"Set {off}, or use {_EARLY_STOPPING_ADVICE}."
    )


def _of_cv(path: str, estimator: Any, cv: Any) -> SplittingPart | None:
    if _is_fixed(estimator) or (
        cv is None and isinstance(estimator, (ClassifierChain, RegressorChain))
    ):
        return None
    if isinstance(cv, str):  # a protocol, which searches of skeeg check themselves
        return None
    cause = f"{type(estimator).__name__}(cv={cv!r:.80})"
    advice = "Pass an integer or TrialKFold as its cv."
    try:
        check_cv(cv)
    except ValueError:  # such as a proportion
        return SplittingPart(path, estimator, "rows", cause, advice)
    return SplittingPart(path, estimator, "cv", cause, advice)


def _stops_early(own: Mapping[str, Any], n_rows: int) -> bool:
    """Return whether ``early_stopping`` sets rows aside, as scikit-learn decides."""
    stops = own.get("early_stopping", False)
    if isinstance(stops, str) and stops == "auto":
        return n_rows > _AUTO_ROWS
    # The solver 'lbfgs' of multilayer perceptrons ignores early stopping.
    return bool(stops) and own.get("solver") != "lbfgs"


def _monitors(own: Mapping[str, Any]) -> bool:
    """Return whether callbacks of skorch choose the epoch by a part that skorch sets aside."""
    split: Any = own.get("train_split")
    if not hasattr(split, "stratified") or isinstance(split.cv, GroupsConsumerMixin):
        return False
    callbacks = own.get("callbacks")
    entries = callbacks if isinstance(callbacks, (list, tuple)) else []
    chosen = [entry[1] if isinstance(entry, tuple) else entry for entry in entries]
    kinds = {entry if isinstance(entry, type) else type(entry) for entry in chosen}
    names = {base.__name__ for kind in kinds for base in kind.__mro__}
    return bool(names & {"EarlyStopping", "Checkpoint"})
