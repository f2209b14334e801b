"""Importance is the decrease of a score, for any estimator with a score."""

import joblib
import mne
import numpy as np
import pandas as pd
import pytest
from mne.decoding import Vectorizer
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.utils import check_random_state
from torch import nn

from skeeg import EEGData, EEGNetClassifier, ModuleRegressor
from skeeg.baselines import csp_lda
from skeeg.features import UnitScaler
from skeeg.inspection import channel_importance

NAMES = ("C3", "Cz", "C4")


class Linear(nn.Sequential):
    def __init__(self, n_chans, n_times, n_outputs):
        super().__init__(nn.Flatten(), nn.Linear(n_chans * n_times, n_outputs))


class SignOfChannel(ClassifierMixin, BaseEstimator):
    """Predicts 1 where the mean of one channel is positive; records the trials that it gets."""

    def __init__(self, channel=1):
        self.channel = channel

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen_ = []
        return self

    def predict(self, X):
        self.seen_.append(X)
        values = X.get_data(picks="eeg") if isinstance(X, mne.BaseEpochs) else np.asarray(X)
        return (values[:, self.channel].mean(axis=1) > 0).astype(int)


def trials(n_trials=30, seed=0):
    """Noise, with the class in the mean of channel 1."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n_trials) % 2)
    X = rng.standard_normal((n_trials, 3, 50))
    X[:, 1] += np.where(y, 3, -3)[:, None]
    return X, y


def test_the_score_falls_to_that_of_shuffled_labels_for_the_one_channel_that_counts():
    X, y = trials()
    found = channel_importance(SignOfChannel().fit(X, y), X, y, n_repeats=5, random_state=3)
    random = check_random_state(3)
    agreement = [np.mean(y[random.permutation(30)] == y) for _ in range(5)]
    assert found.score == 1
    assert_array_equal(found.importances[[0, 2]], 0)
    assert_allclose(found.importances[1], 1 - np.array(agreement))
    assert_allclose(found.importances_mean[1], 1 - np.mean(agreement))
    assert_allclose(found.importances_std[1], np.std(agreement))
    assert found.ch_names is None


def test_groups_keep_to_themselves():
    X, y = trials()
    clf = SignOfChannel().fit(X, y)
    # Within a class nothing is lost, whatever the order.
    found = channel_importance(clf, X, y, groups=np.where(y, "b", "a"), random_state=0)
    assert_array_equal(found.importances, 0)
    two = channel_importance(clf, X, y, groups=np.arange(30) // 15, random_state=0)
    assert two.importances_mean[1] > 0.2


def test_estimators_get_trials_in_the_same_container():
    X, y = trials()
    X = X.astype(np.float32)
    data = EEGData.from_arrays(X, y, 100, NAMES, subject=1)
    clf = SignOfChannel().fit(data, y)
    expected = channel_importance(clf, X, y, n_repeats=2, random_state=0)
    found = channel_importance(clf, data, y, n_repeats=2, random_state=0)
    assert found.ch_names == NAMES
    assert_array_equal(found.importances, expected.importances)
    assert all(
        isinstance(seen, EEGData) and seen.sfreq == 100 and seen.ch_names == NAMES
        for seen in clf.seen_[-6:]
    )
    assert_array_equal(data.X, X)


def test_epochs_stay_epochs_and_only_good_eeg_channels_are_permuted():
    X, y = trials()
    kinds = ["eeg", "eeg", "eeg", "eog", "eeg"]
    info = mne.create_info([*NAMES, "EOG", "Pz"], 100, kinds)
    info["bads"] = ["Pz"]
    extra = np.random.default_rng(1).standard_normal((30, 2, 50))
    epochs = mne.EpochsArray(
        np.concatenate([X, extra], axis=1),
        info,
        tmin=-0.2,
        metadata=pd.DataFrame({"run": y}),
        verbose=False,
    )
    clf = SignOfChannel().fit(epochs, y)
    found = channel_importance(clf, epochs, y, n_repeats=2, random_state=0)
    assert found.ch_names == NAMES
    plain = channel_importance(clf, X, y, n_repeats=2, random_state=0)
    assert_array_equal(found.importances, plain.importances)
    seen = clf.seen_[1]
    assert isinstance(seen, mne.BaseEpochs)
    assert seen.tmin == -0.2
    assert seen.metadata.equals(epochs.metadata)
    assert_array_equal(seen.get_data(picks=["EOG", "Pz"]), extra)
    # A network that was fitted on them takes them too.
    network = EEGNetClassifier(max_epochs=1, random_state=0).fit(epochs, y)
    assert channel_importance(network, epochs, y, n_repeats=1).importances.shape == (3, 1)


def test_any_pipeline_and_any_score_work():
    X, y = trials()
    data = EEGData.from_arrays(X, y, 100, NAMES)
    pipeline = make_pipeline(UnitScaler(), csp_lda(n_components=2)).fit(data, y)
    found = channel_importance(pipeline, data, y, scoring="neg_log_loss", random_state=0)
    assert found.score == pytest.approx(-log_loss(y, pipeline.predict_proba(data)))

    def brier(estimator, X, y):
        return -np.mean((estimator.predict_proba(X)[:, 1] - y) ** 2)

    assert channel_importance(pipeline, data, y, scoring=brier).score < 0


def test_results_do_not_depend_on_n_jobs_and_trials_are_not_changed():
    X, y = trials()
    clf = EEGNetClassifier(max_epochs=1, random_state=0).fit(X, y)
    frozen = np.asfortranarray(X)
    frozen.flags.writeable = False
    first = channel_importance(clf, frozen, y, n_repeats=3, random_state=0)
    with joblib.parallel_config("threading"):
        again = channel_importance(clf, X, y, n_repeats=3, random_state=0, n_jobs=2)
    assert_array_equal(first.importances, again.importances)
    assert first.importances.shape == (3, 3)


def test_a_trained_network_needs_the_channel_with_the_class():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    X = rng.standard_normal((60, 3, 96))
    X[:, 2] += 3 * y[:, None] * np.sin(2 * np.pi * np.arange(96) / 12 + rng.uniform(0, 6, (60, 1)))
    clf = EEGNetClassifier(max_epochs=8, lr=1e-2, kernel_length=16, random_state=0)
    found = channel_importance(clf.fit(X[:40], y[:40]), X[40:], y[40:], random_state=0)
    assert found.importances_mean.argmax() == 2
    assert found.importances_mean[2] > 0.3


def test_invalid_input_raises_with_advice():
    X, y = trials()
    clf = SignOfChannel().fit(X, y)
    with pytest.raises(ValueError, match=r"got \(30, 50\).*permutation_importance"):
        channel_importance(clf, X[:, 0], y)
    with pytest.raises(ValueError, match="it needs at least two trials, got 1"):
        channel_importance(clf, X[:1], y[:1])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        channel_importance(clf, X, y[:5])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        channel_importance(clf, X, y, groups=[1, 2])
    with pytest.raises(ValueError, match="n_repeats must be an integer of at least 1; got 0"):
        channel_importance(clf, X, y, n_repeats=0)
    with pytest.raises(NotFittedError):
        channel_importance(EEGNetClassifier(), X, y)
    network = EEGNetClassifier(max_epochs=1, random_state=0).fit(X, y)
    X[4, 2, 1] = np.nan
    with pytest.raises(ValueError, match="NaN: first in trial 4, channel 2"):
        channel_importance(network, X, y)


def test_a_regressor_loses_r2_without_the_channel_that_its_target_follows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 3, 16))
    y = 30 + 5 * X[:, 1].mean(axis=1)
    data = EEGData.from_arrays(X, y, 16, NAMES)
    ridge = make_pipeline(Vectorizer(), Ridge(1.0)).fit(X[:50], y[:50])
    network = ModuleRegressor(module=Linear, max_epochs=30, lr=3e-3, random_state=0)
    for estimator in (ridge, network.fit(data[:50], y[:50])):
        trials = data[50:] if estimator is network else data.X[50:]
        found = channel_importance(estimator, trials, y[50:], n_repeats=5, random_state=0)
        assert found.score == estimator.score(trials, y[50:])
        assert found.importances_mean.argmax() == 1
        assert found.importances_mean[1] > 0.3
