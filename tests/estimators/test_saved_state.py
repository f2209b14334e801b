"""Files of `save_params`: plain weights for torch, with what a fit found for the estimators."""

import io

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError
from skorch import NeuralNetClassifier
from skorch.callbacks import Checkpoint, TrainEndCheckpoint
from torch import nn

from skeeg import (
    EEGData,
    EEGNetClassifier,
    EEGNetRegressor,
    ModuleClassifier,
    ShallowConvNetClassifier,
)
from skeeg.layers import apply_max_norm
from skeeg.networks import EEGNet

from .support import make, oscillations

SHAPE = {"module__n_chans": 3, "module__n_times": 96, "module__n_outputs": 2}
NAMES = ["C3", "Cz", "C4"]


def recording(factor=1e-6):
    X, y = oscillations()
    return EEGData.from_arrays(factor * X, y, 96, NAMES)


def blank(cls=EEGNetClassifier, **params):
    """An initialised estimator of the right shape, with other weights."""
    length = {"kernel_length": 48} if cls is EEGNetClassifier else {}
    return make(cls, random_state=7, **length, **SHAPE, **params).initialize()


def saved(estimator, **files):
    buffer = io.BytesIO()
    estimator.save_params(f_params=buffer, **files)
    buffer.seek(0)
    return buffer


LABELS = [["left", "right"], [1, 2], [-1.0, 1.0], [False, True]]


@pytest.mark.parametrize("labels", [*map(np.array, LABELS), np.array(["a", "b"], dtype=object)])
def test_loaded_estimator_predicts_as_the_one_that_was_saved(labels):
    data = recording()
    fitted = make(EEGNetClassifier).fit(data, labels[data.y])
    loaded = blank()
    loaded.load_params(f_params=saved(fitted))
    np.testing.assert_array_equal(loaded.predict_proba(data), fitted.predict_proba(data))
    np.testing.assert_array_equal(loaded.predict(data), fitted.predict(data))
    assert loaded.classes_.dtype == labels.dtype
    assert loaded.scale_ == fitted.scale_
    assert (loaded.ch_names_, loaded.sfreq_) == (tuple(NAMES), 96)
    assert (loaded.n_features_in_, loaded.n_chans_, loaded.n_times_) == (3, 3, 96)
    other = EEGData.from_arrays(data.X, data.y, 96, NAMES[::-1])
    with pytest.raises(ValueError, match="Channel 0 of X is 'C4'"):
        loaded.predict(other)
    with pytest.warns(UserWarning, match="1e\\+06 times the amplitude"):
        loaded.predict(recording(1.0))


def test_loaded_regressor_predicts_in_the_unit_of_the_targets():
    X, _ = oscillations()
    fitted = make(EEGNetRegressor, kernel_length=48).fit(X, 50 + 10 * X[:, 0, 0])
    shape = SHAPE | {"module__n_outputs": 1}
    loaded = make(EEGNetRegressor, kernel_length=48, random_state=7, **shape).initialize()
    loaded.load_params(f_params=saved(fitted))
    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))


def test_names_that_are_numpys_strings_are_saved_as_well():
    X, y = oscillations()
    data = EEGData.from_arrays(X, y, np.float64(96), np.array(NAMES))
    fitted = make(EEGNetClassifier).fit(data, y)
    loaded = blank()
    loaded.load_params(f_params=saved(fitted))
    assert loaded.ch_names_ == tuple(NAMES)


def test_columns_of_a_data_frame_are_loaded_or_forgotten():
    X, y = oscillations(n_chans=1)
    frame = pd.DataFrame(X[:, 0]).add_prefix("t")
    named, unnamed = (make(ShallowConvNetClassifier).fit(data, y) for data in (frame, X[:, 0]))
    file = saved(named)
    unnamed_file = saved(unnamed)
    unnamed.load_params(f_params=file)
    np.testing.assert_array_equal(unnamed.feature_names_in_, frame.columns)
    named.load_params(f_params=unnamed_file)
    assert not hasattr(named, "feature_names_in_")


def test_file_is_a_plain_state_dict_of_torch():
    data = recording()
    fitted = make(EEGNetClassifier).fit(data, np.array(["left", "right"])[data.y])
    state = torch.load(saved(fitted), weights_only=True)
    assert state.keys() == fitted.module_.state_dict().keys()
    assert all(isinstance(value, torch.Tensor) for value in state.values())
    network = EEGNet(3, 96, 2, kernel_length=48)
    network.load_state_dict(state, strict=True)
    scaled = torch.from_numpy(data.X / np.float32(fitted.scale_))
    with torch.no_grad():
        proba = torch.softmax(network.eval()(scaled), dim=1)
    np.testing.assert_allclose(proba, fitted.predict_proba(data), atol=1e-5)
    # Nothing stays on the network of the estimator.
    assert "skeeg" not in fitted.module_.state_dict()._metadata[""]


