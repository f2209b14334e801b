"""
Emotion: entropy on maps of the head
====================================

Differential entropy of four bands, where the electrodes are, and a network that looks at these
maps. The recording is simulated: in half of the trials, alpha is strong on the right.
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
X *= np.exp(0.4 * rng.standard_normal((n_trials, len(CHANNELS), 1)))  # a gain of each trial's own
trials = EEGData.from_arrays(X, y, sfreq=sfreq, ch_names=CHANNELS, subject=1)
table = deap_entropy(trials)
table

# %%
# What distinguishes the classes is the difference of their mean maps. Each window was standardised
# over its own 128 values, so that the unit is the standard deviation of a window.

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
# The network gets the grid of 9 x 9 cells that Yang et al. (2018) made for these electrodes.

figure = plot_topographic_map(
    difference, table.ch_names, bands=table.bands, unit="z-score", symmetric=True
)

# %%
# Maps and network are one estimator. Under `TrialKFold` all windows of a trial are on one side;
# shuffled windows have the trial's gain on both, and their score is marked.

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
# Precision, recall and F1 of each class, on whole trials:

honest.by_class().round(3)
