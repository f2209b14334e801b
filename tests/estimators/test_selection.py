"""Channel selection by a layer that is trained with the network."""

import pickle
import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import check_estimator
from skorch.callbacks import Callback, LRScheduler
from torch import nn

from skeeg import CCNNClassifier, EEGData, EEGNetClassifier, ModuleClassifier
from skeeg.estimators import expected_failed_checks
from skeeg.estimators._gumbel import SETTLED
from skeeg.networks import summary

from ..channel_selection.support import LogVariance, powers
from .support import OF_SIGNALS, make

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
pytestmark = quiet
SELECTING = [cls for cls in OF_SIGNALS if "n_selected_chans" in cls().get_params()]


def selecting(n=2, **params):
    options = {"module": LogVariance, "n_selected_chans": n, "selection__method": "gumbel"}
    return make(ModuleClassifier, **options | params)


# ---------------------------------------------------------------------- learning


@pytest.fixture(scope="module")
def trained():
    """A fit with the defaults of the selection, without any warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        clf = selecting(lr=1e-2, max_epochs=40, batch_size="auto")
        return clf.fit(*powers(200, gain=1.6))


def test_defaults_select_the_informative_channels(trained):
    assert sorted(trained.selected_channels_) == [1, 4]
    assert trained.selection_entropy_[-1] <= SETTLED
    assert trained.score(*powers(100, gain=1.6, seed=1)) > 0.9


def test_attributes_describe_the_selection_and_its_training(trained):
    p, entropy = trained.selection_probabilities_, trained.selection_entropy_
    assert p.shape == (6, 2)
    assert_allclose(p.sum(axis=0), 1, rtol=1e-5)
    assert_array_equal(p.argmax(axis=0), trained.selected_channels_)
    assert trained.selected_channels_.dtype.kind == "i"
    assert entropy.shape == (40,)
    assert_array_equal(entropy, trained.history[:, "selection_entropy"])
    assert entropy[0] > 0.95
    clipped = np.clip(p.astype(float), 1e-10, 1)
    assert entropy[-1] == pytest.approx(
        -(clipped * np.log(clipped)).sum(axis=0).mean() / np.log(6), abs=1e-5
    )


def test_prediction_uses_only_the_selected_channels(trained):
    X, _ = powers(20, seed=3)
    proba = trained.predict_proba(X)
    others = np.setdiff1d(np.arange(6), trained.selected_channels_)
    X[:, others] = 1e3
    assert_array_equal(trained.predict_proba(X), proba)


def test_last_fifth_of_the_epochs_trains_only_the_network(trained):
    entropy = trained.selection_entropy_
    assert trained.module_.selection.frozen
    assert len(np.unique(entropy[31:])) == 1
    assert len(np.unique(entropy[:16])) == 16


def test_temperature_and_threshold_follow_the_epochs():
    seen = []

    class Look(Callback):
        def on_epoch_end(self, net, **kwargs):
            selection = net.module_.selection
            lr = next(g["lr"] for g in net.optimizer_.param_groups if g.get("selection"))
            seen.append((selection.current_temperature, selection.current_threshold, lr))

    selecting(max_epochs=8, selection__fine_tuning=0.0, selection__lr=0.5, callbacks=[Look]).fit(
        *powers()
    )
    epochs = np.arange(8)
    temperature = 10 * 0.01 ** np.minimum(epochs / 6, 1)
    assert_allclose([t for t, _, _ in seen], temperature)
    assert_allclose([t for _, t, _ in seen], 3 * (1.1 / 3) ** (epochs / 8))
    assert_allclose([lr for _, _, lr in seen], 0.5 * np.minimum(temperature, 1 / temperature))


def test_the_unique_selection_is_used_in_predict():
    X, y = powers(channels=(1, 4))
    clf = selecting(4, selection__unique=True, max_epochs=6, selection__lr=0.5).fit(X, y)
    assert len(set(clf.selected_channels_)) == 4
    by_hand = clf.module_.network.eval()(
        torch.tensor(X[:, clf.selected_channels_] / clf.scale_, dtype=torch.float32)
    )
    assert_allclose(clf.predict_proba(X), by_hand.softmax(dim=1).detach(), atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.filterwarnings("ignore:The channel selection")
def test_channels_are_distinct_by_default_before_the_choice_has_settled(seed):
    X, y = powers()
    names = [f"E{i}" for i in range(X.shape[1])]
    clf = selecting(4, max_epochs=2, selection__lr=1e-3, random_state=seed)
    clf.fit(EEGData.from_arrays(X, y, 100, names), y)
    assert len(set(clf.selected_channels_)) == 4
    assert clf.selected_ch_names_ == tuple(names[i] for i in clf.selected_channels_)


def test_penalty_joins_the_loss_in_training_only():
    X, y = powers()
    options = {"lr": 1e-30, "selection__lr": 1e-30, "max_epochs": 1, "batch_size": -1}
    loss = [
        selecting(4, selection__penalty=penalty, selection__threshold=(1e-3, 1e-3), **options)
        .fit(X, y)
        .history[-1]["train_loss"]
        for penalty in (0.0, 2.0)
    ]
    # Probabilities of four slots add up to 4, and each of six channels is allowed 0.001 of it.
    assert loss[1] - loss[0] == pytest.approx(2 * (4 - 6e-3), rel=1e-4)


def test_a_selection_that_has_not_settled_warns_with_advice():
    with pytest.warns(ConvergenceWarning, match=r"has not settled.*selection__lr"):
        selecting(selection__lr=1e-9).fit(*powers())


# ---------------------------------------------------------------------- early stopping


def test_early_stopping_waits_until_the_selection_is_settled():
    X, y = powers()
    options = {"early_stopping": True, "n_iter_no_change": 1, "max_epochs": 20, "lr": 1e-30}
    undecided = selecting(selection__lr=1e-9, **options).fit(X, y)
    # Sixteen epochs train the selection. Epochs count from the seventeenth; nothing can be learnt.
    assert len(undecided.history) == 18
    assert len(make(ModuleClassifier, module=LogVariance, **options).fit(X, y).history) == 2


def test_early_stopping_starts_at_once_where_the_entropy_is_low():
    X, y = powers()
    clf = selecting(selection__lr=20.0, selection__temperature=(1.0, 1.0), lr=1e-30)
    clf.set_params(early_stopping=True, n_iter_no_change=3, max_epochs=40).fit(X, y)
    settled = int(np.argmax(clf.selection_entropy_ <= SETTLED))
    assert settled < 10
    assert len(clf.history) < 30


# ---------------------------------------------------------------------- parameters


@pytest.mark.parametrize("cls", SELECTING)
@pytest.mark.parametrize("method", ["elimination", "gumbel"])
def test_every_classifier_of_raw_eeg_selects_channels(cls, method):
    X, y = powers(24, n_times=96)
    module = {"module": LogVariance} if cls is ModuleClassifier else {}
    clf = make(cls, n_selected_chans=3, selection__method=method, max_epochs=2, **module)
    clf.fit(X, y)
    assert clf.selected_channels_.shape == (3,)
    assert clf.predict_proba(X).shape == (24, 2)
    again = clone(clf).fit(X, y)
    assert_array_equal(again.predict_proba(X), clf.predict_proba(X))
    assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), clf.predict_proba(X))


def test_without_n_selected_chans_there_are_no_attributes_of_the_selection():
    X, y = powers()
    clf = selecting(None).fit(X, y)
    assert isinstance(clf.module_, LogVariance)
    for name in ("selected_channels_", "selection_entropy_", "selection_probabilities_"):
        with pytest.raises(AttributeError, match=f"no {name}: it uses all channels"):
            getattr(clf, name)
        with pytest.raises(AttributeError, match=f"no {name} before it is fitted"):
            getattr(selecting(2), name)


@pytest.mark.parametrize("value", [0, -1, True, 2.0, "2"])
def test_invalid_number_of_channels_raises(value):
    with pytest.raises(ValueError, match=r"n_selected_chans, .* must be an integer of at least 1"):
        selecting(value).fit(*powers())


def test_more_channels_than_there_are_raises():
    with pytest.raises(ValueError, match="at most the number of channels of X, got 7: X has 6"):
        selecting(7).fit(*powers())


def test_channel_selection_of_maps_raises():
    class OfMaps(nn.Module):
        def __init__(self, n_bands, height, width, n_outputs):
            super().__init__()

    with pytest.raises(ValueError, match="n_selected_chans=2 selects channels of raw EEG"):
        selecting(module=OfMaps).fit(*powers())
    with pytest.raises(TypeError, match="n_selected_chans"):
        CCNNClassifier(n_selected_chans=2)
    with pytest.raises(TypeError, match="selection__unique"):
        CCNNClassifier(selection__unique=True)


def test_options_of_the_layer_are_parameters():
    clf = EEGNetClassifier(n_selected_chans=2, selection__penalty=1.0, selection__unique=True)
    params = clone(clf).set_params(selection__lr=0.1).get_params()
    assert params["selection__penalty"] == 1.0
    assert params["selection__lr"] == 0.1
    layer = selecting(selection__penalty=0.7, selection__temperature=(5, 1)).fit(*powers())
    assert layer.module_.selection.penalty == 0.7
    assert layer.module_.selection.temperature == (5, 1)


@pytest.mark.parametrize("wrong", ["selection__penlty", "selection__n_chans", "selction__penalty"])
def test_misspelt_option_raises(wrong):
    with pytest.raises(TypeError, match=f"{wrong}.*selection__"):
        EEGNetClassifier(**{wrong: 1})
    with pytest.raises(ValueError, match=f"{wrong}.*selection__"):
        EEGNetClassifier().set_params(**{wrong: 1})


@pytest.mark.parametrize(
    ("option", "value"), [("lr", 0), ("fine_tuning", 1), ("temperature", 1), ("penalty", -1)]
)
def test_invalid_option_raises_by_name(option, value):
    with pytest.raises(ValueError, match=option):
        selecting(**{f"selection__{option}": value}).fit(*powers())


def test_users_groups_of_weights_reach_the_logits():
    groups = [("selection.logits", {"lr": 0.3})]
    clf = selecting(optimizer__param_groups=groups).fit(*powers())
    assert [group["lr"] for group in clf.optimizer_.param_groups] == [0.3, 1e-3]


def test_weight_decay_and_schedulers_are_for_the_network():
    scheduler = LRScheduler("StepLR", step_size=1, gamma=0.1)
    clf = selecting(
        weight_decay=0.1, lr=1e-2, selection__lr=0.5, max_epochs=10, callbacks=[scheduler]
    ).fit(*powers())
    network, logits = clf.optimizer_.param_groups
    assert (network["weight_decay"], logits["weight_decay"]) == (0.1, 0.0)
    assert network["lr"] == pytest.approx(1e-12)


# ---------------------------------------------------------------------- continued training, copies


@pytest.mark.parametrize("how", ["partial_fit", "warm_start"])
def test_a_continued_training_keeps_the_selection(how):
    X, y = powers()
    clf = selecting(max_epochs=4, warm_start=True).fit(X, y)
    chosen, p = clf.selected_channels_, clf.selection_probabilities_
    weight = clf.module_.network.dense.weight.detach().clone()
    clf.set_params(max_epochs=30)
    getattr(clf, how.replace("warm_start", "fit"))(X, y)
    assert len(clf.selection_entropy_) == 34
    assert_array_equal(clf.selected_channels_, chosen)
    assert_array_equal(clf.selection_probabilities_, p)
    assert not torch.equal(clf.module_.network.dense.weight, weight)


def test_saved_weights_include_the_selection(tmp_path):
    X, y = powers()
    clf = selecting().fit(X, y)
    clf.save_params(f_params=tmp_path / "weights.pt")
    other = selecting(random_state=9).fit(X, y)
    other.load_params(f_params=tmp_path / "weights.pt")
    assert_array_equal(other.selected_channels_, clf.selected_channels_)
    assert_array_equal(other.predict_proba(X), clf.predict_proba(X))


@pytest.mark.slow
def test_grid_search_over_the_number_gives_the_same_with_two_jobs():
    X, y = powers(24)
    grid = {"n_selected_chans": [1, None]}
    scores = [
        GridSearchCV(selecting(), grid, cv=2, n_jobs=n_jobs).fit(X, y).cv_results_
        for n_jobs in (1, 2)
    ]
    assert_array_equal(scores[0]["mean_test_score"], scores[1]["mean_test_score"])
    assert np.isfinite(scores[0]["mean_test_score"]).all()


def test_unit_names_and_summary():
    X, y = powers()
    data = EEGData.from_arrays(X, y, 128.0, list("abcdef"))
    clf = selecting().fit(data, y)
    # Volts and microvolts differ for the network only in the last digit of float32.
    volts = selecting().fit(1e-6 * X, y)
    assert_allclose(volts.predict_proba(1e-6 * X), clf.predict_proba(data), atol=1e-3)
    found = summary(clf)
    assert found.n_parameters == 6 * 2 + 2 * 2 + 2 * 2 + 2
    assert clf.n_chans_ == 6


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_it_trains_on_a_gpu_and_predicts_without_one():
    X, y = powers()
    clf = selecting(selection__unique=True, device="cuda").fit(X, y)
    there = clf.predict_proba(X)
    loaded = pickle.loads(pickle.dumps(clf)).set_params(device="cpu")
    assert_allclose(loaded.predict_proba(X), there, atol=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_check_estimator_passes_with_one_selected_channel():
    estimator = ModuleClassifier(
        module=LogVariance, max_epochs=2, n_selected_chans=1, selection__method="gumbel"
    )
    results = check_estimator(
        estimator, expected_failed_checks=expected_failed_checks(estimator), on_fail=None
    )
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert not failed
