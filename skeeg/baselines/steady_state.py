"""Decoders of steady-state responses: canonical correlation and task-related components."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh, subspace_angles
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from .._checks import check_integer, check_positive
from .._validation import check_finite, check_X, check_X_y
from ..features._base import SampledTransformer
from ..features.bands import Bands
from ._steps import array_steps

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*(?:hz)?", re.IGNORECASE)


def stimulus_frequencies(labels: ArrayLike) -> list[float]:
    """Return the frequencies that class labels name.

    Parameters
    ----------
    labels : array-like, shape (n_trials,)
        Labels such as ``"13Hz"``, ``"13.5 Hz"`` or 13.5. Others, such as ``"rest"``, are left out.

    Returns
    -------
    frequencies : list of float
        In Hz, sorted.

    Examples
    --------
    >>> from skeeg.baselines import stimulus_frequencies
    >>> stimulus_frequencies(["rest", "13Hz", "17.5 Hz", "13Hz"])
    [13.0, 17.5]
    """
    found = set()
    for label in np.unique(np.asarray(labels)):
        number = _NUMBER.fullmatch(str(label).strip())
        if number is not None and float(number[1]) > 0:
            found.add(float(number[1]))
    return sorted(found)


def canonical_correlations(
    X: NDArray[Any], sfreq: float, frequencies: Sequence[float], n_harmonics: int = 3
) -> NDArray[np.float64]:
    """Return how well sinusoids of each frequency and its harmonics explain a trial.

    Parameters
    ----------
    X : ndarray, shape (n_trials, n_chans, n_times)
        The trials, in any unit.
    sfreq : float
        Sampling rate, in Hz.
    frequencies : sequence of float
        In Hz.
    n_harmonics : int, default=3
        Number of sinusoids of each frequency, the fundamental included; those above the Nyquist
        frequency are left out.

    Returns
    -------
    correlations : ndarray, shape (n_trials, n_frequencies)
        The largest correlation of any mixture of the channels with any mixture of the sines and
        cosines, from 0 to 1; 0 for a trial without variance.

    Notes
    -----
    This is canonical correlation analysis as in [1]_: the cosine of the smallest angle between the
    subspaces of the channels and of the sinusoids.

    References
    ----------
    .. [1] Z. Lin et al., "Frequency recognition based on canonical correlation analysis for
       SSVEP-based BCIs", IEEE Transactions on Biomedical Engineering 53(12):2610-2614, 2006.
    """
    seconds = np.arange(X.shape[2]) / sfreq
    bases = []
    for frequency in frequencies:
        harmonics = frequency * np.arange(1, n_harmonics + 1)
        phases = 2 * np.pi * np.outer(seconds, harmonics[harmonics < sfreq / 2])
        waves = np.hstack([np.sin(phases), np.cos(phases)])
        bases.append(waves - waves.mean(axis=0))
    correlations = np.zeros((len(X), len(bases)))
    for trial, row in zip(X, correlations, strict=True):
        signals = trial.T - trial.T.mean(axis=0)
        if signals.any():
            row[:] = [np.cos(subspace_angles(signals, waves)).max() for waves in bases]
    return correlations


class CanonicalCorrelation(SampledTransformer):
    """Correlate trials with sinusoids of the stimulus frequencies.

    Parameters
    ----------
    sfreq : float, optional
        Sampling rate of the trials, in Hz. `EEGData` and `mne.Epochs` know it.
    frequencies : sequence of float, optional
        Stimulus frequencies, in Hz. By default those that the labels name, as ``"13Hz"`` does.
    n_harmonics : int, default=3
        Number of sinusoids of each frequency, the fundamental included; those above the Nyquist
        frequency are left out.

    Attributes
    ----------
    frequencies_ : list of float
        In Hz.
    n_chans_, n_times_ : int
        Channels and samples of a training trial.
    ch_names_ : tuple of str or None
        Names of the channels, if the training data had names.
    sfreq_ : float
        Sampling rate of the training data, in Hz.
    n_features_in_ : int
        Length of the second axis of the training data.

    See Also
    --------
    canonical_correlations : The function that it calls.
    """

    frequencies_: list[float]

    def __init__(
        self,
        sfreq: float | None = None,
        frequencies: Sequence[float] | None = None,
        n_harmonics: int = 3,
    ) -> None:
        self.sfreq = sfreq
        self.frequencies = frequencies
        self.n_harmonics = n_harmonics

    def fit(self, X: Any, y: Any = None) -> CanonicalCorrelation:
        """Find the frequencies.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
        y : array-like, shape (n_trials,), optional
            Labels that name the frequencies, if the parameter `frequencies` does not.

        Returns
        -------
        self : CanonicalCorrelation

        Raises
        ------
        ValueError
            If there is no frequency, or one is not below the Nyquist frequency.
        """
        super().fit(X)
        check_integer("n_harmonics", self.n_harmonics, at_least=1)
        given = self.frequencies
        found = stimulus_frequencies(y if y is not None else []) if given is None else list(given)
        if not found:
            raise ValueError(
                "No stimulus frequency is known: pass frequencies=[13, 17, 21] in Hz, or labels "
                f"such as '13Hz'; got labels {[] if y is None else np.unique(y)[:6].tolist()}."
            )
        for frequency in found:
            if check_positive("A frequency", frequency, "Hz") >= self.sfreq_ / 2:
                raise ValueError(
                    f"The stimulus frequency {frequency:g} Hz is not below {self.sfreq_ / 2:g} Hz, "
                    "the Nyquist frequency. Pass trials of a higher sampling rate."
                )
        self.frequencies_ = [float(frequency) for frequency in found]
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Compute the correlations.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)

        Returns
        -------
        correlations : ndarray, shape (n_trials, n_frequencies)
        """
        trials = self._check(X, reset=False)
        return canonical_correlations(
            np.asarray(trials, np.float64), self.sfreq_, self.frequencies_, self.n_harmonics
        )


