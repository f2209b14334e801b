"""Frequency responses of the temporal filters of a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len, rfft, rfftfreq

from ..estimators import NetworkEstimator
from ._networks import check_network, front_end, sampling_rate

#: Largest distance between frequencies, in Hz; kernels are padded with zeros to reach it.
_RESOLUTION = 0.1


@dataclass(frozen=True, eq=False)
class FrequencyResponse:
    """Frequency responses of temporal filters, returned by `temporal_filters`.

    Attributes
    ----------
    freqs : ndarray, shape (n_freqs,)
        In Hz, from 0 to half the sampling rate, at most 0.1 Hz apart.
    response : ndarray of float64, shape (n_filters, n_freqs)
        Amplitude of the output for a sine wave of amplitude 1.
    kernel_lengths : ndarray of int, shape (n_filters,)
        In samples. A kernel of K samples cannot resolve frequencies that differ by much less than
        `sfreq` / K.
    """

    freqs: NDArray[np.float64]
    response: NDArray[np.float64]
    kernel_lengths: NDArray[np.int64]

    @property
    def peak_freqs(self) -> NDArray[np.float64]:
        """Frequency of the largest response of each filter, in Hz; NaN for a filter of zeros."""
        return peaks(self.freqs, self.response)


def temporal_filters(
    estimator: NetworkEstimator, *, sfreq: float | None = None
) -> FrequencyResponse:
    """Return the frequency response of each temporal filter of a fitted network.

    Parameters
    ----------
    estimator : NetworkEstimator
        Fitted, with a network that begins with temporal and spatial filters: EEGNet,
        ShallowConvNet, DeepConvNet, or another with one `skeeg.layers.TemporalSpatialFilter`.
    sfreq : float, optional
        Sampling rate in Hz. Required if the estimator was fitted on plain arrays.

    Returns
    -------
    response : FrequencyResponse
        All filters of the first kernel length, then all of the second, and so on.

    Raises
    ------
    TypeError
        If `estimator` is not a network of skeeg.
    NotFittedError
        If it is not fitted.
    ValueError
        If its network does not have such filters, or the sampling rate is unknown.

    See Also
    --------
    spatial_patterns : The combined effect of temporal and spatial filters.

    Notes
    -----
    The response of the kernel w is the modulus of its Fourier transform,
    ``sum_t w_t exp(-2 pi i f t / sfreq)``, without the batch normalisation that may follow.

    In EEGNet, MixNet and InceptionResNet each temporal filter has its own spatial filters, so its
    response can be interpreted by itself. In ShallowConvNet, DeepConvNet and MSFBCNN every spatial
    filter combines all temporal filters without a non-linearity in between. An invertible mixture
    of the temporal filters, inverted in the spatial filters, gives the same network. For these
    networks use the `response` of `spatial_patterns`, which does not depend on such a mixture.

    Examples
    --------
    >>> from skeeg import EEGNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.inspection import temporal_filters
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = EEGNetClassifier(max_epochs=2, random_state=0).fit(data, data.y)
    >>> temporal_filters(clf).response.shape
    (8, 641)
    """
    network = check_network(estimator, "temporal_filters")
    banks = front_end(network, "temporal_filters").banks
    kernels = [bank.weight.detach().cpu().double().numpy()[:, 0, 0] for bank in banks]
    rate = sampling_rate(network, sfreq)
    n_fft = fft_length(max(kernel.shape[1] for kernel in kernels), rate)
    return FrequencyResponse(
        freqs=rfftfreq(n_fft, 1 / rate),
        response=np.concatenate([np.abs(rfft(kernel, n_fft)) for kernel in kernels]),
        kernel_lengths=np.concatenate([np.full(len(k), k.shape[1]) for k in kernels]),
    )


def fft_length(at_least: int, sfreq: float) -> int:
    """Return a fast length of a Fourier transform with sufficient frequency resolution."""
    return next_fast_len(max(at_least, int(np.ceil(sfreq / _RESOLUTION))), real=True)


def peaks(freqs: NDArray[np.float64], amplitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the frequency of the largest amplitude in each row, NaN if all are zero."""
    found = freqs[amplitudes.argmax(axis=1)]
    return np.where(amplitudes.any(axis=1), found, np.nan)
