"""Comparisons and searches on a Dask cluster equal those without one, whatever workers are lost."""

from __future__ import annotations

import os
import signal
import sys
import uuid
from pathlib import Path

import cloudpickle
import dask
import joblib
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV
from typer.testing import CliRunner

from skeeg import EEGData, compare
from skeeg.cli import app
from skeeg.model_selection import dask_backend

# The workers cannot import the tests.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as workers:
        yield workers


@pytest.fixture
def client(cluster):
    with Client(cluster) as connected:
        connected.wait_for_workers(2)
        yield connected


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 3, 40)).astype(np.float32)
    y = np.tile(["left", "right"], 200)
    return EEGData.from_arrays(X, y, 40, subject=np.repeat(np.arange(5), 80), trial=np.arange(400))


class KillsItsWorker(DummyClassifier):
    """Predicts at random, and kills the process of its fourth fit with SIGKILL, once."""

    def __init__(self, folder, strategy="stratified", random_state=0):
        super().__init__(strategy=strategy, random_state=random_state)
        self.folder = folder

    def fit(self, X, y):
        folder = Path(self.folder)
        fits = len(list(folder.glob("fit-*")))
        (folder / f"fit-{uuid.uuid4().hex}").touch()
        if fits == 3:
            try:
                (folder / "killed").mkdir()
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(np.asarray(X), y)


def processes(client):
    return set(client.run(os.getpid).values())


def n_finished(cluster):
    """Return the number of tasks that the cluster has finished since it was started."""
    prefixes = cluster.scheduler.task_prefixes.values()
    return sum(prefix.state_counts["memory"] for prefix in prefixes)


def context(name, client):
    return dask_backend(client) if name == "skeeg" else joblib.parallel_config(backend="dask")


@pytest.mark.parametrize("backend", ["joblib", "skeeg"])
def test_a_comparison_that_loses_a_worker_equals_the_sequential_one(
    backend, client, data, tmp_path
):
    def run():
        estimator = KillsItsWorker(tmp_path)
        return compare({"a": estimator}, data, cv="cross-subject", random_state=0, progress=False)

    before = processes(client)
    with context(backend, client):
        on_cluster = run()
    assert (tmp_path / "killed").exists()
    client.wait_for_workers(2)
    assert len(before & processes(client)) < 2
    times = ["fit_time", "predict_time"]
    alone = run()
    pd.testing.assert_frame_equal(
        on_cluster.scores.drop(columns=times), alone.scores.drop(columns=times)
    )
    pd.testing.assert_frame_equal(on_cluster.predictions, alone.predictions)


@pytest.mark.parametrize("container", ["EEGData", "ndarray"])
def test_a_search_that_loses_a_worker_equals_the_sequential_one(container, client, data, tmp_path):
    X = data if container == "EEGData" else data.X
    grid = {"strategy": ["stratified", "uniform", "prior"]}
    search = GridSearchCV(KillsItsWorker(tmp_path), grid, refit=False)
    with dask_backend(client):
        on_cluster = search.fit(X, data.y).cv_results_
    assert (tmp_path / "killed").exists()
    alone = search.fit(X, data.y).cv_results_
    scores = [name for name in alone if "score" in name and "time" not in name]
    assert len(scores) > 5
    for name in scores:
        np.testing.assert_array_equal(on_cluster[name], alone[name])


def test_data_are_sent_once_and_not_with_every_task(client, data, monkeypatch):
    sent = []
    reduce_ex = EEGData.__reduce_ex__

    def counting(self, protocol):
        sent.append(len(self))
        return reduce_ex(self, protocol)

    monkeypatch.setattr(EEGData, "__reduce_ex__", counting)
    counts = []
    with dask_backend(client):
        for names in ("a", "abcd"):
            estimators = {name: DummyClassifier() for name in names}
            compare(estimators, data, cv="cross-subject", random_state=0, progress=False)
            counts.append(len(sent))
        for strategies in (["prior"], ["prior", "uniform", "stratified"]):
            GridSearchCV(DummyClassifier(), {"strategy": strategies}, refit=False).fit(data, data.y)
            counts.append(len(sent))
    once = counts[0]
    assert 1 <= once < 5  # folds
    assert counts == [once, 2 * once, 3 * once, 4 * once]


def test_the_size_that_dask_sees_is_that_of_the_arrays(data):
    arrays = data.X.nbytes + data.y.nbytes + data.metadata.memory_usage(deep=True).sum()
    assert arrays < sys.getsizeof(data) < arrays + 1000


def test_the_command_runs_on_a_cluster(cluster, data, tmp_path):
    npz = data.save(tmp_path / "data.npz")
    before = n_finished(cluster)
    arguments = ["compare", "--data", npz, "--models", "csp-lda", "--protocol", "cross-subject"]
    result = CliRunner().invoke(
        app,
        [*map(str, arguments), "--dask", cluster.scheduler_address, "--out", str(tmp_path / "out")],
    )
    assert result.exit_code == 0, result.output
    assert n_finished(cluster) >= before + 5
    assert (tmp_path / "out" / "report.html").exists()


def test_an_address_without_a_scheduler_ends_with_1(data, tmp_path):
    npz = data.save(tmp_path / "data.npz")
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        result = CliRunner().invoke(
            app, ["compare", "--data", str(npz), "--dask", "tcp://127.0.0.1:9"]
        )
    assert result.exit_code == 1
    assert "127.0.0.1:9" in result.stderr


def test_without_dask_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r"skeeg\[dask\]"), dask_backend("tcp://127.0.0.1:9"):
        pass
