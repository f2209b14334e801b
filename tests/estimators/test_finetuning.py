"""finetune: training that continues on a few labelled trials, with layers frozen."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn

from skeeg.ensemble import EnsembleClassifier
from skeeg.estimators import (
    DeepConvNetClassifier,
    EEGNetClassifier,
    EEGNetRegressor,
    ModuleClassifier,
    ShallowConvNetClassifier,
)

from .support import CLASSIFIERS, OF_SIGNALS, amplitudes, make, oscillations, small

X, Y = oscillations(n_trials=24, n_chans=3, n_times=96, n_classes=3)
LABELS = np.array(["left", "rest", "right"])[Y]
NEW, _ = oscillations(n_trials=9, n_classes=3, seed=7)
NEW_LABELS = np.array(["left", "right", "left"] * 3)


def fitted(cls=EEGNetClassifier, **params):
    return cls(**{"max_epochs": 2, "random_state": 0} | small(cls) | params).fit(X, LABELS)


def changed(before, after):
    """Names of what differs in the state of two networks."""
    new = after.module_.state_dict()
    old = before.module_.state_dict()
    return {name for name, value in old.items() if not torch.equal(value, new[name])}


def test_training_continues_on_the_new_trials_and_keeps_the_rest():
    net = fitted()
    tuned = copy.deepcopy(net)
    assert tuned.finetune(NEW, NEW_LABELS, max_epochs=3) is tuned
    assert_array_equal(tuned.classes_, net.classes_)
    assert tuned.scale_ == net.scale_
    assert len(tuned.history) == 5
    assert tuned.history[:2] == net.history[:]
    assert (tuned.max_epochs, tuned.lr) == (net.max_epochs, net.lr)
    assert {"filters.temporal.weight", "dense.weight"} <= changed(net, tuned)
    assert tuned.predict_proba(NEW).shape == (9, 3)  # the class that was missing is kept


def test_one_epoch_without_freezing_is_partial_fit_with_a_new_optimiser():
    net = fitted(optimizer="sgd")  # which has no state without momentum
    tuned = copy.deepcopy(net).finetune(NEW, NEW_LABELS, max_epochs=1)
    continued = copy.deepcopy(net).set_params(max_epochs=1).partial_fit(NEW, NEW_LABELS)
    assert_array_equal(tuned.predict_proba(NEW), continued.predict_proba(NEW))


@pytest.mark.parametrize("freeze", ["filters", ["filters*"], ["filters.*", "filters"]])
def test_frozen_layers_keep_weights_and_statistics(freeze):
    net = fitted()
    tuned = copy.deepcopy(net).finetune(NEW, NEW_LABELS, freeze=freeze)
    names = changed(net, tuned)
    assert not [name for name in names if name.startswith("filters")]
    assert {"first_norm.running_mean", "dense.weight", "second_norm.weight"} <= names


def test_statistics_of_layers_that_are_not_frozen_move():
    net = fitted()
    names = changed(net, copy.deepcopy(net).finetune(NEW, NEW_LABELS, freeze="*.weight"))
    assert "filters.norm.running_mean" in names  # its bias is still trained
    assert not [name for name in names if name.endswith(".weight")]


@pytest.mark.parametrize("cls", [cls for cls in OF_SIGNALS if cls is not ModuleClassifier])
def test_all_but_the_last_layer(cls):
    net = make(cls, max_epochs=1).fit(X, LABELS)
    tuned = copy.deepcopy(net).finetune(NEW, NEW_LABELS, freeze="all_but_last")
    names = changed(net, tuned)
    layers = {name.rpartition(".")[0] for name in names}
    assert len(layers) == 1
    (layer,) = layers
    assert tuned.module_.get_submodule(layer).weight.shape[0] == 3


def test_all_classifiers_are_fine_tuned():
    assert all(callable(getattr(cls, "finetune", None)) for cls in CLASSIFIERS)


@pytest.mark.parametrize("cls", [EEGNetClassifier, ShallowConvNetClassifier, DeepConvNetClassifier])
def test_max_norm_holds_for_what_is_trained_and_frozen_weights_keep_their_bits(cls):
    net = fitted(cls)
    tuned = copy.deepcopy(net).finetune(NEW, NEW_LABELS, freeze="filters", lr=0.5)
    limited = {n: m for n, m in tuned.module_.named_modules() if hasattr(m, "max_norm")}
    for name, layer in limited.items():
        norms = layer.weight.detach().flatten(1).norm(dim=1)
        assert (norms <= layer.max_norm * (1 + 1e-5)).all(), name
    assert not [name for name in changed(net, tuned) if name.startswith("filters")]


def test_learning_rate_is_of_this_training_only():
    net = fitted(optimizer__lr=1e-4)
    rates = []

    class Recorder(EEGNetClassifier):
        def run_single_epoch(self, *args, **kwargs):
            rates.extend(group["lr"] for group in self.optimizer_.param_groups)
            super().run_single_epoch(*args, **kwargs)

    recorded = Recorder(max_epochs=1, random_state=0, optimizer__lr=1e-4).fit(X, LABELS)
    rates.clear()
    recorded.finetune(NEW, NEW_LABELS, lr=0.25)
    assert set(rates) == {0.25}
    assert [group["lr"] for group in recorded.optimizer_.param_groups] == [1e-4]
    assert net.lr == 1e-3


def test_weights_are_trainable_again_afterwards():
    net = fitted().finetune(NEW, NEW_LABELS, freeze="all_but_last")
    assert all(weight.requires_grad for weight in net.module_.parameters())
    before = copy.deepcopy(net)
    net.partial_fit(X, LABELS)
    assert {"filters.temporal.weight", "filters.norm.running_mean"} <= changed(before, net)


def test_two_fine_tunings_are_equal_and_pickles_continue():
    net = fitted()
    first = copy.deepcopy(net).finetune(NEW, NEW_LABELS, freeze="filters")
    second = pickle.loads(pickle.dumps(net)).finetune(NEW, NEW_LABELS, freeze="filters")
    assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    loaded = pickle.loads(pickle.dumps(first))
    assert_array_equal(loaded.predict_proba(X), first.predict_proba(X))
    assert len(loaded.finetune(NEW, NEW_LABELS).history) == 6


@pytest.mark.parametrize("freeze", [None, "filters.norm", "first_norm"])
def test_precomputed_sums_give_the_layers_as_written(freeze):
    fast = fitted(dropout=0.0, optimizer="sgd", lr=0.01)  # Adam magnifies rounding
    plain = copy.deepcopy(fast)
    plain.module_.filters.method = "direct"
    for net in (fast, plain):
        net.finetune(NEW, NEW_LABELS, freeze=freeze)
    np.testing.assert_allclose(fast.predict_proba(X), plain.predict_proba(X), atol=1e-5)


def test_weights_groups_and_early_stopping_are_taken():
    net = fitted(early_stopping=True, class_weight="balanced")
    groups = np.arange(9) // 3
    net.finetune(NEW, NEW_LABELS, sample_weight=np.ones(9), groups=groups, freeze="filters")
    assert "valid_loss" in net.history[-1]


def test_one_trial_and_one_class_are_enough():
    net = fitted().finetune(NEW[:1], ["left"], max_epochs=1)
    assert np.isfinite(net.predict_proba(X)).all()


@pytest.mark.parametrize("method", ["elimination", "gumbel"])
@pytest.mark.filterwarnings("ignore:.*not settled")
def test_selected_channels_stay(method):
    net = fitted(n_selected_chans=2, selection__method=method, max_epochs=6)
    tuned = copy.deepcopy(net).finetune(NEW, NEW_LABELS, freeze="filters", max_epochs=2)
    assert_array_equal(tuned.selected_channels_, net.selected_channels_)
    names = changed(net, tuned)
    assert not [name for name in names if name.startswith("network.filters")]
    assert "network.dense.weight" in names


def test_regressors_keep_their_unit():
    trials, target = amplitudes()
    net = EEGNetRegressor(max_epochs=2, random_state=0).fit(trials, target)
    mean = net.y_mean_.copy()
    net.finetune(trials[:8], target[:8] + 100, freeze="all_but_last", max_epochs=2)
    assert_array_equal(net.y_mean_, mean)


def test_ensembles_fine_tune_every_member():
    ensemble = EnsembleClassifier(EEGNetClassifier(max_epochs=1), n_members=2, random_state=0)
    ensemble.fit(X, LABELS).adapt(NEW).finetune(NEW, NEW_LABELS, max_epochs=2)
    assert [len(member.history) for member in ensemble.estimators_] == [3, 3]
    assert not hasattr(EnsembleClassifier(nn.Identity()), "adapt")


def test_wrong_arguments_are_named_and_change_nothing():
    net = fitted()
    before = copy.deepcopy(net)
    with pytest.raises(ValueError, match=r"'filter'.*Did you mean 'filters'.*second_conv"):
        net.finetune(NEW, NEW_LABELS, freeze="filter")
    with pytest.raises(ValueError, match="nothing is left to train"):
        net.finetune(NEW, NEW_LABELS, freeze="*")
    with pytest.raises(TypeError, match="freeze must be"):
        net.finetune(NEW, NEW_LABELS, freeze=3)
    with pytest.raises(TypeError, match="freeze must be"):
        net.finetune(NEW, NEW_LABELS, freeze=[3])
    with pytest.raises(ValueError, match=r"up.*not among the classes"):
        net.finetune(NEW, ["up"] * 9)
    with pytest.raises(ValueError, match="lr must"):
        net.finetune(NEW, NEW_LABELS, lr=-1)
    with pytest.raises(ValueError, match="max_epochs must"):
        net.finetune(NEW, NEW_LABELS, max_epochs=0)
    with pytest.raises(ValueError, match="2 channels"):
        net.finetune(NEW[:, :2], NEW_LABELS)
    with pytest.raises(Exception, match=r"not initialized|not fitted"):
        EEGNetClassifier().finetune(NEW, NEW_LABELS)
    assert not changed(before, net)
    assert all(weight.requires_grad for weight in net.module_.parameters())
    continued, expected = net.partial_fit(X, LABELS), before.partial_fit(X, LABELS)
    assert_array_equal(continued.predict_proba(X), expected.predict_proba(X))
