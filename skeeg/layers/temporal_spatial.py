"""Temporal filters followed by spatial ones, without the intermediate that lies between them.

EEGNet, ShallowConvNet and DeepConvNet begin with a bank of temporal filters, then weigh the
electrodes, with at most a batch normalisation between. As written, that makes (filters x
electrodes x time) values a trial, the cost of the whole network. Nothing in it is non-linear, so
the same function is computed here without them: a filter and a weighting of electrodes commute,
and the batch statistics of what is never formed follow from the input alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from scipy.fft import next_fast_len
from torch import Tensor, nn

from ._arguments import check_choice

#: Kernels of fewer samples are convolved in time, longer ones in the frequency domain.
_SPECTRAL_FROM = 12

#: Frames whose products are summed in single precision before the sum goes on in double.
_FRAMES_PER_BLOCK = 1024

METHODS = ("auto", "direct", "fast")


def temporal_spatial_filter(
    x: Tensor,
    temporal: nn.Conv2d,
    norm: nn.BatchNorm2d | None,
    spatial: nn.Conv2d,
    *,
    method: str = "auto",
) -> Tensor:
    """Return ``spatial(norm(temporal(x.unsqueeze(1))))``.

    Parameters
    ----------
    x : Tensor, shape (batch, n_chans, n_times)
        Trials.
    temporal : torch.nn.Conv2d
        From one map to F, with kernels of shape (1, K); unpadded, or a `SameConv2d`.
    norm : torch.nn.BatchNorm2d or None
        Of F maps; its running statistics are updated in training mode. With it, `spatial` must
        be depthwise and neither convolution have a bias.
    spatial : torch.nn.Conv2d
        From F maps to D F, with kernels of shape (n_chans, 1).
    method : {"auto", "direct", "fast"}, default="auto"
        ``"direct"`` computes the layers as written. ``"fast"`` computes the same, to rounding,
        without the (F, n_chans, n_times) values between them. ``"auto"`` takes the faster one, and
        the direct one where batch statistics must be differentiated by the input.

    Returns
    -------
    Tensor, shape (batch, D F, 1, n_times or n_times - K + 1)

    Raises
    ------
    ValueError
        If `method` is unknown.
    """
    check_choice("method", method, METHODS)
    if method == "auto":
        method = "fast" if _is_worth_it(x, temporal, norm, spatial) else "direct"
    if method == "direct":
        maps = temporal(x.unsqueeze(1))
        result: Tensor = spatial(maps if norm is None else norm(maps))
        return result
    if norm is None:
        return _merged(x, temporal, spatial).unsqueeze(2)
    return _normalised(x, temporal, norm, spatial).unsqueeze(2)


def _is_worth_it(
    x: Tensor, temporal: nn.Conv2d, norm: nn.BatchNorm2d | None, spatial: nn.Conv2d
) -> bool:
    if norm is None:
        return True
    if norm.training and x.requires_grad:  # the statistics below are constants of the input
        return False
    return x.shape[1] > spatial.out_channels // temporal.out_channels


def _time_padding(temporal: nn.Conv2d) -> tuple[int, int]:
    return getattr(temporal, "time_padding", (0, 0))


def _merged(x: Tensor, temporal: nn.Conv2d, spatial: nn.Conv2d) -> Tensor:
    """Apply both as one convolution, whose kernels are products of the two."""
    filters = temporal.weight[:, 0, 0]  # F, K
    weights = spatial.weight[..., 0]  # O, F, C
    bias = spatial.bias
    if temporal.bias is not None:
        constant = weights.sum(dim=2) @ temporal.bias
        bias = constant if bias is None else bias + constant
    kernels = torch.einsum("ofc,fk->ock", weights, filters)
    return F.conv1d(F.pad(x, _time_padding(temporal)), kernels, bias)


def _normalised(x: Tensor, temporal: nn.Conv2d, norm: nn.BatchNorm2d, spatial: nn.Conv2d) -> Tensor:
    """Mix the electrodes first, then filter each mixture; normalisation scales and shifts it."""
    filters = temporal.weight[:, 0, 0]  # F, K
    weights = spatial.weight[:, 0, :, 0]  # D F, C
    multiplier = weights.shape[0] // filters.shape[0]
    mean, variance = _statistics(x, filters, norm, _time_padding(temporal))
    gain = norm.weight / torch.sqrt(variance + norm.eps)  # F
    shift = norm.bias - mean * gain  # F
    kernels = (filters * gain[:, None]).repeat_interleave(multiplier, dim=0)  # D F, K
    constant = shift.repeat_interleave(multiplier) * weights.sum(dim=1)  # D F
    mixtures = torch.matmul(weights, x)  # batch, D F, T
    filtered = correlate_each(mixtures, kernels, _time_padding(temporal))
    return filtered + constant[:, None]


def correlate_each(x: Tensor, kernels: Tensor, padding: tuple[int, int]) -> Tensor:
    """Correlate each map along time with a kernel of its own.

    Parameters
    ----------
    x : Tensor, shape (batch, n_maps, n_times)
    kernels : Tensor, shape (n_maps, kernel_length)
    padding : (int, int)
        Zeros before and after.

    Returns
    -------
    Tensor, shape (batch, n_maps, n_times + padding - kernel_length + 1)
    """
    n_maps, length = kernels.shape
    if length < _SPECTRAL_FROM:
        return F.conv1d(F.pad(x, padding), kernels[:, None], groups=n_maps)
    before, after = padding
    n_out = x.shape[-1] + before + after - length + 1
    n_fft = next_fast_len(x.shape[-1] + length - 1, real=True)
    spectrum = torch.fft.rfft(x, n_fft) * torch.fft.rfft(kernels.flip(-1), n_fft)
    start = length - 1 - before
    return torch.fft.irfft(spectrum, n_fft)[..., start : start + n_out]


def _statistics(
    x: Tensor, filters: Tensor, norm: nn.BatchNorm2d, padding: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Return mean and variance of each filter's output, as `norm` would use them.

    The mean is linear in the filter w, and the variance the quadratic form w'Gw with G the
    covariance of the padded input at the lags of the kernel. Both are differentiable by the filter.
    """
    running_mean, running_var = norm.running_mean, norm.running_var
    if running_mean is None or running_var is None or norm.momentum is None:
        raise ValueError("The fast form needs a norm with running statistics and a momentum.")
    if not norm.training:
        return running_mean, running_var
    lag_mean, lag_covariance, count = _lag_statistics(x.detach(), filters.shape[1], padding)
    precise = filters.double()
    mean = precise @ lag_mean
    variance = ((precise @ lag_covariance) * precise).sum(dim=1).clamp_min(0)
    mean, variance = mean.to(filters.dtype), variance.to(filters.dtype)
    with torch.no_grad():
        if norm.num_batches_tracked is not None:
            norm.num_batches_tracked.add_(1)
        running_mean.lerp_(mean, norm.momentum)
        running_var.lerp_(variance * (count / (count - 1)), norm.momentum)
    return mean, variance


