"""compare(): one set of folds, honest numbers, repeatable, and nothing lost to a kill."""

from __future__ import annotations

import json
import os
import pickle
import random
import signal
import subprocess
import sys
import textwrap
import time
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from joblib import parallel_config
from mne.decoding import Vectorizer
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    roc_auc_score,
)
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    LeaveOneGroupOut,
    ShuffleSplit,
    StratifiedKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

import skeeg
from skeeg import EEGData, LeakageError, compare
from skeeg.estimators import EEGNetClassifier
from skeeg.evaluation import FoldError
from skeeg.model_selection import (
    LeaveSubjectsOut,
    ShuffledSegmentKFold,
    TrialKFold,
    WithinSubject,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*the length is clipped:UserWarning")

TIMES = ["fit_time", "predict_time"]


def quiet(*args, **kwargs):
    return compare(*args, progress=False, **({"random_state": 0} | kwargs))


def assert_same(a, b):
    pd.testing.assert_frame_equal(a.scores.drop(columns=TIMES), b.scores.drop(columns=TIMES))
    pd.testing.assert_frame_equal(a.predictions, b.predictions)
    pd.testing.assert_frame_equal(a.history, b.history)


class Constant(ClassifierMixin, BaseEstimator):
    """Predict one label, without any score; optionally fail, or predict nonsense."""

    def __init__(self, label="left", error=None):
        self.label = label
        self.error = error

    def fit(self, X, y):
        if self.error is not None:
            raise self.error
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.label)


# ---------------------------------------------------------------------- numbers


@pytest.mark.parametrize("classes", [("left", "right"), ("feet", "left", "right")])
def test_scores_are_those_of_scikit_learn_on_the_predictions(make_data, estimators, classes):
    data = make_data(classes=classes)
    comparison = quiet(estimators, data)
    for (name, fold), own in comparison.predictions.groupby(["estimator", "fold"]):
        kind = "decision" if name == "svm" else "proba"
        values = own[[f"{kind}_{label}" for label in classes]].to_numpy()
        true, predicted = own["y_true"], own["y_pred"]
        if len(classes) == 2:
            area = roc_auc_score(true, values[:, 1])
        else:
            areas = [roc_auc_score(true == label, values[:, i]) for i, label in enumerate(classes)]
            area = np.average(areas, weights=[(true == label).sum() for label in classes])
        expected = {
            "accuracy": accuracy_score(true, predicted),
            "balanced_accuracy": balanced_accuracy_score(true, predicted),
            "roc_auc": area,
            "kappa": cohen_kappa_score(true, predicted),
        }
        scores = comparison.scores.set_index(["estimator", "fold"]).loc[(name, fold)]
        for metric, value in expected.items():
            assert scores[metric] == pytest.approx(value), metric


def test_predictions_are_those_of_a_plain_loop(make_data, estimators):
    data = make_data()
    comparison = quiet(estimators, data, cv=StratifiedKFold(3))
    folds = StratifiedKFold(3).split(data.X, data.y)
    by_hand = np.empty(len(data), dtype=object)
    for train, test in folds:
        fitted = clone(estimators["lda"]).fit(data.X[train], data.y[train])
        by_hand[test] = fitted.predict(data.X[test])
    own = comparison.predictions.query("estimator == 'lda'").sort_values("row")
    assert own["row"].tolist() == list(range(len(data)))
    assert own["y_pred"].tolist() == by_hand.tolist()
    assert own["y_true"].tolist() == data.y.tolist()
    assert own["subject"].tolist() == data.metadata["subject"].tolist()


def test_every_estimator_meets_the_same_folds(make_data, estimators):
    comparison = quiet(estimators, make_data(), cv=ShuffleSplit(3, test_size=0.3))
    rows = comparison.predictions.groupby(["estimator", "fold"])["row"].apply(tuple)
    assert (rows.unstack("estimator").nunique(axis=1) == 1).all()


