"""Classifiers with attention are fitted, searched and pickled as any other."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skeeg import DeepConvNetClassifier, EEGNetClassifier, ShallowConvNetClassifier
from skeeg.layers import ATTENTION_AXES, ATTENTIONS, Attention

from .support import make, oscillations

OURS = [EEGNetClassifier, ShallowConvNetClassifier, DeepConvNetClassifier]
each_class = pytest.mark.parametrize("cls", OURS)

# Windows of `oscillations` are shorter than their pools.
pytestmark = pytest.mark.filterwarnings("ignore:(Deep|Shallow)ConvNet")


def attention_of(clf):
    (layer,) = (layer for layer in clf.module_.modules() if isinstance(layer, Attention))
    return layer


@each_class
@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("axis", ATTENTION_AXES)
def test_each_kind_is_fitted_copied_and_pickled(cls, attention, axis):
    X, y = oscillations()
    clf = make(cls, attention=attention, attention_axis=axis, max_epochs=1).fit(X, y)
    assert isinstance(attention_of(clf), ATTENTIONS[attention])
    assert attention_of(clf).axis == axis
    expected = clf.predict_proba(X)
    assert np.array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), expected)
    assert np.array_equal(clone(clf).fit(X, y).predict_proba(X), expected)


@each_class
@pytest.mark.parametrize("axis", ["maps", "map-electrode"])
def test_the_unit_does_not_matter_to_the_gates(cls, axis):
    X, y = oscillations()
    volts, microvolts = (
        make(cls, attention="se", attention_axis=axis).fit(scale * X, y).predict_proba(scale * X)
        for scale in (1e-6, 1)
    )
    np.testing.assert_allclose(volts, microvolts, rtol=1e-3, atol=1e-4)


@each_class
def test_one_channel_and_one_trial(cls):
    X, y = oscillations(n_chans=1)
    for axis in ATTENTION_AXES:
        clf = make(cls, attention="cbam", attention_axis=axis, max_epochs=1).fit(X[:, 0], y)
        assert np.isfinite(clf.predict_proba(X[:1])).all()


def test_a_network_with_gates_of_electrodes_learns():
    X, y = oscillations(n_trials=48)
    clf = make(EEGNetClassifier, attention="se", attention_axis="electrodes", max_epochs=15)
    assert clf.fit(X, y).score(*oscillations(n_trials=24, seed=1)) > 0.9


def test_a_grid_search_chooses_attention_and_its_axis():
    X, y = oscillations()
    pipeline = make_pipeline(make(EEGNetClassifier, max_epochs=2))
    grid = {
        "eegnetclassifier__attention": [None, "se", "eca"],
        "eegnetclassifier__attention_axis": ["maps", "electrodes"],
    }
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 6
    scores = search.cv_results_["mean_test_score"]
    without = [
        params["eegnetclassifier__attention"] is None for params in search.cv_results_["params"]
    ]
    assert len(set(scores[without])) == 1  # the axis of no attention means nothing
    best = search.best_estimator_[-1]
    assert best.attention == search.best_params_["eegnetclassifier__attention"]


@each_class
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"attention": "self"}, r"attention, where it is not None, must be one of 'se', .*'self'"),
        ({"attention_axis": "electrode"}, r"Did you mean 'electrodes'"),
    ],
)
def test_invalid_values_raise_in_fit(cls, params, message):
    X, y = oscillations()
    with pytest.raises(ValueError, match=message):
        make(cls, **params).fit(X, y)


@pytest.mark.filterwarnings("ignore:The channel selection")  # after three epochs, anything
def test_selected_channels_have_the_gates():
    X, y = oscillations(n_chans=5)
    clf = make(EEGNetClassifier, attention="eca", attention_axis="electrodes", n_selected_chans=3)
    assert attention_of(clf.fit(X, y)).size == 3
