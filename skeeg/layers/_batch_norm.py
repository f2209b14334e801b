"""What layers that normalise by themselves share with torch's batch normalisation."""

from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.no_grad()
def track_statistics(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor, count: int) -> None:
    """Update the running statistics of a layer as it would in training, if it has any.

    Parameters
    ----------
    norm : torch.nn.BatchNorm2d
    mean, variance : Tensor, shape (n_maps,)
        Of a batch; the variance is that of the values themselves, not corrected for their number.
    count : int
        How many values of each map they are of.
    """
    running_mean, running_var = norm.running_mean, norm.running_var
    if running_mean is None or running_var is None or norm.num_batches_tracked is None:
        return
    norm.num_batches_tracked.add_(1)
    # With momentum None, torch averages over all batches.
    momentum = norm.momentum
    if momentum is None:
        momentum = 1.0 / float(norm.num_batches_tracked)
    running_mean.lerp_(mean.to(running_mean.dtype), momentum)
    running_var.lerp_((variance * (count / (count - 1))).to(running_var.dtype), momentum)


def gain_and_constant(
    norm: nn.BatchNorm2d, value: Tensor, variance: Tensor
) -> tuple[Tensor, Tensor]:
    """Return what a layer multiplies each map with, and what it makes of a value of the map.

    Parameters
    ----------
    norm : torch.nn.BatchNorm2d
    value : Tensor, shape (n_maps,)
        Less the mean of its map.
    variance : Tensor, shape (n_maps,)
        As the layer would use it.

    Returns
    -------
    gain, constant : Tensor, shape (n_maps,)
    """
    gain = torch.rsqrt(variance + norm.eps)
    if not norm.affine:
        return gain, value * gain
    gain = gain * norm.weight
    return gain, value * gain + norm.bias


def is_plain(norm: nn.Module) -> bool:
    """Return whether a layer is a batch normalisation that nobody looks at."""
    return type(norm) is nn.BatchNorm2d and not is_watched(norm)


def is_watched(layer: nn.Module) -> bool:
    """Return whether somebody wants to see what goes in and out of a layer, or to change it."""
    forward = layer._forward_hooks or layer._forward_pre_hooks or "forward" in vars(layer)
    return bool(forward or layer._backward_hooks or layer._backward_pre_hooks)
