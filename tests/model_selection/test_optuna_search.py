"""A search with Optuna has scikit-learn's results, and what is finished is never computed twice."""

import contextlib
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from scipy.stats import expon, loguniform, poisson, randint, uniform
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import skeeg
from skeeg import EEGData, EEGNetClassifier
from skeeg.features import UnitScaler
from skeeg.model_selection import (
    LeakageError,
    Memoized,
    OptunaSearchCV,
    TrialKFold,
    activation_grid,
)

SPACE = {"C": loguniform(1e-3, 1e3), "kernel": ["rbf", "linear"]}
ROWS = ("params", "mean_test_score", "std_test_score", "split0_test_score", "state", "n_steps")


@pytest.fixture(scope="module")
def table():
    return make_classification(80, 6, random_state=0)


@pytest.fixture(scope="module")
def windows():
    """Two windows of each of twelve trials, with a rhythm in the channel that is the class."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(12) % 2, 2)
    X = rng.standard_normal((24, 3, 64))
    X[np.arange(24), y] += 4 * np.sin(2 * np.pi * 8 * np.arange(64) / 64)
    return EEGData.from_arrays(X, y, sfreq=64, trial=np.repeat(np.arange(12), 2))


def search(estimator=None, space=None, **params):
    defaults = {"n_trials": 8, "cv": 3, "random_state": 0}
    return OptunaSearchCV(estimator or SVC(), space or SPACE, **defaults | params)


def assert_same_results(a, b):
    for name in ROWS:
        np.testing.assert_array_equal(a.cv_results_[name], b.cv_results_[name])


class Counting(ClassifierMixin, BaseEstimator):
    """A classifier that notes each fit in a file; it fails for negative values."""

    def __init__(self, value=0.0, log=""):
        self.value = value
        self.log = log

    def fit(self, X, y):
        with open(self.log, "a") as file:
            file.write("fit\n")
        if self.value < 0:
            raise ValueError("it is negative")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[(X[:, 0] > self.value).astype(int)]


# ---------------------------------------------------------------------- results


def test_the_table_is_that_of_a_grid_search(table):
    space = {"C": [0.1, 1.0, 10.0]}
    ours = search(space=space, n_trials=12, return_train_score=True, scoring="f1").fit(*table)
    theirs = GridSearchCV(SVC(), space, cv=3, return_train_score=True, scoring="f1").fit(*table)
    assert set(ours.cv_results_) == set(theirs.cv_results_) | {"state", "n_steps"}
    rows = {params["C"]: i for i, params in enumerate(theirs.cv_results_["params"])}
    for name in ("mean_test_score", "std_test_score", "split2_test_score", "mean_train_score"):
        for i, params in enumerate(ours.cv_results_["params"]):
            assert ours.cv_results_[name][i] == theirs.cv_results_[name][rows[params["C"]]]
    assert ours.best_params_ == theirs.best_params_
    assert ours.best_score_ == theirs.best_score_
    np.testing.assert_array_equal(ours.predict(table[0]), theirs.predict(table[0]))
    assert ours.n_splits_ == 3
    assert (ours.cv_results_["state"] == "complete").all()


def test_candidates_are_those_that_optuna_draws(table):
    """The first is drawn at random: the same sampler without skeeg draws it too."""
    found = search(n_trials=1).fit(*table).best_params_
    seed = np.random.RandomState(0).randint(2**31 - 1)
    seed = int(np.random.SeedSequence([seed, 0]).generate_state(1)[0])
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    trial = study.ask(
        {
            "C": FloatDistribution(1e-3, 1e3, log=True),
            "kernel": CategoricalDistribution(["rbf", "linear"]),
        }
    )
    assert found == trial.params


@pytest.mark.parametrize("pruning", [None, "folds"])
def test_the_number_of_jobs_does_not_change_the_results(table, pruning):
    one, two = (search(pruning=pruning, n_trials=9, n_jobs=n).fit(*table) for n in (1, 2))
    assert_same_results(one, two)


def test_another_seed_draws_other_candidates(table):
    assert search().fit(*table).best_params_ != search(random_state=1).fit(*table).best_params_


def test_a_search_is_an_estimator(table):
    scores = cross_val_score(search(n_trials=2), *table, cv=2)
    assert (scores > 0.5).all()
    fitted = pickle.loads(pickle.dumps(search(n_trials=2).fit(*table)))
    assert len(fitted.study_.trials) == 2
    assert clone(fitted).get_params()["n_trials"] == 2
    assert not hasattr(search(refit=False, n_trials=1).fit(*table), "best_estimator_")


def test_eeg_data_are_split_by_trial(windows):
    network = EEGNetClassifier(max_epochs=2, random_state=0, batch_size=8)
    space = {"eegnetclassifier__lr": [1e-3, 1e-2]}
    pipeline = make_pipeline(UnitScaler(), network)
    ours = search(pipeline, space, n_trials=1, cv=2, scoring="balanced_accuracy").fit(windows)
    best = clone(pipeline).set_params(**ours.best_params_)
    expected = cross_val_score(
        best, windows, windows.y, cv=TrialKFold(2), scoring="balanced_accuracy"
    )
    assert [ours.cv_results_[f"split{i}_test_score"][0] for i in (0, 1)] == expected.tolist()
    assert ours.predict(windows).shape == (24,)
    with pytest.raises(LeakageError):
        search(network, {"lr": [1e-3]}, cv=[(np.arange(12) * 2, np.arange(12) * 2 + 1)]).fit(
            windows
        )


def test_groups_and_weights_are_passed_on(table):
    X, y = table
    groups, weights = np.arange(80) // 10, np.linspace(0.1, 2, 80)
    space = {"C": [0.01]}
    params = {"groups": groups, "sample_weight": weights}
    ours = search(space=space, n_trials=1, cv=GroupKFold(4)).fit(X, y, **params)
    theirs = GridSearchCV(SVC(), space, cv=GroupKFold(4)).fit(X, y, **params)
    assert ours.best_score_ == theirs.best_score_
    np.testing.assert_array_equal(ours.decision_function(X), theirs.decision_function(X))


# ---------------------------------------------------------------------- the space


def test_distributions_of_scipy_and_optuna_are_kept_to(table):
    space = {
        "C": FloatDistribution(0.5, 2.0, step=0.5),
        "gamma": expon(scale=0.1),
        "tol": uniform(1e-4, 1e-3),
        "degree": randint(1, 4),
        "cache_size": poisson(200),
        "coef0": loguniform(1, 10, loc=5),
        "max_iter": IntDistribution(1000, 1002),
        "shrinking": CategoricalDistribution([True, False]),
        "class_weight": [None, "balanced", {0: 1.0, 1: 2.0}],
    }
    rows = search(space=space, n_trials=15).fit(*table).cv_results_["params"]
    drawn = {name: [row[name] for row in rows] for name in space}
    assert set(drawn["C"]) <= {0.5, 1.0, 1.5, 2.0}
    assert min(drawn["gamma"]) > 0
    assert all(1e-4 <= value <= 1.1e-3 for value in drawn["tol"])
    assert set(drawn["degree"]) == {1, 2, 3}
    assert all(type(value) is int and 130 < value < 270 for value in drawn["cache_size"])
    assert all(6 <= value <= 15 for value in drawn["coef0"])
    assert set(drawn["max_iter"]) <= {1000, 1001, 1002}
    assert {0: 1.0, 1: 2.0} in drawn["class_weight"]


def test_quantiles_of_a_distribution_are_uniform():
    from skeeg.model_selection._optuna_space import OptunaSpace

    space = OptunaSpace({"gamma": expon(scale=2.0)})
    for quantile in (0.1, 0.5, 0.99):
        drawn = space.candidate({"gamma": quantile})["gamma"]
        assert drawn == pytest.approx(-2.0 * np.log(1 - quantile), rel=1e-12)


def test_of_several_dictionaries_one_is_chosen(table):
    space = [{"kernel": ["rbf"], "C": [1.0, 2.0]}, {"kernel": ["poly"], "C": [3.0]}]
    rows = search(space=space, n_trials=20).fit(*table).cv_results_["params"]
    found = {(row["kernel"], row["C"]) for row in rows}
    assert found == {("rbf", 1.0), ("rbf", 2.0), ("poly", 3.0)}


def test_the_grid_of_activations_is_a_space(windows):
    network = EEGNetClassifier(max_epochs=1, random_state=0, batch_size=24)
    found = search(network, activation_grid((0.1,)), n_trials=2, cv=2).fit(windows)
    assert set(found.best_params_) == {"activation", "alpha"}


def test_estimators_and_equal_numbers_are_values(table, tmp_path):
    space = {"standardscaler": [StandardScaler(), "passthrough"], "svc__C": [1, 1.0]}
    pipeline = make_pipeline(StandardScaler(), SVC())
    found = search(pipeline, space, storage=tmp_path / "study.db").fit(*table)
    rows = found.cv_results_["params"]
    assert {type(row["standardscaler"]) for row in rows} == {StandardScaler, str}
    assert {type(row["svc__C"]) for row in rows} == {int, float}
    again = search(pipeline, space, storage=tmp_path / "study.db").fit(*table)
    assert again.n_reused_ == 8


@pytest.mark.parametrize(
    ("space", "error", "message"),
    [
        ({}, ValueError, "at least one parameter"),
        ([], ValueError, "empty list"),
        ([{"C": [1]}, {}], ValueError, "at least one parameter"),
        ({"C": []}, ValueError, "'C' is empty"),
        ({"C": "rbf"}, TypeError, "'C' must be a list of values"),
        ({"C": 1.0}, TypeError, "distribution of scipy.stats"),
        ({1: [1]}, TypeError, "must be strings"),
        ({"D": [1]}, ValueError, "Invalid parameter 'D'"),
    ],
)
def test_an_invalid_space_is_refused(space, error, message, table):
    with pytest.raises(error, match=message):
        OptunaSearchCV(SVC(), space).fit(*table)


# ---------------------------------------------------------------------- pruning


def test_a_candidate_that_is_worse_is_stopped(table, tmp_path):
    """Every fit is counted: a pruned trial has no fits after the fold at which it was stopped."""
    X, y = table
    log = tmp_path / "log"
    pruner = optuna.pruners.MedianPruner(n_startup_trials=2)
    found = search(
        Counting(log=str(log)), {"value": uniform(0, 4)}, pruning="folds", pruner=pruner,
        n_trials=12,
    ).fit(X, y)  # fmt: skip
    results = found.cv_results_
    assert set(results["state"]) == {"complete", "pruned"}
    assert len(log.read_text().split()) == results["n_steps"].sum() + 1  # and the refit
    pruned = results["state"] == "pruned"
    assert np.isnan(results["mean_test_score"][pruned]).all()
    assert np.isfinite(results["split0_test_score"][pruned]).all()
    assert np.isfinite(results["mean_fit_time"]).all()
    assert not pruned[found.best_index_]


def test_pruning_by_epochs_continues_the_training(windows):
    network = EEGNetClassifier(max_epochs=9, random_state=0, batch_size=8)
    space = {"lr": [1e-6, 1e-5, 1e-4, 1e-3, 1e-2]}
    pruner = optuna.pruners.MedianPruner(n_startup_trials=2)
    found = search(
        network, space, pruning="epochs", pruner=pruner, n_trials=9, cv=2, scoring="neg_log_loss"
    ).fit(windows)
    results = found.cv_results_
    assert set(results["state"]) == {"complete", "pruned"}
    assert set(results["n_steps"]) <= {3, 9}
    plain = GridSearchCV(
        network, space, cv=list(TrialKFold(2).split(windows)), scoring="neg_log_loss"
    ).fit(windows, windows.y)
    rows = dict(zip([p["lr"] for p in plain.cv_results_["params"]],
                    plain.cv_results_["mean_test_score"], strict=True))  # fmt: skip
    for params, score, state in zip(
        results["params"], results["mean_test_score"], results["state"], strict=True
    ):
        if state == "complete":
            assert score == rows[params["lr"]]
        else:
            assert np.isnan(score)
    assert found.best_params_ == plain.best_params_
    assert len(found.best_estimator_.history) == 9


def test_the_epochs_of_a_candidate_are_its_own(windows):
    network = EEGNetClassifier(random_state=0, batch_size=8)
    space = {"max_epochs": [3, 6]}
    results = search(network, space, pruning="epochs", n_trials=6, cv=2).fit(windows).cv_results_
    assert [p["max_epochs"] for p in results["params"]] == results["n_steps"].tolist()


@pytest.mark.parametrize(
    ("estimator", "params", "message"),
    [
        (SVC(), {"pruning": "epochs"}, "got SVC. Use pruning='folds'"),
        (EEGNetClassifier(early_stopping=True), {"pruning": "epochs"}, "cannot be continued"),
        (SVC(), {"pruner": optuna.pruners.MedianPruner()}, "pruner needs pruning"),
    ],
)
def test_pruning_that_is_not_possible_is_refused(estimator, params, message, table):
    with pytest.raises(ValueError, match=message):
        search(estimator, **params).fit(*table)


# ---------------------------------------------------------------------- failures


def test_a_failed_candidate_is_a_trial_without_a_score(table, tmp_path):
    counting = Counting(log=str(tmp_path / "log"))
    space = {"value": [-1.0, 0.0]}
    with pytest.warns(FitFailedWarning, match="'value': -1.0.*it is negative"):
        found = search(counting, space, n_trials=6).fit(*table)
    failed = found.cv_results_["state"] == "failed"
    assert 0 < failed.sum() < 6
    assert np.isnan(found.cv_results_["mean_test_score"][failed]).all()
    assert found.best_params_ == {"value": 0.0}
    with pytest.raises(ValueError, match="it is negative"):
        search(counting, {"value": [-1.0]}, error_score="raise").fit(*table)
    with (
        pytest.warns(FitFailedWarning),
        pytest.raises(ValueError, match=r"8 failed and 0 were pruned\. ValueError: it is negative"),
    ):
        search(counting, {"value": [-1.0]}).fit(*table)


def test_several_scores_are_refused(table):
    with pytest.raises(TypeError, match="single number"):
        search(scoring=lambda e, X, y: {"a": 1.0, "b": 2.0}).fit(*table)


def test_without_optuna_the_extra_is_named(table, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r"pip install 'skeeg\[optuna\]'"):
        search().fit(*table)


# ---------------------------------------------------------------------- storage


def test_nothing_is_computed_twice(table, tmp_path):
    log = tmp_path / "log"
    counting = Counting(log=str(log))
    space = {"value": [0.0, 0.5, 1.0]}
    arguments = {"storage": tmp_path / "deep" / "study.db", "refit": False}
    whole = search(counting, space, n_trials=10, refit=False).fit(*table)
    n_candidates = len({row["value"] for row in whole.cv_results_["params"]})
    assert len(log.read_text().split()) == 3 * n_candidates  # a value that comes back is known
    log.unlink()
    search(counting, space, n_trials=4, **arguments).fit(*table)
    parts = search(counting, space, n_trials=10, **arguments).fit(*table)
    assert parts.n_reused_ == 4
    assert_same_results(whole, parts)
    assert len(log.read_text().split()) == 3 * n_candidates
    fewer = search(counting, space, n_trials=3, **arguments).fit(*table)
    assert len(fewer.cv_results_["params"]) == fewer.n_reused_ == 3
    assert len(log.read_text().split()) == 3 * n_candidates


@pytest.mark.parametrize(
    "changed",
    [
        {"estimator": SVC(tol=1e-4)},
        {"space": SPACE | {"kernel": ["rbf"]}},
        {"cv": 4},
        {"scoring": "f1"},
        {"random_state": 1},
        {"pruning": "folds"},
        {"sampler": optuna.samplers.RandomSampler},
    ],
)
def test_another_search_is_another_study(changed, table, tmp_path):
    storage = tmp_path / "study.db"
    search(n_trials=2, storage=storage).fit(*table)
    assert search(n_trials=2, storage=storage, **changed).fit(*table).n_reused_ == 0
    assert search(n_trials=2, storage=storage).fit(*table).n_reused_ == 2


def test_other_data_are_another_study(table, tmp_path):
    X, y = table
    storage = tmp_path / "study.db"
    search(n_trials=2, storage=storage).fit(X, y)
    other = X.copy()
    other[0, 0] += 1e-6
    assert search(n_trials=2, storage=storage).fit(other, y).n_reused_ == 0
    assert search(n_trials=2, storage=storage).fit(X, 1 - y).n_reused_ == 0


def test_without_a_seed_a_search_is_resumed_too(table, tmp_path):
    storage = tmp_path / "study.db"
    first = search(storage=storage, random_state=None, n_trials=3).fit(*table)
    whole = search(storage=storage, random_state=None, n_trials=6).fit(*table)
    assert whole.n_reused_ == 3
    rows = whole.cv_results_["params"]
    assert rows[:3] == first.cv_results_["params"]
    assert len({row["C"] for row in rows}) == 6


_SCRIPT = """
import sys, time
from scipy.stats import uniform
from sklearn.datasets import make_classification
from sklearn.svm import SVC
from skeeg.model_selection import OptunaSearchCV

