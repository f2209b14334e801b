"""Exported files compute what the estimators predict, for any number of trials."""

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import skeeg
from skeeg import EEGNetClassifier, EEGNetRegressor, ShallowConvNetClassifier
from skeeg.ensemble import EnsembleClassifier
from skeeg.export import ExportedDecoder

from ..estimators.support import (
    CLASSIFIERS,
    NAMES,
    OF_POINTS,
    TOPOGRAPHIC,
    make,
    maps,
    oscillations,
)


def trials_for(cls):
    """Trials and labels that an estimator takes."""
    if cls in TOPOGRAPHIC:
        return maps()
    X, y = oscillations()
    return (X[:, :, :4].repeat(3, axis=1), y) if cls in OF_POINTS else (X, y)


def predictions_of(path, X):
    """Predictions of an ONNX file."""
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(path)
    (values,) = session.run(None, {"X": X.astype(np.float32)})
    return values


@pytest.fixture(scope="module")
def fitted():
    X, y = oscillations(n_chans=3)
    labels = np.array(["left", "right"])[y]
    data = skeeg.EEGData.from_arrays(1e-5 * X, labels, sfreq=128.0, ch_names=["C3", "Cz", "C4"])
    return make(ShallowConvNetClassifier).fit(data, data.y), data


#: The networks whose batch axis is hardest to keep free; the others are exported with -m slow.
HARDEST = (skeeg.CNNLSTMClassifier, EEGNetClassifier, ShallowConvNetClassifier)


@pytest.mark.parametrize(
    "cls",
    [
        pytest.param(cls, id=name, marks=[pytest.mark.slow] * (cls not in HARDEST))
        for cls, name in zip(CLASSIFIERS, NAMES, strict=True)
    ],
)
def test_every_network_exports_with_any_number_of_trials(cls, tmp_path):
    X, y = trials_for(cls)
    model = make(cls, max_epochs=1).fit(X, y)
    path = skeeg.export_torch(model, tmp_path / "decoder.pt2")
    run = torch.export.load(path).module()
    for n_trials in (1, 3, len(X)):
        trials = torch.tensor(X[:n_trials], dtype=torch.float32)
        expected = model.predict_proba(X[:n_trials])
        np.testing.assert_allclose(run(trials).numpy(), expected, atol=1e-5)


def test_long_trials_export_with_any_number_of_trials(tmp_path):
    # ShallowConvNet squares and pools long trials in pieces that fit into the cache.
    X, y = oscillations(n_trials=50, n_chans=8, n_times=500)
    model = make(ShallowConvNetClassifier, max_epochs=1).fit(X, y)
    run = torch.export.load(skeeg.export_torch(model, tmp_path / "decoder.pt2")).module()
    found = run(torch.tensor(X, dtype=torch.float32)).numpy()
    np.testing.assert_allclose(found, model.predict_proba(X), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("cls", CLASSIFIERS, ids=NAMES)
def test_onnx_of_every_network_predicts_the_same(cls, tmp_path):
    X, y = trials_for(cls)
    model = make(cls, max_epochs=1).fit(X, y)
    path = skeeg.export_onnx(model, tmp_path / "decoder.onnx")
    for n_trials in (1, 3, len(X)):
        expected = model.predict_proba(X[:n_trials])
        np.testing.assert_allclose(predictions_of(path, X[:n_trials]), expected, atol=1e-5)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"selection__method": "gumbel"},
        {"selection__method": "gumbel", "selection__unique": False},
    ],
    ids=["elimination", "gumbel", "gumbel with duplicates"],
)
def test_selected_channels_are_in_the_program(params, tmp_path):
    X, y = oscillations()
    model = make(EEGNetClassifier, n_selected_chans=2, **params).fit(X, y)
    decoder = ExportedDecoder(model)
    trials = torch.tensor(X, dtype=torch.float32)
    np.testing.assert_allclose(decoder(trials).numpy(), model.predict_proba(X), atol=1e-5)
    exported = skeeg.export_torch(model, tmp_path / "decoder.pt2")
    run = torch.export.load(exported).module()
    (others,) = np.nonzero(~np.isin(np.arange(3), model.selected_channels_))
    changed = trials.clone()
    changed[:, others] = 100.0
    np.testing.assert_array_equal(run(changed).numpy(), run(trials).numpy())


