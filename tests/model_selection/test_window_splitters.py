"""Blocks are neighbours in time, and shuffled windows only come where leakage is allowed."""

from __future__ import annotations

import numpy as np
import pytest

from skeeg import EEGData, LeakageError
from skeeg.model_selection import (
    BlockwiseKFold,
    ShuffledSegmentKFold,
    WithinSubject,
    check_leakage,
)


def recordings_of_one_class(n_windows=10, **columns):
    """Rest in one run and a task in the other, of two subjects."""
    run = np.tile(np.repeat([0, 1], n_windows), 2)
    subject = np.repeat(["A", "B"], 2 * n_windows)
    y = np.where(run, "task", "rest")
    return EEGData.from_arrays(np.zeros((len(y), 1, 4)), y, 4, subject=subject, run=run, **columns)


# ---------------------------------------------------------------------- blocks


def test_a_fold_tests_one_block_of_every_recording():
    data = recordings_of_one_class()
    splits = list(BlockwiseKFold(5).split(data))
    for i, (train, test) in enumerate(splits):
        expected = np.concatenate(
            [start + np.array([2 * i, 2 * i + 1]) for start in (0, 10, 20, 30)]
        )
        assert test.tolist() == expected.tolist()
        assert train.tolist() == sorted(set(range(40)) - set(expected.tolist()))


def test_classes_that_alternate_in_a_recording_are_cut_at_the_same_times():
    y = np.arange(12) % 2
    data = EEGData.from_arrays(np.zeros((12, 1, 4)), y, 4, run=0)
    tests = [test.tolist() for _, test in BlockwiseKFold(3).split(data)]
    assert tests == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_the_gap_is_left_out_of_training_within_the_recording_only():
    data = recordings_of_one_class()
    train, test = list(BlockwiseKFold(5, gap=2).split(data))[1]
    assert test[:2].tolist() == [2, 3]
    assert train[:4].tolist() == [6, 7, 8, 9]  # 0, 1 and 4, 5 are the gap
    assert train[4:8].tolist() == [16, 17, 18, 19]
    train, test = next(BlockwiseKFold(5, gap=2).split(data))
    assert set(range(4, 10)) <= set(train)  # nothing left out across the end of a recording
    assert 39 in train


@pytest.mark.parametrize("gap", [0, 1, 3])
def test_no_training_row_is_nearer_than_the_gap(gap):
    rng = np.random.default_rng(gap)
    run = np.sort(rng.integers(0, 4, 200))
    y = rng.integers(0, 3, 200)
    for train, test in BlockwiseKFold(4, gap=gap).split(y, y, run):
        for row in test:
            near = train[(np.abs(train - row) <= gap) & (run[train] == run[row])]
            assert not near.size
        # and none is left out without need
        left_out = np.setdiff1d(np.arange(200), np.r_[train, test])
        for row in left_out:
            assert (np.abs(test - row)[run[test] == run[row]] <= gap).any()


def test_overlapping_windows_need_a_gap():
    """Windows of 2 s every second share a second with each neighbour."""
    y = np.repeat(["rest", "task"], 10)
    start = np.tile(np.arange(10.0), 2)
    data = EEGData.from_arrays(np.zeros((20, 1, 8)), y, 4, run=np.repeat([0, 1], 10), window=start)
    with pytest.raises(LeakageError, match=r"2 windows with common samples on both sides.*gap"):
        check_leakage(BlockwiseKFold(5), data)
    report = check_leakage(BlockwiseKFold(5), data, allow_leakage=True)
    assert report.shared["overlapping"].tolist() == [2, 4, 4, 4, 2]
    report = check_leakage(BlockwiseKFold(5, gap=1), data, allow_leakage=True)
    assert report.shared["overlapping"].tolist() == [0] * 5


def test_recordings_that_are_the_class_stay_refused():
    with pytest.raises(LeakageError, match="4 runs of a single class on both sides"):
        check_leakage(BlockwiseKFold(5), recordings_of_one_class())


def test_arrays_are_one_recording_or_those_of_the_groups():
    y = np.arange(8) % 2
    assert [t.tolist() for _, t in BlockwiseKFold(2).split(y, y)] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    groups = np.repeat([0, 1], 4)
    tests = [t.tolist() for _, t in BlockwiseKFold(2).split(y, y, groups)]
    assert tests == [[0, 1, 4, 5], [2, 3, 6, 7]]


def test_classes_too_rare_and_gaps_too_wide_are_refused():
    y = np.array([0] * 10 + [1] * 3)
    with pytest.raises(ValueError, match=r"n_splits=5\) needs that many rows.*class 1 has 3"):
        next(BlockwiseKFold(5).split(y, y))
    with pytest.raises(ValueError, match="gap=9 leaves nothing to train on"):
        next(BlockwiseKFold(2, gap=9).split(y, y))
    with pytest.raises(ValueError, match="gap must be an integer of at least 0; got -1"):
        BlockwiseKFold(gap=-1)
    with pytest.raises(ValueError, match="groups does not say which recording row 0 is of"):
        next(BlockwiseKFold(2).split(y, y, [None] * 13))


# ---------------------------------------------------------------------- shuffled


def test_shuffled_segments_are_refused_unless_leakage_is_allowed():
    y = np.repeat([0, 1], 20)
    refused = ShuffledSegmentKFold(4)
    assert refused.get_n_splits() == 4
    with pytest.raises(LeakageError, match=r"use TrialKFold.*allow_leakage=True"):
        next(refused.split(y, y))
    with pytest.raises(LeakageError, match="use TrialKFold"):
        next(WithinSubject(refused).split(y, y, y))
    allowed = ShuffledSegmentKFold(4, random_state=0, allow_leakage=True)
    tests = [test for _, test in allowed.split(y, y)]
    assert [y[test].mean() for test in tests] == [0.5] * 4
    assert tests[0].tolist() != list(range(10))


def test_the_guard_says_what_shuffled_segments_share():
    trial = np.repeat(np.arange(10), 30)
    data = EEGData.from_arrays(np.zeros((300, 1, 4)), trial % 2, 4, subject=1, trial=trial)
    with pytest.raises(LeakageError, match="10 trials on both sides"):
        check_leakage(ShuffledSegmentKFold(5, random_state=0), data)
    report = check_leakage(ShuffledSegmentKFold(5), data, allow_leakage=True)
    assert report.shared["trials"].tolist() == [10] * 5


def test_continuous_targets_are_cut_into_blocks_or_shuffled_without_classes():
    y = np.linspace(0, 1, 20)
    data = EEGData.from_arrays(np.zeros((20, 1, 4)), y, 4, run=np.repeat([0, 1], 10))
    tests = [test.tolist() for _, test in BlockwiseKFold(2).split(data)]
    assert tests == [[*range(5), *range(10, 15)], [*range(5, 10), *range(15, 20)]]
    shuffled = ShuffledSegmentKFold(4, random_state=0, allow_leakage=True).split(data)
    tests = [test.tolist() for _, test in shuffled]
    assert [len(test) for test in tests] == [5] * 4
    assert sorted(np.concatenate(tests)) == list(range(20))
    with pytest.raises(ValueError, match="needs that many rows at least, and there are 20"):
        next(BlockwiseKFold(21).split(data))
