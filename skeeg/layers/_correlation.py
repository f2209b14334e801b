"""Correlations along time with long kernels, and their gradients."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from scipy.fft import next_fast_len
from torch import Tensor

from ._stacking import is_stacking

#: A property of the torch build, looked up once because torch.compile cannot trace the call.
_HAS_ONEDNN = torch.backends.mkldnn.is_available()


def correlate_each(
    x: Tensor, kernels: Tensor, padding: tuple[int, int], bias: Tensor | None = None
) -> Tensor:
    """Correlate each map along time with its own kernel.

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
        In torch's channels-last memory format.
    """
    # Additional zero taps on one side make the padding symmetric. A convolution applies symmetric
    # padding itself, without a padded copy of its input.
    reach = max(padding)
    kernels = F.pad(kernels, (reach - padding[0], reach - padding[1]))
    if is_onednn(x) and kernels.requires_grad and torch.is_grad_enabled():
        result: Tensor = _CorrelateEach.apply(x, kernels, reach, bias)
        return result
    return _correlate_each(x, kernels, reach, bias)


def _correlate_each(x: Tensor, kernels: Tensor, reach: int, bias: Tensor | None = None) -> Tensor:
    """Correlate (batch, n_maps, n_times) with (n_maps, K), with `reach` zeros on both sides."""
    # In the channels-last format, oneDNN takes half the time.
    maps, kernels = channels_last(x), kernels[:, None, None]
    return F.conv2d(maps, kernels, bias, padding=(0, reach), groups=len(kernels)).squeeze(2)


def channels_last(x: Tensor) -> Tensor:
    """Return (batch, n_maps, n_times) as (batch, n_maps, 1, n_times) in channels-last format.

    Parameters
    ----------
    x : Tensor, shape (batch, n_maps, n_times)

    Returns
    -------
    Tensor, shape (batch, n_maps, 1, n_times)
        A view if `x` has this memory format already.
    """
    return x.transpose(1, 2).contiguous().transpose(1, 2).unsqueeze(2)


def correlate_each_by_spectrum(
    x: Tensor, kernels: Tensor, padding: tuple[int, int], bias: Tensor | None = None
) -> Tensor:
    """Compute `correlate_each` by spectra, at a cost that hardly depends on the kernel's length.

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


def correlate_all(x: Tensor, kernels: Tensor, padding: tuple[int, int]) -> Tensor:
    """Correlate maps along time and sum them, with a kernel for each map and output.

    This is a convolution layer without bias, computed as products of spectra.

    Parameters
    ----------
    x : Tensor, shape (batch, n_maps, n_times)
        Signals.
    kernels : Tensor, shape (n_outputs, n_maps, kernel_length)
        A kernel for each output and map.
    padding : (int, int)
        Zeros before and after, each fewer than `kernel_length`.

    Returns
    -------
    Tensor, shape (batch, n_outputs, n_times + padding - kernel_length + 1)
    """
    if is_stacking():
        return F.conv1d(F.pad(x, padding), kernels)
    result: Tensor = _CorrelateAll.apply(x, kernels, padding)
    return result


