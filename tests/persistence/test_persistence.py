"""Files of fitted estimators: what they hold, that it is no code, and that damage is refused."""

import contextlib
import json
import os
import pickle
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from torch import nn

import skeeg
from skeeg import EEGNetClassifier, EEGNetRegressor, ModuleClassifier
from skeeg.alignment import EuclideanAlignment
from skeeg.baselines import band_power_svm, csp_lda, tangent_space_lr, xdawn_lr
from skeeg.channel_selection import MutualInformationSelector, NetworkChannelSelector
from skeeg.ensemble import EnsembleClassifier
from skeeg.features import UnitScaler
from skeeg.model_selection import Memoized
from skeeg.persistence import _files, read_card
from skeeg.persistence._archive import ARRAYS, MANIFEST, read_members, write_members

RNG = np.random.default_rng(0)
X = RNG.standard_normal((24, 4, 128))
Y = np.array(["left", "right"])[np.arange(24) % 2]
VERSION_FILES = sorted((Path(__file__).parent / "files").glob("version_*.skeeg"))


def eegnet(**params):
    return EEGNetClassifier(max_epochs=2, random_state=0, **params)


ESTIMATORS = {
    "network": eegnet,
    "early stopping": lambda: eegnet(early_stopping=True),
    "class weights": lambda: eegnet(class_weight={"left": 1, "right": 2.5}),
    "augmentation": lambda: eegnet(augment=["sign_flip", skeeg.augmentation.GaussianNoise()]),
    "selected channels": lambda: eegnet(n_selected_chans=2),
    "gumbel": lambda: eegnet(n_selected_chans=2, selection__method="gumbel"),
    "csp": lambda: csp_lda(4),
    "tangent space": tangent_space_lr,
    "xdawn": xdawn_lr,
    "band power": lambda: band_power_svm(sfreq=128.0),
    "pipeline": lambda: make_pipeline(UnitScaler(), eegnet()),
    "ensemble": lambda: EnsembleClassifier(eegnet(), n_members=2),
    "alignment": lambda: make_pipeline(EuclideanAlignment(), eegnet()),
    "calibrated": lambda: CalibratedClassifierCV(eegnet(), cv=2),
    "search": lambda: GridSearchCV(eegnet(), {"dropout": [0.1, 0.5]}, cv=2),
    "selector": lambda: make_pipeline(MutualInformationSelector(2), csp_lda(2)),
    "network selector": lambda: make_pipeline(NetworkChannelSelector(eegnet(), 2), csp_lda(2)),
}


def predictions(estimator, trials=X):
    method = "predict_proba" if hasattr(estimator, "predict_proba") else "predict"
    return getattr(estimator, method)(trials)


@pytest.fixture(scope="module")
def fitted():
    return eegnet().fit(X, Y)


@pytest.fixture
def saved(fitted, tmp_path):
    return skeeg.save(fitted, tmp_path / "model")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_predicts_the_same_bits_after_a_round_trip(name, tmp_path):
    estimator = ESTIMATORS[name]().fit(X, Y)
    path = skeeg.save(estimator, tmp_path / "model.skeeg")
    loaded = skeeg.load(path)
    assert type(loaded) is type(estimator)
    assert repr(loaded) == repr(estimator)
    np.testing.assert_array_equal(predictions(loaded), predictions(estimator))
    # A second generation is the same file, apart from the time on its card.
    again = read_members(skeeg.save(loaded, tmp_path / "again.skeeg"))
    assert again[ARRAYS] == read_members(path)[ARRAYS]


def test_memoized_and_frozen_estimators_and_regressors_are_kept(fitted, tmp_path):
    memoized = Memoized(eegnet(), tmp_path / "store").fit(X, Y)
    targets = RNG.standard_normal((24, 2)) * 1e4
    regressor = EEGNetRegressor(max_epochs=2, random_state=0).fit(X, targets)
    for estimator in (memoized, FrozenEstimator(fitted), regressor):
        loaded = skeeg.load(skeeg.save(estimator, tmp_path / "model"))
        np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))