def test_scores_say_where_how_long_and_how_large(make_data, estimators):
    scores = quiet(estimators, make_data()).scores
    assert scores.columns.tolist() == [
        *("estimator", "fold", "subject", "accuracy", "balanced_accuracy", "roc_auc", "kappa"),
        *("fit_time", "predict_time", "n_train", "n_test", "n_parameters"),
    ]
    assert (scores[TIMES] > 0).to_numpy().all()
    assert set(scores["subject"]) == {1, 2}
    assert (scores["n_train"] == 12).all()
    assert (scores["n_test"] == 12).all()
    assert scores["n_parameters"].isna().all()


def test_networks_show_their_size_and_learning_curves(make_data):
    data = make_data(n_subjects=1)
    network = EEGNetClassifier(max_epochs=2, kernel_length=4, device="cpu")
    searched = GridSearchCV(clone(network), {"lr": [1e-3]}, cv=2)
    comparison = quiet({"net": network, "pipe": make_pipeline(network), "grid": searched}, data)
    fitted = clone(network).set_params(random_state=0).fit(data.X[12:], data.y[12:])
    size = sum(p.numel() for p in fitted.module_.parameters())
    assert (comparison.scores["n_parameters"] == size).all()
    history = comparison.history.query("fold == 'subject 1, run 0'").set_index("estimator")
    for name in ("net", "pipe"):
        assert history.loc[name, "epoch"].tolist() == [1, 2]
        np.testing.assert_array_equal(
            history.loc[name, "train_loss"], fitted.history[:, "train_loss"]
        )
        np.testing.assert_array_equal(
            history.loc[name, "train_acc"], fitted.history[:, "train_acc"]
        )
    assert comparison.history["valid_loss"].isna().all()


@pytest.mark.parametrize("labels", [("left", "right"), (1, 2), (7, 5), (True, False)])
def test_labels_of_any_type_come_back(make_data, estimators, labels):
    data = make_data(classes=labels, n_subjects=1)
    comparison = quiet({"lda": estimators["lda"]}, data)
    assert comparison.about.classes == tuple(sorted(labels))
    assert comparison.predictions["y_pred"].dtype == pd.Series(data.y).dtype
    assert set(comparison.predictions["y_pred"]) <= set(labels)


def test_scores_of_an_estimator_with_other_class_order_are_sorted(make_data):
    class Reversed(DummyClassifier):
        def fit(self, X, y):
            super().fit(X, y)
            self.order = [1, 0]
            self.classes_ = self.classes_[self.order]
            return self

        def predict_proba(self, X):
            return np.tile([0.9, 0.1], (len(X), 1))

        def predict(self, X):
            return np.full(len(X), "right")

    predictions = quiet({"reversed": Reversed()}, make_data(n_subjects=1)).predictions
    assert (predictions["proba_right"] == 0.9).all()
    assert (predictions["proba_left"] == 0.1).all()


def test_an_estimator_without_scores_has_no_roc_auc(make_data):
    comparison = quiet({"left": Constant()}, make_data())
    assert comparison.scores["roc_auc"].isna().all()
    assert (comparison.scores["accuracy"] == 0.5).all()
    assert (comparison.scores["kappa"] == 0).all()


def test_a_test_part_without_a_class_has_no_roc_auc_and_a_warning(make_data, estimators):
    data = make_data(n_subjects=1)
    left = np.flatnonzero(data.y == "left")
    splits = [(np.setdiff1d(np.arange(24), left[:4]), left[:4])]
    with pytest.warns(UserWarning, match=r"ROC AUC is undefined .NaN. in 1 of 1 folds.*'fold 1'"):
        comparison = quiet({"lda": estimators["lda"]}, data, cv=splits)
    assert comparison.scores["roc_auc"].isna().all()
    own = comparison.predictions
    assert comparison.scores["accuracy"].item() == (own["y_true"] == own["y_pred"]).mean()


# ---------------------------------------------------------------------- chance


def test_chance_is_the_majority_with_the_binomial_bound(make_data):
    data = make_data(n_subjects=1, n_runs=1, n_trials=40)
    kept = np.r_[np.flatnonzero(data.y == "left"), np.flatnonzero(data.y == "right")[:10]]
    chance = quiet({"guess": DummyClassifier()}, data[kept]).about.chance
    assert chance["accuracy"].level == 20 / 30
    assert chance["balanced_accuracy"].level == 0.5
    assert chance["roc_auc"].level == 0.5
    assert chance["kappa"].level == 0.0
    guesses = np.random.default_rng(0).binomial(30, 20 / 30, 200_000) / 30
    assert (guesses <= chance["accuracy"].upper).mean() >= 0.95
    assert (guesses <= chance["accuracy"].upper - 1 / 30).mean() < 0.95


