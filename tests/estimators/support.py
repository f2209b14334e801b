"""Small trials that every network learns within seconds."""

import numpy as np

from skeeg import all_estimators
from skeeg._validation import MAPS, POINTS

CLASSIFIERS = [cls for _, cls in all_estimators("classifier")]
REGRESSORS = [cls for _, cls in all_estimators("regressor")]
NAMES = [cls.__name__ for cls in CLASSIFIERS]
TOPOGRAPHIC = [cls for cls in CLASSIFIERS if cls._trial_axes is MAPS]
OF_POINTS = [cls for cls in CLASSIFIERS if cls._trial_axes is POINTS]
OF_SIGNALS = [cls for cls in CLASSIFIERS if cls not in TOPOGRAPHIC + OF_POINTS]

RECURRENT = {"n_filters": 16, "pool_length": 4, "n_first_units": 16, "n_second_units": 8}
# The slower networks, at a hundredth of their size.
SMALL = {
    "CCNN": {"n_filters": 4, "n_hidden": 16},
    "CNNGRU": RECURRENT,
    "CNNLSTM": RECURRENT,
    "EEGNeX": {"n_second_filters": 4, "kernel_length": 16},
    "InceptionResNet": {"n_blocks": 1, "n_branch_filters": 4},
    "MSFBCNN": {"n_temporal_filters": 4},
}


def small(cls):
    """Parameters that make the network of an estimator small."""
    return SMALL.get(cls.__name__.removesuffix("Classifier").removesuffix("Regressor"), {})


def make(cls, **params):
    """An estimator that fits in a fraction of a second and learns `oscillations` or `maps`."""
    quick = {"max_epochs": 3, "batch_size": 8, "random_state": 0}
    return cls(**quick | small(cls) | params)


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


def amplitudes(n_trials=24, n_chans=3, n_times=96, noise=0.0, seed=0):
    """Noise, and a rhythm in the first channel whose log amplitude is the target in units of 10.

    With `noise`, the standard deviation of what no one can predict relative to what one can, R2
    is 1 / (1 + noise ** 2) at most.
    """
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_trials, n_chans, n_times))
    level = rng.standard_normal(n_trials)
    phase = rng.uniform(0, 2 * np.pi, (n_trials, 1))
    rhythm = np.sin(2 * np.pi * 8 * np.arange(n_times) / n_times + phase)
    X[:, 0] += 4 * np.exp(0.5 * level)[:, None] * rhythm
    return X, 50 + 10 * (level + noise * rng.standard_normal(n_trials))
