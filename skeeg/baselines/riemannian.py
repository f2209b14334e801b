"""Decoders of spatial covariance in the tangent space, computed with pyRiemann."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import Pipeline

from .._validation import unwrap
from ..features.bands import Bands
from ._steps import ALPHAS, FlatTrialCheck, array_steps

#: Power of each channel in a flat trial, relative to a power of about 1 in the recording.
_FLAT = 1e-10


class Covariances(TransformerMixin, BaseEstimator):
    """pyRiemann's covariance matrices, which are positive definite also for flat trials.

    A trial without variance, whose matrix has no logarithm, is treated as weak noise with a power
    of 1e-10 in each channel. Trials must be scaled to a standard deviation of about 1, as by
    `skeeg.features.UnitScaler`.

    Parameters
    ----------
    estimator : str, default="oas"
        As in `pyriemann.estimation.Covariances`; ``"oas"`` is oracle approximating shrinkage.
    """

    def __init__(self, estimator: str = "oas") -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any = None) -> Self:
        """Do nothing: the covariance of a trial does not depend on other trials.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
        y : None
            Ignored.

        Returns
        -------
        self : Covariances
        """
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Compute the covariance matrix of each trial.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)

        Returns
        -------
        covariances : ndarray, shape (n_trials, n_chans, n_chans)
        """
        from pyriemann import estimation

        trials = np.asarray(unwrap(X).values)
        matrices = estimation.Covariances(self.estimator).fit_transform(trials)
        n_chans = matrices.shape[-1]
        flat = np.trace(matrices, axis1=-2, axis2=-1) < n_chans * _FLAT
        matrices[flat] = _FLAT * np.eye(n_chans)
        return matrices


def tangent_space_lr(
    *, bands: Bands | None = None, sfreq: float | None = None, C: float = 0.1
) -> Pipeline:
    """Return a pipeline of covariance, tangent space and logistic regression.

    Parameters
    ----------
    bands : str, mapping or sequence, optional
        Frequency bands of a filter bank, as in `skeeg.features.FilterBank`. The filtered signals
        are stacked as channels, so that the covariance includes the power in each band. For
        steady-state responses at 13, 17 and 21 Hz, use bands around these frequencies and their
        second harmonics, ``[(f - 1, f + 1) for f in (13, 17, 21, 26, 34, 42)]``.
    sfreq : float, optional
        Sampling rate in Hz; required with `bands`.
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
        If only one of `bands` and `sfreq` is passed, or a band is invalid.

    Notes
    -----
    Covariance matrices are points on a Riemannian manifold. They are estimated with oracle
    approximating shrinkage and projected onto the tangent space at their Riemannian mean, where
    Euclidean classifiers can be used [1]_. Stacked bands are described in [2]_. Except for the
    shrinkage, the result does not depend on a linear mixture of the channels, such as another
    reference.

    The tangent space has a coordinate for each pair of channels, 300 for 8 channels in 3 bands.
    This is often more than the number of trials, so the regularisation is stronger than
    scikit-learn's default.

    References
    ----------
    .. [1] A. Barachant et al., "Multiclass brain-computer interface classification by Riemannian
       geometry", IEEE Transactions on Biomedical Engineering 59(4):920-928, 2012.
    .. [2] M. Congedo, A. Barachant, A. Andreev, "A new generation of brain-computer interface
       based on Riemannian geometry", arXiv 1310.8115, 2013.
    """
    steps = _tangent_steps(bands, sfreq, "tangent_space_lr")
    return Pipeline([*steps, ("lr", LogisticRegression(C=C, max_iter=1000))])


def tangent_space_ridge(
    *,
    bands: Bands | None = None,
    sfreq: float | None = None,
    alphas: Sequence[float] = ALPHAS,
) -> Pipeline:
    """Return a pipeline of covariance, tangent space and ridge regression.

    Parameters
    ----------
    bands : str, mapping or sequence, optional
        Frequency bands of a filter bank, as in `tangent_space_lr`.
    sfreq : float, optional
        Sampling rate in Hz; required with `bands`.
    alphas : sequence of float
        Regularisation strengths, from which leave-one-out validation on the training data selects.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``check``, ``filter`` (with `bands`), ``scale``, ``covariance``, ``tangent_space``
        and ``ridge``. The first raises a ValueError for a trial that is flat.

    Raises
    ------
    ImportError
        If pyRiemann is not installed.
    ValueError
        If only one of `bands` and `sfreq` is passed, or a band is invalid.

    See Also
    --------
    tangent_space_lr : The same features for classification, with notes on the tangent space.
    spoc_ridge : Spatial filters, which can be interpreted.

    Notes
    -----
    If sources are uncorrelated, the logarithm of a source's power is a linear function of the
    coordinates in the tangent space, for any mixture of the sources [1]_.

    References
    ----------
    .. [1] D. Sabbagh et al., "Predictive regression modeling with MEG/EEG: from source power to
       signals and cognitive states", NeuroImage 222:116893, 2020.
    """
    steps = _tangent_steps(bands, sfreq, "tangent_space_ridge")
    return Pipeline([("check", FlatTrialCheck()), *steps, ("ridge", RidgeCV(alphas))])


def _tangent_steps(bands: Bands | None, sfreq: float | None, name: str) -> list[tuple[str, Any]]:
    try:
        import pyriemann.estimation
        import pyriemann.tangentspace
    except ImportError as error:
        raise ImportError(
            f"{name} needs pyRiemann, which is not installed: pip install 'skeeg[riemann]'"
        ) from error
    return [
        *array_steps(bands, sfreq),
        ("covariance", Covariances("oas")),
        ("tangent_space", pyriemann.tangentspace.TangentSpace("riemann")),
    ]
