"""Where on the scalp, and at which frequencies, is what the filters of a network extract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import irfft, rfft, rfftfreq
from torch import Tensor

from .._validation import unwrap
from ..classifiers import NetworkClassifier
from ..layers import Attention, TemporalSpatialFilter
from ._networks import (
    BATCH,
    check_network,
    electrodes_seen,
    evaluated,
    front_end,
    sampling_rate,
    scaled_trials,
)
from .attention import attention_gates
from .frequency import fft_length, peaks


@dataclass(frozen=True, eq=False)
class SpatialPatterns:
    """What each spatial filter of a network extracts from trials, from `spatial_patterns`.

    Attributes
    ----------
    patterns : ndarray of float64, shape (n_filters, n_chans)
        What each electrode shows of the filter's output, in the unit of the trials.
    ch_names : tuple of str or None
        Name of each electrode, where the trials had any.
    freqs : ndarray, shape (n_freqs,)
        In Hz, from 0 to half the sampling rate, at most 0.1 Hz apart.
    response : ndarray of float64, shape (n_filters, n_freqs)
        How strongly each filter passes a source of its pattern at each frequency, relative to the
        frequency that it passes best.
    spectra : ndarray of float64, shape (n_filters, n_freqs)
        Power of each filter's output at each frequency, relative to the strongest one: what is
        left of the trials' own spectrum.
    shares : ndarray of float64, shape (n_filters,)
        The part of each output's variance that its one pattern stands for; 1 where each spatial
        filter has a temporal filter of its own.
    contributions : ndarray of float64, shape (n_filters,)
        How much of the network's output each filter accounts for, from `filter_contributions`.
    """

    patterns: NDArray[np.float64]
    ch_names: tuple[str, ...] | None
    freqs: NDArray[np.float64]
    response: NDArray[np.float64]
    spectra: NDArray[np.float64]
    shares: NDArray[np.float64]
    contributions: NDArray[np.float64]

    @property
    def peak_freqs(self) -> NDArray[np.float64]:
        """The frequency that each filter passes best, in Hz; NaN of a filter of zeros."""
        return peaks(self.freqs, self.response)

    @property
    def output_freqs(self) -> NDArray[np.float64]:
        """The strongest frequency in each filter's output, in Hz; NaN where it never varies."""
        return peaks(self.freqs, self.spectra)


