"""ShallowConvNet as an estimator."""

from __future__ import annotations

from ..networks import ShallowConvNet
from ..networks.shallow_convnet import ShallowConvNetParameters
from ._selection import ChannelSelection
from .classifier import NetworkClassifier
from .regressor import NetworkRegressor


class ShallowConvNetClassifier(ShallowConvNetParameters, ChannelSelection, NetworkClassifier):
    """ShallowConvNet [1]_ as a scikit-learn classifier of EEG trials.

    Temporal and spatial filters, then the logarithm of the mean power: the steps of filter-bank
    common spatial patterns, trained as one network. It was designed for oscillations such as those
    of motor imagery.

    Examples
    --------
    >>> from skeeg import ShallowConvNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = ShallowConvNetClassifier(max_epochs=2, random_state=0)
    >>> clf.fit(data, data.y).predict_proba(data[:3]).shape
    (3, 2)
    """

    module = ShallowConvNet


class ShallowConvNetRegressor(ShallowConvNetParameters, ChannelSelection, NetworkRegressor):
    """ShallowConvNet [1]_ as a scikit-learn regressor of EEG trials.

    The network of `ShallowConvNetClassifier` with one output per target, which it predicts in
    the unit of ``y``.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import ShallowConvNetRegressor
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> load = np.linspace(20, 80, len(data))
    >>> reg = ShallowConvNetRegressor(max_epochs=1, random_state=0)
    >>> reg.fit(data, load).predict(data[:3]).shape
    (3,)
    """

    module = ShallowConvNet
