"""One torch module per paper, and a table of what is inside any of them."""

from .deep_convnet import DeepConvNet
from .eegnet import EEGNet
from .shallow_convnet import ShallowConvNet
from .summary import LayerSummary, NetworkSummary, summary

__all__ = [
    "DeepConvNet",
    "EEGNet",
    "LayerSummary",
    "NetworkSummary",
    "ShallowConvNet",
    "summary",
]