class TestFilesOfOthers:
    def test_initialised_estimator_takes_the_weights_and_refuses_to_predict(self):
        data = recording()
        network = EEGNet(3, 96, 2, kernel_length=48)
        apply_max_norm(network)  # as each step of the training does
        file = io.BytesIO()
        torch.save(network.state_dict(), file)
        file.seek(0)
        estimator = blank()
        estimator.load_params(f_params=file)
        for a, b in zip(estimator.module_.parameters(), network.parameters(), strict=True):
            assert torch.equal(a, b)
        for method in (estimator.predict, estimator.predict_proba):
            with pytest.raises(NotFittedError):
                method(data)
        with pytest.raises(NotFittedError):
            estimator.score(data, data.y)
        # A fit that continues begins with these weights.
        estimator.set_params(lr=1e-30, max_epochs=1).partial_fit(data, data.y)
        assert torch.equal(estimator.module_.dense.weight, network.dense.weight)
        assert estimator.predict(data).shape == (24,)

    def test_fitted_attributes_are_kept(self):
        data = recording()
        estimator = make(EEGNetClassifier).fit(data, np.array(["left", "right"])[data.y])
        scale, other = estimator.scale_, make(EEGNetClassifier, random_state=3).fit(data, data.y)
        file = io.BytesIO()
        torch.save(other.module_.state_dict(), file)
        file.seek(0)
        estimator.load_params(f_params=file)
        assert estimator.scale_ == scale
        assert estimator.classes_.tolist() == ["left", "right"]
        np.testing.assert_array_equal(estimator.predict_proba(data), other.predict_proba(data))

    def test_files_can_be_exchanged_with_skorch(self):
        data = recording()
        fitted = make(EEGNetClassifier).fit(data, data.y)
        settings = {**SHAPE, "module__kernel_length": 48}
        plain = NeuralNetClassifier(EEGNet, criterion=nn.CrossEntropyLoss, **settings).initialize()
        plain.load_params(f_params=saved(fitted))
        scaled = data.X / np.float32(fitted.scale_)
        np.testing.assert_array_equal(plain.predict(scaled), fitted.predict(data))
        estimator = blank()
        estimator.load_params(f_params=saved(plain))
        assert torch.equal(estimator.module_.dense.weight, fitted.module_.dense.weight)
        with pytest.raises(NotFittedError):
            estimator.predict(data)

    def test_network_of_another_shape_raises(self):
        X, y = oscillations(n_chans=2)
        file = saved(make(EEGNetClassifier, kernel_length=48).fit(X, y))
        estimator = blank()
        with pytest.raises(RuntimeError, match="size mismatch"):
            estimator.load_params(f_params=file)
        assert not estimator.__sklearn_is_fitted__()


def test_optimiser_and_history_continue_a_training_as_if_it_had_not_stopped(tmp_path):
    data = recording()
    files = {f"f_{part}": tmp_path / part for part in ("params", "optimizer", "criterion")}
    files["f_history"] = tmp_path / "history.json"
    fitted = make(EEGNetClassifier).fit(data, data.y)
    fitted.save_params(**files)
    loaded = blank().set_params(random_state=0)
    loaded.load_params(**files)
    assert loaded.history[:, "train_loss"] == fitted.history[:, "train_loss"]
    a, b = (each.partial_fit(data, data.y).predict_proba(data) for each in (fitted, loaded))
    np.testing.assert_array_equal(a, b)
    assert len(loaded.history) == 6


@pytest.mark.parametrize("load_best", [True, False])
def test_checkpoint_restores_the_best_epoch(tmp_path, load_best):
    data = recording()
    checkpoint = Checkpoint(monitor="valid_loss_best", dirname=tmp_path, load_best=load_best)
    y = np.random.default_rng(0).permutation(data.y)  # the loss must rise
    settings = {"lr": 0.05, "max_epochs": 8, "train_split": lambda ds, y, **kw: (ds, ds)}
    estimator = make(ModuleClassifier, callbacks=[checkpoint], **settings).fit(data, y)
    losses = np.array(estimator.history[:, "valid_loss"])
    proba = estimator.predict_proba(data)
    loss = -np.log(proba[np.arange(24), y]).mean()
    assert loss == pytest.approx(losses.min() if load_best else losses[-1], rel=1e-4)
    # The file is complete: it makes an initialised estimator ready to predict.
    loaded = blank(ModuleClassifier, module__kernel_length=48)
    loaded.load_params(checkpoint=checkpoint)
    best = -np.log(loaded.predict_proba(data)[np.arange(24), y]).mean()
    assert best == pytest.approx(losses.min(), rel=1e-4)


def test_checkpoint_at_the_end_of_training_holds_the_fitted_estimator(tmp_path):
    data = recording()
    callback = TrainEndCheckpoint(dirname=tmp_path)
    estimator = make(EEGNetClassifier, callbacks=[callback]).fit(data, data.y)
    loaded = blank()
    loaded.load_params(f_params=tmp_path / "train_end_params.pt")
    np.testing.assert_array_equal(loaded.predict_proba(data), estimator.predict_proba(data))


def test_safetensors_hold_the_weights_only(tmp_path):
    pytest.importorskip("safetensors")
    data = recording()
    fitted = make(EEGNetClassifier).fit(data, data.y)
    fitted.save_params(f_params=tmp_path / "params.safetensors", use_safetensors=True)
    loaded = blank()
    loaded.load_params(f_params=tmp_path / "params.safetensors", use_safetensors=True)
    assert torch.equal(loaded.module_.dense.weight, fitted.module_.dense.weight)
    with pytest.raises(NotFittedError):
        loaded.predict(data)


def test_saving_or_loading_without_a_network_raises(tmp_path):
    for method in ("save_params", "load_params"):
        with pytest.raises(NotFittedError):
            getattr(EEGNetClassifier(), method)(f_params=tmp_path / "params.pt")
