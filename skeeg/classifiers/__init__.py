"""Network classifiers: scikit-learn estimators, one short class per network."""

from ._expectations import expected_failed_checks
from .base import NetworkClassifier
from .deep_convnet import DeepConvNetClassifier
from .eegnet import EEGNetClassifier
from .module import ModuleClassifier
from .shallow_convnet import ShallowConvNetClassifier

__all__ = [
    "DeepConvNetClassifier",
    "EEGNetClassifier",
    "ModuleClassifier",
    "NetworkClassifier",
    "ShallowConvNetClassifier",
    "expected_failed_checks",
]
