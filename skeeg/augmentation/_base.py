"""What augmentations share: batches, what they know of the trials, and the choice of trials."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length, check_random_state
from torch import Generator, Tensor

from .._checks import check_number
from .._validation import check_finite, unwrap
from ..features._checks import check_trials


@dataclass(frozen=True)
class Recording:
    """What an augmentation may know of the trials beside their values.

    Parameters
    ----------
    sfreq : float or None
        Sampling rate in Hz.
    ch_names : tuple of str or None
        Names of the channels.
    classes : ndarray or None
        Labels of the classes, in the order of their codes. None for a regression.
    """

    sfreq: float | None = None
    ch_names: tuple[str, ...] | None = None
    classes: NDArray[Any] | None = None


@dataclass(frozen=True)
class Batch:
    """Trials with their targets.

    Parameters
    ----------
    X : torch.Tensor, shape (n_trials, n_chans, ...)
        The trials.
    y : torch.Tensor or None
        Codes of the classes as int64, shape (n_trials,); their probabilities, shape (n_trials,
        n_classes); or the values of a regression, shape (n_trials, n_targets).
    weight : torch.Tensor or None, shape (n_trials,)
        Weight of each trial in the loss.
    """

    X: Tensor
    y: Tensor | None = None
    weight: Tensor | None = None


class Augmentation(BaseEstimator):
    """Base class of augmentations.

    An augmentation changes some trials of a batch at random, each with its `probability`. Derived
    classes define `changed`, and ``check_parameters`` if they have parameters.
    """

    #: The name by which estimators know the augmentation.
    name: ClassVar[str] = ""
    #: Whether it is defined for raw EEG only, not for features or topographic maps.
    of_signals: ClassVar[bool] = True
    #: Whether labels become probabilities.
    mixes_targets: ClassVar[bool] = False

    probability: float = 0.5

    def changed(self, X: Tensor, recording: Recording, generator: Generator | None) -> Tensor:
        """Return changed trials.

        Parameters
        ----------
        X : torch.Tensor, shape (n_trials, n_chans, n_times)
            Trials, at least one, which must not be changed in place.
        recording : Recording
            What is known of them.
        generator : torch.Generator or None
            What random numbers are drawn from, on the device of ``X``.

        Returns
        -------
        X : torch.Tensor, shape (n_trials, n_chans, n_times)
        """
        raise NotImplementedError

    def check_parameters(self) -> None:
        """Raise a ValueError for a parameter that is invalid whatever the trials are."""
        name = f"probability of {type(self).__name__}"
        check_number(name, self.probability, at_least=0, at_most=1)

    def apply(self, batch: Batch, recording: Recording, generator: Generator | None) -> Batch:
        """Return a batch in which some trials are changed.

        Parameters
        ----------
        batch : Batch
            Left as it is.
        recording : Recording
            What is known of the trials.
        generator : torch.Generator or None
            What random numbers are drawn from, on the device of the trials.

        Returns
        -------
        batch : Batch
        """
        chosen = self._chosen(batch.X, generator)
        if not len(chosen):
            return batch
        changed = self.changed(batch.X[chosen], recording, generator)
        return replace(batch, X=batch.X.index_copy(0, chosen, changed))

    def _chosen(self, X: Tensor, generator: Generator | None) -> Tensor:
        """Return the indices of the trials to change."""
        draws = torch.rand(len(X), generator=generator, device=X.device)
        return (draws < self.probability).nonzero()[:, 0]

    def __call__(self, X: Any, y: ArrayLike | None = None, random_state: Any = None) -> Any:
        """Return trials of which some are changed, with their targets.

        Parameters
        ----------
        X : ndarray, torch.Tensor, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
            The trials. They are left as they are.
        y : array-like, shape (n_trials,) or (n_trials, n_targets), optional
            Targets. Floating-point numbers are values, anything else is class labels.
        random_state : int, RandomState or None
            Seed of the changes.

        Returns
        -------
        X : ndarray or torch.Tensor, shape (n_trials, n_chans, n_times)
            A tensor if a tensor was passed. Of the precision of the trials, float32 for integers.
        y : ndarray, shape (n_trials,), (n_trials, n_targets) or (n_trials, n_classes)
            Only if ``y`` was passed. `Mixup` makes labels into probabilities, with a column for
            each label of ``y`` in sorted order.

        Raises
        ------
        ValueError
            If a parameter or the trials are invalid, or the trials do not have what the
            augmentation needs, such as a sampling rate.
        """
        self.check_parameters()
        unwrapped = unwrap(X)
        values = check_trials(unwrapped.values)
        check_finite(values, name=type(self).__name__, ch_names=unwrapped.ch_names)
        trials = torch.from_numpy(np.array(values, dtype=_precision(values.dtype)))
        device = X.device if isinstance(X, Tensor) else torch.device("cpu")
        classes, targets = (None, None) if y is None else _encoded(y)
        if targets is not None:
            check_consistent_length(values, targets)
        seed = int(check_random_state(random_state).randint(2**31 - 1))
        batch = self.apply(
            Batch(trials.to(device), None if targets is None else targets.to(device)),
            Recording(unwrapped.sfreq, unwrapped.ch_names, classes),
            Generator(device=device).manual_seed(seed),
        )
        changed = batch.X if isinstance(X, Tensor) else batch.X.numpy()
        if batch.y is None:
            return changed
        decoded = batch.y.cpu().numpy()
        is_codes = classes is not None and not batch.y.is_floating_point()
        return changed, classes[decoded] if is_codes and classes is not None else decoded


def _precision(dtype: np.dtype[Any]) -> type:
    return np.float64 if dtype == np.float64 else np.float32


def _encoded(y: ArrayLike) -> tuple[NDArray[Any] | None, Tensor]:
    """Return the classes, None for a regression, and the encoded targets."""
    targets = np.asarray(y)
    if targets.dtype.kind == "f":
        return None, torch.from_numpy(np.array(targets))
    if targets.ndim != 1:
        raise ValueError(
            f"y must have shape (n_trials,) if it holds class labels, got {targets.shape}."
        )
    classes, codes = np.unique(targets, return_inverse=True)
    return classes, torch.from_numpy(codes.astype(np.int64))


def uniform(
    low: float, high: float, n_trials: int, generator: Generator | None, like: Tensor
) -> Tensor:
    """Return uniform random numbers, one for each trial.

    Parameters
    ----------
    low, high : float
        The interval.
    n_trials : int
        How many numbers to draw.
    generator : torch.Generator or None
        What they are drawn from.
    like : torch.Tensor
        Gives device and precision.

    Returns
    -------
    draws : torch.Tensor, shape (n_trials, 1, 1)
    """
    draws = torch.rand((n_trials, 1, 1), generator=generator, device=like.device, dtype=like.dtype)
    return low + (high - low) * draws
