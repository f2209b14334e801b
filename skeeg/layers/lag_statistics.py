"""What the taps of a kernel see of a batch: means, and covariances at all lags.

They decide the mean and the variance of the output of *any* kernel of that length, w'm and w'Gw,
so batch normalisation needs neither the kernels' outputs nor a second look at the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

#: Values that are worked on at once: they stay in a processor's cache, and sums over them keep
#: their digits in single precision. The pieces' sums are added up in float64.
_PIECE = 2**18

#: Every so many samples one is looked at to guess the common offset.
_OFFSET_STRIDE = 16


@dataclass(frozen=True)
class LagStatistics:
    """Mean and covariance of what the taps of a kernel see, in float64.

    Parameters
    ----------
    mean : Tensor, shape (kernel_length,)
        Mean over trials, electrodes and output times of the sample under each tap.
    covariance : Tensor, shape (kernel_length, kernel_length)
        Covariance of the samples under every two taps.
    count : int
        Number of outputs that a kernel has over the batch.
    """

    mean: Tensor
    covariance: Tensor
    count: int


def lag_statistics(x: Tensor, length: int, padding: tuple[int, int]) -> LagStatistics:
    """Return mean and covariance of what each tap of a kernel sees of zero-padded signals.

    Parameters
    ----------
    x : Tensor, shape (batch, n_chans, n_times)
        Trials; every electrode is a signal of its own.
    length : int
        Samples of the kernel.
    padding : (int, int)
        Zeros before and after each signal.

    Returns
    -------
    LagStatistics
        Differentiable by `x`.

    Raises
    ------
    ValueError
        If a kernel would have a single output, which has no variance.
    """
    window = _window(x.shape[-1], length, *padding, x.device)
    count = _count(x.shape, length, padding)
    seen = _CentredSums(*(of[0] for of in _centred_sums(x.flatten(0, 1)[None], length, window)))
    share = window.inside.diagonal() / window.n_out
    mean = seen.sums / count
    cross = seen.while_inside / count - torch.outer(mean, share)
    offsets = window.inside / window.n_out - torch.outer(share, share)
    covariance = (
        seen.products / count
        - torch.outer(mean, mean)
        + seen.offset * (cross + cross.T)
        + seen.offset**2 * offsets
    )
    return LagStatistics(mean + seen.offset * share, covariance, count)


def lag_sums(x: Tensor, length: int, padding: tuple[int, int]) -> Tensor:
    """Return, trial by trial, all that `lag_statistics` needs to know of it.

    Trials that come back epoch after epoch need to be looked at only once.

    Parameters
    ----------
    x, length, padding
        As in `lag_statistics`.

    Returns
    -------
    Tensor, shape (batch, K + K (K + 1) / 2)
        In float64: the sums of the samples under each of the K taps, then of the products of the
        samples under every two taps. A common offset is in them, and costs the digits of its
        square, which single precision does not have.
    """
    window = _window(x.shape[-1], length, *padding, x.device)
    upper = torch.triu_indices(length, length, device=x.device)
    n_chans, n_times = x.shape[1:]
    n_together = max(1, _PIECE // (max(n_times, length) * max(n_chans, length)))
    rows = []
    for trials in x.split(n_together):
        seen = _centred_sums(trials, length, window)
        offset = seen.offset[:, None]
        shifted = offset[..., None] * (seen.while_inside + seen.while_inside.mT)
        constant = n_chans * window.inside
        products = seen.products + shifted + offset[..., None] ** 2 * constant
        sums = seen.sums + offset * constant.diagonal()
        rows.append(torch.cat([sums, products[:, upper[0], upper[1]]], dim=1))
    return torch.cat(rows)


def statistics_of_sums(
    packed: Tensor, shape: torch.Size, length: int, padding: tuple[int, int]
) -> LagStatistics:
    """Return what `lag_statistics` returns of trials whose `lag_sums` are known.

    Parameters
    ----------
    packed : Tensor, shape (batch, K + K (K + 1) / 2)
        As from `lag_sums`.
    shape : torch.Size
        That of the trials, (batch, n_chans, n_times).
    length, padding
        As in `lag_statistics`.

    Returns
    -------
    LagStatistics
    """
    count = _count(shape, length, padding)
    average = packed.sum(dim=0) / count
    mean, products = average[:length], average[_places(length, packed.device)]
    return LagStatistics(mean, products - torch.outer(mean, mean), count)


@lru_cache(maxsize=64)
def _places(length: int, device: torch.device) -> Tensor:
    """Return where the product under every two taps stands in a row of `lag_sums`, (K, K)."""
    places = torch.zeros(length, length, dtype=torch.int64, device=device)
    upper = torch.triu_indices(length, length, device=device)
    places[upper[0], upper[1]] = length + torch.arange(upper.shape[1], device=device)
    return torch.maximum(places, places.T)


def _count(shape: torch.Size, length: int, padding: tuple[int, int]) -> int:
    """Return the number of a kernel's outputs over the batch."""
    batch, n_chans, n_times = shape
    count = batch * n_chans * (n_times + sum(padding) - length + 1)
    if count < 2:  # as torch's own batch normalisation says it
        raise ValueError(
            "Expected more than 1 value per channel when training: a single output of one trial "
            "and one channel has no variance."
        )
    return count


class _CentredSums(NamedTuple):
    """Sums over a group's signals and outputs of what the taps see of the signals less `offset`.

    ``sums`` are those under each tap, ``products`` under every two taps, and ``while_inside[k, l]``
    that under tap k as long as tap l is inside the signal. Each has a row per group.
    """

    offset: Tensor
    sums: Tensor
    products: Tensor
    while_inside: Tensor


