"""Augmentation of the training of estimators."""

import pickle
import threading

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from skeeg import (
    CCNNClassifier,
    EEGData,
    EEGNetClassifier,
    EEGNetRegressor,
    LeNetClassifier,
    ModuleClassifier,
)
from skeeg.augmentation import (
    AUGMENTATIONS,
    Augmentation,
    ChannelDropout,
    GaussianNoise,
    Mirror,
    Mixup,
    SignFlip,
    TimeShift,
)

from .support import CLASSIFIERS, OF_SIGNALS, REGRESSORS, amplitudes, make, maps, oscillations

CH_NAMES = ["C3", "Cz", "C4"]


def recorded(**params):
    X, y = oscillations(**params)
    return EEGData.from_arrays(
        X.astype(np.float32), np.array(["left", "right"])[y], sfreq=96.0, ch_names=CH_NAMES
    )


class Linear(torch.nn.Sequential):
    def __init__(self, n_chans, n_times, n_outputs):
        linear = torch.nn.Linear(n_chans * n_times, n_outputs)
        super().__init__(torch.nn.Flatten(), torch.nn.Dropout(), linear)


class Seen(Callback):
    """Keeps a copy of every batch."""

    def __init__(self):
        self.batches = {True: [], False: []}

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        X, y = batch
        X = X["X"] if isinstance(X, dict) else X
        self.batches[training].append((X.clone(), y.clone()))


def seen(estimator, X, y, **fit_params):
    callback = Seen()
    estimator.set_params(callbacks=[callback]).fit(X, y, **fit_params)
    return callback.batches


def weights(estimator):
    return [value.clone() for value in estimator.module_.state_dict().values()]


def assert_equal_weights(one, other, equal=True):
    pairs = zip(weights(one), weights(other), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs) is equal


every_name = pytest.mark.parametrize("name", AUGMENTATIONS)


@every_name
def test_fits_are_equal_to_the_last_bit_and_differ_from_those_without(name):
    data = recorded()
    before = torch.get_rng_state()
    one = make(EEGNetClassifier, augment=name, max_epochs=2).fit(data, data.y)
    torch.rand(3)
    torch.set_rng_state(before)
    other = make(EEGNetClassifier, augment=[name], max_epochs=2).fit(data, data.y)
    assert torch.equal(torch.get_rng_state(), before)
    assert_equal_weights(one, other)
    without = make(EEGNetClassifier, max_epochs=2).fit(data, data.y)
    assert_equal_weights(one, without, equal=False)
    assert np.isfinite(one.predict_proba(data)).all()