def spatial_patterns(
    classifier: NetworkClassifier, X: Any, *, sfreq: float | None = None
) -> SpatialPatterns:
    """Return where on the scalp the signals are that a network's spatial filters extract [1]_.

    The weights of a filter do not show that: an electrode may have a large weight because it
    cancels noise, and none although the source is strongest there. The pattern does: it is what a
    source would look like, at all electrodes, whose course is the filter's output.

    Parameters
    ----------
    classifier : NetworkClassifier
        Fitted, with a network that begins with temporal and spatial filters: EEGNet,
        ShallowConvNet, DeepConvNet, or another with one `skeeg.layers.TemporalSpatialFilter`.
    X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
        Trials as for ``predict``, usually those that it was fitted on.
    sfreq : float, optional
        Sampling rate, in Hz, where neither `classifier` nor `X` knows it.

    Returns
    -------
    patterns : SpatialPatterns
        With a row for each spatial filter, in the order of the network: the first temporal
        filter's, then the second's, and so on, where each has its own.

    Raises
    ------
    TypeError
        If `classifier` is no network of skeeg.
    NotFittedError
        If it is not fitted.
    ValueError
        If its network has no such filters, the trials do not fit it, or the sampling rate is
        unknown.

    See Also
    --------
    temporal_filters : The temporal filters alone.
    skeeg.plotting.plot_patterns : Scalp maps of them.

    Notes
    -----
    A spatial filter w that extracts s = w'x from signals x has the pattern a = Cov(x, s) / Var(s) =
    Cov(x) w / Var(s): the regression of every electrode on the output. It is Haufe's A = Cov(x) W
    Cov(s)^-1 for each filter by itself. All filters together would share out a source that several
    of them extract, and networks have many filters that extract the same.

    *As the spatial filters see them*, signals have gone through a temporal filter h. Cov(h * x, s)
    follows, for all h at once, from the covariance P(c, t) of electrode c under tap t of the
    kernel with the output; it is P h.

    In EEGNet, MixNet and InceptionResNet, h is the temporal filter that belongs to the spatial one.
    In ShallowConvNet, DeepConvNet and MSFBCNN an output comes from a kernel k(c, t) of electrodes
    and taps that is no product of two, and which no single pattern describes. What it does to a
    source with pattern a is the filter h = k'a, and through this filter electrodes show the pattern
    P h. The pattern that reproduces itself, a ~ P k'a, is an eigenvector of P k', and the one with
    the largest eigenvalue is returned: a design of skeeg. All eigenvalues add up to the variance of
    the output; the first one's part is `shares`. With a product k = w h' this is again P h, and the
    share is 1.

    Patterns are scaled to the output's standard deviation, and h to a gain of 1 at its peak: a
    pattern is the root mean square that each electrode shows of the output, in the pass band. The
    sign of an output means nothing; the strongest electrode is positive. Where the network chose
    electrodes (``n_selected_chans``), the others have patterns too: the source is there, whether
    the filter looks or not. Where gates of attention stand between temporal and spatial filters,
    the outputs have them, and the kernels k their means over trials.

    Covariances are over time within trials, so that an offset of a trial counts for nothing.

    References
    ----------
    .. [1] S. Haufe et al., "On the interpretation of weight vectors of linear models in
       multivariate neuroimaging", NeuroImage 87:96-110, 2014.
       https://doi.org/10.1016/j.neuroimage.2013.10.067

    Examples
    --------
    >>> from skeeg import EEGNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.inspection import spatial_patterns
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = EEGNetClassifier(max_epochs=2, random_state=0).fit(data, data.y)
    >>> spatial_patterns(clf, data).patterns.shape
    (16, 22)
    """
    network = check_network(classifier, "spatial_patterns")
    filters = front_end(network, "spatial_patterns")
    rate = sampling_rate(network, sfreq, X)
    trials = scaled_trials(network, X)
    kernels = _kernels(filters, _mean_gates(network, filters, X))
    kernels = _at_all_electrodes(kernels, electrodes_seen(network), network.n_chans_)
    n_fft = fft_length(trials.shape[2] + sum(filters.time_padding), rate)
    covariances, spectra = _covariances(network, filters, trials, kernels.shape[2], n_fft)
    patterns, shares = _self_consistent(covariances, kernels)
    courses = np.einsum("ock,oc->ok", kernels, patterns)
    response = np.abs(rfft(courses, n_fft))
    gains = response.max(axis=1, keepdims=True)
    # The variance of an output is that of its spectrum, which is two-sided but for its ends.
    deviations = np.sqrt(_variances(spectra, n_fft))[:, None]
    seen = np.einsum("ock,ok->oc", covariances, courses)
    patterns = _ratio(_ratio(seen, gains), deviations) * network.scale_
    names = network.ch_names_ if network.ch_names_ is not None else unwrap(X).ch_names
    return SpatialPatterns(
        patterns=_strongest_positive(patterns),
        ch_names=names,
        freqs=rfftfreq(n_fft, 1 / rate),
        response=_ratio(response, gains),
        spectra=_ratio(spectra, spectra.max(axis=1, keepdims=True)),
        shares=shares,
        contributions=_contributions(network, filters, trials),
    )


