"""
Decode emotion from topographic maps of entropy
===============================================

This example computes the differential entropy of four bands, places it on topographic maps, and
trains a network on these maps. In the simulated recording, alpha is stronger on the right in half
of the trials.
"""

import numpy as np

from skeeg import EEGData
from skeeg.datasets.deap import CHANNELS
from skeeg.features import deap_entropy

rng = np.random.default_rng(0)
sfreq, n_trials, n_seconds = 128, 24, 6
y = np.array(["calm", "tense"] * (n_trials // 2))
times = np.arange(n_seconds * sfreq) / sfreq
right = np.array([name[-1] in "2468" for name in CHANNELS])

alpha = np.where(right, 0.6, 0.2)[:, None] * np.sin(20 * np.pi * times)
X = rng.standard_normal((n_trials, len(CHANNELS), len(times)))
X[y == "tense"] += alpha
X *= np.exp(0.4 * rng.standard_normal((n_trials, len(CHANNELS), 1)))  # random gain of each trial
trials = EEGData.from_arrays(X, y, sfreq=sfreq, ch_names=CHANNELS, subject=1)
table = deap_entropy(trials)
table

# %%
# The difference of the mean maps shows how the classes differ. Each window was standardised over
# its own 128 values, so the unit is the standard deviation of a window.

from skeeg.plotting import plot_topographic_map

difference = table.X[table.y == "tense"].mean(axis=0) - table.X[table.y == "calm"].mean(axis=0)
figure = plot_topographic_map(
    difference,
    table.ch_names,
    bands=table.bands,
    layout="interpolated",
    unit="z-score",
    symmetric=True,
    title="Entropy, tense less calm",
)

# %%
# The network takes the grid of 9 x 9 cells that Yang et al. (2018) defined for these electrodes.

figure = plot_topographic_map(
    difference, table.ch_names, bands=table.bands, unit="z-score", symmetric=True
)

# %%
# Maps and network form one estimator. `TrialKFold` keeps all windows of a trial together. With
# shuffled windows, training and test share the gains of the trials, so this score is marked.

from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

import skeeg
from skeeg import CCNNClassifier
from skeeg.features import TopographicMap
from skeeg.model_selection import ShuffledSegmentKFold, TrialKFold

network = CCNNClassifier(n_filters=8, n_hidden=64, lr=1e-3, max_epochs=10)
estimators = {"CCNN": make_pipeline(TopographicMap(table.ch_names), network), "SVM": SVC()}
honest = skeeg.compare(estimators, table, cv=TrialKFold(4), random_state=0, progress=False)
honest

# %%

shuffled = ShuffledSegmentKFold(4, allow_leakage=True)
leaking = skeeg.compare(estimators, table, cv=shuffled, random_state=0, progress=False)
leaking.summary()[["mean", "std", "note"]].round(3)

# %%
# Precision, recall and F1 of each class, with whole trials in each fold:

honest.by_class().round(3)
