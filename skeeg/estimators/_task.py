"""What an estimator must know of its task: the meaning of targets, and what is learnt from them."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray


class Task:
    """Methods with which `NetworkClassifier` and `NetworkRegressor` define their task.

    A target has three forms: as the user gives it; checked, an array; and encoded, as the loss
    takes it.
    """

    #: The score that ``history`` has in addition to the loss.
    recorded_score: ClassVar[str]
    _score_is_loss: ClassVar[bool]

    #: Weight of each class in the loss, or None if all are equal.
    _class_weights: torch.Tensor | None = None

    def _check_targets(self, y: Any) -> NDArray[Any]:
        """Return checked targets, shape (n_trials,) or (n_trials, n_targets)."""
        raise NotImplementedError

    def _learn_targets(self, y: NDArray[Any], classes: Any) -> None:
        """Find in the training targets what encoding and decoding need."""
        raise NotImplementedError

    def _encode(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return targets as the loss takes them."""
        raise NotImplementedError

    def _decode(self, output: NDArray[np.float32]) -> NDArray[Any]:
        """Return predictions in the terms of ``y`` from what `_to_prediction` made."""
        raise NotImplementedError

    def _decode_encoded(self, predicted: NDArray[np.float32]) -> NDArray[Any]:
        """Return predictions in the terms of the encoded targets."""
        return predicted

    def _to_prediction(self, output: torch.Tensor) -> torch.Tensor:
        """Return class probabilities or encoded values from the output of the network."""
        raise NotImplementedError

    def _n_outputs(self) -> int | None:
        """Return the number of outputs, None before `fit`."""
        raise NotImplementedError

    def _default_criterion(self) -> Any:
        """Return the class of the loss where the parameter ``criterion`` is not set."""
        raise NotImplementedError

    def _loss_input(self, output: torch.Tensor) -> torch.Tensor:
        """Return the output of the network as the criterion expects it."""
        return output

    def _learn_weights(
        self, y: NDArray[Any], encoded: NDArray[Any], sample_weight: NDArray[np.float64] | None
    ) -> None:
        """Find the weights of classes, so that the weights of the training trials have mean one.

        Parameters
        ----------
        y, encoded : ndarray, shape (n_trials,)
            Targets as they were checked, and encoded.
        sample_weight : ndarray, shape (n_trials,), optional
            Of mean one.
        """

    def _score_sum(self, output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the sum over a batch of what `recorded_score` averages."""
        raise NotImplementedError

    def _validation_split(
        self, y: NDArray[Any], groups: NDArray[Any] | None, seed: int
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the indices of the training and the validation part of encoded targets."""
        raise NotImplementedError