def test_a_new_process_predicts_the_same_bits(fitted, saved, tmp_path):
    np.save(tmp_path / "X.npy", X)
    code = (
        "import numpy as np, skeeg; "
        f"np.save('p.npy', skeeg.load({str(saved)!r}).predict_proba(np.load('X.npy')))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env=environment)
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), fitted.predict_proba(X))


def test_training_continues_as_if_the_estimator_had_not_been_saved(tmp_path):
    original = eegnet().fit(X, Y)
    loaded = skeeg.load(skeeg.save(original, tmp_path / "model"))
    assert loaded.history == original.history
    for estimator in (original, loaded):
        estimator.partial_fit(X, Y)
    np.testing.assert_array_equal(loaded.predict_proba(X), original.predict_proba(X))
    assert loaded.history[:, "train_loss"] == original.history[:, "train_loss"]


def test_labels_names_and_rate_come_back_with_their_types(tmp_path):
    data = skeeg.EEGData.from_arrays(X, np.arange(24) % 2 == 1, sfreq=128, ch_names=list("abcd"))
    loaded = skeeg.load(skeeg.save(eegnet().fit(data, data.y), tmp_path / "model"))
    assert loaded.classes_.dtype == bool
    assert (loaded.ch_names_, loaded.sfreq_) == (("a", "b", "c", "d"), 128.0)


def test_nothing_in_a_file_is_a_pickle(tmp_path):
    estimator = make_pipeline(UnitScaler(), csp_lda(4)).fit(X, Y)
    path = skeeg.save(estimator, tmp_path / "model")
    names = [MANIFEST, ARRAYS]
    with zipfile.ZipFile(path) as archive:
        others = [name for name in archive.namelist() if name not in names]
        for name in others:
            with archive.open(name) as file, zipfile.ZipFile(file) as inner:
                assert {Path(part).suffix for part in inner.namelist()} <= {".json", ".npy"}
        for content in map(archive.read, archive.namelist()):
            assert pickle.dumps(1)[:2] not in content[:2]
    assert others  # of scikit-learn
    json.loads(read_members(path)[MANIFEST])


# ---------------------------------------------------------------------- what is refused


def test_unfitted_estimators_and_other_objects_are_refused(tmp_path):
    with pytest.raises(NotFittedError, match="before it is saved"):
        skeeg.save(eegnet(), tmp_path / "model")
    for wrong in (EEGNetClassifier, 3, None):
        with pytest.raises(TypeError, match="fitted estimator"):
            skeeg.save(wrong, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_functions_and_instances_of_modules_are_refused_by_name(tmp_path):
    step = make_pipeline(FunctionTransformer(lambda trials: trials), eegnet()).fit(X, Y)
    with pytest.raises(TypeError, match="skops cannot store"):
        skeeg.save(step, tmp_path / "model")
    net = eegnet(criterion=nn.CrossEntropyLoss()).fit(X, Y)
    with pytest.raises(TypeError, match=r"criterion is an instance of CrossEntropyLoss.*class"):
        skeeg.save(net, tmp_path / "model")
    assert not list(tmp_path.iterdir())


MODULE = """
from torch import nn

class Net(nn.Sequential):
    def __init__(self, n_chans, n_times, n_outputs):
        super().__init__(nn.Flatten(), nn.Linear(n_chans * n_times, n_outputs))
"""


def test_a_module_of_the_user_is_imported_only_if_it_is_trusted(tmp_path, monkeypatch):
    (tmp_path / "my_networks.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    import my_networks

    clf = ModuleClassifier(module=my_networks.Net, max_epochs=1, random_state=0).fit(X, Y)
    path = skeeg.save(clf, tmp_path / "model")
    monkeypatch.delitem(sys.modules, "my_networks")
    with pytest.raises(ValueError, match=r"needs my_networks:Net.*trusted=\['my_networks:Net'\]"):
        skeeg.load(path)
    assert "my_networks" not in sys.modules  # its code was not run
    loaded = skeeg.load(path, trusted=["my_networks:Net"])
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))


