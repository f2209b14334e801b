"""Validation of data sets of torch and skorch, and of validation parts."""

import pickle

import mne
import numpy as np
import pytest
import skorch
import torch
from sklearn.model_selection import GroupKFold
from skorch.callbacks import Callback, EarlyStopping
from skorch.dataset import ValidSplit
from skorch.helper import SliceDataset, predefined_split
from torch.utils.data import ConcatDataset, Dataset, IterableDataset, Subset, TensorDataset

from skeeg import (
    CCNNClassifier,
    CNNLSTMClassifier,
    EEGData,
    EEGNetClassifier,
    EEGNetRegressor,
    MixNetClassifier,
    ModuleClassifier,
    PointCNNClassifier,
    ShallowConvNetClassifier,
)

from .support import make, maps, oscillations

LABELS = {
    "text": np.array(["left", "right"]),
    "numbers from 1": np.array([1, 2]),
    "float64": np.array([-1.0, 1.0]),
}


class MapStyle(Dataset):
    """A user's data set, of pairs or of trials alone."""

    def __init__(self, X, y=None):
        self.X_, self.y_ = X, y

    def __len__(self):
        return len(self.X_)

    def __getitem__(self, i):
        return self.X_[i] if self.y_ is None else (self.X_[i], self.y_[i])


class Stream(IterableDataset):
    def __iter__(self):
        X, y = oscillations()
        return iter(zip(X, y, strict=True))


class OfItems(Dataset):
    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def tensors(X, y):
    return TensorDataset(torch.from_numpy(X), torch.from_numpy(y))


def subset_of(X, y):
    """The same trials as a part of a larger data set, whose other trials have another unit."""
    more = tensors(np.concatenate([1e3 * X, X]), np.concatenate([1 - y, y]))
    return Subset(Subset(more, range(1, 2 * len(X))), range(len(X) - 1, 2 * len(X) - 1))


DATASETS = {
    "TensorDataset": tensors,
    "Subset": subset_of,
    "skorch's Dataset": skorch.dataset.Dataset,
    "Subset of skorch's": lambda X, y: Subset(skorch.dataset.Dataset(X, y), range(len(X))),
    "map-style": MapStyle,
    "ConcatDataset": lambda X, y: ConcatDataset([tensors(X[:5], y[:5]), MapStyle(X[5:], y[5:])]),
}
every_dataset = pytest.mark.parametrize("kind", DATASETS)


# ---------------------------------------------------------------------- data sets of torch


@every_dataset
@pytest.mark.parametrize("cls", [EEGNetClassifier, ShallowConvNetClassifier, CCNNClassifier])
def test_data_set_is_fitted_and_predicted_as_its_array_is(cls, kind):
    X, y = maps() if cls is CCNNClassifier else oscillations(n_times=160)
    X = 1e-6 * X
    dataset = DATASETS[kind](X, y)
    reference = make(cls).fit(X, y)
    estimator = make(cls).fit(dataset)
    assert estimator.scale_ == reference.scale_
    expected = reference.predict_proba(X)
    np.testing.assert_array_equal(estimator.predict_proba(X), expected)
    np.testing.assert_array_equal(reference.predict_proba(dataset), expected)
    np.testing.assert_array_equal(reference.predict(dataset), reference.predict(X))
    assert reference.score(dataset, y) == reference.score(dataset) == reference.score(X, y)


@pytest.mark.parametrize("labels", LABELS)
def test_labels_of_a_data_set_come_back(labels):
    X, y = oscillations()
    y = LABELS[labels][y]
    estimator = make(EEGNetClassifier).fit(MapStyle(X, y))
    reference = make(EEGNetClassifier).fit(X, y)
    assert estimator.predict(MapStyle(X, y)).dtype == y.dtype
    np.testing.assert_array_equal(estimator.classes_, LABELS[labels])
    np.testing.assert_array_equal(estimator.predict(MapStyle(X)), reference.predict(X))


def test_targets_passed_with_a_data_set_replace_its_own():
    X, y = oscillations()
    estimator = make(EEGNetClassifier).fit(tensors(X, 1 - y), y)
    reference = make(EEGNetClassifier).fit(X, y)
    np.testing.assert_array_equal(estimator.predict_proba(X), reference.predict_proba(X))


