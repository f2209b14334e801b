"""Trainings that share checked trials, and what their networks compute once per trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch

from ._batches import TrialDataset
from ._hooks import uncompiled
from ._saved_state import FITTED

#: Attributes that checking the arguments of ``fit`` sets.
_FOUND = (*FITTED, "_class_weights")


class _Shared:
    """What the first of several trainings with the same arguments found."""

    def __init__(self) -> None:
        self.arguments: tuple[Any, ...] = ()
        self.found: dict[str, Any] = {}
        self.dataset: TrialDataset | None = None
        self.network: tuple[Any, ...] = ()
        self.rows: dict[str, torch.Tensor] = {}


_SHARED: ContextVar[_Shared | None] = ContextVar("_SHARED", default=None)


@contextmanager
def shared_training_data() -> Iterator[None]:
    """Let fits of clones to the same arguments check, scale and precompute the trials once.

    The fits are to the last bit those without it: what is shared does not depend on their seeds.
    """
    token = _SHARED.set(_Shared())
    try:
        yield
    finally:
        _SHARED.reset(token)


def share_dataset(
    net: Any, arguments: tuple[Any, ...], compute: Callable[[], TrialDataset]
) -> TrialDataset:
    """Return the data of a training, those of an earlier one if it had the same arguments.

    Parameters
    ----------
    net : NetworkEstimator
        Gets the attributes that ``fit`` finds in its arguments.
    arguments : tuple
        Of ``fit`` or ``partial_fit``; the same objects are the same arguments.
    compute : callable
        Returns the data set, and sets the attributes.

    Returns
    -------
    dataset : TrialDataset
    """
    shared = _SHARED.get()
    # Selected channels have a scale of their own, which replaces the trials of the data set. What a
    # user's class finds in the arguments is not known.
    selects = getattr(net, "n_selected_chans", None) is not None
    if shared is None or selects or not type(net).__module__.startswith("skeeg."):
        return compute()
    arguments = (type(net), repr(getattr(net, "class_weight", None)), *arguments)
    if shared.dataset is None or not _same(arguments, shared.arguments):
        shared.dataset = compute()
        shared.arguments = arguments
        shared.found = {name: value for name, value in vars(net).items() if name in _FOUND}
        shared.network = ()
    else:
        for name in _FOUND:
            vars(net).pop(name, None)
        vars(net).update(shared.found)
    return shared.dataset.shallow()


def share_rows(
    net: Any, trials: torch.Tensor, compute: Callable[[], dict[str, torch.Tensor]]
) -> dict[str, torch.Tensor]:
    """Return what a network precomputes, that of an earlier one like it for the same trials.

    Parameters
    ----------
    net : NetworkEstimator
    trials : torch.Tensor
    compute : callable
        Returns the rows of each trial.

    Returns
    -------
    rows : dict of str to torch.Tensor
    """
    shared = _SHARED.get()
    kind = type(uncompiled(net.module_))
    # Networks of skeeg precompute what depends on their parameters, not on their weights.
    if (
        shared is None
        or shared.dataset is None
        or trials is not shared.dataset.trials
        or not kind.__module__.startswith("skeeg.networks.")
    ):
        return compute()
    network = (kind, repr(net.get_params_for("module")), net.device_, net.n_threads)
    if network != shared.network:
        shared.rows, shared.network = compute(), network
    return shared.rows


def _same(arguments: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    return len(arguments) == len(others) and all(
        one is other or (isinstance(one, (bool, str)) and one == other)
        for one, other in zip(arguments, others, strict=True)
    )
