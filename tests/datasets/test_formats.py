"""Recordings in every format, alone and together in one folder."""

import os
import shutil

import mne
import numpy as np
import pytest
from numpy.testing import assert_allclose

from skeeg.datasets import load_recordings
from skeeg.datasets._recording_files import _NAMED_ONLY, FORMATS, recording_files

from .formats import EVENTS, NAMES, SFREQ, volts, write
from .formats import FORMATS as WRITERS


def expected(values, seconds=2):
    starts = [round(onset * SFREQ) for onset, _ in EVENTS]
    return np.stack([values[:, start : start + seconds * SFREQ] for start in starts])


@pytest.mark.parametrize("kind", WRITERS)
def test_every_format_gives_the_trials_that_were_written(kind, tmp_path):
    values = volts()
    file = write(kind, tmp_path, "anna_2", values)
    left, right = WRITERS[kind][2]
    data = load_recordings(tmp_path, {"left": left, "right": right}, tmax=2.0)
    assert data.y.tolist() == [name for _, name in EVENTS]
    assert data.ch_names == NAMES
    assert data.sfreq == SFREQ
    assert_allclose(data.X, expected(values), atol=2e-8)  # volts; 16 bits of 400 microvolts
    assert data.metadata["file"].unique().tolist() == [file.name]
    assert not len(data.dropped)
    named = load_recordings(file, left, tmax=2.0, metadata="{subject}_{run}")
    assert named.metadata["subject"].unique().tolist() == ["anna"]
    assert named.metadata["run"].unique().tolist() == ["2"]


def test_a_folder_of_all_formats_is_read_without_what_belongs_to_them(tmp_path):
    values = {}
    kinds = ["edf", "gdf", "brainvision", "eeglab pair", "fif", "bdf"]
    for i, kind in enumerate(kinds):
        values[f"s{i}"] = volts(i)
        write(kind, tmp_path / ("deep" if i % 2 else "."), f"s{i}", values[f"s{i}"])
    for name in (
        ".s9.edf",
        "._s0.edf",
        "notes.txt",
        "s0.csv",
        "s0-epo.fif",
        "s7_eve.fif",
        "a.json",
    ):
        (tmp_path / name).write_bytes(b"no recording")
    hidden = tmp_path / ".trash" / "s0.edf"
    hidden.parent.mkdir()
    hidden.write_bytes(b"no recording")
    events = {"left": ["left", "769"], "right": ["right", "770"]}
    data = load_recordings(tmp_path, events, tmax=2.0, metadata="{subject}")
    assert sorted(data.metadata["subject"].unique()) == sorted(values)
    for subject, written in values.items():
        own = data.select(subject=subject)
        assert_allclose(own.X, expected(written), atol=2e-8)
        assert own.y.tolist() == [name for _, name in EVENTS]


def test_a_renamed_brainvision_header_still_owns_its_values(tmp_path):
    write("brainvision", tmp_path, "old", volts())
    (tmp_path / "old.vhdr").rename(tmp_path / "new.vhdr")
    assert [file.name for file in recording_files([tmp_path])] == ["new.vhdr"]


