"""The estimator contract on continuous targets, one body over all regressors.

What does not depend on the task is in test_contract.py.
"""

import json

import mne
import numpy as np
import pytest
import torch
from sklearn.base import clone, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from skorch import NeuralNetRegressor

from skeeg import EEGData
from skeeg._validation import MAPS, POINTS

from .support import CLASSIFIERS, REGRESSORS, amplitudes, make

every_regressor = pytest.mark.parametrize("cls", REGRESSORS)
every_regressor_of_signals = pytest.mark.parametrize(
    "cls", [cls for cls in REGRESSORS if cls._trial_axes not in (MAPS, POINTS)]
)
pytestmark = pytest.mark.filterwarnings("ignore:.*the length is clipped:UserWarning")


def test_every_network_has_a_classifier_and_a_regressor():
    names = [cls.__name__.removesuffix("Regressor") for cls in REGRESSORS]
    assert names == [cls.__name__.removesuffix("Classifier") for cls in CLASSIFIERS]
    for classifier, regressor in zip(CLASSIFIERS, REGRESSORS, strict=True):
        shared = classifier._get_param_names()
        shared.remove("class_weight")
        own = regressor._get_param_names()
        own.remove("loss")
        assert own == shared
        assert {n: getattr(regressor(), n) for n in own} == {
            n: getattr(classifier(), n) for n in own
        }


@every_regressor
def test_is_a_skorch_regressor_with_keyword_only_parameters(cls):
    estimator = cls()
    assert isinstance(estimator, NeuralNetRegressor)
    assert is_regressor(estimator)
    with pytest.raises(TypeError):
        cls(7)
    params = estimator.get_params()
    params.pop("module", None)
    json.dumps(params)
    assert clone(cls(loss="huber", criterion__delta=0.5)).get_params()["criterion__delta"] == 0.5


@every_regressor
@pytest.mark.parametrize(
    "columns", [(24,), (24, 1), (24, 3)], ids=["vector", "one column", "several columns"]
)
def test_predictions_have_the_shape_of_the_targets(cls, columns):
    X, y = amplitudes()
    y = np.resize(np.repeat(y, np.prod(columns[1:], dtype=int)), columns)
    estimator = make(cls, max_epochs=1).fit(X, y)
    for n_trials in (24, 1):
        predicted = estimator.predict(X[:n_trials])
        assert predicted.shape == (n_trials, *columns[1:])
        assert predicted.dtype == np.float64
    assert estimator.y_mean_.shape == estimator.y_scale_.shape == (*columns[1:], 1)[:1]


@every_regressor
def test_one_column_is_predicted_like_a_vector(cls):
    X, y = amplitudes()
    a, b = make(cls).fit(X, y), make(cls).fit(X, y[:, None])
    np.testing.assert_array_equal(a.predict(X)[:, None], b.predict(X))


@every_regressor
def test_targets_in_any_unit_are_predicted_alike(cls):
    X, y = amplitudes()
    a, b = make(cls).fit(X, y), make(cls).fit(X, 1e6 * y + 1e9)
    np.testing.assert_allclose((b.predict(X) - 1e9) / 1e6, a.predict(X), rtol=0, atol=1e-11)


@every_regressor
@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_each_loss_lowers_itself(cls, loss):
    X, y = amplitudes(n_times=160)
    history = make(cls, loss=loss, max_epochs=20, lr=3e-3).fit(X, y).history
    assert np.mean(history[-5:, "train_loss"]) < np.mean(history[:2, "train_loss"])
    assert {"train_loss", "train_mae"} <= set(history[-1])


@every_regressor
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y"),
        (np.r_[np.nan, np.zeros(23)], "NaN"),
        (np.r_[np.inf, np.zeros(23)], "infinity"),
        (np.full(24, 1j), "Complex"),
        (np.array(["left", "right"] * 12), "predicts numbers.*'left'.*classifier"),
    ],
    ids=["missing", "NaN", "infinity", "complex", "text"],
)
def test_targets_that_are_not_numbers_raise(cls, y, message):
    X, _ = amplitudes()
    with pytest.raises(ValueError, match=message):
        make(cls).fit(X, y)


@every_regressor
def test_another_number_of_columns_raises_in_partial_fit(cls):
    X, y = amplitudes()
    estimator = make(cls, max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match=r"y has shape \(24, 2\).*fitted with \(n_trials,\)"):
        estimator.partial_fit(X, np.column_stack([y, y]))


@every_regressor
def test_grid_search_over_losses_in_two_processes_equals_one(cls):
    X, y = amplitudes()
    found = [
        GridSearchCV(make(cls), {"loss": ["mse", "mae"]}, cv=2, n_jobs=n_jobs).fit(X, y)
        for n_jobs in (1, 2)
    ]
    scores = [search.cv_results_["mean_test_score"] for search in found]
    np.testing.assert_array_equal(*scores)
    np.testing.assert_array_equal(found[0].predict(X), found[1].predict(X))


@every_regressor_of_signals
def test_epochs_and_their_targets(cls):
    X, y = amplitudes()
    X = X.astype(np.float32)
    info = mne.create_info(["C3", "Cz", "C4"], 96.0, "eeg")
    epochs = mne.EpochsArray(X, info, verbose="error")
    data = EEGData.from_arrays(X, y, 96, ["C3", "Cz", "C4"])
    a, b = make(cls).fit(epochs, y), make(cls).fit(data, y)
    np.testing.assert_array_equal(a.predict(epochs), b.predict(data))
    assert a.ch_names_ == b.ch_names_ == ("C3", "Cz", "C4")
    c = make(cls).fit(torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(y)))
    assert c.predict(X).shape == (24,)


@every_regressor
def test_early_stopping_keeps_groups_whole_and_weights_of_zero_out(cls):
    X, y = amplitudes()
    weight = np.where(np.arange(24) < 20, 1.0, 0.0)
    groups = np.arange(24) // 4
    a = make(cls, early_stopping=True).fit(X, y, sample_weight=weight, groups=groups)
    b = make(cls, early_stopping=True).fit(X[:20], y[:20], groups=groups[:20])
    assert {"valid_loss", "valid_mae"} <= set(a.history[-1])
    np.testing.assert_array_equal(a.predict(X), b.predict(X))


@every_regressor
def test_a_failed_refit_leaves_no_usable_weights(cls):
    X, y = amplitudes()
    estimator = make(cls, max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="NaN"):
        estimator.fit(X, np.full(24, np.nan))
    with pytest.raises(NotFittedError):
        estimator.predict(X)
    with pytest.raises(NotFittedError):
        cls().predict(X)
