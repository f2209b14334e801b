"""Decoders of spatial covariance in the tangent space of its mean, computed by pyRiemann."""

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

#: Power of each channel in a trial that has none, that of the recording being about 1.
_FLAT = 1e-10


class Covariances(TransformerMixin, BaseEstimator):
    """Covariance matrices as pyRiemann estimates them, positive definite for flat trials too.

    A trial without any variance, of which the logarithm would be infinite, counts as one of very
    weak noise: a power of 1e-10 in each channel. Trials are expected in units of their standard
    deviation, as `skeeg.features.UnitScaler` makes them.

    Parameters
    ----------
    estimator : str, default="oas"
        As in `pyriemann.estimation.Covariances`; ``"oas"`` shrinks by the oracle-approximating
        rule.
    """

    def __init__(self, estimator: str = "oas") -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any = None) -> Self:
        """Do nothing: each trial has a covariance of its own.

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
    steps = _tangent_steps(bands, sfreq, "tangent_space_lr")
    return Pipeline([*steps, ("lr", LogisticRegression(C=C, max_iter=1000))])


def tangent_space_ridge(
    *,
    bands: Bands | None = None,
    sfreq: float | None = None,
    alphas: Sequence[float] = ALPHAS,
) -> Pipeline:
    """Build spatial covariance in the tangent space of its mean, and ridge regression.

    Parameters
    ----------
    bands : str, mapping or sequence, optional
        The frequency bands to filter trials into first, as in `tangent_space_lr`.
    sfreq : float, optional
        Sampling rate, in Hz; needed with `bands`.
    alphas : sequence of float
        Strengths of regularisation; leave-one-out validation within the training data chooses.

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
        If there are `bands` without `sfreq` or the reverse, or a band is wrong.

    See Also
    --------
    tangent_space_lr : The same for classes, and what the tangent space is.
    spoc_ridge : Filters that can be looked at.

    Notes
    -----
    The logarithm of a source's power is linear in the coordinates of the tangent space, however
    the sources are mixed, if they do not overlap in it [1]_.

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
