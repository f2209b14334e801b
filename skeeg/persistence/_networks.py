"""Estimators with a network: what a file holds of them, and how they are built again."""

from __future__ import annotations

from typing import Any

import torch
from sklearn.base import BaseEstimator

from ..estimators._arithmetic import arithmetic, fit_randomness, usable_device
from ..estimators._building import build_network
from ..estimators._hooks import uncompiled
from ..estimators.base import NetworkEstimator

#: What a parameter of an estimator may be a class of.
COMPONENTS = (BaseEstimator, torch.nn.Module, torch.optim.Optimizer, torch.utils.data.DataLoader)

#: Attributes that `initialize` makes again.
_MADE_AGAIN = (
    "callbacks_",
    "criterion_",
    "cuda_dependent_attributes_",
    "device_",
    "init_context_",
    "initialized_",
    "module_",
    "optimizer_",
    "prefixes_",
    "virtual_params_",
    "_criteria",
    "_modules",
    "_optimizers",
    "_params_to_validate",
)
_COMPONENTS_MADE = {"module_", "criterion_", "optimizer_"}
_WEIGHTS = "<weights>"

#: No layer has more units, and no network more layers; a file could ask for any number.
_LARGEST_ARGUMENT = 2**20


def is_network_estimator(value: Any) -> bool:
    """Return whether a value is a classifier or regressor with a network."""
    return isinstance(value, NetworkEstimator)


def state_of(estimator: Any) -> dict[str, Any]:
    """Return the attributes of an estimator and, if it has a network, its weights.

    Parameters
    ----------
    estimator : NetworkEstimator

    Returns
    -------
    state : dict

    Raises
    ------
    TypeError
        If a subclass has components in addition to network, loss and optimiser.
    """
    state = {name: value for name, value in vars(estimator).items() if name not in _MADE_AGAIN}
    if not estimator.initialized_:
        return state
    parts = (*estimator._modules, *estimator._criteria, *estimator._optimizers)
    others = {f"{name}_" for name in parts} - _COMPONENTS_MADE
    if others:
        raise TypeError(
            f"estimator has the components {', '.join(sorted(others))}, which a file does not "
            "hold. Only module_, criterion_ and optimizer_ are stored."
        )
    module = uncompiled(estimator.module_)
    return state | {
        _WEIGHTS: {
            "module": dict(module.state_dict()),
            "optimizer": estimator.optimizer_.state_dict(),
            "training": module.training,
        }
    }


def rebuilt(cls: type, state: dict[str, Any]) -> Any:
    """Return an estimator with the attributes and weights of `state_of`.

    Parameters
    ----------
    cls : type
    state : dict

    Returns
    -------
    estimator : NetworkEstimator
        On the device that its parameter names, or on the CPU where that does not exist.

    Raises
    ------
    ValueError
        If the class is not that of an estimator with a network, or the weights are not those of
        the network that the parameters describe.
    """
    if not issubclass(cls, NetworkEstimator):
        raise ValueError(f"{cls.__name__} is not an estimator with a network")
    weights = state.pop(_WEIGHTS, None)
    # Made empty by `initialize`, and set after it.
    after: dict[str, Any] = {
        name: state.pop(name) for name in ("history_", "_stream") if name in state
    }
    estimator = cls.__new__(cls)
    estimator.__dict__.update(state)
    if weights is None:
        estimator.__dict__.update(after)
        return estimator
    device = usable_device(estimator.device)
    wanted, estimator.device = estimator.device, device
    try:
        estimator._check_parameters()
        _check_size(estimator, weights["module"])
        with arithmetic(device, estimator.n_threads), fit_randomness(0, device):
            estimator.initialize()
    finally:
        estimator.device = wanted
    module = uncompiled(estimator.module_)
    module.load_state_dict(weights["module"])
    module.train(bool(weights["training"]))
    estimator.optimizer_.load_state_dict(weights["optimizer"])
    estimator.__dict__.update(after)
    return estimator


def _check_size(estimator: Any, weights: dict[str, torch.Tensor]) -> None:
    """Raise before memory is taken for a network that is larger than its weights."""
    arguments = estimator.get_params_for("module")
    numbers = [value for value in arguments.values() if isinstance(value, int)]
    if any(abs(value) > _LARGEST_ARGUMENT for value in numbers):
        raise ValueError("an argument of the network is too large")
    outline = build_network(estimator, "meta").state_dict()
    if {name: value.shape for name, value in outline.items()} != {
        name: value.shape for name, value in weights.items()
    }:
        raise ValueError("the weights are not those of the network that its parameters describe")
