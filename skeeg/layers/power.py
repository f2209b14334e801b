"""Batch normalisation, the square and a mean pool as one function: the power of each map."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ._batch_norm import gain_and_constant, track_statistics
from .activation import Square
from .pool import MeanPool

#: As many as stay in a core's second cache, with some room.
_CACHED_VALUES = 1 << 18

#: One in so many samples says well enough where the mean of a map is.
_SUBSAMPLED = 16


def normalised_power(x: Tensor, norm: nn.BatchNorm2d, pool: MeanPool) -> Tensor:
    r"""Normalise maps, square them and take the mean of each pool.

    It is ``pool(norm(x) ** 2)`` to rounding, with the running statistics of `norm` updated as it
    would, in three passes over the maps rather than eight, forward and backward together: what
    normalisation does to a map is known from the sums over the pools that follow.

    Parameters
    ----------
    x : Tensor, shape (batch, n_maps, 1, n_times)
        The maps.
    norm : torch.nn.BatchNorm2d
        Of these maps.
    pool : MeanPool
        Of at most `n_times` samples.

    Returns
    -------
    Tensor, shape (batch, n_maps, 1, n_pools)

    Notes
    -----
    With d = x - c for a constant c of each map near its mean, and g and b what batch normalisation
    multiplies d with and adds, the mean of a pool is

    .. math:: \overline{(g d + b)^2} = g^2 \overline{d^2} + 2 g b \overline{d} + b^2,

    where c keeps the squares of maps with an offset from cancelling.

    Examples
    --------
    >>> import torch
    >>> x, norm, pool = torch.randn(5, 4, 1, 100), torch.nn.BatchNorm2d(4), MeanPool(30, 10)
    >>> torch.allclose(normalised_power(x, norm, pool), pool(norm(x) ** 2), atol=1e-6)
    True
    """
    count = x.shape[0] * x.shape[-1]
    if x.dtype not in (torch.float32, torch.float64) or pool.length % pool.stride or count < 2:
        pooled: Tensor = pool(Square()(norm(x)))
        return pooled
    # From here on the axes are as they lie in memory, where those of maps and time may be swapped.
    x = x.squeeze(2)
    time = 2 if x.stride(2) == 1 else 1
    x = x if time == 2 else x.transpose(1, 2)
    settings = pool.length, pool.stride, time
    running_mean, running_var = norm.running_mean, norm.running_var
    if norm.training or running_mean is None or running_var is None:
        centre = _near_the_mean(x, time)
        of_pools, of_squares, total, total_of_squares = _Moments.apply(x, centre, *settings)
        rest = total / count  # of the mean
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
    """Return the mean of some samples of each map."""
    some = x[:, ::_SUBSAMPLED] if time == 1 else x[..., ::_SUBSAMPLED]
    return some.mean(dim=(0, time))


class _Moments(torch.autograd.Function):
    """Means over pools, and sums over all, of maps less a constant and of their squares.

    The sums are of float64. The constant is none of the function, which only uses it to be precise,
    so it has no gradient.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, centre: Tensor, length: int, stride: int, time: int
    ) -> tuple[Tensor, ...]:
        ctx.save_for_backward(x, centre)
        ctx.settings = length, stride, time
        moments = []
        for trials in x.split(_n_trials_in_cache(x)):
            centred = trials - _of_maps(centre, time)
            parts, rest = _cut(centred, stride, time)
            sums = _sum(parts, time), rest.sum(dim=time)
            centred.square_()
            moments.append((*sums, _sum(parts, time), rest.sum(dim=time)))
        by_part, by_rest, squares_by_part, squares_by_rest = (
            torch.cat(each) for each in zip(*moments, strict=True)
        )
        pools = _pools(x, length, stride, time)
        return (
            _along(time, by_part, pools),
            _along(time, squares_by_part, pools),
            _total(by_part, by_rest, time),
            _total(squares_by_part, squares_by_rest, time),
        )

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, centre = ctx.saved_tensors
        length, stride, time = ctx.settings
        centre = _of_maps(centre, time)
        of_pools, of_squares, total, total_of_squares = gradients
        # It is factor * x + constant, the same for all samples of a part; the samples after the
        # last part are in no pool.
        factor_of_rest = 2 * _of_maps(total_of_squares.to(x.dtype), time)
        constant_of_rest = _of_maps(total.to(x.dtype), time) - factor_of_rest * centre
        pools = _pools(x, length, stride, time).T
        factor = 2 * _along(time, of_squares, pools)
        constant = _along(time, of_pools, pools) - factor * centre + constant_of_rest
        factor = (factor + factor_of_rest).unsqueeze(time + 1)
        parts, rest = _cut(x, stride, time)
        # The gradient will be differentiated, or torch.compile, which cannot write into a view,
        # writes it once anyhow.
        if torch.is_grad_enabled() or torch.compiler.is_compiling():
            by_parts = torch.addcmul(constant.unsqueeze(time + 1), parts, factor)
            by_rest = torch.addcmul(constant_of_rest, rest, factor_of_rest)
            by_x = torch.cat([by_parts.flatten(time, time + 1), by_rest], dim=time)
        else:
            by_x = torch.empty_like(x)
            by_parts, by_rest = _cut(by_x, stride, time)
            torch.addcmul(constant.unsqueeze(time + 1), parts, factor, out=by_parts)
            torch.addcmul(constant_of_rest, rest, factor_of_rest, out=by_rest)
        return by_x, None, None, None, None


def _n_trials_in_cache(x: Tensor) -> int:
    """Return how many trials to take at once, such that a CPU's cache holds them."""
    return max(1, _CACHED_VALUES // x[0].numel()) if x.device.type == "cpu" else len(x)


def _of_maps(values: Tensor, time: int) -> Tensor:
    """Return a value for each map such that it applies to all samples."""
    return values[:, None] if time == 2 else values


def _cut(x: Tensor, part: int, time: int) -> tuple[Tensor, Tensor]:
    """Return the parts of so many samples, on an axis of their own, and the samples left over."""
    n_parts = x.shape[time] // part
    whole, rest = x.tensor_split([n_parts * part], dim=time)
    return whole.unflatten(time, (n_parts, part)), rest


def _sum(parts: Tensor, time: int) -> Tensor:
    """Return the sum over each part."""
    # torch adds along a short last axis at half the speed of a product.
    return parts @ parts.new_ones(parts.shape[3]) if time == 2 else parts.sum(dim=2)


def _total(by_part: Tensor, by_rest: Tensor, time: int) -> Tensor:
    """Return the sum over all trials and samples of each map, in float64."""
    return by_part.double().sum(dim=(0, time)) + by_rest.double().sum(dim=0)


def _pools(x: Tensor, length: int, stride: int, time: int) -> Tensor:
    """Return the matrix, (n_parts, n_pools), that makes means over pools of sums over parts."""
    n_each = length // stride
    n_parts = x.shape[time] // stride
    each = x.new_full((n_parts, n_parts - n_each + 1), 1 / length)
    return each.tril().triu(1 - n_each)  # the first part of a pool has its number


def _along(time: int, values: Tensor, matrix: Tensor) -> Tensor:
    """Multiply the axis of time with a matrix."""
    return values @ matrix if time == 2 else matrix.T @ values
