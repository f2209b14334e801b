"""Checks of the parameters of a decoder against what the estimator knows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from .._checks import check_positive
from ..alignment._base import Alignment
from ._found import found_in, picks_of


def rate_of(estimator: Any, sfreq: float | None) -> float:
    """Return the sampling rate; an error if it is unknown or not that of the training data."""
    known = found_in(estimator, "sfreq_")
    if sfreq is None and known is None:
        raise ValueError(
            "sfreq is needed: the estimator does not know the sampling rate of its training data."
        )
    rate = check_positive("sfreq", known if sfreq is None else sfreq, "Hz")
    if known is not None and not math.isclose(rate, known, rel_tol=1e-6):
        raise ValueError(
            f"The signal has {rate:g} Hz, and the estimator was trained at {known:g} Hz. A decoder "
            "does not resample: record at that rate, or train on trials of the other rate."
        )
    return rate


def classes_of(estimator: Any) -> NDArray[Any]:
    """Return the class labels of a classifier; an error for other estimators."""
    if not hasattr(estimator, "classes_"):
        raise ValueError(
            "estimator must be a classifier with classes_, or a regressor; got "
            f"{type(estimator).__name__}."
        )
    return np.asarray(estimator.classes_)


def whole_samples(name: str, seconds: float, sfreq: float) -> int:
    """Return a time in samples, rounded; an error if that is none."""
    n_samples = round(check_positive(name, seconds, "seconds") * sfreq)
    if n_samples < 1:
        raise ValueError(
            f"{name} must be at least one sample, {1 / sfreq:g} s at {sfreq:g} Hz; got {seconds!r}."
        )
    return n_samples


def distinct_names(ch_names: Sequence[str]) -> tuple[str, ...]:
    """Return names of channels as a tuple; an error if one is there twice."""
    names = (ch_names,) if isinstance(ch_names, str) else tuple(ch_names)
    if isinstance(ch_names, str) or not names or len(set(names)) < len(names):
        raise ValueError(
            f"ch_names must be a sequence of different names of channels; got {ch_names!r}."
        )
    return names


def rows_of_chunk(
    ch_names: tuple[str, ...] | None, wanted: tuple[str, ...] | None, n_wanted: int | None
) -> list[int] | None:
    """Return the rows of a chunk that the estimator needs, or None for all as they are."""
    if ch_names is None or ch_names == wanted:
        return None
    if wanted is not None:
        return picks_of(wanted, ch_names)
    if n_wanted not in (None, len(ch_names)):
        raise ValueError(
            f"ch_names has {len(ch_names)} names, and the estimator was trained on {n_wanted} "
            "channels without names, so that they cannot be selected by name."
        )
    return None


def checked_alignment(given: Alignment | None, own: Alignment | None) -> Alignment | None:
    """Return the alignment given or that of the pipeline; an error if it is not usable."""
    if given is None:
        return own
    if own is not None:
        raise ValueError(
            "The pipeline begins with an alignment already; leave out the parameter alignment."
        )
    if not isinstance(given, Alignment):
        raise ValueError(
            f"alignment must be an EuclideanAlignment or a RiemannianAlignment; got {given!r}."
        )
    check_is_fitted(given)
    if given.new_domains != "recursive":
        raise ValueError(
            f"alignment must have new_domains='recursive', got {given.new_domains!r}: the other "
            "ways need several trials of the recording at once."
        )
    return given
