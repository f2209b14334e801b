"""Decoders with spatial filters: common spatial patterns, source power comodulation and Xdawn."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import mne
import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest, mutual_info_classif
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from .._validation import unwrap
from ..features import FilterBank, UnitScaler
from ..features.bands import Bands, check_bands
from ._steps import ALPHAS, FlatTrialCheck, array_steps

#: Lock for MNE's log level, which is global and which parallel threads would restore incorrectly.
_FITTING = threading.Lock()


class _Quiet:
    """MNE's transformers without messages in ``fit``, for any container of trials.

    scikit-learn's splitters make lists of epochs, which MNE does not take.
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Compute the spatial filters.

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
    """Components whose log power is finite also for flat trials."""

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
    """MNE's common spatial patterns, without messages and with finite features.

    MNE's messages in ``fit`` are suppressed, but not its warnings. Components have a variance of
    about one in the training data. The logarithm of the power of a flat trial is -36, the level of
    rounding errors, instead of minus infinity. Parameters and attributes are those of
    `mne.decoding.CSP`.
    """


class SPoC(_Power, mne.decoding.SPoC):
    """MNE's source power comodulation, without messages and with finite features.

    MNE's messages in ``fit`` are suppressed, but not its warnings. The logarithm of the power of a
    flat trial is -36, the level of rounding errors, instead of minus infinity. Parameters and
    attributes are those of `mne.decoding.SPoC`.
    """


class Xdawn(_Quiet, mne.decoding.XdawnTransformer):
    """MNE's Xdawn filters for arrays, without messages.

    MNE's messages in ``fit`` are suppressed, but not its warnings. Without labels, all trials are
    one class. Parameters and attributes are those of `mne.decoding.XdawnTransformer`.
    """


def csp_lda(
    n_components: int = 4, *, bands: Bands | None = None, sfreq: float | None = None
) -> Pipeline:
    """Return a pipeline of common spatial patterns and linear discriminants, for motor imagery.

    Parameters
    ----------
    n_components : int, default=4
        Number of spatial filters, at most the number of channels.
    bands : str, mapping or sequence, optional
        Frequency bands of a filter bank, as in `skeeg.features.FilterBank`: ``[(8, 30)]`` is the mu
        and beta band. By default trials are not filtered, which is suitable only for recordings
        that were filtered to a narrow band before.
    sfreq : float, optional
        Sampling rate in Hz; required with `bands`.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``filter`` (with `bands`), ``scale``, ``csp`` and ``lda``.

    Raises
    ------
    ValueError
        If only one of `bands` and `sfreq` is passed, or a band is invalid.

    See Also
    --------
    csp_svm : A non-linear decision boundary.
    tangent_space_lr : The same information without a selection of filters.

    Notes
    -----
    The features are the logarithms of the variance after each filter [1]_. For more than two
    classes, the covariances are diagonalised jointly [2]_. The covariance of each class is
    estimated with oracle approximating shrinkage. The shrinkage is negligible with many samples,
    and keeps the covariance invertible with few trials or dependent channels, such as after an
    average reference.

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


def fbcsp_lda(
    sfreq: float,
    bands: Bands | None = None,
    *,
    n_components: int = 4,
    n_features: int = 8,
) -> Pipeline:
    """Return a pipeline of filter-bank CSP, a selection of features and linear discriminants.

    For motor imagery whose band is not known.

    Parameters
    ----------
    sfreq : float
        Sampling rate in Hz.
    bands : str, mapping or sequence, optional
        Frequency bands, as in `skeeg.features.FilterBank`. By default 4-8, 8-12, ..., 36-40 Hz, as
        far as the sampling rate allows.
    n_components : int, default=4
        Number of spatial filters in each band, at most the number of channels.
    n_features : int, default=8
        Number of features that are kept, by mutual information with the classes.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``scale``, ``fbcsp``, a union with a pipeline for each band, ``select`` and ``lda``.

    Raises
    ------
    ValueError
        If a band is invalid or above the Nyquist frequency.

    See Also
    --------
    csp_lda : With one band.

    References
    ----------
    .. [1] K. K. Ang et al., "Filter bank common spatial pattern (FBCSP) in brain-computer
       interface", IEEE International Joint Conference on Neural Networks, 2390-2397, 2008.

    Examples
    --------
    >>> from skeeg.baselines import fbcsp_lda
    >>> list(fbcsp_lda(sfreq=128).named_steps)
    ['scale', 'fbcsp', 'select', 'lda']
    """
    if bands is None:
        bands = [(low, low + 4) for low in range(4, 40, 4) if low + 4 < sfreq / 2]
    of_bands = [
        (
            name,
            Pipeline(
                [
                    ("filter", FilterBank(sfreq, [edges])),
                    ("csp", CSP(n_components, reg="oas", log=True)),
                ]
            ),
        )
        for name, edges in check_bands(bands, sfreq).items()
    ]
    # The estimate adds a little noise to break ties; with a seed, fits repeat.
    information = partial(mutual_info_classif, random_state=0)
    n_kept = min(n_features, n_components * len(of_bands))
    return Pipeline(
        [
            ("scale", UnitScaler()),
            ("fbcsp", FeatureUnion(of_bands)),
            ("select", SelectKBest(information, k=n_kept)),
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
    """Return a pipeline of common spatial patterns and an SVM, for motor imagery.

    Parameters
    ----------
    n_components : int, default=4
        Number of spatial filters, at most the number of channels.
    bands : str, mapping or sequence, optional
        Frequency bands of a filter bank, as in `csp_lda`.
    sfreq : float, optional
        Sampling rate in Hz; required with `bands`.
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
        If only one of `bands` and `sfreq` is passed, or a band is invalid.

    See Also
    --------
    csp_lda : A linear decision boundary, with references.
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
    """Return a pipeline of source power comodulation and ridge regression.

    Parameters
    ----------
    n_components : int, default=4
        Number of spatial filters, at most the number of channels.
    bands : str, mapping or sequence, optional
        Frequency bands of a filter bank, as in `csp_lda`.
    sfreq : float, optional
        Sampling rate in Hz; required with `bands`.
    alphas : sequence of float
        Regularisation strengths, from which leave-one-out validation on the training data selects.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``check``, ``filter`` (with `bands`), ``scale``, ``spoc`` and ``ridge``. The first
        raises a ValueError for a trial that is flat.

    Raises
    ------
    ValueError
        If only one of `bands` and `sfreq` is passed, or a band is invalid.

    See Also
    --------
    csp_lda : Common spatial patterns, for classification.
    tangent_space_ridge : The same information without a selection of filters.

    Notes
    -----
    Each filter extracts the source whose power covaries most with the target [1]_. The features are
    the logarithms of these powers. The pipeline predicts targets that are linear in log power, such
    as those of `skeeg.datasets.simulate_band_power_regression`. The covariance of each trial is
    estimated with oracle approximating shrinkage, as in `csp_lda`, so that it has full rank for
    dependent channels.

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
    """Return a pipeline of Xdawn filters and logistic regression, for evoked responses.

    Parameters
    ----------
    n_components : int, default=2
        Number of spatial filters of each class, at most the number of channels.
    C : float, default=0.001
        Inverse strength of regularisation.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``scale``, ``xdawn``, ``vectorize``, ``standardize`` and ``lr``, which weights classes
        by the inverse of their frequency.

    Notes
    -----
    Xdawn maximises the power of the average response of a class relative to that of the whole
    signal [1]_. Overlapping responses are not separated.

    A filtered waveform has hundreds of samples, and neighbouring samples are highly correlated, so
    the regularisation is much stronger than scikit-learn's default.

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
