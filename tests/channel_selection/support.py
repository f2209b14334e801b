"""Trials whose classes a few channels tell, and the least network that hears it."""

import numpy as np
from torch import nn


class LogVariance(nn.Module):
    """Logistic regression on the log power of each channel."""

    def __init__(self, n_chans, n_outputs):
        super().__init__()
        self.norm = nn.BatchNorm1d(n_chans)
        self.dense = nn.Linear(n_chans, n_outputs)

    def forward(self, x):
        return self.dense(self.norm(x.var(dim=2, correction=0).clamp_min(1e-6).log()))


def powers(n_trials=48, channels=(1, 4), n_chans=6, n_times=64, gain=2.0, seed=0):
    """White noise that is louder in the channel of the trial's class."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_trials) % len(channels)
    X = rng.standard_normal((n_trials, n_chans, n_times))
    X[np.arange(n_trials), np.array(channels)[y]] *= gain
    return X, y
