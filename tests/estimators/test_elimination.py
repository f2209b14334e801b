"""Channel selection by elimination, in a training before that of the network."""

import pickle
import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import check_estimator
from skorch.callbacks import Callback
from torch import nn

from skeeg import EEGData, EEGNetClassifier, ModuleClassifier, ModuleRegressor
from skeeg.estimators import expected_failed_checks
from skeeg.estimators._elimination import EliminationSchedule, _squared_jacobian

from ..channel_selection.support import LogVariance, powers
from .support import make


class Mean(nn.Module):
    """Logistic regression on the mean power of the channels."""

    def __init__(self, n_chans, n_outputs):
        super().__init__()
        self.dense = nn.Linear(1, n_outputs)

    def forward(self, x):
        return self.dense(x.square().mean(dim=(1, 2))[:, None])


def selecting(n=2, cls=ModuleClassifier, **params):
    module = {"module": LogVariance} if cls in (ModuleClassifier, ModuleRegressor) else {}
    return make(cls, **{"n_selected_chans": n, "lr": 1e-2, "max_epochs": 8} | module | params)


def noise(gain, seed, n_chans=20, n_trials=300, n_times=128):
    """Three classes, each of which raises the amplitude of one channel."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_trials) % 3
    channels = rng.choice(n_chans, 3, replace=False)
    X = rng.standard_normal((n_trials, n_chans, n_times))
    X[np.arange(n_trials), channels[y]] *= gain
    return X, y, sorted(channels.tolist())


# ---------------------------------------------------------------------- what is selected


def test_all_informative_channels_are_found_where_two_would_do():
    X, y, channels = noise(1.5, 0, n_chans=10, n_trials=120)
    clf = selecting(3, max_epochs=30).fit(X, y)
    assert clf.selected_channels_.tolist() == channels


@pytest.mark.slow
@pytest.mark.parametrize("gain", [1.25, 1.5])
def test_eegnet_finds_all_three_of_20_channels_in_nine_of_ten_seeds(gain):
    n_found = 0
    for seed in range(10):
        X, y, channels = noise(gain, seed)
        clf = EEGNetClassifier(n_selected_chans=3, random_state=seed).fit(X, y)
        n_found += clf.selected_channels_.tolist() == channels
    assert n_found >= 9


def test_saliency_of_a_linear_network_is_in_closed_form():
    """d f_k / d g_n of f = W x is w_kn x_n; the mean over outputs is subtracted."""
    x, weight = torch.randn(7, 4), torch.randn(3, 4)
    for centred in (False, True):
        gates = torch.ones(7, 4, requires_grad=True)
        found = _squared_jacobian((x * gates) @ weight.T, gates, centred=centred)
        w = weight - weight.mean(dim=0) if centred else weight
        expected = (w.square().sum(dim=0) * x.square().sum(dim=0)).double()
        assert_allclose(found, expected, rtol=1e-5)


def test_many_outputs_are_combined_without_bias():
    x, weight = torch.randn(2000, 4), torch.randn(30, 4)
    gates = torch.ones(2000, 4, requires_grad=True)
    found = _squared_jacobian((x * gates) @ weight.T, gates, centred=False)
    expected = weight.square().sum(dim=0) * x.square().sum(dim=0)
    assert_allclose(found, expected, rtol=0.1)


def test_the_number_of_channels_falls_geometrically():
    schedule = EliminationSchedule(0.5, 0.75)
    left = [schedule.n_left(64, 4, epoch / 16) for epoch in range(17)]
    assert left == [64] * 9 + [32, 16, 8] + [4] * 5


def test_ranking_is_the_order_of_removal():
    X, y = powers()
    clf = selecting(2).fit(X, y)
    assert sorted(clf.selection_ranking_) == [1, 1, 2, 3, 4, 5]
    assert_array_equal(np.flatnonzero(clf.selection_ranking_ == 1), clf.selected_channels_)
    assert clf.selected_channels_.dtype.kind == "i"
    assert clf.selection_saliency_.shape == (6,)
    # Each removal has shares of its own, of which the last one includes the selected channels.
    assert clf.selection_saliency_[clf.selected_channels_].sum() <= 1


# ---------------------------------------------------------------------- the second training


def assert_same_network(selecting, direct):
    """Assert equal losses and weights, bit for bit."""
    losses = (estimator.history[:, "train_loss"] for estimator in (selecting, direct))
    assert_array_equal(*losses)
    weights, others = selecting.module_.network.state_dict(), direct.module_.state_dict()
    assert weights.keys() == others.keys()
    for name, values in weights.items():
        assert torch.equal(values, others[name]), name


@pytest.mark.parametrize("cls", [ModuleClassifier, EEGNetClassifier])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"early_stopping": True, "n_iter_no_change": 2},
        {"class_weight": {0: 1.0, 1: 3.0}, "weight_decay": 0.1},
    ],
)
def test_the_network_is_that_of_a_fit_to_the_selected_channels(cls, params):
    X, y = powers()
    X[:, 0] *= 30  # so that the scale of all channels is not that of the selected ones
    weight, groups = np.linspace(0, 1, 48), np.arange(48) // 2
    clf = selecting(2, cls, **params).fit(X, y, sample_weight=weight, groups=groups)
    kept = X[:, clf.selected_channels_]
    direct = selecting(None, cls, **params).fit(kept, y, sample_weight=weight, groups=groups)
    assert clf.scale_ == direct.scale_
    assert_same_network(clf, direct)
    # The last digit may differ with the layout of a batch in memory.
    assert_allclose(clf.predict_proba(X), direct.predict_proba(kept), rtol=1e-6)


def test_a_regressor_is_that_of_the_selected_channels_with_several_outputs():
    X, _ = powers()
    y = np.log(X[:, [1, 4]].var(axis=2))
    reg = selecting(2, ModuleRegressor, max_epochs=25).fit(X, y)
    assert reg.selected_channels_.tolist() == [1, 4]
    direct = selecting(None, ModuleRegressor, max_epochs=25).fit(X[:, [1, 4]], y)
    assert_same_network(reg, direct)


def test_all_channels_are_selected_without_a_first_training():
    X, y = powers()
    clf = selecting(6).fit(X, y)
    assert clf.selected_channels_.tolist() == [0, 1, 2, 3, 4, 5]
    assert_same_network(clf, selecting(None).fit(X, y))


def test_callbacks_see_only_the_training_of_the_selected_channels():
    class Count(Callback):
        epochs = 0

        def on_epoch_end(self, net, **kwargs):
            Count.epochs += 1

    clf = selecting(callbacks=[("count", Count())], callbacks__count=Count()).fit(*powers())
    assert Count.epochs == len(clf.history) == 8


def test_hooks_of_the_network_reach_the_training():
    class Hooked(LogVariance):
        is_settled = True

        def penalty(self):
            return 5 + 0 * self.dense.weight.sum()

        def parameter_groups(self):
            return [{"params": [self.dense.bias], "weight_decay": 0.5}]

    clf = selecting(module=Hooked, lr=1e-6, max_epochs=1).fit(*powers())
    assert clf.history[-1, "train_loss"] > 5
    assert [group["weight_decay"] for group in clf.optimizer_.param_groups] == [0.0, 0.5]


def test_recurrent_networks_and_arguments_of_forward():
    class Recurrent(nn.Module):
        def __init__(self, n_chans, n_outputs):
            super().__init__()
            self.gru, self.dense = nn.GRU(n_chans, 4), nn.Linear(4, n_outputs)

        def forward(self, x, offset=0.0):
            return self.dense(self.gru(x.permute(2, 0, 1))[0][-1]) + offset

    X, y = powers()
    clf = selecting(module=Recurrent, max_epochs=2).fit(X, y, offset=1.0)
    assert len(clf.selected_channels_) == 2
    with pytest.raises(TypeError, match="no argument 'offst'"):
        selecting(module=Recurrent, max_epochs=2).fit(X, y, offst=1.0)


# ---------------------------------------------------------------------- state


@pytest.mark.parametrize("how", ["partial_fit", "warm_start"])
def test_a_continued_training_keeps_the_channels(how):
    X, y = powers()
    clf = selecting(warm_start=True).fit(X, y)
    chosen, ranking, scale = clf.selected_channels_, clf.selection_ranking_, clf.scale_
    getattr(clf, how.replace("warm_start", "fit"))(X[:, ::-1], y)
    assert len(clf.history) == 16
    assert clf.scale_ == scale
    assert_array_equal(clf.selected_channels_, chosen)
    assert_array_equal(clf.selection_ranking_, ranking)


def test_partial_fit_selects_in_its_first_call():
    X, y = powers()
    expected = selecting().fit(X, y)
    assert_array_equal(selecting().partial_fit(X, y).predict_proba(X), expected.predict_proba(X))
    shape = {"module__n_chans": 2, "module__n_outputs": 2}
    again = selecting(**shape).fit(X, y)
    assert_array_equal(again.selected_channels_, expected.selected_channels_)


def test_a_network_of_all_channels_or_with_the_layer_is_continued_as_it_is():
    X, y = powers()
    for built in ({"n_selected_chans": None}, {"selection__method": "gumbel"}):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            clf = selecting(warm_start=True, **built).fit(X, y)
            kind = type(clf.module_)
            clf.set_params(n_selected_chans=2, selection__method="elimination").fit(X, y)
        assert type(clf.module_) is kind
        assert len(clf.history) == 16


def test_weights_that_torch_cannot_pickle_keep_their_channels():
    class Normed(LogVariance):
        def __init__(self, n_chans, n_outputs):
            super().__init__(n_chans, n_outputs)
            nn.utils.parametrizations.weight_norm(self.dense)

    X, y = powers()
    clf = selecting(module=Normed).fit(X, y)
    state = clf.__getstate__()
    copied = object.__new__(type(clf))
    copied.__setstate__(state)
    assert_array_equal(copied.predict_proba(X), clf.predict_proba(X))
    assert_array_equal(copied.selected_channels_, clf.selected_channels_)


def test_copies_and_files_hold_the_selection(tmp_path):
    X, y = powers()
    data = EEGData.from_arrays(X, y, 128.0, list("abcdef"))
    clf = selecting().fit(data, y)
    assert clf.selected_ch_names_ == tuple("abcdef"[i] for i in clf.selected_channels_)
    clf.save_params(f_params=tmp_path / "weights.pt")
    other = selecting(random_state=9).fit(np.roll(X, 1, axis=1), y)
    other.load_params(f_params=tmp_path / "weights.pt")
    for same in (other, pickle.loads(pickle.dumps(clf)), clone(clf).fit(data, y)):
        assert_array_equal(same.predict_proba(X), clf.predict_proba(X))
        assert_array_equal(same.selection_ranking_, clf.selection_ranking_)
        assert_array_equal(same.selection_saliency_, clf.selection_saliency_)


def test_prediction_uses_only_the_selected_channels():
    X, y = powers()
    clf = selecting().fit(X, y)
    expected = clf.predict_proba(X)
    others = np.setdiff1d(np.arange(6), clf.selected_channels_)
    X[:, others] = 1.0
    assert_array_equal(clf.predict_proba(X), expected)


@pytest.mark.parametrize("max_epochs", [0, 1, 2, 3])
@pytest.mark.filterwarnings("ignore:max_epochs=0")
def test_short_trainings_select_as_many_channels(max_epochs):
    X, y = powers()
    clf = selecting(3, max_epochs=max_epochs, early_stopping=True).fit(X, y)
    assert len(clf.selected_channels_) == 3


def test_of_equal_channels_the_first_are_selected():
    X, y = powers()
    clf = selecting(3, module=Mean, max_epochs=1).fit(0 * X + X[:, :1], y)
    assert clf.selection_ranking_.tolist() == [1, 1, 1, 2, 3, 4]


def test_an_interrupted_selection_does_not_leave_a_fitted_estimator(monkeypatch):
    X, y = powers()
    clf = selecting().fit(X, y)

    def interrupt(*args, **kwargs):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(LogVariance, "forward", interrupt)
    with (
        pytest.warns(UserWarning, match="interrupted by the user"),
        pytest.raises(KeyboardInterrupt, match="before channels were selected"),
    ):
        clf.fit(X, y)
    with pytest.raises(NotFittedError):
        clf.predict(X)


def test_the_number_of_epochs_may_be_an_argument_of_fit():
    clf = selecting(max_epochs=100).fit(*powers(), epochs=4)
    assert len(clf.history) == 4
    assert len(clf.selected_channels_) == 2


@pytest.mark.slow
def test_grid_search_gives_the_same_with_two_jobs():
    X, y = powers(24)
    grid = {"n_selected_chans": [1, None], "selection__start": [0.2, 0.6]}
    scores = [
        GridSearchCV(selecting(), grid, cv=2, n_jobs=n_jobs).fit(X, y).cv_results_
        for n_jobs in (1, 2)
    ]
    assert_array_equal(scores[0]["mean_test_score"], scores[1]["mean_test_score"])
    assert np.isfinite(scores[0]["mean_test_score"]).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_check_estimator_passes_with_one_selected_channel():
    estimator = ModuleClassifier(module=LogVariance, max_epochs=2, n_selected_chans=1)
    results = check_estimator(
        estimator, expected_failed_checks=expected_failed_checks(estimator), on_fail=None
    )
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert not failed


# ---------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"selection__method": "lasso"}, "must be one of elimination, gumbel, got 'lasso'"),
        ({"selection__penalty": 1.0}, "selection__penalty is an option of .*'gumbel'"),
        (
            {"selection__method": "gumbel", "selection__start": 0.5},
            "selection__start is an option of .*'elimination'",
        ),
        ({"selection__start": 0.9}, "selection__start must be below selection__end"),
        ({"selection__end": 1.1}, "at most 1"),
        ({"selection__start": -0.1}, "selection__start"),
        ({"module": LogVariance(2, 2)}, "is an instance. Pass its class"),
        ({"n_selected_chans": 7}, "at most the number of channels of X, got 7: X has 6"),
    ],
)
def test_invalid_options_raise(params, message):
    with pytest.raises(ValueError, match=message):
        selecting(**params).fit(*powers())


def test_each_method_has_its_own_attributes():
    X, y = powers()
    with pytest.raises(AttributeError, match="selected by elimination"):
        _ = selecting().fit(X, y).selection_entropy_
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = selecting(selection__method="gumbel").fit(X, y)
    with pytest.raises(AttributeError, match="gumbel"):
        _ = layer.selection_ranking_
    with pytest.raises(AttributeError, match="before it is fitted"):
        _ = selecting().selection_ranking_