def test_onnx_file_runs_without_skeeg_and_torch(fitted, tmp_path):
    model, data = fitted
    skeeg.export_onnx(model, tmp_path / "decoder.onnx")
    np.save(tmp_path / "X.npy", data.X.astype(np.float32))
    code = """
import json, sys
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession("decoder.onnx")
trials = np.load("X.npy")
(probabilities,) = session.run(["probabilities"], {"X": trials})
(one,) = session.run(["probabilities"], {"X": trials[:1]})
assert one.shape == (1, 2)
about = json.loads(session.get_modelmeta().custom_metadata_map["skeeg"])
assert not {"torch", "skeeg", "sklearn"} & {*sys.modules}
print(json.dumps([probabilities.tolist(), about]))
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    probabilities, about = json.loads(run.stdout)
    np.testing.assert_allclose(probabilities, model.predict_proba(data), atol=1e-5)
    assert about["classes"] == ["left", "right"]
    assert about["ch_names"] == ["C3", "Cz", "C4"]
    assert about["sfreq"] == 128.0
    assert about["trial_shape"] == [3, 96]


@pytest.mark.parametrize("shape", [(24,), (24, 2)])
def test_regressors_return_the_unit_of_the_targets(shape, tmp_path):
    X, _ = oscillations()
    y = 1e6 + 1e3 * np.random.default_rng(0).standard_normal(shape)
    model = make(EEGNetRegressor).fit(X, y)
    values = torch.export.load(skeeg.export_torch(model, tmp_path / "a.pt2")).module()(
        torch.tensor(X, dtype=torch.float32)
    )
    assert values.shape == shape
    np.testing.assert_allclose(values.numpy(), model.predict(X), rtol=0, atol=1e3 * 1e-5)


def test_ensembles_average_their_members():
    X, y = oscillations()
    model = EnsembleClassifier(make(ShallowConvNetClassifier), n_members=2, random_state=0)
    model.fit(X, y)
    found = ExportedDecoder(model)(torch.tensor(X, dtype=torch.float32))
    np.testing.assert_allclose(found.numpy(), model.predict_proba(X), atol=1e-5)


def test_export_leaves_the_estimator_unchanged(fitted, tmp_path):
    model, data = fitted
    before = model.predict_proba(data)
    skeeg.export_torch(model, tmp_path / "decoder.pt2")
    assert model.module_.filters.method == "auto"
    assert all(weight.requires_grad for weight in model.module_.parameters())
    np.testing.assert_array_equal(model.predict_proba(data), before)


def test_program_holds_the_metadata(fitted, tmp_path):
    extra = {"skeeg": ""}
    torch.export.load(skeeg.export_torch(fitted[0], tmp_path / "decoder.pt2"), extra_files=extra)
    assert json.loads(extra["skeeg"])["classes"] == ["left", "right"]


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (EEGNetClassifier(), NotFittedError, "Call fit before the export"),
        (EnsembleClassifier(EEGNetClassifier()), NotFittedError, "Call fit before the export"),
        (LogisticRegression(), TypeError, "got LogisticRegression"),
        (EEGNetClassifier, TypeError, "got <class"),
        (
            make_pipeline(FunctionTransformer(), EEGNetClassifier()),
            TypeError,
            r"pipeline\[-1\]",
        ),
    ],
)
def test_what_cannot_be_exported_is_refused(estimator, error, message, tmp_path):
    with pytest.raises(error, match=message):
        skeeg.export_onnx(estimator, tmp_path / "decoder.onnx")
    assert not list(tmp_path.iterdir())


def test_missing_onnx_names_the_extra(fitted, tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnx" else find(name)
    )
    with pytest.raises(ImportError, match=r"needs onnx, .*pip install 'skeeg\[onnx\]'"):
        skeeg.export_onnx(fitted[0], tmp_path / "decoder.onnx")


def test_failed_export_keeps_the_old_file(fitted, tmp_path, monkeypatch):
    path = tmp_path / "decoder.onnx"
    path.write_bytes(b"old")

    def fail(*args, **kwargs):
        raise RuntimeError("disk full")

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(RuntimeError, match="disk full"):
        skeeg.export_onnx(fitted[0], path)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["decoder.onnx"]


def test_another_suffix_is_refused(fitted, tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.pt2, got 'decoder\.onnx'"):
        skeeg.export_torch(fitted[0], tmp_path / "decoder.onnx")
