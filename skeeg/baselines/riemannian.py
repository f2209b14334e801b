"""Decoders of spatial covariance in the tangent space, computed with pyRiemann."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from .._checks import check_integer
from .._validation import unwrap
from ..features import UnitScaler
from ..features._base import TrialTransformer
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


def xdawn_tangent_space_lr(n_components: int = 4, *, C: float = 0.1) -> Pipeline:
    """Return a pipeline of xDAWN covariances, tangent space and logistic regression.

    For evoked responses.

    Parameters
    ----------
    n_components : int, default=4
        Number of spatial filters of each class.
    C : float, default=0.1
        Inverse strength of regularisation.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``scale``, ``covariance``, ``tangent_space`` and ``lr``, which weights classes by the
        inverse of their frequency.

    Raises
    ------
    ImportError
        If pyRiemann is not installed.

    See Also
    --------
    xdawn_lr : The filtered waveforms instead of their covariance.

    Notes
    -----
    Each trial is stacked with the average response of each class, all filtered by xDAWN, and the
    covariance of the stack is used [1]_.

    References
    ----------
    .. [1] A. Barachant, M. Congedo, "A plug&play P300 BCI using information geometry", arXiv
       1409.0107, 2014.
    """
    estimation = _pyriemann("estimation", "xdawn_tangent_space_lr")
    covariances = estimation.XdawnCovariances(n_components, estimator="oas", xdawn_estimator="oas")
    regression = LogisticRegression(C=C, max_iter=1000, class_weight="balanced")
    return Pipeline(
        [
            ("scale", UnitScaler()),
            ("covariance", covariances),
            ("tangent_space", _tangent_space("xdawn_tangent_space_lr")),
            ("lr", regression),
        ]
    )


def erp_covariance_mdm() -> Pipeline:
    """Return a pipeline of covariances with class averages and minimum distance to mean.

    For evoked responses of few channels.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``scale``, ``covariance`` and ``mdm``.

    Raises
    ------
    ImportError
        If pyRiemann is not installed.

    See Also
    --------
    xdawn_tangent_space_lr : With spatial filters, for many channels.

    Notes
    -----
    Each trial is stacked with the average response of each class, and assigned to the class whose
    Riemannian mean covariance is nearest [1]_.

    References
    ----------
    .. [1] M. Congedo, A. Barachant, A. Andreev, "A new generation of brain-computer interface
       based on Riemannian geometry", arXiv 1310.8115, 2013.
    """
    estimation = _pyriemann("estimation", "erp_covariance_mdm")
    classification = _pyriemann("classification", "erp_covariance_mdm")
    return Pipeline(
        [
            ("scale", UnitScaler()),
            ("covariance", estimation.ERPCovariances(estimator="oas")),
            ("mdm", classification.MDM("riemann")),
        ]
    )


class DelayEmbedding(TrialTransformer):
    """Stack delayed copies of each channel, so that covariances include the dynamics.

    Parameters
    ----------
    order : int, default=4
        Number of copies, the undelayed one included.
    lag : int, default=8
        Delay from one copy to the next, in samples.

    Attributes
    ----------
    n_chans_, n_times_ : int
        Channels and samples of a training trial.
    ch_names_ : tuple of str or None
        Names of the channels, if the training data had names.
    sfreq_ : float or None
        Sampling rate of the training data in Hz, if known.
    n_features_in_ : int
        Length of the second axis of the training data.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.baselines import DelayEmbedding
    >>> DelayEmbedding(order=2, lag=3).fit_transform(np.arange(6.0)[None, None]).tolist()
    [[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]]
    """

    def __init__(self, order: int = 4, lag: int = 8) -> None:
        self.order = order
        self.lag = lag

    def _learn(self, trials: NDArray[Any]) -> None:
        check_integer("order", self.order, at_least=1)
        check_integer("lag", self.lag, at_least=1)
        if (self.order - 1) * self.lag >= trials.shape[2]:
            raise ValueError(
                f"Trials of {trials.shape[2]} samples are too short for order={self.order} copies "
                f"with lag={self.lag}, which need more than {(self.order - 1) * self.lag}. Pass a "
                "smaller order or lag."
            )

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Stack the copies.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)

        Returns
        -------
        stacked : ndarray, shape (n_trials, order * n_chans, n_times - (order - 1) * lag)
            All channels without delay, then all with the first delay, and so on.
        """
        trials = np.asarray(self._check(X, reset=False), np.float64)
        n_kept = trials.shape[2] - (self.order - 1) * self.lag
        starts = range(0, self.order * self.lag, self.lag)
        return np.concatenate([trials[:, :, i : i + n_kept] for i in starts], axis=1)


def acm_tangent_space_svm(order: int = 4, lag: int = 8, *, C: float = 1.0) -> Pipeline:
    """Return a pipeline of augmented covariances, tangent space and a support vector machine.

    For motor imagery and steady-state responses.

    Parameters
    ----------
    order : int, default=4
        Number of delayed copies of each channel, the undelayed one included. The covariance has
        ``order * n_chans`` rows: use few channels or a small order.
    lag : int, default=8
        Delay from one copy to the next, in samples.
    C : float, default=1.0
        Inverse strength of regularisation.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``scale``, ``embed``, ``covariance``, ``tangent_space``, ``standardize`` and ``svm``,
        whose kernel is Gaussian.

    Raises
    ------
    ImportError
        If pyRiemann is not installed.

    See Also
    --------
    tangent_space_lr : Covariances without delays.

    Notes
    -----
    The paper selects order and lag by a search on the training data [1]_: search ``embed__order``
    and ``embed__lag``.

    References
    ----------
    .. [1] I. Carrara, T. Papadopoulo, "Classification of BCI-EEG based on the augmented covariance
       matrix", IEEE Transactions on Biomedical Engineering 71(9):2651-2662, 2024.
    """
    return Pipeline(
        [
            ("scale", UnitScaler()),
            ("embed", DelayEmbedding(order, lag)),
            ("covariance", Covariances("oas")),
            ("tangent_space", _tangent_space("acm_tangent_space_svm")),
            ("standardize", StandardScaler()),
            ("svm", SVC(C=C)),
        ]
    )


def _pyriemann(module: str, caller: str) -> Any:
    try:
        return importlib.import_module(f"pyriemann.{module}")
    except ImportError as error:
        raise ImportError(
            f"{caller} needs pyRiemann, which is not installed: pip install 'skeeg[riemann]'"
        ) from error


def _tangent_space(caller: str) -> Any:
    _pyriemann("estimation", caller)
    return _pyriemann("tangentspace", caller).TangentSpace("riemann")


def _tangent_steps(bands: Bands | None, sfreq: float | None, name: str) -> list[tuple[str, Any]]:
    return [
        *array_steps(bands, sfreq),
        ("covariance", Covariances("oas")),
        ("tangent_space", _tangent_space(name)),
    ]