def test_threads_do_not_change_each_others_augmentation():
    data = recorded()
    augment = ["gaussian_noise", "mixup", "time_shift"]
    alone = make(EEGNetClassifier, augment=augment).fit(data, data.y)
    fits = [make(EEGNetClassifier, augment=augment) for _ in range(3)]
    threads = [threading.Thread(target=fit.fit, args=(data, data.y)) for fit in fits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for fit in fits:
        assert_equal_weights(alone, fit)


@pytest.mark.parametrize("augment", [None, [], ()])
def test_nothing_changes_without_augmentation(augment):
    data = recorded()
    estimator = make(EEGNetClassifier, augment=augment, batch_size=-1)
    batches = seen(estimator, data, data.y)
    trials = np.sort(np.asarray(data.X) / estimator.scale_, axis=0)
    for X, y in batches[True]:
        np.testing.assert_allclose(np.sort(X.numpy(), axis=0), trials, rtol=1e-6)
        assert y.dtype == torch.int64
    plain = make(EEGNetClassifier, batch_size=-1).fit(data, data.y)
    unseen = make(EEGNetClassifier, augment=augment, batch_size=-1).fit(data, data.y)
    assert_equal_weights(plain, unseen)


def test_only_trials_of_the_training_are_changed():
    data = recorded()
    estimator = make(EEGNetClassifier, augment=SignFlip(1.0), early_stopping=True)
    batches = seen(estimator, data, data.y)
    trials = {x.tobytes() for x in np.round(np.asarray(data.X) / estimator.scale_, 3)}
    assert batches[False]
    for training, sign in ((True, -1), (False, 1)):
        for X, _ in batches[training]:
            assert {x.tobytes() for x in np.round(sign * X.numpy(), 3) + 0.0} <= {
                (np.frombuffer(x, np.float32) + 0.0).tobytes() for x in trials
            }
    flipped = estimator.predict_proba(data)
    estimator.set_params(augment=None)
    np.testing.assert_array_equal(estimator.predict_proba(data), flipped)


def test_batch_statistics_are_those_of_the_changed_trials():
    """A constant factor, as an augmentation, scales mean and variance of the first filters."""

    class Triple(Augmentation):
        def changed(self, X, recording, generator):
            return 3 * X

    X, y = oscillations()
    X = X + 0.5
    settings = {"batch_size": -1, "lr": 1e-30, "max_epochs": 2}

    def statistics(augment):
        triple = make(EEGNetClassifier, augment=augment, **settings).fit(X, y)
        norm = triple.module_.filters.norm
        return norm.running_mean.numpy(), norm.running_var.numpy()

    always = Triple().set_params()
    always.probability = 1.0
    (mean, variance), (plain_mean, plain_variance) = statistics(always), statistics(None)
    kept = 0.99**2  # of the initial variance, 1
    np.testing.assert_allclose(mean, 3 * plain_mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(variance - kept, 9 * (plain_variance - kept), rtol=1e-3, atol=1e-5)


def test_a_continued_training_equals_one_without_a_break():
    data = recorded()
    augment = ["time_shift", "mixup", "ft_surrogate"]
    whole = make(EEGNetClassifier, augment=augment, max_epochs=4, warm_start=True)
    parts = make(EEGNetClassifier, augment=augment, max_epochs=2, warm_start=True)
    whole.fit(data, data.y)
    parts.fit(data, data.y).fit(data, data.y)
    assert_equal_weights(whole, parts)


# ---------------------------------------------------------------------- targets


def test_mixtures_are_compared_with_both_classes():
    """The loss of the first step is that of soft targets, for weights of classes and trials."""
    data = recorded()
    sample_weight = np.linspace(0.5, 2, len(data))
    losses = []

    class First(Callback):
        def on_batch_end(self, net, batch=None, training=False, loss=None, y_pred=None, **kwargs):
            if training and not losses:
                log_probabilities = torch.log_softmax(y_pred.detach(), dim=1)
                weighted = batch[1] * net._class_weights
                found = -(weighted * log_probabilities).sum(dim=1) * net._batch_weight
                losses.append((loss.item(), found.mean().item(), batch[1]))

    estimator = make(
        EEGNetClassifier,
        augment=Mixup(1.0),
        class_weight={"left": 1, "right": 3},
        batch_size=-1,
        callbacks=[First()],
    )
    estimator.fit(data, data.y, sample_weight=sample_weight)
    ((found, expected, y),) = losses
    assert found == pytest.approx(expected, rel=1e-5)
    assert y.shape == (len(data), 2)
    assert ((y > 0.05) & (y < 0.95)).any()


@pytest.mark.parametrize(
    "criterion", [torch.nn.CrossEntropyLoss, torch.nn.NLLLoss, torch.nn.MultiMarginLoss]
)
def test_mixtures_work_with_any_loss_of_class_indices(criterion):
    data = recorded(n_trials=48)
    estimator = make(
        EEGNetClassifier, augment=Mixup(0.2), criterion=criterion, lr=0.01, max_epochs=10
    )
    estimator.fit(data, data.y)
    assert estimator.score(data, data.y) > 0.8
    scores = np.array(estimator.history[:, "train_acc"])
    assert ((scores >= 0) & (scores <= 1)).all()


def test_the_cross_entropy_that_reduces_by_itself_takes_mixtures():
    data = recorded()
    made, given = (
        make(EEGNetClassifier, augment="mixup", criterion=criterion).fit(data, data.y)
        for criterion in (torch.nn.CrossEntropyLoss, torch.nn.CrossEntropyLoss())
    )
    losses = [fit.history[:, "train_loss"] for fit in (made, given)]
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_another_loss_that_reduces_by_itself_cannot_compare_mixtures():
    data = recorded()
    estimator = make(EEGNetClassifier, augment="mixup", criterion=torch.nn.MultiMarginLoss())
    with pytest.raises(ValueError, match="class_weight and mixup need a criterion"):
        estimator.fit(data, data.y)


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_values_and_weights_of_a_regression_are_mixed(loss):
    X, y = amplitudes()
    estimator = make(EEGNetRegressor, augment=Mixup(1.0), loss=loss, batch_size=-1)
    batches = seen(estimator, X, np.column_stack([y, -y]), sample_weight=np.arange(len(y)) + 1.0)
    encoded = (y - y.mean()) / y.std()
    for _, targets in batches[True]:
        assert targets.shape == (len(y), 2)
        np.testing.assert_allclose(targets[:, 0], -targets[:, 1], atol=1e-5)
        assert targets.abs().max() <= np.abs(encoded).max() + 1e-5
        assert len(np.intersect1d(targets[:, 0].numpy().round(4), encoded.round(4))) < len(y) // 2
    assert np.isfinite(estimator.history[:, "train_loss"]).all()


def test_labels_are_mirrored_with_their_trials():
    data = recorded()
    estimator = make(EEGNetClassifier, augment=Mirror(probability=1), batch_size=-1)
    (X, y), *_ = seen(estimator, data, data.y)[True]
    order = np.argsort(X[:, 1, 0].numpy())
    unchanged = np.argsort(data.X[:, 1, 0])
    trials = np.asarray(data.X)[unchanged][:, [2, 1, 0]] / estimator.scale_
    np.testing.assert_allclose(X.numpy()[order], trials, rtol=1e-5)
    expected = (np.asarray(data.y)[unchanged] == "left").astype(int)  # 0 is "left"
    np.testing.assert_array_equal(y.numpy()[order], expected)


# ---------------------------------------------------------------------- every estimator


@pytest.mark.filterwarnings("ignore:.* the length is clipped")
@pytest.mark.parametrize("cls", OF_SIGNALS, ids=lambda cls: cls.__name__)
def test_every_network_for_signals_takes_augmentations(cls):
    X, y = oscillations(n_trials=12, n_times=128)
    augment = ["channel_dropout", "gaussian_noise", Mixup(probability=0.5)]
    estimator = make(cls, augment=augment, max_epochs=1).fit(X, y.astype(int))
    assert np.isfinite(estimator.predict(X).astype(float)).all()


@pytest.mark.parametrize("cls", [CCNNClassifier, LeNetClassifier])
def test_networks_for_maps_take_what_is_defined_for_maps(cls):
    X, y = maps()
    make(cls, augment=["gaussian_noise", "mixup"], max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match=r"SignFlip changes raw EEG, but \w+ takes topographic"):
        make(cls, augment="sign_flip").fit(X, y)


@pytest.mark.filterwarnings("ignore:The channel selection of")  # after so few epochs
@pytest.mark.parametrize("method", ["elimination", "gumbel"])
def test_channels_are_selected_after_augmentation(method):
    data = recorded()
    options = {"n_selected_chans": 2, "selection__method": method}
    estimator = make(EEGNetClassifier, augment=["mirror", "channel_dropout"], **options)
    estimator.fit(data, data.y)
    assert estimator.predict(data).shape == (len(data),)


def test_the_sampling_rate_comes_from_the_trials_or_from_a_parameter():
    data = recorded()
    X = np.asarray(data.X)
    with pytest.raises(ValueError, match="TimeShift needs the sampling rate"):
        make(EEGNetClassifier, augment="time_shift").fit(X, data.y)
    given, known = (
        make(ModuleClassifier, module=Linear, augment=augment).fit(trials, data.y)
        for augment, trials in ((TimeShift(sfreq=96.0), X), ("time_shift", data))
    )
    assert_equal_weights(given, known)
    # The lengths of EEGNet's filters depend on the rate, too.
    known = make(EEGNetClassifier, augment="time_shift").fit(data, data.y)
    of_network = make(EEGNetClassifier, augment="time_shift", module__sfreq=96.0).fit(X, data.y)
    assert_equal_weights(known, of_network)
    with pytest.raises(ValueError, match="X is sampled at 96 Hz, but TimeShift has sfreq=128"):
        make(EEGNetClassifier, augment=TimeShift(sfreq=128)).fit(data, data.y)


def test_an_invalid_augmentation_is_refused_before_the_trials_are_read():
    for wrong, error, message in [
        ("time_shfit", ValueError, "Did you mean 'time_shift'"),
        ([TimeShift, "mixup"], TypeError, "Create an instance"),
        (GaussianNoise(-1), ValueError, "std of GaussianNoise"),
    ]:
        with pytest.raises(error, match=message):
            make(EEGNetClassifier, augment=wrong).fit(None, None)


def test_modules_from_elsewhere_take_augmentations():
    data = recorded()
    one, other = (
        make(ModuleClassifier, module=Linear, augment=["mirror", "mixup"]).fit(data, data.y)
        for _ in range(2)
    )
    assert_equal_weights(one, other)


# ---------------------------------------------------------------------- parameters


def test_parameters_of_augmentations_can_be_set_and_searched():
    estimator = EEGNetClassifier(augment=TimeShift())
    assert estimator.get_params()["augment__max_shift"] == 0.1
    assert estimator.set_params(augment__max_shift=0.2).augment.max_shift == 0.2
    named = EEGNetClassifier(augment="time_shift").set_params(augment__max_shift=0.3)
    assert named.augment.max_shift == 0.3
    several = EEGNetClassifier(augment=["mixup", ChannelDropout()])
    assert several.get_params()["augment__channel_dropout__p_drop"] == 0.2
    several.set_params(augment__channel_dropout__p_drop=0.4, augment__mixup__alpha=1.0)
    assert [repr(a) for a in several.augment] == ["Mixup(alpha=1.0)", "ChannelDropout(p_drop=0.4)"]
    for name in ("augment__time_shift__max_shift", "augment__mixup__beta", "augment__alpha"):
        with pytest.raises(ValueError, match="parameter"):
            several.set_params(**{name: 1})
    with pytest.raises(ValueError, match="augment__max_shift"):
        EEGNetClassifier().set_params(augment__max_shift=0.2)


def test_a_grid_search_runs_over_augmentations():
    data = recorded()
    estimator = make(EEGNetClassifier, augment=TimeShift(), max_epochs=1)
    grid = [
        {"augment": [None, "sign_flip", ["mixup", "mirror"]]},
        {"augment__max_shift": [0.05, 0.1]},
    ]
    search = GridSearchCV(estimator, grid, cv=2, error_score="raise").fit(data, data.y)
    assert len(search.cv_results_["params"]) == 5
    assert estimator.augment.max_shift == 0.1


def test_estimators_with_augmentations_are_copied_and_pickled():
    data = recorded()
    augment = [TimeShift(0.05), "mixup", Mirror({"left": "right"})]
    estimator = make(EEGNetClassifier, augment=augment).fit(data, data.y)
    loaded = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(loaded.predict_proba(data), estimator.predict_proba(data))
    copy = clone(estimator)
    assert copy.augment[0] is not augment[0]
    assert repr(copy) == repr(estimator)
    assert_equal_weights(copy.fit(data, data.y), estimator)


def test_all_estimators_have_the_parameter():
    for cls in CLASSIFIERS + REGRESSORS:
        assert cls().get_params()["augment"] is None


def test_a_loader_of_the_user_may_give_probabilities():
    """As a ``collate_fn`` that mixes trials in its own way does."""

    def soft(items):
        X, y = torch.utils.data.default_collate(items)
        return X, 0.9 * torch.nn.functional.one_hot(y, 2).float() + 0.05

    data = recorded()
    soft = make(EEGNetClassifier, iterator_train__collate_fn=soft).fit(data, data.y)
    smoothed = make(EEGNetClassifier, criterion__label_smoothing=0.1).fit(data, data.y)
    losses = [fit.history[:, "train_loss"] for fit in (soft, smoothed)]
    np.testing.assert_allclose(*losses, rtol=1e-4)
