"""The built-in metrics of a comparison, computed from encoded targets and predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    cohen_kappa_score,
    r2_score,
    recall_score,
    roc_auc_score,
)

Codes = NDArray[np.intp]
ClassScores = NDArray[np.float64]
Targets = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """A metric of the predictions in a fold.

    Parameters
    ----------
    label : str
        Name in figures and tables.
    compute : callable
        Function of true targets, predicted targets and class scores that returns a float. The
        targets of a classification are class codes, those of a regression float64.
    lower, upper : float
        Range of the values.
    greater_is_better : bool
        Whether a greater value is better.
    """

    label: str
    compute: Callable[[NDArray[Any], NDArray[Any], ClassScores | None], float]
    lower: float = 0.0
    upper: float = 1.0
    greater_is_better: bool = True


def accuracy(true: Codes, predicted: Codes, scores: ClassScores | None = None) -> float:
    """Return the proportion of trials whose class is predicted correctly."""
    return float(accuracy_score(true, predicted))


def balanced_accuracy(true: Codes, predicted: Codes, scores: ClassScores | None = None) -> float:
    """Return the mean recall of the classes in the test part."""
    return float(recall_score(true, predicted, labels=np.unique(true), average="macro"))


def kappa(true: Codes, predicted: Codes, scores: ClassScores | None = None) -> float:
    """Return Cohen's kappa; NaN if all true and predicted labels are the same class."""
    if len(np.union1d(true, predicted)) < 2:
        return float("nan")
    return float(cohen_kappa_score(true, predicted))


def roc_auc(true: Codes, predicted: Codes, scores: ClassScores | None = None) -> float:
    """Return the area under the ROC curve; for several classes, one versus the rest.

    The areas of several classes are averaged, weighted by the frequencies of the classes.

    Parameters
    ----------
    true, predicted : ndarray of int, shape (n_trials,)
        Class codes.
    scores : ndarray, shape (n_trials, n_classes), optional
        Probabilities or decision values.

    Returns
    -------
    area : float
        NaN without scores, and if a class is missing in the test part.
    """
    if scores is None or len(np.unique(true)) < scores.shape[1]:
        return float("nan")
    if scores.shape[1] == 2:
        return float(roc_auc_score(true, scores[:, 1]))
    indicators = true[:, None] == np.arange(scores.shape[1])
    return float(roc_auc_score(indicators, scores, average="weighted"))


def r2(true: Targets, predicted: Targets, scores: ClassScores | None = None) -> float:
    """Return the coefficient of determination; NaN if all true targets are equal."""
    if np.ptp(true) == 0:
        return float("nan")
    return float(r2_score(true, predicted))


def mean_absolute_error(
    true: Targets, predicted: Targets, scores: ClassScores | None = None
) -> float:
    """Return the mean absolute error, in the unit of the target."""
    return float(np.mean(np.abs(true - predicted)))


def pearson(true: Targets, predicted: Targets, scores: ClassScores | None = None) -> float:
    """Return Pearson's correlation; NaN if all true or all predicted targets are equal."""
    if np.ptp(true) == 0 or np.ptp(predicted) == 0:
        return float("nan")
    return float(np.corrcoef(true, predicted)[0, 1])


#: Built-in metrics of `skeeg.compare`, for classification and regression.
METRICS: dict[str, Metric] = {
    "accuracy": Metric("Accuracy", accuracy),
    "balanced_accuracy": Metric("Balanced accuracy", balanced_accuracy),
    "roc_auc": Metric("ROC AUC", roc_auc),
    "kappa": Metric("Cohen's kappa", kappa, lower=-1.0),
    "r2": Metric("R²", r2, lower=-np.inf),
    "mean_absolute_error": Metric(
        "Mean absolute error", mean_absolute_error, upper=np.inf, greater_is_better=False
    ),
    "pearson": Metric("Pearson's correlation", pearson, lower=-1.0),
}
