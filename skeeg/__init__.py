"""EEG decoding with deep networks that behave like any other scikit-learn estimator.

Public names are imported on first use, so that ``import skeeg`` imports neither torch nor MNE.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import estimators
from ._version import __version__

if TYPE_CHECKING:  # for editors and type checkers; at run time __getattr__ imports them
    from . import (
        adaptation,
        alignment,
        augmentation,
        baselines,
        channel_selection,
        datasets,
        ensemble,
        evaluation,
        export,
        features,
        inspection,
        layers,
        model_selection,
        models,
        networks,
        persistence,
        plotting,
        recipes,
        stream,
    )
    from ._registry import all_estimators
    from .channel_selection import NetworkChannelSelector
    from .data import EEGData
    from .estimators import *  # noqa: F403
    from .evaluation import Comparison, compare
    from .export import export_onnx, export_torch
    from .model_selection import LeakageError
    from .persistence import load, save

_HOMES = {
    "Comparison": "evaluation",
    "EEGData": "data",
    "GumbelChannelSelector": "channel_selection",
    "LeakageError": "model_selection",
    "NetworkChannelSelector": "channel_selection",
    "all_estimators": "_registry",
    "compare": "evaluation",
    "export_onnx": "export",
    "export_torch": "export",
    "load": "persistence",
    "save": "persistence",
    **dict.fromkeys(estimators.__all__, "estimators"),
}
_SUBMODULES = (
    "adaptation",
    "alignment",
    "augmentation",
    "baselines",
    "channel_selection",
    "datasets",
    "ensemble",
    "evaluation",
    "export",
    "features",
    "inspection",
    "layers",
    "model_selection",
    "models",
    "networks",
    "persistence",
    "plotting",
    "recipes",
    "stream",
)

__all__ = [
    "Comparison",
    "EEGData",
    "LeakageError",
    "NetworkChannelSelector",
    "__version__",
    "adaptation",
    "alignment",
    "all_estimators",
    "augmentation",
    "baselines",
    "channel_selection",
    "compare",
    "datasets",
    "ensemble",
    "estimators",
    "evaluation",
    "export",
    "export_onnx",
    "export_torch",
    "features",
    "inspection",
    "layers",
    "load",
    "model_selection",
    "models",
    "networks",
    "persistence",
    "plotting",
    "recipes",
    "save",
    "stream",
]
__all__ += estimators.__all__


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    if name in _SUBMODULES:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
