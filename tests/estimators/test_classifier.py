"""Losses of torch and of users, and components that are set together with their parameters."""

import itertools
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import EarlyStopping, EpochTimer
from torch import nn
from torch.utils.data import DataLoader

from skeeg import (
    CCNNClassifier,
    EEGNetClassifier,
    ModuleClassifier,
    ModuleRegressor,
    ShallowConvNetClassifier,
)
from skeeg.estimators._batches import BatchLoader

from .support import make, maps, oscillations


class Focal(nn.Module):
    """The focal loss of Lin et al. (2017): cross-entropy, less of it where a trial is certain."""

    def __init__(self, gamma=2.0, reduction="mean"):
        super().__init__()
        self.gamma, self.reduction = gamma, reduction

    def forward(self, output, target):
        log_p = torch.log_softmax(output, dim=1).gather(1, target[:, None])[:, 0]
        loss = -((1 - log_p.exp()) ** self.gamma) * log_p
        return loss.mean() if self.reduction == "mean" else loss


class Loader(DataLoader):
    """A user's loader with a parameter of its own."""

    def __init__(self, dataset, n_repeats=1, **options):
        super().__init__(dataset, **options)
        self.n_repeats = n_repeats


class Linear(nn.Sequential):
    def __init__(self, n_chans, n_times, n_outputs):
        super().__init__(nn.Flatten(), nn.Linear(n_chans * n_times, n_outputs))


class LogProbabilities(nn.Sequential):
    def __init__(self, n_chans, n_times, n_outputs):
        super().__init__(
            nn.Flatten(), nn.Linear(n_chans * n_times, n_outputs), nn.LogSoftmax(dim=1)
        )


# ---------------------------------------------------------------------- set together

COMPONENTS = {
    "criterion": (
        {"criterion": Focal, "criterion__gamma": 5.0},
        lambda estimator: estimator.criterion_.gamma == 5.0,
    ),
    "iterator_train": (
        {"iterator_train": Loader, "iterator_train__n_repeats": 3},
        lambda estimator: estimator.get_iterator(np.zeros(8), training=True).n_repeats == 3,
    ),
    "callbacks": (
        {"callbacks": [("stop", EarlyStopping)], "callbacks__stop__patience": 7},
        lambda estimator: dict(estimator.callbacks_)["stop"].patience == 7,
    ),
}
every_component = pytest.mark.parametrize("component", COMPONENTS)


@every_component
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("how", ["constructor", "set_params", "clone", "pickle", "initialised"])
def test_component_and_its_parameters_are_set_in_any_order(component, how, backwards):
    X, y = oscillations()
    params, holds = COMPONENTS[component]
    params = dict(reversed(params.items())) if backwards else params
    validated = {"early_stopping": True, "max_epochs": 1}
    if how == "constructor":
        estimator = make(EEGNetClassifier, **validated, **params)
    elif how == "clone":
        estimator = clone(make(EEGNetClassifier, **validated, **params))
    elif how == "pickle":
        estimator = pickle.loads(pickle.dumps(make(EEGNetClassifier, **validated, **params)))
    elif how == "set_params":
        estimator = make(EEGNetClassifier, **validated).set_params(**params)
    else:
        shape = {"module__n_chans": 3, "module__n_times": 96, "module__n_outputs": 2}
        estimator = make(EEGNetClassifier, **validated, **shape).initialize()
        estimator.set_params(**params)
        assert holds(estimator)
        estimator.partial_fit(X, y)
    assert estimator.get_params().items() >= params.items()
    assert holds(estimator.fit(X, y))


def test_callbacks_of_an_initialised_network_follow_set_params():
    shape = {"module__n_chans": 3, "module__n_times": 96, "module__n_outputs": 2}
    estimator = make(ModuleClassifier, n_selected_chans=2, **shape)
    with pytest.raises(ValueError, match="not known before fit"):
        estimator.initialize()
    estimator = make(ModuleClassifier, **shape).initialize()
    estimator.set_params(callbacks__print_log=None)
    assert "print_log" not in dict(estimator.callbacks_)
    estimator.set_params(callbacks=[("timer", EpochTimer())])
    assert "timer" in dict(estimator.callbacks_)


def test_grid_search_over_a_component_and_its_parameter():
    X, y = oscillations()
    grid = [
        {"criterion": [Focal], "criterion__gamma": [0.0, 5.0]},
        {"criterion": [None]},
        {"criterion__label_smoothing": [0.3]},
    ]
    search = GridSearchCV(make(EEGNetClassifier), grid, cv=2, scoring="neg_log_loss").fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert scores[0] == pytest.approx(scores[2], abs=1e-4)  # gamma 0 is cross-entropy
    for a, b in itertools.combinations(scores[1:], 2):
        assert a != b


@pytest.mark.parametrize(
    ("params", "back", "name"),
    [
        ({"criterion": Focal, "criterion__gamma": 5.0}, {"criterion": None}, "criterion__gamma"),
        (
            {"iterator_train": Loader, "iterator_train__n_repeats": 3},
            {"iterator_train": BatchLoader},
            "iterator_train__n_repeats",
        ),
    ],
)
def test_parameter_of_a_component_that_is_gone_is_named_in_fit(params, back, name):
    X, y = oscillations()
    estimator = make(EEGNetClassifier, **params).set_params(**back)
    with pytest.raises(ValueError, match=rf"Invalid parameter '{name}'.*`del estimator\.{name}`"):
        estimator.fit(X, y)
    delattr(estimator, name)
    reference = make(EEGNetClassifier).fit(X, y)
    np.testing.assert_array_equal(estimator.fit(X, y).predict(X), reference.predict(X))


