"""CCNN as an estimator."""

from __future__ import annotations

from .._parameters import parameter
from .._validation import MAPS
from ..networks import CCNN
from ..networks.ccnn import CCNNParameters
from ._training_parameters import TrainingParameters
from .classifier import NetworkClassifier
from .regressor import NetworkRegressor


class CCNNTraining(TrainingParameters):
    """Parameters of the training, with the learning rate of the paper."""

    lr: float = parameter(default=1e-4)


class CCNNClassifier(CCNNParameters, CCNNTraining, NetworkClassifier):
    """CCNN [1]_ as a scikit-learn classifier of topographic maps.

    Four convolutions without pooling, over maps of the differential entropy of several frequency
    bands. It was designed for emotion recognition on DEAP.

    A trial is a topographic map for each frequency band, from `skeeg.features.TopographicMap`. `X`
    of shape (n_trials, height, width) has one band, and `X` of shape (n_trials, n_features) one
    band with a map of one row. Recordings, such as epochs or `EEGData`, raise an error: compute
    features and maps first, in a pipeline.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import CCNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> maps, y = rng.standard_normal((24, 4, 9, 9)), np.arange(24) % 2
    >>> maps[y == 1, 2, :, :4] += 1  # more of the third band, on the left
    >>> clf = CCNNClassifier(n_filters=8, max_epochs=2, random_state=0)
    >>> clf.fit(maps, y).predict_proba(maps[:3]).shape
    (3, 2)
    """

    module = CCNN
    _trial_axes = MAPS


class CCNNRegressor(CCNNParameters, CCNNTraining, NetworkRegressor):
    """CCNN [1]_ as a scikit-learn regressor of topographic maps.

    The network of `CCNNClassifier` with one output per target, which it predicts in the unit of
    ``y``.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import CCNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> maps = rng.standard_normal((24, 4, 9, 9))
    >>> reg = CCNNRegressor(n_filters=8, max_epochs=2, random_state=0)
    >>> reg.fit(maps, maps[:, 2].mean(axis=(1, 2))).predict(maps[:3]).shape
    (3,)
    """

    module = CCNN
    _trial_axes = MAPS
