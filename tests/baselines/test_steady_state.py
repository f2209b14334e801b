"""Canonical correlation in closed form, task-related components with a known response."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.cross_decomposition import CCA
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from skeeg import EEGData
from skeeg.baselines import (
    CanonicalCorrelation,
    DelayEmbedding,
    TaskRelatedComponents,
    canonical_correlations,
    ssvep_cca,
    ssvep_trca,
    stimulus_frequencies,
)
from skeeg.datasets import load_ssvep_exoskeleton
from skeeg.models import build_model

SFREQ = 128.0
FREQUENCIES = {"13Hz": 13.0, "17Hz": 17.0, "21Hz": 21.0}


def flickering(n_trials=24, amplitude=0.5, seed=0, locked=False, rest=False):
    rng = np.random.default_rng(seed)
    labels = np.resize([*FREQUENCIES, *(["rest"] if rest else [])], n_trials)
    X = rng.standard_normal((n_trials, 4, 256))
    seconds = np.arange(256) / SFREQ
    for trial, label in zip(X, labels, strict=True):
        if label != "rest":
            phase = 0 if locked else rng.uniform(0, 2 * np.pi)
            wave = amplitude * np.sin(2 * np.pi * FREQUENCIES[label] * seconds + phase)
            trial += np.outer([1, -0.5, 0.3, 0.8], wave)
    return EEGData.from_arrays(X, labels, SFREQ)


def test_the_correlation_of_one_channel_has_a_closed_form():
    """Whole periods: sinusoids of other frequencies are orthogonal, so ρ² is a share of power."""
    seconds = np.arange(256) / SFREQ
    a, b = 3.0, 4.0
    x = a * np.sin(2 * np.pi * 13 * seconds + 0.7) + b * np.sin(2 * np.pi * 17 * seconds + 2)
    found = canonical_correlations(x[None, None], SFREQ, [13, 17, 21], n_harmonics=1)
    assert_allclose(found, [[0.6, 0.8, 0.0]], atol=1e-9)


def test_several_channels_cancel_what_is_common():
    """The second channel is the disturbance alone: subtracted, a perfect sinusoid remains."""
    rng = np.random.default_rng(0)
    noise, seconds = rng.standard_normal(256), np.arange(256) / SFREQ
    X = np.stack([np.sin(2 * np.pi * 13 * seconds) + noise, noise])[None]
    assert canonical_correlations(X, SFREQ, [13])[0, 0] == pytest.approx(1)


def test_correlations_are_those_of_scikit_learn():
    data = flickering(6)
    seconds = np.arange(256)[:, None] / SFREQ
    phases = 2 * np.pi * 13 * seconds * [1, 2]
    waves = np.hstack([np.sin(phases), np.cos(phases)])
    theirs = []
    for trial in data.X.astype(float):
        u, v = CCA(n_components=1, max_iter=5000, tol=1e-12).fit_transform(trial.T, waves)
        theirs.append(np.corrcoef(u.ravel(), v.ravel())[0, 1])
    assert_allclose(
        canonical_correlations(data.X, SFREQ, [13], n_harmonics=2)[:, 0], theirs, atol=1e-4
    )


def test_harmonics_above_the_nyquist_frequency_are_left_out():
    X = flickering(4).X
    many, few = (canonical_correlations(X, SFREQ, [21], n) for n in (9, 3))
    assert_allclose(many, few)


def test_trials_without_signal_have_no_correlation():
    assert canonical_correlations(np.zeros((1, 3, 64)), SFREQ, [13]).tolist() == [[0.0]]


@pytest.mark.parametrize(
    ("labels", "frequencies"),
    [
        (["rest", "13Hz", "17.5 Hz"], [13.0, 17.5]),
        ([13.0, 8.0, 8.0], [8.0, 13.0]),
        (["left", "13 left"], []),
    ],
)
def test_labels_name_frequencies(labels, frequencies):
    assert stimulus_frequencies(labels) == frequencies


def test_frequencies_come_from_the_labels_and_rest_is_decoded_too():
    data = flickering(48, rest=True)
    pipeline = build_model("ssvep-cca", sfreq=SFREQ)
    assert cross_val_score(pipeline, data, data.y, cv=3, error_score="raise").mean() > 0.9
    assert pipeline.fit(data, data.y)["cca"].frequencies_ == [13.0, 17.0, 21.0]


def test_unusable_frequencies_are_named():
    data = flickering()
    with pytest.raises(ValueError, match=r"pass frequencies=\[13, 17, 21\].*got labels \['a', 'b'"):
        ssvep_cca().fit(data, np.resize(["a", "b"], len(data)))
    with pytest.raises(ValueError, match="70 Hz is not below 64 Hz, the Nyquist frequency"):
        ssvep_cca(frequencies=[70]).fit(data, data.y)
    with pytest.raises(ValueError, match="needs the sampling rate"):
        ssvep_cca().fit(data.X, data.y)


def test_components_find_locked_responses_and_no_others():
    train, test = flickering(30, locked=True), flickering(60, seed=1, locked=True)
    assert ssvep_trca().fit(train, train.y).score(test, test.y) > 0.9
    free = flickering(60, seed=1)
    assert ssvep_trca().fit(train, train.y).score(free, free.y) < 0.7


def test_the_component_is_the_source_whatever_the_noise():
    """Noise of another channel 10 times as strong: the filter gives it almost no weight."""
    rng = np.random.default_rng(0)
    response = rng.standard_normal(200)
    X = rng.standard_normal((20, 2, 200)) * [[0.1], [10]]
    X[:, 0] += response
    X[10:, 0] -= 2 * response
    trca = TaskRelatedComponents().fit(X, np.repeat([0, 1], 10))
    assert (np.abs(trca.filters_[1]) * 100 < np.abs(trca.filters_[0])).all()
    assert trca.score(X, np.repeat([0, 1], 10)) == 1


def test_delays_are_stacked():
    X = np.arange(20.0).reshape(1, 2, 10)
    stacked = DelayEmbedding(order=3, lag=2).fit_transform(X)
    assert_allclose(stacked[0, 4], X[0, 0, 4:10])
    assert stacked.shape == (1, 6, 6)
    with pytest.raises(ValueError, match="Trials of 10 samples are too short for order=6"):
        DelayEmbedding(order=6, lag=2).fit(X)


@parametrize_with_checks(
    [CanonicalCorrelation(sfreq=SFREQ, frequencies=[13]), DelayEmbedding(order=1)],
)
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


@parametrize_with_checks([TaskRelatedComponents()])
def test_scikit_learns_checks_of_classifiers_pass(estimator, check):
    check(estimator)


@pytest.mark.slow
def test_correlation_on_steady_state_responses_within_a_session(recordings):
    """With rest, chance is 0.25; the data's own baseline is 0.77."""
    data = load_ssvep_exoskeleton(recordings("ssvep"), sfreq=128, fmin=5, fmax=48, tmin=1, tmax=5)
    sessions = data.nested_groups("session")
    scores = [
        cross_val_score(ssvep_cca(), part, part.y, cv=StratifiedKFold(4)).mean()
        for part in (data[sessions == session] for session in np.unique(sessions))
    ]
    assert np.mean(scores) >= 0.77
