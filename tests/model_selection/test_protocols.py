"""The named protocols divide what they say, and refuse what cannot be learnt or tested."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.model_selection import LeaveOneGroupOut, ShuffleSplit, StratifiedKFold

from skeeg import EEGData
from skeeg.model_selection import (
    PROTOCOLS,
    Fold,
    LeakageError,
    LeaveSubjectsOut,
    ShuffledSegmentKFold,
    TrialKFold,
    WithinSubject,
    check_leakage,
    choose_protocol,
    cross_session,
    cross_subject,
    make_folds,
    within_subject,
)


def recorded(n_subjects=2, n_sessions=2, n_runs=2, n_trials=4, n_windows=1):
    """Trials with classes in turn, numbered within their run."""
    rows = np.array(
        list(
            itertools.product(
                range(1, n_subjects + 1),
                [f"s{i}" for i in range(n_sessions)],
                range(n_runs),
                range(n_trials),
                range(n_windows),
            )
        ),
        dtype=object,
    )
    subject, session, run, trial, _ = rows.T
    return EEGData.from_arrays(
        np.zeros((len(rows), 1, 4)),
        np.where(trial.astype(int) % 2, "right", "left"),
        4,
        subject=subject.astype(int),
        session=session.astype(str),
        run=run.astype(int),
        trial=trial.astype(int),
    )


def without(data, *columns):
    return EEGData(
        data.X, data.y, data.sfreq, data.ch_names, data.metadata.drop(columns=[*columns])
    )


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_trial_is_tested_once_and_nothing_leaks(name):
    data = recorded(n_windows=2)
    folds = PROTOCOLS[name](data)
    np.testing.assert_array_equal(
        np.sort(np.concatenate([f.test for f in folds])), range(len(data))
    )
    across = {"cross-subject": "subject", "cross-session": "session"}.get(name)
    check_leakage(folds, data, across=across)


def test_within_subject_leaves_one_run_out():
    folds = within_subject(recorded())
    assert [fold.name for fold in folds[:4]] == [
        "subject 1, session s0, run 0",
        "subject 1, session s0, run 1",
        "subject 1, session s1, run 0",
        "subject 1, session s1, run 1",
    ]
    assert folds[1].subject == 1
    assert folds[1].test.tolist() == [4, 5, 6, 7]
    assert folds[1].train.tolist() == [*range(4), *range(8, 16)]
    assert len(folds) == 8


def test_within_subject_without_runs_takes_five_contiguous_folds_of_whole_trials():
    data = without(recorded(1, 1, 1, n_trials=20, n_windows=3), "session", "run")
    folds = within_subject(data)
    assert [fold.name for fold in folds] == [f"subject 1, fold {i}" for i in range(1, 6)]
    for i, fold in enumerate(folds):
        # 20 trials, classes in turn: five blocks of four neighbours, three windows each
        assert fold.test.tolist() == list(range(12 * i, 12 * i + 12))
        assert (data.y[fold.test] == "left").mean() == 0.5


def test_within_subject_falls_back_to_trials_where_a_run_is_a_class():
    data = recorded(1, 1, 2, n_trials=10)
    data.y[:] = np.where(data.metadata["run"] == 0, "left", "right")
    assert within_subject(data)[0].name == "subject 1, fold 1"


def test_within_subject_takes_fewer_folds_of_few_trials():
    data = without(recorded(1, 1, 1, n_trials=6), "session", "run")
    assert len(within_subject(data)) == 3


def test_data_without_subject_are_one_subject():
    data = without(recorded(1, 1, 1, n_trials=20), "subject", "session", "run")
    folds = within_subject(data)
    assert [fold.subject for fold in folds] == [None] * 5
    assert folds[0].name == "fold 1"


def with_targets(data, y):
    return EEGData(data.X, np.asarray(y), data.sfreq, data.ch_names, data.metadata)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_continuous_targets_take_the_same_recordings_as_classes(name):
    data = recorded(n_windows=2)
    continuous = with_targets(data, np.random.default_rng(0).random(len(data)))
    expected = [(fold.name, fold.test.tolist()) for fold in PROTOCOLS[name](data)]
    folds = PROTOCOLS[name](continuous)
    assert [(fold.name, fold.test.tolist()) for fold in folds] == expected
    check_leakage(name, continuous)


def test_continuous_targets_without_runs_take_five_blocks_of_whole_trials():
    data = without(recorded(1, 1, 1, n_trials=10, n_windows=3), "session", "run")
    ratings = data.metadata["trial"].to_numpy().astype(int)
    expected = [[*range(start, start + 6)] for start in range(0, 30, 6)]
    for folds in (
        within_subject(with_targets(data, ratings + 0.5)),
        within_subject(with_targets(data, ratings), continuous=True),
        make_folds("within-subject", with_targets(data, ratings), continuous=True),
        make_folds(5, with_targets(data, ratings), continuous=True),
    ):
        assert [fold.test.tolist() for fold in folds] == expected
    with pytest.raises(ValueError, match="only one trial of class"):
        within_subject(with_targets(data, ratings))


def test_continuous_targets_of_one_trial_cannot_be_divided():
    data = without(recorded(1, 1, 1, n_trials=1, n_windows=3), "session", "run")
    with pytest.raises(ValueError, match=r"Subject 1 has only one trial: the within-subject"):
        within_subject(with_targets(data, [0.1, 0.2, 0.3]))


def test_empty_parts_are_refused_whatever_the_targets():
    data = with_targets(recorded(1, 1, 1), [0.1, 0.2, 0.3, 0.4])
    for train, test, part in (([], [0], "training"), ([0], [], "test")):
        with pytest.raises(ValueError, match=f"The {part} part of fold 'fold 1' is empty"):
            make_folds([(train, test)], data)


def test_cross_session_stays_within_subjects():
    folds = cross_session(recorded())
    assert [fold.name for fold in folds][:2] == ["subject 1, session s0", "subject 1, session s1"]
    assert folds[0].test.tolist() == list(range(8))
    assert folds[0].train.tolist() == list(range(8, 16))


def test_cross_session_names_subjects_with_one_session():
    data = recorded()
    one = data[(data.metadata["subject"] == 1) | (data.metadata["session"] == "s0")]
    with pytest.raises(ValueError, match=r"Subjects 2 have only one"):
        cross_session(one)
    with pytest.raises(ValueError, match="needs a column 'session'"):
        cross_session(without(data, "session"))


def test_cross_subject_leaves_one_subject_out():
    folds = cross_subject(recorded(n_subjects=3))
    assert [(fold.name, fold.subject) for fold in folds] == [(f"subject {i}", i) for i in (1, 2, 3)]
    assert folds[2].test.tolist() == list(range(32, 48))


def test_cross_subject_needs_two_subjects():
    with pytest.raises(
        ValueError, match="needs at least two subjects, but the data have only subject 1"
    ):
        cross_subject(recorded(1))
    with pytest.raises(ValueError, match="needs a column 'subject'"):
        cross_subject(without(recorded(), "subject"))


def test_a_training_part_without_a_class_is_refused_by_name():
    data = recorded(n_subjects=2)
    data.y[data.metadata["subject"] == 2] = "left"
    with pytest.raises(ValueError, match=r"fold 'subject 1' .*lacks class 'right'"):
        cross_subject(data)


def test_a_class_of_one_trial_cannot_be_learnt_and_tested():
    data = without(recorded(1, 1, 1, n_trials=9), "session", "run")
    data.y[:] = ["right", *["left"] * 8]
    with pytest.raises(ValueError, match="Subject 1 has only one trial of class 'right'"):
        within_subject(data)


def test_an_empty_test_part_is_refused():
    with pytest.raises(ValueError, match="test part of fold 'fold 1' is empty"):
        make_folds([(np.arange(16), [])], recorded(1))


def test_no_fold_at_all_is_refused():
    with pytest.raises(ValueError, match="gave no folds"):
        make_folds([], recorded(1))


def test_folds_of_one_name_are_refused():
    fold = Fold(np.arange(8), np.arange(8, 16), None, "twin")
    with pytest.raises(ValueError, match="Two folds have the name 'twin'"):
        make_folds([fold, fold], recorded(1))


def test_splitters_give_their_own_folds():
    data = recorded(1)
    splitter = StratifiedKFold(4, shuffle=True, random_state=3)
    expected = list(splitter.split(data.X, data.y))
    for fold, (train, test) in zip(make_folds(splitter, data), expected, strict=True):
        np.testing.assert_array_equal(fold.train, train)
        np.testing.assert_array_equal(fold.test, test)
        assert fold.subject == 1


@pytest.mark.parametrize("given", ["column", "array"])
def test_groups_are_a_column_or_an_array(given):
    data = recorded()
    groups = "session" if given == "column" else data.nested_groups("session")
    folds = make_folds(LeaveOneGroupOut(), data, groups=groups)
    assert [len(fold.test) for fold in folds] == [8] * 4


def test_masks_and_generators_are_splits():
    data = recorded(1)
    first = data.metadata["session"].to_numpy() == "s0"
    (fold,) = make_folds(((train, test) for train, test in [(first, ~first)]), data)
    assert fold.test.tolist() == list(range(8, 16))


def test_a_splitter_without_seed_gets_one_and_keeps_its_own_parameters():
    data = recorded()
    splitter = ShuffleSplit(2)
    tests = [
        [fold.test.tolist() for fold in make_folds(splitter, data, random_state=seed)]
        for seed in (0, 0, 1)
    ]
    assert tests[0] == tests[1] != tests[2]
    assert splitter.random_state is None


def test_splitters_within_splitters_are_seeded_and_stay_as_they_are():
    data = recorded(2, 1, 1, n_trials=20)
    splitter = WithinSubject(TrialKFold(4, shuffle=True))
    tests = [
        [fold.test.tolist() for fold in make_folds(splitter, data, random_state=seed)]
        for seed in (0, 0, 1)
    ]
    assert tests[0] == tests[1] != tests[2]
    assert splitter.cv.random_state is None
    assert [fold.subject for fold in make_folds(splitter, data)] == [1] * 4 + [2] * 4


@pytest.mark.parametrize("nested", [False, True])
def test_shuffled_segments_need_permission(nested):
    data = recorded(2, 1, 1, n_trials=20)
    splitter = ShuffledSegmentKFold(4)
    cv = WithinSubject(splitter) if nested else splitter
    with pytest.raises(LeakageError, match="use TrialKFold"):
        make_folds(cv, data)
    assert len(make_folds(cv, data, allow_leakage=True)) == (8 if nested else 4)
    assert splitter.allow_leakage is False


def test_protocols_and_splitters_give_the_same_folds():
    data = without(recorded(3, 1, 1, n_trials=20, n_windows=2), "session", "run")
    for protocol, splitter in (
        ("cross-subject", LeaveSubjectsOut()),
        ("within-subject", WithinSubject(TrialKFold(5))),
    ):
        for named, split in zip(
            make_folds(protocol, data), make_folds(splitter, data), strict=True
        ):
            np.testing.assert_array_equal(named.train, split.train)
            np.testing.assert_array_equal(named.test, split.test)
            assert named.subject == split.subject


def test_an_unknown_protocol_offers_the_nearest():
    with pytest.raises(ValueError, match=r"'cross_subjct'\. Did you mean 'cross-subject'"):
        make_folds("cross_subjct", recorded())


@pytest.mark.parametrize(
    ("cv", "message"), [(3.5, "cv must be"), ([1, 2], "must be .train, test.")]
)
def test_what_is_no_cv_is_refused(cv, message):
    with pytest.raises(ValueError, match=message):
        make_folds(cv, recorded())


def test_groups_of_the_wrong_length_or_for_a_protocol_are_refused():
    with pytest.raises(ValueError, match=r"got shape \(3,\)"):
        make_folds(LeaveOneGroupOut(), recorded(), groups=[1, 2, 3])
    with pytest.raises(ValueError, match="groups are for splitters"):
        make_folds("within-subject", recorded(), groups="run")


def test_a_missing_subject_is_named():
    data = recorded()
    data.metadata["subject"] = data.metadata["subject"].astype("Int64")
    data.metadata.loc[5, "subject"] = None
    with pytest.raises(ValueError, match="which subject row 5 is of"):
        within_subject(data)


def test_the_protocol_that_suits_recordings_of_one_class_is_cross_subject():
    data = recorded(3, 1, 2, n_trials=10)
    assert choose_protocol(data) == "within-subject"
    data.y[:] = np.where(data.metadata["run"] == 0, "rest", "task")
    assert choose_protocol(data) == "cross-subject"
    assert choose_protocol(data[data.metadata["subject"] == 1]) == "within-subject"
