"""Network estimators: a scikit-learn classifier and a regressor for each network.

Public names are imported on first use, so that ``import skeeg`` does not import torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for editors and type checkers; at run time __getattr__ imports them
    from ._expectations import expected_failed_checks
    from ._hooks import TrainingHooks
    from .base import NetworkEstimator
    from .ccnn import CCNNClassifier, CCNNRegressor
    from .classifier import NetworkClassifier
    from .cnn_rnn import CNNGRUClassifier, CNNGRURegressor, CNNLSTMClassifier, CNNLSTMRegressor
    from .deep_convnet import DeepConvNetClassifier, DeepConvNetRegressor
    from .eegnet import EEGNetClassifier, EEGNetRegressor
    from .eegnex import EEGNeXClassifier, EEGNeXRegressor
    from .inception_resnet import InceptionResNetClassifier, InceptionResNetRegressor
    from .lenet import LeNetClassifier, LeNetRegressor
    from .mixnet import MixNetClassifier, MixNetRegressor
    from .module import ModuleClassifier, ModuleRegressor
    from .msfbcnn import MSFBCNNClassifier, MSFBCNNRegressor
    from .pointcnn import PointCNNClassifier, PointCNNRegressor
    from .regressor import NetworkRegressor
    from .shallow_convnet import ShallowConvNetClassifier, ShallowConvNetRegressor

#: The module of each network's classifier and regressor.
_NETWORKS = {
    "CCNN": "ccnn",
    "CNNGRU": "cnn_rnn",
    "CNNLSTM": "cnn_rnn",
    "DeepConvNet": "deep_convnet",
    "EEGNeX": "eegnex",
    "EEGNet": "eegnet",
    "InceptionResNet": "inception_resnet",
    "LeNet": "lenet",
    "MSFBCNN": "msfbcnn",
    "MixNet": "mixnet",
    "Module": "module",
    "PointCNN": "pointcnn",
    "ShallowConvNet": "shallow_convnet",
}
_OTHERS = {
    "NetworkClassifier": "classifier",
    "NetworkEstimator": "base",
    "NetworkRegressor": "regressor",
    "TrainingHooks": "_hooks",
    "expected_failed_checks": "_expectations",
}
_HOMES = _OTHERS | {
    f"{network}{task}": module
    for network, module in _NETWORKS.items()
    for task in ("Classifier", "Regressor")
}

__all__ = [
    "CCNNClassifier",
    "CCNNRegressor",
    "CNNGRUClassifier",
    "CNNGRURegressor",
    "CNNLSTMClassifier",
    "CNNLSTMRegressor",
    "DeepConvNetClassifier",
    "DeepConvNetRegressor",
    "EEGNeXClassifier",
    "EEGNeXRegressor",
    "EEGNetClassifier",
    "EEGNetRegressor",
    "InceptionResNetClassifier",
    "InceptionResNetRegressor",
    "LeNetClassifier",
    "LeNetRegressor",
    "MSFBCNNClassifier",
    "MSFBCNNRegressor",
    "MixNetClassifier",
    "MixNetRegressor",
    "ModuleClassifier",
    "ModuleRegressor",
    "NetworkClassifier",
    "NetworkEstimator",
    "NetworkRegressor",
    "PointCNNClassifier",
    "PointCNNRegressor",
    "ShallowConvNetClassifier",
    "ShallowConvNetRegressor",
    "TrainingHooks",
    "expected_failed_checks",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
