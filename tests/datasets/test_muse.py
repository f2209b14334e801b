import hashlib

import numpy as np
import pandas as pd
import pooch
import pytest

from skeeg.datasets import load_muse
from skeeg.datasets.muse import TASKS


@pytest.fixture
def folder(tmp_path, write_muse):
    for name in ("data_2.csv", "data_1.csv"):
        write_muse(tmp_path / name)
    return tmp_path


def test_markers_become_trials_in_volts(folder):
    data = load_muse(folder, fmin=None, fmax=None)
    table = pd.read_csv(folder / "data_1.csv")
    onsets = np.flatnonzero(table["Marker"])
    whole = onsets[onsets + 102 <= len(table)]
    assert data.shape == (2 * len(whole), 4, 102)
    assert data.ch_names == ("TP9", "AF7", "AF8", "TP10")
    assert data.sfreq == 256
    assert data.y[:4].tolist() == ["left", "right", "left", "right"]
    first = table.loc[onsets[0] : onsets[0] + 101, "TP9"]
    np.testing.assert_allclose(data.X[0, 0], first * 1e-6, rtol=1e-6)


def test_each_file_is_a_run(folder):
    data = load_muse(folder)
    assert data.metadata["run"].unique().tolist() == ["0", "1"]
    assert data.metadata["subject"].unique().tolist() == [1]
    assert data.metadata["session"].unique().tolist() == ["1"]


def test_folders_tell_subject_and_session(tmp_path, write_muse):
    for subject, session in ((1, 1), (2, 1), (2, 3)):
        write_muse(tmp_path / f"subject{subject}" / f"session{session}" / "data.csv")
    data = load_muse(tmp_path)
    assert data.metadata.groupby("subject")["session"].unique().map(list).to_dict() == {
        1: ["1"],
        2: ["1", "3"],
    }
    assert set(load_muse(tmp_path, subjects=2).metadata["subject"]) == {2}
    assert set(load_muse(tmp_path / "subject2").metadata["subject"]) == {2}
    with pytest.raises(ValueError, match="There is no subject 3; there are 1, 2"):
        load_muse(tmp_path, subjects=3)


def test_any_experiment_of_muse_lsl(tmp_path, write_muse):
    write_muse(tmp_path / "data.csv", marker="Marker0")
    data = load_muse(
        tmp_path, event_id={"face": 2}, marker="Marker0", ch_names=("AF7", "Right AUX"),
        tmin=-0.1, tmax=0.2, sfreq=128, fmax=40,
    )  # fmt: skip
    assert set(data.y) == {"face"}
    assert data.ch_names == ("AF7", "Right AUX")
    assert data.shape[2] == round(0.2 * 128) - round(-0.1 * 128)


def test_trials_over_a_gap_are_left_out(tmp_path, write_muse):
    write_muse(tmp_path / "whole" / "data.csv")
    write_muse(tmp_path / "gap" / "data.csv", gap=3.0)
    whole, gap = load_muse(tmp_path / "whole"), load_muse(tmp_path / "gap")
    lost = set(whole.metadata["trial"]) - set(gap.metadata["trial"])
    assert len(lost) == 1
    assert len(gap) == len(whole) - 1


def spoil(table, how):
    """Return the lines of a recording that has something wrong with it."""
    if how == "columns":
        return table.drop(columns=["AF7", "Marker"]).to_csv(index=False)
    if how == "cell":
        return (
            table.astype({"TP9": object}).replace({"TP9": {table.TP9[3]: "?"}}).to_csv(index=False)
        )
    if how == "rate":
        table["timestamps"] = np.arange(len(table)) / 100
    if how == "slow":
        table["timestamps"] = np.arange(len(table)) / 5
    if how == "order":
        table.loc[10, "timestamps"] = 0
    if how == "markers":
        table["Marker"] = 0
    text = table.to_csv(index=False)
    return {"empty": "", "head": text.split("\n")[0], "cut": text[: len(text) // 2 - 9]}.get(
        how, text
    )


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("columns", r"it lacks AF7, Marker; its columns are \['timestamps', 'TP9'"),
        ("cell", "could not convert string to float"),
        ("rate", "it was sampled at 100.0 Hz instead of 256 Hz"),
        ("slow", r"it was sampled at 5\.0 Hz instead of 256 Hz"),
        ("order", "its timestamps go back after line"),
        ("empty", "No columns to parse"),
        ("head", "it has no samples"),
        ("cut", "is incomplete"),
        ("markers", r"holds no whole trial of left, right, from 0 to 0\.4 s"),
    ],
)
def test_spoilt_recording_is_named(tmp_path, write_muse, how, message):
    file = tmp_path / "data.csv"
    file.write_text(spoil(write_muse(file), how))
    with pytest.raises(ValueError, match=rf"data\.csv .*{message}.*Muse LSL records CSV"):
        load_muse(tmp_path)


