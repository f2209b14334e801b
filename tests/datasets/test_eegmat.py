import hashlib

import mne
import numpy as np
import pooch
import pytest

from skeeg.datasets import load_eegmat

CHANNELS = (
    *("Fp1", "Fp2", "F3", "F4", "F7", "F8", "T7", "T8", "C3", "C4"),
    *("P7", "P8", "P3", "P4", "O1", "O2", "Fz", "Cz", "Pz"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write_eegmat):
    folder = tmp_path_factory.mktemp("eegmat")
    for subject in (0, 3):
        write_eegmat(folder, subject)
    return folder


def test_windows_labels_and_modern_names(folder):
    data = load_eegmat(folder)
    assert data.shape == (2 * 2 * 15, 19, 400)
    assert data.ch_names == CHANNELS
    assert data.y.tolist() == (["rest"] * 15 + ["arithmetic"] * 15) * 2
    assert data.metadata["subject"].unique().tolist() == [0, 3]


def test_all_windows_of_a_recording_are_one_trial(folder):
    data = load_eegmat(folder)
    assert len(np.unique(data.nested_groups("trial"))) == 4
    for trial in np.unique(data.nested_groups("trial")):
        assert len(set(data.y[data.nested_groups("trial") == trial])) == 1


def test_rest_is_its_end_and_arithmetic_its_start(folder):
    data = load_eegmat(folder, subjects=0, fmin=None, fmax=None)
    for run, first in (("1", 10.0), ("2", 0.0)):
        raw = mne.io.read_raw_edf(folder / f"Subject00_{run}.edf", verbose="error")
        expected = raw.get_data("EEG T3", tmin=first, tmax=first + 60)[0]
        windows = data[data.groups("run") == data.groups("run")[0 if run == "1" else -1]]
        np.testing.assert_allclose(windows.X[:, 6].ravel(), expected, rtol=1e-5, atol=1e-10)


def test_window_duration_band_and_rate(folder):
    data = load_eegmat(folder, subjects=[3], window=2.5, duration=20, sfreq=64, fmax=30)
    assert data.shape == (16, 19, 160)
    assert data.sfreq == 64


def test_short_recording_is_named(tmp_path, write_eegmat):
    write_eegmat(tmp_path, 0, arithmetic=50.0)
    with pytest.raises(ValueError, match=r"Subject00_2\.edf lasts 50\.0 s.*duration=60"):
        load_eegmat(tmp_path)


def test_missing_channel_is_named(tmp_path, write_eegmat):
    write_eegmat(tmp_path, 0, ch_names=("EEG Fp1", "ECG ECG"))
    with pytest.raises(ValueError, match=r"Subject00_1\.edf lacks the channels Fp2, F3"):
        load_eegmat(tmp_path)


def test_missing_recording_is_named(tmp_path, write_eegmat):
    write_eegmat(tmp_path, 0)
    (tmp_path / "Subject00_2.edf").unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks Subject00_2\.edf.*physionet"):
        load_eegmat(tmp_path)


def test_truncated_file_is_named(tmp_path, write_eegmat):
    write_eegmat(tmp_path, 0)
    file = tmp_path / "Subject00_1.edf"
    file.write_bytes(file.read_bytes()[:100_000])
    with pytest.raises(ValueError, match=r"Subject00_1\.edf is damaged.*physionet"):
        load_eegmat(tmp_path)


def test_empty_folder_says_where_to_get_the_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Subject\*_\[12\]\.edf.*physionet"):
        load_eegmat(tmp_path)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"window": 0}, "window must be positive"),
        ({"window": 61}, "no longer than duration"),
        ({"subjects": 36}, "There is no subject 36; there are 0 to 35"),
    ],
)
def test_impossible_parameters_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        load_eegmat(**parameters)


@pytest.fixture
def physionet(monkeypatch, tmp_path, write_eegmat):
    """A PhysioNet on disk: pooch's downloads copy from it. Returns the addresses asked for."""
    site, asked = tmp_path / "site", []
    write_eegmat(site, 4)
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()} {file.name}"
        for file in sorted(site.iterdir())
    ]
    (site / "SHA256SUMS.txt").write_text("\n".join(lines) + "\n")

    def download(url, output_file, pooch, **kwargs):
        asked.append(url)
        with open(output_file, "wb") as file:
            file.write((site / url.rpartition("/")[2]).read_bytes())

    monkeypatch.setattr(pooch.core, "choose_downloader", lambda *args, **kwargs: download)
    monkeypatch.setenv("MNE_DATA", str(tmp_path / "mne_data"))
    return asked


def test_without_path_physionet_is_asked_once(physionet, tmp_path):
    url = "https://physionet.org/files/eegmat/1.0.0/"
    first = load_eegmat(subjects=4)
    second = load_eegmat(subjects=4)
    assert physionet == [url + n for n in ("SHA256SUMS.txt", "Subject04_1.edf", "Subject04_2.edf")]
    assert (tmp_path / "mne_data/MNE-eegmat-data/1.0.0/Subject04_1.edf").exists()
    np.testing.assert_array_equal(first.X, second.X)


def test_download_that_differs_from_its_checksum_is_refused(physionet, tmp_path):
    (tmp_path / "site" / "Subject04_2.edf").write_bytes(b"an error page")
    with pytest.raises(ValueError, match=r"hash of downloaded file.*Subject04_2\.edf"):
        load_eegmat(subjects=4)


def test_real_recordings(recordings):
    data = load_eegmat(recordings("eegmat"), subjects=[0, 4], sfreq=125)
    assert data.shape == (60, 19, 500)
    assert data.ch_names == CHANNELS
    assert np.unique(data.y, return_counts=True)[1].tolist() == [30, 30]
    assert 1e-6 < data.X.std() < 1e-4  # volts


@pytest.mark.slow
def test_all_real_recordings(recordings):
    data = load_eegmat(recordings("eegmat"))
    assert data.shape == (360, 19, 2000)
    assert data.metadata["subject"].nunique() == 12
