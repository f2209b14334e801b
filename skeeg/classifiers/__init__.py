"""Network classifiers: scikit-learn estimators, one short class per network."""

from ._expectations import expected_failed_checks
from .base import NetworkClassifier
from .ccnn import CCNNClassifier
from .cnn_rnn import CNNGRUClassifier, CNNLSTMClassifier
from .deep_convnet import DeepConvNetClassifier
from .eegnet import EEGNetClassifier
from .lenet import LeNetClassifier
from .module import ModuleClassifier
from .shallow_convnet import ShallowConvNetClassifier

__all__ = [
    "CCNNClassifier",
    "CNNGRUClassifier",
    "CNNLSTMClassifier",
    "DeepConvNetClassifier",
    "EEGNetClassifier",
    "LeNetClassifier",
    "ModuleClassifier",
    "NetworkClassifier",
    "ShallowConvNetClassifier",
    "expected_failed_checks",
]
