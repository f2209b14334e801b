"""The guard finds what is on both sides of a split, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, StratifiedKFold

from skeeg import EEGData
from skeeg.model_selection import Fold, LeakageError, check_leakage


def windows(n_subjects=2, n_trials=4, n_windows=3, **columns):
    """Windows of trials whose ids begin anew with every subject."""
    trial = np.tile(np.repeat(np.arange(n_trials), n_windows), n_subjects)
    subject = np.repeat(np.arange(n_subjects), n_trials * n_windows)
    X = np.zeros((len(trial), 1, 4))
    return EEGData.from_arrays(X, trial % 2, 4, subject=subject, trial=trial, **columns)


def test_windows_of_one_trial_on_both_sides_are_refused_by_name_and_number():
    data = windows()
    train, test = np.r_[0, 3:24], np.array([1, 2])
    with pytest.raises(LeakageError, match=r"fold 'fold 1' has 1 trial on both sides.*trial 0"):
        check_leakage([(train, test)], data)
    assert issubclass(LeakageError, ValueError)


def test_the_leaking_fold_is_named_and_counted():
    data = windows()
    clean = Fold(np.arange(12), np.arange(12, 24), None, "clean")
    dirty = Fold(np.arange(0, 24, 2), np.arange(1, 24, 2), None, "odd against even")
    with pytest.raises(LeakageError) as caught:
        check_leakage([clean, dirty], data)
    assert "'odd against even' has 8 trials on both sides" in str(caught.value)
    assert "subject 0 trial 0, subject 0 trial 1, subject 0 trial 2, ..." in str(caught.value)
    assert "clean" not in str(caught.value)


def test_equal_trial_numbers_of_different_subjects_are_different_trials():
    data = windows()
    first = data.metadata["subject"].to_numpy() == 0
    check_leakage([(first, ~first)], data, across="subject")


def test_trials_without_number_are_windows_of_nothing():
    data = windows()
    data.metadata["trial"] = np.nan
    check_leakage([(np.arange(0, 24, 2), np.arange(1, 24, 2))], data)


def test_without_trial_column_the_same_row_on_both_sides_is_refused():
    data = EEGData.from_arrays(np.zeros((4, 1, 4)), [0, 1, 0, 1], 4)
    with pytest.raises(LeakageError, match=r"1 trial on both sides \(row 2\)"):
        check_leakage([([0, 1, 2], [2, 3])], data)


def test_a_subject_on_both_sides_is_refused_across_subjects_only():
    data = EEGData.from_arrays(
        np.zeros((8, 1, 4)), [0, 1] * 4, 4, subject=[1] * 4 + [2] * 4, session=[1, 1, 2, 2] * 2
    )
    by_session = [(np.array([0, 1, 4, 5]), np.array([2, 3, 6, 7]))]
    check_leakage(by_session, data, across="session")
    with pytest.raises(LeakageError, match="2 subjects on both sides"):
        check_leakage(by_session, data, across="subject")
    by_trial = [(np.array([0, 1, 2, 4, 5, 6, 7]), np.array([3]))]
    with pytest.raises(LeakageError, match=r"1 session on both sides \(subject 1 session 2\)"):
        check_leakage(by_trial, data, across="session")


def test_recordings_of_one_class_must_not_be_divided():
    """Rest in one file and task in the other: the file is recognised, not the task."""
    y = np.repeat(["rest", "task"] * 3, 10)
    data = EEGData.from_arrays(
        np.zeros((60, 1, 4)), y, 4, subject=np.repeat([1, 2, 3], 20), run=np.repeat([1, 2] * 3, 10)
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=0).split(data.X, y)
    with pytest.raises(LeakageError, match="6 runs of a single class on both sides"):
        check_leakage(folds, data)
    by_subject = GroupKFold(3).split(data.X, y, data.groups("subject"))
    check_leakage(by_subject, data, across="subject")


def test_patients_and_controls_must_not_be_divided():
    subject = np.repeat(np.arange(4), 10)
    data = EEGData.from_arrays(np.zeros((40, 1, 4)), subject % 2, 4, subject=subject)
    with pytest.raises(LeakageError, match="4 subjects of a single class"):
        check_leakage(StratifiedKFold(5).split(data.X, data.y), data)


def test_recordings_that_hold_all_classes_may_be_divided():
    data = EEGData.from_arrays(np.zeros((40, 1, 4)), [0, 1] * 20, 4, subject=1, run=[0] * 40)
    check_leakage(StratifiedKFold(5).split(data.X, data.y), data)


@pytest.mark.parametrize("rows", [[0.5], [[0, 1]], [24], [-1], ["a"]])
def test_what_is_no_row_is_refused(rows):
    with pytest.raises(ValueError, match="test part of 'fold 1'"):
        check_leakage([(np.array([3]), np.array(rows))], windows())


def test_unknown_across_is_refused():
    with pytest.raises(ValueError, match="across must be"):
        check_leakage([], windows(), across="run")
