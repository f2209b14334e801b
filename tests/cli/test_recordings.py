"""The command takes recordings, and cuts and filters every kind of data alike."""

from __future__ import annotations

import dataclasses

import mne
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skeeg import Comparison, EEGData
from skeeg.cli.data import Source, load
from skeeg.datasets import LOADERS, load_recordings, simulate_motor_imagery

from .support import run, said

NAMES = ["C3", "Cz", "C4"]


def write_recording(path, seed, n_events=12):
    """Write 3 channels of noise; one of them has 10 Hz after each event ``left``."""
    rng = np.random.default_rng(seed)
    sfreq, length = 100, 3 * n_events + 2
    X = rng.standard_normal((3, length * sfreq))
    onsets = 1 + 3 * np.arange(n_events)
    wave = 3 * np.sin(2 * np.pi * 10 * np.arange(2 * sfreq) / sfreq)
    for onset in onsets[::2]:
        X[0, onset * sfreq : (onset + 2) * sfreq] += wave
    raw = mne.io.RawArray(1e-5 * X, mne.create_info(NAMES, sfreq, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations(onsets, 2, ["left", "right"] * (n_events // 2)))
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".edf":
        mne.export.export_raw(path, raw, verbose="error")
    else:
        raw.save(path, verbose="error")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    for subject in (1, 2):
        for part in (1, 2):
            name = f"sub-{subject:02d}_run-{part}_raw.fif"
            write_recording(folder / name, 10 * subject + part)
    return folder


def test_a_folder_of_recordings_becomes_a_report(folder, tmp_path):
    result = run(
        *("compare", "--data", folder, "--events", "left,right", "--tmin", 0, "--tmax", 2),
        *("--fmin", 7, "--fmax", 30, "--sfreq", 80, "--picks", "eeg", "--models", "csp_lda"),
        *("--n-jobs", 1, "--out", tmp_path),
    )
    assert result.exit_code == 0, result.output
    comparison = Comparison.load(tmp_path)
    data = comparison.about.data
    assert (data["n_trials"], data["n_times"], data["sfreq"]) == (48, 160, 80.0)
    assert data["n_per_class"] == {"left": 24, "right": 24}
    assert comparison.scores["fold"].nunique() == 4  # a run of each subject
    assert comparison.summary()["mean"].item() > 0.8


def test_files_are_separated_by_commas(folder):
    files = sorted(folder.iterdir())[:2]
    source = Source(",".join(map(str, files)), events=["left", "right"], tmax=2.0)
    expected = load_recordings(files, ["left", "right"], tmax=2.0)
    assert_array_equal(load(source, 0).X, expected.X)
    with_comma = write_recording(folder.parent / "a,b" / "one_raw.fif", 0)
    assert len(load(Source(str(with_comma)), 0)) == 12


def test_an_edf_is_a_recording(tmp_path):
    file = write_recording(tmp_path / "x.edf", 0)
    assert len(load(Source(str(file), tmax=2.0), 0)) == 12
    gone = run("compare", "--data", "x.edf", "--out", tmp_path / "out")
    assert gone.exit_code == 1
    assert "There is no file or folder x.edf" in gone.stderr


def test_metadata_are_a_pattern_or_a_table(folder, tmp_path):
    source = Source(str(folder), metadata="sub-{subject}_run-{session}_raw.fif")
    assert load(source, 0).metadata["session"].unique().tolist() == ["1", "2"]
    files = sorted(path.name for path in folder.iterdir())
    for suffix, separator in ((".csv", ","), (".tsv", "\t")):
        table = tmp_path / f"table{suffix}"
        pd.DataFrame({"file": files, "subject": ["a", "a", "b", "b"]}).to_csv(
            table, index=False, sep=separator
        )
        data = load(Source(str(folder), metadata=str(table), subjects=["b"]), 0)
        assert data.metadata["subject"].unique().tolist() == ["b"]
        assert len(data) == 24


def test_subjects_of_file_names_have_zeros(folder):
    assert len(load(Source(str(folder), subjects=[2]), 0)) == 24
    assert len(load(Source(str(folder), subjects=["02"]), 0)) == 24
    with pytest.raises(ValueError, match="There is no subject 3; there are 01, 02"):
        load(Source(str(folder), subjects=[3]), 0)


def test_picks_are_names_or_a_type(folder):
    assert load(Source(str(folder), picks=["C4", "C3"]), 0).ch_names == ("C4", "C3")
    assert load(Source(str(folder), picks=["eeg"]), 0).ch_names == tuple(NAMES)
    one = load(Source(str(folder), picks=["Cz", "C3"], reference=["C3"]), 0)
    assert np.abs(one.X[:, 1]).max() == 0


def test_an_event_that_does_not_exist_is_named(folder, tmp_path):
    result = run("compare", "--data", folder, "--events", "left,rihgt", "--out", tmp_path)
    assert result.exit_code == 1
    assert "rihgt" in result.stderr


# ---------------------------------------------------------------------- other data


def test_trials_of_a_file_are_operated_on(tmp_path):
    rng = np.random.default_rng(0)
    data = EEGData.from_arrays(rng.standard_normal((6, 3, 400)), list("ababab"), 100, NAMES)
    file = data.save(tmp_path / "trials.npz")
    source = Source(str(file), tmin=1.0, tmax=3.0, fmin=5, fmax=20, sfreq=50, picks=["C4", "Cz"])
    expected = data.filter(5, 20).resample(50).crop(1.0, 3.0).pick(["C4", "Cz"])
    assert_allclose(load(source, 0).X, expected.X)


def test_a_loader_gets_what_it_takes_and_the_rest_is_done_after(monkeypatch):
    trials = simulate_motor_imagery(1, 1, 1, 4, random_state=0)
    asked = {}

    def loader(path=None, *, subjects=None, fmin=1.0, sfreq=None):
        asked.update(fmin=fmin, sfreq=sfreq)
        return trials

    entry = dataclasses.replace(LOADERS["eegmat"], load=loader)
    monkeypatch.setitem(LOADERS, "eegmat", entry)
    found = load(Source("eegmat", fmin=7.0, sfreq=128.0, tmax=1.0, picks=["C3"]), 0)
    assert asked == {"fmin": 7.0, "sfreq": 128.0}
    assert_allclose(found.X, trials.crop(0, 1.0).pick("C3").X)


def test_a_simulation_has_the_times_and_rate_asked_for():
    data = load(Source("simulated", subjects=[1], tmin=1.0, tmax=2.0, sfreq=100), 0)
    assert data.shape == (120, 22, 100)


@pytest.mark.parametrize("option", ["--events", "--reference", "--metadata"])
@pytest.mark.parametrize("data", ["simulated", "eegmat", "gone.npz"])
def test_options_of_recordings_are_refused_elsewhere(option, data):
    result = run("compare", "--data", data, option, "x")
    assert result.exit_code == 2
    assert f"Invalid value for {option}" in said(result)


def test_names_of_data_sets_are_spelt_with_underscores_too(monkeypatch):
    trials = simulate_motor_imagery(1, 1, 1, 4, random_state=0)
    entry = dataclasses.replace(LOADERS["bnci2014-001"], load=lambda path=None: trials)
    monkeypatch.setitem(LOADERS, "bnci2014-001", entry)
    assert load(Source("bnci2014_001"), 0) is trials


def test_tasks_are_checked_before_anything_is_loaded():
    result = run("compare", "--data", "eegbci", "--task", "left_rihgt")
    assert result.exit_code == 2
    assert "Did you mean 'left_right'?" in said(result)
