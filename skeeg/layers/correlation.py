"""Long correlations along time, forward and backward as fast as torch allows."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from scipy.fft import next_fast_len
from torch import Tensor

#: Asked once, since torch.compile cannot trace the question.
_HAS_ONEDNN = torch.backends.mkldnn.is_available()


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


def correlate_all(x: Tensor, kernels: Tensor, padding: tuple[int, int]) -> Tensor:
    """Correlate maps along time and sum them, with a kernel for each map and output.

    It is a convolution layer without bias, computed as products of spectra.

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
    result: Tensor = _CorrelateAll.apply(x, kernels, padding)
    return result


def convolve(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Compute ``conv2d(x, weight, bias)``, with a faster gradient by the bias on CPUs.

    oneDNN takes as long for that sum as for the gradient by the weights of a small kernel.

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
    return _HAS_ONEDNN and x.device.type == "cpu" and x.dtype == torch.float32


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


class _Convolve(torch.autograd.Function):
    """`convolve`, with oneDNN's gradients but for that by the bias."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        needed = [*ctx.needs_input_grad[:2], False]
        by_x, by_weight, _ = torch.ops.aten.convolution_backward(
            gradient, x, weight, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1, needed
        )
        return by_x, by_weight, gradient.sum(dim=(0, 2, 3))


class _CorrelateAll(torch.autograd.Function):
    """`correlate_all`, which autograd would differentiate through three times as many transforms.

    The gradient by the kernels is a product of spectra itself, of which those of the signals are
    known from the forward pass, and only the first samples of its transform are needed.
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
        by_x = by_kernels = None
        if ctx.needs_input_grad[0]:
            reach = kernels.shape[-1] - 1
            padding = reach - ctx.padding[0], reach - ctx.padding[1]
            by_x = correlate_all(gradient, kernels.flip(-1).transpose(0, 1), padding)
        if ctx.needs_input_grad[1]:
            frames = cut_into_frames(x.shape, kernels.shape, ctx.padding)
            if torch.is_grad_enabled():  # the gradient will be differentiated, by the signals too
                signals = _signal_spectra(x, frames, ctx.padding)
            by_kernels = _by_all_kernels(signals, gradient, frames, kernels.shape)
        return by_x, by_kernels, None


class Frames(NamedTuple):
    """How signals are cut for their transforms.

    Parameters
    ----------
    n_frames, step : int
        Number of frames, and of outputs that each of them gives; the last may give fewer.
    n_fft : int
        Samples of a frame, which overlaps the next one by those of a kernel less one.
    n_out : int
        Number of outputs of all frames.
    """

    n_frames: int
    step: int
    n_fft: int
    n_out: int


@lru_cache(maxsize=256)
def cut_into_frames(signals: torch.Size, kernels: torch.Size, padding: tuple[int, int]) -> Frames:
    """Return the frames whose transforms have the fewest values, those of the kernels included.

    A transform of whole signals would need no frames to overlap, but kernels as long as they are.

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
    """Return spectra of overlapping frames of padded signals, (frequency, frame and trial, map)."""
    end = (frames.n_frames - 1) * frames.step + frames.n_fft
    padded = F.pad(x, (padding[0], end - x.shape[-1] - padding[0]))
    starts = range(0, frames.n_frames * frames.step, frames.step)
    return _spectra((padded[..., start : start + frames.n_fft] for start in starts), frames.n_fft)


def _spectra(signals: Iterable[Tensor], n_fft: int) -> Tensor:
    """Return spectra of zero-padded signals, each (rows, columns, time), frequency first.

    They are (frequency, signals times rows, columns), such that the matrices of each frequency lie
    in one piece, without which their products would take several times as long.
    """
    together = torch.stack(list(signals))
    spectra = _transposed(torch.fft.rfft(together, n_fft).flatten(0, -2))
    return spectra.view(len(spectra), -1, together.shape[-2])


def _transposed(matrix: Tensor) -> Tensor:
    """Return the transpose in one piece; torch is slow to permute more than two axes."""
    return matrix.t().contiguous()


def _product(signals: Tensor, kernels: Tensor, frames: Frames) -> Tensor:
    """Return signals correlated with kernels, (batch, n_outputs, time), from signals' spectra."""
    n_kernels, _, length = kernels.shape
    by_kernel = _spectra([kernels.flip(-1).transpose(0, 1)], frames.n_fft)
    products = _transposed(torch.bmm(signals, by_kernel).flatten(1))
    outputs = torch.fft.irfft(products, frames.n_fft)[:, length - 1 :]
    outputs = outputs.view(frames.n_frames, -1, n_kernels, frames.step)
    *full, last = outputs.unbind()
    n_left = frames.n_out - len(full) * frames.step
    return torch.cat([*full, last[..., :n_left]], dim=-1)


def _by_all_kernels(signals: Tensor, gradient: Tensor, frames: Frames, shape: torch.Size) -> Tensor:
    """Return the gradient by the kernels, of their shape, from the signals' spectra."""
    n_kernels, n_maps, length = shape
    padded = F.pad(gradient, (0, frames.n_frames * frames.step - frames.n_out))
    outputs = _spectra(padded.split(frames.step, dim=-1), frames.n_fft)
    # signals times conjugates of outputs, all four products of their parts in one of matrices.
    left, right = (torch.view_as_real(spectra).flatten(2) for spectra in (signals, outputs))
    parts = torch.bmm(left.mT, right).view(-1, n_maps, 2, n_kernels, 2)
    products = torch.complex(
        parts[:, :, 0, :, 0] + parts[:, :, 1, :, 1], parts[:, :, 1, :, 0] - parts[:, :, 0, :, 1]
    )
    by_pair = torch.fft.irfft(_transposed(products.flatten(1)), frames.n_fft)[:, :length]
    return by_pair.view(n_maps, n_kernels, length).transpose(0, 1)