@pytest.mark.parametrize(
    "root",
    [
        {"class": "os:system"},
        {"class": "subprocess:Popen"},
        {"object": "os:system", "state": {"dict": []}},
        {"object": "skeeg.cli:main", "state": {"dict": []}},
        {"object": "skeeg._archive:Path", "state": {"dict": []}},
        {"network": "torch.nn.modules.linear:Linear", "state": {"dict": []}},
        {"network": "skeeg.data:EEGData", "state": {"dict": []}},
        {"list": [{"class": "posix:system"}]},
    ],
)
def test_names_of_other_code_are_refused(root, saved):
    change(saved, lambda manifest: manifest.update(estimator=root))
    with pytest.raises(ValueError, match=str(saved)):
        skeeg.load(saved)


def change(path, edit):
    members = read_members(path)
    manifest = json.loads(members[MANIFEST])
    edit(manifest)
    write_members(path, {**members, MANIFEST: json.dumps(manifest).encode()})


def nested(depth):
    value = 1
    for _ in range(depth):
        value = {"list": [value]}
    return value


def set_parameter(name, value):
    def edit(manifest):
        pairs = manifest["estimator"]["state"]["dict"]
        assert any(pair[0] == name for pair in pairs)
        manifest["estimator"]["state"]["dict"] = [
            [key, value if key == name else item] for key, item in pairs
        ]

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        lambda manifest: manifest.update(estimator=nested(100)),
        lambda manifest: manifest.update(format="another"),
        lambda manifest: manifest.update(version=0),
        lambda manifest: manifest.pop("estimator"),
        set_parameter("n_temporal_filters", 10**9),
        set_parameter("n_temporal_filters", 4096),
        set_parameter("n_threads", 10**6),
        set_parameter("kernel_length", 10**15),
        set_parameter("max_epochs", "many"),
        set_parameter("activation", "unknown"),
    ],
)
def test_manifests_that_save_does_not_write_are_refused(edit, saved):
    change(saved, edit)
    with pytest.raises(ValueError, match="cannot be read as a model"):
        skeeg.load(saved)


def test_a_file_of_a_newer_version_asks_for_an_update(saved):
    change(saved, lambda manifest: manifest.update(version=_files.VERSION + 1))
    with pytest.raises(ValueError, match="update skeeg"):
        skeeg.load(saved)


def test_what_is_not_a_file_of_a_model_is_refused(tmp_path, saved):
    with pytest.raises(FileNotFoundError, match=r"skeeg\.save"):
        skeeg.load(tmp_path / "absent.skeeg")
    folder, pipe, sparse = (tmp_path / name for name in ("folder", "pipe", "sparse"))
    folder.mkdir()
    os.mkfifo(pipe)
    with sparse.open("wb") as file:
        file.truncate(3 * 2**30)
    bomb = tmp_path / "bomb"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, b" " * 2**24)
        archive.writestr(ARRAYS, b"\0" * 2**24)
    for path in (folder, pipe, sparse, bomb, Path("/dev/zero")):
        for read in (skeeg.load, read_card):
            with pytest.raises(ValueError, match=f"{path} cannot be read as a model"):
                read(path)


def mutated(content, rng):
    changed = bytearray(content)
    kind = rng.choice(["flip", "cut", "insert", "clear"])
    at = rng.randrange(len(changed))
    if kind == "flip":
        changed[at] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del changed[at:]
    elif kind == "insert":
        changed[at:at] = rng.randbytes(rng.randint(1, 9))
    else:
        changed[at : at + 64] = bytes(len(changed[at : at + 64]))
    return bytes(changed)


