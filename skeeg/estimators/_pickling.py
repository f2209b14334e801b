"""Pickles of fitted estimators that load on machines without the device of the fit."""

from __future__ import annotations

import io
from typing import Any

import torch
from torch.nn.utils.parametrize import is_parametrized

from ._arithmetic import fit_randomness, usable_device
from ._hooks import uncompiled

#: Attributes that skorch sets in a fit, except the callbacks.
FITTED_COMPONENTS = ("module_", "criterion_", "optimizer_")

#: Key of the weights of a network that torch cannot pickle.
WEIGHTS = "_weights"


def portable_state(state: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of an estimator with its network on the CPU.

    Parameters
    ----------
    state : dict
        The attributes of the estimator.

    Returns
    -------
    state : dict
        A copy. A network that torch cannot pickle is replaced by its weights.
    """
    state = dict(state)
    components = fitted_components(state)
    if "module_" in components and not _can_be_pickled(components["module_"]):
        module, optimizer = state.pop("module_"), state.pop("optimizer_")
        state["criterion_"] = uncompiled(state["criterion_"])
        state[WEIGHTS] = {
            "module": {name: value.cpu() for name, value in module.state_dict().items()},
            "optimizer": optimizer.state_dict(),
            "training": module.training,
        }
    elif components and torch.device(state["device_"]).type != "cpu":
        state |= moved(components, "cpu")
    return state


def restore(net: Any, state: dict[str, Any]) -> None:
    """Set the attributes of an estimator from its pickle, with the network on its device.

    Parameters
    ----------
    net : NetworkEstimator
    state : dict
        As `portable_state` returns it.
    """
    weights = state.pop(WEIGHTS, None)
    net.__dict__.update(state)
    components = fitted_components(state)
    if components:
        net.device_ = usable_device(net.device)
    if weights is not None:
        with net._arithmetic(), fit_randomness(0, net.device_):
            net.initialize_module()
        module = net.module_.to(net.device_).train(weights["training"])
        net.module_ = net.torch_compile(module, "module")
        net.module_.load_state_dict(weights["module"])
        net.initialize_optimizer()
        net.optimizer_.load_state_dict(weights["optimizer"])
        if isinstance(net.criterion_, torch.nn.Module):
            net.criterion_ = net.torch_compile(net.criterion_, "criterion")
    elif components and torch.device(net.device_).type != "cpu":
        net.__dict__.update(moved(components, net.device_))


def fitted_components(state: dict[str, Any]) -> dict[str, Any]:
    """Return the network, the loss and the optimiser from the attributes of an estimator."""
    return {name: state[name] for name in FITTED_COMPONENTS if name in state}


def moved(components: dict[str, Any], device: str) -> dict[str, Any]:
    """Return copies of a module and its optimiser on another device, with shared weights."""
    buffer = io.BytesIO()
    torch.save(components, buffer)
    buffer.seek(0)
    return torch.load(buffer, map_location=device, weights_only=False)


def _can_be_pickled(module: torch.nn.Module) -> bool:
    """Return whether torch can pickle a module: not if it is parametrised or compiled."""
    is_compiled = uncompiled(module) is not module
    return not (is_compiled or any(map(is_parametrized, module.modules())))
