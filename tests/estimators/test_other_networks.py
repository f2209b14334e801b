"""Networks of other packages by name: a stand-in for braindecode, and its registry if installed."""

import pickle
import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch import nn
from typer.testing import CliRunner

from skeeg import EEGData, ModuleClassifier, ModuleRegressor, compare
from skeeg._other_networks import other_networks
from skeeg.cli import app
from skeeg.models import build_model


class TinyNet(nn.Module):
    """A network as braindecode writes them."""

    def __init__(self, n_outputs=None, n_chans=None, n_times=None, sfreq=None, width=3, drop=0.0):
        super().__init__()
        self.sfreq = sfreq
        self.mix = nn.Conv1d(n_chans, width, 1)
        self.drop = nn.Dropout(drop)
        self.final_layer = nn.Linear(width * n_times, n_outputs)

    def forward(self, x):
        return self.final_layer(self.drop(torch.relu(self.mix(x))).flatten(1))


class Sequencer(nn.Module):
    """Not a decoder of trials: its constructor does not take their length."""

    def __init__(self, n_chans, n_outputs):
        super().__init__()


@pytest.fixture
def braindecode(monkeypatch):
    package, models = ModuleType("braindecode"), ModuleType("braindecode.models")
    models.TinyNet, models.Sequencer = TinyNet, Sequencer
    monkeypatch.setitem(sys.modules, "braindecode", package)
    monkeypatch.setitem(sys.modules, "braindecode.models", models)


@pytest.fixture
def absent(monkeypatch):
    monkeypatch.setitem(sys.modules, "braindecode", None)
    monkeypatch.setitem(sys.modules, "braindecode.models", None)


def recorded(n_trials=24, n_chans=3, n_times=32, sfreq=64.0):
    rng = np.random.default_rng(0)
    y = np.arange(n_trials) % 2
    X = rng.standard_normal((n_trials, n_chans, n_times))
    X[:, 0] += 2 * y[:, None]
    return EEGData.from_arrays(X, np.array(["left", "right"])[y], sfreq)


def named(**params):
    params = {"max_epochs": 2, "random_state": 0} | params
    return ModuleClassifier(module="braindecode.TinyNet", **params)


@pytest.mark.usefixtures("braindecode")
def test_a_name_gives_the_same_fit_as_the_class():
    data = recorded()
    by_name = named().fit(data, data.y)
    by_class = clone(by_name).set_params(module=TinyNet).fit(data, data.y)
    assert type(by_name.module_) is TinyNet
    assert by_name.module_.sfreq == 64.0
    assert_array_equal(by_name.predict_proba(data), by_class.predict_proba(data))


@pytest.mark.usefixtures("braindecode")
def test_parameters_reach_the_network_and_typos_do_not():
    data = recorded()
    assert named(module__width=5).fit(data, data.y).module_.mix.out_channels == 5
    with pytest.raises(TypeError, match="Did you mean 'module__width'"):
        named(module__widht=5)


@pytest.mark.usefixtures("braindecode")
def test_a_search_reaches_the_network_and_its_name():
    data = recorded()
    grid = {"module__width": [2, 4], "module": ["braindecode.TinyNet"]}
    search = GridSearchCV(named(), grid, cv=2, error_score="raise").fit(data, data.y)
    assert search.best_estimator_.module == "braindecode.TinyNet"


@pytest.mark.usefixtures("braindecode")
def test_regressors_take_names_too():
    data = recorded()
    reg = ModuleRegressor(module="braindecode.TinyNet", max_epochs=1).fit(data, data.X[:, 0, 0])
    assert reg.predict(data).shape == (24,)


@pytest.mark.usefixtures("braindecode")
@pytest.mark.parametrize("name", ["braindecode.TinyNte", "braindecode.tinynet"])
def test_a_misspelt_network_offers_the_nearest(name):
    data = recorded()
    with pytest.raises(ValueError, match=r"Did you mean 'braindecode\.TinyNet'\?"):
        ModuleClassifier(module=name).fit(data, data.y)
    with pytest.raises(ValueError, match=r"Did you mean 'braindecode\.TinyNet'\?"):
        build_model(name, sfreq=64)


@pytest.mark.usefixtures("braindecode")
def test_a_network_that_does_not_take_trials_is_not_listed():
    assert list(other_networks("braindecode")) == ["braindecode.TinyNet"]


