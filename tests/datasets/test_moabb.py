import os
import sys

import numpy as np
import pytest

from skeeg.datasets import load_bnci2014_001, load_high_gamma
from skeeg.datasets._moabb import _data_folder
from skeeg.datasets.high_gamma import MOTOR_CHANNELS

datasets = pytest.importorskip("moabb.datasets")
fake = pytest.importorskip("moabb.datasets.fake")
moabb_download = pytest.importorskip("moabb.datasets.download")

pytestmark = pytest.mark.filterwarnings("ignore:Montage name:FutureWarning")


def stand_in(monkeypatch, name, events, channels, **options):
    """Let MOABB's data set of this name be a fake one; returns the folders it was looked for in."""
    folders = []

    class StandIn(fake.FakeDataset):
        def _get_single_subject_data(self, subject):
            folders.append(
                {key: value for key, value in os.environ.items() if key.startswith("MNE_DATASETS_")}
            )
            return super()._get_single_subject_data(subject)

    made = StandIn(
        event_list=events, channels=channels, n_subjects=3, n_runs=2, duration=60, n_events=8,
        seed=0, **options,
    )  # fmt: skip
    made.interval = [2, 6]  # s after the events, so that no window leaves the recording
    monkeypatch.setattr(datasets, name, lambda: made)
    return folders


@pytest.fixture
def bnci(monkeypatch):
    return stand_in(
        monkeypatch, "BNCI2014_001", ("left_hand", "right_hand", "feet", "tongue"),
        ("C3", "Cz", "C4"), n_sessions=2, sfreq=250,
    )  # fmt: skip


@pytest.fixture
def high_gamma(monkeypatch):
    return stand_in(
        monkeypatch, "Schirrmeister2017", ("right_hand", "left_hand", "rest", "feet"),
        ("Fp1", *MOTOR_CHANNELS[::-1], "Oz"), n_sessions=1, sfreq=500,
    )  # fmt: skip


def test_bnci_shape_labels_and_provenance(bnci):
    data = load_bnci2014_001(subjects=[1, 3])
    assert data.shape == (2 * 2 * 2 * 8, 3, 1000)
    assert data.sfreq == 250
    assert data.ch_names == ("C3", "Cz", "C4")
    assert set(data.y) == {"left_hand", "right_hand", "feet", "tongue"}
    assert data.metadata["subject"].unique().tolist() == [1, 3]
    assert (data.metadata.groupby(["subject", "session", "run"]).size() == 8).all()
    assert len(np.unique(data.nested_groups("trial"))) == len(data)
    assert 1e-6 < data.X.std() < 1e-4  # volts


def test_bnci_classes_window_band_and_rate(bnci):
    data = load_bnci2014_001(
        subjects=1,
        classes=("left_hand", "right_hand"),
        tmin=0.5,
        tmax=2.5,
        sfreq=125,
        fmin=8,
        fmax=13,
    )
    assert set(data.y) == {"left_hand", "right_hand"}
    assert data.shape == (16, 3, 250)
    spectrum = np.abs(np.fft.rfft(data.X * np.hanning(250))).mean(axis=(0, 1))
    assert 8 <= np.fft.rfftfreq(250, 1 / 125)[spectrum.argmax()] <= 13


def test_all_subjects_by_default(bnci):
    assert load_bnci2014_001(classes=("feet", "tongue"), tmax=1).metadata["subject"].nunique() == 3


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"subjects": 4}, "There is no subject 4; there are 1 to 3"),
        ({"classes": ("left_hand", "elbow")}, "classes must be two or more of left_hand"),
        ({"classes": ("feet",)}, "classes must be two or more"),
        ({"tmin": 4, "tmax": 4}, "tmin must lie before tmax"),
        ({"fmin": 30, "fmax": 8}, "fmin must lie below fmax"),
    ],
)
def test_impossible_parameters_are_refused(bnci, parameters, message):
    with pytest.raises(ValueError, match=message):
        load_bnci2014_001(**parameters)
    assert not bnci


@pytest.mark.parametrize(
    ("load", "fixture", "variable"),
    [
        (load_bnci2014_001, "bnci", "MNE_DATASETS_BNCI_PATH"),
        (load_high_gamma, "high_gamma", "MNE_DATASETS_SCHIRRMEISTER2017_PATH"),
    ],
)
def test_path_is_where_moabb_looks_and_only_while_loading(
    request, tmp_path, monkeypatch, load, fixture, variable
):
    folders = request.getfixturevalue(fixture)
    monkeypatch.setenv(variable, "before")
    load(tmp_path, subjects=1)
    assert folders[0][variable] == str(tmp_path)
    assert os.environ[variable] == "before"
    monkeypatch.delenv(variable)
    load(tmp_path, subjects=1)
    assert variable not in os.environ
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "key", "file"),
    [
        ("BNCI2014_001", "BNCI", "A01T.mat"),
        ("Schirrmeister2017", "SCHIRRMEISTER2017", "train/1.edf"),
    ],
)
def test_moabb_reads_its_folder_from_that_variable(tmp_path, monkeypatch, name, key, file):
    asked = []

    def data_dl(url, sign, *args, **kwargs):
        asked.append((url, moabb_download.get_dataset_path(sign, None)))
        raise ConnectionError

    monkeypatch.setattr(moabb_download, "data_dl", data_dl)
    with _data_folder(key, tmp_path), pytest.raises(ConnectionError):
        getattr(datasets, name)().data_path(1)
    (url, folder), *_ = asked
    assert url.endswith(file)
    assert str(folder) == str(tmp_path)


def test_high_gamma_is_prepared_as_in_the_paper(high_gamma):
    data = load_high_gamma(subjects=2)
    assert data.shape == (16, 44, 1125)
    assert data.sfreq == 250
    assert data.ch_names == MOTOR_CHANNELS
    assert set(data.y) == {"right_hand", "left_hand", "rest", "feet"}


def test_high_gamma_motor_channels_are_the_44_of_the_study():
    assert len(MOTOR_CHANNELS) == len(set(MOTOR_CHANNELS)) == 44
    assert all("C" in name for name in MOTOR_CHANNELS)


def test_high_gamma_leaves_out_trials_with_outliers(high_gamma):
    whole = load_high_gamma(subjects=1, reject=None, ch_names=None)
    assert whole.shape == (16, 46, 1125)
    # Half of the trials reach the median of what their channels, kept or not, reach.
    peaks = np.abs(whole.X[..., 125:]).max(axis=(1, 2))
    kept = load_high_gamma(subjects=1, reject=float(np.median(peaks)))
    assert kept.shape == (8, 44, 1125)
    assert kept.metadata["trial"].tolist() == np.flatnonzero(peaks < np.median(peaks)).tolist()


def test_high_gamma_unknown_channel_is_named(high_gamma):
    with pytest.raises(ValueError, match="has no channel XX; it has Fp1"):
        load_high_gamma(subjects=1, ch_names=("C3", "XX"))


def test_without_moabb_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "moabb.datasets", None)
    with pytest.raises(ImportError, match=r"pip install skeeg\[moabb\]"):
        load_bnci2014_001()
