"""Regressors: units of the target, losses, scores and learning."""

import numpy as np
import pandas as pd
import pytest
import torch
from mne.decoding import cross_val_multiscore
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    cross_val_predict,
    cross_val_score,
    permutation_test_score,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Checkpoint, EpochScoring
from torch import nn

from skeeg import (
    CCNNRegressor,
    EEGData,
    EEGNetRegressor,
    ModuleRegressor,
    PointCNNRegressor,
    ShallowConvNetRegressor,
)
from skeeg.features import BandPower, FilterBank, TopographicMap

from .support import amplitudes, make


class Linear(nn.Sequential):
    """A network without dropout or normalisation, whose training numpy can follow."""

    def __init__(self, n_chans, n_times, n_outputs):
        super().__init__(nn.Flatten(), nn.Linear(n_chans * n_times, n_outputs))


def linear(**params):
    """A linear regressor that takes all trials in each step."""
    return make(ModuleRegressor, module=Linear, optimizer="sgd", batch_size=-1, **params)


def start_of(estimator, X, y):
    """The weights that a fit with the estimator's seed begins with, as float64."""
    module = linear(lr=1e-30, max_epochs=1, random_state=estimator.random_state).fit(X, y).module_
    return [part.detach().double().numpy() for part in (module[1].weight, module[1].bias)]


# Each loss and its derivative with respect to the prediction, as functions of the error.
LOSSES = {
    "mse": (np.square, lambda e, d: 2 * e),
    "mae": (np.abs, lambda e, d: np.sign(e)),
    "huber": (
        lambda e, d: np.where(np.abs(e) <= d, e**2 / 2, d * (np.abs(e) - d / 2)),
        lambda e, d: np.clip(e, -d, d),
    ),
}


def value_of(loss, error, delta):
    function, _ = LOSSES[loss]
    return function(error, delta) if loss == "huber" else function(error)


def descend(X, y, weight, start, *, loss, delta, lr, steps):
    """Full-batch descent on a weighted loss of standardised targets, in numpy.

    Returns the weights, and of each epoch the loss and the unweighted absolute error in the unit of
    the targets, both before the step.
    """
    flat = X.reshape(len(X), -1) / X.std()
    columns = y.reshape(len(y), -1)
    scale = columns.std(axis=0)
    targets = (columns - columns.mean(axis=0)) / scale
    W, b = (np.array(part) for part in start)
    weight = weight / weight.mean()
    recorded = []
    for _ in range(steps):
        error = flat @ W.T + b - targets
        losses = value_of(loss, error, delta).mean(axis=1)
        recorded.append(((weight * losses).mean(), (np.abs(error) * scale).mean()))
        gradient = LOSSES[loss][1](error, delta) * weight[:, None] / error.size
        W -= lr * gradient.T @ flat
        b -= lr * gradient.sum(axis=0)
    return W, b, np.array(recorded)


# ---------------------------------------------------------------------- losses


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize(("loss", "delta"), [("mse", 1), ("mae", 1), ("huber", 1), ("huber", 0.3)])
def test_training_is_weighted_gradient_descent_on_the_loss(loss, delta, n_targets, weighted):
    X, y = amplitudes(n_trials=30, n_chans=2, n_times=10)
    rng = np.random.default_rng(1)
    if n_targets > 1:
        y = np.column_stack([y, -3 * y + rng.standard_normal(30), rng.standard_normal(30)])
    weight = rng.uniform(0.2, 3, 30) if weighted else None
    options = {"criterion__delta": delta} if delta != 1 else {}
    estimator = linear(loss=loss, lr=0.05, max_epochs=7, **options)
    W, b, recorded = descend(
        X,
        y,
        np.ones(30) if weight is None else weight,
        start_of(estimator, X, y),
        loss=loss,
        delta=delta,
        lr=0.05,
        steps=7,
    )
    estimator.fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(estimator.module_[1].weight.detach(), W, atol=1e-6)
    np.testing.assert_allclose(estimator.module_[1].bias.detach(), b, atol=1e-6)
    history = estimator.history
    np.testing.assert_allclose(history[:, "train_loss"], recorded[:, 0], rtol=1e-5)
    np.testing.assert_allclose(history[:, "train_mae"], recorded[:, 1], rtol=1e-5)
    flat = X.reshape(30, -1) / X.std()
    expected = y.mean(axis=0) + y.std(axis=0) * (flat @ W.T + b)
    np.testing.assert_allclose(estimator.predict(X).reshape(30, -1), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_zero_weight_is_absence(loss):
    X, y = amplitudes()
    weight = np.where(np.arange(24) < 18, 1.5, 0.0)
    y[18:] *= 1e3
    a = linear(loss=loss).fit(X, y, sample_weight=weight)
    b = linear(loss=loss).fit(X[:18], y[:18])
    np.testing.assert_array_equal(a.predict(X), b.predict(X))


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        (nn.L1Loss, lambda e: np.abs(e).mean()),
        (nn.L1Loss(), lambda e: np.abs(e).mean()),
        (nn.MSELoss(reduction="none"), lambda e: (e**2).mean()),
        (nn.SmoothL1Loss, lambda e: (value_of("huber", e, 0.5) / 0.5).mean()),
    ],
    ids=["class", "instance", "a loss for each trial", "options"],
)
def test_criterion_takes_the_place_of_the_loss(criterion, expected):
    X, y = amplitudes()
    options = {"criterion__beta": 0.5} if criterion is nn.SmoothL1Loss else {}
    estimator = linear(criterion=criterion, lr=1e-30, max_epochs=1, **options).fit(X, y)
    error = (estimator.predict(X) - y) / y.std()
    assert estimator.history[-1, "train_loss"] == pytest.approx(expected(error), rel=1e-5)


