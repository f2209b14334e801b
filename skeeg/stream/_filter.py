"""Causal filters whose state is carried from chunk to chunk."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import butter, sosfilt, sosfilt_zi

from .._checks import check_integer, check_number, check_positive


class CausalFilter:
    """A Butterworth filter in second-order sections, with state.

    Parameters
    ----------
    sfreq : float
        Sampling rate in Hz.
    fmin, fmax : float or None
        Edges of the pass band in Hz, where the amplitude is divided by the square root of two.
        Without both, the signal passes unchanged.
    order : int
        Order of the low-pass prototype, as in `scipy.signal.butter`.

    Raises
    ------
    ValueError
        If a parameter is invalid, or the filter would not be stable.
    """

    def __init__(self, sfreq: float, fmin: float | None, fmax: float | None, order: int) -> None:
        self._sos = _sections(sfreq, fmin, fmax, order)
        self._state: NDArray[np.float64] | None = None

    def reset(self) -> None:
        """Forget the signal so far."""
        self._state = None

    def push(self, chunk: NDArray[np.float64]) -> NDArray[np.float64]:
        """Filter the next samples.

        Parameters
        ----------
        chunk : ndarray of float64, shape (n_chans, n_samples)
            One sample or more.

        Returns
        -------
        filtered : ndarray of float64, shape (n_chans, n_samples)
        """
        if self._sos is None:
            return chunk
        if self._state is None:
            # As if the first sample had lasted for ever: an offset causes no transient.
            steady = sosfilt_zi(self._sos)
            self._state = steady[:, None, :] * chunk[None, :, :1]
        filtered, self._state = sosfilt(self._sos, chunk, axis=1, zi=self._state)
        return filtered


def _sections(
    sfreq: float, fmin: float | None, fmax: float | None, order: int
) -> NDArray[np.float64] | None:
    nyquist = check_positive("sfreq", sfreq, "Hz") / 2
    order = check_integer("filter_order", order, at_least=1)
    edges = [
        check_number(name, edge, above=0, below=nyquist)
        for name, edge in (("fmin", fmin), ("fmax", fmax))
        if edge is not None
    ]
    if not edges:
        return None
    if edges != sorted(set(edges)):
        raise ValueError(f"fmin must be below fmax; got fmin={fmin} Hz and fmax={fmax} Hz.")
    kind = "bandpass" if len(edges) == 2 else "highpass" if fmax is None else "lowpass"
    sos: Any = butter(order, edges if len(edges) == 2 else edges[0], kind, fs=sfreq, output="sos")
    # The poles of each section; close to the unit circle they round to outside of it.
    poles = [np.abs(np.roots(section[3:])).max() for section in sos]
    if not np.isfinite(sos).all() or max(poles) >= 1:
        raise ValueError(
            f"A Butterworth filter of order {order} from fmin={fmin} to fmax={fmax} Hz at {sfreq:g}"
            " Hz is not stable in float64. Use a smaller filter_order or a wider band."
        )
    return np.asarray(sos, dtype=np.float64)


def filter_causally(
    signal: ArrayLike,
    sfreq: float,
    fmin: float | None = None,
    fmax: float | None = None,
    filter_order: int = 4,
) -> NDArray[np.float64]:
    """Filter a whole signal as `StreamingDecoder` filters its chunks.

    Training trials should be cut from a signal that was filtered like this, because a causal filter
    delays the signal, and those that are usual offline do not.

    Parameters
    ----------
    signal : array-like, shape (n_chans, n_samples)
        The signal, in any unit.
    sfreq : float
        Sampling rate in Hz.
    fmin, fmax : float, optional
        Edges of the pass band in Hz. One of them gives a high-pass or low-pass filter; without
        both, the signal is returned as it is.
    filter_order : int, default=4
        Order of the low-pass prototype, as in `scipy.signal.butter`.

    Returns
    -------
    filtered : ndarray of float64, shape (n_chans, n_samples)

    Raises
    ------
    ValueError
        If a parameter is invalid, or the signal does not have two axes or is not finite.

    See Also
    --------
    mne.filter.filter_data : Filters without delay, which needs samples of the future.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.stream import filter_causally
    >>> filter_causally(np.full((2, 500), 3.0), sfreq=250, fmin=1.0).max() < 1e-9
    np.True_
    """
    kernel = CausalFilter(sfreq, fmin, fmax, filter_order)
    checked = np.asarray(signal, dtype=np.float64)
    if checked.ndim != 2:
        raise ValueError(f"signal must have shape (n_chans, n_samples); got {checked.shape}.")
    if not np.isfinite(checked).all():
        raise ValueError("signal must be finite; it has values that are NaN or infinite.")
    return kernel.push(checked) if checked.size else checked
