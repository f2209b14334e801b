"""MSFBCNN as an estimator."""

from __future__ import annotations

from ..networks import MSFBCNN
from ..networks.msfbcnn import MSFBCNNParameters
from ._selection import ChannelSelection
from .classifier import NetworkClassifier
from .regressor import NetworkRegressor


class MSFBCNNClassifier(MSFBCNNParameters, ChannelSelection, NetworkClassifier):
    """MSFBCNN [1]_ as a scikit-learn classifier of EEG trials.

    Temporal filters of several lengths, spatial filters over all of them, then the logarithm of the
    mean power. It was designed for motor imagery, whose rhythms change at different speeds.

    Examples
    --------
    >>> from skeeg import MSFBCNNClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = MSFBCNNClassifier(variant="strypsteen", max_epochs=2, random_state=0)
    >>> clf.fit(data, data.y).predict_proba(data[:3]).shape
    (3, 2)
    """

    module = MSFBCNN


class MSFBCNNRegressor(MSFBCNNParameters, ChannelSelection, NetworkRegressor):
    """MSFBCNN [1]_ as a scikit-learn regressor of EEG trials.

    The network of `MSFBCNNClassifier` with one output per target, which it predicts in the unit of
    ``y``.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import MSFBCNNRegressor
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> load = np.linspace(20, 80, len(data))
    >>> reg = MSFBCNNRegressor(max_epochs=1, random_state=0)
    >>> reg.fit(data, load).predict(data[:3]).shape
    (3,)
    """

    module = MSFBCNN
