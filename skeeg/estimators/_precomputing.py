"""Computation of tensors once per trial, rather than in every epoch."""

from __future__ import annotations

from typing import Any

import torch

from ._augmenting import is_augmented
from ._batches import PREDICT_BATCH, BatchLoader
from ._callbacks import responds
from ._hooks import hook, uncompiled
from ._selection import network_of
from ._sharing import share_rows

#: Largest size of the precomputed tensors, in bytes.
_AT_MOST = 2**30


@torch.no_grad()
def precompute(net: Any, trials: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return the result of the network's ``precompute_trials`` for the training trials.

    Parameters
    ----------
    net : NetworkEstimator
        Estimator in a fit.
    trials : torch.Tensor, shape (n_trials, n_chans, n_times)
        The training trials.

    Returns
    -------
    rows : dict of str to torch.Tensor
        Tensors with a row per trial, by the names of arguments of ``forward``. Empty if the network
        precomputes nothing, if the tensors would need too much memory, or if a batch may differ
        from the trials of the data set.
    """
    compute = hook(net.module_, "precompute_trials")
    # One epoch gains nothing, but may be part of a longer training, whose bits it must have.
    is_once = net.max_epochs == 1 and not net.warm_start
    if compute is None or is_once or _batches_may_change(net):
        return {}
    return share_rows(net, trials, lambda: _rows(net, trials, compute))


def _rows(net: Any, trials: torch.Tensor, compute: Any) -> dict[str, torch.Tensor]:
    parts: list[dict[str, torch.Tensor]] = []
    for part in trials.split(PREDICT_BATCH):
        rows = compute(part.to(net.device_))
        parts.append({name: values.cpu() for name, values in rows.items()})
        if sum(values[0].nbytes for values in parts[0].values()) * len(trials) > _AT_MOST:
            return {}
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _batches_may_change(net: Any) -> bool:
    """Return whether batches may differ from the trials of the data set."""
    outer = uncompiled(net.module_)
    module = network_of(outer)
    # Index, in the method resolution order, of the class that defines each of them.
    forward, compute = (
        next(i for i, kind in enumerate(type(module).__mro__) if name in vars(kind))
        for name in ("forward", "precompute_trials")
    )
    return (
        is_augmented(net)
        or net.iterator_train is not BatchLoader
        or "iterator_train__collate_fn" in vars(net)
        or any(responds(callback, "on_batch_begin") for _, callback in net.callbacks_)
        or bool(module._forward_pre_hooks or outer._forward_pre_hooks)
        # A derived class with its own forward may change the trials before it calls the original.
        or forward < compute
        or "forward" in vars(module)
    )
