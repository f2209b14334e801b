"""Tasks of a comparison: targets, predictions, chance and figures of either kind."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier, is_regressor

from .._labelled import LabelledRows, is_continuous
from ..model_selection.folds import Fold, trial_codes
from .metrics import METRICS
from .statistics import Chance, chance_levels

#: Classes are unequal if the most frequent one has more than this many times its equal share.
_UNEQUAL = 1.05


class Task(ABC):
    """Task of the estimators in a comparison.

    It has everything that differs between classification and regression. The rest of the package
    uses only these attributes and methods.

    Parameters
    ----------
    y : ndarray, shape (n_rows,)
        The targets of the data.

    Raises
    ------
    ValueError
        If the targets are invalid for this task.
    """

    #: Name of the task in `About.task`.
    name: ClassVar[str]
    #: Built-in metrics; the first is the main one.
    metrics: ClassVar[tuple[str, ...]]
    #: Whether targets are continuous, so that folds are not stratified.
    continuous: ClassVar[bool]
    #: Figure of each estimator in `Comparison.figures`; the method is ``plot_<figure>``.
    figure: ClassVar[str]
    #: Label of the loss of a network in figures.
    loss_label: ClassVar[str]
    #: The score that networks record beside their loss: ``train_<score>``, ``valid_<score>``.
    recorded_score: ClassVar[str]
    #: Definition of chance, for the report.
    chance_note: ClassVar[str] = ""

    #: The sorted labels; empty for a regression.
    classes: NDArray[Any]

    @property
    def curves(self) -> tuple[str, ...]:
        """Columns of a network's history that are kept."""
        names = ("loss", self.recorded_score)
        return tuple(f"{part}_{name}" for part in ("train", "valid") for name in names)

    @abstractmethod
    def encode(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return targets encoded for the metrics.

        Parameters
        ----------
        y : ndarray, shape (n_rows,)

        Returns
        -------
        encoded : ndarray, shape (n_rows,)
        """

    @abstractmethod
    def decode(self, encoded: NDArray[Any]) -> NDArray[Any]:
        """Return predictions for the tables.

        Parameters
        ----------
        encoded : ndarray, shape (n_rows,)

        Returns
        -------
        predicted : ndarray, shape (n_rows,)
        """

    @abstractmethod
    def check_predictions(self, predicted: Any, n_test: int) -> NDArray[Any]:
        """Return the encoded predictions of an estimator, after checking them.

        Parameters
        ----------
        predicted : array-like, shape (n_test,)
        n_test : int

        Returns
        -------
        encoded : ndarray, shape (n_test,)

        Raises
        ------
        ValueError
            If it is not a prediction of this task.
        """

    @abstractmethod
    def class_scores(self, estimator: Any, X: LabelledRows) -> tuple[NDArray[Any] | None, str]:
        """Return a score for each trial and class, and its kind.

        Parameters
        ----------
        estimator : fitted estimator
        X : EEGData or FeatureTable

        Returns
        -------
        scores : ndarray, shape (n_trials, n_classes), or None
            Columns in the order of `classes`; None if the estimator has no such scores.
        kind : {"proba", "decision", "none"}

        Raises
        ------
        ValueError
            If the values are not finite or have another shape.
        """

    @abstractmethod
    def restore(self, predicted: Sequence[Any], n_test: int) -> NDArray[Any]:
        """Return encoded predictions from a file.

        Parameters
        ----------
        predicted : sequence
        n_test : int

        Returns
        -------
        encoded : ndarray, shape (n_test,)

        Raises
        ------
        ValueError
            If they are invalid for the fold.
        """

    @abstractmethod
    def chance(self, data: LabelledRows, folds: Sequence[Fold]) -> dict[str, Chance]:
        """Return the chance level of each built-in metric.

        Parameters
        ----------
        data : EEGData or FeatureTable
        folds : sequence of Fold

        Returns
        -------
        chance : dict of str to Chance
        """

    @abstractmethod
    def describe(self, y: NDArray[Any]) -> dict[str, Any]:
        """Return a description of the targets, in plain numbers.

        Parameters
        ----------
        y : ndarray, shape (n_rows,)

        Returns
        -------
        description : dict
        """

    @abstractmethod
    def undefined(
        self, y: NDArray[Any], folds: Sequence[Fold]
    ) -> tuple[tuple[str, ...], list[str], str]:
        """Return metrics that are undefined in some folds for any estimator.

        Parameters
        ----------
        y : ndarray, shape (n_rows,)
        folds : sequence of Fold

        Returns
        -------
        metrics : tuple of str
            Metrics that are undefined in these folds.
        names : list of str
            Names of the folds; empty if there are none.
        reason : str
            Property of their test parts, for messages.
        """

    def default_metrics(
        self, y: NDArray[Any], folds: Sequence[Fold], estimators: Iterable[Any]
    ) -> tuple[str, ...]:
        """Return the metrics of a comparison for which none were passed, the main one first.

        Parameters
        ----------
        y : ndarray, shape (n_rows,)
        folds : sequence of Fold
        estimators : iterable of estimator

        Returns
        -------
        metrics : tuple of str
        """
        return self.metrics

    def warn_of_undefined(
        self, metrics: Sequence[str], y: NDArray[Any], folds: Sequence[Fold]
    ) -> None:
        """Warn about folds in which a metric will be NaN.

        Parameters
        ----------
        metrics : sequence of str
            The built-in metrics of the comparison.
        y : ndarray, shape (n_rows,)
        folds : sequence of Fold
        """
        undefined, names, reason = self.undefined(y, folds)
        labels = [METRICS[metric].label for metric in undefined if metric in metrics]
        if names and labels:
            shown = ", ".join(repr(name) for name in names[:3]) + (", ..." if names[3:] else "")
            warnings.warn(
                f"{' and '.join(labels)} {'is' if len(labels) == 1 else 'are'} undefined (NaN) in "
                f"{len(names)} of {len(folds)} folds, whose test part {reason}: {shown}.",
                UserWarning,
                stacklevel=3,
            )


class Classification(Task):
    """Classification; classes are encoded as their index in the sorted labels."""

    name = "classification"
    metrics = ("accuracy", "balanced_accuracy", "roc_auc", "kappa")
    continuous = False
    figure = "confusion"
    loss_label = "Loss (nats)"
    recorded_score = "acc"

    def __init__(self, y: NDArray[Any]) -> None:
        if len({type(label) for label in y.tolist()}) > 1:
            raise ValueError("The labels mix types; make them all strings or all numbers.")
        self.classes = np.unique(y)
        if len(self.classes) < 2:
            raise ValueError(
                f"data has one class only, {y.tolist()[0]!r}: there is nothing to decode."
            )

    def encode(self, y: NDArray[Any]) -> NDArray[np.intp]:
        """Return the code of each label."""
        return np.searchsorted(self.classes, y)

    def decode(self, encoded: NDArray[Any]) -> NDArray[Any]:
        """Return the label of each code."""
        return self.classes[encoded]

    def check_predictions(self, predicted: Any, n_test: int) -> NDArray[np.intp]:
        """Return the codes of predicted labels, or raise if one is not a class."""
        predicted = np.asarray(predicted)
        if predicted.shape != (n_test,):
            raise ValueError(f"it predicted shape {predicted.shape} for {n_test} trials.")
        unknown = ~np.isin(predicted, self.classes)
        if unknown.any():
            raise ValueError(
                f"it predicted {predicted[unknown].tolist()[0]!r}, which is none of the classes "
                f"{self.classes.tolist()}. To compare regressors, pass estimators for which "
                "sklearn.base.is_regressor is true."
            )
        return self.encode(predicted)

    def class_scores(
        self, estimator: Any, X: LabelledRows
    ) -> tuple[NDArray[np.float64] | None, str]:
        """Return probabilities or decision values, sorted by class.

        The decision value of two classes is that of the second class, and its negative that of the
        first.
        """
        n_classes = len(self.classes)
        if hasattr(estimator, "predict_proba"):
            values, kind = np.asarray(estimator.predict_proba(X), dtype=float), "proba"
        elif hasattr(estimator, "decision_function"):
            values, kind = np.asarray(estimator.decision_function(X), dtype=float), "decision"
            if n_classes == 2 and values.size == len(X):
                values = np.column_stack([-values.ravel(), values.ravel()])
        else:
            return None, "none"
        if values.shape != (len(X), n_classes):
            raise ValueError(
                f"its scores have shape {values.shape} for {len(X)} trials of {n_classes} classes; "
                "only one value for each trial and class can be evaluated."
            )
        if not np.isfinite(values).all():
            raise ValueError("its probabilities or decision values are not finite: it diverged.")
        order = np.argsort(np.asarray(getattr(estimator, "classes_", self.classes)))
        return values[:, order], kind

    def restore(self, predicted: Sequence[Any], n_test: int) -> NDArray[np.intp]:
        """Return codes, or raise if one is not the code of a class."""
        codes = np.array(predicted, dtype=np.intp)
        if codes.shape != (n_test,) or not np.isin(codes, np.arange(len(self.classes))).all():
            raise ValueError("its predictions do not fit the fold")
        return codes

    def chance(self, data: LabelledRows, folds: Sequence[Fold]) -> dict[str, Chance]:
        """Return the chance levels; windows of one trial count once."""
        tested = np.unique(np.concatenate([fold.test for fold in folds]))
        return chance_levels(data.y[tested], len(np.unique(trial_codes(data)[tested])))

    def describe(self, y: NDArray[Any]) -> dict[str, Any]:
        """Return the number of trials of each class."""
        labels, counts = np.unique(y, return_counts=True)
        return {"n_per_class": {str(k): int(n) for k, n in zip(labels, counts, strict=True)}}

    def default_metrics(
        self, y: NDArray[Any], folds: Sequence[Fold], estimators: Iterable[Any]
    ) -> tuple[str, ...]:
        """Return the metrics, first one that does not reward guessing the most frequent class.

        With classes of equal frequency it is the accuracy. Otherwise it is the area under the ROC
        curve for two classes, if it is defined in all folds and for all estimators, or else the
        balanced accuracy.
        """
        counts = np.bincount(self.encode(y[np.concatenate([fold.test for fold in folds])]))
        if counts.max() <= _UNEQUAL * counts.mean():
            return self.metrics
        main = "balanced_accuracy"
        if len(self.classes) == 2 and not self.undefined(y, folds)[1]:
            scored = ("predict_proba", "decision_function")
            if all(any(hasattr(e, name) for name in scored) for e in estimators):
                main = "roc_auc"
        return (main, *(name for name in self.metrics if name != main))

    def undefined(
        self, y: NDArray[Any], folds: Sequence[Fold]
    ) -> tuple[tuple[str, ...], list[str], str]:
        """Return the folds whose test part lacks a class, for which ROC AUC is undefined."""
        partial = [f.name for f in folds if len(np.unique(y[f.test])) < len(self.classes)]
        return ("roc_auc",), partial, "lacks a class"


class Regression(Task):
    """Regression, with targets as float64."""

    name = "regression"
    metrics = ("r2", "mean_absolute_error", "pearson")
    continuous = True
    figure = "predictions"
    loss_label = "Loss"
    recorded_score = "mae"
    chance_note = (
        "Chance: the mean of the training targets as the prediction for every trial (for a "
        "correlation, 0)."
    )

    def __init__(self, y: NDArray[Any]) -> None:
        if y.dtype.kind not in "fiu":
            raise ValueError(
                f"The targets of regressors must be numbers, got y of dtype {y.dtype} with "
                f"{y.tolist()[0]!r} first. To predict labels, compare classifiers."
            )
        infinite = ~np.isfinite(y)
        if infinite.any():
            raise ValueError(f"The target of trial {int(infinite.argmax())} is not finite.")
        if np.ptp(y) == 0:
            raise ValueError(f"All targets are {y.tolist()[0]!r}: there is nothing to decode.")
        self.classes = np.empty(0, dtype=object)

    def encode(self, y: NDArray[Any]) -> NDArray[np.float64]:
        """Return the targets as float64."""
        return y.astype(np.float64)

    def decode(self, encoded: NDArray[Any]) -> NDArray[Any]:
        """Return the predictions unchanged."""
        return encoded

    def check_predictions(self, predicted: Any, n_test: int) -> NDArray[np.float64]:
        """Return finite predictions, one for each trial; a single column is accepted."""
        values = np.asarray(predicted)
        if values.dtype.kind not in "fiu":
            raise ValueError(f"it predicted dtype {values.dtype}; a regressor predicts numbers.")
        if values.shape not in ((n_test,), (n_test, 1)):
            raise ValueError(f"it predicted shape {values.shape} for {n_test} trials.")
        if not np.isfinite(values).all():
            raise ValueError("its predictions are not finite: it diverged.")
        return values.ravel().astype(np.float64)

    def class_scores(self, estimator: Any, X: LabelledRows) -> tuple[None, str]:
        """Return None, because there are no classes."""
        return None, "none"

    def restore(self, predicted: Sequence[Any], n_test: int) -> NDArray[np.float64]:
        """Return predictions, or raise if one is not finite."""
        values = np.array(predicted, dtype=np.float64)
        if values.shape != (n_test,) or not np.isfinite(values).all():
            raise ValueError("its predictions do not fit the fold")
        return values

    def chance(self, data: LabelledRows, folds: Sequence[Fold]) -> dict[str, Chance]:
        """Return the mean over folds of the metrics for predicting the mean training target.

        This prediction is constant, so the chance level of the correlation is 0.
        """
        y = self.encode(data.y)
        values = {
            name: [
                METRICS[name].compute(y[f.test], np.full(len(f.test), y[f.train].mean()), None)
                for f in folds
            ]
            for name in ("r2", "mean_absolute_error")
        }
        levels = {
            name: Chance(float(np.nanmean(of_folds)) if np.isfinite(of_folds).any() else 0.0)
            for name, of_folds in values.items()
        }
        return levels | {"pearson": Chance(0.0)}

    def describe(self, y: NDArray[Any]) -> dict[str, Any]:
        """Return mean, standard deviation and range of the targets."""
        values = self.encode(y)
        found = {
            "mean": values.mean(),
            "std": values.std(),
            "min": values.min(),
            "max": values.max(),
        }
        return {"target": {name: float(f"{value:.6g}") for name, value in found.items()}}

    def undefined(
        self, y: NDArray[Any], folds: Sequence[Fold]
    ) -> tuple[tuple[str, ...], list[str], str]:
        """Return the folds whose test targets are constant."""
        constant = [fold.name for fold in folds if np.ptp(y[fold.test]) == 0]
        return ("r2", "pearson"), constant, "has one target value only"


#: The tasks by name.
TASKS: dict[str, type[Task]] = {task.name: task for task in (Classification, Regression)}


def choose_task(estimators: Mapping[str, Any], y: NDArray[Any]) -> Task:
    """Return the task for estimators and targets.

    It is a regression if the targets are continuous or the estimators are regressors (integer
    targets can belong to either task), otherwise a classification.

    Parameters
    ----------
    estimators : mapping of str to estimator
    y : ndarray, shape (n_rows,)

    Returns
    -------
    task : Task

    Raises
    ------
    ValueError
        If classifiers and regressors are mixed, the targets of classifiers are continuous, or the
        targets are invalid for the task.
    """
    classifiers = [name for name, estimator in estimators.items() if _is(is_classifier, estimator)]
    regressors = [name for name, estimator in estimators.items() if _is(is_regressor, estimator)]
    if classifiers and regressors:
        raise ValueError(
            f"Classifiers ({_listed(classifiers)}) and regressors ({_listed(regressors)}) cannot "
            "be compared with each other: compare them in separate calls."
        )
    continuous = is_continuous(y)
    if classifiers and continuous:
        raise ValueError(
            f"The targets are continuous ({y.tolist()[0]!r} is the first), and "
            f"{_listed(classifiers)} predict classes. Pass regressors, such as "
            "skeeg.baselines.band_power_ridge, or convert the targets to classes."
        )
    return Regression(y) if regressors or continuous else Classification(y)


def _is(kind: Any, estimator: Any) -> bool:
    try:
        return bool(kind(estimator))
    except (AttributeError, TypeError):  # an estimator without scikit-learn's tags
        return False


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:5]) + (", ..." if names[5:] else "")
