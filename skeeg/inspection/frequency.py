"""What the temporal filters of a network let through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len, rfft, rfftfreq

from ..classifiers import NetworkClassifier
from ._networks import check_network, front_end, sampling_rate

#: Responses are sampled this finely, in Hz, by padding kernels with zeros.
_RESOLUTION = 0.1


@dataclass(frozen=True, eq=False)
class FrequencyResponse:
    """How strongly filters pass each frequency, from `temporal_filters`.

    Attributes
    ----------
    freqs : ndarray, shape (n_freqs,)
        In Hz, from 0 to half the sampling rate, at most 0.1 Hz apart.
    response : ndarray of float64, shape (n_filters, n_freqs)
        The amplitude of what comes out where a sine wave of amplitude 1 goes in.
    kernel_lengths : ndarray of int, shape (n_filters,)
        In samples. A kernel of K samples cannot tell frequencies apart that lie much closer than
        `sfreq` / K.
    """

    freqs: NDArray[np.float64]
    response: NDArray[np.float64]
    kernel_lengths: NDArray[np.int64]

    @property
    def peak_freqs(self) -> NDArray[np.float64]:
        """The frequency that each filter passes best, in Hz; NaN of a filter of zeros."""
        return peaks(self.freqs, self.response)


def temporal_filters(
    classifier: NetworkClassifier, *, sfreq: float | None = None
) -> FrequencyResponse:
    """Return the frequency response of each learnt temporal filter.

    Parameters
    ----------
    classifier : NetworkClassifier
        Fitted, with a network that begins with temporal and spatial filters: EEGNet,
        ShallowConvNet, DeepConvNet, or another with one `skeeg.layers.TemporalSpatialFilter`.
    sfreq : float, optional
        Sampling rate, in Hz, where the classifier was fitted on plain arrays.

    Returns
    -------
    response : FrequencyResponse
        All filters of the first kernel length, then all of the second, and so on.

    Raises
    ------
    TypeError
        If `classifier` is no network of skeeg.
    NotFittedError
        If it is not fitted.
    ValueError
        If its network has no such filters, or the sampling rate is unknown.

    See Also
    --------
    spatial_patterns : What temporal and spatial filters do together.

    Notes
    -----
    The response of the kernel w is the modulus of its Fourier transform,
    ``sum_t w_t exp(-2 pi i f t / sfreq)``, without the batch normalisation that may follow.

    In EEGNet, MixNet and InceptionResNet each filter feeds spatial filters of its own, so that its
    response means something by itself. In ShallowConvNet, DeepConvNet and MSFBCNN every spatial
    filter sees all temporal ones, and nothing non-linear lies between: any invertible mixture of
    the temporal filters, undone in the spatial ones, is the same network. There, read the
    `response` of `spatial_patterns`, which does not depend on it.

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
    network = check_network(classifier, "temporal_filters")
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
    """Return the length of a Fourier transform of `at_least` samples that is fine enough."""
    return next_fast_len(max(at_least, int(np.ceil(sfreq / _RESOLUTION))), real=True)


def peaks(freqs: NDArray[np.float64], amplitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the frequency of the greatest amplitude in each row, NaN where all are zero."""
    found = freqs[amplitudes.argmax(axis=1)]
    return np.where(amplitudes.any(axis=1), found, np.nan)
