"""A small data set of BIDS, which MNE-BIDS writes and load_bids reads."""

import builtins
import sys

import mne
import mne_bids
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skeeg import EEGData
from skeeg.datasets import load_bids, load_recordings

NAMES = ("C3", "Cz", "C4")


def raw_of(seed):
    values = 2e-5 * np.random.default_rng(seed).standard_normal((4, 2560))
    info = mne.create_info([*NAMES, "VEOG"], 128.0, ["eeg"] * 3 + ["eog"])
    info["line_freq"] = 50
    raw = mne.io.RawArray(values, info, verbose="error")
    return raw.set_annotations(mne.Annotations([1, 5, 9, 13], 1, ["left", "right"] * 2))


RECORDINGS = [
    {"subject": subject, "session": "a", "task": task, "run": run}
    for subject in ("01", "02")
    for task, run in (("move", "1"), ("move", "2"), ("rest", "1"))
]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp("bids")
    for i, entities in enumerate(RECORDINGS):
        path = mne_bids.BIDSPath(root=root, datatype="eeg", **entities)
        mne_bids.write_raw_bids(
            raw_of(i), path, format="BrainVision" if i % 2 else "EDF", allow_preload=True,
            overwrite=True, verbose="error",
        )  # fmt: skip
    people = pd.read_csv(root / "participants.tsv", sep="\t")
    people.assign(age=[20, 30], group=["x", "y"]).to_csv(
        root / "participants.tsv", sep="\t", index=False
    )
    return root


@pytest.fixture
def root(written, tmp_path):
    """A copy, which tests may change."""
    import shutil

    return shutil.copytree(written, tmp_path / "study")


def test_a_task_becomes_the_trials_of_its_recordings(written):
    data = load_bids(written, task="move", events=["left", "right"], tmax=2.0)
    assert data.shape == (16, 3, 256)
    assert data.ch_names == NAMES  # VEOG is of another type in channels.tsv
    chosen = [i for i, entities in enumerate(RECORDINGS) if entities["task"] == "move"]
    for k, i in enumerate(chosen):
        part = data[4 * k : 4 * k + 4]
        expected = EEGData.from_raw(raw_of(i), ["left", "right"], tmax=2.0)
        assert_allclose(part.X, expected.X, atol=1e-8)
        assert_array_equal(part.y, expected.y)
        for name, value in RECORDINGS[i].items():
            assert part.metadata[name].unique().tolist() == [value]
    assert data.metadata["trial"].tolist() == [0, 1, 2, 3] * 4


@pytest.mark.parametrize(
    ("wanted", "n_trials"),
    [
        ({"subjects": 1}, 12),
        ({"subjects": ["02"], "runs": 2}, 4),
        ({"task": ["rest", "move"], "sessions": "a"}, 24),
        ({"task": "rest", "subjects": [2, "01"], "runs": np.array([1])}, 8),
    ],
)
def test_subjects_sessions_and_runs_are_chosen_by_name_or_number(written, wanted, n_trials):
    assert len(load_bids(written, **wanted)) == n_trials


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"task": "mvoe"}, r"has no task 'mvoe'; there are move, rest. Did you mean 'move'"),
        ({"subjects": [1, 3]}, r"has no subject 3; there are 01, 02"),
        ({"sessions": "b"}, r"has no session 'b'; there are a"),
        ({"runs": []}, r"runs must name one or more"),
        ({"task": "rest", "runs": 2}, r"has no run 2; there are 1"),
        ({"metadata": "Age"}, r"has no column 'Age'; it has .*age.* Did you mean 'age'"),
        ({"events": "Left"}, r"has no event 'Left'; it has .*'left' \(2\)"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(written, wanted, message):
    with pytest.raises(ValueError, match=message):
        load_bids(written, **wanted)


def test_columns_of_the_participants_are_added(written):
    data = load_bids(written, task="rest", metadata=["age", "group"])
    assert data.metadata["age"].tolist() == [20] * 4 + [30] * 4
    assert data.metadata["group"].tolist() == ["x"] * 4 + ["y"] * 4


def test_bad_channels_and_what_was_left_out_are_told(root):
    for run in ("1", "2"):
        path = mne_bids.BIDSPath(root=root, datatype="eeg", **RECORDINGS[0]).update(run=run)
        mne_bids.mark_channels(path, ch_names="Cz", status="bad", verbose="error")
    with pytest.warns(UserWarning, match=r"Left out: 2 channels \(marked as bad 2\)"):
        data = load_bids(root, task="move", subjects=1)
    assert data.ch_names == ("C3", "C4")
    rows = data.dropped[["kind", "name", "reason"]].drop_duplicates().to_numpy().tolist()
    assert rows == [["channel", "Cz", "marked as bad"]]
    with pytest.raises(ValueError, match=r"latter Cz \(marked as bad\). Pass picks=\['C3', 'C4'"):
        load_bids(root, task="move")
    assert load_bids(root, task="move", picks=["C3", "C4"]).shape[:2] == (16, 2)


def test_a_changed_table_of_events_is_read_again_from_a_cache(root, tmp_path):
    options = {"task": "rest", "subjects": 1, "cache": tmp_path / "cache"}
    assert load_bids(root, **options).y.tolist() == ["left", "right"] * 2
    events = next((root / "sub-01").rglob("*task-rest*_events.tsv"))
    events.write_text(events.read_text().replace("left", "foot"))
    assert set(load_bids(root, **options).y) == {"foot", "right"}


def test_folders_without_eeg_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*absent"):
        load_bids(tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match="holds no recording of EEG"):
        load_bids(tmp_path)


def test_a_missing_package_is_named_with_how_to_install_it(written, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("mne_bids"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "mne_bids")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install skeeg\[bids\]"):
        load_bids(written)


def test_names_of_bids_are_recognised_by_load_recordings(written):
    data = load_recordings(written, tmax=1.0)
    assert data.metadata["subject"].tolist() == ["01"] * 12 + ["02"] * 12
    assert set(data.metadata["task"]) == {"move", "rest"}
    trials = data.metadata.groupby(["subject", "session", "run"])["trial"]
    assert (trials.nunique() == trials.size()).all()  # also of two tasks with one run
