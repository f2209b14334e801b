"""The guard finds what is on both sides of a split, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, StratifiedKFold

from skeeg import EEGData
from skeeg.features import segment
from skeeg.model_selection import (
    Fold,
    LeakageError,
    LeaveSubjectsOut,
    TrialKFold,
    WithinSubject,
    check_leakage,
)


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


def test_trials_without_number_cannot_be_told_apart():
    data = windows()
    data.metadata["trial"] = np.nan
    report = check_leakage([(np.arange(0, 24, 2), np.arange(1, 24, 2))], data)
    assert report.verdict == "cannot tell"
    assert "'trial' is missing in 24 of 24 rows" in str(report)


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


def test_targets_of_a_whole_subject_must_not_be_divided():
    """The age of each subject: a fold within subjects recognises the person."""
    subject = np.repeat(np.arange(4), 10)
    age = np.array([23.5, 31.0, 40.25, 58.0])[subject]
    data = EEGData.from_arrays(np.zeros((40, 1, 4)), age, 4, subject=subject)
    folds = KFold(5, shuffle=True, random_state=0).split(data.X)
    with pytest.raises(LeakageError, match=r"4 subjects of a single target .*cv='cross-subject'"):
        check_leakage(folds, data)
    check_leakage("cross-subject", data)


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


# ---------------------------------------------------------------------- what is shared


def test_the_report_counts_what_the_sides_of_each_fold_share():
    """Two subjects of two trials of three windows."""
    data = windows(n_trials=2)
    splits = [
        (np.arange(6), np.arange(6, 12)),  # by subject
        (np.r_[0:3, 6:9], np.r_[3:6, 9:12]),  # by trial
        (np.arange(0, 12, 2), np.arange(1, 12, 2)),  # windows in turn
    ]
    report = check_leakage(splits, data, allow_leakage=True)
    assert report.shared.to_dict("list") == {
        "fold": ["fold 1", "fold 2", "fold 3"],
        "trials": [0, 0, 4],
        "subjects": [0, 2, 2],
        "overlapping": [0, 0, 0],
    }
    assert [leak.fold for leak in report.leaks] == ["fold 3"]
    assert report.description.startswith("The split leaks: fold 'fold 3' has 4 trials on both")


def test_a_split_that_does_not_leak_has_an_empty_description():
    report = check_leakage(TrialKFold(2), windows())
    assert report.description == ""
    assert report.leaks == ()
    assert str(report) == "Nothing leaks in 2 folds."


def test_data_without_subject_are_of_one():
    data = EEGData.from_arrays(np.zeros((4, 1, 4)), [0, 1, 0, 1], 4)
    assert check_leakage([([0, 1], [2, 3])], data).shared["subjects"].tolist() == [1]


@pytest.mark.parametrize(
    ("cv", "options"),
    [
        ("cross-subject", {}),
        ("within-subject", {}),
        (TrialKFold(2), {}),
        (GroupKFold(2), {"groups": "trial"}),
        (WithinSubject(2), {}),
        (iter([(np.arange(12), np.arange(12, 24))]), {}),
    ],
)
def test_every_kind_of_cv_is_taken(cv, options):
    assert not check_leakage(cv, windows(), **options).leaks


@pytest.mark.parametrize("cv", [3, StratifiedKFold(3, shuffle=True)])
def test_splitters_that_divide_trials_are_refused(cv):
    with pytest.raises(LeakageError, match=r"trials on both sides.*TrialKFold.*allow_leakage"):
        check_leakage(cv, windows())


def test_what_a_protocol_claims_is_held_against_it():
    data = windows(n_trials=4)
    scrambled = np.arange(24) // 3 % 4  # the trial, given as the subject
    for cv in (LeaveSubjectsOut(), LeaveOneGroupOut()):
        options = {} if cv.__class__ is LeaveSubjectsOut else {"across": "subject"}
        with pytest.raises(LeakageError, match="2 subjects on both sides"):
            check_leakage(cv, data, groups=scrambled, **options)
    check_leakage(LeaveOneGroupOut(), data, groups=scrambled)
    unnamed = EEGData(data.X, data.y, 4, data.ch_names, data.metadata[["trial"]])
    check_leakage(LeaveSubjectsOut(), unnamed, groups=unnamed.groups("trial"))


# ---------------------------------------------------------------------- windows that overlap


def overlapping(starts, y=None, sfreq=4, n_times=8, **columns):
    """Windows of two seconds from the given times on."""
    y = np.arange(len(starts)) % 2 if y is None else y
    return EEGData.from_arrays(
        np.zeros((len(starts), 1, n_times)), y, sfreq, window=starts, **columns
    )


def shared(data, train, test):
    (count,) = check_leakage([(train, test)], data, allow_leakage=True).shared["overlapping"]
    return count


@pytest.mark.parametrize(
    ("starts", "count"),
    [
        ([0.0, 1.0, 2.0, 3.0], 1),  # 2 to 4 with the training window 1 to 3
        ([0.0, 1.9, 2.0, 3.99], 1),
        ([0.0, 1.0, 3.0, 5.0], 0),  # end to end
        ([0.0, 1.0, 3.0, 2.75], 1),  # in any order
        ([0.0, 9.0, 8.0, 7.25], 2),
        ([0.0, 1.0, np.nan, 2.0], 1),
        ([0.0, np.nan, np.nan, 1.0], 1),
        ([np.nan, np.nan, 0.0, 0.0], 0),
        ([np.nan] * 4, 0),
    ],
)
def test_windows_share_samples_when_they_start_within_their_length(starts, count):
    assert shared(overlapping(starts), [0, 1], [2, 3]) == count


def test_starts_are_compared_within_a_recording():
    starts = [0.0, 1.0, 0.0, 1.0]
    assert shared(overlapping(starts, run=[1, 1, 2, 2]), [0, 1], [2, 3]) == 0
    assert shared(overlapping(starts, run=[1, 1, 1, 1]), [0, 1], [2, 3]) == 2
    assert shared(overlapping(starts, subject=[1, 1, 2, 2], run=1), [0, 1], [2, 3]) == 0
    assert shared(overlapping(starts, trial=[0, 0, 1, 1]), [0, 1], [2, 3]) == 0
    assert shared(overlapping(starts, trial=[0, 1, 0, 1]), [0, 1], [2, 3]) == 2


def test_starts_that_are_rounded_do_not_overlap():
    """Thirds of a second, as a table with three decimals says them."""
    starts = np.round(np.arange(12) / 3, 3)
    data = overlapping(starts, sfreq=300, n_times=100)
    assert shared(data, np.arange(0, 12, 2), np.arange(1, 12, 2)) == 0


def test_overlap_is_found_in_as_many_rows_as_a_plain_search_finds():
    rng = np.random.default_rng(0)
    run, starts = rng.integers(0, 5, 300), rng.uniform(0, 200, 300).round(2)
    data = overlapping(starts, run=run)
    order = rng.permutation(300)
    train, test = order[:150], order[150:]
    expected = sum(
        any(run[i] == run[j] and abs(starts[i] - starts[j]) < 1.98 for j in train) for i in test
    )
    assert 0 < expected < 150
    assert shared(data, train, test) == expected


def test_windows_that_overlap_are_named():
    data = overlapping([0.0, 1.0, 2.0, 3.0], run=7)
    with pytest.raises(LeakageError, match=r"1 window with common samples .*\(run 7 window 2\.0\)"):
        check_leakage([([0, 1], [2, 3])], data)


def test_windows_cut_by_segment_are_found_to_overlap():
    trials = EEGData.from_arrays(np.zeros((2, 1, 40)), [0, 1], 8)
    data = segment(trials, window=2.0, step=1.0)  # begin at 0, 1, 2 and 3 s
    assert shared(data, [0, 4], [1, 2, 3, 5, 6, 7]) == 2
    assert shared(data, [0, 1, 2, 3], [4, 5, 6, 7]) == 0
    with pytest.raises(LeakageError, match="2 trials on both sides"):
        check_leakage([([0, 4], [2, 3, 6, 7])], data)


def test_a_column_window_that_holds_no_times_is_refused():
    with pytest.raises(ValueError, match="'window' of the metadata must hold the start"):
        shared(overlapping(["a", "b", "c", "d"]), [0, 1], [2, 3])
