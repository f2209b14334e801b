"""One torch module per paper, and a table of what is inside any of them."""

from .ccnn import CCNN
from .cnn_rnn import CNNGRU, CNNLSTM
from .deep_convnet import DeepConvNet
from .eegnet import EEGNet
from .eegnex import EEGNeX
from .inception_resnet import InceptionResNet
from .lenet import LeNet
from .mixnet import MixNet
from .msfbcnn import MSFBCNN
from .pointcnn import PointCNN
from .shallow_convnet import ShallowConvNet
from .summary import LayerSummary, NetworkSummary, summary

__all__ = [
    "CCNN",
    "CNNGRU",
    "CNNLSTM",
    "MSFBCNN",
    "DeepConvNet",
    "EEGNeX",
    "EEGNet",
    "InceptionResNet",
    "LayerSummary",
    "LeNet",
    "MixNet",
    "NetworkSummary",
    "PointCNN",
    "ShallowConvNet",
    "summary",
]