def filter_contributions(classifier: NetworkClassifier, X: Any) -> NDArray[np.float64]:
    """Return how much of a network's output each of its spatial filters accounts for.

    Parameters
    ----------
    classifier : NetworkClassifier
        As for `spatial_patterns`.
    X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
        Trials as for ``predict``.

    Returns
    -------
    contributions : ndarray of float64, shape (n_filters,)
        From 0, for a filter that the network does not use. NaN for a single trial, and where the
        network says the same of all trials.

    Raises
    ------
    TypeError, NotFittedError, ValueError
        As `spatial_patterns`.

    Notes
    -----
    The output of one filter is exchanged between trials, each having another trial's, while all
    other filters keep theirs. Half the mean square by which that changes the logits, divided by
    their variance, is Jansen's estimate of the total effect of one of many inputs [1]_: the share
    of the variance that disappears when all but this filter are known, were the filters
    independent. Filters that tell the same share what they tell, and each may have little. Of the
    logits, only differences between classes count.

    References
    ----------
    .. [1] M. J. W. Jansen, "Analysis of variance designs for model output", Computer Physics
       Communications 117:35-43, 1999. https://doi.org/10.1016/S0010-4655(98)00154-4
    """
    network = check_network(classifier, "filter_contributions")
    filters = front_end(network, "filter_contributions")
    return _contributions(network, filters, scaled_trials(network, X))


def _mean_gates(
    classifier: NetworkClassifier, filters: TemporalSpatialFilter, X: Any
) -> NDArray[np.float64]:
    """Return what attention multiplies maps and electrodes with, broadcast to (n_maps, n_chans)."""
    if not isinstance(filters.attention, Attention):
        return np.ones((1, 1))
    return np.atleast_2d(attention_gates(classifier, X).mean(axis=0))