def test_sample_weight_needs_a_criterion_with_a_loss_for_each_trial():
    X, y = amplitudes()
    with pytest.raises(ValueError, match=r"one loss per trial.*reduction=\"none\""):
        linear(criterion=nn.L1Loss()).fit(X, y, sample_weight=np.ones(24))


def test_a_users_criterion_gets_standardised_targets_of_two_axes():
    X, y = amplitudes()
    seen = []

    class Recorded(nn.Module):
        def forward(self, output, target):
            seen.append((tuple(output.shape), target.double()))
            return (output - target) ** 2

    linear(criterion=Recorded, max_epochs=1).fit(X, y)
    ((shape, target),) = seen
    assert shape == tuple(target.shape) == (24, 1)
    assert target.mean().item() == pytest.approx(0, abs=1e-7)
    assert target.std(correction=0).item() == pytest.approx(1)


def test_unknown_loss_raises_with_the_nearest_name():
    X, y = amplitudes()
    with pytest.raises(ValueError, match=r"loss .*'msee'.* Did you mean 'mse'\?"):
        EEGNetRegressor(loss="msee").fit(X, y)
    with pytest.raises(ValueError, match=r"loss .*got None"):
        EEGNetRegressor(loss=None).fit(X, y)


def test_an_option_of_another_loss_raises():
    with pytest.raises(TypeError, match="criterion__delta"):
        EEGNetRegressor(loss="mse", criterion__delta=0.5)
    with pytest.raises(ValueError, match=r"criterion__dleta.*criterion__delta"):
        EEGNetRegressor(loss="huber").set_params(criterion__dleta=0.5)
    X, y = amplitudes()
    estimator = EEGNetRegressor(loss="huber", criterion__delta=0.5, max_epochs=1)
    with pytest.raises(ValueError, match="criterion__delta"):
        estimator.set_params(loss="mae").fit(X, y)


# ---------------------------------------------------------------------- history


def test_history_has_the_absolute_error_of_both_parts_in_the_unit_of_y():
    X, y = amplitudes()
    estimator = make(ModuleRegressor, module=Linear, early_stopping=True, n_iter_no_change=99)
    a, b = (clone(estimator).fit(X, unit * y).history for unit in (1, 1e12))
    for name in ("train_mae", "valid_mae"):
        np.testing.assert_allclose(b[:, name], 1e12 * np.array(a[:, name]), rtol=1e-5)
    np.testing.assert_allclose(b[:, "train_loss"], a[:, "train_loss"], rtol=1e-5)
    assert "train_acc" not in a[-1]


def test_recorded_error_is_that_of_scikit_learn():
    X, y = amplitudes()
    y = np.column_stack([y, 100 * y])
    estimator = linear(lr=1e-30, max_epochs=1).fit(X, y)
    expected = mean_absolute_error(y, estimator.predict(X))
    assert estimator.history[-1, "train_mae"] == pytest.approx(expected, rel=1e-5)


