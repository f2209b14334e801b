"""MixNet as an estimator."""

from __future__ import annotations

from ..networks import MixNet
from ..networks.mixnet import MixNetParameters
from ._selection import ChannelSelection
from .classifier import NetworkClassifier
from .regressor import NetworkRegressor


class MixNetClassifier(MixNetParameters, ChannelSelection, NetworkClassifier):
    """MixNet, EEGNet [1]_ with kernels of several lengths [2]_, as a scikit-learn classifier.

    A design of skeeg: EEGNet's second convolution has one kernel length for all maps. In MixNet,
    groups of maps have kernels of different lengths, short ones for fast changes and long ones for
    slow changes.

    Examples
    --------
    >>> from skeeg import MixNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = MixNetClassifier(max_epochs=2, random_state=0)
    >>> clf.fit(data, data.y).predict_proba(data[:3]).shape
    (3, 2)
    """

    module = MixNet


class MixNetRegressor(MixNetParameters, ChannelSelection, NetworkRegressor):
    """MixNet, EEGNet [1]_ with kernels of several lengths [2]_, as a scikit-learn regressor.

    The network of `MixNetClassifier` with one output per target, which it predicts in the unit of
    ``y``.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import MixNetRegressor
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> load = np.linspace(20, 80, len(data))
    >>> reg = MixNetRegressor(max_epochs=1, random_state=0)
    >>> reg.fit(data, load).predict(data[:3]).shape
    (3,)
    """

    module = MixNet
