"""Small recordings and fast estimators for comparisons."""

from __future__ import annotations

import numpy as np
import pytest
from mne.decoding import Vectorizer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skeeg import EEGData


@pytest.fixture(scope="session")
def make_data():
    """Return a function that makes recordings whose classes differ in the mean of a channel."""

    def make(n_subjects=2, n_runs=2, n_trials=12, classes=("left", "right"), distance=0.35, seed=0):
        rng = np.random.default_rng(seed)
        n_rows = n_subjects * n_runs * n_trials
        codes = np.arange(n_rows) % len(classes)
        X = rng.standard_normal((n_rows, 3, 8))
        X += distance * (codes[:, None, None] == np.arange(3)[None, :, None])
        return EEGData.from_arrays(
            X,
            np.array(classes)[codes],
            8,
            subject=np.repeat(np.arange(1, n_subjects + 1), n_runs * n_trials),
            run=np.tile(np.repeat(np.arange(n_runs), n_trials), n_subjects),
            trial=np.tile(np.arange(n_trials), n_subjects * n_runs),
        )

    return make


@pytest.fixture(scope="session")
def make_targets():
    """Return a function that makes recordings whose channel means follow a continuous target."""

    def make(n_subjects=6, n_runs=2, n_trials=12, slope=0.5, seed=0):
        rng = np.random.default_rng(seed)
        n_rows = n_subjects * n_runs * n_trials
        y = rng.standard_normal(n_rows)
        X = rng.standard_normal((n_rows, 3, 8))
        X[:, 1] += slope * y[:, None]
        return EEGData.from_arrays(
            X,
            y,
            8,
            subject=np.repeat(np.arange(1, n_subjects + 1), n_runs * n_trials),
            run=np.tile(np.repeat(np.arange(n_runs), n_trials), n_subjects),
            trial=np.tile(np.arange(n_trials), n_subjects * n_runs),
        )

    return make


@pytest.fixture
def estimators():
    """One with probabilities, one with decision values, one that draws random numbers."""
    return {
        "lda": make_pipeline(Vectorizer(), LinearDiscriminantAnalysis()),
        "svm": make_pipeline(Vectorizer(), LinearSVC()),
        "guess": DummyClassifier(strategy="stratified"),
    }