def test_a_lower_error_is_a_better_epoch(tmp_path):
    X, y = amplitudes()
    checkpoint = Checkpoint("valid_mae_best", dirname=tmp_path, sink=lambda *text: None)
    estimator = make(
        ModuleRegressor,
        module=Linear,
        early_stopping=True,
        max_epochs=5,
        n_iter_no_change=99,
        callbacks=[checkpoint],
    )
    history = estimator.fit(X, y).history
    errors = np.array(history[:, "valid_mae"])
    assert history[:, "valid_mae_best"] == (errors == np.minimum.accumulate(errors)).tolist()


def test_epoch_scoring_of_r2_is_that_of_predict():
    X, y = amplitudes()
    scoring = EpochScoring("r2", on_train=True, name="r2", lower_is_better=False)
    estimator = linear(callbacks=[scoring], lr=1e-30, max_epochs=1).fit(X, y)
    assert estimator.history[-1, "r2"] == pytest.approx(r2_score(y, estimator.predict(X)), rel=1e-5)


# ---------------------------------------------------------------------- units of the target


@pytest.mark.parametrize("unit", [1e-200, 1e-12, 1e12, 1e200], ids=str)
def test_targets_of_any_magnitude_are_predicted_alike(unit):
    X, y = amplitudes()
    a, b = make(EEGNetRegressor).fit(X, y), make(EEGNetRegressor).fit(X, unit * y)
    np.testing.assert_allclose(b.predict(X) / unit, a.predict(X), rtol=1e-12)
    np.testing.assert_allclose(b.y_scale_ / unit, y.std(), rtol=1e-12)
    np.testing.assert_allclose(b.y_mean_ / unit, y.mean(), rtol=1e-12)


def test_targets_that_differ_in_the_tenth_digit_are_distinguished():
    X, y = amplitudes()
    small = 1e10 + np.round(y)
    a, b = make(EEGNetRegressor).fit(X, np.round(y)), make(EEGNetRegressor).fit(X, small)
    # The last digit of the targets is 2e-6; training makes what it changes grow.
    np.testing.assert_allclose(b.predict(X) - 1e10, a.predict(X), atol=1e-2)
    assert b.predict(X).std() > 0.01


@pytest.mark.parametrize("constant", [5.0, -3e-6, 0.0, 1e300])
def test_a_constant_target_is_predicted_nearly(constant):
    X, _ = amplitudes()
    y = np.full(24, constant)
    predicted = make(EEGNetRegressor, max_epochs=10).fit(X, y).predict(X)
    np.testing.assert_allclose(predicted, constant, rtol=0.1, atol=0.1 if constant == 0 else 0)


def test_a_constant_column_among_others():
    X, y = amplitudes()
    estimator = make(EEGNetRegressor, max_epochs=10).fit(X, np.column_stack([y, np.full(24, 7.0)]))
    np.testing.assert_allclose(estimator.predict(X)[:, 1], 7, rtol=0.2)
    np.testing.assert_allclose(estimator.y_scale_, [y.std(), 7])


# ---------------------------------------------------------------------- shapes and types


@pytest.mark.parametrize(
    "convert",
    [
        lambda y: y.tolist(),
        lambda y: y.astype(object),
        lambda y: pd.Series(y, index=np.arange(100, 124)),
        lambda y: pd.Series(y, dtype="Float64"),
        torch.from_numpy,
        lambda y: y.astype(">f8"),
    ],
    ids=["list", "object", "Series", "nullable", "tensor", "big-endian"],
)
def test_targets_of_any_container_give_the_same_fit(convert):
    X, y = amplitudes()
    a, b = make(EEGNetRegressor).fit(X, y), make(EEGNetRegressor).fit(X, convert(y))
    np.testing.assert_array_equal(a.predict(X), b.predict(X))


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, bool, np.float16, np.float32])
def test_whole_numbers_and_booleans_are_numbers(dtype):
    X, y = amplitudes()
    y = (y > 50 if dtype is bool else y).astype(dtype)
    predicted = make(EEGNetRegressor).fit(X, y).predict(X)
    assert predicted.dtype == np.float64
    expected = make(EEGNetRegressor).fit(X, y.astype(np.float64)).predict(X)
    np.testing.assert_array_equal(predicted, expected)


