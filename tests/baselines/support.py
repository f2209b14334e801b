"""Small trials that every baseline learns."""

import numpy as np

SFREQ = 128.0
CH_NAMES = ["C3", "Cz", "C4", "Pz"]


def trials(n_trials=48, n_classes=2, n_times=256, seed=0):
    """Noise; in the channel that is the trial's class a 12-Hz rhythm and an evoked response."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_trials) % n_classes
    X = rng.standard_normal((n_trials, len(CH_NAMES), n_times))
    seconds = np.arange(n_times) / SFREQ
    phase = rng.uniform(0, 2 * np.pi, (n_trials, 1))
    X[np.arange(n_trials), y] += 1.5 * np.sin(2 * np.pi * 12 * seconds + phase)
    X[np.arange(n_trials), y] += 3 * np.exp(-(((seconds - 0.4) / 0.1) ** 2))
    return X, y
