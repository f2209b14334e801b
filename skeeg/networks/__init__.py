"""One torch module per paper, and a table of what is inside any of them."""

from .ccnn import CCNN
from .cnn_rnn import CNNGRU, CNNLSTM
from .deep_convnet import DeepConvNet
from .eegnet import EEGNet
from .lenet import LeNet
from .shallow_convnet import ShallowConvNet
from .summary import LayerSummary, NetworkSummary, summary

__all__ = [
    "CCNN",
    "CNNGRU",
    "CNNLSTM",
    "DeepConvNet",
    "EEGNet",
    "LayerSummary",
    "LeNet",
    "NetworkSummary",
    "ShallowConvNet",
    "summary",
]