def test_columns_of_a_data_frame_are_targets():
    X, y = amplitudes()
    frame = pd.DataFrame({"valence": y, "arousal": -y})
    predicted = make(EEGNetRegressor).fit(X, frame).predict(X)
    assert predicted.shape == (24, 2)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y"),
        (np.full(24, np.nan), "NaN"),
        (np.r_[np.zeros(23), np.inf], "infinity"),
        (np.full(24, 1j), "Complex"),
        (np.array(["left", "right"] * 12), r"dtype <U5 with 'left'\..*classifier"),
        (np.array(["1.5", "2.5"] * 12), r"dtype <U3 with '1.5'"),
        (np.array([1.5, "2.5"] * 12, dtype=object), r"dtype object with '2.5'"),
        (np.array([1.5, None] * 12, dtype=object), "NaN"),
        (pd.Series([1.5, pd.NA] * 12, dtype="Float64"), "NaN|NA"),
        (np.arange("2026-01-01", "2026-01-25", dtype="datetime64[D]"), r"dtype datetime64\[D\]"),
        (np.zeros((24, 2, 2)), "dim 3"),
        (np.zeros((24, 0)), "0 feature"),
        (np.zeros(23), "inconsistent"),
    ],
)
def test_invalid_targets_raise(y, message):
    X, _ = amplitudes()
    estimator = make(EEGNetRegressor)
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, y)


@pytest.mark.parametrize("n_targets", [None, 1, 3])
def test_another_number_of_targets_raises_in_a_continued_training(n_targets):
    X, y = amplitudes()
    columns = {None: y, 1: y[:, None], 3: np.column_stack([y, y, -y])}
    estimator = make(EEGNetRegressor, warm_start=True).fit(X, columns.pop(n_targets))
    for other in columns.values():
        with pytest.raises(ValueError, match=r"y has shape \(24.*was fitted with \(n_trials"):
            estimator.partial_fit(X, other)
        with pytest.raises(ValueError, match=r"y has shape \(24.*was fitted with \(n_trials"):
            estimator.fit(X, other)


def test_continued_training_keeps_the_unit_of_the_first_targets():
    X, y = amplitudes()
    estimator = make(EEGNetRegressor).partial_fit(X[:12], y[:12])
    mean, scale = estimator.y_mean_.copy(), estimator.y_scale_.copy()
    estimator.partial_fit(X[12:], 3 * y[12:])
    np.testing.assert_array_equal(estimator.y_mean_, mean)
    np.testing.assert_array_equal(estimator.y_scale_, scale)
    assert len(estimator.history) == 6


@pytest.mark.parametrize(("loss", "options"), [("mae", {}), ("huber", {"criterion__delta": 0.2})])
def test_continued_training_takes_the_loss_that_was_set_meanwhile(loss, options):
    X, y = amplitudes()
    estimator = linear(lr=1e-30, max_epochs=1).fit(X, y).set_params(loss=loss, **options)
    estimator.partial_fit(X, y)
    error = (estimator.predict(X) - y) / y.std()
    expected = value_of(loss, error, 0.2).mean()
    assert estimator.history[-1, "train_loss"] == pytest.approx(expected, rel=1e-5)


def test_a_single_trial_has_no_unit():
    X, y = amplitudes()
    with pytest.raises(ValueError, match="at least two trials to standardise y, got 1 sample"):
        make(EEGNetRegressor).fit(X[:1], y[:1])
    assert make(EEGNetRegressor).fit(X[:2], y[:2]).partial_fit(X[2:3], y[2:3])


def test_classes_raise():
    X, y = amplitudes()
    with pytest.raises(ValueError, match="is a regressor and takes no classes"):
        EEGNetRegressor().partial_fit(X, y, classes=[0, 1])


def test_a_regressor_has_nothing_of_a_classifier():
    X, y = amplitudes()
    estimator = make(EEGNetRegressor, max_epochs=1)
    for _ in range(2):
        for name in ("predict_proba", "decision_function", "classes_"):
            assert not hasattr(estimator, name), name
        estimator.fit(X, y)
    assert "class_weight" not in estimator.get_params()


class Flat(Linear):
    def forward(self, x):
        return super().forward(x)[:, 0]


def test_output_of_one_axis_is_that_of_one_target():
    X, y = amplitudes()
    expected = linear().fit(X, y).predict(X)
    found = linear().set_params(module=Flat).fit(X, y).predict(X)
    np.testing.assert_array_equal(found, expected)


def test_a_module_of_another_number_of_outputs_raises():
    X, y = amplitudes()
    with pytest.raises(ValueError, match=r"shape \(24,\), where \(n_trials, 2\) is needed"):
        linear().set_params(module=Flat).fit(X, np.column_stack([y, -y]))


