"""Decoders that filter space: common spatial patterns, tangent space and Xdawn."""

from __future__ import annotations

import threading
from typing import Any, Self

import mne
import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ..features import FilterBank, UnitScaler
from ..features.bands import Bands, check_bands

#: MNE has one log level for the whole process, which fits in parallel threads would leave changed.
_FITTING = threading.Lock()


class CSP(mne.decoding.CSP):
    """MNE's common spatial patterns, quiet and finite.

    MNE's messages on every fit are dropped, its warnings are still given. The logarithm of the
    power in a flat trial is -36, that of rounding errors, where MNE's is infinite: components have
    a variance of about one in the training data. Parameters and attributes are those of
    `mne.decoding.CSP`.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Find the spatial filters.

        Parameters
        ----------
        X : ndarray, shape (n_trials, n_chans, n_times)
        y : array-like, shape (n_trials,)

        Returns
        -------
        self : CSP
        """
        with _FITTING, mne.use_log_level("WARNING"):
            return super().fit(X, y)

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Compute the power of each component, or the components themselves.

        Parameters
        ----------
        X : ndarray, shape (n_trials, n_chans, n_times)

        Returns
        -------
        features : ndarray of float64, shape (n_trials, n_components[, n_times])
        """
        with np.errstate(divide="ignore"):
            features = super().transform(X)
        if self.transform_into == "average_power" and self.log is not False:
            return np.maximum(features, np.log(np.finfo(np.float64).eps))
        return features


class Xdawn(mne.decoding.XdawnTransformer):
    """MNE's Xdawn filters for arrays, without its messages on every fit.

    Warnings are still given. Parameters and attributes are those of
    `mne.decoding.XdawnTransformer`.
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the spatial filters of each class.

        Parameters
        ----------
        X : ndarray, shape (n_trials, n_chans, n_times)
        y : array-like, shape (n_trials,), optional
            Without it, all trials are one class.

        Returns
        -------
        self : Xdawn
        """
        with _FITTING, mne.use_log_level("WARNING"):
            return super().fit(X, y)


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
            *_array_steps(bands, sfreq),
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
            *_array_steps(bands, sfreq),
            ("csp", CSP(n_components, reg="oas", log=True)),
            ("standardize", StandardScaler()),
            ("svm", SVC(C=C)),
        ]
    )


def tangent_space_lr(
    *, bands: Bands | None = None, sfreq: float | None = None, C: float = 0.1
) -> Pipeline:
    """Build spatial covariance in the tangent space of its mean, and logistic regression.

    Parameters
    ----------
    bands : str, mapping or sequence, optional
        The frequency bands to filter trials into first, as `skeeg.features.FilterBank` takes them.
        Stacked like channels, they bring the power in each band into the covariance;
        for steady-state responses at 13, 17 and 21 Hz, those around these frequencies and around
        their doubles, ``[(f - 1, f + 1) for f in (13, 17, 21, 26, 34, 42)]``.
    sfreq : float, optional
        Sampling rate, in Hz; needed with `bands`.
    C : float, default=0.1
        Inverse strength of regularisation.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``filter`` (with `bands`), ``scale``, ``covariance``, ``tangent_space`` and ``lr``.

    Raises
    ------
    ImportError
        If pyRiemann is not installed.
    ValueError
        If there are `bands` without `sfreq` or the reverse, or a band is wrong.

    Notes
    -----
    Covariance matrices, shrunk by the oracle-approximating rule, are points of a curved space. At
    their Riemannian mean they are projected onto the plane that touches it, where ordinary
    distances and classifiers hold [1]_; stacked bands are described in [2]_. But for the
    shrinkage, nothing changes if the channels are mixed or referenced anew.

    The plane has a coordinate for each pair of channels, 300 for 8 channels in 3 bands, often more
    than there are trials; therefore the regularisation is stronger than scikit-learn's default.

    References
    ----------
    .. [1] A. Barachant et al., "Multiclass brain-computer interface classification by Riemannian
       geometry", IEEE Transactions on Biomedical Engineering 59(4):920-928, 2012.
    .. [2] M. Congedo, A. Barachant, A. Andreev, "A new generation of brain-computer interface
       based on Riemannian geometry", arXiv 1310.8115, 2013.
    """
    try:
        from pyriemann.estimation import Covariances
        from pyriemann.tangentspace import TangentSpace
    except ImportError as error:
        raise ImportError(
            "tangent_space_lr needs pyRiemann, which is not installed: pip install 'skeeg[riemann]'"
        ) from error

    return Pipeline(
        [
            *_array_steps(bands, sfreq),
            ("covariance", Covariances("oas")),
            ("tangent_space", TangentSpace("riemann")),
            ("lr", LogisticRegression(C=C, max_iter=1000)),
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


def _array_steps(bands: Bands | None, sfreq: float | None) -> list[tuple[str, Any]]:
    """Return the steps that lead to other packages' transformers: a filter, if any, and scaling."""
    if bands is None and sfreq is None:
        return [("scale", UnitScaler())]
    if bands is None or sfreq is None:
        raise ValueError(
            f"bands and sfreq go together, got bands={bands!r} and sfreq={sfreq!r}: pass both to "
            "filter the trials, or none to take them as they are."
        )
    check_bands(bands, sfreq)
    return [("filter", FilterBank(sfreq, bands)), ("scale", UnitScaler())]
