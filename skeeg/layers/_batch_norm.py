"""Parts of batch normalisation, for layers that compute it themselves."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._stacking import is_stacking


@torch.no_grad()
def track_statistics(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor, count: int) -> None:
    """Update the running statistics of a layer, if it has any, as its training does.

    Parameters
    ----------
    norm : torch.nn.BatchNorm2d
    mean, variance : Tensor, shape (n_maps,)
        Statistics of a batch; the variance is the biased one, divided by `count`.
    count : int
        Number of values of each map.
    """
    running_mean, running_var = norm.running_mean, norm.running_var
    if running_mean is None or running_var is None or norm.num_batches_tracked is None:
        return
    norm.num_batches_tracked.add_(1)
    # With momentum None, torch averages over all batches.
    momentum = norm.momentum
    if momentum is None:
        momentum = 1.0 / float(norm.num_batches_tracked)
    unbiased = variance * (count / (count - 1))
    if is_stacking():  # torch.vmap has no lerp
        running_mean.mul_(1 - momentum).add_(mean, alpha=momentum)
        running_var.mul_(1 - momentum).add_(unbiased, alpha=momentum)
        return
    running_mean.lerp_(mean.to(running_mean.dtype), momentum)
    running_var.lerp_(unbiased.to(running_var.dtype), momentum)


def gain_and_constant(
    norm: nn.BatchNorm2d, value: Tensor, variance: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the factor by which a layer multiplies each map, and its output for one value of it.

    Parameters
    ----------
    norm : torch.nn.BatchNorm2d
    value : Tensor, shape (n_maps,)
        A value of each map, minus the mean of the map.
    variance : Tensor, shape (n_maps,)
        The variance that the layer divides by.

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
    """Return whether a layer is torch's batch normalisation, without hooks."""
    return type(norm) is nn.BatchNorm2d and not is_watched(norm)


def is_watched(layer: nn.Module) -> bool:
    """Return whether a layer has hooks, or a ``forward`` that was replaced."""
    forward = layer._forward_hooks or layer._forward_pre_hooks or "forward" in vars(layer)
    return bool(forward or layer._backward_hooks or layer._backward_pre_hooks)