def test_values_of_a_regression_come_out_of_a_data_set():
    X, _ = oscillations()
    y = 50 + 10 * X[:, 0, 0]
    estimator, reference = (make(EEGNetRegressor).fit(*data) for data in ((tensors(X, y),), (X, y)))
    np.testing.assert_array_equal(estimator.predict(tensors(X, y)), reference.predict(X))
    column = make(EEGNetRegressor).fit(tensors(X, y[:, None])).predict(X)
    np.testing.assert_array_equal(column[:, 0], reference.predict(X))


def test_skorchs_data_set_of_epochs_or_eeg_data_keeps_names_and_rate():
    X, y = oscillations()
    data = EEGData.from_arrays(X, y, 96, ["C3", "Cz", "C4"])
    estimator = make(EEGNetClassifier).fit(skorch.dataset.Dataset(data, data.y))
    assert (estimator.ch_names_, estimator.sfreq_) == (("C3", "Cz", "C4"), 96)
    # A data set of tensors without targets has tuples of one.
    alone = TensorDataset(torch.from_numpy(X).requires_grad_())
    np.testing.assert_array_equal(estimator.predict(alone), estimator.predict(X))
    sliced = SliceDataset(skorch.dataset.Dataset(X, y))
    np.testing.assert_array_equal(estimator.predict(sliced), estimator.predict(X))


def test_partial_fit_and_forward_gate_data_sets_as_well():
    X, y = oscillations()
    a = make(EEGNetClassifier).partial_fit(X, y).partial_fit(X, y)
    b = make(EEGNetClassifier).partial_fit(tensors(X, y)).partial_fit(tensors(X, y))
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))
    for data in (X, tensors(X, y)):
        proba = torch.softmax(b.forward(data), dim=1)
        assert torch.equal(proba, torch.from_numpy(b.predict_proba(X)))


@pytest.mark.parametrize("method", ["fit", "predict", "predict_proba", "score"])
@pytest.mark.parametrize(
    ("dataset", "error", "message"),
    [
        (Stream(), TypeError, "Stream without a length"),
        (OfItems([np.zeros((3, 96)), np.zeros((3, 95))]), ValueError, "ragged"),
        (OfItems([(np.zeros((3, 96)), 0), (np.zeros((3, 95)), 1)]), ValueError, "ragged"),
        (OfItems([{"X": np.zeros((3, 96)), "y": 0}] * 2), TypeError, "dict"),
        (OfItems([({"X": np.zeros((3, 96))}, 0)] * 2), TypeError, "dict"),
        (OfItems([(np.zeros((3, 96)), 0, 1)] * 2), TypeError, r"pairs \(trial, target\)"),
        (OfItems([]), ValueError, "empty"),
        (OfItems([(np.full((3, 96), np.nan), 0)] * 2), ValueError, "NaN"),
        (OfItems([(np.zeros((1, 3, 2, 96, 1)), 0)] * 2), ValueError, "dimensions"),
    ],
    ids=["stream", "ragged", "ragged pairs", "dict", "dict X", "triple", "empty", "nan", "6-D"],
)
def test_data_sets_that_cannot_be_read_say_why(method, dataset, error, message):
    X, y = oscillations()
    estimator = make(EEGNetClassifier, max_epochs=1).fit(X, y)
    args = (dataset, [0, 1]) if method in ("fit", "score") else (dataset,)
    with pytest.raises(error, match=message):
        getattr(estimator, method)(*args)


def test_a_data_set_without_targets_needs_y():
    X, y = oscillations()
    estimator = make(EEGNetClassifier).fit(X, y)
    for method in (estimator.score, estimator.fit):
        for trials in (MapStyle(X), X):
            with pytest.raises(ValueError, match="requires y"):
                method(trials)


def test_data_set_whose_targets_are_of_unequal_shape_raises():
    items = [(np.zeros((3, 96)), np.zeros(2)), (np.zeros((3, 96)), np.zeros(3))]
    with pytest.raises(ValueError, match="targets"):
        make(EEGNetRegressor).fit(OfItems(items))