def test_windows_of_one_trial_count_once_in_the_bound(make_data):
    data = make_data(n_subjects=1, n_trials=12)
    wide = quiet({"guess": DummyClassifier()}, data)
    data.metadata["trial"] = data.metadata["trial"] // 2
    data.metadata["run"] = 0
    narrow = quiet({"guess": DummyClassifier()}, data)
    assert narrow.about.chance["accuracy"].upper > wide.about.chance["accuracy"].upper


# ---------------------------------------------------------------------- repeatability


def test_one_seed_gives_one_result_on_any_number_of_jobs(make_data, estimators):
    data = make_data()
    once, again, parallel = (quiet(estimators, data, n_jobs=n) for n in (1, 1, 2))
    assert_same(once, again)
    assert_same(once, parallel)


def test_networks_repeat_exactly_on_any_number_of_jobs(make_data):
    data = make_data(n_subjects=1)
    network = {"net": EEGNetClassifier(max_epochs=2, kernel_length=4, device="cpu")}
    assert_same(quiet(network, data, n_jobs=1), quiet(network, data, n_jobs=2))


def test_seeds_differ_between_folds_and_never_replace_the_users(make_data):
    data = make_data(n_subjects=1)
    seen = {"free": DummyClassifier(strategy="uniform")}
    seen["fixed"] = DummyClassifier(strategy="uniform", random_state=5)
    predictions = quiet(seen, data, cv=StratifiedKFold(2), random_state=3).predictions
    for name, seeds in {"free": (3, 4), "fixed": (5, 5)}.items():
        for i, (train, test) in enumerate(StratifiedKFold(2).split(data.X, data.y)):
            alone = DummyClassifier(strategy="uniform", random_state=seeds[i])
            expected = alone.fit(data.X[train], data.y[train]).predict(data.X[test])
            own = predictions.query(f"estimator == {name!r} and fold == 'fold {i + 1}'")
            assert own["y_pred"].tolist() == expected.tolist()
    assert seen["free"].random_state is None


def test_the_seed_drawn_is_kept_and_repeats_the_run(make_data, estimators):
    data = make_data()
    drawn = quiet(estimators, data, random_state=None)
    assert_same(drawn, quiet(estimators, data, random_state=drawn.about.random_state))


def test_estimators_that_draw_from_global_generators_repeat_and_leave_them_alone(make_data):
    class Global(Constant):
        def predict(self, X):
            return np.random.choice(self.classes_, len(X))  # noqa: NPY002

    data = make_data()
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert_same(quiet({"global": Global()}, data), quiet({"global": Global()}, data))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


class Drawing(Constant):
    """Draw from every global generator, with pauses in which other threads run."""

    def fit(self, X, y):
        super().fit(X, y)
        total = 0.0
        for _ in range(5):
            total += np.random.rand() + random.random() + torch.rand(1).item()  # noqa: NPY002
            time.sleep(0.002)
        self.drawn_ = total
        warnings.warn(f"drew {total}", UserWarning, stacklevel=2)
        return self

    def predict(self, X):
        return np.random.choice(self.classes_, len(X))  # noqa: NPY002


def states():
    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002


def test_threads_give_what_one_job_gives_and_leave_the_generators_alone(make_data, estimators):
    data = make_data()
    network = EEGNetClassifier(max_epochs=2, kernel_length=4, device="cpu")
    mixed = {"drawing": Drawing(), "net": network, **estimators}
    before, filters, show = states(), list(warnings.filters), warnings.showwarning
    with warnings.catch_warnings(record=True) as alone:
        warnings.simplefilter("default")
        one = quiet(mixed, data, n_jobs=1)
    with parallel_config("threading"), warnings.catch_warnings(record=True) as together:
        warnings.simplefilter("default")
        assert_same(one, quiet(mixed, data, n_jobs=4))
    assert sorted(str(w.message) for w in alone) == sorted(str(w.message) for w in together)
    assert sum("drew" in str(w.message) for w in alone) == 4
    assert states() == before
    assert (list(warnings.filters), warnings.showwarning) == (filters, show)


