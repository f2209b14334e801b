"""A search that trains networks together has the results of one that trains them one by one."""

import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skeeg import EEGData, EEGNetClassifier, EEGNetRegressor
from skeeg.features import UnitScaler
from skeeg.model_selection import LeakageError, StackedSearchCV

#: Adam makes steps of the size of the learning rate from the rounding of gradients that are zero.
GRID = {"activation": ["elu", "relu"], "lr": [1e-4, 1e-3]}


@pytest.fixture(scope="module")
def trials():
    """Trials of two classes with a rhythm in the channel that is the class."""
    rng = np.random.default_rng(0)
    y = np.arange(25) // 2 % 2
    X = rng.standard_normal((25, 3, 32))
    X[np.arange(25), y] += 3 * np.sin(2 * np.pi * 4 * np.arange(32) / 32)
    return X, np.array(["left", "right"])[y]


def network(**params):
    quick = {"max_epochs": 2, "random_state": 0, "batch_size": 8, "kernel_length": 16}
    return EEGNetClassifier(**quick | params)


def probabilities(estimator, X, y):
    """Score of the probabilities, which are more precise than an accuracy."""
    return -np.abs(estimator.predict_proba(X)[:, 1] - (y == "right")).mean()


def searches(estimator, grid, X, y, **params):
    """The search one by one and the stacked one, fitted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        params = {"cv": 2} | params
        alone = GridSearchCV(estimator, grid, **params).fit(X, y)
        stacked = StackedSearchCV(estimator, grid, stacking="always", **params).fit(X, y)
    return alone, stacked


def assert_alike(alone, stacked, atol=1e-4):
    assert list(alone.cv_results_) == list(stacked.cv_results_)
    for name, values in alone.cv_results_.items():
        if "time" in name:
            continue
        if "score" in name:
            np.testing.assert_allclose(stacked.cv_results_[name], values, atol=atol, err_msg=name)
        else:
            np.testing.assert_array_equal(stacked.cv_results_[name], values)
    assert stacked.best_params_ == alone.best_params_


# ---------------------------------------------------------------------- the same results


@pytest.mark.parametrize(
    "grid",
    [
        [
            {"activation": ["elu", "leaky_relu"], "alpha": [0.3]},
            {"activation": ["gelu"]},
            {"dropout": [0.0, 0.9], "random_state": [1]},
        ],
        [
            {"weight_decay": [0.1], "optimizer__betas": [(0.9, 0.99)], "max_epochs": [1, 3]},
            {"optimizer": ["adamw"], "weight_decay": [0.5]},
        ],
        [
            {"kernel_length": [8], "batch_size": [-1]},  # groups of one architecture
            {"class_weight": ["balanced", {"left": 3, "right": 1}]},
        ],
        {"optimizer": ["sgd"], "optimizer__momentum": [0.0, 0.9], "lr": [0.1]},
    ],
    ids=["activations, dropout", "optimisers", "groups", "momentum"],
)
def test_scores_are_those_of_a_search_one_by_one(grid, trials):
    X, y = trials
    alone, stacked = searches(network(), grid, X, y, scoring=probabilities)
    assert stacked.n_stacked_ == 2 * len(stacked.cv_results_["params"])
    assert stacked.not_stacked_ == {}
    assert_alike(alone, stacked)
    np.testing.assert_array_equal(alone.predict_proba(X), stacked.predict_proba(X))  # refitted


def test_the_losses_of_all_steps_are_those_of_a_fit_alone(trials):
    X, y = trials
    histories = []

    def note(estimator, X, y):
        histories.append(estimator.history)
        return 0.0

    grid = {"dropout": [0.0, 0.5], "lr": [1e-3, 1e-2]}
    searches(network(), grid, X, y, scoring=note, refit=False)
    for alone, stacked in zip(histories[:8], histories[8:], strict=True):
        for name in ("train_loss", "train_acc", "train_batch_size"):
            ours, theirs = (each[:, "batches", :, name] for each in (stacked, alone))
            np.testing.assert_allclose(np.ravel(ours), np.ravel(theirs), atol=2e-6)
        assert stacked[-1].keys() == alone[-1].keys()
        assert stacked[:, "train_loss_best"] == alone[:, "train_loss_best"]


def test_folds_of_other_lengths_and_batches_are_masked(trials):
    X, y = trials
    rows = np.arange(25)
    cv = [(rows[:15], rows[15:]), (rows[3:], rows[:3]), (rows[:9], rows[9:])]
    alone, stacked = searches(network(), GRID, X, y, scoring=probabilities, cv=cv)
    assert_alike(alone, stacked)


def test_regression(trials):
    X, y = trials
    target = np.c_[X.std(axis=(1, 2)), y == "left"]
    regressor = EEGNetRegressor(max_epochs=2, batch_size=8, random_state=0, optimizer="sgd")
    alone, stacked = searches(regressor, {"lr": [1e-3, 1e-2]}, X, target)
    assert stacked.n_stacked_ == 4
    assert_alike(alone, stacked)


def test_several_metrics_train_scores_and_a_callable_refit(trials):
    X, y = trials
    alone, stacked = searches(
        network(),
        {"lr": [1e-4, 1e-3]},
        X,
        y,
        scoring=["accuracy", "neg_log_loss"],
        refit=lambda results: int(np.argmax(results["mean_test_neg_log_loss"])),
        return_train_score=True,
    )
    assert "mean_train_neg_log_loss" in stacked.cv_results_
    assert stacked.multimetric_
    assert stacked.best_index_ == alone.best_index_
    assert list(alone.cv_results_) == list(stacked.cv_results_)


def test_pipelines_preprocess_each_fold_once(trials):
    X, y = trials
    pipeline = make_pipeline(CountingScaler(), network())
    grid = {"eegnetclassifier__lr": [1e-4, 1e-3]}
    alone = GridSearchCV(pipeline, grid, cv=2, scoring=probabilities).fit(X, y)
    CountingScaler.n_fits = 0
    stacked = StackedSearchCV(pipeline, grid, cv=2, scoring=probabilities, stacking="always")
    stacked.fit(X, y)
    assert CountingScaler.n_fits == 2 + 1  # and for all trials
    assert stacked.n_stacked_ == 4
    assert isinstance(stacked.best_estimator_[0], CountingScaler)
    assert_alike(alone, stacked)


class CountingScaler(UnitScaler):
    """A step that counts its fits."""

    n_fits = 0

    def fit(self, X, y=None):
        type(self).n_fits += 1
        return super().fit(X, y)


def test_eeg_data_groups_and_metadata_routing(trials):
    X, y = trials
    groups = np.arange(25) // 4
    data = EEGData.from_arrays(X, y, sfreq=48, trial=np.arange(25) // 2)
    search = StackedSearchCV(network(), {"lr": [1e-3, 1e-2]}, stacking="always")
    with pytest.raises(LeakageError):
        clone(search).set_params(cv=[(np.r_[0:25:2], np.r_[1:25:2])]).fit(data)
    by_trial = clone(search).set_params(cv=2).fit(data)
    assert by_trial.n_stacked_ == 4
    assert by_trial.best_estimator_.ch_names_ == tuple(data.ch_names)
    by_group = clone(search).set_params(cv=GroupKFold(2))
    expected = by_group.fit(X, y, groups=groups).cv_results_["mean_test_score"]
    assert by_group.n_stacked_ == 4
    with config_context(enable_metadata_routing=True):
        by_group.set_params(estimator=network().set_fit_request(groups=False))
        routed = clone(by_group).fit(X, y, groups=groups)
    assert routed.n_stacked_ == 4
    np.testing.assert_array_equal(routed.cv_results_["mean_test_score"], expected)


@pytest.mark.slow
def test_scoring_in_other_processes(trials):
    X, y = trials
    alone, stacked = searches(network(), {"lr": [1e-3, 1e-2]}, X, y, n_jobs=2)
    assert stacked.n_stacked_ == 4
    assert_alike(alone, stacked)


def test_results_do_not_depend_on_who_is_stacked_with_whom(trials):
    X, y = trials
    grid = {"activation": ["elu", "relu"], "dropout": [0.5]}
    options = {"cv": 2, "stacking": "always", "scoring": probabilities}
    one, other = (
        StackedSearchCV(network(), grid, max_stacked=n, **options).fit(X, y) for n in (8, 3)
    )
    assert_alike(one, other)


# ---------------------------------------------------------------------- as an estimator


def test_it_clones_pickles_and_nests(trials):
    X, y = trials
    search = StackedSearchCV(network(), {"lr": [1e-3, 1e-2]}, cv=2, stacking="always")
    assert clone(search).get_params()["stacking"] == "always"
    loaded = pickle.loads(pickle.dumps(search.fit(X, y)))
    np.testing.assert_array_equal(loaded.predict(X), search.predict(X))
    assert type(search.best_estimator_) is EEGNetClassifier
    assert search.classes_.tolist() == ["left", "right"]
    assert search.n_features_in_ == 3
    assert search.score(X, y) == (search.predict(X) == y).mean()
    assert cross_val_score(search, X, y, cv=2).shape == (2,)


def test_the_global_generators_are_neither_used_nor_changed(trials):
    X, y = trials
    before = torch.get_rng_state()
    StackedSearchCV(network(dropout=0.5), {"lr": [1e-3, 1e-2]}, cv=2, stacking="always").fit(X, y)
    torch.testing.assert_close(torch.get_rng_state(), before, rtol=0, atol=0)


@pytest.mark.parametrize("params", [{"stacking": "yes"}, {"max_stacked": 0}, {"cv": "unknown"}])
def test_invalid_parameters_are_refused(params, trials):
    with pytest.raises(ValueError, match=f"{next(iter(params))}|fold"):
        StackedSearchCV(network(), GRID, **params).fit(*trials)


# ---------------------------------------------------------------------- what is not stacked


class OwnClassifier(EEGNetClassifier):
    """A class that might train differently."""


@pytest.mark.parametrize(
    ("estimator", "why"),
    [
        (OwnClassifier(**network().get_params()), "class of your own"),
        (network(early_stopping=True), "stops early"),
        (network(augment="sign_flip"), "changes the trials"),
        (network(callbacks=[]).set_params(optimizer="rmsprop"), "RMSprop"),
        (network(warm_start=True), "warm_start"),
        (network().set_params(iterator_train__shuffle=False), "batches"),
        (SVC(), "not a network"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_stacked_is_trained_one_by_one(estimator, why, trials):
    X, y = trials
    if isinstance(estimator, SVC):
        X, grid = X.reshape(25, -1), {"C": [10.0]}
    else:
        grid = {"max_epochs": [1]}
    alone = GridSearchCV(estimator, grid, cv=2, refit=False).fit(X, y)
    with pytest.warns(UserWarning, match=why):
        stacked = StackedSearchCV(estimator, grid, cv=2, refit=False).fit(X, y)
    assert stacked.n_stacked_ == 0
    assert sum(stacked.not_stacked_.values()) == 2
    for name in ("mean_test_score", "split0_test_score", "rank_test_score"):
        np.testing.assert_array_equal(stacked.cv_results_[name], alone.cv_results_[name])
    with pytest.raises(ValueError, match=f"not all candidates can be stacked.*{why}"):
        StackedSearchCV(estimator, grid, cv=2, stacking="always").fit(X, y)


def test_further_arguments_of_fit_are_for_fits_one_by_one(trials):
    X, y = trials
    weight = np.arange(25) % 3 + 0.5
    search = StackedSearchCV(network(), {"lr": [1e-3, 1e-2]}, cv=2)
    with pytest.warns(UserWarning, match="sample_weight"):
        search.fit(X, y, sample_weight=weight)
    alone = GridSearchCV(network(), {"lr": [1e-3, 1e-2]}, cv=2)
    alone.fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )


def test_large_batches_are_not_stacked_on_a_cpu_unless_asked_for(capsys):
    X, y = np.random.default_rng(0).standard_normal((24, 3, 250)), np.arange(24) % 2
    search = StackedSearchCV(
        network(max_epochs=1, batch_size=12), {"lr": [1e-3, 1e-2]}, cv=2, verbose=1
    )
    with pytest.warns(UserWarning, match="on the CPU, a stacked network is slower"):
        search.fit(X, y)
    assert search.n_stacked_ == 0
    assert "4 fits: on the CPU" in capsys.readouterr().out
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert search.set_params(stacking="always").fit(X, y).n_stacked_ == 4
        assert search.set_params(stacking="never").fit(X, y).n_stacked_ == 0


def test_some_candidates_one_by_one(trials):
    X, y = trials
    grid = [
        {"lr": [1e-3, 1e-2]},
        {"early_stopping": [True]},
        {"train_split": [lambda dataset, y=None, **options: (dataset, None)]},  # not picklable
    ]
    options = {"cv": 2, "refit": False, "error_score": "raise"}
    search = StackedSearchCV(network(), grid, **options).fit(X, y)
    assert search.n_stacked_ == 4
    assert search.not_stacked_ == {"it stops early": 2, "it has a train_split": 2}
    alone = GridSearchCV(network(), grid[1:], **options).fit(X, y)
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(search.cv_results_[name][2:], alone.cv_results_[name])


# ---------------------------------------------------------------------- errors


def test_failing_fits_get_the_error_score(trials):
    X, y = trials
    grid = [{"activation": ["elu", "relu"], "alpha": [0.5]}, {"lr": [-1.0]}]  # relu has no alpha
    search = StackedSearchCV(network(), grid, cv=2, stacking="always", error_score=-7.0)
    with pytest.warns(FitFailedWarning, match="has no alpha"):
        search.fit(X, y)
    assert search.cv_results_["mean_test_score"][1:].tolist() == [-7.0, -7.0]
    assert search.best_params_ == {"activation": "elu", "alpha": 0.5}
    with pytest.raises(ValueError, match="has no alpha"):
        search.set_params(error_score="raise").fit(X, y)


def test_a_member_that_diverges_leaves_the_others_alone(trials):
    X, y = trials
    grid = {"lr": [1e-3, 1e30], "optimizer": ["sgd"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = StackedSearchCV(network(), grid, cv=2, stacking="always").fit(X, y)
    alone = GridSearchCV(network(), {"lr": [1e-3], "optimizer": ["sgd"]}, cv=2).fit(X, y)
    first, second = search.cv_results_["mean_test_score"]
    assert np.isnan(second)
    assert first == pytest.approx(alone.best_score_)
    with pytest.raises(ValueError, match="diverged in epoch 1"):
        search.set_params(error_score="raise").fit(X, y)


def test_out_of_memory_halves_the_networks_at_once(trials, monkeypatch):
    from skeeg.estimators import _stacked

    sizes = []

    class SmallDevice(_stacked.StackedNetwork):
        def train(self, progress=None):
            sizes.append(len(self.members))
            if len(self.members) > 3:
                next(self.members[0].batches)  # a training that began
                raise torch.OutOfMemoryError("CUDA out of memory.")
            super().train()

    X, y = trials
    grid = {"activation": ["elu", "relu"], "lr": [1e-4, 1e-3]}
    options = {"cv": 2, "stacking": "always", "scoring": probabilities, "refit": False}
    search = StackedSearchCV(network(max_epochs=1), grid, **options)
    expected = clone(search).fit(X, y)
    monkeypatch.setattr(_stacked, "StackedNetwork", SmallDevice)
    with pytest.warns(UserWarning, match="too little memory for 4 networks at once: 2 are"):
        search.fit(X, y)
    assert sizes == [8, 4, 2, 2, 2, 2]
    assert search.n_stacked_ == 8
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"], atol=1e-4
    )


def test_a_single_network_that_does_not_fit_is_trained_alone(trials, monkeypatch):
    from skeeg.estimators import _stacked

    class NoDevice(_stacked.StackedNetwork):
        def train(self, progress=None):
            raise torch.OutOfMemoryError("CUDA out of memory.")

    X, y = trials
    monkeypatch.setattr(_stacked, "StackedNetwork", NoDevice)
    with pytest.warns(UserWarning, match="too little memory"):
        search = StackedSearchCV(network(), {"lr": [1e-3, 1e-2]}, cv=2).fit(X, y)
    assert search.n_stacked_ == 0
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


# ---------------------------------------------------------------------- on a GPU


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_auto_stacks_with_the_results_of_fits_one_by_one(trials):
    X, y = trials
    grid = {"activation": ["elu", "relu"], "dropout": [0.0, 0.5]}
    estimator = network(device="cuda")
    alone = GridSearchCV(estimator, grid, cv=StratifiedKFold(2), scoring=probabilities).fit(X, y)
    stacked = StackedSearchCV(estimator, grid, cv=StratifiedKFold(2), scoring=probabilities)
    assert stacked.fit(X, y).n_stacked_ == 8
    assert_alike(alone, stacked, atol=1e-3)
