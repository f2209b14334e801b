"""Trials and subjects stay whole, whoever asks for the folds."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skeeg import EEGData
from skeeg.features import deap_entropy, segment
from skeeg.model_selection import (
    BlockwiseKFold,
    LeaveSubjectsOut,
    ShuffledSegmentKFold,
    TrialKFold,
    WithinSubject,
    check_leakage,
    make_folds,
)

SPLITTERS = {
    "trials": TrialKFold(3),
    "shuffled trials": TrialKFold(3, shuffle=True, random_state=1),
    "subjects": LeaveSubjectsOut(),
    "pairs of subjects": LeaveSubjectsOut(2, shuffle=True, random_state=1),
    "within subjects": WithinSubject(TrialKFold(3)),
    "within subjects, by number": WithinSubject(3),
    "blocks": BlockwiseKFold(3),
    "shuffled": ShuffledSegmentKFold(3, random_state=1, allow_leakage=True),
    "shuffled within subjects": WithinSubject(
        ShuffledSegmentKFold(3, random_state=1, allow_leakage=True)
    ),
}


def recorded(n_subjects=4, n_trials=12, n_windows=3, seed=0):
    """Windows of trials numbered anew in every subject, classes in turn; decodable."""
    trial = np.tile(np.repeat(np.arange(n_trials), n_windows), n_subjects)
    subject = np.repeat(np.arange(1, n_subjects + 1), n_trials * n_windows)
    X = np.random.default_rng(seed).standard_normal((len(trial), 2, 8))
    X[:, 0] += (trial % 2)[:, None]
    y = np.where(trial % 2, "high", "low")
    return EEGData.from_arrays(X, y, 8, subject=subject, trial=trial)


def without_subject(data):
    return EEGData(data.X, data.y, 8, data.ch_names, data.metadata.drop(columns="subject"))


def rows_tested(splitter, *arguments, **keywords):
    return [test.tolist() for _, test in splitter.split(*arguments, **keywords)]


# ---------------------------------------------------------------------- all of them


@pytest.mark.parametrize("name", SPLITTERS)
def test_every_row_is_tested_once_and_never_trained_on_at_the_same_time(name):
    data = recorded()
    splits = list(SPLITTERS[name].split(data))
    assert len(splits) == SPLITTERS[name].get_n_splits(data)
    for train, test in splits:
        assert not set(train) & set(test)
        assert train.dtype.kind == test.dtype.kind == "i"
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(len(data)))


@pytest.mark.parametrize("name", SPLITTERS)
def test_tables_of_features_are_split_like_their_windows(name):
    trials = EEGData.from_arrays(
        np.random.default_rng(0).standard_normal((24, 1, 384)), [0, 1] * 12, 128,
        subject=np.repeat([1, 2, 3], 8),
    )  # fmt: skip
    windows, table = segment(trials, 1.0), deap_entropy(trials)
    assert rows_tested(SPLITTERS[name], table) == rows_tested(SPLITTERS[name], windows)
    reports = [check_leakage(SPLITTERS[name], d, allow_leakage=True) for d in (windows, table)]
    assert str(reports[0]) == str(reports[1])


@pytest.mark.parametrize("name", SPLITTERS)
def test_splits_are_the_same_again_and_after_copying(name):
    data, splitter = recorded(), SPLITTERS[name]
    expected = rows_tested(splitter, data)
    for again in (splitter, clone(splitter, safe=False), pickle.loads(pickle.dumps(splitter))):
        assert rows_tested(again, data, data.y) == expected


@pytest.mark.parametrize("name", SPLITTERS)
def test_they_serve_in_scikit_learn(name):
    data, splitter = recorded(), SPLITTERS[name]
    flat = FunctionTransformer(lambda trials: np.asarray(trials).mean(axis=2))
    lda = make_pipeline(flat, LinearDiscriminantAnalysis(solver="lsqr"))
    scores = cross_val_score(lda, data, data.y, cv=splitter)
    assert len(scores) == splitter.get_n_splits(data)
    assert scores.mean() > 0.75
    grid = {"lineardiscriminantanalysis__shrinkage": [0.0, 0.5]}
    search = GridSearchCV(lda, grid, cv=splitter).fit(data, data.y)
    assert search.n_splits_ == len(scores)
    assert search.cv_results_["mean_test_score"][0] == pytest.approx(scores.mean())


@pytest.mark.parametrize(
    ("splitter", "shown"),
    [
        (TrialKFold(3), "TrialKFold(n_splits=3, random_state=None, shuffle=False)"),
        (LeaveSubjectsOut(), "LeaveSubjectsOut(n_subjects=1, random_state=None, shuffle=False)"),
        (BlockwiseKFold(gap=2), "BlockwiseKFold(gap=2, n_splits=5)"),
        (WithinSubject(BlockwiseKFold()), "WithinSubject(cv=BlockwiseKFold(gap=0, n_splits=5))"),
    ],
)
def test_they_say_what_they_are(splitter, shown):
    assert " ".join(repr(splitter).split()) == shown


@pytest.mark.parametrize("make", [TrialKFold, LeaveSubjectsOut])
def test_groups_are_passed_by_metadata_routing(make):
    data = recorded()
    column = "trial" if make is TrialKFold else "subject"
    with config_context(enable_metadata_routing=True):
        scores = cross_val_score(
            LinearDiscriminantAnalysis(),
            data.X.mean(axis=2),
            data.y,
            cv=make(),
            params={"groups": data.nested_groups(column)},
        )
    expected = cross_val_score(
        LinearDiscriminantAnalysis(), data.X.mean(axis=2), data.y, cv=list(make().split(data))
    )
    np.testing.assert_array_equal(scores, expected)


@pytest.mark.parametrize("make", [TrialKFold, BlockwiseKFold, ShuffledSegmentKFold])
@pytest.mark.parametrize("n_splits", [1, 0, -2, 2.5, "3", True])
def test_impossible_numbers_of_folds_are_refused(make, n_splits):
    with pytest.raises((ValueError, TypeError)):
        make(n_splits)


@pytest.mark.parametrize(
    "splitter", [TrialKFold(2), BlockwiseKFold(2), ShuffledSegmentKFold(2, allow_leakage=True)]
)
def test_labels_must_be_there_and_fit(splitter):
    trial = np.arange(8)
    with pytest.raises(ValueError, match=r"needs y, the label of each row"):
        next(splitter.split(np.zeros(8), groups=trial))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        next(splitter.split(np.zeros(8), [0, 1], trial))
    with pytest.raises(ValueError, match="The label of row 3 is missing"):
        next(splitter.split(np.zeros(8), [0, 1, 0, np.nan, 1, 0, 1, 0], trial))
    with pytest.raises(ValueError, match=r"one label for each row, got shape \(8, 2\)"):
        next(splitter.split(np.zeros(8), np.zeros((8, 2)), trial))


# ---------------------------------------------------------------------- trials


def test_folds_hold_whole_trials_of_all_classes_alike():
    data = recorded(n_subjects=1, n_trials=12)
    splits = list(TrialKFold(3).split(data))
    for train, test in splits:
        assert len(test) == 12
        assert (data.y[test] == "high").mean() == 0.5
        trials = data.metadata["trial"].to_numpy()
        assert not set(trials[train]) & set(trials[test])
    assert not check_leakage(splits, data).leaks


def test_neighbours_stay_together_unless_shuffled():
    data = recorded(n_subjects=1, n_trials=12, n_windows=2)
    trials = data.metadata["trial"].to_numpy()
    blocks = [sorted(set(trials[test])) for _, test in TrialKFold(3).split(data)]
    assert blocks == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    shuffled = TrialKFold(3, shuffle=True, random_state=0)
    assert [sorted(set(trials[test])) for _, test in shuffled.split(data)] != blocks


def test_trials_of_equal_number_of_two_subjects_are_two():
    data = recorded(n_subjects=2, n_trials=2, n_windows=2)
    assert rows_tested(TrialKFold(2), data) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_each_class_has_its_trials_in_every_fold_give_or_take_one():
    rng = np.random.default_rng(0)
    of_trials = rng.choice(3, 50, p=[0.6, 0.3, 0.1])
    trials = rng.permutation(np.repeat(np.arange(50), rng.integers(1, 9, 50)))
    y = of_trials[trials]
    for shuffle in (False, True):
        counts = [
            np.bincount(of_trials[np.unique(trials[test])], minlength=3)
            for _, test in TrialKFold(4, shuffle=shuffle).split(y, y, trials)
        ]
        assert (np.ptp(counts, axis=0) <= 1).all()


def test_a_trial_of_several_labels_counts_as_its_most_frequent_and_stays_whole():
    trials = np.repeat(np.arange(4), 3)
    y = np.array(["a", "a", "b", "b", "b", "a", "a", "a", "a", "b", "b", "b"])
    assert rows_tested(TrialKFold(2), y, y, trials) == [[*range(6)], [*range(6, 12)]]


def test_rows_without_trial_are_trials():
    data = recorded(1, 4, 3)
    data.metadata["trial"] = np.nan
    assert rows_tested(TrialKFold(2), data) == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]


def test_groups_take_the_place_of_the_metadata():
    data = recorded(1, 4, 3)
    pairs = np.arange(12) // 6
    assert rows_tested(TrialKFold(2), data, data.y, pairs) == [[*range(6)], [*range(6, 12)]]


def test_arrays_must_say_their_trials():
    y = np.arange(8) % 2
    with pytest.raises(
        ValueError, match=r"TrialKFold must know which trial each row is of.*groups"
    ):
        next(TrialKFold(2).split(np.zeros((8, 2)), y))
    with pytest.raises(ValueError, match="groups does not say which trial row 2 is of"):
        next(TrialKFold(2).split(y, y, [0, 1, np.nan, 2, 3, 4, 5, 6]))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        next(TrialKFold(2).split(y, y, [0, 1]))


def test_fewer_trials_than_folds_are_refused():
    data = recorded(1, n_trials=6, n_windows=50)
    with pytest.raises(ValueError, match=r"n_splits=5.* 6 trials hold 3 of the most frequent"):
        next(TrialKFold(5).split(data))


def continuous_and_rated(n_trials=10, n_windows=3):
    """Trials of one subject, each with a target of its own: as floats, and as whole numbers."""
    data = recorded(n_subjects=1, n_trials=n_trials, n_windows=n_windows)
    ratings = data.metadata["trial"].to_numpy().astype(int)
    return [
        EEGData(data.X, y, data.sfreq, data.ch_names, data.metadata)
        for y in (ratings + 0.25, ratings)
    ]


def test_continuous_targets_are_divided_into_blocks_of_whole_trials():
    floats, integers = continuous_and_rated()
    expected = [[*range(start, start + 6)] for start in range(0, 30, 6)]
    assert rows_tested(TrialKFold(5), floats) == expected
    with pytest.raises(ValueError, match="hold 1 of the most frequent one"):
        next(TrialKFold(5).split(integers))
    for cv in (TrialKFold(5), WithinSubject(5), WithinSubject()):
        folds = make_folds(cv, integers, continuous=True)
        assert [fold.test.tolist() for fold in folds] == expected


def test_fewer_trials_than_folds_are_refused_without_classes_to_count():
    floats, _ = continuous_and_rated(n_trials=3)
    with pytest.raises(ValueError, match=r"needs that many trials at least, and there are 3\."):
        next(TrialKFold(5).split(floats))


# ---------------------------------------------------------------------- subjects


def test_subjects_are_left_out_one_by_one_in_their_order():
    data = recorded(3)
    splits = list(LeaveSubjectsOut().split(data))
    assert [set(data.groups("subject")[test]) for _, test in splits] == [{1}, {2}, {3}]
    assert [set(data.groups("subject")[train]) for train, _ in splits] == [{2, 3}, {1, 3}, {1, 2}]


def test_several_left_out_make_few_and_equal_folds():
    data = recorded(10, n_trials=2, n_windows=1)
    splits = list(LeaveSubjectsOut(4).split(data))
    sizes = [len(set(data.groups("subject")[test])) for _, test in splits]
    assert sizes == [4, 3, 3]


def test_shuffled_subjects_mix_groups_that_the_data_sort():
    subject = np.repeat(np.arange(20), 2)
    patient = subject < 10
    data = EEGData.from_arrays(np.zeros((40, 1, 4)), patient, 4, subject=subject)
    sorted_, shuffled = (
        [data.y[test].mean() for _, test in LeaveSubjectsOut(10, **options).split(data)]
        for options in ({}, {"shuffle": True, "random_state": 0})
    )
    assert sorted_ == [1.0, 0.0]
    assert all(0.1 < share < 0.9 for share in shuffled)


def test_arrays_and_data_must_say_their_subjects():
    data = without_subject(recorded())
    with pytest.raises(ValueError, match="LeaveSubjectsOut needs a column 'subject'"):
        next(LeaveSubjectsOut().split(data))
    with pytest.raises(ValueError, match="must know which subject each row is of"):
        LeaveSubjectsOut().get_n_splits(np.zeros(8))
    assert rows_tested(LeaveSubjectsOut(), np.zeros(3), groups=["b", "a", "b"]) == [[0, 2], [1]]


def test_leaving_everyone_out_is_refused():
    with pytest.raises(ValueError, match=r"n_subjects=4\) needs more subjects .* there are 4"):
        next(LeaveSubjectsOut(4).split(recorded(4)))
    with pytest.raises(ValueError, match="there is 1"):
        LeaveSubjectsOut().get_n_splits(recorded(1))
    with pytest.raises(ValueError, match="n_subjects must be an integer of at least 1; got 0"):
        LeaveSubjectsOut(0)


# ---------------------------------------------------------------------- within subjects


def test_every_subject_is_divided_as_if_alone():
    data = recorded(3)
    together = list(WithinSubject(TrialKFold(3)).split(data))
    for i, subject in enumerate((1, 2, 3)):
        rows = np.flatnonzero(data.groups("subject") == subject)
        alone = TrialKFold(3).split(data[rows])
        for (train, test), (own_train, own_test) in zip(
            together[3 * i : 3 * i + 3], alone, strict=True
        ):
            np.testing.assert_array_equal(train, rows[own_train])
            np.testing.assert_array_equal(test, rows[own_test])


def test_subjects_may_be_scattered_over_the_rows():
    data = recorded(2, n_trials=4, n_windows=2)
    order = np.random.default_rng(0).permutation(len(data))
    splits = list(WithinSubject(2).split(data[order]))
    subjects = data.groups("subject")[order]
    first, second = dict.fromkeys(subjects)
    assert [set(subjects[np.r_[train, test]]) for train, test in splits] == [
        *({first}, {first}),
        *({second}, {second}),
    ]
    assert not check_leakage(splits, data[order]).leaks


def test_by_default_there_are_five_folds_of_trials():
    data = recorded(2)
    assert rows_tested(WithinSubject(), data) == rows_tested(WithinSubject(TrialKFold(5)), data)
    assert WithinSubject().get_n_splits(data) == 10


def test_data_without_subject_are_one():
    data = without_subject(recorded(1))
    assert rows_tested(WithinSubject(3), data) == rows_tested(TrialKFold(3), data)


def test_arrays_take_any_splitter_of_scikit_learn():
    y, subject = np.arange(16) % 2, np.repeat([0, 1], 8)
    splitter = WithinSubject(StratifiedKFold(2))
    assert rows_tested(splitter, np.zeros(16), y, subject) == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9, 10, 11],
        [12, 13, 14, 15],
    ]


@pytest.mark.parametrize("cv", [1, 2.5, "within-subject", [([0], [1])]])
def test_what_divides_no_subject_is_refused(cv):
    with pytest.raises(ValueError, match="cv must be an integer of at least 2"):
        WithinSubject(cv)
