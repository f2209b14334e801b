import mne
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skeeg import EEGData
from skeeg.datasets import load_recordings

NAMES = ("C3", "Cz", "C4")


def raw_of(seed, ch_names=NAMES, sfreq=128.0):
    values = 2e-5 * np.random.default_rng(seed).standard_normal((3, round(20 * sfreq)))
    values = values[[NAMES.index(name.title()[:1] + name[1:].lower()) for name in ch_names]]
    raw = mne.io.RawArray(values, mne.create_info(list(ch_names), sfreq, "eeg"), verbose="error")
    return raw.set_annotations(mne.Annotations([1, 5, 9, 13], 1, ["left", "right"] * 2))


@pytest.fixture
def folder(tmp_path):
    """Two subjects with two runs each, one of them in another order and case of channels."""
    for i, name in enumerate(("sub-01_run-1", "sub-01_run-2", "sub-02_run-1", "sub-02_run-2")):
        other = ("CZ", "C4", "C3") if i == 3 else NAMES
        (tmp_path / name[:6]).mkdir(exist_ok=True)
        raw_of(i, other).save(tmp_path / name[:6] / f"{name}_raw.fif", verbose="error")
    events = np.array([[1, 0, 1]])
    mne.write_events(tmp_path / "sub-01" / "sub-01_run-1-eve.fif", events, verbose="error")
    return tmp_path


def test_a_folder_becomes_the_trials_of_its_recordings(folder):
    data = load_recordings(folder, ["left", "right"], tmax=2.0)
    assert data.shape == (16, 3, 256)
    assert data.ch_names == NAMES
    assert data.metadata["subject"].tolist() == ["01"] * 8 + ["02"] * 8
    assert data.metadata["run"].tolist() == (["1"] * 4 + ["2"] * 4) * 2
    assert data.metadata["trial"].tolist() == [0, 1, 2, 3] * 4
    for i in range(4):
        expected = EEGData.from_raw(raw_of(i), ["left", "right"], tmax=2.0)
        assert_allclose(data.X[4 * i : 4 * i + 4], expected.X, atol=1e-9)
        assert_array_equal(data.y[4 * i : 4 * i + 4], expected.y)


def test_options_are_those_of_from_raw(folder):
    options = {
        "tmin": -0.5, "tmax": 1.5, "fmin": 2, "fmax": 30, "sfreq": 64, "picks": ["C4", "C3"],
        "reference": "average", "window": 1.0, "step": 0.5,
    }  # fmt: skip
    data = load_recordings([folder / "sub-01" / "sub-01_run-1_raw.fif"], {"l": "left"}, **options)
    expected = EEGData.from_raw(raw_of(0), {"l": "left"}, **options)
    assert_allclose(data.X, expected.X, atol=1e-9)
    assert data.metadata["window"].tolist() == expected.metadata["window"].tolist()
    assert set(data.y) == {"l"}


def test_names_are_matched_by_a_pattern(folder):
    data = load_recordings(folder, metadata="{subject}/sub-{code}_run-{run}_raw.fif")
    assert data.metadata["subject"].unique().tolist() == ["sub-01", "sub-02"]
    assert data.metadata["code"].unique().tolist() == ["01", "02"]
    with pytest.raises(ValueError, match=r"sub-01_run-1_raw\.fif does not match metadata='\{sub"):
        load_recordings(folder, metadata="{subject}_{run}.edf")


def test_a_table_describes_the_files(folder):
    files = sorted(path.name for path in folder.rglob("*_raw.fif"))
    table = pd.DataFrame({"file": files, "subject": [7, 7, 9, 9], "group": list("aabb")})
    data = load_recordings(folder, metadata=table)
    assert data.metadata["subject"].tolist() == [7] * 8 + [9] * 8
    assert data.metadata["group"].tolist() == ["a"] * 8 + ["b"] * 8
    with pytest.raises(ValueError, match=r"0 rows of the file .*sub-02_run-2_raw\.fif"):
        load_recordings(folder, metadata=table[:3])


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (raw_of(9, sfreq=100.0), "sampled at 100 Hz, .* at 128 Hz. Pass sfreq=100"),
        (raw_of(9, ("C3", "Cz")), r"the former lacks C4, the latter none. Pass picks=\['C3', 'Cz'"),
        (raw_of(9).set_eeg_reference("average", verbose="error"), "differ in their reference"),
        (
            raw_of(9).set_annotations(None),
            r"odd_raw\.fif has no event 'left', 'right'; it has",
        ),
    ],
)
def test_recordings_that_differ_are_refused_with_the_difference(folder, raw, message):
    raw.save(folder / "sub-02" / "sub-03_odd_raw.fif", verbose="error")
    with pytest.raises(ValueError, match=message):
        load_recordings(folder, ["left", "right"])


def test_different_rates_are_brought_together(folder):
    raw_of(9, sfreq=100.0).save(folder / "sub-03_run-1_raw.fif", verbose="error")
    assert load_recordings(folder, sfreq=64).sfreq == 64


def test_what_is_no_recording_is_refused(tmp_path, folder):
    for path in (tmp_path / "absent", []):
        with pytest.raises(FileNotFoundError, match=r"no file or folder|names no recording"):
            load_recordings(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"empty holds no recording. Read are \.edf"):
        load_recordings(tmp_path / "empty")
    (tmp_path / "a.txt").touch()
    with pytest.raises(ValueError, match=r"a\.txt has none of the formats"):
        load_recordings(tmp_path / "a.txt")
    (tmp_path / "a.edf").write_bytes(b"0")
    with pytest.raises(ValueError, match=r"a\.edf is damaged"):
        load_recordings(tmp_path / "a.edf")
    with pytest.raises(ValueError, match="is named twice"):
        load_recordings([folder / "sub-01", folder / "sub-01" / "sub-01_run-1_raw.fif"])


def test_real_recordings(recordings):
    data = load_recordings(
        recordings("eegmmidb"), {"left_fist": "T1", "right_fist": "T2"}, tmax=2.0, fmin=7, fmax=30,
        metadata="S{subject}R{run}.edf",
    )  # fmt: skip
    assert data.shape[1:] == (64, 320)
    assert data.metadata["subject"].unique().tolist() == ["001"]
    assert set(data.select(run=["04", "08"]).y) == {"left_fist", "right_fist"}


def test_trials_are_cut_once_until_the_recording_or_an_option_changes(
    folder, tmp_path, monkeypatch
):
    file = folder / "sub-01" / "sub-01_run-1_raw.fif"
    cuts = []
    read = mne.io.read_raw
    monkeypatch.setattr(
        mne.io, "read_raw", lambda file, **how: cuts.append(file) or read(file, **how)
    )
    options = {"tmax": 8.0, "cache": tmp_path / "cache"}  # the last trial is too long
    for n_cuts in (1, 1):
        with pytest.warns(UserWarning, match=r"Left out: 1 trial \(TOO_SHORT 1\)"):
            data = load_recordings(file, **options)
        assert len(cuts) == n_cuts
    fresh = load_recordings(file, tmax=7.0)
    assert_array_equal(load_recordings(file, tmax=7.0, cache=tmp_path / "cache").X, fresh.X)
    assert data.shape == (3, 3, 1024)
    n_cuts = len(cuts)
    raw_of(5).save(file, overwrite=True, verbose="error")
    with pytest.warns(UserWarning, match="Left out: 1 trial"):
        changed = load_recordings(file, **options)
    assert len(cuts) == n_cuts + 1
    assert not np.array_equal(changed.X, data.X)
