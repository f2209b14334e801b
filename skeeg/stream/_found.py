"""What a fitted estimator knows of the trials that it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.pipeline import Pipeline

from .._checks import did_you_mean
from ..alignment._base import Alignment


def found_in(estimator: Any, name: str) -> Any:
    """Return an attribute of a fitted estimator, or of the first step inside that sees trials.

    Parameters
    ----------
    estimator : object
        An estimator, a pipeline, a search, an ensemble, or one in another.
    name : str
        Such as ``"sfreq_"``.

    Returns
    -------
    value : object
        None where the attribute is absent.
    """
    seen: list[Any] = []
    while estimator is not None and not any(estimator is other for other in seen):
        seen.append(estimator)
        value = getattr(estimator, name, None)
        if value is not None:
            return value
        estimator = _inner(estimator)
    return None


def _inner(estimator: Any) -> Any:
    """Return what gets the trials inside of an estimator."""
    if isinstance(estimator, Pipeline):
        steps = [step for _, step in estimator.steps if step not in (None, "passthrough")]
        return steps[0] if steps else None
    for attribute in ("best_estimator_", "estimator_", "estimators_", "calibrated_classifiers_"):
        inner = getattr(estimator, attribute, None)
        if inner is not None:
            return inner[0] if isinstance(inner, list) and inner else inner
    return getattr(estimator, "estimator", None)


def without_recursive_alignment(estimator: Any) -> tuple[Any, Alignment | None]:
    """Return a pipeline without a recursive alignment at its beginning, and the alignment.

    In ``predict``, a pipeline aligns the trials of one call by each other. A decoder calls it with
    one window at a time, so it must carry the alignment itself.

    Parameters
    ----------
    estimator : object

    Returns
    -------
    estimator, alignment : object, Alignment or None

    Raises
    ------
    ValueError
        If the alignment needs several trials of a new domain in one call, or is not the first step.
    """
    estimator = getattr(estimator, "best_estimator_", estimator)
    if not isinstance(estimator, Pipeline):
        return estimator, None
    first, *others = [step for _, step in estimator.steps]
    if any(_aligns(step) for step in others):
        raise ValueError(
            "An alignment in a pipeline must be its first step to process single windows."
        )
    if isinstance(first, Pipeline) and _aligns(first):
        raise ValueError(
            "The alignment is in a pipeline within a pipeline. Make one pipeline of all steps."
        )
    if not isinstance(first, Alignment):
        return estimator, None
    if first.new_domains != "recursive":
        raise ValueError(
            f"The pipeline begins with {type(first).__name__}(new_domains={first.new_domains!r}), "
            "which needs several trials of a recording at once. Set new_domains='recursive' on "
            "this step; it need not be fitted again."
        )
    return estimator[1:], first


def _aligns(step: Any) -> bool:
    if isinstance(step, Pipeline):
        return any(_aligns(inner) for _, inner in step.steps)
    return isinstance(step, Alignment)


def picks_of(wanted: Sequence[str], ch_names: Sequence[str]) -> list[int]:
    """Return where channels are among others.

    Parameters
    ----------
    wanted, ch_names : sequence of str
        Names of channels that are needed, and of those that there are.

    Returns
    -------
    picks : list of int

    Raises
    ------
    ValueError
        If a channel is absent.
    """
    absent = [name for name in wanted if name not in ch_names]
    if absent:
        raise ValueError(
            f"The signal lacks {len(absent)} of the {len(wanted)} channels of the decoder: "
            f"{', '.join(absent[:10])}. It has {', '.join(list(ch_names)[:80])}."
            f"{did_you_mean(absent[0], ch_names)} Rename its channels, or record the others."
        )
    return [list(ch_names).index(name) for name in wanted]
