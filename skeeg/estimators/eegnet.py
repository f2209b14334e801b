"""EEGNet as an estimator."""

from __future__ import annotations

from ..networks import EEGNet
from ..networks.eegnet import EEGNetParameters
from ._selection import ChannelSelection
from .classifier import NetworkClassifier
from .regressor import NetworkRegressor


class EEGNetClassifier(EEGNetParameters, ChannelSelection, NetworkClassifier):
    """EEGNet [1]_ as a scikit-learn classifier of EEG trials.

    Temporal filters, spatial filters for each of them, then a separable convolution: a compact
    network for motor imagery, evoked responses and oscillations.

    Examples
    --------
    >>> from sklearn.model_selection import cross_val_score
    >>> from skeeg import EEGNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = EEGNetClassifier(activation="elu", alpha=0.2, max_epochs=5, random_state=0)
    >>> cross_val_score(clf, data, data.y, cv=3).shape
    (3,)
    """

    module = EEGNet


class EEGNetRegressor(EEGNetParameters, ChannelSelection, NetworkRegressor):
    """EEGNet [1]_ as a scikit-learn regressor of EEG trials.

    The network of `EEGNetClassifier` with one output per target, which it predicts in the unit of
    ``y``.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import EEGNetRegressor
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> load = np.linspace(20, 80, len(data))
    >>> EEGNetRegressor(max_epochs=2, random_state=0).fit(data, load).predict(data[:3]).shape
    (3,)
    """

    module = EEGNet
