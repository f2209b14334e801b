"""The metrics that a comparison reports, computed from class codes and class scores."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, cohen_kappa_score, recall_score, roc_auc_score

from ..model_selection.folds import Fold

Codes = NDArray[np.intp]
ClassScores = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """A way to score the predictions of one fold.

    Parameters
    ----------
    label : str
        For figures and tables.
    compute : callable
        Takes true codes, predicted codes and the class scores; gives a float.
    lower, upper : float
        The range of its values.
    """

    label: str
    compute: Callable[[Codes, Codes, ClassScores | None], float]
    lower: float = 0.0
    upper: float = 1.0


def accuracy(true: Codes, predicted: Codes, scores: ClassScores | None = None) -> float:
    """Return the share of trials whose class is predicted."""
    return float(accuracy_score(true, predicted))


def balanced_accuracy(true: Codes, predicted: Codes, scores: ClassScores | None = None) -> float:
    """Return the recall averaged over the classes that were tested."""
    return float(recall_score(true, predicted, labels=np.unique(true), average="macro"))


def kappa(true: Codes, predicted: Codes, scores: ClassScores | None = None) -> float:
    """Return Cohen's kappa; NaN where one class is all that was tested and predicted."""
    if len(np.union1d(true, predicted)) < 2:
        return float("nan")
    return float(cohen_kappa_score(true, predicted))


def roc_auc(true: Codes, predicted: Codes, scores: ClassScores | None = None) -> float:
    """Return the area under the ROC curve, with several classes one against the rest.

    The areas of several classes are averaged with the classes' frequencies as weights.

    Parameters
    ----------
    true, predicted : ndarray of int, shape (n_trials,)
        Class codes.
    scores : ndarray, shape (n_trials, n_classes), optional
        Probabilities or decision values.

    Returns
    -------
    area : float
        NaN without scores, and where a class was not tested.
    """
    if scores is None or len(np.unique(true)) < scores.shape[1]:
        return float("nan")
    if scores.shape[1] == 2:
        return float(roc_auc_score(true, scores[:, 1]))
    indicators = true[:, None] == np.arange(scores.shape[1])
    return float(roc_auc_score(indicators, scores, average="weighted"))


#: The metrics that `skeeg.compare` knows by name.
METRICS: dict[str, Metric] = {
    "accuracy": Metric("Accuracy", accuracy),
    "balanced_accuracy": Metric("Balanced accuracy", balanced_accuracy),
    "roc_auc": Metric("ROC AUC", roc_auc),
    "kappa": Metric("Cohen's kappa", kappa, lower=-1.0),
}


def check_metrics(names: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names as a tuple, having checked that each is a metric.

    Parameters
    ----------
    names : str or sequence of str

    Returns
    -------
    names : tuple of str

    Raises
    ------
    ValueError
        If there is none, or one is unknown; it offers the nearest.
    """
    names = (names,) if isinstance(names, str) else tuple(dict.fromkeys(names))
    if not names:
        raise ValueError(f"metrics must name at least one of {', '.join(METRICS)}.")
    for name in names:
        if name not in METRICS:
            near = difflib.get_close_matches(str(name), METRICS, n=1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"Unknown metric {name!r}.{meant} There are {', '.join(METRICS)}.")
    return names


def warn_of_undefined(
    metrics: Sequence[str], y: NDArray[np.generic], folds: Sequence[Fold]
) -> None:
    """Warn of folds whose ROC AUC will be NaN because a class is not tested.

    Parameters
    ----------
    metrics : sequence of str
    y : ndarray, shape (n_trials,)
    folds : sequence of Fold
    """
    n_classes = len(np.unique(y))
    partial = [fold.name for fold in folds if len(np.unique(y[fold.test])) < n_classes]
    if partial and "roc_auc" in metrics:
        shown = ", ".join(repr(name) for name in partial[:3]) + (", ..." if partial[3:] else "")
        warnings.warn(
            f"ROC AUC is undefined (NaN) in {len(partial)} of {len(folds)} folds, whose test part "
            f"lacks a class: {shown}.",
            UserWarning,
            stacklevel=3,
        )
