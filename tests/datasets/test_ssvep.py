import mne
import numpy as np
import pytest
from scipy.signal import welch

from skeeg.datasets import load_ssvep_exoskeleton

CHANNELS = ("Oz", "O1", "O2", "PO3", "POz", "PO7", "PO8", "PO4")


def write_session(folder, name, *, stim=False):
    rng = np.random.default_rng(0)
    info = mne.create_info([*CHANNELS, "stim"], 256.0, ["eeg"] * 8 + ["stim"])
    data = np.vstack([rng.standard_normal((8, 256 * 40)), np.zeros(256 * 40)])
    samples = 256 * np.array([2, 8, 14, 20, 26, 32])
    codes = np.array([1, 1, 3, 4, 2, 3])
    data[8, samples] = codes
    raw = mne.io.RawArray(data, info, verbose="error")
    folder.mkdir(parents=True, exist_ok=True)
    if not stim:
        raw.drop_channels("stim")
        events = np.column_stack([samples, np.zeros(6, int), codes])
        mne.write_events(folder / f"{name}-eve.fif", events, verbose="error")
    raw.save(folder / f"{name}_raw.fif", verbose="error")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ssvep")
    for subject in (1, 12):
        for time in ("19.02.16", "19.06.14"):
            write_session(folder / f"subject{subject:02d}", f"record-2012.07.06-{time}")
    return folder


def test_sessions_labels_and_channels(folder):
    data = load_ssvep_exoskeleton(folder)
    assert data.shape == (24, 8, 768)
    assert data.ch_names == CHANNELS
    assert data.y[:6].tolist() == ["rest", "rest", "21Hz", "17Hz", "13Hz", "21Hz"]
    assert data.metadata["session"].tolist() == (["0"] * 6 + ["1"] * 6) * 2
    assert data.metadata["subject"].tolist() == [1] * 12 + [12] * 12


def test_window_band_and_rate(folder):
    data = load_ssvep_exoskeleton(folder, subjects=12, tmin=1, tmax=3, sfreq=128, fmax=30)
    assert data.shape == (12, 8, 256)
    assert data.sfreq == 128


def test_events_in_a_stimulation_channel_are_the_same(tmp_path, folder):
    write_session(tmp_path, "subject01_run1", stim=True)
    data = load_ssvep_exoskeleton(tmp_path)
    np.testing.assert_allclose(data.X, load_ssvep_exoskeleton(folder, subjects=1)[:6].X, rtol=1e-4)
    assert data.metadata["subject"].unique().tolist() == [1]


def test_missing_events_are_named(tmp_path):
    write_session(tmp_path / "subject01", "record")
    (tmp_path / "subject01" / "record-eve.fif").unlink()
    with pytest.raises(FileNotFoundError, match=r"record-eve\.fif.*no stimulation.*zenodo"):
        load_ssvep_exoskeleton(tmp_path)


@pytest.mark.parametrize("ending", ["_raw.fif", "-eve.fif"])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_truncated_file_is_named(tmp_path, ending, share):
    write_session(tmp_path / "subject01", "record")
    file = tmp_path / "subject01" / f"record{ending}"
    contents = file.read_bytes()
    file.write_bytes(contents[: int(share * len(contents))])
    with pytest.raises(ValueError, match=rf"record{ending} is damaged.*zenodo"):
        load_ssvep_exoskeleton(tmp_path)


def test_unknown_subject_and_nameless_recording_are_refused(tmp_path, folder):
    with pytest.raises(ValueError, match="There is no subject 2; there are 1, 12"):
        load_ssvep_exoskeleton(folder, subjects=2)
    write_session(tmp_path / "somebody", "record")
    with pytest.raises(ValueError, match="says which subject"):
        load_ssvep_exoskeleton(tmp_path)


def test_empty_folder_says_where_to_get_the_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"\*_raw\.fif.*zenodo"):
        load_ssvep_exoskeleton(tmp_path)


def test_without_path_moabb_downloads(monkeypatch, tmp_path):
    datasets = pytest.importorskip("moabb.datasets")
    asked = []

    def data_path(self, subject):
        asked.append(subject)
        for run in (1, 2):
            write_session(tmp_path, f"subject{subject:02d}_run{run}", stim=True)
        return [str(tmp_path / f"subject{subject:02d}_run{run}_raw.fif") for run in (1, 2)]

    monkeypatch.setattr(datasets.Kalunga2016, "data_path", data_path)
    data = load_ssvep_exoskeleton(subjects=[5])
    assert asked == [5]
    assert data.metadata["session"].tolist() == ["0"] * 6 + ["1"] * 6
    with pytest.raises(ValueError, match="There is no subject 13; there are 1 to 12"):
        load_ssvep_exoskeleton(subjects=13)


def test_real_recordings(recordings):
    data = load_ssvep_exoskeleton(recordings("ssvep"), subjects=[1, 2])
    assert data.shape == (128, 8, 768)
    assert data.ch_names == CHANNELS
    assert data.sfreq == 256
    counts = data.metadata.assign(y=data.y).groupby(["subject", "session", "y"]).size()
    assert (counts == 8).all()
    assert len(counts) == 2 * 2 * 4


def test_real_brains_follow_the_lamp(recordings):
    data = load_ssvep_exoskeleton(recordings("ssvep"))
    freqs, power = welch(data.X[:, 0], data.sfreq, nperseg=768)
    for label in ("13Hz", "17Hz", "21Hz"):
        at = np.argmin(np.abs(freqs - float(label[:2])))
        evoked = np.log(power[:, at])
        assert evoked[data.y == label].mean() > evoked[data.y == "rest"].mean()


def test_recordings_of_other_data_and_copies_are_refused(tmp_path):
    write_session(tmp_path / "subject01", "record")
    copy = tmp_path / "copy" / "subject01"
    copy.mkdir(parents=True)
    for file in (tmp_path / "subject01").iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ValueError, match=r"hold the recording record_raw\.fif"):
        load_ssvep_exoskeleton(tmp_path)
    other = mne.io.read_raw_fif(copy / "record_raw.fif", preload=True, verbose="error")
    other.drop_channels(["Oz"]).save(copy / "record_raw.fif", overwrite=True, verbose="error")
    with pytest.raises(ValueError, match="lacks the channels Oz: it is not of this data set"):
        load_ssvep_exoskeleton(tmp_path / "copy")