def _centred_sums(signals: Tensor, length: int, window: _Window) -> _CentredSums:
    """Return the sums over the signals of each group, (n_groups, n_signals, n_times)."""
    n_groups, _, n_times = signals.shape
    # The square of a common offset would drown the variance in single precision, so a guess of it
    # is taken off first; algebra adds it again, which is exact whatever the guess.
    offset = signals.detach()[..., ::_OFFSET_STRIDE].mean(dim=(1, 2))
    course = signals.new_zeros(n_groups, n_times, dtype=torch.float64)
    products = signals.new_zeros(n_groups, length, length, dtype=torch.float64)
    for piece in signals.split(max(1, _PIECE // (n_groups * n_times)), dim=1):
        centred = piece - offset[:, None, None]
        course = course + centred.sum(dim=1)
        products = products + _tap_products(centred, length, window)
    passed = F.pad(course.cumsum(dim=1), (1, 0))
    return _CentredSums(
        offset=offset.double(),
        sums=passed[:, window.last] - passed[:, window.first],
        products=products,
        while_inside=passed[:, window.last_of_two] - passed[:, window.first_of_two],
    )


@dataclass(frozen=True)
class _Window:
    """What the position of each tap in a padded signal decides, whatever the signal.

    Output t sees, at tap k, sample t + k - before, which is inside the signal for some outputs
    only: tap k sees the samples ``first[k]`` to ``last[k]``, the latter excluded, and those from
    ``first_of_two[k, l]`` to ``last_of_two[k, l]`` while tap l is inside, too, which
    ``inside[k, l]`` outputs are. Taps k and l see products at lag ``lag[k, l]``, of which those of
    the first ``passed`` and of the last ``unreached`` samples are cut off.
    """

    n_out: int
    first: Tensor
    last: Tensor
    first_of_two: Tensor
    last_of_two: Tensor
    inside: Tensor
    lag: Tensor
    passed: Tensor
    unreached: Tensor


@lru_cache(maxsize=64)
def _window(n_times: int, length: int, before: int, after: int, device: torch.device) -> _Window:
    n_out = n_times + before + after - length + 1
    tap = torch.arange(length, device=device)
    start = (before - tap).clamp(0, n_out)  # outputs for which each tap is inside the signal
    stop = (before + n_times - tap).clamp(0, n_out).maximum(start)
    start_of_two = torch.maximum(start[:, None], start)
    stop_of_two = torch.minimum(stop[:, None], stop).maximum(start_of_two)
    sample = tap - before  # that each tap sees at the first output
    return _Window(
        n_out=n_out,
        first=(start + sample).clamp(0, n_times),
        last=(stop + sample).clamp(0, n_times),
        first_of_two=(start_of_two + sample[:, None]).clamp(0, n_times),
        last_of_two=(stop_of_two + sample[:, None]).clamp(0, n_times),
        inside=(stop_of_two - start_of_two).double(),
        lag=(tap[None, :] - tap[:, None]).clamp_min(0),
        passed=(tap[:, None] - before).clamp_min(0).expand(length, length),
        unreached=(length - 1 - after - tap[None, :]).clamp_min(0).expand(length, length),
    )


def _tap_products(x: Tensor, length: int, window: _Window) -> Tensor:
    """Return the sums over signals and outputs of the products under every two taps, (G, K, K).

    The product under taps k and l >= k is the autocorrelation at lag l - k, less what the window
    cuts off: products of the first samples, which tap k has passed already, and of the last ones,
    which tap l does not reach.
    """
    lags = _autocorrelation(x, length)
    edge = min(length, x.shape[-1])
    head = _diagonal_sums(_edge_products(x[..., :edge], length))
    tail = _diagonal_sums(_edge_products(x[..., x.shape[-1] - edge :].flip(-1), length))
    cut = head[:, window.passed, window.lag] + tail[:, window.unreached, window.lag]
    upper = torch.triu(lags[:, window.lag] - cut)
    return upper + torch.triu(upper, 1).mT


def _autocorrelation(x: Tensor, length: int) -> Tensor:
    """Return the autocorrelation at lags 0 to length - 1, summed over signals, (G, K) in float64.

    Cut into frames of `length` samples, products at these lags are products within a frame or of a
    frame and the next one, so two matrix products give all of them. The zeros that end a signal
    keep it apart from the next.
    """
    n_frames = -(-(x.shape[-1] + length - 1) // length)
    padded = F.pad(x, (0, n_frames * length - x.shape[-1]))
    frames = padded.reshape(len(x), -1, length)
    here = frames.mT @ frames
    following = frames[:, :-1].mT @ frames[:, 1:]
    return _skewed(torch.cat([here, following], dim=2).double()).sum(dim=1)


def _edge_products(x: Tensor, length: int) -> Tensor:
    """Return the sums over signals of the products of their samples, zero-padded to (G, K, K)."""
    edge = F.pad(x, (0, length - x.shape[-1])).double()
    return edge.mT @ edge


def _diagonal_sums(products: Tensor) -> Tensor:
    """Return, at [g, n, lag], the sum of products[g, i, i + lag] over i < n; (G, K + 1, K)."""
    length = products.shape[-1]
    diagonals = _skewed(F.pad(products, (0, length)))
    return F.pad(diagonals.cumsum(dim=1), (0, 0, 1, 0))


def _skewed(products: Tensor) -> Tensor:
    """Return products[g, i, i + lag] at [g, i, lag], of matrices of shape (K, 2 K)."""
    n_groups, length, width = products.shape
    strides = (length * width, width + 1, 1)
    return products.contiguous().as_strided((n_groups, length, length), strides)
