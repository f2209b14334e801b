import os
import warnings

import mne
import numpy as np
import pytest

from skeeg.datasets._recording import Cut, by_name, choose_subjects, cut_trials, find_files, read


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [(None, [1, 2, 5]), (2, [2]), ([5, 1], [5, 1]), (np.array([2]), [2]), (range(1, 3), [1, 2])],
)
def test_subjects_are_chosen_however_they_are_given(asked, chosen):
    assert choose_subjects(asked, [1, 2, 5]) == chosen


def test_subjects_with_names():
    assert choose_subjects("b", ["a", "b"]) == ["b"]
    with pytest.raises(ValueError, match="There is no subject ab; there are a, b"):
        choose_subjects("ab", ["a", "b"])


def test_those_that_exist_are_listed_briefly():
    with pytest.raises(ValueError, match="no subject 0, 6; there are 1 to 4, 9, 11 to 12"):
        choose_subjects([0, 6], [1, 2, 3, 4, 9, 11, 12])


def test_hidden_twins_of_files_are_passed_over(tmp_path):
    for name in ("a.csv", "._a.csv"):
        (tmp_path / name).touch()
    assert [file.name for file in find_files(tmp_path, "*.csv", "")] == ["a.csv"]


def test_other_warnings_of_a_reader_stay_warnings(tmp_path):
    def reader(file, *, verbose):
        warnings.warn("an odd header", RuntimeWarning, stacklevel=1)
        return 1

    with pytest.warns(RuntimeWarning, match="an odd header"):
        assert read(reader, tmp_path, "") == 1


@pytest.fixture
def recording():
    """A ramp that tells each sample's time, one minute at 100 Hz, the third channel no EEG."""
    ramp = np.arange(6000) / 100
    info = mne.create_info(["a", "b", "eog"], 100.0, ["eeg", "eeg", "eog"])
    raw = mne.io.RawArray(np.vstack([ramp, -ramp, ramp]), info, first_samp=500, verbose="error")
    samples = 500 + 100 * np.array([0, 10, 20, 30, 59])
    return raw, np.column_stack([samples, np.zeros(5, int), [1, 2, 1, 7, 2]])


def test_samples_are_those_of_the_window(recording, tmp_path):
    raw, events = recording
    cut = Cut(-0.5, 1.0, None, None, None)
    data = cut_trials(raw, events, {"x": 1, "y": 2}, cut, tmp_path, "", subject=3)
    # The first trial begins before the recording; event 7 is no trial; 59 s ends as it should.
    assert data.y.tolist() == ["y", "x", "y"]
    assert data.metadata["trial"].tolist() == [1, 2, 3]
    assert data.ch_names == ("a", "b")
    expected = np.array([9.5, 19.5, 58.5])[:, None] + np.arange(150) / 100
    np.testing.assert_allclose(data.X[:, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(data.X[:, 1], -expected, rtol=1e-6)


def test_resampling_keeps_events_in_place(recording, tmp_path):
    raw, events = recording
    cut = Cut(0.0, 1.0, None, None, 50.0)
    data = cut_trials(raw, events[1:3], {"x": 1, "y": 2}, cut, tmp_path, "")
    assert data.sfreq == 50
    assert data.shape == (2, 2, 50)
    np.testing.assert_allclose(data.X[0, 0], 10 + np.arange(50) / 50, atol=0.02)


def test_bad_stretches_and_channels_are_left_out(recording, tmp_path):
    raw, events = recording
    raw.info["bads"] = ["a"]
    raw.set_annotations(mne.Annotations([20.5], [0.1], ["BAD_cough"]))
    cut = Cut(0.0, 1.0, None, None, None)
    data = cut_trials(raw, events, {"x": 1, "y": 2}, cut, tmp_path, "")
    assert data.ch_names == ("b",)
    assert data.metadata["trial"].tolist() == [0, 1, 3]


def test_band_beyond_the_recording_is_refused(recording, tmp_path):
    raw, events = recording
    with pytest.raises(ValueError, match="Nyquist"):
        cut_trials(raw, events, {"x": 1}, Cut(0, 1, 1, 80, None), tmp_path, "")


def test_two_files_of_one_name_are_refused(tmp_path):
    files = [tmp_path / "a" / "S001R04.edf", tmp_path / "b" / "S001R04.edf"]
    assert by_name(files, folders=1) == {"a/S001R04.edf": files[0], "b/S001R04.edf": files[1]}
    with pytest.raises(ValueError, match=r"Both .*a/S001R04\.edf and .*b/S001R04\.edf hold"):
        by_name(files)


def test_pipes_and_folders_named_like_a_recording_are_refused(tmp_path):
    os.mkfifo(tmp_path / "S001R04.edf")
    with pytest.raises(ValueError, match=r"S001R04\.edf is a named pipe, not a file"):
        find_files(tmp_path, "*.edf", "")
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(ValueError, match=r"a\.csv is a folder, not a file"):
        find_files(tmp_path, "*.csv", "")


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.99])
def test_truncated_recordings_are_refused_by_name(tmp_path, write_edf, kept):
    edf = write_edf(tmp_path / "a.edf", ("C3", "C4"), 10.0, 100)
    raw = mne.io.read_raw_edf(edf, preload=True, verbose="error")
    fif = tmp_path / "a_raw.fif"
    raw.save(fif, verbose="error")
    for file, reader in ((edf, mne.io.read_raw_edf), (fif, mne.io.read_raw_fif)):
        content = file.read_bytes()
        file.write_bytes(content[: int(kept * len(content))])
        with pytest.raises(ValueError, match=f"{file.name} is damaged"):
            read(reader, file, "", preload=True)
