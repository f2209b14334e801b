"""Saliency is the derivative of the target along the trial, for every network."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from torch import nn

from skeeg import (
    CCNNClassifier,
    CNNGRUClassifier,
    DeepConvNetClassifier,
    EEGData,
    EEGNetClassifier,
    LeNetClassifier,
    ModuleClassifier,
    ModuleRegressor,
    PointCNNClassifier,
    ShallowConvNetClassifier,
)
from skeeg.features import UnitScaler
from skeeg.inspection import gradient_times_input


class Linear(nn.Sequential):
    def __init__(self, n_chans, n_times, n_outputs):
        super().__init__(nn.Flatten(), nn.Dropout(0.5), nn.Linear(n_chans * n_times, n_outputs))


def trials(n_trials=18, n_chans=3, n_times=80, n_classes=3):
    X = np.random.default_rng(0).standard_normal((n_trials, n_chans, n_times))
    return X, np.array(["left", "right", "tongue"])[np.arange(n_trials) % n_classes]


def linear(X, y):
    clf = ModuleClassifier(module=Linear, max_epochs=2, random_state=0).fit(X, y)
    weights = clf.module_[2].weight.detach().double().numpy()
    return clf, weights.reshape(3, *X.shape[1:]) / clf.scale_


def test_a_linear_network_contributes_its_weights_times_the_input():
    X, y = trials()
    clf, weights = linear(X, y)
    index = np.searchsorted(clf.classes_, y)
    found = gradient_times_input(clf, X, y, target="logit")
    assert found.dtype == np.float64
    assert_allclose(found, weights[index] * X, rtol=1e-5, atol=1e-8)
    # All contributions add up to the logit without its constant.
    constant = clf.module_[2].bias.detach().numpy()[index]
    logits = clf.forward(X).numpy()[range(len(X)), index]
    assert_allclose(found.sum(axis=(1, 2)), logits - constant, atol=1e-5)


def test_log_odds_set_a_class_against_the_others_as_probable_as_they_are():
    X, y = trials()
    clf, weights = linear(X, y)
    index = np.searchsorted(clf.classes_, y)
    others = clf.predict_proba(X).astype(np.float64)
    others[range(len(X)), index] = 0
    others /= others.sum(axis=1, keepdims=True)
    expected = (weights[index] - np.einsum("nk,kct->nct", others, weights)) * X
    assert_allclose(gradient_times_input(clf, X, y), expected, rtol=1e-4, atol=1e-6)


def test_without_labels_the_saliency_is_that_of_the_predicted_class():
    X, y = trials()
    clf, _ = linear(X, y)
    assert_array_equal(gradient_times_input(clf, X), gradient_times_input(clf, X, clf.predict(X)))
    assert not np.array_equal(gradient_times_input(clf, X), gradient_times_input(clf, X, y))


NETWORKS = [
    (EEGNetClassifier(), (3, 80)),
    (EEGNetClassifier(n_selected_chans=2, attention="se", attention_axis="electrodes"), (3, 80)),
    (ShallowConvNetClassifier(n_temporal_filters=4, pool_length=20), (3, 80)),
    (DeepConvNetClassifier(n_temporal_filters=4, kernel_length=5, pool_length=2), (3, 80)),
    (CNNGRUClassifier(n_filters=4, pool_length=4, n_first_units=4, n_second_units=4), (3, 80)),
    (CCNNClassifier(n_filters=2, n_hidden=8), (3, 9, 9)),
    (LeNetClassifier(), (3, 9, 9)),
    (PointCNNClassifier(ch_names=["C3", "Cz", "C4", "Fz", "Pz"]), (5, 4)),
]


@pytest.mark.filterwarnings("ignore:The channel selection", "ignore:PointCNN.first_conv has")
@pytest.mark.parametrize(
    ("clf", "shape"), NETWORKS, ids=[f"{type(clf).__name__}-{len(s)}" for clf, s in NETWORKS]
)
def test_saliencies_add_up_to_the_derivative_along_the_trial(clf, shape):
    X = np.random.default_rng(0).standard_normal((12, *shape))
    y = np.arange(12) % 2
    clf = clone(clf).set_params(max_epochs=1, random_state=0).fit(X, y)
    found = gradient_times_input(clf, X, y)
    assert found.shape == X.shape
    # In double precision, or differences would vanish in rounding.
    scaled = torch.from_numpy(X / clf.scale_)
    module = clf.module_.double().eval()
    classes = torch.from_numpy(y)
    with torch.no_grad():
        sides = [module(scaled * factor) for factor in (1 + 1e-6, 1 - 1e-6)]
    odds = [(z[:, 1] - z[:, 0]) * (2 * classes - 1) for z in sides]
    expected = ((odds[0] - odds[1]) / 2e-6).numpy()
    assert_allclose(found.sum(axis=tuple(range(1, found.ndim))), expected, rtol=2e-3, atol=2e-4)


@pytest.mark.filterwarnings("ignore:PointCNN.first_conv has")
def test_electrodes_moved_to_another_montage_keep_their_saliency():
    X = np.random.default_rng(0).standard_normal((12, 5, 4))
    y = np.arange(12) % 2
    names = ["C3", "Cz", "C4", "Fz", "Pz"]
    clf = PointCNNClassifier(ch_names=names, max_epochs=1, random_state=0).fit(X, y)
    expected = gradient_times_input(clf, X, y)
    order = [4, 2, 0, 1, 3]
    clf.set_params(ch_names=[names[i] for i in order])
    assert_allclose(gradient_times_input(clf, X[:, order], y), expected[:, order], atol=1e-4)


def test_the_unit_does_not_matter():
    X, y = trials()
    clf = EEGNetClassifier(max_epochs=1, random_state=0)
    microvolts = gradient_times_input(clone(clf).fit(X, y), X, y)
    volts = gradient_times_input(clone(clf).fit(X * 1e-6, y), X * 1e-6, y)
    assert_allclose(volts, microvolts, atol=1e-3 * np.abs(microvolts).max())


def test_trials_come_in_any_container():
    X, y = trials(n_trials=150)  # two batches
    X = X.astype(np.float32)
    clf = EEGNetClassifier(max_epochs=1, random_state=0).fit(X, y)
    expected = gradient_times_input(clf, X, y)
    assert_allclose(expected[140:], gradient_times_input(clf, X[140:], y[140:]), atol=1e-6)
    frozen = X.copy()
    frozen.flags.writeable = False
    for container in (
        frozen,
        np.asfortranarray(X),
        X.astype(np.float64),
        torch.from_numpy(X),
        EEGData.from_arrays(X, y, 100),
    ):
        assert_allclose(gradient_times_input(clf, container, list(y)), expected, atol=1e-6)
    assert gradient_times_input(clf, X[:1]).shape == (1, 3, 80)


def test_inspection_does_not_change_the_estimator():
    X, y = trials()
    clf, other = (EEGNetClassifier(max_epochs=1, random_state=0).fit(X, y) for _ in range(2))
    clf.module_.train()
    with torch.no_grad():
        found = gradient_times_input(clf, X)
    assert_array_equal(found, gradient_times_input(clf, X))
    for mine, its in zip(clf.module_.parameters(), other.module_.parameters(), strict=True):
        mine, its = mine.grad, its.grad
        assert (mine is None and its is None) or torch.equal(mine, its)
    assert_array_equal(
        clf.partial_fit(X, y).predict_proba(X), other.partial_fit(X, y).predict_proba(X)
    )


def test_invalid_input_raises_with_advice():
    X, y = trials()
    clf, _ = linear(X, y)
    with pytest.raises(ValueError, match="must be one of 'log_odds', 'logit'; got 'logits'"):
        gradient_times_input(clf, X, target="logits")
    with pytest.raises(ValueError, match=r"labels \['feet'\] that are not among the classes"):
        gradient_times_input(clf, X[:1], ["feet"])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        gradient_times_input(clf, X, y[:3])
    with pytest.raises(ValueError, match="X has 2 channels a trial"):
        gradient_times_input(clf, X[:, :2])
    with pytest.raises(TypeError, match=r"got Pipeline.*pipeline\[-1\]"):
        gradient_times_input(make_pipeline(UnitScaler(), clf), X)
    with pytest.raises(NotFittedError):
        gradient_times_input(EEGNetClassifier(), X)
    X[2, 0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity: first in trial 2"):
        gradient_times_input(clf, X)


# ---------------------------------------------------------------------- regressors


def values(n_targets):
    X, _ = trials()
    rng = np.random.default_rng(1)
    y = 200 + 30 * rng.standard_normal((len(X), n_targets)) * (1 + np.arange(n_targets))
    return X, y[:, 0] if n_targets == 1 else y


@pytest.mark.parametrize("n_targets", [1, 3])
def test_a_linear_regressor_contributes_its_weights_times_the_input_in_the_unit_of_y(n_targets):
    X, y = values(n_targets)
    reg = ModuleRegressor(module=Linear, max_epochs=2, random_state=0).fit(X, y)
    weights = reg.module_[2].weight.detach().double().numpy().reshape(-1, *X.shape[1:])
    bias = reg.module_[2].bias.detach().double().numpy()
    predicted = reg.predict(X).reshape(len(X), -1)
    for target in range(n_targets):
        found = gradient_times_input(reg, X, target=target)
        expected = reg.y_scale_[target] * weights[target] * X / reg.scale_
        assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        constant = reg.y_mean_[target] + reg.y_scale_[target] * bias[target]
        assert_allclose(found.sum(axis=(1, 2)), predicted[:, target] - constant, atol=1e-3)
    if n_targets == 1:
        assert_array_equal(gradient_times_input(reg, X), found)


def test_what_a_regressor_cannot_be_asked_is_refused():
    X, y = values(3)
    reg = ModuleRegressor(module=Linear, max_epochs=1, random_state=0).fit(X, y)
    for target in (None, "log_odds", 3, -1, 0.5):
        with pytest.raises(ValueError, match=r"target must be a column of the 3 targets.*0 to 2"):
            gradient_times_input(reg, X, target=target)
    with pytest.raises(ValueError, match=r"ModuleRegressor is a regressor.*Leave y out"):
        gradient_times_input(reg, X, y[:, 0], target=0)
