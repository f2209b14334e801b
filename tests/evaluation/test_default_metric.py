"""Guessing the most frequent class is never the best, whatever the frequencies are."""

from __future__ import annotations

import numpy as np
import pytest
from mne.decoding import Vectorizer
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skeeg import EEGData, compare
from skeeg.model_selection import TrialKFold


def noisy(counts, n_subjects=1, seed=0):
    """Return trials of classes with these counts, whose first value hints at the class."""
    rng = np.random.default_rng(seed)
    y = np.tile(np.repeat(np.arange(len(counts)), counts), n_subjects)
    X = rng.standard_normal((len(y), 2, 4))
    X[:, 0, 0] += 1.2 * y
    subject = np.repeat(np.arange(n_subjects), sum(counts))
    return EEGData.from_arrays(X, y, 4, subject=subject, trial=np.arange(len(y)))


def lda():
    priors = [0.5, 0.5]
    return make_pipeline(Vectorizer(), LinearDiscriminantAnalysis(priors=priors))


def main_metric(data, estimators=None, **params):
    estimators = estimators or {"guess": DummyClassifier()}
    found = compare(estimators, data, cv=TrialKFold(2), random_state=0, progress=False, **params)
    return found.about.metrics[0]


def test_guessing_the_class_of_two_thirds_is_ranked_last():
    estimators = {"guess": DummyClassifier(), "lda": lda()}
    found = compare(estimators, noisy((80, 40)), cv=TrialKFold(4), random_state=0, progress=False)
    accuracy = found.summary("accuracy")["mean"]
    assert accuracy["guess"] == pytest.approx(2 / 3)
    assert found.about.metrics == ("roc_auc", "accuracy", "balanced_accuracy", "kappa")
    ranked = found.summary()
    assert ranked.index.tolist() == ["lda", "guess"]
    assert ranked["mean"]["guess"] == 0.5
    assert "ROC AUC" in found.plot_scores().axes[0].get_xlabel()
    kinds = [(kind, name) for kind, name, _ in found.figures()]
    assert kinds[0] == ("scores", "roc_auc")


@pytest.mark.parametrize(
    ("counts", "metric"),
    [
        ((40, 40), "accuracy"),
        ((40, 38), "accuracy"),  # a trial or two were rejected
        ((40, 36), "roc_auc"),
        ((20, 20, 20), "accuracy"),
        ((30, 20, 20), "balanced_accuracy"),
    ],
)
def test_the_main_metric_follows_from_the_frequencies(counts, metric):
    assert main_metric(noisy(counts)) == metric


def test_an_estimator_without_scores_is_ranked_too():
    class Guess(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

        def predict(self, X):
            return np.full(len(X), self.classes_[0])

    data = noisy((40, 20))
    assert main_metric(data, {"guess": Guess(), "lda": lda()}) == "balanced_accuracy"
    svm = make_pipeline(Vectorizer(), LinearSVC())
    assert main_metric(data, {"svm": svm, "lda": lda()}) == "roc_auc"


def test_an_area_that_is_undefined_in_a_fold_is_not_the_main_metric():
    y = np.repeat([0, 1], (40, 20))
    data = EEGData.from_arrays(np.random.default_rng(0).standard_normal((60, 2, 4)), y, 4)
    cv = [(np.r_[0:20, 40:60], np.arange(20, 40)), (np.arange(20, 50), np.r_[0:20, 50:60])]
    with pytest.warns(UserWarning, match="ROC AUC is undefined"):
        found = compare({"guess": DummyClassifier()}, data, cv=cv, random_state=0, progress=False)
    assert found.about.metrics[0] == "balanced_accuracy"


def test_metrics_that_are_passed_keep_their_order():
    scoring = ["accuracy", "roc_auc"]
    assert main_metric(noisy((40, 20)), scoring=scoring) == "accuracy"
