"""Windows are cut where they should be, and remember their trial."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import GroupKFold

from skeeg import EEGData, LeakageError
from skeeg.features import segment
from skeeg.model_selection import check_leakage

SFREQ = 128.0


@pytest.fixture
def data():
    X = np.random.default_rng(0).standard_normal((6, 2, 330))
    y = ["calm", "tense"] * 3
    return EEGData.from_arrays(
        X, y, SFREQ, ["C3", "C4"], subject=[1, 1, 1, 2, 2, 2], video=range(6)
    )


def test_windows_follow_each_other_and_the_rest_is_left_out(data):
    windows = segment(data, 1.0)
    assert windows.shape == (12, 2, 128)
    for trial in range(6):
        for i in range(2):
            expected = data.X[trial][:, 128 * i : 128 * (i + 1)]
            assert_array_equal(windows.X[2 * trial + i], expected)
    assert_array_equal(windows.y, np.repeat(data.y, 2))
    assert windows.sfreq == SFREQ
    assert windows.ch_names == data.ch_names


def test_a_step_shorter_than_the_window_makes_them_overlap(data):
    windows = segment(data, 1.0, 0.5)
    assert windows.shape == (24, 2, 128)
    assert_array_equal(windows.X[1], data.X[0][:, 64:192])
    assert windows.metadata["window"].tolist()[:5] == [0.0, 0.5, 1.0, 1.5, 0.0]


def test_a_step_longer_than_the_window_leaves_gaps(data):
    windows = segment(data, 0.5, 1.0)
    assert windows.metadata["window"].tolist()[:4] == [0.0, 1.0, 2.0, 0.0]
    assert_array_equal(windows.X[1], data.X[0][:, 128:192])


def test_metadata_are_repeated_and_trials_numbered(data):
    windows = segment(data, 1.0)
    assert_array_equal(windows.metadata["trial"], np.repeat(np.arange(6), 2))
    assert_array_equal(windows.metadata["subject"], np.repeat([1, 1, 1, 2, 2, 2], 2))
    assert_array_equal(windows.metadata["video"], np.repeat(np.arange(6), 2))
    assert list(data.metadata) == ["subject", "video"]  # the trials stay as they were


def test_numbers_of_trials_are_kept(data):
    named = EEGData.from_arrays(
        data.X, data.y, SFREQ, subject=[1, 1, 1, 2, 2, 2], trial=[7, 8, 9, 7, 8, 9]
    )
    windows = segment(named, 1.0)
    assert windows.metadata["trial"].tolist()[:4] == [7, 7, 8, 8]
    trials = np.unique(windows.nested_groups("trial"))
    assert len(trials) == 6  # trial 7 of two subjects is two trials


def test_the_leakage_guard_sees_the_trials(data):
    windows = segment(data, 1.0)
    folds = GroupKFold(3).split(windows, windows.y, windows.nested_groups("trial"))
    check_leakage(list(folds), windows)
    with pytest.raises(LeakageError, match="trial"):
        check_leakage([(np.arange(0, 12, 2), np.arange(1, 12, 2))], windows)


def test_windows_of_windows_begin_in_the_trial(data):
    windows = segment(segment(data, 2.0), 0.5)
    assert windows.metadata["window"].tolist()[:4] == [0.0, 0.5, 1.0, 1.5]
    assert_array_equal(windows.metadata["trial"], np.repeat(np.arange(6), 4))


def test_one_trial_and_one_window(data):
    windows = segment(data[0], 330 / SFREQ)
    assert_array_equal(windows.X, data.X[:1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"window": 3.0}, "window must be at most as long as the trials, 2.57812 s, got 3 s"),
        ({"window": 0}, "window must be a positive number of seconds; got 0"),
        ({"window": 1e-3}, "window must last a sample or more, 0.0078125 s at 128 Hz"),
        ({"window": 1.0, "step": -1}, "step must be a positive number of seconds; got -1"),
        ({"window": 1.0, "step": 1e-3}, "step must last a sample or more"),
    ],
)
def test_wrong_lengths_are_named(data, arguments, message):
    with pytest.raises(ValueError, match=message):
        segment(data, **arguments)


def test_arrays_are_refused_because_they_know_no_trials(data):
    with pytest.raises(TypeError, match="data must be EEGData, got ndarray"):
        segment(data.X, 1.0)


def test_a_trial_without_a_number_is_refused(data):
    unknown = EEGData.from_arrays(data.X, data.y, SFREQ, trial=[0, 1, np.nan, 3, 4, 5])
    with pytest.raises(ValueError, match="trial of the metadata is empty in row 2"):
        segment(unknown, 1.0)