class TaskRelatedComponents(ClassifierMixin, BaseEstimator):
    r"""Classify trials by their correlation with the average response of each class.

    Responses must be locked to the start of the trial, as those to a flicker whose phase is the
    same in each trial.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    filters_ : ndarray, shape (n_chans, n_classes)
        A spatial filter of each class; all are applied to each trial.
    templates_ : ndarray, shape (n_classes, n_chans, n_times)
        The average trial of each class.
    n_chans_, n_times_ : int
        Channels and samples of a training trial.
    ch_names_ : tuple of str or None
        Names of the channels, if the training data had names.
    sfreq_ : float or None
        Sampling rate of the training data in Hz, if known.
    n_features_in_ : int
        Length of the second axis of the training data.

    Notes
    -----
    The filter of a class maximises the covariance between its trials relative to their total
    covariance, :math:`w^\top S w / w^\top Q w` [1]_. A trial is filtered with the filters of all
    classes and correlated with each template, filtered alike: the ensemble method of [1]_. Q is
    increased by 1e-6 of its mean power, so that dependent channels can be used.

    References
    ----------
    .. [1] M. Nakanishi et al., "Enhancing detection of SSVEPs for a high-speed brain speller using
       task-related component analysis", IEEE Transactions on Biomedical Engineering 65(1):104-112,
       2018.
    """

    ch_names_: tuple[str, ...] | None
    classes_: NDArray[Any]
    filters_: NDArray[np.float64]
    templates_: NDArray[np.float64]

    def fit(self, X: Any, y: Any = None) -> TaskRelatedComponents:
        """Compute filters and templates.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
        y : array-like, shape (n_trials,)

        Returns
        -------
        self : TaskRelatedComponents

        Raises
        ------
        ValueError
            If there is only one class.
        """
        checked, labels = check_X_y(self, X, y, reset=True)
        trials = self._centred(checked)
        self.classes_ = np.unique(labels)
        if len(self.classes_) < 2:
            raise ValueError(
                f"TaskRelatedComponents needs two classes or more; got one class, {labels[0]!r}."
            )
        parts = [trials[labels == label] for label in self.classes_]
        self.templates_ = np.array([part.mean(axis=0) for part in parts])
        self.filters_ = np.column_stack([_task_related_filter(part) for part in parts])
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Compute the correlation with each class.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)

        Returns
        -------
        correlations : ndarray, shape (n_trials, n_classes) or (n_trials,)
            For two classes, the difference of the second and the first.
        """
        correlations = self._correlations(X)
        return correlations[:, 1] - correlations[:, 0] if len(self.classes_) == 2 else correlations

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class with the largest correlation.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)

        Returns
        -------
        y : ndarray, shape (n_trials,)
        """
        correlations = self._correlations(X)
        return self.classes_[correlations.argmax(axis=1)]

    def _correlations(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        trials = self._centred(check_X(self, X, reset=False))
        trials = _unit(self.filters_.T @ trials)
        templates = _unit(self.filters_.T @ self.templates_)
        return np.einsum("nft,cft->nc", trials, templates)

    def _centred(self, trials: NDArray[Any]) -> NDArray[np.float64]:
        check_finite(trials, name=type(self).__name__, ch_names=self.ch_names_)
        trials = np.asarray(trials, np.float64)
        return trials - trials.mean(axis=2, keepdims=True)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.classifier_tags.poor_score = True  # a level without shape over time is not a response
        return tags


def _task_related_filter(trials: NDArray[np.float64]) -> NDArray[np.float64]:
    total = trials.sum(axis=0)
    own = np.einsum("nct,ndt->cd", trials, trials, optimize=True)
    between = total @ total.T - own
    power = np.trace(own) / len(own) or 1.0
    _, vectors = eigh(between / power, own / power + 1e-6 * np.eye(len(own)))
    return vectors[:, -1]


def _unit(signals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return signals (n, n_filters, n_times) divided by their norm over filters and samples."""
    norms = np.linalg.norm(signals, axis=(1, 2), keepdims=True)
    return signals / np.where(norms > 0, norms, 1.0)


def ssvep_cca(
    sfreq: float | None = None,
    frequencies: Sequence[float] | None = None,
    *,
    n_harmonics: int = 3,
) -> Pipeline:
    """Return a pipeline of canonical correlation and linear discriminants, for SSVEP.

    Parameters
    ----------
    sfreq : float, optional
        Sampling rate in Hz; `EEGData` and `mne.Epochs` know it.
    frequencies : sequence of float, optional
        Stimulus frequencies, in Hz. By default those that the labels name, as ``"13Hz"`` does.
    n_harmonics : int, default=3
        Number of sinusoids of each frequency, the fundamental included; those above the Nyquist
        frequency are left out.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``cca`` and ``lda``.

    See Also
    --------
    CanonicalCorrelation : The features, with the reference.
    tangent_space_lr : With narrow bands, usually better when there are training trials.

    Notes
    -----
    The original method takes the frequency of the largest correlation and needs no training. The
    discriminant learns how large a correlation is without a stimulus, so that a class without
    flicker, such as rest, can be decoded.

    Examples
    --------
    >>> from skeeg.baselines import ssvep_cca
    >>> list(ssvep_cca(sfreq=128, frequencies=[13, 17, 21]).named_steps)
    ['cca', 'lda']
    """
    return Pipeline(
        [
            ("cca", CanonicalCorrelation(sfreq, frequencies, n_harmonics)),
            ("lda", LinearDiscriminantAnalysis()),
        ]
    )


def ssvep_trca(*, bands: Bands | None = None, sfreq: float | None = None) -> Pipeline:
    """Return a pipeline of task-related components, for responses locked to the trial.

    Parameters
    ----------
    bands : str, mapping or sequence, optional
        Frequency bands of a filter bank, as in `csp_lda`.
    sfreq : float, optional
        Sampling rate in Hz; required with `bands`.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``filter`` (with `bands`), ``scale`` and ``trca``.

    Raises
    ------
    ValueError
        If only one of `bands` and `sfreq` is passed, or a band is invalid.

    See Also
    --------
    TaskRelatedComponents : The classifier, with the reference.
    ssvep_cca : For flicker whose phase differs between trials.
    """
    return Pipeline([*array_steps(bands, sfreq), ("trca", TaskRelatedComponents())])
