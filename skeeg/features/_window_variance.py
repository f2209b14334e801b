"""The variance in each window of filtered trials, without forming the filtered trials.

A causal filter is linear in the samples of a block and in its state before the block. So its output
in the block, the sum of the output and the state after the block are one matrix product, for all
channels of all trials at once. This is faster than filtering sample by sample, where each step
waits for the one before, and only the sum of squares of each window is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfilt

from .filter_bank import butterworth

#: Samples per block. A longer block costs more arithmetic, a shorter one more calls; with few
#: channels per call, arithmetic is cheap.
_BLOCK, _BLOCK_OF_FEW = 16, 64
_FEW = 100

#: Blocks squared at a time and channels filtered at a time: few calls, and arrays that fit the
#: processor's cache.
_SPAN = 8
_AT_ONCE = 320


def window_variance(
    X: NDArray[Any],
    sfreq: float,
    bands: Mapping[str, tuple[float, float]],
    n_window: int,
    *,
    order: int,
) -> NDArray[np.float64]:
    """Filter trials from rest and return the variance in consecutive windows.

    Parameters
    ----------
    X : ndarray, shape (n_trials, n_chans, n_times)
    sfreq : float
        Sampling rate, in Hz.
    bands : mapping of str to (float, float)
        Edges in Hz, as `check_bands` returns them.
    n_window : int
        Samples of a window, at most `n_times`. Samples that fill no window are left out.
    order : int
        Order of the causal Butterworth filter.

    Returns
    -------
    variance : ndarray of float64, shape (n_trials, n_windows, n_bands, n_chans)
        With the divisor n - 1; 0 in a window of one sample.
    """
    n_trials, n_chans, n_times = X.shape
    filters = _stacked([butterworth(low, high, sfreq, order) for low, high in bands.values()])
    rows = X.reshape(-1, n_times)
    length = _BLOCK if len(rows) >= _FEW else _BLOCK_OF_FEW
    full, rest = divmod(n_window, length)
    spans = [(min(_SPAN, full - i), length) for i in range(0, full, _SPAN)]
    spans += [(1, rest)] * (rest > 0)
    steps = {n: _block_step(filters, n) for _, n in spans}
    variance = np.empty((n_times // n_window, len(filters), len(rows)))
    for start in range(0, len(rows), _AT_ONCE):
        stop = start + _AT_ONCE
        _accumulate(rows[start:stop], steps, spans, variance[:, :, start:stop])
    variance /= max(n_window - 1, 1)
    return variance.reshape(*variance.shape[:2], n_trials, n_chans).transpose(2, 0, 1, 3)


def _stacked(filters: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return filters as one array (n_filters, n_sections, 6), padded with identity sections."""
    n_sections = max(map(len, filters))
    stacked = np.zeros((len(filters), n_sections, 6))
    stacked[:, :, [0, 3]] = 1
    for sections, own in zip(stacked, filters, strict=True):
        sections[: len(own)] = own
    return stacked


def _block_step(filters: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Return the matrix of each filter, shape (n_filters, length + 1 + n, length + n).

    It maps the samples of a block and the n numbers of the filter's state before it to the
    filtered samples, their sum and the state after the block. Its columns are the responses to
    unit vectors.
    """
    n_sections = filters.shape[1]
    n_states = 2 * n_sections
    samples = np.eye(length + n_states, length)
    states = np.zeros((length + n_states, n_sections, 2))
    states[length:] = np.eye(n_states).reshape(n_states, n_sections, 2)
    steps = np.empty((len(filters), length + 1 + n_states, length + n_states))
    for step, sections in zip(steps, filters, strict=True):
        filtered, after = sosfilt(sections, samples, zi=states.transpose(1, 0, 2))
        step[:length] = filtered.T
        step[length] = filtered.sum(axis=1)
        step[length + 1 :] = after.transpose(1, 0, 2).reshape(-1, n_states).T
    return steps


def _accumulate(
    rows: NDArray[Any],
    steps: dict[int, NDArray[np.float64]],
    spans: list[tuple[int, int]],
    out: NDArray[np.float64],
) -> None:
    """Write the sum of squares about the mean into `out`, shape (n_windows, n_filters, n_rows).

    `spans` are the numbers of blocks and samples of a block that make up a window.
    """
    _, n_filters, n_rows = out.shape
    n_window = sum(n_blocks * n for n_blocks, n in spans)
    before = {n: np.zeros((n_filters, step.shape[2], n_rows)) for n, step in steps.items()}
    after = {n: np.empty((_SPAN, n_filters, step.shape[1], n_rows)) for n, step in steps.items()}
    state: Any = 0.0
    start = 0
    for squares in out:
        squares[:] = 0
        total = np.zeros((n_filters, n_rows))
        for n_blocks, n in spans:
            samples = np.ascontiguousarray(rows[:, start : start + n_blocks * n].T)
            start += n_blocks * n
            for block, made in zip(samples.reshape(n_blocks, n, n_rows), after[n], strict=False):
                before[n][:, :n] = block
                before[n][:, n:] = state
                np.matmul(steps[n], before[n], out=made)
                state = made[:, n + 1 :]
            filtered = after[n][:n_blocks, :, :n]
            squares += np.einsum("bftr,bftr->fr", filtered, filtered)
            total += after[n][:n_blocks, :, n].sum(axis=0)
        squares -= total**2 / n_window
        np.maximum(squares, 0, out=squares)