# ---------------------------------------------------------------------- validation of the user's


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("kind", ["map-style", "skorch's Dataset"])
def test_predefined_validation_is_scaled_and_its_labels_encoded(labels, kind):
    X, y = oscillations()
    held_out, expected = oscillations(n_trials=10, seed=1)
    named = LABELS[labels]
    X, held_out = 1e-6 * X, 1e-6 * held_out
    valid = DATASETS[kind](held_out, named[expected])
    estimator = make(EEGNetClassifier, train_split=predefined_split(valid)).fit(X, named[y])
    # The loss of the last epoch is that of the fitted network on these trials.
    proba = estimator.predict_proba(held_out)
    loss = -np.log(proba[np.arange(10), expected]).mean()
    assert estimator.history[-1, "valid_loss"] == pytest.approx(loss, rel=1e-5)
    score = estimator.score(held_out, named[expected])
    assert estimator.history[-1, "valid_acc"] == pytest.approx(score)
    # All trials are trained on.
    plain = make(EEGNetClassifier).fit(X, named[y])
    np.testing.assert_array_equal(plain.predict_proba(X), estimator.predict_proba(X))


def test_predefined_validation_of_a_regression_is_standardised_as_in_fit():
    X, _ = oscillations()
    y = 50 + 10 * X[:, 0, 0]
    valid = tensors(X[:8], y[:8])
    estimator = make(EEGNetRegressor, train_split=predefined_split(valid)).fit(X, y)
    error = (estimator.predict(X[:8]) - y[:8]) / estimator.y_scale_
    assert estimator.history[-1, "valid_loss"] == pytest.approx((error**2).mean(), rel=1e-4)


def test_early_stopping_monitors_the_validation_that_was_given():
    X, y = oscillations(n_trials=40)
    held_out, _ = oscillations(n_trials=20, seed=1)
    noise = np.random.default_rng(0).permutation(np.arange(20) % 2)
    split = predefined_split(MapStyle(held_out, noise))  # random labels: the loss must rise
    settings = {"train_split": split, "max_epochs": 200, "lr": 1e-2}
    callback = EarlyStopping(patience=5, load_best=True, sink=str)
    by_callback = make(EEGNetClassifier, callbacks=[callback], **settings).fit(X, y)
    by_parameter = make(EEGNetClassifier, early_stopping=True, n_iter_no_change=5, **settings).fit(
        X, y
    )
    for estimator in (by_callback, by_parameter):
        losses = np.array(estimator.history[:, "valid_loss"])
        assert len(losses) < 200
        proba = estimator.predict_proba(held_out)
        loss = -np.log(proba[np.arange(20), noise]).mean()
        assert loss == pytest.approx(losses.min(), rel=1e-4)


@pytest.mark.parametrize("named", [np.array(["left", "up"]), np.array([0, 1])])
def test_unknown_labels_in_the_validation_part_raise(named):
    X, y = oscillations()
    split = predefined_split(MapStyle(X[:8], named[y[:8]]))
    estimator = make(EEGNetClassifier, train_split=split)
    with pytest.raises(ValueError, match=r"y has labels|labels of"):
        estimator.fit(X, np.array(["left", "right"])[y])
    assert not estimator.__sklearn_is_fitted__()


def test_validation_of_another_shape_raises():
    X, y = oscillations()
    split = predefined_split(MapStyle(X[:8, :2], y[:8]))
    with pytest.raises(ValueError, match="2 channels"):
        make(EEGNetClassifier, train_split=split).fit(X, y)


class Splits(Callback):
    """Keeps the parts of a fit."""

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        self.parts = dataset_train, dataset_valid


