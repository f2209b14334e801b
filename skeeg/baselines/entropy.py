"""Decoders of the differential entropy in frequency bands, for emotions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from .._checks import check_choice
from ..features import Asymmetry, DifferentialEntropy, SampleZScore, asymmetry_pairs
from ..features.bands import Bands


def entropy_svm(
    sfreq: float,
    bands: Bands = "classic",
    *,
    method: str = "filter",
    asymmetry: str | None = None,
    ch_names: Sequence[str] | None = None,
    scaling: str = "sample",
    C: float = 1.0,
) -> Pipeline:
    """Build differential entropy and a support vector machine, for emotions.

    Parameters
    ----------
    sfreq : float
        Sampling rate, in Hz.
    bands : str, mapping or sequence, default="classic"
        The frequency bands, as `skeeg.features.DifferentialEntropy` takes them; ``"deap"`` for
        the DEAP data.
    method : {"filter", "spectral"}, default="filter"
        How that transformer finds the variance in a band.
    asymmetry : {"dasm", "rasm", "asm", "dcau"}, optional
        Compare entropies between the sides of the head, or between its front and its back, as
        `skeeg.features.Asymmetry` does; ratios are those of standard deviations. Left out,
        entropies are used as they are.
    ch_names : sequence of str, optional
        The channels' names, as in the 10-20 system; needed with `asymmetry`.
    scaling : {"sample", "feature"}, default="sample"
        Standardise each trial over its own features, as with the DEAP data; or each feature over
        the training data.
    C : float, default=1.0
        Inverse strength of regularisation.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps ``entropy``, ``asymmetry`` (with `asymmetry`), ``zscore`` or ``standardize``, and
        ``svm``, whose kernel is Gaussian. For probabilities, wrap it in
        `sklearn.calibration.CalibratedClassifierCV`.

    Raises
    ------
    ValueError
        If a band is wrong or above the Nyquist frequency, `method`, `asymmetry` or `scaling` is
        unknown, or there is `asymmetry` without `ch_names` or the reverse.

    See Also
    --------
    skeeg.features.deap_entropy : The features of the DEAP data, less their baseline.

    Examples
    --------
    >>> from skeeg.baselines import entropy_svm
    >>> list(entropy_svm(sfreq=128, asymmetry="dasm", ch_names=["F3", "F4"]).named_steps)
    ['entropy', 'asymmetry', 'zscore', 'svm']
    """
    steps = _entropy_steps(sfreq, bands, method, asymmetry, ch_names, scaling)
    return Pipeline([*steps, ("svm", SVC(C=C))])


def entropy_mlp(
    sfreq: float,
    bands: Bands = "classic",
    *,
    method: str = "filter",
    asymmetry: str | None = None,
    ch_names: Sequence[str] | None = None,
    scaling: str = "sample",
    hidden_layer_sizes: tuple[int, ...] = (128,),
    random_state: int | None = None,
) -> Pipeline:
    """Build differential entropy and a multilayer perceptron, for emotions.

    Parameters
    ----------
    sfreq, bands, method, asymmetry, ch_names, scaling
        As in `entropy_svm`.
    hidden_layer_sizes : tuple of int, default=(128,)
        Units of each hidden layer.
    random_state : int, optional
        Decides the first weights and the order of the trials.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps as in `entropy_svm`, the last of them ``mlp``.

    Raises
    ------
    ValueError
        As `entropy_svm`.
    """
    steps = _entropy_steps(sfreq, bands, method, asymmetry, ch_names, scaling)
    mlp = MLPClassifier(hidden_layer_sizes, max_iter=1000, random_state=random_state)
    return Pipeline([*steps, ("mlp", mlp)])


def entropy_tree(
    sfreq: float,
    bands: Bands = "classic",
    *,
    method: str = "filter",
    asymmetry: str | None = None,
    ch_names: Sequence[str] | None = None,
    scaling: str = "sample",
    max_depth: int | None = 20,
    random_state: int | None = None,
) -> Pipeline:
    """Build differential entropy and a decision tree, for emotions.

    Parameters
    ----------
    sfreq, bands, method, asymmetry, ch_names, scaling
        As in `entropy_svm`.
    max_depth : int or None, default=20
        Of the tree; None for no limit.
    random_state : int, optional
        Decides between splits that are equally good.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps as in `entropy_svm`, the last of them ``tree``.

    Raises
    ------
    ValueError
        As `entropy_svm`.
    """
    steps = _entropy_steps(sfreq, bands, method, asymmetry, ch_names, scaling)
    tree = DecisionTreeClassifier(max_depth=max_depth, random_state=random_state)
    return Pipeline([*steps, ("tree", tree)])


_SCALERS: dict[str, tuple[str, type[Any]]] = {
    "sample": ("zscore", SampleZScore),
    "feature": ("standardize", StandardScaler),
}


def _entropy_steps(
    sfreq: float,
    bands: Bands,
    method: str,
    asymmetry: str | None,
    ch_names: Sequence[str] | None,
    scaling: str,
) -> list[tuple[str, Any]]:
    check_choice("scaling", scaling, _SCALERS)
    entropy = DifferentialEntropy(sfreq, bands, method)
    entropy._check_parameters(sfreq)
    steps: list[tuple[str, Any]] = [("entropy", entropy)]
    if (asymmetry is None) != (ch_names is None):
        raise ValueError(
            f"asymmetry and ch_names go together, got asymmetry={asymmetry!r} and "
            f"ch_names={ch_names!r}: pass both to compare electrodes, or none."
        )
    if asymmetry is not None and ch_names is not None:
        asymmetry_pairs(ch_names, asymmetry)
        steps.append(("asymmetry", Asymmetry(asymmetry, ch_names, log_features=True)))
    name, scaler = _SCALERS[scaling]
    return [*steps, (name, scaler())]
