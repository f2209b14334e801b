"""Long depthwise correlations along time, forward and backward as fast as torch allows."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from scipy.fft import next_fast_len
from torch import Tensor


def correlate_each(
    x: Tensor, kernels: Tensor, padding: tuple[int, int], bias: Tensor | None = None
) -> Tensor:
    """Correlate each map along time with a kernel of its own.

    Parameters
    ----------
    x : Tensor, shape (batch, n_maps, n_times)
        Signals.
    kernels : Tensor, shape (n_maps, kernel_length)
        One kernel per map.
    padding : (int, int)
        Zeros before and after.
    bias : Tensor, shape (n_maps,), optional
        A constant for each map.

    Returns
    -------
    Tensor, shape (batch, n_maps, n_times + padding - kernel_length + 1)
        The maps of a sample lie side by side, as in torch's channels-last format.
    """
    # A zero tap more on one side makes any padding symmetric, which a convolution does by itself,
    # without a padded copy of its input.
    reach = max(padding)
    kernels = F.pad(kernels, (reach - padding[0], reach - padding[1]))
    if is_onednn(x) and kernels.requires_grad and torch.is_grad_enabled():
        result: Tensor = _CorrelateEach.apply(x, kernels, reach, bias)
        return result
    return _correlate_each(x, kernels, reach, bias)


def _correlate_each(x: Tensor, kernels: Tensor, reach: int, bias: Tensor | None = None) -> Tensor:
    """Correlate (batch, n_maps, n_times) with (n_maps, K), with `reach` zeros on both sides."""
    # oneDNN convolves maps side by side in half the time that it takes for one after the other.
    maps, kernels = maps_side_by_side(x), kernels[:, None, None]
    return F.conv2d(maps, kernels, bias, padding=(0, reach), groups=len(kernels)).squeeze(2)


def maps_side_by_side(x: Tensor) -> Tensor:
    """Return (batch, n_maps, n_times) as (batch, n_maps, 1, n_times), in channels-last memory.

    Parameters
    ----------
    x : Tensor, shape (batch, n_maps, n_times)

    Returns
    -------
    Tensor, shape (batch, n_maps, 1, n_times)
        A view if `x` lies so already.
    """
    return x.transpose(1, 2).contiguous().transpose(1, 2).unsqueeze(2)


def correlate_each_by_spectrum(
    x: Tensor, kernels: Tensor, padding: tuple[int, int], bias: Tensor | None = None
) -> Tensor:
    """Compute `correlate_each` as a product of spectra, whose cost hardly grows with the kernel.

    Parameters
    ----------
    x, kernels, padding, bias
        As in `correlate_each`.

    Returns
    -------
    Tensor
        As from `correlate_each`.
    """
    shift, n_fft, n_out = spectral_window(x.shape[-1], kernels.shape[-1], padding)
    spectrum = torch.fft.rfft(x, n_fft) * torch.fft.rfft(kernels.flip(-1), n_fft)
    result = torch.fft.irfft(spectrum, n_fft)[..., shift : shift + n_out]
    return result if bias is None else result + bias[:, None]


def spectral_window(n_times: int, length: int, padding: tuple[int, int]) -> tuple[int, int, int]:
    """Return where a product of spectra holds a correlation.

    Parameters
    ----------
    n_times, length : int
        Samples of the signal and of the kernel, which is to be reversed.
    padding : (int, int)
        Zeros before and after the signal, each fewer than `length`.

    Returns
    -------
    shift, n_fft, n_out : int
        The first sample of the correlation, the length of the transform, and that of the result.
    """
    before, after = padding
    n_out = n_times + before + after - length + 1
    return length - 1 - before, next_fast_len(n_times + length - 1, real=True), n_out


def is_onednn(x: Tensor) -> bool:
    """Return whether torch hands convolutions of a tensor to oneDNN, its library for CPUs.

    Parameters
    ----------
    x : Tensor

    Returns
    -------
    bool
    """
    on_cpu = x.device.type == "cpu" and x.dtype == torch.float32
    return on_cpu and torch.backends.mkldnn.is_available()


class _CorrelateEach(torch.autograd.Function):
    """`_correlate_each`, with a backward that takes about as long as its forward.

    oneDNN's gradient by a long depthwise kernel takes some twenty times as long as its forward.
    That gradient is itself a depthwise correlation, of each signal with its own output's gradient
    in place of the kernel, which oneDNN computes as fast as the forward.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernels: Tensor, reach: int, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, kernels)
        ctx.reach = reach
        return _correlate_each(x, kernels, reach, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, kernels = ctx.saved_tensors
        by_x = by_kernels = by_bias = None
        if ctx.needs_input_grad[0]:
            reach = kernels.shape[1] - 1 - ctx.reach
            by_x = _correlate_each(gradient, kernels.flip(-1), reach)
        if ctx.needs_input_grad[1]:
            by_kernels = _by_kernels(x, gradient, ctx.reach)
        if ctx.needs_input_grad[3]:
            by_bias = gradient.sum(dim=(0, 2))
        return by_x, by_kernels, None, by_bias


def _by_kernels(x: Tensor, gradient: Tensor, reach: int) -> Tensor:
    """Correlate each of the signals with its own gradient, summed over the batch."""
    batch, n_maps, n_times = x.shape
    n_signals = batch * n_maps
    # Padded by hand: oneDNN pads for such long kernels at a fifth of the speed.
    signals = x.new_empty(batch, n_maps, n_times + 2 * reach)
    signals[..., :reach] = 0
    signals[..., reach : reach + n_times] = x
    signals[..., reach + n_times :] = 0
    weights = gradient.reshape(n_signals, 1, -1)
    each = F.conv1d(signals.reshape(1, n_signals, -1), weights, groups=n_signals)
    return each.reshape(batch, n_maps, -1).sum(dim=0)
