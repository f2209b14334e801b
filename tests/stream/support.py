"""What the tests of streaming share."""

import itertools

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from skeeg.stream import StreamingDecoder

SFREQ = 100.0


class MeanSign(ClassifierMixin, BaseEstimator):
    """Probability of "up": the logistic function of the mean of the last channel."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.shapes_ = []
        return self

    def predict_proba(self, X):
        self.shapes_.append((X.shape, X.dtype))
        up = 1 / (1 + np.exp(-X[:, -1].astype(float).mean(axis=1)))
        return np.stack([1 - up, up], axis=1)


class Means(RegressorMixin, BaseEstimator):
    """The mean of each channel."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def predict(self, X):
        return X.astype(float).mean(axis=2)


def mean_sign():
    return MeanSign().fit(np.zeros((2, 3, 10)), ["down", "up"])


def decoder(estimator=None, window=0.2, step=0.1, **params):
    estimator = mean_sign() if estimator is None else estimator
    return StreamingDecoder(estimator, window, step, **{"sfreq": SFREQ} | params)


def signal(n_samples=300, n_chans=3, seed=0):
    return np.random.default_rng(seed).standard_normal((n_chans, n_samples))


def pushed(model, values, cuts=(), stamps=None):
    """Return the decisions of a signal that is cut at some samples."""
    edges = [0, *cuts, values.shape[1]]
    return [
        decision
        for start, stop in itertools.pairwise(edges)
        for decision in model.push(
            values[:, start:stop], None if stamps is None else stamps[start:stop]
        )
    ]


def assert_same(left, right):
    assert [d.label for d in left] == [d.label for d in right]
    assert [d.time for d in left] == [d.time for d in right]
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a.probabilities, b.probabilities)