def _lag_statistics(x: Tensor, length: int, padding: tuple[int, int]) -> tuple[Tensor, Tensor, int]:
    """Return mean (K,) and covariance (K, K), in float64, of what each tap of a kernel sees.

    Tap k sees the zero-padded signal from sample k - p on, p zeros being padded before. The
    signals enter centred, and their common offset is added by algebra: its square would otherwise
    drown the variance.
    """
    before, after = padding
    n_times = x.shape[-1]
    n_out = n_times + before + after - length + 1
    signals = x.shape[0] * x.shape[1]
    count = signals * n_out
    if count < 2:  # as torch's own batch normalisation says it
        raise ValueError(
            "Expected more than 1 value per channel when training: a single output of one trial "
            "and one channel has no variance."
        )
    offset = x.mean(dtype=torch.float64)
    centred = x - offset.to(x.dtype)
    # What rounding the offset to the dtype of x left over belongs to the offset, too.
    offset = offset.to(x.dtype).double()

    window = _window(n_times, length, before, after, x.device)
    course = centred.sum(dim=(0, 1), dtype=torch.float64)
    taps_of_course = F.pad(course, padding).unfold(0, n_out, 1)  # K, n_out
    mean = taps_of_course.sum(dim=1) / count
    cross = taps_of_course @ window.inside.T / count - torch.outer(mean, window.share)
    covariance = (
        _lag_products(centred, length, window) / count
        - torch.outer(mean, mean)
        + offset * (cross + cross.T)
        + offset**2 * window.covariance
    )
    return mean + offset * window.share, covariance, count


