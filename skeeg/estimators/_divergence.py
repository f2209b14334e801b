"""Errors of trainings that diverge: no estimator is left that returns NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ._loss import checked_output

#: Training trials that are predicted after a fit to see whether the output is finite.
_TRIALS_TRIED = 8


def check_losses(net: Any) -> None:
    """Raise a ValueError if a loss of the last epoch is not finite."""
    losses = net.history[-1, "batches", :, "train_loss"]
    if not np.isfinite(losses).all():
        raise ValueError(_message(net, "loss is not finite"))


def check_weights(net: Any) -> None:
    """Raise a ValueError if weights of the network are not finite after a training."""
    if not all(bool(torch.isfinite(value).all()) for value in net.module_.state_dict().values()):
        raise ValueError(_message(net, "weights are not finite"))


def check_output(net: Any, trials: torch.Tensor) -> None:
    """Raise a ValueError if the output for some training trials is not finite.

    Parameters
    ----------
    net : NetworkEstimator
        After its training.
    trials : torch.Tensor, shape (n_trials, ...)
        The training trials.
    """
    if not len(net.history):
        return
    output = checked_output(net, net.evaluation_step((trials[:_TRIALS_TRIED], None)))
    if not bool(torch.isfinite(output).all()):
        raise ValueError(_message(net, "output is not finite"))


def _message(net: Any, what: str) -> str:
    return (
        f"The training of {type(net).__name__} diverged in epoch {len(net.history)}: the {what}. "
        f"Use a lower learning rate (lr is {net.lr:g}), and look for extreme values among the "
        "trials and in alpha."
    )
