"""Callbacks of users, arguments of fit, samplers, and trainings that diverge."""

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from skorch.callbacks import Callback, EarlyStopping, EpochTimer
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler, WeightedRandomSampler

from skeeg import (
    CCNNClassifier,
    EEGNetClassifier,
    EEGNetRegressor,
    ModuleClassifier,
    ShallowConvNetClassifier,
)

from .support import make, maps, oscillations


class Counting:
    """Not derived from skorch's class, and with a method for one event only."""

    def initialize(self):
        self.epochs = 0
        return self

    def set_params(self, **params):
        return self

    def on_epoch_end(self, net, **kwargs):
        self.epochs += 1


class Epochs:
    def on_epoch_end(self, net, **kwargs):
        pass


# ---------------------------------------------------------------------- the parameter


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        (("timer", EpochTimer()), "must be a list"),
        ((EpochTimer(),), "must be a list"),
        ("none", "must be a list"),
        (EpochTimer, "must be a list"),
        (EpochTimer(), "must be a list"),
        ({"timer": EpochTimer()}, "must be a list"),
        (5, "must be a list"),
        ([5], "callbacks holds 5, which is not a skorch callback"),
        (["timer"], "callbacks holds 'timer'"),
        ([("a", "b", EpochTimer())], "callbacks holds"),
        ([(1, EpochTimer())], r"callbacks holds \(1, "),
        ([Epochs()], "the methods initialize and set_params"),
        ([Epochs], "the methods initialize and set_params"),
    ],
)
def test_callbacks_that_cannot_be_used_raise_with_the_reason(callbacks, message):
    X, y = oscillations()
    with pytest.raises(TypeError, match=message):
        make(EEGNetClassifier, callbacks=callbacks).fit(X, y)


def test_object_with_the_methods_of_a_callback_is_one():
    X, y = oscillations()
    counting = Counting()
    estimator = make(EEGNetClassifier, callbacks=[counting, Counting, ("own", Counting())])
    estimator.fit(X, y)
    assert counting.epochs == 3
    counts = [callback.epochs for _, callback in estimator.callbacks_ if type(callback) is Counting]
    assert counts == [3, 3, 3]
    reference = make(EEGNetClassifier).fit(X, y)
    np.testing.assert_array_equal(estimator.predict_proba(X), reference.predict_proba(X))


def test_a_callback_of_none_is_ignored():
    X, y = oscillations()
    estimator = make(EEGNetClassifier, callbacks=[("timer", None), None]).fit(X, y)
    assert "timer" not in dict(estimator.callbacks_)


# ---------------------------------------------------------------------- arguments of fit


class Gain(nn.Sequential):
    def __init__(self, n_chans, n_times, n_outputs):
        super().__init__(nn.Flatten(), nn.Linear(n_chans * n_times, n_outputs))

    def forward(self, x, gain=1.0):
        return gain * super().forward(x)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_further_arguments_reach_forward(method):
    X, y = oscillations()
    estimator = make(ModuleClassifier, module=Gain)
    getattr(estimator, method)(X, y, gain=0.0)
    # Logits of zero: the loss is log 2, and no weight has a gradient.
    np.testing.assert_allclose(estimator.history[:, "train_loss"], np.log(2), rtol=1e-6)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("cls", "wrong", "right"),
    [
        (EEGNetClassifier, "sample_weights", "sample_weight"),
        (EEGNetRegressor, "sample_weights", "sample_weight"),
        (EEGNetClassifier, "group", "groups"),
        (EEGNetClassifier, "clases", "classes"),
        (ModuleClassifier, "lag_sum", "lag_sums"),
        (CCNNClassifier, "sample_weights", "sample_weight"),
    ],
)
def test_an_unknown_argument_raises_with_the_nearest_one(cls, wrong, right, method):
    X, y = maps() if cls is CCNNClassifier else oscillations()
    estimator = make(cls).fit(X, y)
    with pytest.raises(TypeError, match=f"no argument '{wrong}'.*Did you mean '{right}'"):
        getattr(estimator, method)(X, y, **{wrong: np.ones(24)})
    with pytest.raises(NotFittedError):
        estimator.predict(X)