def test_empty_folder_and_unknown_task_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no file named \*\.csv.*muselsl record"):
        load_muse(tmp_path)
    with pytest.raises(ValueError, match="task must be one of 'left_right', 'p300'"):
        load_muse(tmp_path, task="n170")


def test_without_path_the_repository_is_asked(monkeypatch, tmp_path, write_muse):
    write_muse(tmp_path / "recording.csv")
    contents = (tmp_path / "recording.csv").read_bytes()
    digest = hashlib.sha256(contents).hexdigest()
    files = TASKS["p300"].files
    for name, (address, _) in list(files.items()):
        monkeypatch.setitem(files, name, (address, digest))
    asked = []

    def download(url, output_file, pooch, **kwargs):
        asked.append(url)
        with open(output_file, "wb") as file:
            file.write(contents)

    monkeypatch.setattr(pooch.core, "choose_downloader", lambda *args, **kwargs: download)
    monkeypatch.setenv("MNE_DATA", str(tmp_path / "mne_data"))
    data = load_muse(task="p300")
    assert set(data.y) == {"non-target", "target"}
    assert data.metadata["run"].nunique() == 6
    assert len(asked) == 6
    assert asked[0] == (
        "https://raw.githubusercontent.com/alexandrebarachant/muse-lsl/"
        "2ba1e4c0ede11e311d51845cbd9e137dbef637cb/data/visual/P300/subject1/session1/"
        "data_2017-02-04-15_45_13.csv"
    )


@pytest.mark.parametrize(
    ("task", "folder", "shape", "counts"),
    [
        ("left_right", "muse/left-right", (1292, 4, 102), {"left": 674, "right": 618}),
        ("p300", "muse/p300", (1161, 4, 205), {"non-target": 976, "target": 185}),
    ],
)
def test_real_recordings(recordings, task, folder, shape, counts):
    data = load_muse(recordings(folder), task=task)
    assert data.shape == shape
    assert dict(zip(*np.unique(data.y, return_counts=True), strict=True)) == counts
    assert 1e-6 < np.median(data.X.std(axis=2)) < 1e-4  # volts


@pytest.mark.parametrize("task", ["left_right", "p300"])
def test_checksums_are_those_of_the_real_recordings(recordings, task):
    folder = recordings("muse") / task.replace("_", "-")
    for name, (_, digest) in TASKS[task].files.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_trials_that_reach_an_amplitude_can_be_left_out(recordings):
    folder = recordings("muse/left-right")
    everything = load_muse(folder)
    kept = load_muse(folder, reject=100e-6)
    reached = np.abs(everything.X).max(axis=(1, 2))
    assert 0 < len(kept) < len(everything)
    np.testing.assert_array_equal(kept.X, everything.X[reached < 100e-6])
    with pytest.raises(ValueError, match=r"drops all 1292 trials"):
        load_muse(folder, reject=1e-9)


class TestTaskOfFiles:
    """A folder that holds both tasks must not become one data set."""

    @pytest.fixture
    def both(self, tmp_path, write_muse):
        write_muse(tmp_path / "left-right" / "subject1" / "a.csv")
        write_muse(tmp_path / "P300" / "subject2" / "b.csv")
        return tmp_path

    def test_only_files_of_the_task_are_read(self, both):
        lateral, oddball = load_muse(both), load_muse(both, task="p300")
        assert set(lateral.metadata["subject"]) == {1}
        assert set(oddball.metadata["subject"]) == {2}
        assert (set(lateral.y), set(oddball.y)) == ({"left", "right"}, {"target", "non-target"})

    @pytest.mark.parametrize("below", ["P300", "P300/subject2"])
    def test_a_folder_of_the_other_task_is_refused(self, both, below):
        with pytest.raises(ValueError, match=r"no recording of task='left_right'; b\.csv are of"):
            load_muse(both / below)

    def test_the_name_tells_the_task_of_an_edited_recording(self, tmp_path, write_muse):
        write_muse(tmp_path / "data_2017-02-04-15:45:13.csv")
        with pytest.raises(ValueError, match="no recording of task='left_right'"):
            load_muse(tmp_path, event_id={"face": 1})
        assert len(load_muse(tmp_path, task="p300")) > 0

    def test_files_of_unknown_task_beside_known_ones_are_refused(self, both, write_muse):
        write_muse(both / "mine.csv")
        with pytest.raises(ValueError, match=r"the task is not known: mine\.csv"):
            load_muse(both)

    def test_real_recordings_are_known_by_content(self, recordings, tmp_path):
        source = recordings("muse")
        for i, name in enumerate(("left-right", "p300")):
            content = min((source / name).glob("*.csv")).read_bytes()
            (tmp_path / f"renamed_{i}.csv").write_bytes(content)
        assert set(load_muse(tmp_path, task="p300").y) == {"target", "non-target"}
        assert len(load_muse(tmp_path).metadata["run"].unique()) == 1
