"""Batches of a training or a prediction: how many trials, in which order, drawn from what."""

from __future__ import annotations

import warnings
from typing import Any

import torch

from .._warnings import user_stacklevel
from ..layers._random import current_generator
from ._batches import PREDICT_BATCH, BatchLoader, TrialDataset
from ._names import accepted_names

#: Steps of an epoch with ``batch_size="auto"``, at least. Trials are few in the calibration of one
#: subject: as one batch they would be one step an epoch, and as batches of two or three their
#: batch statistics would be noise. So batches hold at least four, and are drawn more than once if
#: need be.
_FEWEST_STEPS = 12

#: Data of at most this many values are predicted trial by trial. The last bit of exp and log
#: depends on the position of a value in a tensor. A trial by itself always has the same output,
#: which costs nothing where data are this few.
_PREDICT_ALONE = 2**14


def make_loader(net: Any, dataset: Any, *, training: bool) -> Any:
    """Return an iterator over batches.

    Parameters
    ----------
    net : NetworkEstimator
    dataset : TrialDataset
    training : bool
        Whether batches are drawn in a new order each epoch.

    Returns
    -------
    loader : iterable of (X, y)
        Made by the parameter ``iterator_train`` or ``iterator_valid``.
    """
    make = net.iterator_train if training else net.iterator_valid
    options = net.get_params_for("iterator_train" if training else "iterator_valid")
    names = {"generator"} if make is BatchLoader else accepted_names(make)
    if "batch_sampler" not in options:
        options.setdefault("batch_size", batch_size_of(net, dataset, training))
        if options["batch_size"] == -1:
            options["batch_size"] = len(dataset)
        if training and net.batch_size == "auto" and make is BatchLoader:
            options.setdefault(
                "n_passes", -(-_FEWEST_STEPS * options["batch_size"] // len(dataset))
            )
        if training and "sampler" not in options:
            options.setdefault("shuffle", True)
    if names is None or "generator" in names:
        # Loaders of torch draw even in order. Predictions and validations have a generator of
        # their own, so that they do not change what the training draws.
        of_fit = current_generator("cpu") if training else None
        options.setdefault("generator", torch.Generator() if of_fit is None else of_fit)
    return make(dataset, **options)


def batch_size_of(net: Any, dataset: Any, training: bool) -> int:
    """Return the number of trials in a batch."""
    n_trials = len(dataset)
    if not training:
        if net.batch_size == -1 and getattr(dataset, "labelled", True):
            return n_trials
        alone = isinstance(dataset, TrialDataset) and not dataset.labelled
        return 1 if alone and dataset.trials.numel() <= _PREDICT_ALONE else PREDICT_BATCH
    if net.batch_size == -1:
        return n_trials
    if net.batch_size == "auto":
        return min(n_trials, max(4, min(64, n_trials // _FEWEST_STEPS)))
    if int(net.batch_size) > n_trials:
        warnings.warn(
            f"batch_size {net.batch_size} is larger than the {n_trials} training trials; "
            "each epoch is one step on all of them.",
            stacklevel=user_stacklevel(),
        )
        return n_trials
    return int(net.batch_size)
