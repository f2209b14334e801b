"""Decoders that filter space: common spatial patterns, source power comodulation and Xdawn."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Self

import mne
import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from .._validation import unwrap
from ..features import UnitScaler
from ..features.bands import Bands
from ._steps import ALPHAS, FlatTrialCheck, array_steps

#: MNE has one log level for the whole process, which fits in parallel threads would leave changed.
_FITTING = threading.Lock()


class _Quiet:
    """Fits of MNE's transformers without its messages, on whatever holds trials.

    scikit-learn's splitters cut epochs into a list of single ones, which MNE does not take.
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the spatial filters.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
        y : array-like, shape (n_trials,)

        Returns
        -------
        self : object
        """
        with _FITTING, mne.use_log_level("WARNING"):
            return super().fit(unwrap(X).values, y)  # type: ignore[misc]

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Apply the spatial filters.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)

        Returns
        -------
        features : ndarray of float64, shape (n_trials, n_components[, n_times])
        """
        return super().transform(unwrap(X).values)  # type: ignore[misc]


class _Power(_Quiet):
    """Components whose log power is finite for flat trials too."""

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Compute the power of each component, or the components themselves.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)

        Returns
        -------
        features : ndarray of float64, shape (n_trials, n_components[, n_times])
        """
        with np.errstate(divide="ignore"):
            features = super().transform(X)
        if self.transform_into == "average_power" and self.log is not False:  # type: ignore[attr-defined]
            return np.maximum(features, np.log(np.finfo(np.float64).eps))
        return features


class CSP(_Power, mne.decoding.CSP):
    """MNE's common spatial patterns, quiet and finite.

    MNE's messages on every fit are dropped, its warnings are still given. The logarithm of the
    power in a flat trial is -36, that of rounding errors, where MNE's is infinite: components have
    a variance of about one in the training data. Parameters and attributes are those of
    `mne.decoding.CSP`.
    """


class SPoC(_Power, mne.decoding.SPoC):
    """MNE's source power comodulation, quiet and finite.

    MNE's messages on every fit are dropped, its warnings are still given. The logarithm of the
    power in a flat trial is -36, that of rounding errors, where MNE's is infinite. Parameters and
    attributes are those of `mne.decoding.SPoC`.
    """


class Xdawn(_Quiet, mne.decoding.XdawnTransformer):
    """MNE's Xdawn filters for arrays, without its messages on every fit.

    Warnings are still given. Without labels, all trials are one class. Parameters and attributes
    are those of `mne.decoding.XdawnTransformer`.
    """


def csp_lda(
    n_components: int = 4, *, bands: Bands | None = None, sfreq: float | None = None
) -> Pipeline:
    """Build common spatial patterns and linear discriminant analysis, for imagined movement.

    Parameters
    ----------
    n_components : int, default=4
        Number of spatial filters; all there are, where the channels are fewer.
    bands : str, mapping or sequence, optional
        The frequency bands to filter trials into first, as `skeeg.features.FilterBank` takes them:
        ``[(8, 30)]`` is the mu and beta band. Left out, trials are used as they come, which suits
        recordings already filtered to a narrow band, and no others.
    sfreq : float, optional
        Sampling rate, in Hz; needed with `bands`.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``filter`` (with `bands`), ``scale``, ``csp`` and ``lda``.

    Raises
    ------
    ValueError
        If there are `bands` without `sfreq` or the reverse, or a band is wrong.

    See Also
    --------
    csp_svm : A curved boundary.
    tangent_space_lr : The same information without a choice of filters.

    Notes
    -----
    The features are the logarithms of the variance that each filter passes [1]_; more than two
    classes are diagonalised jointly [2]_. The covariance of each class is shrunk by the
    oracle-approximating rule, which does next to nothing where samples abound, and keeps it
    invertible where trials are few or the channels are dependent, as after an average reference.

    References
    ----------
    .. [1] B. Blankertz et al., "Optimizing spatial filters for robust EEG single-trial analysis",
       IEEE Signal Processing Magazine 25(1):41-56, 2008.
    .. [2] M. Grosse-Wentrup, M. Buss, "Multiclass common spatial patterns and information
       theoretic feature extraction", IEEE Transactions on Biomedical Engineering 55(8):1991-2000,
       2008.

    Examples
    --------
    >>> from skeeg.baselines import csp_lda
    >>> csp_lda(bands=[(8, 30)], sfreq=160).set_params(csp__n_components=6)["csp"].n_components
    6
    """
    return Pipeline(
        [
            *array_steps(bands, sfreq),
            ("csp", CSP(n_components, reg="oas", log=True)),
            ("lda", LinearDiscriminantAnalysis()),
        ]
    )


def csp_svm(
    n_components: int = 4,
    *,
    bands: Bands | None = None,
    sfreq: float | None = None,
    C: float = 1.0,
) -> Pipeline:
    """Build common spatial patterns and a support vector machine, for imagined movement.

    Parameters
    ----------
    n_components : int, default=4
        Number of spatial filters; all there are, where the channels are fewer.
    bands : str, mapping or sequence, optional
        The frequency bands to filter trials into first, as in `csp_lda`.
    sfreq : float, optional
        Sampling rate, in Hz; needed with `bands`.
    C : float, default=1.0
        Inverse strength of regularisation.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``filter`` (with `bands`), ``scale``, ``csp``, ``standardize`` and ``svm``, whose
        kernel is Gaussian.

    Raises
    ------
    ValueError
        If there are `bands` without `sfreq` or the reverse, or a band is wrong.

    See Also
    --------
    csp_lda : A straight boundary, and the references.
    """
    return Pipeline(
        [
            *array_steps(bands, sfreq),
            ("csp", CSP(n_components, reg="oas", log=True)),
            ("standardize", StandardScaler()),
            ("svm", SVC(C=C)),
        ]
    )


def spoc_ridge(
    n_components: int = 4,
    *,
    bands: Bands | None = None,
    sfreq: float | None = None,
    alphas: Sequence[float] = ALPHAS,
) -> Pipeline:
    """Build source power comodulation and ridge regression, for targets that a rhythm follows.

    Parameters
    ----------
    n_components : int, default=4
        Number of spatial filters; all there are, where the channels are fewer.
    bands : str, mapping or sequence, optional
        The frequency bands to filter trials into first, as in `csp_lda`.
    sfreq : float, optional
        Sampling rate, in Hz; needed with `bands`.
    alphas : sequence of float
        Strengths of regularisation; leave-one-out validation within the training data chooses.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``check``, ``filter`` (with `bands`), ``scale``, ``spoc`` and ``ridge``. The first
        raises a ValueError for a trial that is flat.

    Raises
    ------
    ValueError
        If there are `bands` without `sfreq` or the reverse, or a band is wrong.

    See Also
    --------
    csp_lda : The same for classes.
    tangent_space_ridge : The same information without a choice of filters.

    Notes
    -----
    Each filter passes the source whose power covaries most with the target [1]_; the features are
    the logarithms of these powers. They predict targets that depend linearly on log power, as
    those of `skeeg.datasets.simulate_band_power_regression`. The covariance of each trial is shrunk
    by the oracle-approximating rule, as in `csp_lda`, which gives dependent channels a full rank.

    References
    ----------
    .. [1] S. Dähne et al., "SPoC: a novel framework for relating the amplitude of neuronal
       oscillations to behaviorally relevant parameters", NeuroImage 86:111-122, 2014.

    Examples
    --------
    >>> from skeeg.baselines import spoc_ridge
    >>> list(spoc_ridge(bands=[(8, 13)], sfreq=160).named_steps)
    ['check', 'filter', 'scale', 'spoc', 'ridge']
    """
    return Pipeline(
        [
            ("check", FlatTrialCheck()),
            *array_steps(bands, sfreq),
            ("spoc", SPoC(n_components, reg="oas", log=True, rank="full")),
            ("ridge", RidgeCV(alphas)),
        ]
    )


def xdawn_lr(n_components: int = 2, *, C: float = 0.001) -> Pipeline:
    """Build Xdawn filters and logistic regression on the filtered waveform, for evoked responses.

    Parameters
    ----------
    n_components : int, default=2
        Number of spatial filters of each class; all there are, where the channels are fewer.
    C : float, default=0.001
        Inverse strength of regularisation.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``scale``, ``xdawn``, ``vectorize``, ``standardize`` and ``lr``, in which all classes
        weigh the same however rare their trials are.

    Notes
    -----
    Xdawn finds the directions in which the average response of a class is strongest against all
    of the signal [1]_. Overlapping responses are not disentangled.

    A filtered waveform has hundreds of samples, and those beside each other say nearly the same;
    therefore the regularisation is much stronger than scikit-learn's default.

    References
    ----------
    .. [1] B. Rivet et al., "xDAWN algorithm to enhance evoked potentials: application to
       brain-computer interface", IEEE Transactions on Biomedical Engineering 56(8):2035-2043,
       2009.
    """
    return Pipeline(
        [
            ("scale", UnitScaler()),
            ("xdawn", Xdawn(n_components, reg="oas")),
            ("vectorize", mne.decoding.Vectorizer()),
            ("standardize", StandardScaler()),
            ("lr", LogisticRegression(C=C, max_iter=1000, class_weight="balanced")),
        ]
    )
