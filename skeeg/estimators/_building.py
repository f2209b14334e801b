"""How an estimator builds its network and its optimiser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from fnmatch import fnmatch
from typing import Any

import torch
from torch import nn

from ..layers._random import RandomFunctionsMode
from ._arithmetic import Float32Mode
from ._hooks import hook
from ._names import FUSED, accepted_names, resolve_optimizer
from ._selection import with_selection


def build_network(net: Any, device: str = "cpu") -> nn.Module:
    """Return a new network, with the selection of channels that the estimator asks for.

    Parameters
    ----------
    net : NetworkEstimator
    device : str, default="cpu"
        ``"meta"`` gives a network without memory for its weights.

    Returns
    -------
    network : torch.nn.Module
        With float32 weights on that device, whatever defaults torch was given elsewhere. A module
        given as an instance is copied.
    """
    params = net.get_params_for("module")
    with torch.device(device), Float32Mode(), RandomFunctionsMode():
        if isinstance(net.module, nn.Module) and not params:
            network = deepcopy(net.module)
        else:
            network = net._module_constructor()(**params)
        network = with_selection(network, net)
    if any(weight.dtype == torch.float64 for weight in network.parameters()):
        network = network.float()
    return network


def found_arguments(net: Any, explicit: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `fit` found of the trials and the network's constructor names.

    Parameters
    ----------
    net : NetworkEstimator
    explicit : mapping
        Arguments that the user gave as ``module__n_chans`` and the like.

    Returns
    -------
    arguments : dict
        Of ``n_chans``, ``n_times`` (or ``n_bands``, ``height``, ``width``), ``n_outputs`` and
        ``sfreq``.

    Raises
    ------
    ValueError
        If the constructor needs a size that is not known yet.
    """
    sizes = net._trial_axes.names
    shape = {*sizes, "n_outputs"}
    accepted = accepted_names(net._module_constructor())
    if accepted is None:  # it takes any argument
        accepted = shape
    found: dict[str, Any] = {
        **{size: getattr(net, f"{size}_", None) for size in sizes},
        "n_outputs": net._n_outputs(),
        "sfreq": getattr(net, "sfreq_", None),
    }
    n_selected = getattr(net, "n_selected_chans", None)
    if n_selected is not None and found.get("n_chans") is not None:
        found["n_chans"] = min(int(n_selected), found["n_chans"])
    known = {name: value for name, value in found.items() if value is not None}
    missing = sorted(shape & accepted - known.keys() - explicit.keys())
    if missing:
        raise ValueError(
            f"The shape of the trials is not known before fit: {', '.join(missing)}. "
            f"Call fit, or give them as {', '.join(f'module__{name}' for name in missing)}."
        )
    return {name: value for name, value in known.items() if name in accepted}


def build_optimizer(net: Any) -> torch.optim.Optimizer:
    """Return a new optimiser of all weights.

    Parameters
    ----------
    net : NetworkEstimator
        With its network and criterion.

    Returns
    -------
    optimizer : torch.optim.Optimizer
    """
    args, options = net.get_params_for_optimizer("optimizer", net.get_all_learnable_params())
    make = resolve_optimizer(net.optimizer)
    accepted = accepted_names(make)
    if accepted is None or "weight_decay" in accepted or net.weight_decay:
        options.setdefault("weight_decay", net.weight_decay)
    if make in FUSED and not options.keys() & {"foreach", "fused", "differentiable"}:
        options["fused"] = True
    return make(*args, **options)


def groups_of_network(
    net: Any, named: Iterable[tuple[str, nn.Parameter]], patterns: Iterable[str]
) -> tuple[list[dict[str, Any]], list[tuple[str, nn.Parameter]]]:
    """Return the groups of weights that the network asks for, and all other weights.

    Parameters
    ----------
    net : NetworkEstimator
    named : iterable of (str, Parameter)
        All weights.
    patterns : iterable of str
        Of the names of weights that the user has put into groups; these stay where they are.

    Returns
    -------
    groups : list of dict
        See `TrainingHooks.parameter_groups`.
    others : list of (str, Parameter)
    """
    named, patterns = list(named), list(patterns)
    claimed = {
        id(weight) for name, weight in named if any(fnmatch(name, pattern) for pattern in patterns)
    }
    wanted: list[dict[str, Any]] = (
        hook(getattr(net, "module_", None), "parameter_groups") or list
    )()
    groups = [group for group in wanted if claimed.isdisjoint(map(id, group["params"]))]
    apart = {id(weight) for group in groups for weight in group["params"]}
    return groups, [(name, weight) for name, weight in named if id(weight) not in apart]
