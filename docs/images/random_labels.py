"""Make random_labels.png, the figure of the page on leakage: random labels, decoded or not.

Run it from anywhere: ``python docs/images/random_labels.py``. It takes about two minutes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC

from skeeg import EEGData
from skeeg.features import sample_zscore
from skeeg.model_selection import ShuffledSegmentKFold, TrialKFold
from skeeg.plotting import plot_scores

N_TRIALS, N_SEGMENTS, N_FEATURES = 40, 60, 128
SPLITTERS = {
    "shuffled segments": ShuffledSegmentKFold(10, random_state=0, allow_leakage=True),
    "whole trials": TrialKFold(10),
}


def random_segments(random_state: int) -> EEGData:
    """Return segments of trials that differ from each other, and from nothing else."""
    rng = np.random.default_rng(random_state)
    trial = np.repeat(np.arange(N_TRIALS), N_SEGMENTS)
    offset = rng.standard_normal((N_TRIALS, N_FEATURES))
    noise = 1.5 * rng.standard_normal((len(trial), N_FEATURES))
    rows = sample_zscore(offset[trial] + noise)
    return EEGData.from_arrays(rows[:, :, None], np.zeros(len(trial)), sfreq=1, trial=trial)


def accuracies(data: EEGData, splitter: Any, n_draws: int, random_state: int = 0) -> list[float]:
    """Return the mean accuracy of an SVM for each of several draws of a label for each trial."""
    rng = np.random.default_rng(random_state)
    # What SVC() computes of these rows, once for all labels: their variance is 1.
    kernel = rbf_kernel(data.X[:, :, 0], gamma=1 / N_FEATURES)
    means = []
    for _ in range(n_draws):
        of_trials = rng.permutation(np.repeat(["high", "low"], N_TRIALS // 2))
        y = of_trials[data.nested_groups("trial")]
        splits = list(splitter.split(data, y))
        means.append(cross_val_score(SVC(kernel="precomputed"), kernel, y, cv=splits).mean())
    return means


if __name__ == "__main__":
    data = random_segments(0)
    scores = pd.DataFrame(
        {name: accuracies(data, splitter, n_draws=20) for name, splitter in SPLITTERS.items()}
    )
    figure = plot_scores(
        scores, unit="draw", chance=0.5, title="An SVM on labels drawn at random for 40 trials"
    )
    figure.axes[0].set_xlabel("Accuracy (share of segments)")
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=150)
    print(scores.describe().loc[["mean", "std", "min", "max"]].round(3))
