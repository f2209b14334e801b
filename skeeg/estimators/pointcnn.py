"""PointCNN as an estimator."""

from __future__ import annotations

from ._pointcnn import PointCNNEstimator
from .classifier import NetworkClassifier
from .regressor import NetworkRegressor


class PointCNNClassifier(PointCNNEstimator, NetworkClassifier):
    """PointCNN [1]_ as a scikit-learn classifier of features at electrodes: a design of skeeg.

    An electrode is a point on the head with features, such as its differential entropy in several
    frequency bands. Its position follows from its name, so a fitted classifier can also predict
    trials of another montage.

    A trial has the same features of each electrode. `X` can be

    * a `skeeg.features.FeatureTable`, or a data frame with columns such as ``"C3_alpha"``. Both
      have the names of the electrodes. `skeeg.features.DifferentialEntropy` and similar
      transformers return such data frames for recordings with channel names, after
      ``set_output(transform="pandas")``;
    * an array of shape (n_trials, n_chans, n_features), with `ch_names`;
    * an array of shape (n_trials, n_features * n_chans), with `ch_names`: all channels in the
      first band, then all channels in the second, and so on, as these transformers return it.

    Without names, electrodes are distributed evenly over the upper half of the head in their order,
    and an array with two axes is one electrode. Recordings, such as epochs or `EEGData`, raise an
    error: compute features first, in a pipeline.

    Trials in ``predict`` may have other electrodes than those in `fit`, more or fewer, but must
    have the same features. The names of the electrodes are those of the table or data frame; for an
    array, set them with ``set_params(ch_names=...)``.

    Notes
    -----
    No publication of PointCNN for EEG is known. The closest is PointNet++ on the coordinates of
    electrodes [2]_.

    `partial_fit` and ``warm_start`` continue the training on the montage of the new trials, so one
    network can be trained on data sets with different montages, one after the other.

    Examples
    --------
    Train on every other electrode of a cap and test on the others:

    >>> from skeeg import PointCNNClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.features import DifferentialEntropy
    >>> data = simulate_motor_imagery(n_subjects=1, n_trials=30, difficulty=0, random_state=0)
    >>> entropy = DifferentialEntropy(sfreq=128, bands={"mu": (8, 13), "beta": (16, 26)})
    >>> table = entropy.set_output(transform="pandas").fit_transform(data)
    >>> some = [column for column in table if column.split("_")[0] in data.ch_names[::2]]
    >>> others = [column for column in table if column not in some]
    >>> clf = PointCNNClassifier(max_epochs=20, random_state=0)
    >>> clf.fit(table[some][:80], data.y[:80]).n_chans_
    11
    >>> clf.score(table[others][80:], data.y[80:]) > 0.7
    True
    """


class PointCNNRegressor(PointCNNEstimator, NetworkRegressor):
    """PointCNN [1]_ as a scikit-learn regressor of features at electrodes: a design of skeeg.

    Trials, electrodes and their names are as in `PointCNNClassifier`; the network has one output
    per target, which it predicts in the unit of ``y``.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import PointCNNRegressor
    >>> X = np.random.default_rng(0).standard_normal((40, 6, 2))
    >>> names = ["C3", "Cz", "C4", "P3", "Pz", "P4"]
    >>> reg = PointCNNRegressor(ch_names=names, max_epochs=2, random_state=0)
    >>> reg.fit(X, X[:, 0, 1]).predict(X[:3]).shape
    (3,)
    """