def test_what_was_passed_is_not_fitted_or_changed(make_data, estimators):
    before = {name: str(estimator) for name, estimator in estimators.items()}
    quiet(estimators, make_data())
    assert {name: str(estimator) for name, estimator in estimators.items()} == before
    assert not hasattr(estimators["guess"], "classes_")


# ---------------------------------------------------------------------- leakage


def test_a_split_that_leaks_is_refused(make_data, estimators):
    data = make_data(n_subjects=1)
    data.metadata["trial"] //= 2
    with pytest.raises(LeakageError, match=r"To run the split anyway.*allow_leakage=True"):
        quiet(estimators, data, cv=StratifiedKFold(3, shuffle=True))
    quiet(estimators, data, cv=GroupKFold(3), groups="trial")


def test_groups_by_subject_are_held_to_it(make_data, estimators):
    data = make_data()
    quiet({"lda": estimators["lda"]}, data, cv=LeaveOneGroupOut(), groups="subject")
    with pytest.raises(LeakageError, match="2 subjects on both sides"):
        quiet({"lda": estimators["lda"]}, data, cv=StratifiedKFold(3), groups="subject")


def test_recordings_of_one_class_are_refused(make_data, estimators):
    data = make_data(n_subjects=3)
    data.y[:] = np.where(data.metadata["run"] == 0, "left", "right")
    with pytest.raises(LeakageError, match="cv='cross-subject'"):
        quiet(estimators, data)
    quiet({"lda": estimators["lda"]}, data, cv="cross-subject")


def test_leakage_that_was_allowed_is_said_everywhere(make_data, estimators, tmp_path):
    data = make_data(n_subjects=1)
    data.metadata["trial"] //= 2
    comparison = quiet(estimators, data, cv=StratifiedKFold(3, shuffle=True), allow_leakage=True)
    words = "leakage allowed"
    assert words in repr(comparison)
    assert (comparison.summary()["note"] == words).all()
    assert words in comparison.plot_scores().axes[0].get_title()
    assert words in comparison.plot_confusion("lda").axes[0].get_title()
    comparison.save(tmp_path)
    comparison.report(tmp_path / "report.html")
    for name in ("comparison.json", "scores.csv", "predictions.csv", "report.html"):
        assert words in (tmp_path / name).read_text(encoding="utf-8")
    assert words in repr(skeeg.Comparison.load(tmp_path))


@pytest.mark.parametrize("within", [False, True])
def test_shuffled_segments_run_only_where_leakage_is_allowed(make_data, estimators, within):
    data = make_data()
    data.metadata["trial"] //= 4
    lda = {"lda": estimators["lda"]}

    def splitter(**options):
        shuffled = ShuffledSegmentKFold(3, **options)
        return WithinSubject(shuffled) if within else shuffled

    with pytest.raises(LeakageError, match=r"use TrialKFold.*skeeg\.compare"):
        quiet(lda, data, cv=splitter())
    by_compare = quiet(lda, data, cv=splitter(), allow_leakage=True)
    by_splitter = quiet(lda, data, cv=splitter(allow_leakage=True))
    assert_same(by_compare, by_splitter)
    assert "trials on both sides" in by_compare.leakage
    assert by_compare.about.n_folds == (6 if within else 3)


def test_subjects_left_out_are_those_of_the_protocol(make_data, estimators):
    lda, data = {"lda": estimators["lda"]}, make_data(n_subjects=3)
    by_name, by_splitter = (
        quiet(lda, data, cv=cv).scores for cv in ("cross-subject", LeaveSubjectsOut())
    )
    columns = ["subject", "accuracy", "roc_auc"]
    pd.testing.assert_frame_equal(by_name[columns], by_splitter[columns])


def test_folds_within_subjects_know_theirs(make_data, estimators):
    comparison = quiet({"lda": estimators["lda"]}, make_data(), cv=WithinSubject(TrialKFold(3)))
    assert comparison.scores["subject"].tolist() == [1, 1, 1, 2, 2, 2]
    assert comparison.leakage == ""


