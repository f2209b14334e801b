"""Training that continues on the trials of a new domain, with some layers frozen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

from .._checks import check_integer, check_number, did_you_mean, value_or
from ._adaptation import tracked_norms
from ._gumbel import ChannelSelectingNetwork
from ._hooks import uncompiled
from ._selection import SelectedChannels

ALL_BUT_LAST = "all_but_last"


def finetune_network(
    net: Any,
    X: Any,
    y: Any,
    *,
    freeze: str | Sequence[str] | None,
    lr: float | None,
    max_epochs: int | None,
    fit_options: dict[str, Any],
) -> None:
    """Train a fitted network further.

    Parameters
    ----------
    net : NetworkEstimator
        Fitted.
    X, y
        As in ``partial_fit``.
    freeze : str, sequence of str or None
        Names of layers or weights.
    lr, max_epochs : float, int or None
        None takes the parameter of the estimator.
    fit_options : dict
        ``sample_weight`` and ``groups``.
    """
    net._check_parameters()
    if lr is not None:
        check_number("lr", lr, above=0)
    if max_epochs is not None:
        check_integer("max_epochs", max_epochs, at_least=1)
    module = uncompiled(net.module_)
    frozen = frozen_layers(module, freeze, name=type(net).__name__)
    epochs, rate = value_or(max_epochs, net.max_epochs), value_or(lr, net.lr)
    optimizer = net.optimizer_
    with _parameters(net, max_epochs=epochs, lr=rate), _frozen(net, module, frozen):
        net.initialize_optimizer()
        if lr is not None:
            for group in net.optimizer_.param_groups:
                group["lr"] = lr
        try:
            fit_params = {"_routing_method": "partial_fit"}
            net._fit(X, y, fit_params=fit_params, resume=True, **fit_options)
        except BaseException:
            net.optimizer_ = optimizer
            raise
    # A later training is of all weights, with the learning rate of the estimator.
    net.initialize_optimizer()


def frozen_layers(
    module: nn.Module, freeze: str | Sequence[str] | None, *, name: str
) -> list[nn.Module | nn.Parameter]:
    """Return the layers and weights that patterns name.

    Parameters
    ----------
    module : torch.nn.Module
    freeze : str, sequence of str or None
        Names of layers or weights, with wildcards as in `fnmatch`, or ``"all_but_last"``.
    name : str
        Of the estimator, for messages.

    Returns
    -------
    frozen : list of torch.nn.Module or torch.nn.Parameter

    Raises
    ------
    TypeError
        If ``freeze`` is neither a string nor a sequence of strings.
    ValueError
        If a pattern matches nothing, or no weight is left to train.
    """
    network = module
    if isinstance(module, (SelectedChannels, ChannelSelectingNetwork)):
        network = module.network
    patterns = [freeze] if isinstance(freeze, str) else list(_sequence(freeze))
    if not all(isinstance(pattern, str) for pattern in patterns):
        raise TypeError(f"freeze must be a name, a list of names or None, got {freeze!r}.")
    parts: dict[str, nn.Module | nn.Parameter] = dict(network.named_modules())
    del parts[""]
    parts |= dict(network.named_parameters())
    frozen: list[nn.Module | nn.Parameter] = []
    for pattern in patterns:
        if pattern == ALL_BUT_LAST and pattern not in parts:
            last = {id(weight) for weight in _last_with_weights(network).parameters()}
            frozen += [weight for weight in network.parameters() if id(weight) not in last]
            continue
        found = [part for known, part in parts.items() if fnmatchcase(known, pattern)]
        if not found:
            layers = [layer for layer, _ in network.named_modules() if layer]
            raise ValueError(
                f"freeze names {pattern!r}, which no layer or weight of the network of this {name} "
                f"is called.{did_you_mean(pattern, parts)} Its layers are {', '.join(layers)}; "
                f'"{ALL_BUT_LAST}" is all of them but the last one with weights.'
            )
        frozen += found
    kept = _ids_of_weights(frozen)
    if all(id(weight) in kept for weight in network.parameters()):
        raise ValueError(
            f"freeze={freeze!r} freezes every weight of {name}, so that nothing is left to train."
        )
    return frozen


def _sequence(freeze: Any) -> Sequence[Any]:
    if freeze is None:
        return ()
    if not isinstance(freeze, Sequence):
        raise TypeError(f"freeze must be a name, a list of names or None, got {freeze!r}.")
    return freeze


def _last_with_weights(network: nn.Module) -> nn.Module:
    """Return the layer with weights of its own that was registered last."""
    return [m for m in network.modules() if any(True for _ in m.parameters(recurse=False))][-1]


def _ids_of_weights(frozen: Sequence[nn.Module | nn.Parameter]) -> set[int]:
    return {
        id(weight)
        for part in frozen
        for weight in (part.parameters() if isinstance(part, nn.Module) else [part])
    }


@contextmanager
def _frozen(
    net: Any, module: nn.Module, frozen: Sequence[nn.Module | nn.Parameter]
) -> Iterator[None]:
    """Keep weights, and the statistics of batch normalisation of frozen layers, as they are."""
    kept = _ids_of_weights(frozen)
    inside = {id(m) for part in frozen if isinstance(part, nn.Module) for m in part.modules()}
    weights = [w for w in module.parameters() if id(w) in kept and w.requires_grad]
    net._set_training(False)  # the next training mode then leaves frozen layers out
    if isinstance(module, ChannelSelectingNetwork):
        module.selection.freeze()
    for weight in weights:
        weight.requires_grad_(False)
    net._fixed_norms = [
        norm
        for norm in tracked_norms(module)
        if id(norm) in inside
        or (norm.affine and all(id(weight) in kept for weight in norm.parameters()))
    ]
    try:
        yield
    finally:
        del net._fixed_norms
        for weight in weights:
            weight.requires_grad_(True)


@contextmanager
def _parameters(net: Any, **values: Any) -> Iterator[None]:
    """Set parameters for the time of a training."""
    before = {name: getattr(net, name) for name in values}
    vars(net).update(values)
    try:
        yield
    finally:
        vars(net).update(before)
