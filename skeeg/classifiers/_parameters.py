"""Parameters: which names a classifier takes besides its signature, and which values are sound."""

from __future__ import annotations

import difflib
import inspect
import numbers
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

#: Optimisers by name; any ``torch.optim.Optimizer`` class can be passed instead.
OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}

#: Those that update all weights in one kernel on every device; a network has many small tensors.
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

#: Components that skorch does not know, of classifiers that have them.
OWN_COMPONENTS = ("selection",)


def is_skorch_name(name: str) -> bool:
    """Whether ``name`` is stored on an estimator as a parameter of skorch or of a component."""
    component, _, parameter = name.partition("__")
    return name in SKORCH_NAMES or (component in (*COMPONENTS, *OWN_COMPONENTS) and bool(parameter))


def accepted_names(constructor: Callable[..., Any]) -> set[str] | None:
    """Return the keyword parameters of a constructor, or None where it takes any.

    A ``**kwargs`` of a class is followed to the constructors of its bases.
    """
    names: set[str] = set()
    classes = constructor.__mro__ if isinstance(constructor, type) else (constructor,)
    for cls in classes:
        if cls in (torch.nn.Module, object):  # whose **kwargs only serve to refuse arguments
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
    estimator: str, name: str, own: Iterable[str], components: Mapping[str, Any]
) -> str | None:
    """Say what is wrong with the name of a parameter, or return None for a good one.

    Parameters
    ----------
    estimator : str
        Name of the class, for the message.
    name : str
        What the user passed.
    own : iterable of str
        The parameters of the signature.
    components : mapping
        The constructor of each of `COMPONENTS` where one is known, and of the estimator's own.
    """
    component, _, parameter = name.partition("__")
    if name in SKORCH_NAMES:
        return None
    prefixes = {*COMPONENTS, *components}
    valid = {*own, *SKORCH_NAMES, *(f"{prefix}__" for prefix in prefixes)}
    if parameter and component in prefixes:
        constructor = components.get(component)
        names = accepted_names(constructor) if constructor is not None else None
        # skorch sets options of groups of weights by this name, whatever the optimiser.
        if names is None or parameter.split("__")[0] in names | {"param_groups"}:
            return None
        valid = {f"{component}__{known}" for known in names}
    elif parameter:
        valid = {f"{prefix}__{parameter}" for prefix in prefixes}
    close = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    shown = sorted(valid if parameter and component in prefixes else own)
    return f"{estimator} has no parameter {name!r}.{hint} Valid names: {', '.join(shown)}."


def check_number(
    name: str,
    value: Any,
    kind: type,
    *,
    low: float,
    high: float = float("inf"),
    open_low: bool = False,
    open_high: bool = False,
) -> None:
    """Raise unless ``value`` is a number of ``kind`` in an interval.

    Raises
    ------
    ValueError
        Names the parameter, what came and what was expected.
    """
    sound = isinstance(value, kind) and not isinstance(value, bool)
    if sound:
        sound = (value > low if open_low else value >= low) and (
            value < high if open_high else value <= high
        )
    if not sound:
        what = "an integer" if kind is numbers.Integral else "a number"
        left, right = "(" if open_low else "[", ")" if open_high or high == float("inf") else "]"
        raise ValueError(f"{name} must be {what} in {left}{low:g}, {high:g}{right}, got {value!r}.")


def resolve_optimizer(optimizer: Any) -> Callable[..., torch.optim.Optimizer]:
    """Return the constructor that an ``optimizer`` parameter means.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    if callable(optimizer):
        return optimizer
    if isinstance(optimizer, str) and optimizer in OPTIMIZERS:
        return OPTIMIZERS[optimizer]
    close = difflib.get_close_matches(str(optimizer), OPTIMIZERS, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(
        f"optimizer must be one of {', '.join(sorted(OPTIMIZERS))} or a class of torch.optim, "
        f"got {optimizer!r}.{hint}"
    )
