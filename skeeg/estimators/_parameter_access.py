"""How the parameters of an estimator are listed, set and checked: its own and those of skorch."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Collection, Mapping
from inspect import Parameter
from typing import Any

from .._checks import check_integer, check_number, check_positive_ints
from .._parameters import parameter_names
from ._arithmetic import resolve_device
from ._augmenting import check_augment
from ._callbacks import check_callbacks
from ._names import SKORCH_NAMES, is_skorch_name, resolve_optimizer, unknown_name_message
from ._selection import check_selection

#: More threads than this for each processor only cost memory; very many end the process.
_THREADS_PER_PROCESSOR = 4


def accepting_skorch_parameters(init: Callable[..., None]) -> Callable[..., None]:
    """Return an ``__init__`` that also takes skorch's parameters, which no signature lists."""
    names = set(inspect.signature(init).parameters)

    @functools.wraps(init)
    def __init__(self: Any, **params: Any) -> None:
        init(self, **{name: value for name, value in params.items() if name in names})
        others = {name: value for name, value in params.items() if name not in names}
        store_skorch_parameters(self, others, TypeError)

    return __init__


def signature_names(cls: type) -> list[str]:
    """Return the parameters of the signature of a class, sorted.

    A user's ``__init__(self, *args, **kwargs)`` passes on those of the class above it.
    """
    names: set[str] = set()
    for kind in cls.__mro__:
        if "__init__" not in vars(kind):
            continue
        parameters = list(inspect.signature(vars(kind)["__init__"]).parameters.values())[1:]
        named = (Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        names |= {p.name for p in parameters if p.kind in named}
        if not any(p.kind is Parameter.VAR_POSITIONAL for p in parameters):
            break
    return sorted(names)


def skorch_parameters_set(net: Any) -> list[str]:
    """Return the names of the parameters of skorch that were set on an estimator."""
    prefixes = {*_own_components(net), "selection"}
    return [name for name in vars(net) if is_skorch_name(name, prefixes)]


def _own_components(net: Any) -> set[str]:
    """Return the components that a user's subclass has in addition to those of skorch."""
    return {*net.prefixes_, *net._get_param_names()} - {*parameter_names(type(net))}


def store_skorch_parameters(net: Any, params: Mapping[str, Any], error: type[Exception]) -> None:
    """Set parameters of skorch, after all names have been checked.

    Parameters
    ----------
    net : NetworkEstimator
    params : mapping
        Components such as ``criterion`` and their parameters such as ``criterion__gamma``, which
        are checked against the component that is set with them.
    error : type
        Of what is raised for an unknown name.
    """
    before = dict(net.__dict__)
    net.__dict__.update({name: value for name, value in params.items() if name in SKORCH_NAMES})
    try:
        check_names(net, params, error)
    finally:
        net.__dict__ = before
    for name, value in params.items():
        setattr(net, name, value)


def check_names(net: Any, names: Collection[str], error: type[Exception], advice: str = "") -> None:
    """Raise for a name that neither skorch nor a component has; offer the nearest one."""
    # What makes a component may follow from parameters that are checked in fit only.
    constructors = net._component_constructors() if names else {}
    own = net._get_param_names()
    for name in names:
        message = unknown_name_message(
            type(net).__name__, name, own, constructors, _own_components(net)
        )
        if message is not None:
            raise error(message + advice.format(name))


def check_values(net: Any) -> None:
    """Raise a ValueError or TypeError for a parameter that ``fit`` cannot use."""
    check_integer("max_epochs", net.max_epochs, at_least=0)
    check_positive_ints(n_iter_no_change=net.n_iter_no_change)
    if net.batch_size != "auto" and net.batch_size != -1:
        check_positive_ints(**{'batch_size, where it is not "auto",': net.batch_size})
    check_number("lr", net.lr, above=0)
    check_number("weight_decay", net.weight_decay, at_least=0)
    check_number("validation_fraction", net.validation_fraction, above=0, below=1)
    (n_threads,) = check_positive_ints(n_threads=net.n_threads)
    most = _THREADS_PER_PROCESSOR * (os.cpu_count() or 1)
    if n_threads > most:
        raise ValueError(
            f"n_threads must be at most {most} on this machine, {_THREADS_PER_PROCESSOR} for "
            f"each of its processors; got {n_threads}."
        )
    resolve_optimizer(net.optimizer)
    resolve_device(net.device)
    check_callbacks(net.callbacks)
    check_selection(net)
    check_augment(net)
    # A component may have been replaced after parameters were set for the one before it.
    advice = " It was set for another component; remove it with `del estimator.{}`."
    check_names(net, skorch_parameters_set(net), ValueError, advice)
    if getattr(net, "iterator_valid__shuffle", False):
        raise ValueError(
            "iterator_valid__shuffle=True would return predictions in another order than that "
            "of the trials. Leave it out."
        )
