"""InceptionResNet as an estimator."""

from __future__ import annotations

from ..networks import InceptionResNet
from ..networks.inception_resnet import InceptionResNetParameters
from ._selection import ChannelSelection
from .classifier import NetworkClassifier
from .regressor import NetworkRegressor


class InceptionResNetClassifier(InceptionResNetParameters, ChannelSelection, NetworkClassifier):
    """InceptionResNet, residual inception blocks [1]_ along time, as a scikit-learn classifier.

    A design of skeeg: temporal and spatial filters as in EEGNet, then residual blocks whose
    branches have receptive fields of different length in time.

    Examples
    --------
    >>> from skeeg import InceptionResNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = InceptionResNetClassifier(max_epochs=2, random_state=0)
    >>> clf.fit(data, data.y).predict_proba(data[:3]).shape
    (3, 2)
    """

    module = InceptionResNet


class InceptionResNetRegressor(InceptionResNetParameters, ChannelSelection, NetworkRegressor):
    """InceptionResNet, residual inception blocks [1]_ along time, as a scikit-learn regressor.

    The network of `InceptionResNetClassifier` with one output per target, which it predicts in
    the unit of ``y``.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import InceptionResNetRegressor
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> load = np.linspace(20, 80, len(data))
    >>> reg = InceptionResNetRegressor(max_epochs=1, random_state=0)
    >>> reg.fit(data, load).predict(data[:3]).shape
    (3,)
    """

    module = InceptionResNet
