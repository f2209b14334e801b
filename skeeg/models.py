"""The built-in models, which ``skeeg compare`` and `skeeg.compare` take by name.

Importing this module, or listing the models, loads neither torch nor MNE.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ._checks import did_you_mean
from ._other_networks import is_other_network, other_network
from .recipes import RECIPES, recipe_name


def _nothing(sfreq: float) -> dict[str, Any]:
    return {}


def _rate(sfreq: float) -> dict[str, Any]:
    return {"sfreq": sfreq}


def _mu_and_beta(sfreq: float) -> dict[str, Any]:
    """Filter to 8-30 Hz, if the sampling rate allows it."""
    return {"bands": [(8.0, 30.0)], "sfreq": sfreq} if sfreq > 66 else {}


def _recipe(paradigm: str) -> BuiltinModel:
    """Return the recipe of a paradigm as a model."""

    def arguments(sfreq: float) -> dict[str, Any]:
        return {"paradigm": paradigm, "sfreq": sfreq}

    recipe = RECIPES[paradigm]
    return BuiltinModel(f"recipe, {recipe}", "recipes", "make_recipe", arguments, is_network=True)


@dataclass(frozen=True)
class BuiltinModel:
    """A built-in model.

    Parameters
    ----------
    description : str
        One line.
    home, attribute : str
        The module of skeeg, and the class or function in it that returns the model.
    arguments : callable
        A function of the sampling rate in Hz that returns the arguments of `attribute`.
    is_network : bool
        Whether it is a network, which has the parameter ``max_epochs``.
    requires : str
        The extra of skeeg that must be installed; empty if none.
    """

    description: str
    home: str
    attribute: str
    arguments: Callable[[float], dict[str, Any]] = _nothing
    is_network: bool = False
    requires: str = ""


#: The built-in models by name.
MODELS: dict[str, BuiltinModel] = {
    "eegnet": BuiltinModel(
        "EEGNet (Lawhern 2018): compact separable network, filters of half a second",
        "estimators",
        "EEGNetClassifier",
        is_network=True,
    ),
    "shallowconvnet": BuiltinModel(
        "ShallowConvNet (Schirrmeister 2017): learnt filter bank and log power",
        "estimators",
        "ShallowConvNetClassifier",
        is_network=True,
    ),
    "deepconvnet": BuiltinModel(
        "DeepConvNet (Schirrmeister 2017): four blocks of convolution and pooling",
        "estimators",
        "DeepConvNetClassifier",
        is_network=True,
    ),
    "eegnex": BuiltinModel(
        "EEGNeX (Chen 2024): EEGNet with more and dilated convolutions; slow",
        "estimators",
        "EEGNeXClassifier",
        is_network=True,
    ),
    "mixnet": BuiltinModel(
        "MixNet (skeeg, after Tan 2019): EEGNet with second kernels of several lengths",
        "estimators",
        "MixNetClassifier",
        is_network=True,
    ),
    "inception-resnet": BuiltinModel(
        "InceptionResNet (skeeg, after Szegedy 2017): residual inception blocks along time",
        "estimators",
        "InceptionResNetClassifier",
        is_network=True,
    ),
    "msfbcnn": BuiltinModel(
        "MSFBCNN (Wu 2019): filters of four lengths side by side and log power",
        "estimators",
        "MSFBCNNClassifier",
        is_network=True,
    ),
    "cnn-lstm": BuiltinModel(
        "1DCNN-LSTM (Zamani 2021): two convolutions over time, two LSTM layers",
        "estimators",
        "CNNLSTMClassifier",
        is_network=True,
    ),
    "cnn-gru": BuiltinModel(
        "1DCNN-GRU (Zamani 2021): two convolutions over time, two GRU layers",
        "estimators",
        "CNNGRUClassifier",
        is_network=True,
    ),
    "pointcnn": BuiltinModel(
        "PointCNN (skeeg, after Li 2018): differential entropy, electrodes as points on the head",
        "models",
        "_entropy_pointcnn",
        _rate,
        is_network=True,
    ),
    "csp-lda": BuiltinModel(
        "common spatial patterns of 8-30 Hz, linear discriminant analysis",
        "baselines",
        "csp_lda",
        _mu_and_beta,
    ),
    "csp-svm": BuiltinModel(
        "common spatial patterns of 8-30 Hz, support vector machine",
        "baselines",
        "csp_svm",
        _mu_and_beta,
    ),
    "band-power-lr": BuiltinModel(
        "log power of frequency bands, logistic regression", "baselines", "band_power_lr", _rate
    ),
    "band-power-svm": BuiltinModel(
        "log power of frequency bands, support vector machine",
        "baselines",
        "band_power_svm",
        _rate,
    ),
    "band-power-mlp": BuiltinModel(
        "log power of frequency bands, multilayer perceptron", "baselines", "band_power_mlp", _rate
    ),
    "entropy-svm": BuiltinModel(
        "differential entropy in frequency bands, support vector machine",
        "baselines",
        "entropy_svm",
        _rate,
    ),
    "entropy-mlp": BuiltinModel(
        "differential entropy in frequency bands, multilayer perceptron",
        "baselines",
        "entropy_mlp",
        _rate,
    ),
    "entropy-tree": BuiltinModel(
        "differential entropy in frequency bands, decision tree",
        "baselines",
        "entropy_tree",
        _rate,
    ),
    "tangent-space-lr": BuiltinModel(
        "covariance in the Riemannian tangent space, logistic regression",
        "baselines",
        "tangent_space_lr",
        requires="riemann",
    ),
    "xdawn-lr": BuiltinModel(
        "xDAWN filters for evoked responses, logistic regression", "baselines", "xdawn_lr"
    ),
    "fbcsp-lda": BuiltinModel(
        "common spatial patterns of nine bands, selected, linear discriminant analysis",
        "baselines",
        "fbcsp_lda",
        _rate,
    ),
    "acm-svm": BuiltinModel(
        "covariance with delayed copies in the tangent space, support vector machine; slow with "
        "many channels",
        "baselines",
        "acm_tangent_space_svm",
        requires="riemann",
    ),
    "xdawn-tangent-space-lr": BuiltinModel(
        "xDAWN covariance in the Riemannian tangent space, logistic regression",
        "baselines",
        "xdawn_tangent_space_lr",
        requires="riemann",
    ),
    "erp-mdm": BuiltinModel(
        "covariance with class averages, minimum distance to Riemannian mean",
        "baselines",
        "erp_covariance_mdm",
        requires="riemann",
    ),
    "ssvep-cca": BuiltinModel(
        "canonical correlation at the frequencies that the labels name, linear discriminants",
        "baselines",
        "ssvep_cca",
        _rate,
    ),
    "ssvep-trca": BuiltinModel(
        "task-related components, for responses locked to the start of the trial",
        "baselines",
        "ssvep_trca",
    ),
    "band-power-ridge": BuiltinModel(
        "log power of frequency bands, ridge regression of continuous targets",
        "baselines",
        "band_power_ridge",
        _rate,
    ),
    "spoc-ridge": BuiltinModel(
        "source power comodulation of 8-30 Hz, ridge regression of continuous targets",
        "baselines",
        "spoc_ridge",
        _mu_and_beta,
    ),
    "tangent-space-ridge": BuiltinModel(
        "covariance in the Riemannian tangent space, ridge regression of continuous targets",
        "baselines",
        "tangent_space_ridge",
        requires="riemann",
    ),
    **{recipe_name(paradigm): _recipe(paradigm) for paradigm in RECIPES},
}


def _entropy_pointcnn(sfreq: float, max_epochs: int = 100) -> Any:
    """Return a pipeline of differential entropy, with channel names, and PointCNN."""
    from sklearn.pipeline import Pipeline

    from .estimators import PointCNNClassifier
    from .features import DifferentialEntropy

    entropy = DifferentialEntropy(sfreq).set_output(transform="pandas")
    return Pipeline([("entropy", entropy), ("pointcnn", PointCNNClassifier(max_epochs=max_epochs))])


def build_model(
    name: str,
    *,
    sfreq: float,
    max_epochs: int | None = None,
    random_state: int | None = None,
) -> Any:
    """Return an unfitted built-in model.

    Parameters
    ----------
    name : str
        A key of `MODELS`, also with underscores, or the name of a network of braindecode, such as
        ``"braindecode.ATCNet"``.
    sfreq : float
        Sampling rate of the trials, in Hz.
    max_epochs : int, optional
        For networks; by default that of each network.
    random_state : int, optional
        For models that use random numbers.

    Returns
    -------
    model : estimator

    Raises
    ------
    ImportError
        If the package of the network is not installed.
    ValueError
        If there is no such model; the message suggests the closest name.

    Examples
    --------
    >>> from skeeg.models import build_model
    >>> build_model("eegnet", sfreq=250, max_epochs=20)
    EEGNetClassifier(max_epochs=20)
    """
    check_model_names([name])
    name = spelt_as_known(name, MODELS)
    entry = MODELS.get(name) or _other(name)
    from ._seeding import seeded

    make = getattr(importlib.import_module(f".{entry.home}", __package__), entry.attribute)
    arguments = entry.arguments(sfreq)
    if entry.is_network and max_epochs is not None:
        arguments["max_epochs"] = max_epochs
    model = make(**arguments)
    return model if random_state is None else seeded(model, random_state)


def _other(name: str) -> BuiltinModel:
    """Return a network of another package as a model."""

    def arguments(sfreq: float) -> dict[str, Any]:
        return {"module": name}

    return BuiltinModel(name, "estimators", "ModuleClassifier", arguments, is_network=True)


def spelt_as_known(name: str, known: Iterable[str]) -> str:
    """Return a name with hyphens for underscores, if only that is known.

    Parameters
    ----------
    name : str
        Such as ``"csp_lda"``, as Python spells ``"csp-lda"``.
    known : iterable of str

    Returns
    -------
    name : str
    """
    known = set(known)
    hyphened = name.replace("_", "-")
    return hyphened if name not in known and hyphened in known else name


def check_model_names(names: Iterable[str]) -> None:
    """Raise for the first name that is neither a built-in model nor a network of braindecode.

    Parameters
    ----------
    names : iterable of str
        Keys of `MODELS`, or names such as ``"braindecode.ATCNet"``.

    Raises
    ------
    ImportError
        If the package of a network is not installed.
    ValueError
        If a name is unknown; the message suggests the closest one.
    """
    for name in names:
        if is_other_network(name):
            other_network(name)
        else:
            check_names([spelt_as_known(name, MODELS)], MODELS, "model")


def check_names(names: Iterable[str], known: Iterable[str], kind: str) -> None:
    """Raise for the first name that is not known, and suggest the closest known one.

    Parameters
    ----------
    names, known : iterable of str
    kind : str
        What the names denote, for the message.

    Raises
    ------
    ValueError
        If a name is unknown.
    """
    known = list(known)
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known, cutoff=0.5)
            raise ValueError(f"Unknown {kind} {name!r}.{hint} There are: {', '.join(known)}.")
