"""Which estimators can be trained together as one stacked network."""

from __future__ import annotations

from typing import Any

import joblib
import torch
from torch import nn

from ..layers import ACTIVATIONS, Dropout, Square, make_activation
from ..networks import (
    CCNN,
    MSFBCNN,
    DeepConvNet,
    EEGNet,
    EEGNeX,
    InceptionResNet,
    LeNet,
    MixNet,
    ShallowConvNet,
)
from ._batches import BatchLoader
from ._stacked_optimizer import obstacle_of_optimizer

#: Networks of which `torch.vmap` computes all operations, without other random numbers than those
#: of `Dropout`.
NETWORKS = (
    CCNN,
    DeepConvNet,
    EEGNeX,
    EEGNet,
    InceptionResNet,
    LeNet,
    MSFBCNN,
    MixNet,
    ShallowConvNet,
)

#: Parameters in which the members of a stacked network may differ.
MEMBER_PARAMETERS = frozenset(
    {
        "activation",
        "alpha",
        "dropout",
        "lr",
        "max_epochs",
        "module__activation",
        "module__alpha",
        "module__dropout",
        "optimizer__betas",
        "optimizer__dampening",
        "optimizer__eps",
        "optimizer__lr",
        "optimizer__momentum",
        "optimizer__weight_decay",
        "random_state",
        "verbose",
        "weight_decay",
    }
)

#: Parameters with which the training is another one, and the reason that is given for it.
_REFUSED = {
    "augment": "it changes the trials of its batches",
    "callbacks": "it has callbacks",
    "compile": "its network is compiled",
    "early_stopping": "it stops early",
    "n_selected_chans": "it selects channels",
    "train_split": "it has a train_split",
    "warm_start": "it has warm_start",
}

#: Layers that may differ between the members.
_ACTIVATIONS = (Square, *(type(make_activation(name)) for name in ACTIVATIONS))


def obstacle_of_parameters(net: Any) -> str | None:
    """Return why the parameters of an estimator do not allow a stacked training, if they do not.

    Parameters
    ----------
    net : NetworkEstimator
        Not fitted.

    Returns
    -------
    reason : str or None
    """
    if not type(net).__module__.startswith("skeeg.estimators."):
        return f"{type(net).__name__} is a class of your own, which may train differently"
    for name, reason in _REFUSED.items():
        if getattr(net, name, None) not in (None, False, []):
            return reason
    own = [name for name in vars(net) if name.startswith(("iterator_train__", "callbacks__"))]
    if net.iterator_train is not BatchLoader or own:
        return "its batches or callbacks are not the usual ones"
    if isinstance(net.module, nn.Module) or net._runs_foreign_code():
        return "its network or its loss is not one of skeeg"
    return "it trains no epoch" if net.max_epochs == 0 else None


def obstacle_of_network(net: Any) -> str | None:
    """Return why an estimator, whose network was built, cannot be trained stacked, if it cannot.

    Parameters
    ----------
    net : NetworkEstimator

    Returns
    -------
    reason : str or None
    """
    module = net.module_
    if type(module) not in NETWORKS:
        return f"the layers of {type(module).__name__} cannot be stacked"
    if not all(w.requires_grad and w.dtype == torch.float32 for w in module.parameters()):
        return "some of its weights are fixed, or not in single precision"
    return obstacle_of_optimizer(net.optimizer_)


def key_of(net: Any) -> str:
    """Return a key that estimators share if they differ only in what members may differ in.

    Parameters
    ----------
    net : NetworkEstimator

    Returns
    -------
    key : str
    """
    params = net.get_params(deep=False)
    shared = {name: value for name, value in params.items() if name not in MEMBER_PARAMETERS}
    return str(joblib.hash([type(net), shared]))


def architecture_of(module: nn.Module) -> tuple[Any, ...]:
    """Return what two networks have in common that can be members of one stacked network.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    architecture : tuple
        Hashable: the layers in their order, without the kind of activations and the probability of
        dropout, and the shape of each weight.
    """
    layers = tuple(
        (name, _description(layer)) for name, layer in module.named_modules(remove_duplicate=False)
    )
    shapes = tuple((name, tuple(value.shape)) for name, value in module.state_dict().items())
    return layers, shapes


def is_activation(layer: nn.Module) -> bool:
    """Return whether a layer is an activation, which may differ between members."""
    return type(layer) in _ACTIVATIONS


def _description(layer: nn.Module) -> str:
    if is_activation(layer):
        return "activation"
    if isinstance(layer, Dropout):
        return "dropout"
    own = type(layer).__name__
    return own if list(layer.children()) else f"{own}({layer.extra_repr()})"