def test_allowing_leakage_where_nothing_leaks_says_nothing(make_data, estimators):
    comparison = quiet({"lda": estimators["lda"]}, make_data(), allow_leakage=True)
    assert "leakage" not in repr(comparison)
    assert "note" not in comparison.scores


# ---------------------------------------------------------------------- failures


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_names_estimator_and_fold_and_is_chained(make_data, n_jobs):
    with pytest.raises(FoldError, match=r"^broken failed in fold 'subject \d, run \d'") as caught:
        quiet(
            {"broken": make_pipeline(Vectorizer(), SVC(kernel="none"))}, make_data(), n_jobs=n_jobs
        )
    assert "InvalidParameterError" in str(caught.value)
    assert "InvalidParameterError" in str(caught.value.__cause__) or n_jobs == 1
    assert type(caught.value.__cause__).__name__ in ("InvalidParameterError", "_RemoteTraceback")


def test_control_c_aborts(make_data):
    with pytest.raises(KeyboardInterrupt):
        quiet({"stopped": Constant(error=KeyboardInterrupt())}, make_data())


@pytest.mark.parametrize(
    ("label", "message"), [("up", "predicted 'up', which is none of the classes"), (1.5, "none of")]
)
def test_predictions_that_are_no_class_are_an_error(make_data, label, message):
    with pytest.raises(FoldError, match=message):
        quiet({"odd": Constant(label)}, make_data())


def test_scores_that_are_not_finite_are_an_error(make_data):
    class Diverged(Constant):
        def predict_proba(self, X):
            return np.full((len(X), 2), np.nan)

    with pytest.raises(FoldError, match="not finite"):
        quiet({"diverged": Diverged()}, make_data())


def test_warnings_are_repeated_once_with_the_number_of_folds(make_data):
    hasty = make_pipeline(Vectorizer(), LogisticRegression(max_iter=1))
    with pytest.warns(UserWarning, match="hasty, 4 of 4 folds: ConvergenceWarning") as caught:
        quiet({"hasty": hasty}, make_data())
    assert len([w for w in caught if "ConvergenceWarning" in str(w.message)]) == 1


@pytest.mark.parametrize(
    ("estimators", "error", "message"),
    [
        ({}, TypeError, "estimators must be"),
        ({"a": 3}, TypeError, "'a' has no fit and no predict"),
        ({"a": DummyClassifier}, TypeError, "'a' is the class DummyClassifier; pass an instance"),
        ([("a", DummyClassifier())] * 2, ValueError, "Two estimators have the name 'a'"),
        ({"": DummyClassifier()}, ValueError, "must not be empty"),
        (DummyClassifier(), TypeError, "estimators must be"),
        ([DummyClassifier()], TypeError, "must be given as"),
        (["eggnet"], ValueError, "Unknown model 'eggnet'. Did you mean 'eegnet'"),
    ],
)
def test_what_is_no_estimator_is_refused(make_data, estimators, error, message):
    with pytest.raises(error, match=message):
        quiet(estimators, make_data())


def test_builtin_models_go_by_name(make_data):
    comparison = quiet(["csp-lda", ("guess", DummyClassifier())], make_data())
    assert comparison.estimators == ["csp-lda", "guess"]
    assert "CSP" in comparison.about.estimators["csp-lda"]


def test_bad_data_are_refused(make_data, estimators):
    data = make_data()
    message = "data must be EEGData, FeatureTable or mne.Epochs, got ndarray"
    with pytest.raises(TypeError, match=message):
        quiet(estimators, data.X)
    one = data[data.y == "left"]
    with pytest.raises(ValueError, match="one class only, 'left'"):
        quiet(estimators, one)
    holed = EEGData.from_arrays(data.X.copy(), data.y, 8, subject=1)
    holed.X[3, 1, 2] = np.nan
    with pytest.raises(ValueError, match="NaN: first in trial 3, channel 1"):
        quiet(estimators, holed)
    mixed = EEGData.from_arrays(np.zeros((2, 1, 4)), np.array(["a", 1], dtype=object), 8)
    with pytest.raises(ValueError, match="labels mix types"):
        quiet(estimators, mixed)


