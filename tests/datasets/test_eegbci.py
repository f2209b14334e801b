import mne
import numpy as np
import pytest
from mne.decoding import CSP
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skeeg.datasets import load_eegbci

RUNS = (6, 10, 14)


@pytest.fixture(scope="module", params=["flat", "subject folders", "MNE's layout"])
def folder(request, tmp_path_factory, write_eegbci):
    top = tmp_path_factory.mktemp("eegbci")
    below = {
        "flat": ".",
        "subject folders": "S{:03d}",
        "MNE's layout": "MNE-eegbci-data/files/eegmmidb/1.0.0/S{:03d}",
    }[request.param]
    for subject in (1, 7):
        for run in RUNS:
            write_eegbci(top / below.format(subject) / f"S{subject:03d}R{run:02d}.edf")
    return top


def test_files_are_found_in_every_layout(folder):
    data = load_eegbci(folder)
    assert data.shape == (2 * 3 * 4, 6, 480)
    assert data.ch_names == ("FC5", "C3", "Cz", "C4", "Fp1", "Iz")
    assert data.y.tolist() == ["fists", "feet"] * 12
    assert data.metadata["subject"].tolist() == [1] * 12 + [7] * 12
    assert data.metadata["run"].unique().tolist() == ["6", "10", "14"]
    assert data.metadata["trial"].tolist() == [0, 1, 2, 3] * 6


def test_subjects_are_chosen_in_the_order_given(folder):
    data = load_eegbci(folder, subjects=[7, 1])
    assert data.metadata["subject"].unique().tolist() == [7, 1]
    assert set(load_eegbci(folder, subjects=7).metadata["subject"]) == {7}


def test_unknown_subject_is_refused_with_those_that_exist(folder):
    with pytest.raises(ValueError, match="There is no subject 3; there are 1, 7"):
        load_eegbci(folder, subjects=[1, 3])


def test_window_band_and_rate(folder):
    data = load_eegbci(folder, subjects=1, sfreq=80, fmin=8, fmax=13, tmin=-0.5, tmax=2.0)
    assert data.sfreq == 80
    # The first cue comes at 4 s, so that none is cut off.
    assert data.shape == (12, 6, 200)
    power = np.abs(np.fft.rfft(data.X * np.hanning(200))) ** 2
    freqs = np.fft.rfftfreq(200, 1 / 80)
    inside = power[..., (freqs > 8) & (freqs < 13)].mean()
    outside = power[..., (freqs > 17) | ((freqs > 1) & (freqs < 5))].mean()
    assert outside < 1e-3 * inside


def test_missing_run_is_named(tmp_path, write_eegbci):
    write_eegbci(tmp_path / "S001R06.edf")
    with pytest.raises(FileNotFoundError, match=r"lacks S001R10\.edf, S001R14\.edf.*physionet"):
        load_eegbci(tmp_path)


def test_files_of_another_name_are_no_subjects(tmp_path):
    (tmp_path / "S1R6.edf").touch()
    with pytest.raises(ValueError, match="There is no subject 1; there are none"):
        load_eegbci(tmp_path, subjects=1)


def test_empty_and_absent_folders_say_where_to_get_the_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no file named S\*R\*\.edf.*physionet"):
        load_eegbci(tmp_path)
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        load_eegbci(tmp_path / "nowhere")


@pytest.mark.filterwarnings("ignore:Invalid measurement date")
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5])
def test_truncated_file_is_named(tmp_path, write_eegbci, share):
    for run in RUNS:
        file = write_eegbci(tmp_path / f"S001R{run:02d}.edf")
    contents = file.read_bytes()
    file.write_bytes(contents[: int(share * len(contents))])
    with pytest.raises(ValueError, match=r"S001R14\.edf is damaged.*physionet"):
        load_eegbci(tmp_path)


def test_recording_without_the_tasks_events_is_named(tmp_path, write_edf):
    for run in RUNS:
        write_edf(tmp_path / f"S001R{run:02d}.edf", ("C3..",), 10, 160, ["T0", "T0"])
    with pytest.raises(ValueError, match=r"S001R06\.edf holds no whole trial of fists, feet"):
        load_eegbci(tmp_path)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"task": "feet"}, "task must be one of 'left_right', 'fists_feet'"),
        ({"tmin": 2, "tmax": 1}, "tmin must lie before tmax"),
        ({"fmin": 30, "fmax": 8}, "fmin must lie below fmax"),
        ({"sfreq": 0}, "sfreq must be a positive number"),
        ({"fmin": float("nan")}, "fmin must be a finite number at least 0; got nan"),
        ({"fmax": -1}, "fmax must be a finite number at least 0; got -1"),
        ({"subjects": []}, "one or more different subjects"),
        ({"subjects": [1, 1]}, "one or more different subjects"),
        ({"subjects": 110}, "There is no subject 110; there are 1 to 109"),
    ],
)
def test_impossible_parameters_are_refused_before_anything_is_downloaded(
    monkeypatch, parameters, message
):
    monkeypatch.setattr(mne.datasets.eegbci, "load_data", None)
    with pytest.raises(ValueError, match=message):
        load_eegbci(**parameters)


def test_without_path_mne_downloads(monkeypatch, tmp_path, write_eegbci):
    calls = []

    def load_data(subjects, runs, *, update_path):
        calls.append((subjects, runs, update_path))
        return [write_eegbci(tmp_path / f"S{subjects[0]:03d}R{run:02d}.edf") for run in runs]

    monkeypatch.setattr(mne.datasets.eegbci, "load_data", load_data)
    data = load_eegbci(subjects=[2, 88], task="left_right")
    # False: otherwise MNE asks on the terminal whether to remember the folder.
    assert calls == [([2], [4, 8, 12], False), ([88], [4, 8, 12], False)]
    assert set(data.y) == {"left_fist", "right_fist"}


def test_irregular_subjects_must_be_asked_for(tmp_path, write_eegbci):
    for run in RUNS:
        write_eegbci(tmp_path / f"S088R{run:02d}.edf")
    with pytest.raises(FileNotFoundError, match="lacks any regular subject"):
        load_eegbci(tmp_path)
    assert set(load_eegbci(tmp_path, subjects=88).metadata["subject"]) == {88}


@pytest.mark.parametrize(
    ("task", "counts", "accuracy"),
    [
        ("fists_feet", {"feet": 24, "fists": 21}, 0.9),
        ("left_right", {"left_fist": 23, "right_fist": 22}, 0.6),
    ],
)
def test_real_recordings(recordings, task, counts, accuracy):
    data = load_eegbci(recordings("eegmmidb"), task=task)
    assert data.shape == (45, 64, 480)
    assert data.sfreq == 160
    assert dict(zip(*np.unique(data.y, return_counts=True), strict=True)) == counts
    assert {"FC5", "FCz", "C3", "Cz", "T7", "AFz", "Fp1", "Iz"} <= set(data.ch_names)
    assert 1e-6 < data.X.std() < 1e-4  # volts
    with mne.use_log_level("error"):
        scores = cross_val_score(
            make_pipeline(CSP(6, reg="ledoit_wolf"), LinearDiscriminantAnalysis()),
            data.X.astype(float),
            data.y,
            cv=StratifiedKFold(5, shuffle=True, random_state=0),
        )
    assert scores.mean() > accuracy


def test_real_recordings_of_both_tasks_make_four_classes(recordings):
    data = load_eegbci(recordings("eegmmidb"), task="imagery", subjects=1)
    assert data.shape == (90, 64, 480)
    assert set(data.y) == {"fists", "feet", "left_fist", "right_fist"}