def _kernels(filters: TemporalSpatialFilter, gates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each output is a correlation with, (n_filters, n_chans, kernel_length)."""
    temporal = filters._aligned_filters().detach().cpu().double().numpy()
    norm = filters.norm
    if norm is not None and norm.running_var is not None:
        gain = torch.rsqrt(norm.running_var.double() + norm.eps)
        gain = gain * norm.weight.detach().double() if norm.affine else gain
        temporal = temporal * gain.cpu().numpy()[:, None]
    spatial = filters.spatial.weight[..., 0].detach().cpu().double().numpy()  # O, F or 1, C
    if not filters.depthwise:
        return np.einsum("ofc,fk->ock", spatial * gates, temporal)
    multiplier = len(spatial) // len(temporal)
    own = np.broadcast_to(gates, (len(temporal), gates.shape[1])).repeat(multiplier, axis=0)
    return (spatial[:, 0] * own)[:, :, None] * temporal.repeat(multiplier, axis=0)[:, None]


def _at_all_electrodes(
    kernels: NDArray[np.float64], electrodes: NDArray[np.int64], n_chans: int
) -> NDArray[np.float64]:
    """Return kernels of the electrodes that enter a network as kernels of all, mostly zeros."""
    whole = np.zeros((len(kernels), n_chans, kernels.shape[2]))
    for i, electrode in enumerate(electrodes):  # one may have been chosen twice
        whole[:, electrode] += kernels[:, i]
    return whole


def _covariances(
    classifier: NetworkClassifier,
    filters: TemporalSpatialFilter,
    trials: Tensor,
    kernel_length: int,
    n_fft: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how outputs vary together with the electrodes, and their power spectra.

    Returns
    -------
    covariances : ndarray, shape (n_filters, n_chans, kernel_length)
        Of each output with each electrode under each tap of the kernel.
    spectra : ndarray, shape (n_filters, n_freqs)
        Mean square of the outputs' Fourier transforms of `n_fft` samples, by number of samples.
    """
    before, after = filters.time_padding
    cross: Any = 0
    power: Any = 0
    count = 0
    with evaluated(classifier), torch.no_grad(), _recorded(filters) as outputs:
        for part in trials.split(BATCH):
            classifier.infer(part)
            out = outputs.pop()[:, :, 0].cpu().double().numpy()
            out -= out.mean(axis=2, keepdims=True)
            padded = np.pad(part.numpy().astype(np.float64), ((0, 0), (0, 0), (before, after)))
            seen, said = rfft(padded, n_fft), rfft(out, n_fft)
            cross = cross + _by_frequency(said.conj(), (2, 1, 0)) @ _by_frequency(seen, (2, 0, 1))
            power = power + np.sum(np.abs(said) ** 2, axis=0)
            count += len(part) * out.shape[2]
    lags = irfft(cross, n_fft, axis=0)[:kernel_length]  # tap, filter, electrode
    return lags.transpose(1, 2, 0) / count, power / count


def _by_frequency(spectra: NDArray[Any], axes: tuple[int, int, int]) -> NDArray[Any]:
    """Return spectra with the frequency first, side by side in memory for fast products."""
    return np.ascontiguousarray(spectra.transpose(axes))


@contextmanager
def _recorded(filters: TemporalSpatialFilter) -> Iterator[list[Tensor]]:
    """Keep what the filters say of each batch."""
    outputs: list[Tensor] = []
    handle = filters.register_forward_hook(lambda layer, seen, said: outputs.append(said))
    try:
        yield outputs
    finally:
        handle.remove()


def _self_consistent(
    covariances: NDArray[np.float64], kernels: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the pattern a ~ P k'a of each output, of length 1, and its share of the variance."""
    operators = covariances @ kernels.transpose(0, 2, 1)  # filter, electrode, electrode
    values, vectors = np.linalg.eig(operators)
    first = values.real.argmax(axis=1)
    rows = np.arange(len(operators))
    totals = np.trace(operators, axis1=1, axis2=2)
    return vectors[rows, :, first].real, _ratio(values[rows, first].real, totals)


def _variances(spectra: NDArray[np.float64], n_fft: int) -> NDArray[np.float64]:
    """Return the variance of signals from half of their spectrum, by Parseval's theorem."""
    weights = np.full(spectra.shape[1], 2.0)
    weights[0] = 1
    if n_fft % 2 == 0:
        weights[-1] = 1
    return spectra @ weights / n_fft


def _strongest_positive(patterns: NDArray[np.float64]) -> NDArray[np.float64]:
    strongest = np.abs(patterns).argmax(axis=1)
    return patterns * np.where(patterns[np.arange(len(patterns)), strongest] < 0, -1, 1)[:, None]


def _ratio(values: NDArray[np.float64], by: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a quotient that is 0 where a filter lets nothing through."""
    return np.divide(values, by, out=np.zeros(values.shape), where=by > 0)


def _contributions(
    classifier: NetworkClassifier, filters: TemporalSpatialFilter, trials: Tensor
) -> NDArray[np.float64]:
    """Return the total effect of each filter on the logits, see `filter_contributions`."""
    order = np.random.default_rng(0).permutation(len(trials))
    parts = np.array_split(order, -(-len(trials) // BATCH))
    changes = np.zeros(filters.spatial.out_channels)
    logits = []
    with evaluated(classifier), torch.no_grad():
        for part in parts:
            x = trials[part]
            with _recorded(filters) as outputs:
                logits.append(_differences(classifier.infer(x)))
            for i in range(len(changes)):
                # Each trial has the next trial's output of this filter.
                exchanged = outputs[0].clone()
                exchanged[:, i] = exchanged[:, i].roll(1, dims=0)
                with _replaced(filters, exchanged):
                    change = _differences(classifier.infer(x)) - logits[-1]
                changes[i] += float((change**2).sum())
    variance = float(torch.cat(logits).var(dim=0, correction=0).sum()) * len(trials)
    if variance == 0:
        return np.full(len(changes), np.nan)
    return changes / (2 * variance)


def _differences(logits: Tensor) -> Tensor:
    """Return logits without what all classes have in common, which changes no probability."""
    logits = logits.double()
    return logits - logits.mean(dim=1, keepdim=True)


@contextmanager
def _replaced(filters: TemporalSpatialFilter, outputs: Tensor) -> Iterator[None]:
    """Let the filters say something else, whatever they see, without computing their own."""
    filters.forward = lambda *seen, **known: outputs  # type: ignore[method-assign]
    try:
        yield
    finally:
        del filters.forward