def test_a_training_part_without_a_class_is_refused(make_data, estimators):
    data = make_data()
    left = data.y == "left"
    with pytest.raises(ValueError, match=r"'fold 1' .*lacks class 'right'"):
        quiet(estimators, data, cv=[(left, ~left)])


def test_unknown_metrics_offer_the_nearest(make_data, estimators):
    with pytest.raises(ValueError, match=r"'acuracy'. Did you mean 'accuracy'"):
        quiet(estimators, make_data(), scoring=["acuracy"])
    only = quiet({"lda": estimators["lda"]}, make_data(), scoring="kappa")
    assert only.about.metrics == ("kappa",)


def test_epochs_are_taken_as_they_are(make_data, estimators):
    import mne

    data = make_data(n_subjects=1)
    info = mne.create_info(list(data.ch_names), data.sfreq, "eeg")
    codes = np.searchsorted(["left", "right"], data.y)
    events = np.c_[np.arange(len(data)), np.zeros(len(data), int), codes]
    epochs = mne.EpochsArray(
        data.X,
        info,
        events,
        event_id={"left": 0, "right": 1},
        metadata=data.metadata,
        verbose=False,
    )
    of_epochs = quiet({"lda": estimators["lda"]}, epochs)
    assert_same(of_epochs, quiet({"lda": estimators["lda"]}, data))


# ---------------------------------------------------------------------- store


class Counting(DummyClassifier):
    """Write a line for every fit."""

    def __init__(self, log=None, strategy="stratified", random_state=None):
        super().__init__(strategy=strategy, random_state=random_state)
        self.log = log

    def fit(self, X, y):
        with open(self.log, "a") as file:
            file.write("fit\n")
        return super().fit(X, y)


@pytest.fixture
def counting(tmp_path):
    log = tmp_path / "log"
    log.touch()
    return Counting(str(log)), lambda: len(log.read_text().splitlines())


def test_a_store_needs_a_seed(make_data, estimators, tmp_path):
    with pytest.raises(ValueError, match="store needs a random_state"):
        quiet(estimators, make_data(), random_state=None, store=tmp_path)


def test_finished_folds_are_not_fitted_again(make_data, counting, tmp_path):
    estimator, n_fits = counting
    data, store = make_data(), tmp_path / "store"
    first = quiet({"a": estimator}, data, store=store)
    assert n_fits() == 4
    second = quiet({"renamed": estimator}, data, store=store)
    assert n_fits() == 4
    assert second.scores.drop(columns="estimator").equals(first.scores.drop(columns="estimator"))
    quiet({"a": estimator}, data)
    assert n_fits() == 8


def test_another_parameter_seed_fold_or_trial_is_another_result(make_data, counting, tmp_path):
    estimator, n_fits = counting
    data, store = make_data(n_subjects=1), tmp_path / "store"
    quiet({"a": estimator}, data, store=store)
    changes = [
        ({"a": clone(estimator).set_params(strategy="uniform")}, data, {}),
        ({"a": estimator}, data, {"random_state": 7}),
        ({"a": estimator}, data, {"cv": StratifiedKFold(3)}),
        ({"a": estimator}, make_data(n_subjects=1, seed=1), {}),
    ]
    for number, (changed, of, arguments) in enumerate(changes):
        before = n_fits()
        quiet(changed, of, store=store, **arguments)
        assert n_fits() > before, number


def test_networks_come_back_whole_from_the_store(make_data, tmp_path):
    data = make_data(n_subjects=1)
    network = {"net": EEGNetClassifier(max_epochs=2, kernel_length=4, device="cpu")}
    first = quiet(network, data, store=tmp_path)
    second = quiet(network, data, store=tmp_path)
    pd.testing.assert_frame_equal(first.scores, second.scores)
    assert_same(first, second)


def _pickled(path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(path.parent / "exploded"), "w"))

    return pickle.dumps(Bomb())


def _forged(change):
    def forge(path):
        document = json.loads(path.read_text())
        change(document["result"])
        return json.dumps(document).encode()

    return forge


def test_what_cannot_be_identified_is_computed_with_a_warning(make_data, tmp_path):
    with open(tmp_path / "log", "w") as file:

        def label():
            return file.name

        class Own(Constant):
            def predict(self, X):
                return np.full(len(X), "left" if label() else "right")

        for _ in range(2):
            with pytest.warns(UserWarning, match=r"cannot identify 'own'.*TextIOWrapper"):
                found = quiet({"own": Own()}, make_data(n_subjects=1), store=tmp_path / "store")
    assert found.reused == {"own": 0}