def test_the_parts_of_a_split_recording_are_one_recording(tmp_path):
    values = 2e-5 * np.random.default_rng(0).standard_normal((3, 1_500_000))
    raw = mne.io.RawArray(values, mne.create_info(list(NAMES), 1000.0, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations([10.0, 1400.0], 0, ["left", "right"]))
    for name, naming in (("a_raw.fif", "neuromag"), ("sub-1_eeg.fif", "bids")):
        raw.save(
            tmp_path / name, split_size="10MB", split_naming=naming, fmt="single", verbose="error"
        )
    names = sorted(path.name for path in tmp_path.iterdir())
    assert {"a_raw-1.fif", "sub-1_split-02_eeg.fif"} < set(names)
    data = load_recordings(tmp_path, tmax=1.0, metadata=None)
    assert data.metadata["file"].unique().tolist() == ["a_raw.fif", "sub-1_split-01_eeg.fif"]
    assert_allclose(data.X[[0, 2]], np.stack([values[:, 10_000:11_000]] * 2), atol=1e-9)
    assert_allclose(data.X[[1, 3]], np.stack([values[:, 1_400_000:1_401_000]] * 2), atol=1e-9)
    listed = load_recordings([tmp_path / name for name in names], tmax=1.0)
    assert len(listed) == len(data)


def test_a_recording_in_two_formats_is_refused(tmp_path):
    write("edf", tmp_path, "s1", volts())
    write("fif", tmp_path, "s1", volts())
    with pytest.raises(ValueError, match=r"s1\.edf and .*s1_raw\.fif seem to hold one recording"):
        load_recordings(tmp_path)
    assert len(load_recordings(tmp_path / "s1.edf")) == 4


def test_derivatives_of_a_bids_data_set_are_no_recordings(tmp_path):
    write("edf", tmp_path / "sub-1" / "eeg", "sub-1_eeg", volts())
    for folder in ("derivatives", "sourcedata"):
        write("edf", tmp_path / folder / "sub-1", "sub-1_clean", volts())
    assert len(recording_files([tmp_path])) == 3
    (tmp_path / "dataset_description.json").write_text("{}")
    assert [file.name for file in recording_files([tmp_path])] == ["sub-1_eeg.edf"]


def test_links_without_content_are_named(tmp_path):
    (tmp_path / "s1.edf").symlink_to(tmp_path / ".git" / "annex" / "SHA256E-s1.edf")
    for path in (tmp_path, tmp_path / "s1.edf"):
        with pytest.raises(FileNotFoundError, match=r"s1\.edf is a link .*datalad get"):
            load_recordings(path)


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("damage", ["half", "empty", "noise"])
def test_damaged_files_are_refused_by_name(kind, damage, tmp_path):
    file = write(kind, tmp_path, "s1", volts())
    content = file.read_bytes()
    noise = np.random.default_rng(0).bytes(len(content))
    file.write_bytes({"half": content[: len(content) // 2], "empty": b"", "noise": noise}[damage])
    with pytest.raises(ValueError, match=rf"{file.name}"):
        load_recordings(file)


def test_the_endings_are_those_of_mne(tmp_path):
    """Formats of MNE are read, but for those without EEG and those that need more than a file."""
    from mne.io._read_raw import _get_supported

    others = {".hdr", ".snirf", ".txt", ".asc", ".mat"}  # NIRS, an eye tracker, FieldTrip
    parts = {".cdt.dpa", ".cdt.cef", ".cef"}
    assert set(FORMATS) | set(_NAMED_ONLY) | others | parts == set(_get_supported())


def test_copies_in_another_folder_are_other_recordings(tmp_path):
    file = write("edf", tmp_path / "anna", "1", volts())
    (tmp_path / "ben").mkdir()
    shutil.copy(file, tmp_path / "ben" / "1.edf")
    data = load_recordings(tmp_path, metadata="{subject}/{run}.edf")
    assert data.metadata["subject"].unique().tolist() == ["anna", "ben"]


def test_linked_folders_are_read_once_and_loops_end(tmp_path):
    write("edf", tmp_path / "store", "s1", volts())
    study = tmp_path / "study"
    study.mkdir()
    (study / "anna").symlink_to(tmp_path / "store")
    (study / "again").symlink_to(study)
    assert recording_files([study]) == [study / "anna" / "s1.edf"]


def test_a_pipe_named_like_a_header_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "s1.vhdr")
    with pytest.raises(ValueError, match=r"s1\.vhdr is damaged .*a named pipe"):
        load_recordings(tmp_path)


def test_a_format_that_needs_another_package_says_so(tmp_path, monkeypatch):
    (tmp_path / "s1.nedf").touch()

    def without(*args, **kwargs):
        raise RuntimeError("the module antio is needed, but it could not be imported.")

    monkeypatch.setattr(mne.io, "read_raw", without)
    with pytest.raises(ImportError, match=r"s1\.nedf needs another package .*antio"):
        load_recordings(tmp_path)


def test_a_recording_of_nicolet_is_opened(tmp_path):
    """Its two files have no events, which is what the error says."""
    header = "start_ts=2024-01-01 00:00:00.000\nnum_samples=256\nsample_freq=128\n"
    header += "conversion_factor=1.0\nnum_channels=2\nelec_names=[C3,C4]\n"
    (tmp_path / "s1.head").write_text(header)
    (tmp_path / "s1.data").write_bytes(np.zeros((256, 2), "<i2").tobytes())
    with pytest.raises(ValueError, match=r"s1\.data has no event at all; it has none"):
        load_recordings(tmp_path)