@pytest.mark.parametrize("n_cases", [150, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_damaged_file_is_refused_or_loads_unchanged(n_cases, fitted, saved, tmp_path):
    content, expected = saved.read_bytes(), fitted.predict_proba(X)
    rng, path = random.Random(n_cases), tmp_path / "damaged.skeeg"
    for _ in range(n_cases):
        path.write_bytes(mutated(content, rng))
        try:
            loaded = skeeg.load(path)
        except ValueError:
            continue
        else:  # a byte of the archive that says nothing of the members
            np.testing.assert_array_equal(loaded.predict_proba(X), expected)


VALUES = (None, -1, 10**9, 1e308, "x", [], {}, {"list": []}, {"class": "os:system"}, "cuda", "meta")


def places(value, before=()):
    yield before
    items = value.items() if isinstance(value, dict) else ()
    for key, item in enumerate(value) if isinstance(value, list) else items:
        yield from places(item, (*before, key))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n_cases", [150, pytest.param(3_000, marks=pytest.mark.slow)])
def test_a_forged_manifest_raises_nothing_but_a_value_error(n_cases, saved):
    rng, members = random.Random(n_cases), read_members(saved)
    original = json.loads(members[MANIFEST])
    for _ in range(n_cases):
        manifest = json.loads(members[MANIFEST])
        *path, last = rng.choice(
            [place for place in places(original) if place[:1] == ("estimator",)]
        )
        inner = manifest
        for key in path:
            inner = inner[key]
        inner[last] = rng.choice(VALUES)
        write_members(saved, {**members, MANIFEST: json.dumps(manifest).encode()})
        with contextlib.suppress(ValueError):
            skeeg.load(saved)


# ---------------------------------------------------------------------- versions and the card


@pytest.mark.parametrize("path", VERSION_FILES, ids=lambda path: path.stem)
def test_files_of_every_version_load(path):
    loaded = skeeg.load(path)
    trials = np.random.default_rng(0).standard_normal((24, 4, 128))
    expected = json.loads(path.with_suffix(".json").read_text())
    # Another processor can round otherwise in the last digits.
    np.testing.assert_allclose(loaded.predict_proba(trials), expected, rtol=0, atol=1e-4)


def test_there_is_a_file_of_every_version():
    assert [path.stem for path in VERSION_FILES] == [
        f"version_{version}" for version in range(1, _files.VERSION + 1)
    ]


def test_the_card_says_what_the_model_is(tmp_path):
    data = skeeg.EEGData.from_arrays(
        X, Y, sfreq=128, ch_names=list("abcd"), subject=np.arange(24) % 3
    )
    clf = make_pipeline(UnitScaler(), eegnet(alpha=0.2, activation="elu")).fit(data, data.y)
    path = skeeg.save(
        clf,
        tmp_path / "model",
        data=data,
        scores={"accuracy": {"mean": 0.8125, "low": 0.7, "high": 0.9}},
        intended_use="A test.",
    )
    card = read_card(path)
    assert card.task == "classification"
    assert card.classes == ["left", "right"]
    assert card.n_parameters == sum(p.numel() for p in clf[-1].module_.parameters())
    assert card.data["trials"] == 24
    assert card.data["trials by class"] == "left: 12, right: 12"
    assert card.data["subjects"] == 3
    assert card.versions["torch"] == torch.__version__
    text = card.to_markdown()
    for words in ("alpha=0.2", "mean 0.812, low 0.700", "A test.", "Sampling rate", "left, right"):
        assert words in text
    with pytest.raises(TypeError, match="scores must be numbers"):
        skeeg.save(clf, path, scores={"accuracy": object()})
    assert read_card(path) == card  # nothing was half-written


@pytest.mark.cuda
def test_a_model_trained_on_a_gpu_loads_on_the_cpu(tmp_path, monkeypatch):
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    path = skeeg.save(eegnet(device="cuda").fit(X, Y), tmp_path / "model")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.warns(UserWarning, match="CPU"):
        loaded = skeeg.load(path)
    assert next(loaded.module_.parameters()).device.type == "cpu"
