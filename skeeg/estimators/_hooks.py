"""Hooks with which a network can change its training."""

from __future__ import annotations

from typing import Any, Protocol

from skorch.callbacks import Callback
from torch import Tensor, nn


class TrainingHooks(Protocol):
    """Optional methods of a network that change its training.

    A network defines the methods that it needs. They also work for any module passed to
    `ModuleClassifier` or `ModuleRegressor`.

    Methods
    -------
    precompute_trials(x)
        Called before the training with the training trials, shape (n_trials, n_chans, n_times).
        Returns a dict of tensors with a row per trial. The rows of each batch are passed to
        ``forward`` as keyword arguments of these names. They are optional arguments: they are not
        passed in ``predict``, nor if augmentation, another data loader, a callback with
        ``on_batch_begin`` or a forward hook may change a batch.
    penalty()
        Returns a scalar that is added to the loss of each training step.
    parameter_groups()
        Returns groups of weights with their own options of the optimiser, as torch's dicts with
        ``"params"`` and options such as ``"weight_decay"``. All other weights form one group.
    training_callbacks()
        Returns pairs of a name and a skorch callback, which run before those of the estimator.
    is_settled
        While it is False, early stopping neither counts epochs nor keeps weights.
    """

    def precompute_trials(self, x: Tensor) -> dict[str, Tensor]: ...
    def penalty(self) -> Tensor: ...
    def parameter_groups(self) -> list[dict[str, Any]]: ...
    def training_callbacks(self) -> list[tuple[str, Callback]]: ...
    @property
    def is_settled(self) -> bool: ...


def uncompiled(module: Any) -> Any:
    """Return the module that was compiled, or the module itself."""
    return getattr(module, "_orig_mod", module)


def hook(module: nn.Module | None, name: str) -> Any:
    """Return a method of `TrainingHooks` of a module, or None if the module does not have it.

    Parameters
    ----------
    module : torch.nn.Module or None
        The network, compiled or not; None in a subclass that calls it otherwise.
    name : str
        Name of a method of `TrainingHooks`.

    Returns
    -------
    method : callable, bool or None
    """
    return getattr(uncompiled(module), name, None)
