"""Batch normalisation, square and mean pool as one function: the power of each map."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ._batch_norm import gain_and_constant, track_statistics
from ._stacking import is_stacking
from .activation import Square
from .pool import MeanPool

#: Number of values that fit into the second-level cache of a core.
_CACHED_VALUES = 1 << 18

#: The mean of a map is estimated from one in so many samples.
_SUBSAMPLED = 16


def normalised_power(x: Tensor, norm: nn.BatchNorm2d, pool: MeanPool) -> Tensor:
    r"""Normalise maps, square them and take the mean of each pool.

    The result is ``pool(norm(x) ** 2)`` up to rounding, and the running statistics of `norm` are
    updated. Forward and backward pass together take three passes over the maps instead of eight,
    since the statistics of the normalisation follow from the sums over the pools.

    Parameters
    ----------
    x : Tensor, shape (batch, n_maps, 1, n_times)
        The maps.
    norm : torch.nn.BatchNorm2d
        The normalisation of these maps.
    pool : MeanPool
        Of at most `n_times` samples.

    Returns
    -------
    Tensor, shape (batch, n_maps, 1, n_pools)

    Notes
    -----
    With d = x - c for a constant c of each map near its mean, and with the factor g and the
    constant b that batch normalisation applies to d, the mean of a pool is

    .. math:: \overline{(g d + b)^2} = g^2 \overline{d^2} + 2 g b \overline{d} + b^2,

    where c avoids the cancellation of squares in maps with an offset.

    Examples
    --------
    >>> import torch
    >>> x, norm, pool = torch.randn(5, 4, 1, 100), torch.nn.BatchNorm2d(4), MeanPool(30, 10)
    >>> torch.allclose(normalised_power(x, norm, pool), pool(norm(x) ** 2), atol=1e-6)
    True
    """
    count = x.shape[0] * x.shape[-1]
    is_precise = x.dtype in (torch.float32, torch.float64)
    if not is_precise or pool.length % pool.stride or count < 2 or is_stacking():
        pooled: Tensor = pool(Square()(norm(x)))
        return pooled
    # From here on, the axes are in the order of memory, in which maps and time may be swapped.
    x = x.squeeze(2)
    time = 2 if x.stride(2) == 1 else 1
    x = x if time == 2 else x.transpose(1, 2)
    settings = pool.length, pool.stride, time
    running_mean, running_var = norm.running_mean, norm.running_var
    if norm.training or running_mean is None or running_var is None:
        centre = _near_the_mean(x, time)
        of_pools, of_squares, total, total_of_squares = _Moments.apply(x, centre, *settings)
        rest = total / count  # of the mean, beyond the centre
        variance = (total_of_squares / count - rest.square()).to(x.dtype)
        rest = rest.to(x.dtype)
        if norm.training:
            track_statistics(norm, centre + rest, variance, count)
    else:
        of_pools, of_squares, _, _ = _Moments.apply(x, running_mean, *settings)
        rest, variance = torch.zeros_like(running_mean), running_var
    gain, constant = (_of_maps(each, time) for each in gain_and_constant(norm, -rest, variance))
    power = gain.square() * of_squares + (2 * gain * constant) * of_pools + constant.square()
    return (power if time == 2 else power.transpose(1, 2)).unsqueeze(2)


@torch.no_grad()
def _near_the_mean(x: Tensor, time: int) -> Tensor:
    """Return the mean over some samples of each map."""
    some = x[:, ::_SUBSAMPLED] if time == 1 else x[..., ::_SUBSAMPLED]
    return some.mean(dim=(0, time))


class _Moments(torch.autograd.Function):
    """Means over pools, and sums over all samples, of maps minus a constant and of their squares.

    The sums are in float64. The constant serves precision only and has no gradient.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, centre: Tensor, length: int, stride: int, time: int
    ) -> tuple[Tensor, ...]:
        ctx.save_for_backward(x, centre)
        ctx.settings = length, stride, time
        moments = []
        # Where a graph is recorded, a number of pieces would fix the number of trials.
        recorded = torch.compiler.is_compiling()
        for trials in [x] if recorded else x.split(_n_trials_in_cache(x)):
            centred = trials - _of_maps(centre, time)
            parts, rest = _cut(centred, stride, time)
            sums = _sum(parts, time), rest.sum(dim=time)
            centred.square_()
            moments.append((*sums, _sum(parts, time), rest.sum(dim=time)))
        part_sums, rest_sums, part_squares, rest_squares = (
            torch.cat(each) for each in zip(*moments, strict=True)
        )
        pools = _pools(x, length, stride, time)
        return (
            _along(time, part_sums, pools),
            _along(time, part_squares, pools),
            _total(part_sums, rest_sums, time),
            _total(part_squares, rest_squares, time),
        )

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, centre = ctx.saved_tensors
        length, stride, time = ctx.settings
        centre = _of_maps(centre, time)
        of_pools, of_squares, total, total_of_squares = gradients
        # The gradient is factor * x + constant, with one factor and constant for all samples of a
        # part. The samples after the last part are not in any pool.
        factor_of_rest = 2 * _of_maps(total_of_squares.to(x.dtype), time)
        constant_of_rest = _of_maps(total.to(x.dtype), time) - factor_of_rest * centre
        pools = _pools(x, length, stride, time).T
        factor = 2 * _along(time, of_squares, pools)
        constant = _along(time, of_pools, pools) - factor * centre + constant_of_rest
        factor = (factor + factor_of_rest).unsqueeze(time + 1)
        parts, rest = _cut(x, stride, time)
        # For a second derivative, and for torch.compile, which cannot write into a view.
        if torch.is_grad_enabled() or torch.compiler.is_compiling():
            grad_parts = torch.addcmul(constant.unsqueeze(time + 1), parts, factor)
            grad_rest = torch.addcmul(constant_of_rest, rest, factor_of_rest)
            grad_x = torch.cat([grad_parts.flatten(time, time + 1), grad_rest], dim=time)
        else:
            grad_x = torch.empty_like(x)
            grad_parts, grad_rest = _cut(grad_x, stride, time)
            torch.addcmul(constant.unsqueeze(time + 1), parts, factor, out=grad_parts)
            torch.addcmul(constant_of_rest, rest, factor_of_rest, out=grad_rest)
        return grad_x, None, None, None, None