def test_a_name_without_package_says_what_a_name_is():
    data = recorded()
    with pytest.raises(ValueError, match=r"must begin with 'braindecode\.'.*got 'EEGConformer'"):
        ModuleClassifier(module="EEGConformer").fit(data, data.y)


@pytest.mark.usefixtures("absent")
def test_without_braindecode_the_error_says_what_to_install():
    data = recorded()
    clf = ModuleClassifier(module="braindecode.ATCNet", module__anything=1)
    with pytest.raises(ImportError, match=r"need braindecode.*pip install 'skeeg\[braindecode\]'"):
        clf.fit(data, data.y)
    with pytest.raises(ImportError, match="need braindecode"):
        compare(["braindecode.ATCNet"], data)
    result = CliRunner().invoke(app, ["compare", "--models", "braindecode.ATCNet"])
    assert result.exit_code == 1
    assert "need braindecode" in " ".join(result.output.replace("│", " ").split())


@pytest.mark.usefixtures("braindecode")
def test_compare_takes_names_beside_built_in_models():
    data = recorded(n_times=64)
    model = build_model("braindecode.TinyNet", sfreq=64, max_epochs=3, random_state=1)
    assert (model.max_epochs, model.random_state) == (3, 1)
    comparison = compare({"theirs": model, "ours": build_model("csp-lda", sfreq=64)}, data, cv=2)
    assert comparison.estimators == ["theirs", "ours"]


# ---------------------------------------------------------------- braindecode itself

#: What braindecode 1.8.1 raises for 4 s of 22 channels at 250 Hz without further arguments.
NEED_MORE = {
    "AttnSleep": "d_model is 80",
    "DANCE": "chs_info",
    "DGCNN": "chs_info",
    "EEGDINO": "n_channel_embeddings",
    "EEGSym": "chs_info",
    "EMG2QwertyNet": "n_chans == num_bands",
    "HybridNet": r"is needed|\(n_trials, 2\)",
    "Labram": "ch_names",
    "MetaNeuromotorHand": "frequency band",
    "NeuroPose": r"\(n_trials, 2\)",
    "SensingDynamics": "16-channel",
    "SignalJEPA": "chs_info",
    "SignalJEPA_Contextual": "chs_info",
    "USleep": "time_conv_size",
    "VEMG2Pose": "left context",
    "ZUNA": "channel locations",
}

#: Networks that take minutes on a CPU, or download electrode positions.
NOT_TRIED = {
    *("BENDR", "BrainModule", "CodeBrain", "DeepSleepNet", "EEGInceptionMI", "EEGPT"),
    *("REVE", "STEEGFormer"),
}


def _registry():
    try:
        return [name for name in other_networks("braindecode") if _short(name) not in NOT_TRIED]
    except ImportError:
        return []


def _short(name):
    return name.partition(".")[2]


@pytest.mark.slow
@pytest.mark.parametrize("name", _registry())
def test_every_network_of_braindecode_fits_pickles_and_is_searched(name):
    X, y = np.random.default_rng(0).standard_normal((8, 22, 1000)), np.arange(8) % 2
    data = EEGData.from_arrays(X, y, 250.0)
    clf = ModuleClassifier(module=name, max_epochs=1, random_state=0)
    if _short(name) in NEED_MORE:
        with pytest.raises(ValueError, match=NEED_MORE[_short(name)]):
            clf.fit(data, y)
        return
    search = GridSearchCV(clf, {"lr": [0.001]}, cv=2, error_score="raise").fit(data, y)
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    assert_array_equal(again.predict_proba(data), search.predict_proba(data))


@pytest.mark.slow
def test_a_fitted_network_of_braindecode_loads_in_a_new_process(tmp_path):
    pytest.importorskip("braindecode", reason="braindecode comes with the extra 'braindecode'")
    data = recorded(n_chans=22, n_times=500, sfreq=125.0)
    clf = ModuleClassifier(module="braindecode.EEGNet", max_epochs=1, random_state=0)
    clf.fit(data, data.y)
    (tmp_path / "clf.pickle").write_bytes(pickle.dumps(clf))
    np.save(tmp_path / "X.npy", data.X)
    code = (
        "import pickle, sys, numpy as np; folder = sys.argv[1];"
        "clf = pickle.load(open(folder + '/clf.pickle', 'rb'));"
        "np.save(folder + '/p.npy', clf.predict_proba(np.load(folder + '/X.npy')))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert_array_equal(np.load(tmp_path / "p.npy"), clf.predict_proba(data.X))
