"""From a table of entropies over maps of the head to a network: all that a pipeline is used for."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from skeeg import CCNNClassifier, EEGData, LeNetClassifier, compare
from skeeg.datasets.deap import CHANNELS
from skeeg.features import TopographicMap, deap_entropy, topographic_map
from skeeg.model_selection import ShuffledSegmentKFold, TrialKFold, WithinSubject


@pytest.fixture(scope="module")
def table():
    """Two subjects, eight trials of four seconds each; 10 Hz on the left where they are tense."""
    rng = np.random.default_rng(0)
    y = np.array(["calm", "tense"] * 8)
    X = rng.standard_normal((16, 32, 512))
    wave = np.sin(2 * np.pi * 10 * np.arange(512) / 128)
    X[:, :8] += 3 * (y == "tense")[:, None, None] * wave
    data = EEGData.from_arrays(
        X, y, sfreq=128, ch_names=CHANNELS, subject=np.repeat([1, 2], 8),
        trial=np.tile(np.arange(8), 2),
    )  # fmt: skip
    return deap_entropy(data)


def small(**parameters):
    network = CCNNClassifier(n_filters=4, n_hidden=16, lr=1e-3, max_epochs=6, **parameters)
    return make_pipeline(TopographicMap(CHANNELS), network)


def test_windows_of_new_trials_are_decoded(table):
    scores = cross_val_score(small(random_state=0), table, table.y, cv=TrialKFold(4))
    assert scores.shape == (4,)
    assert scores.mean() > 0.85


@pytest.mark.parametrize("network", [CCNNClassifier, LeNetClassifier])
def test_the_network_gets_a_map_for_each_band(table, network):
    pipeline = make_pipeline(TopographicMap(CHANNELS), network(max_epochs=1, random_state=0))
    pipeline.fit(table[:16], table.y[:16])
    last = pipeline[-1]
    assert (last.n_bands_, last.height_, last.width_) == (4, 9, 9)
    maps = topographic_map(table.X.reshape(-1, 4, 32), CHANNELS)
    np.testing.assert_array_equal(pipeline[:-1].transform(table), maps)
    np.testing.assert_array_equal(pipeline.predict(table), last.predict(maps))


def test_tables_and_their_arrays_are_the_same(table):
    of_table = small(random_state=0).fit(table, table.y).predict_proba(table)
    of_array = small(random_state=0).fit(table.X, table.y).predict_proba(table.X)
    np.testing.assert_array_equal(of_table, of_array)
    assert of_table.shape == (64, 2)


def test_clones_and_pickles_predict_the_same(table):
    pipeline = small(random_state=0).fit(table, table.y)
    expected = pipeline.predict_proba(table)
    again = clone(pipeline).fit(table, table.y)
    np.testing.assert_array_equal(again.predict_proba(table), expected)
    restored = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_array_equal(restored.predict_proba(table), expected)
    assert set(pipeline.predict(table)) <= {"calm", "tense"}


def test_layouts_and_networks_are_searched(table):
    search = GridSearchCV(
        small(random_state=0),
        {"topographicmap__layout": ["deap-9x9", "grid"], "ccnnclassifier__activation": ["elu"]},
        cv=TrialKFold(2),
    ).fit(table, table.y)
    assert search.best_score_ > 0.6
    assert search.predict(table).shape == (64,)


def test_comparisons_know_its_size_and_its_history(table):
    comparison = compare(
        {"CCNN": small()}, table, cv=WithinSubject(2), random_state=0, progress=False
    )
    assert not comparison.leakage
    assert len(comparison.scores) == 4
    network = small(random_state=0).fit(table, table.y)[-1]
    size = sum(parameter.numel() for parameter in network.module_.parameters())
    assert set(comparison.scores["n_parameters"]) == {size}
    assert comparison.history["epoch"].max() == 6
    leaking = ShuffledSegmentKFold(2, allow_leakage=True)
    published = compare({"CCNN": small()}, table, cv=leaking, random_state=0, progress=False)
    assert published.leakage.startswith("leakage allowed")


def test_other_channels_than_in_training_are_refused(table):
    pipeline = small(random_state=0).fit(table, table.y)
    with pytest.raises(ValueError, match="127 features"):
        pipeline.predict(table.X[:, 1:])