def test_parameter_that_the_new_component_does_not_have_raises():
    with pytest.raises(TypeError, match="criterion__label_smoothing"):
        EEGNetClassifier(criterion=Focal, criterion__label_smoothing=0.1)
    with pytest.raises(ValueError, match=r"criterion__gama.*criterion__gamma"):
        EEGNetClassifier().set_params(criterion__gama=1.0, criterion=Focal)


# ---------------------------------------------------------------------- losses and probabilities

LOSSES = {
    "cross-entropy": nn.CrossEntropyLoss,
    "instance": nn.CrossEntropyLoss(),
    "nll": nn.NLLLoss,
    "margin": nn.MultiMarginLoss,
    "focal": Focal,
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("cls", [EEGNetClassifier, ShallowConvNetClassifier, CCNNClassifier])
def test_probabilities_are_the_softmax_of_the_logits_whatever_the_loss(cls, loss):
    X, y = maps(n_classes=3) if cls is CCNNClassifier else oscillations(n_times=160, n_classes=3)
    estimator = make(cls, criterion=LOSSES[loss]).fit(X, y)
    proba = estimator.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)
    scaled = torch.tensor(X / estimator.scale_, dtype=torch.float32)
    with torch.no_grad():
        logits = estimator.module_.eval()(scaled)
    np.testing.assert_allclose(proba, torch.softmax(logits, dim=1), atol=1e-6)
    np.testing.assert_array_equal(estimator.predict(X), proba.argmax(axis=1))


@pytest.mark.parametrize("nll", [nn.NLLLoss, nn.NLLLoss()])
def test_nll_loss_trains_as_cross_entropy_does(nll):
    X, y = oscillations()
    a = make(EEGNetClassifier, criterion=nll, max_epochs=10).fit(X, y)
    b = make(EEGNetClassifier, max_epochs=10).fit(X, y)
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), atol=1e-6)
    losses = a.history[:, "train_loss"]
    np.testing.assert_allclose(losses, b.history[:, "train_loss"], atol=1e-6)


@pytest.mark.parametrize("criterion", [None, nn.NLLLoss])
def test_network_of_log_probabilities_equals_that_of_logits(criterion):
    X, y = oscillations()
    a = make(ModuleClassifier, module=LogProbabilities, criterion=criterion).fit(X, y)
    b = make(ModuleClassifier, module=Linear).fit(X, y)
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), atol=1e-6)
    scaled = torch.tensor(X / a.scale_, dtype=torch.float32)
    with torch.no_grad():
        np.testing.assert_allclose(a.predict_proba(X), a.module_(scaled).exp(), atol=1e-6)


def test_focal_loss_of_gamma_zero_is_cross_entropy_with_class_weights_too():
    X, y = oscillations()
    for class_weight in (None, {0: 1, 1: 5}):
        a = make(EEGNetClassifier, criterion=Focal, criterion__gamma=0.0)
        a.set_params(class_weight=class_weight).fit(X, y)
        b = make(EEGNetClassifier, class_weight=class_weight).fit(X, y)
        np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), atol=1e-5)


# ---------------------------------------------------------------------- outputs of another shape


class Output(nn.Module):
    """Returns the logits transformed by `form`."""

    def __init__(self, n_chans, n_times, n_outputs, form=None):
        super().__init__()
        self.dense = nn.Linear(n_chans * n_times, n_outputs)
        self.form = form

    def forward(self, x):
        return self.form(self.dense(x.flatten(1)))


@pytest.mark.parametrize("cls", [ModuleClassifier, ModuleRegressor])
@pytest.mark.parametrize(
    ("form", "error", "message"),
    [
        (lambda out: torch.cat([out, out[:, :1]], dim=1), ValueError, r"shape \(8, [23]\)"),
        (lambda out: out[:, :, None], ValueError, r"shape \(8, [12], 1\)"),
        (lambda out: {"logits": out}, TypeError, "returned dict"),
        (lambda out: None, TypeError, "returned NoneType"),
    ],
    ids=["more", "3-D", "dict", "None"],
)
def test_output_that_does_not_fit_the_targets_raises(cls, form, error, message):
    X, y = oscillations()
    estimator = make(cls, module=Output, module__form=form)
    with pytest.raises(error, match=message):
        estimator.fit(X, y)
    assert not estimator.__sklearn_is_fitted__()


def test_output_of_one_axis_raises():
    X, y = oscillations()
    estimator = make(ModuleClassifier, module=Output, module__form=lambda out: out[:, 0])
    with pytest.raises(ValueError, match=r"shape \(8,\)"):
        estimator.fit(X, y)


@pytest.mark.parametrize("kind", [tuple, list])
def test_first_of_several_outputs_is_the_prediction(kind):
    X, y = oscillations()
    several = make(
        ModuleClassifier, module=Output, module__form=lambda out: kind([out, out.mean()])
    ).fit(X, y)
    alone = make(ModuleClassifier, module=Output, module__form=lambda out: out).fit(X, y)
    np.testing.assert_array_equal(several.predict_proba(X), alone.predict_proba(X))
