"""Base class of all network classifiers."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedShuffleSplit
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from skorch import NeuralNetClassifier

from .._parameters import parameter
from .._validation import check_labels
from ._hooks import uncompiled
from .base import NetworkEstimator


class NetworkClassifier(NetworkEstimator, NeuralNetClassifier):
    """Base class of all network classifiers.

    It is a ``skorch.NeuralNetClassifier`` that follows scikit-learn's conventions.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The class labels, in the order of the columns of ``predict_proba``.
    """

    recorded_score: ClassVar[str] = "acc"
    _score_is_loss: ClassVar[bool] = False

    class_weight: dict[Any, float] | str | None = parameter(
        default=None,
        kind='dict, "balanced" or None',
        doc="Weights of the classes in the loss, as in scikit-learn.",
    )

    @property
    def classes_(self) -> NDArray[Any]:
        """The class labels, in the order of the columns of ``predict_proba``."""
        try:
            return self.classes_inferred_
        except AttributeError:
            raise AttributeError(
                f"{type(self).__name__} has no classes_ before it is fitted."
            ) from None

    def _check_targets(self, y: Any) -> NDArray[Any]:
        return check_labels(y, name=type(self).__name__)

    def _learn_targets(self, y: NDArray[Any], classes: Any) -> None:
        known = np.unique(y if classes is None else column_or_1d(classes))
        if len(known) < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least two classes in y, got one class: "
                f"{known.tolist()[0]!r}."
            )
        self.classes_inferred_ = known

    def _encode(self, y: NDArray[Any]) -> NDArray[Any]:
        unseen = np.setdiff1d(y, self.classes_)
        if len(unseen):
            raise ValueError(
                f"y has labels {unseen.tolist()} that are not among the classes of this "
                f"{type(self).__name__}: {self.classes_.tolist()}. Pass all classes to the first "
                "partial_fit, or fit again."
            )
        return np.searchsorted(self.classes_, y).astype(np.int64)

    def _decode(self, output: NDArray[np.float32]) -> NDArray[Any]:
        return self.classes_[output.argmax(axis=1)]

    def _decode_encoded(self, predicted: NDArray[np.float32]) -> NDArray[Any]:
        return predicted.argmax(axis=1)

    def _n_outputs(self) -> int | None:
        return len(self.classes_) if hasattr(self, "classes_inferred_") else None

    def _default_criterion(self) -> Any:
        return torch.nn.CrossEntropyLoss

    def _loss_input(self, output: torch.Tensor) -> torch.Tensor:
        # log_softmax does not change log-probabilities, so networks may return these or logits.
        is_nll = isinstance(uncompiled(self.criterion_), torch.nn.NLLLoss)
        return torch.log_softmax(output, dim=1) if is_nll else output

    def _to_prediction(self, output: torch.Tensor) -> torch.Tensor:
        return self._get_predict_nonlinearity()(output)

    def _get_predict_nonlinearity(self) -> Any:
        # The network returns logits or log-probabilities for any criterion.
        if isinstance(self.predict_nonlinearity, str) and self.predict_nonlinearity == "auto":
            return _softmax
        return super()._get_predict_nonlinearity()

    def _learn_weights(
        self, y: NDArray[Any], encoded: NDArray[Any], sample_weight: NDArray[np.float64] | None
    ) -> None:
        self._class_weights = None
        if self.class_weight is None:
            return
        is_balanced = isinstance(self.class_weight, str) and self.class_weight == "balanced"
        if not is_balanced and not isinstance(self.class_weight, dict):
            raise ValueError(
                'class_weight must be a dict of weights by class label, "balanced" or None, got '
                f"{self.class_weight!r}."
            )
        weight = compute_sample_weight(self.class_weight, y)
        if weight.min() < 0 or not weight.max() > 0:
            raise ValueError(
                "class_weight must not be negative, nor zero for all classes in y, got "
                f"{self.class_weight!r}."
            )
        by_class = np.ones(len(self.classes_))
        by_class[encoded] = weight / np.average(weight, weights=sample_weight)
        self._class_weights = torch.from_numpy(by_class.astype(np.float32))

    def _score_sum(self, output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        best = output.argmax(dim=1)
        if y.is_floating_point() and y.ndim == 2:  # probabilities of the classes
            return y.gather(1, best[:, None]).sum()
        return (best == y).sum()

    def _validation_split(
        self, y: NDArray[Any], groups: NDArray[Any] | None, seed: int
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return a split that is stratified by class and keeps groups together."""
        if groups is None:
            try:
                split = StratifiedShuffleSplit(
                    1, test_size=self.validation_fraction, random_state=seed
                )
                return next(split.split(y, y))
            except ValueError as error:
                raise ValueError(
                    f"early_stopping needs a validation split of {self.validation_fraction:g} of "
                    f"the {len(y)} trials with every class on both sides: {error} "
                    "Use more trials, another validation_fraction, or early_stopping=False."
                ) from error
        n_groups = len(np.unique(groups))
        n_splits = min(max(2, round(1 / self.validation_fraction)), n_groups)
        if n_groups >= 2:
            folds = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed)
            n_classes = len(np.unique(y))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # a class rarer than n_splits
                for train, valid in folds.split(y, y, groups):
                    if len(valid) and len(np.unique(y[train])) == n_classes:
                        return train, valid
        raise ValueError(
            f"early_stopping cannot split {n_groups} groups into training and validation without "
            "dividing a group or losing a class from training. Use more groups, or "
            "early_stopping=False."
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # scikit-learn's checks use blobs of points, which have no oscillations to filter.
        tags.classifier_tags.poor_score = True
        return tags

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the probability of each class, the softmax of the network's output.

        Parameters
        ----------
        X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
            As in `predict`.

        Returns
        -------
        proba : ndarray of float32, shape (n_trials, n_classes)
            Columns in the order of ``classes_``.

        Raises
        ------
        NotFittedError, ValueError
            As in `predict`.
        """
        return self._predict(X)


def _softmax(output: torch.Tensor) -> torch.Tensor:
    return torch.softmax(output, dim=1)
