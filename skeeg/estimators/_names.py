"""Names of parameters beyond the signature of an estimator, and their validation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

from .._checks import did_you_mean

#: Optimisers by name; any ``torch.optim.Optimizer`` class can be passed instead.
OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}

#: Optimisers that update all weights in one kernel, which is faster for many small tensors.
FUSED = frozenset({torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD, torch.optim.Adagrad})

#: Parameters of skorch that are accepted by name although no signature lists them.
SKORCH_NAMES = frozenset(
    {
        "compile",
        "criterion",
        "iterator_train",
        "iterator_valid",
        "predict_nonlinearity",
        "torch_load_kwargs",
        "train_split",
        "use_caching",
    }
)

#: The arguments of ``fit`` and ``partial_fit``.
FIT_ARGUMENTS = ("X", "y", "sample_weight", "groups", "classes")

#: Components of skorch whose parameters are reached as ``component__parameter``.
COMPONENTS = (
    "callbacks",
    "compile",
    "criterion",
    "iterator_train",
    "iterator_valid",
    "module",
    "optimizer",
)


def is_skorch_name(name: str, prefixes: Iterable[str] = ()) -> bool:
    """Return whether an attribute of an estimator is a parameter of skorch or of a component.

    Parameters
    ----------
    name : str
    prefixes : iterable of str
        Further components, which skorch does not have.
    """
    component, _, parameter = name.partition("__")
    is_component = component in COMPONENTS or component in prefixes
    return name in SKORCH_NAMES or (is_component and bool(parameter))


def accepted_names(constructor: Callable[..., Any]) -> set[str] | None:
    """Return the keyword parameters of a constructor, or None if it takes any name.

    If a class takes ``**kwargs``, the parameters of its base classes are included.
    """
    names: set[str] = set()
    classes = constructor.__mro__ if isinstance(constructor, type) else (constructor,)
    for cls in classes:
        if cls in (torch.nn.Module, object):  # their **kwargs only raise errors
            return names - {"self"}
        if isinstance(cls, type) and "__init__" not in vars(cls):
            continue
        try:
            signature = inspect.signature(vars(cls)["__init__"] if isinstance(cls, type) else cls)
        except (TypeError, ValueError):
            return None
        parameters = signature.parameters.values()
        names |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return names - {"self"}
    return None


def unknown_name_message(
    estimator: str,
    name: str,
    own: Iterable[str],
    components: Mapping[str, Any],
    prefixes: Iterable[str] = (),
) -> str | None:
    """Return the error message for an unknown parameter, or None for a valid name.

    Parameters
    ----------
    estimator : str
        Name of the class, for the message.
    name : str
        Name of the parameter that the user passed.
    own : iterable of str
        The parameters of the signature.
    components : mapping
        The constructors, as far as known, of `COMPONENTS` and of the estimator's own components.
    prefixes : iterable of str
        Further components, such as those of a subclass.
    """
    component, _, parameter = name.partition("__")
    if name in SKORCH_NAMES:
        return None
    prefixes = {*COMPONENTS, *components, *prefixes}
    valid = {*own, *SKORCH_NAMES, *(f"{prefix}__" for prefix in prefixes)}
    if parameter and component in prefixes:
        constructor = components.get(component)
        names = accepted_names(constructor) if constructor is not None else None
        # skorch accepts param_groups for any optimiser.
        if names is None or parameter.split("__")[0] in names | {"param_groups"}:
            return None
        valid = {f"{component}__{known}" for known in names}
    elif parameter:
        valid = {f"{prefix}__{parameter}" for prefix in prefixes}
    hint = did_you_mean(name, valid, cutoff=0.5)
    shown = sorted(valid if parameter and component in prefixes else {*own, *SKORCH_NAMES})
    return (
        f"Invalid parameter {name!r} for estimator {estimator}.{hint} "
        f"Valid parameters are: {', '.join(shown)}."
    )


def check_fit_params(names: Iterable[str], forward: Callable[..., Any], estimator: str) -> None:
    """Raise a TypeError for arguments of ``fit`` that the network's ``forward`` does not take.

    Parameters
    ----------
    names : iterable of str
        Arguments that ``fit`` passes to ``forward``.
    forward : callable
        The ``forward`` of the network.
    estimator : str
        Name of the class, for the message.
    """
    accepted = accepted_names(forward)
    # skorch's fit_loop takes these.
    known = {"epochs", "_routing_method", *(accepted or ())}
    unknown = [] if accepted is None else [name for name in names if name not in known]
    if unknown:
        hint = did_you_mean(unknown[0], {*FIT_ARGUMENTS, *(accepted or ())})
        raise TypeError(
            f"fit of {estimator} has no argument {unknown[0]!r}, and the network's forward does "
            f"not take it either.{hint}"
        )


def resolve_optimizer(optimizer: Any) -> Callable[..., torch.optim.Optimizer]:
    """Return the constructor for an ``optimizer`` parameter.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    if callable(optimizer):
        return optimizer
    if isinstance(optimizer, str) and optimizer in OPTIMIZERS:
        return OPTIMIZERS[optimizer]
    raise ValueError(
        f"optimizer must be one of {', '.join(sorted(OPTIMIZERS))} or a class of torch.optim, "
        f"got {optimizer!r}.{did_you_mean(optimizer, OPTIMIZERS)}"
    )
