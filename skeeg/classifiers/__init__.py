"""Network classifiers: scikit-learn estimators, one short class per network."""

from ._expectations import expected_failed_checks
from .base import NetworkClassifier
from .ccnn import CCNNClassifier
from .cnn_rnn import CNNGRUClassifier, CNNLSTMClassifier
from .deep_convnet import DeepConvNetClassifier
from .eegnet import EEGNetClassifier
from .inception_resnet import InceptionResNetClassifier
from .lenet import LeNetClassifier
from .mixnet import MixNetClassifier
from .module import ModuleClassifier
from .msfbcnn import MSFBCNNClassifier
from .pointcnn import PointCNNClassifier
from .shallow_convnet import ShallowConvNetClassifier

__all__ = [
    "CCNNClassifier",
    "CNNGRUClassifier",
    "CNNLSTMClassifier",
    "DeepConvNetClassifier",
    "EEGNetClassifier",
    "InceptionResNetClassifier",
    "LeNetClassifier",
    "MSFBCNNClassifier",
    "MixNetClassifier",
    "ModuleClassifier",
    "NetworkClassifier",
    "PointCNNClassifier",
    "ShallowConvNetClassifier",
    "expected_failed_checks",
]