def test_a_full_disk_loses_no_result(make_data, estimators, tmp_path, monkeypatch):
    data, lda = make_data(), {"lda": estimators["lda"]}
    half = quiet(lda, data[data.metadata["subject"] == 1], store=tmp_path)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.warns(UserWarning, match="the disk is full") as caught:
            assert_same(quiet(lda, data, store=tmp_path), quiet(lda, data))
    assert len([w for w in caught if "disk is full" in str(w.message)]) == 1
    again = quiet(lda, data[data.metadata["subject"] == 1], store=tmp_path)
    assert again.reused == {"lda": half.about.n_folds}


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: b"",
        lambda path: path.read_bytes()[:200],
        lambda path: b"[" * 100_000,
        lambda path: b"\xff\xfe\x00",
        lambda path: b"[]",
        lambda path: b'{"format": "skeeg.FoldResult"}',
        _pickled,
        _forged(lambda result: result["predicted"].reverse() or result["predicted"].append(0)),
        _forged(lambda result: result.update(fit_time=0.0)),
    ],
)
@pytest.mark.filterwarnings("always")
def test_a_damaged_file_is_computed_again_with_a_warning(make_data, estimators, tmp_path, damage):
    data, lda = make_data(n_subjects=1), {"lda": estimators["lda"]}
    first = quiet(lda, data, store=tmp_path)
    path = sorted(tmp_path.glob("*.json"))[0]
    path.write_bytes(damage(path))
    with pytest.warns(UserWarning, match=f"{path.name} is damaged .*computed again"):
        again = quiet(lda, data, store=tmp_path)
    assert_same(first, again)
    assert not (tmp_path / "exploded").exists()
    assert_same(first, quiet(lda, data, store=tmp_path))


SCRIPT = textwrap.dedent(
    """
    import sys, time
    import numpy as np
    from sklearn.dummy import DummyClassifier
    from skeeg import EEGData, compare

    class Slow(DummyClassifier):
        def fit(self, X, y):
            print("fit", flush=True)
            time.sleep(0.3)
            return super().fit(X, y)

    store, n_jobs = sys.argv[1], int(sys.argv[2])
    rng = np.random.default_rng(0)
    data = EEGData.from_arrays(
        rng.standard_normal((80, 2, 8)), ["a", "b"] * 40, 8, subject=1, run=np.arange(80) // 10
    )
    result = compare(
        {"slow": Slow(strategy="stratified")}, data, random_state=0, n_jobs=n_jobs, progress=False,
        store=store if store != "none" else None,
    )
    print("result", result.predictions.to_csv().encode().hex())
    """
)


def started(tmp_path, store, n_jobs=1):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, str(script), str(store), str(n_jobs)],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts if sys.platform != "win32" else None,
    )


def heed_interrupts():
    """Undo what a shell does to jobs in the background, which the tests may be one of."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def finished(store):
    return [path for path in store.glob("*.json") if not path.name.startswith(".")]


def wait_for_results(store, n_results, process):
    give_up = time.monotonic() + 120
    while len(finished(store)) < n_results:
        assert process.poll() is None, "ended before it could be stopped"
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_a_killed_comparison_goes_on_where_it_was(tmp_path):
    store = tmp_path / "store"
    killed = started(tmp_path, store)
    wait_for_results(store, 2, killed)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=30)
    n_finished = len(finished(store))
    assert 2 <= n_finished < 8
    resumed = started(tmp_path, store).communicate(timeout=120)[0].splitlines()
    straight = started(tmp_path, "none").communicate(timeout=120)[0].splitlines()
    assert resumed.count("fit") == 8 - n_finished
    assert straight.count("fit") == 8
    assert resumed[-1] == straight[-1]
    assert resumed[-1].startswith("result")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_control_c_ends_a_parallel_comparison(tmp_path):
    store = tmp_path / "store"
    process = started(tmp_path, store, n_jobs=2)
    wait_for_results(store, 1, process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode not in (0, None)
