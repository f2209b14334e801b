"""Small trials that every network learns within seconds."""

import numpy as np

from skeeg import all_estimators

CLASSIFIERS = [cls for _, cls in all_estimators("classifier")]
NAMES = [cls.__name__ for cls in CLASSIFIERS]


def make(cls, **params):
    """An estimator that fits in a fraction of a second and learns `oscillations`."""
    return cls(**{"max_epochs": 3, "batch_size": 8, "random_state": 0, **params})


def oscillations(n_trials=24, n_chans=3, n_times=96, n_classes=2, seed=0):
    """Noise, with a strong 8-cycle rhythm in the channel that is the trial's class."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_trials) % n_classes
    X = rng.standard_normal((n_trials, n_chans, n_times))
    phase = rng.uniform(0, 2 * np.pi, (n_trials, 1))
    rhythm = 4 * np.sin(2 * np.pi * 8 * np.arange(n_times) / n_times + phase)
    X[np.arange(n_trials), y % n_chans] += rhythm
    return X, y