class Slow(SVC):
    def fit(self, X, y):
        print("fit", flush=True)
        time.sleep(float(sys.argv[1]))
        return super().fit(X, y)

X, y = make_classification(80, 6, random_state=0)
for storage in sys.argv[2:]:
    search = OptunaSearchCV(
        Slow(), {"C": uniform(0.1, 2)}, n_trials=6, cv=3, random_state=0, storage=storage,
        refit=False,
    ).fit(X, y)
    print(search.cv_results_["params"], search.cv_results_["mean_test_score"].tolist())
"""


def test_a_search_that_was_killed_has_the_results_of_one_that_was_not(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT)
    environment = os.environ | {"PYTHONPATH": str(Path(skeeg.__file__).parents[1])}
    command = [sys.executable, str(script)]

    def start(pause, *storages):
        return subprocess.Popen(
            [*command, str(pause), *storages],
            env=environment, stdout=subprocess.PIPE, text=True, cwd=tmp_path,
        )  # fmt: skip

    killed = start(0.05, "study.db")
    for _ in range(8):  # in the third trial
        assert killed.stdout.readline() == "fit\n"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    lines = start(0, "study.db", "other.db").communicate()[0].splitlines()
    assert lines.pop(12) == lines.pop()  # two trials of three folds were kept
    assert lines == ["fit"] * (12 + 18)


def test_searches_at_the_same_time_share_a_file(table, tmp_path):
    """Each training part of a nested cross-validation has a study of its own."""
    storage = tmp_path / "study {?#%20}.db"
    scores = cross_val_score(search(n_trials=3, storage=storage), *table, cv=2, n_jobs=2)
    np.testing.assert_array_equal(scores, cross_val_score(search(n_trials=3), *table, cv=2))
    assert [path.name for path in tmp_path.iterdir()] == [storage.name]


def test_every_kind_of_storage_is_taken(table, tmp_path):
    file = optuna.storages.journal.JournalFileBackend(str(tmp_path / "study.log"))
    journal = optuna.storages.JournalStorage(file)
    for storage in (journal, f"sqlite:///{tmp_path / 'url.db'}"):
        first = search(n_trials=2, storage=storage).fit(*table)
        second = search(n_trials=3, storage=storage).fit(*table)
        assert (first.n_reused_, second.n_reused_) == (0, 2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda path: path.mkdir(), ValueError, "is a folder, not a file"),
        (lambda path: path.write_bytes(b"nonsense"), ValueError, "not an SQLite file"),
        (lambda path: path.write_bytes(b"SQLite format 3\0" * 99), OSError, "cannot be used"),
        (os.mkfifo, ValueError, "is a named pipe, not a file"),
    ],
)
def test_a_storage_that_is_none_is_refused_by_name(make, error, message, table, tmp_path):
    make(tmp_path / "study.db")
    with pytest.raises(error, match=message) as caught:
        search(storage=tmp_path / "study.db").fit(*table)
    assert "study.db" in str(caught.value)


def test_a_storage_of_another_type_is_refused(table):
    with pytest.raises(TypeError, match="path of an SQLite file"):
        search(storage=3).fit(*table)


def test_a_trial_that_was_changed_is_computed_again(table, tmp_path):
    path = tmp_path / "study.db"
    first = search(n_trials=4, storage=path).fit(*table)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE trial_values SET value = 1.0 WHERE trial_id = 3")
    again = search(n_trials=4, storage=path).fit(*table)
    assert again.n_reused_ == 2
    assert_same_results(first, again)
    assert search(n_trials=4, storage=path).fit(*table).n_reused_ == 4


def test_a_damaged_storage_is_an_error_that_names_it_or_changes_nothing(table, tmp_path):
    path = tmp_path / "study.db"
    expected = search(n_trials=1, storage=path).fit(*table).best_score_
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    messages = []
    for _ in range(8):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), 20):
            damaged[place] = rng.integers(0, 256)
        path.write_bytes(damaged)
        try:
            assert search(n_trials=1, storage=path).fit(*table).best_score_ == expected
        except (OSError, ValueError) as error:
            messages.append(str(error))
    assert messages
    assert all("study.db" in message for message in messages)


def test_finished_folds_of_a_trial_are_kept_by_memoized(table, tmp_path):
    log = tmp_path / "log"
    memoized = Memoized(Counting(log=str(log)), memory=tmp_path / "fits")
    space = {"estimator__value": [0.0, 1.0]}
    found = [search(memoized, space, refit=False).fit(*table) for _ in range(2)]
    assert_same_results(*found)
    assert len(log.read_text().split()) == 6
