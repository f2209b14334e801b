"""EEG decoding with deep networks that behave like any other scikit-learn estimator.

The public names load on first use: ``import skeeg`` alone imports neither torch nor MNE.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:  # for editors and type checkers; at run time __getattr__ loads them
    from . import (
        baselines,
        channel_selection,
        classifiers,
        datasets,
        evaluation,
        features,
        inspection,
        layers,
        model_selection,
        models,
        networks,
        plotting,
    )
    from ._registry import all_estimators
    from .channel_selection import GumbelChannelSelector
    from .classifiers import (
        CCNNClassifier,
        CNNGRUClassifier,
        CNNLSTMClassifier,
        DeepConvNetClassifier,
        EEGNetClassifier,
        InceptionResNetClassifier,
        LeNetClassifier,
        MixNetClassifier,
        ModuleClassifier,
        MSFBCNNClassifier,
        PointCNNClassifier,
        ShallowConvNetClassifier,
    )
    from .data import EEGData
    from .evaluation import Comparison, compare
    from .model_selection import LeakageError

_HOMES = {
    "CCNNClassifier": "classifiers",
    "CNNGRUClassifier": "classifiers",
    "CNNLSTMClassifier": "classifiers",
    "Comparison": "evaluation",
    "DeepConvNetClassifier": "classifiers",
    "EEGData": "data",
    "EEGNetClassifier": "classifiers",
    "GumbelChannelSelector": "channel_selection",
    "InceptionResNetClassifier": "classifiers",
    "LeNetClassifier": "classifiers",
    "LeakageError": "model_selection",
    "MSFBCNNClassifier": "classifiers",
    "MixNetClassifier": "classifiers",
    "ModuleClassifier": "classifiers",
    "PointCNNClassifier": "classifiers",
    "ShallowConvNetClassifier": "classifiers",
    "all_estimators": "_registry",
    "compare": "evaluation",
}
_SUBMODULES = (
    "baselines",
    "channel_selection",
    "classifiers",
    "datasets",
    "evaluation",
    "features",
    "inspection",
    "layers",
    "model_selection",
    "models",
    "networks",
    "plotting",
)

__all__ = [
    "CCNNClassifier",
    "CNNGRUClassifier",
    "CNNLSTMClassifier",
    "Comparison",
    "DeepConvNetClassifier",
    "EEGData",
    "EEGNetClassifier",
    "GumbelChannelSelector",
    "InceptionResNetClassifier",
    "LeNetClassifier",
    "LeakageError",
    "MSFBCNNClassifier",
    "MixNetClassifier",
    "ModuleClassifier",
    "PointCNNClassifier",
    "ShallowConvNetClassifier",
    "__version__",
    "all_estimators",
    "baselines",
    "channel_selection",
    "classifiers",
    "compare",
    "datasets",
    "evaluation",
    "features",
    "inspection",
    "layers",
    "model_selection",
    "models",
    "networks",
    "plotting",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    if name in _SUBMODULES:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