def _n_trials_in_cache(x: Tensor) -> int:
    """Return the number of trials that fit into the cache of a CPU."""
    return max(1, _CACHED_VALUES // x[0].numel()) if x.device.type == "cpu" else len(x)


def _of_maps(values: Tensor, time: int) -> Tensor:
    """Return values of maps in a shape that broadcasts over samples."""
    return values[:, None] if time == 2 else values


def _cut(x: Tensor, part: int, time: int) -> tuple[Tensor, Tensor]:
    """Return parts of `part` samples, on an axis of their own, and the remaining samples."""
    n_parts = x.shape[time] // part
    whole, rest = x.tensor_split([n_parts * part], dim=time)
    return whole.unflatten(time, (n_parts, part)), rest


def _sum(parts: Tensor, time: int) -> Tensor:
    """Return the sum over each part."""
    # A sum over a short last axis takes torch twice as long as a product.
    return parts @ parts.new_ones(parts.shape[3]) if time == 2 else parts.sum(dim=2)


def _total(part_sums: Tensor, rest_sums: Tensor, time: int) -> Tensor:
    """Return the sum over all trials and samples of each map, in float64."""
    return part_sums.double().sum(dim=(0, time)) + rest_sums.double().sum(dim=0)


def _pools(x: Tensor, length: int, stride: int, time: int) -> Tensor:
    """Return the matrix, (n_parts, n_pools), from sums over parts to means over pools."""
    n_each = length // stride
    n_parts = x.shape[time] // stride
    each = x.new_full((n_parts, n_parts - n_each + 1), 1 / length)
    return each.tril().triu(1 - n_each)  # pool i begins with part i


def _along(time: int, values: Tensor, matrix: Tensor) -> Tensor:
    """Multiply the axis of time with a matrix."""
    return values @ matrix if time == 2 else matrix.T @ values
