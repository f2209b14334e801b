"""Decoders of the power in frequency bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ..features import BandPower
from ..features.bands import Bands, check_bands
from ._steps import ALPHAS, FlatTrialCheck


def band_power_lr(sfreq: float, bands: Bands = "classic", *, C: float = 1.0) -> Pipeline:
    """Return a pipeline of log band power and logistic regression, for states such as workload.

    Parameters
    ----------
    sfreq : float
        Sampling rate in Hz.
    bands : str, mapping or sequence, default="classic"
        Frequency bands as in `skeeg.features.BandPower`.
    C : float, default=1.0
        Inverse strength of regularisation. With few subjects, a smaller value generalises better
        to new subjects.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``power``, ``standardize`` and ``lr``.

    Raises
    ------
    ValueError
        If a band is invalid or above the Nyquist frequency.

    Examples
    --------
    >>> from skeeg.baselines import band_power_lr
    >>> list(band_power_lr(sfreq=128).named_steps)
    ['power', 'standardize', 'lr']
    """
    return Pipeline([*_power_steps(sfreq, bands), ("lr", LogisticRegression(C=C, max_iter=1000))])


def band_power_svm(sfreq: float, bands: Bands = "classic", *, C: float = 1.0) -> Pipeline:
    """Return a pipeline of log band power and a support vector machine, for mental states.

    Parameters
    ----------
    sfreq : float
        Sampling rate in Hz.
    bands : str, mapping or sequence, default="classic"
        Frequency bands as in `skeeg.features.BandPower`.
    C : float, default=1.0
        Inverse strength of regularisation.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``power``, ``standardize`` and ``svm``, whose kernel is Gaussian. For probabilities,
        wrap it in `sklearn.calibration.CalibratedClassifierCV`.

    Raises
    ------
    ValueError
        If a band is invalid or above the Nyquist frequency.
    """
    return Pipeline([*_power_steps(sfreq, bands), ("svm", SVC(C=C))])


def band_power_mlp(
    sfreq: float,
    bands: Bands = "classic",
    *,
    hidden_layer_sizes: tuple[int, ...] = (128,),
    random_state: int | None = None,
) -> Pipeline:
    """Return a pipeline of log band power and a multilayer perceptron, for mental states.

    Parameters
    ----------
    sfreq : float
        Sampling rate in Hz.
    bands : str, mapping or sequence, default="classic"
        Frequency bands as in `skeeg.features.BandPower`.
    hidden_layer_sizes : tuple of int, default=(128,)
        Number of units in each hidden layer.
    random_state : int, optional
        Seed of the initial weights and the order of the trials.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``power``, ``standardize`` and ``mlp``.

    Raises
    ------
    ValueError
        If a band is invalid or above the Nyquist frequency.
    """
    mlp = MLPClassifier(hidden_layer_sizes, max_iter=1000, random_state=random_state)
    return Pipeline([*_power_steps(sfreq, bands), ("mlp", mlp)])


def band_power_ridge(
    sfreq: float, bands: Bands = "classic", *, alphas: Sequence[float] = ALPHAS
) -> Pipeline:
    """Return a pipeline of log band power and ridge regression, for continuous targets.

    Parameters
    ----------
    sfreq : float
        Sampling rate in Hz.
    bands : str, mapping or sequence, default="classic"
        Frequency bands as in `skeeg.features.BandPower`.
    alphas : sequence of float
        Regularisation strengths, from which leave-one-out validation on the training data selects.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``check``, ``power``, ``standardize`` and ``ridge``. The first raises a ValueError
        for a trial that is flat.

    Raises
    ------
    ValueError
        If a band is invalid or above the Nyquist frequency.

    See Also
    --------
    spoc_ridge : Power of sources instead of channels.

    Examples
    --------
    >>> from skeeg.baselines import band_power_ridge
    >>> list(band_power_ridge(sfreq=128).named_steps)
    ['check', 'power', 'standardize', 'ridge']
    """
    steps = _power_steps(sfreq, bands)
    return Pipeline([("check", FlatTrialCheck()), *steps, ("ridge", RidgeCV(alphas))])


def _power_steps(sfreq: float, bands: Bands) -> list[tuple[str, Any]]:
    check_bands(bands, sfreq)
    return [("power", BandPower(sfreq, bands)), ("standardize", StandardScaler())]