def test_network_that_takes_any_argument_gets_it():
    class Curious(Gain):
        def forward(self, x, **anything):
            self.found = [*getattr(self, "found", []), anything]
            return nn.Sequential.forward(self, x)

    X, y = oscillations()
    estimator = make(ModuleClassifier, module=Curious).fit(X, y, subject=3)
    assert estimator.module_.found[0] == {"subject": 3}


@pytest.mark.parametrize("early_stopping", [False, True])
def test_zero_epochs_leave_new_weights_and_warn(early_stopping):
    X, y = oscillations()
    estimator = make(EEGNetClassifier, max_epochs=0, early_stopping=early_stopping)
    with pytest.warns(UserWarning, match="has learned nothing.*partial_fit"):
        estimator.fit(X, y)
    assert len(estimator.history) == 0
    assert estimator.predict_proba(X).shape == (len(X), 2)
    # The weights are those from which a training of the same seed starts.
    start = make(EEGNetClassifier, callbacks=[Remember()], early_stopping=early_stopping).fit(X, y)
    (remembered,) = (c for _, c in start.callbacks_ if isinstance(c, Remember))
    for name, value in estimator.module_.state_dict().items():
        assert torch.equal(value, remembered.weights[name])


class Remember(Callback):
    """Keeps the weights with which a training starts."""

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.weights = {k: v.clone() for k, v in net.module_.state_dict().items()}


def test_argument_of_forward_may_be_required():
    class Shifted(Gain):
        def forward(self, x, shift):
            return nn.Sequential.forward(self, x + shift)

    X, y = oscillations()
    estimator = make(ModuleClassifier, module=Shifted).fit(X, y, shift=0.5)
    assert len(estimator.history) == estimator.max_epochs


# ---------------------------------------------------------------------- samplers


@pytest.mark.parametrize("loader", [None, DataLoader])
def test_batch_sampler_of_the_user_says_what_is_in_a_batch(loader):
    X, y = oscillations()
    batches = [[*range(6)], [*range(6, 24)]]
    given = {} if loader is None else {"iterator_train": loader}
    estimator = make(EEGNetClassifier, iterator_train__batch_sampler=batches, **given).fit(X, y)
    sizes = [batch["train_batch_size"] for batch in estimator.history[-1, "batches"]]
    assert sizes == [6, 18]
    # As two trainings of one batch each would begin.
    first = make(
        EEGNetClassifier, batch_size=-1, iterator_train__shuffle=False, max_epochs=1, lr=1e-30
    )
    every = make(
        EEGNetClassifier,
        iterator_train__batch_sampler=[[*range(24)]],
        max_epochs=1,
        lr=1e-30,
        **given,
    )
    a, b = (each.fit(X, y).predict_proba(X) for each in (first, every))
    np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("loader", [None, DataLoader])
def test_sampler_of_the_user_says_which_trials_are_trained_on(loader):
    X, y = oscillations()
    weights = torch.zeros(24).index_fill(0, torch.arange(0, 24, 3), 1.0)
    sampler = WeightedRandomSampler(weights, 16, generator=torch.Generator().manual_seed(0))
    seen = []

    class Watch(Callback):
        def on_batch_begin(self, net, batch=None, training=False, **kwargs):
            if training:
                seen.append(batch[0].clone())

    given = {} if loader is None else {"iterator_train": loader}
    estimator = make(
        EEGNetClassifier, iterator_train__sampler=sampler, callbacks=[("watch", Watch())], **given
    ).fit(X, y)
    assert estimator.history[-1]["train_batch_count"] == 2
    allowed = torch.tensor(X[::3] / estimator.scale_, dtype=torch.float32)
    for trial in torch.cat(seen):
        assert (allowed - trial).abs().amax(dim=(1, 2)).min() < 1e-6


