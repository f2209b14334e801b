"""Decoders of emotion from the differential entropy in frequency bands."""

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
    """Return a pipeline of differential entropy and a support vector machine, for emotion.

    Parameters
    ----------
    sfreq : float
        Sampling rate in Hz.
    bands : str, mapping or sequence, default="classic"
        Frequency bands as in `skeeg.features.DifferentialEntropy`; ``"deap"`` for the DEAP data.
    method : {"filter", "spectral"}, default="filter"
        How `skeeg.features.DifferentialEntropy` computes the variance in a band.
    asymmetry : {"dasm", "rasm", "asm", "dcau"}, optional
        Features of `skeeg.features.Asymmetry`, which compare the left and right or the front and
        back of the head; ratios are those of standard deviations. By default the entropies are
        used.
    ch_names : sequence of str, optional
        Names of the channels in the 10-20 system; required with `asymmetry`.
    scaling : {"sample", "feature"}, default="sample"
        ``"sample"`` standardises each trial over its own features, as for the DEAP data.
        ``"feature"`` standardises each feature over the training data.
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
        If a band is invalid or above the Nyquist frequency, `method`, `asymmetry` or `scaling` is
        unknown, or only one of `asymmetry` and `ch_names` is passed.

    See Also
    --------
    skeeg.features.deap_entropy : Baseline-corrected features of the DEAP data.

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
    """Return a pipeline of differential entropy and a multilayer perceptron, for emotion.

    Parameters
    ----------
    sfreq, bands, method, asymmetry, ch_names, scaling
        As in `entropy_svm`.
    hidden_layer_sizes : tuple of int, default=(128,)
        Number of units in each hidden layer.
    random_state : int, optional
        Seed of the initial weights and the order of the trials.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps as in `entropy_svm`, the last of them ``mlp``.

    Raises
    ------
    ValueError
        As in `entropy_svm`.
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
    """Return a pipeline of differential entropy and a decision tree, for emotion.

    Parameters
    ----------
    sfreq, bands, method, asymmetry, ch_names, scaling
        As in `entropy_svm`.
    max_depth : int or None, default=20
        Largest depth of the tree; None for no limit.
    random_state : int, optional
        Seed of the choice between equally good splits.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Steps as in `entropy_svm`, the last of them ``tree``.

    Raises
    ------
    ValueError
        As in `entropy_svm`.
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
            f"asymmetry and ch_names must be passed together, got asymmetry={asymmetry!r} and "
            f"ch_names={ch_names!r}: pass both to compare electrodes, or neither."
        )
    if asymmetry is not None and ch_names is not None:
        asymmetry_pairs(ch_names, asymmetry)
        steps.append(("asymmetry", Asymmetry(asymmetry, ch_names, log_features=True)))
    name, scaler = _SCALERS[scaling]
    return [*steps, (name, scaler())]
