"""The script that compares with published scores, on MOABB's simulated recordings."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from skeeg import EEGData
from skeeg.recipes import RECIPES

pytest.importorskip("moabb.datasets.fake")

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "published.py"


@pytest.fixture(scope="module")
def published():
    spec = importlib.util.spec_from_file_location("published", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["published"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["published"]


@pytest.fixture
def data():
    """Trials of two subjects with three sessions of two runs, ten trials each."""
    n = 2 * 3 * 2 * 10
    rows = np.arange(n)
    return EEGData.from_arrays(
        np.random.default_rng(0).standard_normal((n, 2, 8)), rows % 2, 100,
        subject=rows // 60, session=rows // 20 % 3, run=rows // 10 % 2,
    )  # fmt: skip


def sides(data, fold, column):
    return [sorted(set(data.metadata[column].to_numpy()[side])) for side in fold]


def test_folds_within_a_session_test_each_trial_once(published, data):
    folds = list(published.splits(data, published.WITHIN, "session"))
    assert len(folds) == 2 * 3 * 5
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(len(data)))
    for train, test in folds:
        assert len(test) == 4
        assert (data.y[test].sum(), set(train) & set(test)) == (2, set())
        assert sides(data, (train, test), "session")[0] == sides(data, (train, test), "session")[1]
        assert len(sides(data, (train, test), "subject")[0]) == 1


def test_the_second_session_or_run_is_tested_after_the_first(published, data):
    folds = list(published.splits(data, published.ONWARD, "session"))
    assert [sides(data, fold, "session") for fold in folds] == [[[0], [1]]] * 2
    assert [sides(data, fold, "subject") for fold in folds] == [[[0], [0]], [[1], [1]]]
    folds = list(published.splits(data, published.ONWARD, "run"))
    assert [sides(data, fold, "run") for fold in folds] == [[[0], [1]]] * 2


def test_each_session_is_left_out_once(published, data):
    folds = list(published.splits(data, published.LEAVE_OUT, "session"))
    expected = [[[1, 2], [0]], [[0, 2], [1]], [[0, 1], [2]]]
    assert [sides(data, fold, "session") for fold in folds] == expected * 2


def test_one_session_cannot_be_left_out(published, data):
    with pytest.raises(ValueError, match="Subject 0 has one session"):
        list(published.splits(data[data.metadata["session"] == 0], published.ONWARD, "session"))


def test_every_published_figure_is_cited_and_has_a_protocol_that_is_run(published):
    for task in published.TASKS.values():
        assert task.paradigm in RECIPES
        for figure in task.figures:
            assert figure.protocol in (*task.protocols, "")
            assert figure.source.url.startswith("https://")
            assert 0.5 < figure.score < 1


@pytest.mark.parametrize("name", ["BNCI2014_001", "BNCI2014_009", "Lee2019_SSVEP"])
@pytest.mark.filterwarnings("ignore")
def test_fake_recordings_are_cut_like_the_data_set(published, name):
    task = published.TASKS[name]
    data = published.load(name, [1], fake=True)
    assert data.sfreq == 128
    assert len(np.unique(data.y)) == len(task.fake["event_list"])
    assert data.metadata["session"].nunique() == task.fake["n_sessions"]
    for protocol in task.protocols:
        assert list(published.splits(data, protocol, task.unit))


@pytest.mark.filterwarnings("ignore")
def test_the_page_has_the_scores_of_this_run_beside_the_published_ones(published, tmp_path):
    out = tmp_path / "page.md"
    text = published.main(
        [
            *("--data-sets", "Schirrmeister2017", "--fake", "--epochs", "1", "--members", "1"),
            *("--n-jobs", "1", "--subjects", "1", "--out", str(out)),
            *("--store", str(tmp_path / "store")),
        ]
    )
    assert out.read_text(encoding="utf-8") == text
    assert text.count("| this run |") == 2 * 2
    assert "| EEGNet | accuracy | 0.882 | [ATCNet's repository" in text