def test_sampler_that_is_made_for_each_fit_is_left_to_torch():
    X, y = oscillations()
    sampler = BatchSampler(SequentialSampler(range(24)), 10, drop_last=True)
    estimator = make(EEGNetClassifier, iterator_train__batch_sampler=sampler).fit(X, y)
    assert estimator.history[-1]["train_batch_count"] == 2


# ---------------------------------------------------------------------- divergence


class NotANumber(nn.CrossEntropyLoss):
    """Cross-entropy until the given epoch of a training in three steps an epoch."""

    def __init__(self, epoch=1, **options):
        super().__init__(**options)
        self.steps, self.epoch = 0, epoch

    def forward(self, output, target):
        self.steps += 1
        factor = float("nan") if self.steps > 3 * (self.epoch - 1) else 1.0
        return factor * super().forward(output, target)


DIVERGING = {
    "lr": {"lr": 1e30},
    "alpha": {"alpha": 1e30, "activation": "elu"},
    "loss": {"criterion": NotANumber},
}


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(
    ("cls", "kind"),
    [
        (EEGNetClassifier, "lr"),
        (EEGNetClassifier, "alpha"),
        (EEGNetClassifier, "loss"),
        (ShallowConvNetClassifier, "lr"),
        (ShallowConvNetClassifier, "loss"),
        (CCNNClassifier, "lr"),
        (CCNNClassifier, "loss"),
    ],
)
def test_training_that_diverges_raises_with_its_epoch(cls, kind, early_stopping):
    X, y = maps() if cls is CCNNClassifier else oscillations(n_times=160)
    estimator = make(cls, early_stopping=early_stopping, **DIVERGING[kind])
    with pytest.raises(ValueError, match=rf"{cls.__name__} diverged in epoch [123]: the \w+ "):
        estimator.fit(X, y)
    with pytest.raises(NotFittedError):
        estimator.predict(X)


def test_the_epoch_in_which_the_loss_was_lost_is_named():
    X, y = oscillations()
    estimator = make(
        ModuleClassifier, module=Gain, criterion=NotANumber, criterion__epoch=2, max_epochs=5
    )
    with pytest.raises(ValueError, match="diverged in epoch 2: the loss is not finite"):
        estimator.fit(X, y)


@pytest.mark.parametrize("how", ["partial_fit", "warm_start"])
def test_continued_training_that_diverges_leaves_no_fitted_estimator(how):
    X, y = oscillations()
    estimator = make(EEGNetClassifier, warm_start=how == "warm_start").fit(X, y)
    estimator.set_params(lr=1e30)
    with pytest.raises(ValueError, match=r"diverged in epoch [456]"):
        estimator.partial_fit(X, y) if how == "partial_fit" else estimator.fit(X, y)
    with pytest.raises(NotFittedError):
        estimator.predict(X)
    # The next fit starts from new weights.
    estimator.set_params(lr=1e-3, warm_start=False)
    reference = make(EEGNetClassifier).fit(X, y)
    np.testing.assert_array_equal(estimator.fit(X, y).predict(X), reference.predict(X))


def test_best_weights_do_not_hide_a_divergence():
    X, y = oscillations(n_trials=40)
    stop = EarlyStopping(patience=1, load_best=True, sink=str)
    estimator = make(
        ModuleClassifier,
        module=Gain,
        criterion=NotANumber,
        criterion__epoch=2,
        callbacks=[stop],
        train_split=lambda dataset, y, **kwargs: (dataset, dataset),
        max_epochs=10,
    )
    with pytest.raises(ValueError, match="diverged"):
        estimator.fit(X, y)
    assert not estimator.__sklearn_is_fitted__()


def test_very_many_threads_raise():
    X, y = oscillations()
    with pytest.raises(ValueError, match=r"n_threads must be at most \d+ on this machine.*100000"):
        make(EEGNetClassifier, n_threads=100000).fit(X, y)
