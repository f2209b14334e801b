"""LeNet as an estimator."""

from __future__ import annotations

from .._validation import MAPS
from ..networks import LeNet
from ..networks.lenet import LeNetParameters
from .classifier import NetworkClassifier
from .regressor import NetworkRegressor


class LeNetClassifier(LeNetParameters, NetworkClassifier):
    """LeNet-5 [1]_ as a scikit-learn classifier of topographic maps.

    Two convolutions with pooling and three dense layers: a small network for maps of band power or
    differential entropy.

    A trial is a topographic map for each frequency band, from `skeeg.features.TopographicMap`. `X`
    of shape (n_trials, height, width) has one band, and `X` of shape (n_trials, n_features) one
    band with a map of one row. Recordings, such as epochs or `EEGData`, raise an error: compute
    features and maps first, in a pipeline.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import LeNetClassifier
    >>> rng = np.random.default_rng(0)
    >>> maps, y = rng.standard_normal((24, 4, 9, 9)), np.arange(24) % 2
    >>> maps[y == 1, 2, :, :4] += 1  # more of the third band, on the left
    >>> clf = LeNetClassifier(max_epochs=2, random_state=0)
    >>> clf.fit(maps, y).predict_proba(maps[:3]).shape
    (3, 2)
    """

    module = LeNet
    _trial_axes = MAPS


class LeNetRegressor(LeNetParameters, NetworkRegressor):
    """LeNet-5 [1]_ as a scikit-learn regressor of topographic maps.

    The network of `LeNetClassifier` with one output per target, which it predicts in the unit of
    ``y``.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import LeNetRegressor
    >>> rng = np.random.default_rng(0)
    >>> maps = rng.standard_normal((24, 4, 9, 9))
    >>> reg = LeNetRegressor(max_epochs=2, random_state=0)
    >>> reg.fit(maps, maps[:, 2].mean(axis=(1, 2))).predict(maps[:3]).shape
    (3,)
    """

    module = LeNet
    _trial_axes = MAPS
