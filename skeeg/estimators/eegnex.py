"""EEGNeX as an estimator."""

from __future__ import annotations

from ..networks import EEGNeX
from ..networks.eegnex import EEGNeXParameters
from ._selection import ChannelSelection
from .classifier import NetworkClassifier
from .regressor import NetworkRegressor


class EEGNeXClassifier(EEGNeXParameters, ChannelSelection, NetworkClassifier):
    """EEGNeX [1]_ as a scikit-learn classifier of EEG trials.

    EEGNet with more and wider convolutions over time, of which the last two are dilated. It needs
    many trials and is slower than EEGNet.

    Examples
    --------
    >>> from skeeg import EEGNeXClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, n_trials=10, random_state=0)
    >>> clf = EEGNeXClassifier(n_second_filters=8, max_epochs=1, random_state=0)
    >>> clf.fit(data, data.y).predict(data[:3]).shape
    (3,)
    """

    module = EEGNeX


class EEGNeXRegressor(EEGNeXParameters, ChannelSelection, NetworkRegressor):
    """EEGNeX [1]_ as a scikit-learn regressor of EEG trials.

    The network of `EEGNeXClassifier` with one output per target, which it predicts in the unit of
    ``y``.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import EEGNeXRegressor
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, n_trials=10, random_state=0)
    >>> load = np.linspace(20, 80, len(data))
    >>> reg = EEGNeXRegressor(n_second_filters=8, max_epochs=1, random_state=0)
    >>> reg.fit(data, load).predict(data[:3]).shape
    (3,)
    """

    module = EEGNeX