def test_saved_weights_predict_in_the_unit_of_y(tmp_path):
    X, y = amplitudes()
    fitted = make(EEGNetRegressor).fit(X, y)
    fitted.save_params(f_params=tmp_path / "weights.pt")
    other = make(EEGNetRegressor).fit(X[:12], 1e6 * y[:12])
    other.load_params(f_params=tmp_path / "weights.pt")
    np.testing.assert_array_equal(other.predict(X), fitted.predict(X))


# ---------------------------------------------------------------------- early stopping


def test_early_stopping_restores_the_weights_of_the_lowest_validation_loss():
    X, y = amplitudes()
    estimator = make(
        ModuleRegressor, module=Linear, early_stopping=True, max_epochs=40, lr=0.03,
        n_iter_no_change=4,
    ).fit(X, y)  # fmt: skip
    losses = estimator.history[:, "valid_loss"]
    assert len(losses) == np.argmin(losses) + 1 + 4
    best = make(
        ModuleRegressor, module=Linear, early_stopping=True, max_epochs=int(np.argmin(losses)) + 1,
        lr=0.03, n_iter_no_change=99,
    ).fit(X, y)  # fmt: skip
    np.testing.assert_array_equal(estimator.predict(X), best.predict(X))


@pytest.mark.parametrize("how", ["groups", "trial"])
def test_validation_never_divides_a_group(how):
    X, y = amplitudes()
    groups = np.arange(24) // 3
    parts = []
    estimator = make(EEGNetRegressor, early_stopping=True, max_epochs=1)
    take = estimator.get_split_datasets

    def record(X, *args, **kwargs):
        train, valid = take(X, *args, **kwargs)
        parts.append((train.groups, valid.groups))
        return train, valid

    estimator.get_split_datasets = record
    if how == "groups":
        estimator.fit(X, y, groups=groups)
    else:
        data = EEGData.from_arrays(X, y, 96, metadata=pd.DataFrame({"trial": groups}))
        estimator.fit(data, data.y)
    ((train, valid),) = parts
    assert len(valid) == 6  # two of eight groups, the fifth part rounded up
    assert not set(train) & set(valid)
    assert len(train) + len(valid) == 24


def test_early_stopping_without_enough_trials_or_groups_says_what_to_do():
    X, y = amplitudes()
    estimator = make(EEGNetRegressor, early_stopping=True)
    with pytest.raises(ValueError, match=r"cannot split 3 trials.*early_stopping=False"):
        estimator.set_params(validation_fraction=0.9).fit(X[:3], y[:3])
    with pytest.raises(ValueError, match=r"cannot split 1 groups.*early_stopping=False"):
        estimator.fit(X, y, groups=np.zeros(24))


# -------------------------------------------------------------------- with other packages


def test_out_of_fold_predictions_are_those_of_each_fold():
    X, y = amplitudes()
    estimator, cv = make(EEGNetRegressor), KFold(3)
    predicted = cross_val_predict(estimator, X, y, cv=cv)
    for train, test in cv.split(X):
        expected = make(EEGNetRegressor).fit(X[train], y[train]).predict(X[test])
        np.testing.assert_array_equal(predicted[test], expected)
    scores = cross_val_score(estimator, X, y, cv=cv)
    assert scores == pytest.approx([r2_score(y[test], predicted[test]) for _, test in cv.split(X)])


def test_cross_val_multiscore_of_mne_is_cross_val_score():
    X, y = amplitudes()
    found = cross_val_multiscore(make(EEGNetRegressor), X, y, cv=KFold(3), verbose="error")
    np.testing.assert_array_equal(found, cross_val_score(make(EEGNetRegressor), X, y, cv=KFold(3)))


def test_transformed_target_is_predicted_in_its_own_unit():
    X, y = amplitudes()
    whole = TransformedTargetRegressor(make(EEGNetRegressor), func=np.log, inverse_func=np.exp)
    expected = np.exp(make(EEGNetRegressor).fit(X, np.log(y)).predict(X))
    np.testing.assert_array_equal(whole.fit(X, y).predict(X), expected)