@pytest.mark.parametrize("cv", [5, 0.25])
def test_cross_validation_split_of_skorch_holds_out_its_part(cv):
    X, y = oscillations(n_trials=40)
    callback = Splits()
    split = ValidSplit(cv, stratified=True, random_state=0 if cv < 1 else None)
    named = np.array(["left", "right"])[y]
    estimator = make(ModuleClassifier, train_split=split, callbacks=[("splits", callback)])
    estimator.fit(X, named)
    train, valid = (np.array(part.indices) for part in dict(estimator.callbacks_)["splits"].parts)
    assert len(valid) == (8 if cv == 5 else 10)
    assert sorted([*train, *valid]) == list(range(40))
    assert np.bincount(y[valid]).tolist() == [len(valid) // 2] * 2
    proba = estimator.predict_proba(X[valid])
    loss = -np.log(proba[np.arange(len(valid)), y[valid]]).mean()
    assert estimator.history[-1, "valid_loss"] == pytest.approx(loss, rel=1e-5)


def test_groups_reach_a_split_that_takes_them():
    X, y = oscillations(n_trials=40)
    groups = np.arange(40) // 4
    split = ValidSplit(GroupKFold(5))
    estimator = make(EEGNetClassifier, train_split=split, callbacks=[("splits", Splits())])
    estimator.fit(X, y, groups=groups)
    train, valid = (groups[part.indices] for part in dict(estimator.callbacks_)["splits"].parts)
    assert len(valid) == 8
    assert not set(train) & set(valid)
    # A split without an argument for groups does not get them.
    estimator.set_params(train_split=predefined_split(MapStyle(X, y)))
    estimator.fit(X, y, groups=groups)


@pytest.mark.parametrize("kind", [None, torch.utils.data.DataLoader])
@pytest.mark.parametrize("cls", [EEGNetClassifier, ShallowConvNetClassifier])
def test_random_split_of_torch_and_its_loader_validate_on_the_held_out_trials(cls, kind):
    X, y = oscillations(n_times=160)
    parts = []

    def split(dataset, y, **kwargs):
        torch_generator = torch.Generator().manual_seed(0)
        parts.append(torch.utils.data.random_split(dataset, [16, 8], torch_generator))
        return parts[-1]

    given = {} if kind is None else {"iterator_valid": kind}
    estimator = make(cls, train_split=split, **given).fit(X, y)
    valid = np.array(parts[0][1].indices)
    loss = -np.log(estimator.predict_proba(X[valid])[np.arange(8), y[valid]]).mean()
    assert estimator.history[-1, "valid_loss"] == pytest.approx(loss, rel=1e-5)


def test_other_electrodes_reach_the_network_through_torchs_loader():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((24, 3, 2)), np.arange(24) % 2
    ours, theirs = (
        make(PointCNNClassifier, ch_names=["C3", "Cz", "C4"], **given).fit(X, y)
        for given in ({}, {"iterator_valid": torch.utils.data.DataLoader})
    )
    before = theirs.predict_proba(X)
    for estimator in (ours, theirs):
        estimator.set_params(ch_names=["F3", "Fz", "P4"])
    np.testing.assert_allclose(theirs.predict_proba(X), ours.predict_proba(X), atol=1e-6)
    assert not np.allclose(theirs.predict_proba(X), before)


class WithoutWeights(torch.utils.data.DataLoader):
    def __init__(self, dataset, **options):
        def collate(items):
            return torch.utils.data.default_collate(items)[:2]

        super().__init__(dataset, collate_fn=collate, **options)


def test_loader_that_loses_the_weights_of_trials_is_refused():
    X, y = oscillations()
    estimator = make(EEGNetClassifier, iterator_train=WithoutWeights, class_weight={0: 1, 1: 5})
    with pytest.raises(ValueError, match=r"a data loader that passes the weights.*WithoutWeights"):
        estimator.fit(X, y, sample_weight=np.arange(24) + 1)
    estimator.fit(X, y)


# ---------------------------------------------------------------------- what holds no trials

INFO = mne.create_info(["C3", "Cz", "C4"], 96, "eeg")
DATA = EEGData.from_arrays(*oscillations(), 96, ["C3", "Cz", "C4"])
NO_TRIALS = {
    "Raw": (mne.io.RawArray(np.zeros((3, 960)), INFO, verbose=False), "mne RawArray.*mne.Epochs"),
    "Evoked": (mne.EvokedArray(np.zeros((3, 96)), INFO), "mne EvokedArray.*no trials"),
    "list of EEGData": ([DATA, DATA], r"list of 2 .*EEGData\.concatenate"),
    "dates": (np.zeros((24, 3, 96), "datetime64[s]"), "real numbers, got dates"),
    "durations": (np.zeros((24, 3, 96), "timedelta64[s]"), "real numbers, got dates"),
    "epochs without EEG": (
        mne.EpochsArray(np.zeros((24, 3, 96)), mne.create_info(3, 96, "mag"), verbose=False),
        r"no good EEG channel.*\['mag'\]",
    ),
    "bad EEG": (
        mne.EpochsArray(np.zeros((24, 3, 96)), INFO.copy(), verbose=False),
        "no good EEG channel.*3 are marked bad",
    ),
}
NO_TRIALS["bad EEG"][0].info["bads"] = ["C3", "Cz", "C4"]


@pytest.mark.parametrize("method", ["fit", "predict", "predict_proba", "score", "partial_fit"])
@pytest.mark.parametrize("kind", NO_TRIALS)
def test_what_holds_no_trials_is_refused_with_what_to_do(kind, method):
    trials, message = NO_TRIALS[kind]
    y = np.arange(24) % 2
    estimator = make(EEGNetClassifier, max_epochs=1).fit(*oscillations())
    args = (trials,) if method.startswith("predict") else (trials, y)
    with pytest.raises((TypeError, ValueError), match=message):
        getattr(estimator, method)(*args)


@pytest.mark.parametrize("cls", [CCNNClassifier, PointCNNClassifier])
@pytest.mark.parametrize("kind", ["Raw", "list of EEGData", "dates"])
def test_networks_of_maps_and_features_refuse_it_too(cls, kind):
    trials, message = NO_TRIALS[kind]
    with pytest.raises((TypeError, ValueError), match=message):
        make(cls).fit(trials, np.arange(24) % 2)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ([1, 2], "class_weight must be a dict"),
        (np.array([1, 2]), "class_weight must be a dict"),
        ("balnced", "class_weight must be a dict.*'balnced'"),
        ({7: 1}, r"classes, \[0, 1\], are not in class_weight"),
        ({0: -1, 1: 1}, "class_weight must not be negative"),
        ({0: 0, 1: 0}, "class_weight must not be negative, nor zero"),
    ],
)
def test_class_weight_that_cannot_be_used_is_refused(class_weight, message):
    X, y = oscillations()
    with pytest.raises(ValueError, match=message):
        make(EEGNetClassifier, class_weight=class_weight).fit(X, y)


