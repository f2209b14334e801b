"""Fits are found again, by whoever asks with the same question, and never trusted blindly."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from joblib import Memory
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skeeg import EEGNetClassifier
from skeeg._entries import Entries, EntryError
from skeeg.model_selection import Memoized

X = np.random.default_rng(0).standard_normal((40, 3))
Y = np.tile([0, 1], 20)


class Counting(ClassifierMixin, BaseEstimator):
    """Write a line for every fit."""

    def __init__(self, log=None, level=0, error=None):
        self.log = log
        self.level = level
        self.error = error

    def fit(self, X, y, sample_weight=None):
        with open(self.log, "a") as file:
            file.write("fit\n")
        if self.error:
            random.random()
        self.classes_ = np.unique(y)
        self.mean_ = np.average(X[:, 0], weights=sample_weight) + self.level
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[int(self.mean_ > 0)])


@pytest.fixture
def counting(tmp_path):
    log = tmp_path / "log"
    log.touch()
    return Counting(str(log)), lambda: len(log.read_text().splitlines())


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@parametrize_with_checks([Memoized(LogisticRegression()), Memoized(StandardScaler())])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_scikit_learn_checks_with_a_store(store):
    from sklearn.utils.estimator_checks import check_estimator

    check_estimator(Memoized(Ridge(), memory=store), on_skip=None)


def test_a_fit_is_found_again(counting, store):
    estimator, n_fits = counting
    first = Memoized(estimator, store).fit(X, Y)
    second = Memoized(clone(estimator), str(store)).fit(X, Y)
    assert (first.reused_, second.reused_, n_fits()) == (False, True, 1)
    assert second.mean_ == first.mean_
    assert is_classifier(second)
    assert second.classes_.tolist() == [0, 1]
    assert Memoized(estimator, Memory(store / "joblib", verbose=0)).fit(X, Y).reused_ is False
    assert Memoized(estimator).fit(X, Y).reused_ is False


def test_other_data_weights_or_parameters_are_other_fits(counting, store):
    estimator, n_fits = counting
    Memoized(estimator, store).fit(X, Y)
    Memoized(estimator, store).fit(X + 1, Y)
    Memoized(estimator, store).fit(X, 1 - Y)
    Memoized(estimator, store).fit(X, Y, sample_weight=np.ones(40))
    Memoized(clone(estimator).set_params(level=1), store).fit(X, Y)
    assert n_fits() == 5


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_searches_and_cross_validation_compute_only_what_is_missing(counting, store, n_jobs):
    estimator, n_fits = counting
    memoized = Memoized(estimator, store)
    cross_val_score(memoized, X, Y, cv=4, n_jobs=n_jobs)
    search = GridSearchCV(memoized, {"estimator__level": [0, 1]}, cv=4, n_jobs=n_jobs, refit=False)
    search.fit(X, Y)
    assert n_fits() == 8
    plain = GridSearchCV(estimator, {"level": [0, 1]}, cv=4, refit=False).fit(X, Y)
    key = "mean_test_score"
    np.testing.assert_array_equal(search.cv_results_[key], plain.cv_results_[key])


def test_networks_are_found_with_their_history(store):
    trials = np.random.default_rng(0).standard_normal((16, 2, 32))
    net = EEGNetClassifier(max_epochs=2, kernel_length=4, random_state=0, device="cpu")
    first = Memoized(net, store).fit(trials, np.tile([0, 1], 8))
    second = Memoized(clone(net).set_params(verbose=1), store).fit(trials, np.tile([0, 1], 8))
    assert second.reused_
    np.testing.assert_array_equal(first.predict_proba(trials), second.predict_proba(trials))
    assert second.estimator_.history[:, "train_loss"] == first.estimator_.history[:, "train_loss"]
    assert second.estimator_.verbose == 1


def test_fits_without_a_seed_are_not_stored(counting, store):
    estimator, n_fits = counting
    drawing = clone(estimator).set_params(error=True)
    for _ in range(2):
        with pytest.warns(UserWarning, match="global generator"):
            Memoized(drawing, store).fit(X, Y)
    assert n_fits() == 2
    trials = np.random.default_rng(0).standard_normal((8, 2, 32))
    net = EEGNetClassifier(max_epochs=1, kernel_length=4)
    with pytest.warns(UserWarning, match="random_state of EEGNetClassifier"):
        Memoized(net, store).fit(trials, np.tile([0, 1], 4))


class Opened:
    """A parameter that holds a file, and that clones share."""

    def __init__(self, file):
        self.file = file

    def __deepcopy__(self, memo):
        return self

    def __bool__(self):
        return False


def test_what_cannot_be_identified_is_fitted_with_a_warning(counting, store):
    estimator, n_fits = counting
    with open(os.devnull) as file:
        estimator.error = Opened(file)
        for _ in range(2):
            with pytest.warns(UserWarning, match=r"cannot identify.*error\.file.*TextIOWrapper"):
                Memoized(estimator, store).fit(X, Y)
    assert n_fits() == 2


# ---------------------------------------------------------------------- entries

EXPLODED = []


class Bomb:
    def __reduce__(self):
        return (EXPLODED.append, (1,))


def resigned(content):
    """Return an entry with a pickle of someone else, whose checksum fits."""
    document = json.loads(content.split(b"\n", 1)[0])
    payload = pickle.dumps(Bomb())
    document |= {"size": len(payload), "sha256": hashlib.sha256(payload).hexdigest()}
    return json.dumps(document).encode() + b"\n" + payload


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:100],
        lambda content: content[:-1],
        lambda content: content + b"x",
        lambda content: content.replace(b"mean_", b"nean_"),
        lambda content: b"[" * 100_000,
        lambda content: pickle.dumps(Bomb()),
        resigned,
    ],
)
def test_damaged_and_foreign_entries_are_computed_again(counting, store, damage):
    estimator, n_fits = counting
    first = Memoized(estimator, store).fit(X, Y)
    (path,) = store.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(UserWarning, match="computed again"):
        again = Memoized(estimator, store).fit(X, Y)
    assert (again.mean_, n_fits(), EXPLODED) == (first.mean_, 2, [])
    assert Memoized(estimator, store).fit(X, Y).reused_


def test_renamed_entries_and_those_of_other_users_are_refused(store, monkeypatch, tmp_path):
    entries = Entries(store)
    entries.write("a", {"n": 1}, b"payload")
    assert entries.read("a") == ({"n": 1}, b"payload")
    assert entries.read("b") is None
    entries.path("a").rename(entries.path("b"))
    with pytest.raises(EntryError, match="renamed"):
        entries.read("b")
    entries.write("b", {})
    monkeypatch.setenv("SKEEG_STORE_KEY", str(tmp_path / "of another user"))
    with pytest.raises(EntryError, match="another user"):
        entries.read("b")
    assert (tmp_path / "of another user").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices are POSIX's")
@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "sparse", "link to nowhere"])
def test_odd_files_neither_hang_nor_fill_the_memory(counting, store, kind, tmp_path):
    estimator, n_fits = counting
    Memoized(estimator, store).fit(X, Y)
    (path,) = store.iterdir()
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "sparse":
        with path.open("wb") as file:
            file.truncate(3 * 2**30)
    else:
        path.symlink_to("/dev/zero" if kind == "device" else tmp_path / "nowhere")
    with pytest.warns(UserWarning, match="computed again"):
        Memoized(estimator, store).fit(X, Y)
    assert n_fits() == 2


def test_a_full_disk_is_said_and_loses_nothing(counting, store, monkeypatch):
    estimator, n_fits = counting
    Memoized(estimator, store).fit(X, Y)

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.warns(UserWarning, match="the disk is full"):
            fitted = Memoized(estimator, store).fit(X + 1, Y)
    assert fitted.predict(X).shape == (40,)
    assert Memoized(estimator, store).fit(X, Y).reused_
    assert len(list(store.iterdir())) == 1
    assert n_fits() == 2


SCRIPT = textwrap.dedent(
    """
    import sys, time
    import numpy as np
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.model_selection import cross_val_score
    from skeeg.model_selection import Memoized

    class Slow(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            print("fit", flush=True)
            time.sleep(0.05)
            self.classes_ = np.unique(y)
            self.mean_ = X.mean()
            return self

        def predict(self, X):
            return (X[:, 0] > self.mean_).astype(int)

    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((48, 2)), np.tile([0, 1], 24)
    print("scores", cross_val_score(Memoized(Slow(), sys.argv[1]), X, y, cv=12).tolist())
    """
)


@pytest.mark.slow
def test_fits_killed_at_random_moments_end_as_an_undisturbed_run(tmp_path):
    rng = random.Random(0)
    script, store = tmp_path / "script.py", tmp_path / "store"
    script.write_text(SCRIPT)

    def started(folder):
        command = [sys.executable, str(script), str(folder)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    straight = started(tmp_path / "other").communicate(timeout=120)[0].splitlines()
    for _ in range(8):
        process = started(store)
        if process.stdout.readline().startswith("fit"):
            time.sleep(rng.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    n_finished = len([p for p in store.iterdir() if not p.name.startswith(".")])
    resumed = started(store).communicate(timeout=120)[0].splitlines()
    assert resumed.count("fit") == 12 - n_finished
    assert resumed[-1] == straight[-1]
