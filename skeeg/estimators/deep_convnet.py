"""DeepConvNet as an estimator."""

from __future__ import annotations

from ..networks import DeepConvNet
from ..networks.deep_convnet import DeepConvNetParameters
from ._selection import ChannelSelection
from .classifier import NetworkClassifier
from .regressor import NetworkRegressor


class DeepConvNetClassifier(DeepConvNetParameters, ChannelSelection, NetworkClassifier):
    """DeepConvNet [1]_ as a scikit-learn classifier of EEG trials.

    A temporal and a spatial convolution, then three blocks of convolution and pooling, each with
    twice as many maps: a general network that needs more trials than EEGNet.

    Examples
    --------
    >>> from skeeg import DeepConvNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = DeepConvNetClassifier(variant="lawhern", max_epochs=2, random_state=0)
    >>> clf.fit(data, data.y).predict(data[:3]).shape
    (3,)
    """

    module = DeepConvNet


class DeepConvNetRegressor(DeepConvNetParameters, ChannelSelection, NetworkRegressor):
    """DeepConvNet [1]_ as a scikit-learn regressor of EEG trials.

    The network of `DeepConvNetClassifier` with one output per target, which it predicts in
    the unit of ``y``.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import DeepConvNetRegressor
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> load = np.linspace(20, 80, len(data))
    >>> reg = DeepConvNetRegressor(max_epochs=1, random_state=0)
    >>> reg.fit(data, load).predict(data[:3]).shape
    (3,)
    """

    module = DeepConvNet