@pytest.mark.parametrize("montage", [5, ["C3"], "biosemy64"])
def test_montage_that_is_none_is_refused_in_fit(montage):
    X, y = oscillations()
    with pytest.raises((TypeError, ValueError), match="montage must be"):
        make(PointCNNClassifier, montage=montage).fit(X, y)


# ---------------------------------------------------------------------- defaults of torch


@pytest.fixture(params=["float64", "cpu", "meta"])
def default_of_torch(request):
    """A default that a user gave to torch elsewhere, set by calling what this returns."""

    def change():
        if request.param == "float64":
            torch.set_default_dtype(torch.float64)
        else:
            torch.set_default_device(request.param)

    yield change
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)


DEFAULTS_OF = [
    EEGNetClassifier,
    ShallowConvNetClassifier,
    CNNLSTMClassifier,
    ModuleClassifier,
    MixNetClassifier,
    EEGNetRegressor,
]


@pytest.mark.parametrize("cls", DEFAULTS_OF)
def test_predictions_do_not_depend_on_defaults_of_torch(cls, default_of_torch):
    X, y = oscillations(n_times=160)
    estimator = make(cls, early_stopping=True).fit(X, y)
    expected = estimator.predict(X)
    file = pickle.dumps(estimator)
    default_of_torch()
    np.testing.assert_array_equal(estimator.predict(X), expected)
    np.testing.assert_array_equal(pickle.loads(file).predict(X), expected)


@pytest.mark.parametrize("cls", DEFAULTS_OF)
def test_fits_do_not_depend_on_defaults_of_torch(cls, default_of_torch):
    X, y = oscillations(n_times=160)
    expected = make(cls, early_stopping=True).fit(X, y).predict(X)
    default_of_torch()
    estimator = make(cls, early_stopping=True).fit(X, y)
    assert all(weight.dtype == torch.float32 for weight in estimator.module_.parameters())
    assert all(weight.device.type == "cpu" for weight in estimator.module_.parameters())
    np.testing.assert_array_equal(estimator.predict(X), expected)