@pytest.mark.parametrize("kind", ["array", "EEGData"])
def test_one_network_for_each_target(kind):
    X, y = amplitudes()
    trials = X if kind == "array" else EEGData.from_arrays(X, y, 96)
    columns = np.column_stack([y, -(y**2)])
    predicted = MultiOutputRegressor(make(EEGNetRegressor)).fit(trials, columns).predict(trials)
    expected = [make(EEGNetRegressor).fit(trials, target).predict(trials) for target in columns.T]
    np.testing.assert_array_equal(predicted, np.column_stack(expected))


def test_filter_bank_before_a_network():
    X, y = amplitudes()
    pipeline = make_pipeline(FilterBank(96, [(5, 11), (11, 20)]), make(EEGNetRegressor))
    assert pipeline.fit(X, y).predict(X).shape == (24,)
    assert pipeline[-1].n_chans_ == 6
    scores = cross_val_score(pipeline, X, y, groups=np.arange(24) // 2, cv=GroupKFold(3))
    assert np.isfinite(scores).all()


def test_features_before_a_network_of_electrodes():
    X, y = amplitudes(n_trials=48)
    power = BandPower(96, {"alpha": (7, 12), "beta": (14, 26)})
    data = EEGData.from_arrays(X, y, 96, ["C3", "Cz", "C4"])
    pipeline = make_pipeline(
        power.set_output(transform="pandas"), make(PointCNNRegressor, max_epochs=20)
    )
    pipeline.fit(data[:36], y[:36])
    assert pipeline[-1].ch_names_ == ("C3", "Cz", "C4")
    assert pipeline.score(data[36:], y[36:]) > 0.5


def test_maps_of_features_before_a_network_of_maps():
    X, y = amplitudes(n_trials=80)
    data = EEGData.from_arrays(X, y, 96, ["C3", "Cz", "C4"])
    pipeline = make_pipeline(
        BandPower(96, {"alpha": (7, 12), "beta": (14, 26)}),
        StandardScaler(),
        TopographicMap(["C3", "Cz", "C4"]),
        make(CCNNRegressor, max_epochs=60, lr=3e-3),
    )
    pipeline.fit(data[:60], y[:60])
    assert pipeline[-1].n_bands_ == 2
    assert pipeline.score(data[60:], y[60:]) > 0.5


# ---------------------------------------------------------------------- channel selection


def test_the_channels_that_a_target_follows_are_selected():
    X, y = amplitudes(n_trials=120, n_chans=6)
    X[:, [0, 3]] = X[:, [3, 0]]
    names = ["F3", "F4", "C3", "C4", "P3", "P4"]
    data = EEGData.from_arrays(X, y, 96, names)
    estimator = make(EEGNetRegressor, n_selected_chans=1, max_epochs=40, lr=3e-3)
    estimator.fit(data[:90], y[:90])
    assert estimator.selected_ch_names_ == ("C4",)
    assert estimator.selection_ranking_[3] == 1
    assert estimator.score(data[90:], y[90:]) > 0.5


# ---------------------------------------------------------------------- learning


def oracle(X, y):
    """The R2 with the true rhythm: a line through the log of its measured amplitude."""
    level = np.log(np.abs(np.fft.rfft(X[:, 0])[:, 8]))
    return np.corrcoef(level, y)[0, 1] ** 2


@pytest.mark.parametrize("cls", [EEGNetRegressor, ShallowConvNetRegressor])
def test_networks_come_near_the_best_possible_score(cls):
    X, y = amplitudes(n_trials=500, n_times=160, noise=0.5)
    train, test = slice(0, 300), slice(300, 500)
    known = oracle(X[test], y[test])
    assert known == pytest.approx(1 / (1 + 0.5**2), abs=0.06)
    estimator = cls(max_epochs=30, lr=3e-3, random_state=0).fit(X[train], y[train])
    assert known - 0.2 < estimator.score(X[test], y[test]) < known + 0.02


def test_random_targets_are_not_predicted():
    X, y = amplitudes(n_trials=120)
    y = np.random.default_rng(1).permutation(y)
    scores = cross_val_score(make(EEGNetRegressor, max_epochs=10), X, y, cv=KFold(4))
    assert scores.mean() <= 0.1


def test_permutation_test_finds_what_is_there():
    X, y = amplitudes(n_trials=60)
    estimator = make(EEGNetRegressor, max_epochs=8, lr=1e-2)
    score, permuted, p_value = permutation_test_score(
        estimator, X, y, cv=KFold(2), n_permutations=4, random_state=0
    )
    assert score > permuted.max()
    assert p_value == pytest.approx(1 / 5)
