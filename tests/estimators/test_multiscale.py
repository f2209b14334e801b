"""MixNet and InceptionResNet, the networks of skeeg's own design, as classifiers."""

import json
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skeeg import InceptionResNetClassifier, MixNetClassifier
from skeeg.datasets import simulate_motor_imagery
from skeeg.layers import ATTENTION_AXES, ATTENTIONS, Attention

from .support import make, oscillations

each_class = pytest.mark.parametrize("cls", [MixNetClassifier, InceptionResNetClassifier])


def lengths_of(clf):
    return [bank.kernel_size[1] for bank in clf.module_.second_conv.depthwise.banks]


@each_class
def test_motor_imagery_of_another_session_is_decoded(cls):
    channels = ["FC3", "C3", "CP3", "Cz", "FC4", "C4", "CP4"]
    data = simulate_motor_imagery(
        1, 2, 1, 60, ch_names=channels, tmax=2.0, difficulty=0, random_state=0
    )
    trained = (data.metadata["session"] == data.metadata["session"].iloc[0]).to_numpy()
    clf = cls(max_epochs=15, batch_size=10, lr=5e-3, dropout=0.25, random_state=0)
    clf.fit(data[trained], data.y[trained])
    assert clf.score(data[~trained], data.y[~trained]) > 0.7  # chance exceeds it once in 2,000


@each_class
@pytest.mark.parametrize(
    ("attention", "axis"), list(zip(ATTENTIONS, ATTENTION_AXES, strict=True))
)  # each kind and each axis once
def test_attention_is_fitted_copied_and_pickled(cls, attention, axis):
    X, y = oscillations()
    clf = make(cls, attention=attention, attention_axis=axis, max_epochs=1).fit(X, y)
    (layer,) = (layer for layer in clf.module_.modules() if isinstance(layer, Attention))
    assert isinstance(layer, ATTENTIONS[attention])
    assert layer.axis == axis
    expected = clf.predict_proba(X)
    assert np.array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), expected)
    assert np.array_equal(clone(clf).fit(X, y).predict_proba(X), expected)


@pytest.mark.parametrize("lengths", [(3, 9), [3, 9], (np.int64(3), np.int64(9))])
def test_lengths_are_any_sequence_and_stay_as_given(lengths):
    X, y = oscillations()
    clf = make(MixNetClassifier, separable_kernel_lengths=lengths, max_epochs=1)
    assert lengths_of(clone(clf).fit(X, y)) == [3, 9]
    assert clf.fit(X, y).separable_kernel_lengths is lengths


def test_parameters_come_back_from_json():
    clf = MixNetClassifier(separable_kernel_lengths=(5, 11), split="exponential")
    params = json.loads(json.dumps(clf.get_params()))
    X, y = oscillations()
    params |= {"max_epochs": 1, "random_state": 0}
    again = MixNetClassifier(**params).fit(X, y)
    assert lengths_of(again) == [5, 11]
    assert [bank.out_channels for bank in again.module_.second_conv.depthwise.banks] == [8, 8]


def test_a_search_chooses_lengths_and_split_in_a_pipeline():
    X, y = oscillations()
    pipeline = make_pipeline(FunctionTransformer(), make(MixNetClassifier, max_epochs=2))
    grid = {
        "mixnetclassifier__separable_kernel_lengths": [(16,), (3, 7, 15)],
        "mixnetclassifier__split": ["equal", "exponential"],
    }
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert len(scores) == 4
    assert scores[0] == scores[1]  # one length is not split at all
    best = search.best_params_["mixnetclassifier__separable_kernel_lengths"]
    assert lengths_of(search.best_estimator_[-1]) == list(best)


def test_a_search_chooses_the_depth_and_the_scale():
    X, y = oscillations()
    grid = {"n_blocks": [1, 2], "scale": [0.1, 0.3]}
    clf = make(InceptionResNetClassifier, block_pool_length=2, max_epochs=1)
    search = GridSearchCV(clf, grid, cv=2, error_score="raise").fit(X, y)
    blocks = search.best_estimator_.module_.blocks
    assert len(blocks) == search.best_params_["n_blocks"]
    assert {block.inception.scale for block in blocks} == {search.best_params_["scale"]}


@pytest.mark.parametrize(
    ("cls", "params", "message"),
    [
        (MixNetClassifier, {"n_temporal_filters": 1}, "2 maps cannot be split into 4 groups"),
        (MixNetClassifier, {"separable_kernel_lengths": 16}, "must be a sequence of one integer"),
        (MixNetClassifier, {"split": "equally"}, "split must be one of.*Did you mean 'equal'"),
        (InceptionResNetClassifier, {"scale": 0}, "scale must be a finite number above 0; got 0"),
        (InceptionResNetClassifier, {"n_blocks": 0}, "n_blocks must be an integer of at least 1"),
    ],
)
def test_invalid_values_raise_in_fit(cls, params, message):
    X, y = oscillations()
    with pytest.raises(ValueError, match=message):
        make(cls, **params).fit(X, y)
