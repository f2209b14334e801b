"""Successive halving on epochs equals a search that trains anew, and does not train anew."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingGridSearchCV, ParameterSampler
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skeeg import CCNNClassifier, DeepConvNetClassifier, EEGData, EEGNetClassifier, EEGNetRegressor
from skeeg.features import UnitScaler
from skeeg.model_selection import EpochHalvingSearchCV, LeakageError, TrialKFold

GRID = {"lr": [1e-4, 1e-3, 1e-2, 3e-2]}


@pytest.fixture(scope="module")
def windows():
    """Two windows of each of twelve trials, with a rhythm in the channel that is the class."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(12) % 2, 2)
    X = rng.standard_normal((24, 3, 64))
    X[np.arange(24), y] += 4 * np.sin(2 * np.pi * 8 * np.arange(64) / 64)
    return EEGData.from_arrays(X, y, sfreq=64, trial=np.repeat(np.arange(12), 2))


def network(**params):
    return EEGNetClassifier(**{"max_epochs": 4, "random_state": 0, "batch_size": 8} | params)


class CountingClassifier(EEGNetClassifier):
    """A network that notes each epoch in a file."""

    log: str = ""

    def run_single_epoch(self, *args, training, **kwargs):
        if training:
            with open(type(self).log, "a") as file:
                file.write("epoch\n")
        super().run_single_epoch(*args, training=training, **kwargs)


class CountingScaler(UnitScaler):
    """A step that counts its fits."""

    n_fits = 0

    def fit(self, X, y=None):
        type(self).n_fits += 1
        return super().fit(X, y)


# ---------------------------------------------------------------------- continued training


@pytest.mark.parametrize("parts", [(3, 3), (1, 1, 4)])
@pytest.mark.parametrize("cls", [EEGNetClassifier, DeepConvNetClassifier, CCNNClassifier])
def test_a_training_in_parts_equals_one_without_a_break(cls, parts, windows):
    params = {"random_state": 0, "batch_size": 8}
    if cls is CCNNClassifier:
        X = np.random.default_rng(0).standard_normal((24, 2, 9, 9))
        params |= {"n_filters": 4, "n_hidden": 8}
    else:
        X = windows.X
    y = windows.y
    whole = cls(max_epochs=sum(parts), **params).fit(X, y)
    part = cls(warm_start=True, **params)
    for n_epochs in parts:
        part = pickle.loads(pickle.dumps(part.set_params(max_epochs=n_epochs).fit(X, y)))
    assert part.history[:, "train_loss"] == whole.history[:, "train_loss"]
    np.testing.assert_array_equal(part.predict_proba(X), whole.predict_proba(X))


def test_another_seed_is_used_in_a_continued_training(windows):
    X, y = windows.X, windows.y
    a, b = (network(warm_start=True).fit(X, y) for _ in range(2))
    b.set_params(random_state=1)
    assert (a.fit(X, y).predict_proba(X) != b.fit(X, y).predict_proba(X)).any()
    assert "_stream" not in a.get_params()


# ---------------------------------------------------------------------- the search


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_the_results_are_those_of_a_search_that_trains_anew(windows, n_jobs):
    cv = list(TrialKFold(2).split(windows))
    ours = EpochHalvingSearchCV(network(), GRID, factor=2, cv=2, n_jobs=n_jobs).fit(windows)
    theirs = HalvingGridSearchCV(
        network(), GRID, factor=2, cv=cv, resource="max_epochs", max_resources=4
    ).fit(windows, windows.y)
    assert ours.n_resources_ == theirs.n_resources_ == [1, 2, 4]
    for name in ("iter", "n_resources", "split0_test_score", "split1_test_score", "param_lr"):
        np.testing.assert_array_equal(ours.cv_results_[name], theirs.cv_results_[name])
    assert ours.best_params_ == theirs.best_params_
    assert ours.best_score_ == theirs.best_score_
    np.testing.assert_array_equal(ours.predict_proba(windows), theirs.predict_proba(windows))
    assert type(ours.best_estimator_) is EEGNetClassifier
    assert not ours.best_estimator_.warm_start


def test_no_epoch_is_trained_twice(windows, tmp_path, monkeypatch):
    monkeypatch.setattr(CountingClassifier, "log", str(tmp_path / "log"))
    counting = CountingClassifier(max_epochs=4, random_state=0, batch_size=8)
    EpochHalvingSearchCV(counting, GRID, factor=2, cv=2).fit(windows)
    # Of 4 candidates 1 epoch, of 2 one more, of 1 two more, in 2 folds; 4 epochs at the end.
    assert len((tmp_path / "log").read_text().split()) == 2 * (4 * 1 + 2 * 1 + 1 * 2) + 4


def test_the_preprocessing_is_fitted_once_for_each_fold(windows):
    pipeline = make_pipeline(CountingScaler(), network())
    grid = {f"eegnetclassifier__{name}": values for name, values in GRID.items()}
    CountingScaler.n_fits = 0
    search = EpochHalvingSearchCV(pipeline, grid, factor=2, cv=2).fit(windows)
    assert CountingScaler.n_fits == 2 + 1  # and for all trials
    assert search.best_estimator_.memory is None
    assert search.best_params_["eegnetclassifier__max_epochs"] == 4
    alone = EpochHalvingSearchCV(network(), GRID, factor=2, cv=2).fit(
        EEGData.from_arrays(UnitScaler().fit_transform(windows.X), windows.y, 64,
                            trial=windows.groups("trial"))
    )  # fmt: skip
    assert search.cv_results_["params"][0]["eegnetclassifier__lr"] == GRID["lr"][0]
    assert search.n_resources_ == alone.n_resources_


def test_whole_trials_are_kept_together_and_other_splits_refused(windows):
    from sklearn.model_selection import KFold

    with pytest.raises(LeakageError, match="12 trials on both sides"):
        EpochHalvingSearchCV(network(), GRID, cv=[(np.r_[0:24:2], np.r_[1:24:2])]).fit(windows)
    with pytest.raises(LeakageError):
        EpochHalvingSearchCV(network(), GRID, cv=KFold(3, shuffle=True, random_state=0)).fit(
            windows
        )


def test_candidates_may_be_drawn_and_targets_continuous(windows):
    drawn = ParameterSampler({"lr": [1e-3, 1e-2, 1e-1]}, 2, random_state=0)
    y = windows.X[:, 0].std(axis=1)
    regressor = EEGNetRegressor(max_epochs=2, random_state=0)
    search = EpochHalvingSearchCV(regressor, drawn, factor=2, cv=2).fit(windows.X, y)
    assert search.n_candidates_ == [2, 1]
    clone(search)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (SVC(), "needs a network of skeeg.*SVC"),
        (network(early_stopping=True), "early_stopping=True sets aside other trials"),
        (network(callbacks=[]), r"callbacks=\[\] may begin anew"),
        (network(n_selected_chans=2), "n_selected_chans=2 selects channels by a schedule"),
        (network(compile=True), "compile=True draws"),
    ],
)
def test_what_cannot_be_continued_is_refused(estimator, message, windows):
    with pytest.raises(ValueError, match=message):
        EpochHalvingSearchCV(estimator, GRID).fit(windows)


def test_the_number_of_epochs_cannot_be_searched_as_well(windows):
    with pytest.raises(ValueError, match="max_epochs as the resource"):
        EpochHalvingSearchCV(network(), {"max_epochs": [1, 2]}, cv=2).fit(windows)
