"""Spatial patterns and frequencies of the signals that a network's filters extract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import irfft, rfft, rfftfreq
from torch import Tensor

from .._validation import unwrap
from ..estimators import NetworkEstimator, NetworkRegressor
from ..layers import Attention, TemporalSpatialFilter
from ._networks import (
    BATCH,
    check_network,
    evaluated,
    front_end,
    input_channels,
    sampling_rate,
    scaled_trials,
)
from .attention import attention_gates
from .frequency import fft_length, peaks

#: Number of filters in the table for notebooks.
_MAX_SHOWN = 8


@dataclass(frozen=True, eq=False)
class SpatialPatterns:
    """Patterns and frequencies of spatial filters, returned by `spatial_patterns`.

    Attributes
    ----------
    patterns : ndarray of float64, shape (n_filters, n_chans)
        Amplitude of each filter's output at each electrode, in the unit of the trials.
    ch_names : tuple of str or None
        Names of the electrodes, None if the trials have no names.
    freqs : ndarray, shape (n_freqs,)
        In Hz, from 0 to half the sampling rate, at most 0.1 Hz apart.
    response : ndarray of float64, shape (n_filters, n_freqs)
        Amplitude response of each filter to a source with its pattern, relative to its maximum.
    spectra : ndarray of float64, shape (n_filters, n_freqs)
        Power spectrum of each filter's output, relative to its maximum. It depends on the spectrum
        of the trials.
    shares : ndarray of float64, shape (n_filters,)
        Proportion of the variance of each output that its pattern explains; 1 if each spatial
        filter has its own temporal filter.
    contributions : ndarray of float64, shape (n_filters,)
        Proportion of the variance of the logits due to each filter, from `filter_contributions`.
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
        """Frequency of the largest response of each filter, in Hz; NaN for a filter of zeros."""
        return peaks(self.freqs, self.response)

    def _repr_html_(self) -> str:
        """Return a table of the filters with the largest contributions for notebooks."""
        order = np.argsort(-self.contributions, kind="stable")[:_MAX_SHOWN]
        strongest = np.abs(self.patterns).argmax(axis=1)
        names = self.ch_names or tuple(f"channel {i}" for i in range(self.patterns.shape[1]))
        rows = "".join(
            f"<tr><td>{i}</td><td>{self.contributions[i]:.3f}</td>"
            f"<td>{escape(names[strongest[i]])}</td><td>{self.peak_freqs[i]:.1f}</td></tr>"
            for i in order
        )
        return (
            f"<table><caption>SpatialPatterns: {len(self.patterns)} filters, "
            f"{self.patterns.shape[1]} channels</caption><thead><tr><th>Filter</th>"
            "<th>Contribution</th><th>Strongest electrode</th><th>Peak (Hz)</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )

    @property
    def output_freqs(self) -> NDArray[np.float64]:
        """Frequency of the largest power of each output, in Hz; NaN for a constant output."""
        return peaks(self.freqs, self.spectra)


def spatial_patterns(
    estimator: NetworkEstimator, X: Any, *, sfreq: float | None = None
) -> SpatialPatterns:
    """Return the scalp patterns of the signals that a network's spatial filters extract [1]_.

    The weights of a filter do not show where a source is: an electrode can have a large weight
    because it cancels noise, and no weight although the source is strongest there. The pattern of a
    filter is the amplitude, at all electrodes, of a source whose time course is the filter's
    output.

    Parameters
    ----------
    estimator : NetworkEstimator
        Fitted, with a network that begins with temporal and spatial filters: EEGNet,
        ShallowConvNet, DeepConvNet, or another with one `skeeg.layers.TemporalSpatialFilter`.
    X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
        Trials as for ``predict``, usually the training trials.
    sfreq : float, optional
        Sampling rate in Hz. Required if neither `estimator` nor `X` has one.

    Returns
    -------
    patterns : SpatialPatterns
        With a row for each spatial filter, in the order of the network. If each temporal filter has
        its own spatial filters, those of the first temporal filter come first.

    Raises
    ------
    TypeError
        If `estimator` is not a network of skeeg.
    NotFittedError
        If it is not fitted.
    ValueError
        If its network does not have such filters, the trials differ in shape or channels from those
        in ``fit``, or the sampling rate is unknown.

    See Also
    --------
    temporal_filters : Frequency responses of the temporal filters.
    skeeg.plotting.plot_patterns : Plot the patterns on the scalp.

    Notes
    -----
    A spatial filter w that extracts s = w'x from signals x has the pattern a = Cov(x, s) / Var(s) =
    Cov(x) w / Var(s), the regression of each electrode on the output. This is Haufe's A = Cov(x) W
    Cov(s)^-1 for a single filter. For all filters together, A would divide a source among the
    filters that extract it, and networks have many filters that extract the same source.

    The input of a spatial filter is the signal after a temporal filter h. For any h, Cov(h * x, s)
    = P h, where P(c, t) is the covariance of electrode c, shifted by tap t of the kernel, with the
    output.

    In EEGNet, MixNet and InceptionResNet, h is the temporal filter of the spatial filter. In
    ShallowConvNet, DeepConvNet and MSFBCNN, an output has a kernel k(c, t) over electrodes and taps
    that does not factorise into a spatial and a temporal filter, so that a single pattern does not
    describe it completely. A source with pattern a is filtered by h = k'a, and the pattern of the
    electrodes after this filter is P h. A self-consistent pattern, a ~ P k'a, is an eigenvector of
    P k'. The eigenvector with the largest eigenvalue is returned, which is a design of skeeg. The
    eigenvalues add up to the variance of the output; `shares` is the proportion of the largest one.
    If k = w h' factorises, the pattern is again P h, and the share is 1.

    Patterns are scaled to the standard deviation of the output, and h to a gain of 1 at its peak. A
    pattern is therefore the root mean square amplitude of the output at each electrode, in the pass
    band. The sign of an output is arbitrary; the strongest electrode is positive. If the network
    selects electrodes (``n_selected_chans``), the other electrodes have patterns too, because the
    source is also present there. With attention between temporal and spatial filters, the outputs
    include the gates, and the kernels k are multiplied by the mean gates over trials.

    Covariances are computed over time within trials, so the offset of a trial has no influence.

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
    network = check_network(estimator, "spatial_patterns")
    filters = front_end(network, "spatial_patterns")
    rate = sampling_rate(network, sfreq, X)
    trials = scaled_trials(network, X)
    kernels = _kernels(filters, _mean_gates(network, filters, X))
    kernels = _at_all_electrodes(kernels, input_channels(network), network.n_chans_)
    n_fft = fft_length(trials.shape[2] + sum(filters.time_padding), rate)
    covariances, spectra = _covariances(network, filters, trials, kernels.shape[2], n_fft)
    patterns, shares = _self_consistent(covariances, kernels)
    courses = np.einsum("ock,oc->ok", kernels, patterns)
    response = np.abs(rfft(courses, n_fft))
    gains = response.max(axis=1, keepdims=True)
    # The sum of the two-sided spectrum: all frequencies except the ends count twice.
    deviations = np.sqrt(_variances(spectra, n_fft))[:, None]
    filtered = np.einsum("ock,ok->oc", covariances, courses)
    patterns = _ratio(_ratio(filtered, gains), deviations) * network.scale_
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


def filter_contributions(estimator: NetworkEstimator, X: Any) -> NDArray[np.float64]:
    """Return the proportion of the variance of the logits that is due to each spatial filter.

    Parameters
    ----------
    estimator : NetworkEstimator
        As for `spatial_patterns`.
    X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
        Trials as for ``predict``.

    Returns
    -------
    contributions : ndarray of float64, shape (n_filters,)
        0 for a filter that does not affect the logits. NaN for a single trial, and if the logits of
        all trials are equal.

    Raises
    ------
    TypeError, NotFittedError, ValueError
        As `spatial_patterns`.

    Notes
    -----
    The output of one filter is permuted between trials, while the outputs of all other filters are
    kept. Half the mean squared change of the logits, divided by their variance, is Jansen's
    estimate of the total effect of one of many inputs [1]_: the proportion of the variance that
    remains when all other filters are known, if the filters are independent. If several filters
    carry the same information, the contribution of each can be small. Only differences between the
    logits of the classes are used.

    References
    ----------
    .. [1] M. J. W. Jansen, "Analysis of variance designs for model output", Computer Physics
       Communications 117:35-43, 1999. https://doi.org/10.1016/S0010-4655(98)00154-4
    """
    network = check_network(estimator, "filter_contributions")
    filters = front_end(network, "filter_contributions")
    return _contributions(network, filters, scaled_trials(network, X))


def _mean_gates(
    estimator: NetworkEstimator, filters: TemporalSpatialFilter, X: Any
) -> NDArray[np.float64]:
    """Return the mean gates of maps and electrodes, broadcastable to (n_maps, n_chans)."""
    if not isinstance(filters.attention, Attention):
        return np.ones((1, 1))
    return np.atleast_2d(attention_gates(estimator, X).mean(axis=0))


def _kernels(filters: TemporalSpatialFilter, gates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the kernel of each output over electrodes and taps.

    Returns
    -------
    kernels : ndarray, shape (n_filters, n_chans, kernel_length)
        The output is the correlation of the trial with the kernel.
    """
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
    """Return kernels over all electrodes, zero at those that the network does not use."""
    whole = np.zeros((len(kernels), n_chans, kernels.shape[2]))
    for i, electrode in enumerate(electrodes):  # an electrode can be selected twice
        whole[:, electrode] += kernels[:, i]
    return whole


def _covariances(
    estimator: NetworkEstimator,
    filters: TemporalSpatialFilter,
    trials: Tensor,
    kernel_length: int,
    n_fft: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the covariances of the outputs with the electrodes, and their power spectra.

    Returns
    -------
    covariances : ndarray, shape (n_filters, n_chans, kernel_length)
        Of each output with each electrode, shifted by each tap of the kernel.
    spectra : ndarray, shape (n_filters, n_freqs)
        Squared modulus of the outputs' Fourier transforms of `n_fft` samples, divided by the number
        of samples.
    """
    before, after = filters.time_padding
    cross: Any = 0
    power: Any = 0
    count = 0
    with evaluated(estimator), torch.no_grad(), _recorded(filters) as outputs:
        for part in trials.split(BATCH):
            estimator.infer(part)
            out = outputs.pop()[:, :, 0].cpu().double().numpy()
            out -= out.mean(axis=2, keepdims=True)
            padded = np.pad(part.numpy().astype(np.float64), ((0, 0), (0, 0), (before, after)))
            x, s = rfft(padded, n_fft), rfft(out, n_fft)
            cross = cross + _by_frequency(s.conj(), (2, 1, 0)) @ _by_frequency(x, (2, 0, 1))
            power = power + np.sum(np.abs(s) ** 2, axis=0)
            count += len(part) * out.shape[2]
    lags = irfft(cross, n_fft, axis=0)[:kernel_length]  # tap, filter, electrode
    return lags.transpose(1, 2, 0) / count, power / count


def _by_frequency(spectra: NDArray[Any], axes: tuple[int, int, int]) -> NDArray[Any]:
    """Return contiguous spectra with the frequency as first axis, for fast matrix products."""
    return np.ascontiguousarray(spectra.transpose(axes))


@contextmanager
def _recorded(filters: TemporalSpatialFilter) -> Iterator[list[Tensor]]:
    """Record the output of the filters for each batch."""
    outputs: list[Tensor] = []
    handle = filters.register_forward_hook(lambda layer, args, output: outputs.append(output))
    try:
        yield outputs
    finally:
        handle.remove()


def _self_consistent(
    covariances: NDArray[np.float64], kernels: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the pattern a ~ P k'a of each output, of norm 1, and its share of the variance."""
    operators = covariances @ kernels.transpose(0, 2, 1)  # filter, electrode, electrode
    values, vectors = np.linalg.eig(operators)
    first = values.real.argmax(axis=1)
    rows = np.arange(len(operators))
    totals = np.trace(operators, axis1=1, axis2=2)
    return vectors[rows, :, first].real, _ratio(values[rows, first].real, totals)


def _variances(spectra: NDArray[np.float64], n_fft: int) -> NDArray[np.float64]:
    """Return the variance of signals from their one-sided spectrum, by Parseval's theorem."""
    weights = np.full(spectra.shape[1], 2.0)
    weights[0] = 1
    if n_fft % 2 == 0:
        weights[-1] = 1
    return spectra @ weights / n_fft


def _strongest_positive(patterns: NDArray[np.float64]) -> NDArray[np.float64]:
    strongest = np.abs(patterns).argmax(axis=1)
    return patterns * np.where(patterns[np.arange(len(patterns)), strongest] < 0, -1, 1)[:, None]


def _ratio(values: NDArray[np.float64], by: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a quotient that is 0 where the divisor is 0."""
    return np.divide(values, by, out=np.zeros(values.shape), where=by > 0)


def _contributions(
    estimator: NetworkEstimator, filters: TemporalSpatialFilter, trials: Tensor
) -> NDArray[np.float64]:
    """Return the total effect of each filter on the output, see `filter_contributions`."""
    order = np.random.default_rng(0).permutation(len(trials))
    parts = np.array_split(order, -(-len(trials) // BATCH))
    changes = np.zeros(filters.spatial.out_channels)
    predicted: list[Tensor] = []
    with evaluated(estimator), torch.no_grad():
        for part in parts:
            x = trials[part]
            with _recorded(filters) as outputs:
                predicted.append(_output(estimator, x))
            for i in range(len(changes)):
                # Each trial gets this filter's output for another trial.
                exchanged = outputs[0].clone()
                exchanged[:, i] = exchanged[:, i].roll(1, dims=0)
                with _replaced(filters, exchanged):
                    change = _output(estimator, x) - predicted[-1]
                changes[i] += float((change**2).sum())
    variance = float(torch.cat(predicted).var(dim=0, correction=0).sum()) * len(trials)
    if variance == 0:
        return np.full(len(changes), np.nan)
    return changes / (2 * variance)


def _output(estimator: NetworkEstimator, x: Tensor) -> Tensor:
    """Return standardised values, or logits minus their mean over classes.

    The mean changes no probability.
    """
    output = estimator.infer(x).double()
    if isinstance(estimator, NetworkRegressor):
        return output
    return output - output.mean(dim=1, keepdim=True)


@contextmanager
def _replaced(filters: TemporalSpatialFilter, outputs: Tensor) -> Iterator[None]:
    """Replace the output of the filters for any input."""
    filters.forward = lambda *args, **kwargs: outputs  # type: ignore[method-assign]
    try:
        yield
    finally:
        del filters.forward
