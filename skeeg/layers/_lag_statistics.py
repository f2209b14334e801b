"""Means and covariances of the samples under the taps of a kernel, over a batch.

They determine the mean w'm and the variance w'Gw of the output of *any* kernel w of that length, so
that batch normalisation needs neither the outputs of the kernels nor a second pass over the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

#: Number of values that are summed at once: they fit into a processor's cache, and their sums are
#: precise in single precision. The sums of the pieces are added up in float64.
_PIECE = 2**18

#: The common offset is estimated from one in so many samples.
_OFFSET_STRIDE = 16


@dataclass(frozen=True)
class LagStatistics:
    """Mean and covariance of the samples under the taps of a kernel, in float64.

    Parameters
    ----------
    mean : Tensor, shape (kernel_length,)
        Mean over trials, electrodes and output times of the sample under each tap.
    covariance : Tensor, shape (kernel_length, kernel_length)
        Covariance of the samples under every two taps.
    count : int
        Number of outputs of a kernel over the batch.
    """

    mean: Tensor
    covariance: Tensor
    count: int


def lag_statistics(x: Tensor, length: int, padding: tuple[int, int]) -> LagStatistics:
    """Return mean and covariance of the samples of zero-padded signals under a kernel's taps.

    Parameters
    ----------
    x : Tensor, shape (batch, n_chans, n_times)
        Trials; each electrode is a signal.
    length : int
        Samples of the kernel.
    padding : (int, int)
        Zeros before and after each signal.

    Returns
    -------
    LagStatistics
        Differentiable with respect to `x`.

    Raises
    ------
    ValueError
        If a kernel would have a single output, which has no variance.
    """
    window = _window(x.shape[-1], length, *padding, x.device)
    count = _count(x.shape, length, padding)
    centred = _CentredSums(*(of[0] for of in _centred_sums(x.flatten(0, 1)[None], length, window)))
    share = window.inside.diagonal() / window.n_out
    mean = centred.sums / count
    cross = centred.while_inside / count - torch.outer(mean, share)
    offsets = window.inside / window.n_out - torch.outer(share, share)
    covariance = (
        centred.products / count
        - torch.outer(mean, mean)
        + centred.offset * (cross + cross.T)
        + centred.offset**2 * offsets
    )
    return LagStatistics(mean + centred.offset * share, covariance, count)


def lag_sums(x: Tensor, length: int, padding: tuple[int, int]) -> Tensor:
    """Return the sums over each trial from which `lag_statistics` can be computed.

    They are the same in every epoch, and need to be computed only once.

    Parameters
    ----------
    x, length, padding
        As in `lag_statistics`.

    Returns
    -------
    Tensor, shape (batch, K + K (K + 1) / 2)
        In float64: the sums of the samples under each of the K taps, then of the products of the
        samples under each pair of taps. They contain any common offset, whose square needs more
        digits than single precision has.
    """
    window = _window(x.shape[-1], length, *padding, x.device)
    upper = torch.triu_indices(length, length, device=x.device)
    n_chans, n_times = x.shape[1:]
    n_together = max(1, _PIECE // (max(n_times, length) * max(n_chans, length)))
    rows = []
    for trials in x.split(n_together):
        centred = _centred_sums(trials, length, window)
        offset = centred.offset[:, None]
        shifted = offset[..., None] * (centred.while_inside + centred.while_inside.mT)
        constant = n_chans * window.inside
        products = centred.products + shifted + offset[..., None] ** 2 * constant
        sums = centred.sums + offset * constant.diagonal()
        rows.append(torch.cat([sums, products[:, upper[0], upper[1]]], dim=1))
    return torch.cat(rows)


def statistics_of_sums(
    packed: Tensor, shape: torch.Size, length: int, padding: tuple[int, int]
) -> LagStatistics:
    """Return the `lag_statistics` of trials whose `lag_sums` are known.

    Parameters
    ----------
    packed : Tensor, shape (batch, K + K (K + 1) / 2)
        As from `lag_sums`.
    shape : torch.Size
        Shape of the trials, (batch, n_chans, n_times).
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
    """Return the index of the product under each pair of taps in a row of `lag_sums`, (K, K)."""
    places = torch.zeros(length, length, dtype=torch.int64, device=device)
    upper = torch.triu_indices(length, length, device=device)
    places[upper[0], upper[1]] = length + torch.arange(upper.shape[1], device=device)
    return torch.maximum(places, places.T)


def _count(shape: torch.Size, length: int, padding: tuple[int, int]) -> int:
    """Return the number of a kernel's outputs over the batch."""
    batch, n_chans, n_times = shape
    count = batch * n_chans * (n_times + sum(padding) - length + 1)
    if count < 2:  # the message of torch's batch normalisation
        raise ValueError(
            "Expected more than 1 value per channel when training: a single output of one trial "
            "and one channel has no variance."
        )
    return count


class _CentredSums(NamedTuple):
    """Sums over the signals of a group, minus `offset`, and over outputs.

    ``sums`` are those of the samples under each tap, ``products`` those of the products under each
    pair of taps, and ``while_inside[k, l]`` is that of the samples under tap k at the outputs for
    which tap l is inside the signal. Each has a row per group.
    """

    offset: Tensor
    sums: Tensor
    products: Tensor
    while_inside: Tensor


def _centred_sums(signals: Tensor, length: int, window: _Window) -> _CentredSums:
    """Return the sums over the signals of each group, (n_groups, n_signals, n_times)."""
    n_groups, _, n_times = signals.shape
    # In single precision, the square of a large common offset would hide the variance. An estimate
    # is subtracted first and added again to the sums, which is exact for any estimate.
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
    """Properties of the position of each tap in a padded signal, the same for all signals.

    At output t, tap k is at sample t + k - before, which is inside the signal for some outputs
    only. Over all outputs, tap k covers the samples from ``first[k]`` up to but not including
    ``last[k]``. At the ``inside[k, l]`` outputs for which tap l is inside the signal too, it covers
    those from ``first_of_two[k, l]`` to ``last_of_two[k, l]``. The samples under taps k and l are
    ``lag[k, l]`` apart. Of all products at that lag, those of the first ``passed`` and of the last
    ``unreached`` samples are outside the window.
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
    sample = tap - before  # under each tap at the first output
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

    The sum for taps k and l >= k is the autocorrelation at lag l - k, minus the products that are
    outside the window: those of the first samples, which precede tap k at the first output, and
    those of the last samples, which tap l does not reach.
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

    If the signals are cut into frames of `length` samples, all products at these lags are products
    within a frame or of a frame and the next one, which two matrix products give. Zeros at the end
    of each signal separate it from the next.
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
