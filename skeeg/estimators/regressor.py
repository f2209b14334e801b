"""Base class of all network regressors."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit
from sklearn.utils import check_array
from skorch import NeuralNetRegressor

from .._checks import check_choice
from .._parameters import parameter
from .base import NetworkEstimator

#: Losses by name; they are computed for standardised targets.
LOSSES: dict[str, type[torch.nn.Module]] = {
    "mse": torch.nn.MSELoss,
    "mae": torch.nn.L1Loss,
    "huber": torch.nn.HuberLoss,
}


class NetworkRegressor(NetworkEstimator, NeuralNetRegressor):
    """Base class of all network regressors.

    It is a ``skorch.NeuralNetRegressor`` that follows scikit-learn's conventions. Each column of
    the targets is standardised for the training, and predictions are returned in its unit.

    Attributes
    ----------
    y_mean_, y_scale_ : ndarray of float64, shape (n_targets,)
        Mean and standard deviation of the training targets. The scale of a constant target is its
        magnitude.
    """

    recorded_score: ClassVar[str] = "mae"
    _score_is_loss: ClassVar[bool] = True

    loss: Literal["mse", "mae", "huber"] = parameter(
        default="mse",
        doc="""Squared, absolute or Huber error of the standardised targets. ``"huber"`` is squared
        for errors below ``criterion__delta``, by default one standard deviation, and absolute
        above.""",
    )

    def _check_parameters(self) -> None:
        check_choice("loss", self.loss, LOSSES)
        super()._check_parameters()

    def _check_targets(self, y: Any) -> NDArray[Any]:
        name = type(self).__name__
        _refuse_labels(y, name)
        return check_array(y, dtype=np.float64, ensure_2d=False, input_name="y", estimator=name)

    def _learn_targets(self, y: NDArray[Any], classes: Any) -> None:
        if classes is not None:
            raise ValueError(
                f"{type(self).__name__} is a regressor and takes no classes. Leave them out."
            )
        if len(y) < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least two trials to standardise y, got 1 sample."
            )
        self.y_ndim_ = y.ndim
        self.y_mean_, self.y_scale_ = _mean_and_scale(y.reshape(len(y), -1))

    def _encode(self, y: NDArray[Any]) -> NDArray[Any]:
        columns = y.reshape(len(y), -1)
        if y.ndim != self.y_ndim_ or columns.shape[1] != len(self.y_mean_):
            fitted = "(n_trials,)" if self.y_ndim_ == 1 else f"(n_trials, {len(self.y_mean_)})"
            raise ValueError(
                f"y has shape {y.shape}, but {type(self).__name__} was fitted with {fitted}."
            )
        return ((columns - self.y_mean_) / self.y_scale_).astype(np.float32)

    def _decode(self, output: NDArray[np.float32]) -> NDArray[Any]:
        values = output.astype(np.float64) * self.y_scale_ + self.y_mean_
        return values[:, 0] if self.y_ndim_ == 1 else values

    def _n_outputs(self) -> int | None:
        return len(self.y_mean_) if hasattr(self, "y_mean_") else None

    def _default_criterion(self) -> Any:
        # The value is validated in fit. Before, it can be anything, also unhashable.
        return LOSSES.get(str(self.loss), torch.nn.MSELoss)

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Take the loss that the parameters name; it may have been set since the last training."""
        super().on_train_begin(net, X=X, y=y, **kwargs)
        if self.criterion is None:
            self.initialize_criterion()

    def _to_prediction(self, output: torch.Tensor) -> torch.Tensor:
        return output

    def _score_sum(self, output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        # Values in the unit of y may exceed the range of float32.
        sums = (output - y).abs().sum(dim=0).cpu().double()
        return (sums * torch.from_numpy(self.y_scale_)).mean()

    def _validation_split(
        self, y: NDArray[Any], groups: NDArray[Any] | None, seed: int
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return a random split that keeps groups together."""
        splitter = ShuffleSplit if groups is None else GroupShuffleSplit
        what = f"{len(y)} trials" if groups is None else f"{len(np.unique(groups))} groups"
        try:
            split = splitter(1, test_size=self.validation_fraction, random_state=seed)
            return next(split.split(y, y, groups))
        except ValueError as error:
            raise ValueError(
                f"early_stopping cannot split {what} into training and validation: {error} "
                f"Use more {'trials' if groups is None else 'groups'}, another "
                "validation_fraction, or early_stopping=False."
            ) from error

    @property
    def predict_proba(self) -> Any:
        """Not available for regressors."""
        raise AttributeError(f"{type(self).__name__} is a regressor and has no predict_proba.")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        # scikit-learn's checks use points, which have no oscillations to filter.
        tags.regressor_tags.poor_score = True
        return tags


def _refuse_labels(y: Any, name: str) -> None:
    """Raise a ValueError for targets that are not numbers."""
    values = np.asarray(y)
    if values.dtype.kind in "biufc":
        return
    wrong = [
        value
        for value in values.ravel().tolist()
        if values.dtype.kind != "O" or isinstance(value, str)
    ]
    if wrong:
        raise ValueError(
            f"{name} predicts numbers, got y of dtype {values.dtype} with {wrong[0]!r}. Convert it "
            "to numbers, or predict labels with a classifier."
        )


def _mean_and_scale(columns: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return the mean and the standard deviation of each column, of any magnitude."""
    # Squares of values above 1e154 or below 1e-162 exceed the range of float64. Multiplication by a
    # power of two is exact.
    _, exponents = np.frexp(np.abs(columns).max(axis=0))
    fractions = np.ldexp(columns, -exponents)
    mean, deviation = fractions.mean(axis=0), fractions.std(axis=0)
    # For a constant, rounding would give a deviation of about 1e-16 of its magnitude.
    varies = np.ptp(fractions, axis=0) > 0
    scale = np.where(varies, deviation, np.where(mean == 0, 1.0, np.abs(mean)))
    return np.ldexp(mean, exponents), np.ldexp(scale, exponents)
