"""Small trials that every network learns within seconds."""

import numpy as np

from skeeg import (
    CCNNClassifier,
    CNNGRUClassifier,
    CNNLSTMClassifier,
    InceptionResNetClassifier,
    MSFBCNNClassifier,
    all_estimators,
)
from skeeg._validation import MAPS, POINTS

CLASSIFIERS = [cls for _, cls in all_estimators("classifier")]
NAMES = [cls.__name__ for cls in CLASSIFIERS]
TOPOGRAPHIC = [cls for cls in CLASSIFIERS if cls._trial_axes is MAPS]
OF_POINTS = [cls for cls in CLASSIFIERS if cls._trial_axes is POINTS]
OF_SIGNALS = [cls for cls in CLASSIFIERS if cls not in TOPOGRAPHIC + OF_POINTS]

RECURRENT = {"n_filters": 16, "pool_length": 4, "n_first_units": 16, "n_second_units": 8}
# The slower networks, at a hundredth of their size.
SMALL = {
    CCNNClassifier: {"n_filters": 4, "n_hidden": 16},
    CNNGRUClassifier: RECURRENT,
    CNNLSTMClassifier: RECURRENT,
    InceptionResNetClassifier: {"n_blocks": 1, "n_branch_filters": 4},
    MSFBCNNClassifier: {"n_temporal_filters": 4},
}


def make(cls, **params):
    """An estimator that fits in a fraction of a second and learns `oscillations` or `maps`."""
    quick = {"max_epochs": 3, "batch_size": 8, "random_state": 0}
    return cls(**quick | SMALL.get(cls, {}) | params)


def oscillations(n_trials=24, n_chans=3, n_times=96, n_classes=2, seed=0):
    """Noise, with a strong 8-cycle rhythm in the channel that is the trial's class."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_trials) % n_classes
    X = rng.standard_normal((n_trials, n_chans, n_times))
    phase = rng.uniform(0, 2 * np.pi, (n_trials, 1))
    rhythm = 4 * np.sin(2 * np.pi * 8 * np.arange(n_times) / n_times + phase)
    X[np.arange(n_trials), y % n_chans] += rhythm
    return X, y


def maps(n_trials=24, n_bands=3, height=9, width=9, n_classes=2, seed=0):
    """Noisy maps, with more of the last band in the column that is four times the class."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_trials) % n_classes
    X = rng.standard_normal((n_trials, n_bands, height, width))
    X[np.arange(n_trials), -1, :, 4 * y % width] += 2
    return X, y