def convolve(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Compute ``conv2d(x, weight, bias)``, with a faster gradient on CPUs.

    oneDNN takes as long for the gradient with respect to the bias, a sum, as for the gradient with
    respect to the weights of a small kernel.

    Parameters
    ----------
    x : Tensor, shape (batch, n_maps, height, n_times)
    weight : Tensor, shape (n_outputs, n_maps, kernel_height, kernel_length)
    bias : Tensor, shape (n_outputs,)

    Returns
    -------
    Tensor, shape (batch, n_outputs, height', n_times')
        Without padding.
    """
    if is_onednn(x) and bias.requires_grad and torch.is_grad_enabled():
        result: Tensor = _Convolve.apply(x, weight, bias)
        return result
    return F.conv2d(x, weight, bias)


def spectral_window(n_times: int, length: int, padding: tuple[int, int]) -> tuple[int, int, int]:
    """Return the position of a correlation in a product of spectra.

    Parameters
    ----------
    n_times, length : int
        Samples of the signal and of the kernel, which must be reversed.
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
    """Return whether torch computes convolutions of a tensor with oneDNN, its library for CPUs.

    Not in a stacked network, whose convolutions have a kernel for each member.

    Parameters
    ----------
    x : Tensor

    Returns
    -------
    bool
    """
    on_cpu = x.device.type == "cpu" and x.dtype == torch.float32
    return _HAS_ONEDNN and on_cpu and not is_stacking()


class _CorrelateEach(torch.autograd.Function):
    """`_correlate_each`, with a backward pass that takes about as long as the forward pass.

    oneDNN takes about twenty times as long as the forward pass for the gradient with respect to a
    long depthwise kernel. That gradient is itself a depthwise correlation, of each signal with the
    gradient of its output in place of a kernel, which takes oneDNN as long as the forward pass.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernels: Tensor, reach: int, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, kernels)
        ctx.reach = reach
        return _correlate_each(x, kernels, reach, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, kernels = ctx.saved_tensors
        grad_x = grad_kernels = grad_bias = None
        if ctx.needs_input_grad[0]:
            reach = kernels.shape[1] - 1 - ctx.reach
            grad_x = _correlate_each(gradient, kernels.flip(-1), reach)
        if ctx.needs_input_grad[1]:
            grad_kernels = _kernel_gradient(x, gradient, ctx.reach)
        if ctx.needs_input_grad[3]:
            grad_bias = gradient.sum(dim=(0, 2))
        return grad_x, grad_kernels, None, grad_bias


def _kernel_gradient(x: Tensor, gradient: Tensor, reach: int) -> Tensor:
    """Correlate each signal with the gradient of its output, and sum over the batch."""
    batch, n_maps, n_times = x.shape
    n_signals = batch * n_maps
    # Padded here, since padding by oneDNN takes five times as long for such long kernels.
    signals = x.new_empty(batch, n_maps, n_times + 2 * reach)
    signals[..., :reach] = 0
    signals[..., reach : reach + n_times] = x
    signals[..., reach + n_times :] = 0
    weights = gradient.reshape(n_signals, 1, -1)
    each = F.conv1d(signals.reshape(1, n_signals, -1), weights, groups=n_signals)
    return each.reshape(batch, n_maps, -1).sum(dim=0)


class _Convolve(torch.autograd.Function):
    """`convolve`, with oneDNN's gradients except for that with respect to the bias."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        needed = [*ctx.needs_input_grad[:2], False]
        grad_x, grad_weight, _ = torch.ops.aten.convolution_backward(
            gradient, x, weight, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1, needed
        )
        return grad_x, grad_weight, gradient.sum(dim=(0, 2, 3))


class _CorrelateAll(torch.autograd.Function):
    """`correlate_all`, with a third of the transforms that autograd would take.

    The gradient with respect to the kernels is a product of spectra itself. The spectra of the
    signals are kept from the forward pass, and only the first samples of the result are needed.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernels: Tensor, padding: tuple[int, int]) -> Tensor:
        frames = cut_into_frames(x.shape, kernels.shape, padding)
        signals = _signal_spectra(x, frames, padding)
        ctx.save_for_backward(x, kernels, signals)
        ctx.padding = padding
        return _product(signals, kernels, frames)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, kernels, signals = ctx.saved_tensors
        grad_x = grad_kernels = None
        if ctx.needs_input_grad[0]:
            reach = kernels.shape[-1] - 1
            padding = reach - ctx.padding[0], reach - ctx.padding[1]
            grad_x = correlate_all(gradient, kernels.flip(-1).transpose(0, 1), padding)
        if ctx.needs_input_grad[1]:
            frames = cut_into_frames(x.shape, kernels.shape, ctx.padding)
            if torch.is_grad_enabled():  # for a second derivative
                signals = _signal_spectra(x, frames, ctx.padding)
            grad_kernels = _all_kernel_gradients(signals, gradient, frames, kernels.shape)
        return grad_x, grad_kernels, None


class Frames(NamedTuple):
    """How signals are cut into frames for their transforms.

    Parameters
    ----------
    n_frames, step : int
        Number of frames, and number of outputs of each frame; the last may have fewer.
    n_fft : int
        Samples of a frame, which overlaps the next one by those of a kernel minus one.
    n_out : int
        Number of outputs of all frames.
    """

    n_frames: int
    step: int
    n_fft: int
    n_out: int


@lru_cache(maxsize=256)
def cut_into_frames(signals: torch.Size, kernels: torch.Size, padding: tuple[int, int]) -> Frames:
    """Return the frames for which all transforms, also those of the kernels, have fewest values.

    Whole signals would need no overlap, but kernels padded to their length.

    Parameters
    ----------
    signals, kernels : torch.Size
        Shapes of the arguments of `correlate_all`.
    padding : (int, int)
        As there.

    Returns
    -------
    Frames
    """
    batch, n_maps, n_times = signals
    n_kernels, length = kernels[0] * n_maps, kernels[-1]
    n_out = n_times + sum(padding) - length + 1

    def cut(count: int) -> Frames:
        n_fft = next_fast_len(-(-n_out // count) + length - 1, real=True)
        step = n_fft - length + 1
        return Frames(-(-n_out // step), step, n_fft, n_out)

    def n_values(frames: Frames) -> int:
        return frames.n_fft * (frames.n_frames * batch * (n_maps + kernels[0]) + n_kernels)

    candidates = [cut(count) for count in range(1, n_out // length + 2)]
    sizes = [n_values(frames) for frames in candidates]
    return candidates[sizes.index(min(sizes))]


def _signal_spectra(x: Tensor, frames: Frames, padding: tuple[int, int]) -> Tensor:
    """Return spectra of overlapping frames of padded signals, (frequency, frame x trial, map)."""
    end = (frames.n_frames - 1) * frames.step + frames.n_fft
    padded = F.pad(x, (padding[0], end - x.shape[-1] - padding[0]))
    starts = range(0, frames.n_frames * frames.step, frames.step)
    return _spectra((padded[..., start : start + frames.n_fft] for start in starts), frames.n_fft)


def _spectra(signals: Iterable[Tensor], n_fft: int) -> Tensor:
    """Return spectra of zero-padded signals, each (rows, columns, time), frequency first.

    They are (frequency, signals times rows, columns). The matrix of each frequency is contiguous,
    without which matrix products would take several times as long.
    """
    together = torch.stack(list(signals))
    spectra = _transposed(torch.fft.rfft(together, n_fft).flatten(0, -2))
    return spectra.view(len(spectra), -1, together.shape[-2])


def _transposed(matrix: Tensor) -> Tensor:
    """Return the contiguous transpose; torch is slow at permuting more than two axes."""
    return matrix.t().contiguous()


def _product(signals: Tensor, kernels: Tensor, frames: Frames) -> Tensor:
    """Return signals correlated with kernels, (batch, n_outputs, time), from signal spectra."""
    n_kernels, _, length = kernels.shape
    kernel_spectra = _spectra([kernels.flip(-1).transpose(0, 1)], frames.n_fft)
    products = _transposed(torch.bmm(signals, kernel_spectra).flatten(1))
    outputs = torch.fft.irfft(products, frames.n_fft)[:, length - 1 :]
    outputs = outputs.view(frames.n_frames, -1, n_kernels, frames.step)
    *full, last = outputs.unbind()
    n_left = frames.n_out - len(full) * frames.step
    return torch.cat([*full, last[..., :n_left]], dim=-1)


def _all_kernel_gradients(
    signals: Tensor, gradient: Tensor, frames: Frames, shape: torch.Size
) -> Tensor:
    """Return the gradient with respect to the kernels, in their shape, from signal spectra."""
    n_kernels, n_maps, length = shape
    padded = F.pad(gradient, (0, frames.n_frames * frames.step - frames.n_out))
    outputs = _spectra(padded.split(frames.step, dim=-1), frames.n_fft)
    # Signals times conjugate outputs: one matrix product for all four products of their parts.
    left, right = (torch.view_as_real(spectra).flatten(2) for spectra in (signals, outputs))
    parts = torch.bmm(left.mT, right).view(-1, n_maps, 2, n_kernels, 2)
    products = torch.complex(
        parts[:, :, 0, :, 0] + parts[:, :, 1, :, 1], parts[:, :, 1, :, 0] - parts[:, :, 0, :, 1]
    )
    kernels = torch.fft.irfft(_transposed(products.flatten(1)), frames.n_fft)[:, :length]
    return kernels.view(n_maps, n_kernels, length).transpose(0, 1)