@dataclass(frozen=True)
class _Window:
    """What the position of each tap in a padded window decides, whatever the signal.

    Tap k lies inside the signal at the times where ``inside[k]``, of shape (K, n_out), is one;
    ``share`` is its mean over time and ``covariance`` that of every two taps. Taps k and l see
    products at lag ``lag[k, l]``, of which the first ``passed`` and the last ``unreached`` are cut
    off by the window.
    """

    inside: Tensor
    share: Tensor
    covariance: Tensor
    lag: Tensor
    passed: Tensor
    unreached: Tensor


@lru_cache(maxsize=64)
def _window(n_times: int, length: int, before: int, after: int, device: torch.device) -> _Window:
    ones = F.pad(torch.ones(n_times, dtype=torch.float64, device=device), (before, after))
    inside = ones.unfold(0, n_times + before + after - length + 1, 1)
    share = inside.mean(dim=1)
    tap = torch.arange(length, device=device)
    return _Window(
        inside=inside,
        share=share,
        covariance=inside @ inside.T / inside.shape[1] - torch.outer(share, share),
        lag=(tap[None, :] - tap[:, None]).clamp_min(0),
        passed=(tap[:, None] - before).clamp_min(0).expand(length, length),
        unreached=(length - 1 - after - tap[None, :]).clamp_min(0).expand(length, length),
    )


def _lag_products(x: Tensor, length: int, window: _Window) -> Tensor:
    """Return the sum over trials, channels and time of the products of every two taps.

    The product of taps k and l >= k is the autocorrelation at lag l - k, less what the window cuts
    off: products of the first samples, which tap k has passed already, and of the last ones, which
    tap l does not reach.
    """
    lags = _autocorrelation(x, length)
    head = _diagonal_sums(_edge_products(x[..., :length], length))
    tail = _diagonal_sums(_edge_products(x.flip(-1)[..., :length], length))
    cut = head[window.passed, window.lag] + tail[window.unreached, window.lag]
    upper = torch.triu(lags[window.lag] - cut)
    return upper + torch.triu(upper, 1).T


def _autocorrelation(x: Tensor, length: int) -> Tensor:
    """Return the autocorrelation at lags 0 to length - 1, in float64, summed over all signals.

    Cut into frames of `length` samples, products at these lags are products within a frame or of
    a frame and the next, so two matrix products give all of them. They are summed in the dtype of
    `x` over blocks of frames, which are short enough to keep its digits, and blocks in float64.
    """
    n_frames = -(-x.shape[-1] // length) + 1
    frames = F.pad(x, (0, n_frames * length - x.shape[-1])).unflatten(-1, (n_frames, length))
    here, following = frames[:, :, :-1].flatten(0, 2), frames[:, :, 1:].flatten(0, 2)
    n_rows = here.shape[0]
    block = min(_FRAMES_PER_BLOCK, n_rows)
    padding = (0, 0, 0, -n_rows % block)
    here = F.pad(here, padding).unflatten(0, (-1, block))
    following = F.pad(following, padding).unflatten(0, (-1, block))
    products = here.transpose(1, 2) @ torch.cat([here, following], dim=2)
    products = products.sum(dim=0, dtype=torch.float64)  # K, 2 K
    return _skewed(products).sum(dim=0)


def _edge_products(x: Tensor, length: int) -> Tensor:
    """Return the sum over signals of the products of their first samples, zero-padded, (K, K)."""
    edge = F.pad(x, (0, length - x.shape[-1])).flatten(0, 1).double()
    return edge.T @ edge


def _diagonal_sums(products: Tensor) -> Tensor:
    """Return, at [n, lag], the sum of products[i, i + lag] over i < n; shape (K + 1, K)."""
    length = products.shape[0]
    diagonals = _skewed(F.pad(products, (0, length)))
    return F.pad(diagonals.cumsum(dim=0), (0, 0, 1, 0))


def _skewed(products: Tensor) -> Tensor:
    """Return products[i, i + lag] at [i, lag], of a matrix of shape (K, 2 K)."""
    length = products.shape[0]
    return products.contiguous().as_strided((length, length), (2 * length + 1, 1))
