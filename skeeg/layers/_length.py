"""Lengths of signals after convolutions and pools."""

from __future__ import annotations

import warnings

from .._warnings import user_stacklevel


def clip_length(length: int, n_times: int, layer: str, *, unit: str = "sample") -> int:
    """Return the length of a pool or unpadded kernel, clipped with a warning to that of its input.

    Parameters
    ----------
    length : int
        The requested length, in samples.
    n_times : int
        The length of the layer's input, in samples.
    layer : str
        The layer's name, for the warning.
    unit : str, default="sample"
        Unit of the lengths, such as the "row" or "column" of a map.

    Returns
    -------
    int
        The smaller of `length` and `n_times`.

    Warns
    -----
    UserWarning
        If `length` had to be clipped.

    Examples
    --------
    >>> clip_length(4, 100, "EEGNet.first_pool")
    4
    """
    if length <= n_times:
        return length
    units = unit if n_times == 1 else f"{unit}s"
    warnings.warn(
        f"{layer} has a length of {length}, but its input is only {n_times} {units} long; "
        f"the length is clipped to {n_times}. A longer input, or shorter kernels and pools, "
        "avoid this.",
        UserWarning,
        stacklevel=user_stacklevel(),
    )
    return n_times


def output_length(n_times: int, length: int, stride: int = 1) -> int:
    """Return the number of positions at which a window fits into a signal.

    Parameters
    ----------
    n_times : int
        The length of the signal, in samples.
    length : int
        The length of the pool or unpadded kernel, at most `n_times`.
    stride : int, default=1
        The step from one position to the next.

    Returns
    -------
    int
        The length of the layer's output.

    Examples
    --------
    >>> output_length(1101, 75, stride=15)
    69
    """
    return (n_times - length) // stride + 1


def same_padding(length: int) -> tuple[int, int]:
    """Return the zeros before and after a signal that keep its length, as in Keras.

    Parameters
    ----------
    length : int
        The length of the kernel, in samples.

    Returns
    -------
    before, after : int
        One more after than before if the kernel is even.

    Examples
    --------
    >>> same_padding(64)
    (31, 32)
    """
    return (length - 1) // 2, length // 2
