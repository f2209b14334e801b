"""1DCNN-LSTM and 1DCNN-GRU as estimators."""

from __future__ import annotations

from ..networks import CNNGRU, CNNLSTM
from ..networks.cnn_rnn import CNNRNNParameters
from ._selection import ChannelSelection
from .classifier import NetworkClassifier
from .regressor import NetworkRegressor


class CNNLSTMClassifier(CNNRNNParameters, ChannelSelection, NetworkClassifier):
    """1DCNN-LSTM [1]_ as a scikit-learn classifier of EEG trials.

    Two convolutions over time with pooling shorten the signal, and two layers of LSTM process it as
    a sequence.

    Examples
    --------
    >>> from skeeg import CNNLSTMClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = CNNLSTMClassifier(max_epochs=2, random_state=0)
    >>> clf.fit(data, data.y).predict_proba(data[:3]).shape
    (3, 2)
    """

    module = CNNLSTM


class CNNLSTMRegressor(CNNRNNParameters, ChannelSelection, NetworkRegressor):
    """1DCNN-LSTM [1]_ as a scikit-learn regressor of EEG trials.

    The network of `CNNLSTMClassifier` with one output per target, which it predicts in the unit of
    ``y``.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import CNNLSTMRegressor
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> load = np.linspace(20, 80, len(data))
    >>> reg = CNNLSTMRegressor(max_epochs=1, random_state=0)
    >>> reg.fit(data, load).predict(data[:3]).shape
    (3,)
    """

    module = CNNLSTM


class CNNGRUClassifier(CNNRNNParameters, ChannelSelection, NetworkClassifier):
    """1DCNN-GRU [1]_ as a scikit-learn classifier of EEG trials.

    Two convolutions over time with pooling shorten the signal, and two layers of GRU process it as
    a sequence.

    Examples
    --------
    >>> from skeeg import CNNGRUClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = CNNGRUClassifier(max_epochs=2, random_state=0)
    >>> clf.fit(data, data.y).predict_proba(data[:3]).shape
    (3, 2)
    """

    module = CNNGRU


class CNNGRURegressor(CNNRNNParameters, ChannelSelection, NetworkRegressor):
    """1DCNN-GRU [1]_ as a scikit-learn regressor of EEG trials.

    The network of `CNNGRUClassifier` with one output per target, which it predicts in the unit of
    ``y``.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import CNNGRURegressor
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> load = np.linspace(20, 80, len(data))
    >>> reg = CNNGRURegressor(max_epochs=1, random_state=0)
    >>> reg.fit(data, load).predict(data[:3]).shape
    (3,)
    """

    module = CNNGRU
