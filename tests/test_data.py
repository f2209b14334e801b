import dataclasses
import subprocess
import sys
import zipfile

import mne
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline

from skeeg import EEGData
from skeeg.data import PROVENANCE
from skeeg.features import FeatureTable


@pytest.fixture
def data():
    """Twelve trials of two subjects; each value of a trial is its number, plus its label."""
    y = np.array(["rest", "task"] * 6)
    X = np.arange(12.0)[:, None, None] + np.zeros((12, 3, 50)) + 10 * (y == "task")[:, None, None]
    return EEGData.from_arrays(
        X, y, sfreq=100, ch_names=["C3", "Cz", "C4"],
        subject=[1] * 6 + [2] * 6, session="0", run=["0"] * 3 + ["1"] * 3 + ["0"] * 3 + ["1"] * 3,
        trial=list(range(3)) * 4,
    )  # fmt: skip


def same(one, other):
    assert_array_equal(one.X, other.X)
    assert_array_equal(one.y, other.y)
    assert one.sfreq == other.sfreq
    assert one.ch_names == other.ch_names
    assert one.metadata.astype(object).equals(other.metadata.astype(object))


class TestConstruction:
    def test_arrays_become_float32_with_names(self):
        data = EEGData.from_arrays(np.ones((2, 3, 4), dtype=int), [0, 1], 10)
        assert data.X.dtype == data.dtype == np.float32
        assert data.ch_names == ("EEG 1", "EEG 2", "EEG 3")
        assert (data.shape, data.ndim, len(data), data.sfreq) == ((2, 3, 4), 3, 2, 10.0)

    def test_columns_join_the_metadata(self):
        frame = pd.DataFrame({"age": [30, 40]}, index=[7, 9])
        data = EEGData.from_arrays(
            np.zeros((2, 1, 4)), [0, 1], 10, metadata=frame, subject=[1, 2], session="s"
        )
        assert data.metadata.to_dict("list") == {
            "age": [30, 40],
            "subject": [1, 2],
            "session": ["s", "s"],
        }
        assert list(frame.columns) == ["age"]

    def test_a_series_is_taken_in_its_order_whatever_its_index(self):
        subject = pd.Series([3, 4], index=[1, 0])
        data = EEGData.from_arrays(np.zeros((2, 1, 4)), [0, 1], 10, subject=subject)
        assert data.metadata["subject"].tolist() == [3, 4]

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"X": np.zeros((2, 4))}, r"X must have shape .*got \(2, 4\)"),
            ({"X": np.zeros((2, 3, 4), dtype=complex)}, "X must hold real numbers"),
            ({"X": np.full((2, 3, 4), "a")}, "X must hold real numbers"),
            ({"y": [0]}, "one label for each of the 2 trials"),
            ({"y": [[0, 1], [1, 0]]}, "one label for each of the 2 trials"),
            ({"ch_names": ["a", "b"]}, "ch_names must name each of the 3 channels"),
            ({"ch_names": ["a", "b", "a"]}, r"these come twice: \['a'\]"),
            ({"sfreq": 0}, "sfreq must be a positive number of Hz"),
            ({"sfreq": np.nan}, "sfreq must be a positive number of Hz"),
            ({"metadata": {"subject": [1, 2, 3]}}, "an entry for each of the 2 trials, got 3"),
            ({"metadata": pd.DataFrame({"subject": [1, 2, 3]})}, "a row for each of the 2 trials"),
            ({"subject": [[1], [2]]}, "subject must be a list of 2 entries .* 2 dimensions"),
            ({"subject": {1, 2}}, "subject must be a list of 2 entries"),
            ({"subject": [1, 2, 3]}, "subject must have an entry for each of the 2 trials, got 3"),
        ],
    )
    def test_contradictions_are_refused(self, changes, message):
        arguments = {"X": np.zeros((2, 3, 4)), "y": [0, 1], "sfreq": 100} | changes
        with pytest.raises(ValueError, match=message):
            EEGData.from_arrays(**arguments)

    @pytest.mark.parametrize("as_metadata", [False, True])
    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("trials", "trial"),
            ("trial_id", "trial"),
            ("TRIAL", "trial"),
            ("trail", "trial"),
            ("subjects", "subject"),
            ("Subject", "subject"),
            ("subject ID", "subject"),
            ("subjct", "subject"),
            ("sub", "subject"),
            ("participant_id", "subject"),
            ("sessions", "session"),
            ("ses", "session"),
            ("runs", "run"),
            ("run_number", "run"),
            ("windows", "window"),
        ],
    )
    def test_names_nearly_read_by_the_guard_are_refused(self, name, meant, as_metadata):
        columns = {name: [0, 1]}
        columns = {"metadata": pd.DataFrame(columns)} if as_metadata else columns
        with pytest.raises(ValueError, match=f"{name!r} is not read .* Did you mean {meant!r}"):
            EEGData.from_arrays(np.zeros((2, 1, 4)), [0, 1], 10, **columns)
        frame = pd.DataFrame({name: [0, 1]})
        plain = EEGData.from_arrays(np.zeros((2, 1, 4)), [0, 1], 10)
        for make in (
            lambda: EEGData(plain.X, plain.y, 10, plain.ch_names, frame),
            lambda: dataclasses.replace(plain, metadata=frame),
            lambda: FeatureTable(plain.X[:, 0, :1], plain.y, ("a",), ("b",), frame, 1.0),
        ):
            with pytest.raises(ValueError, match=f"{name!r} is not read .* Did you mean {meant!r}"):
                make()

    @pytest.mark.parametrize("name", ["subject", "session", "run", "trial", "window"])
    def test_levels_of_an_index_that_the_guard_reads_become_columns(self, name):
        frame = pd.DataFrame({"age": [20, 30], name: [4, 8], "x": 0})
        for index in ([name], [name, "x"]):
            indexed = frame.set_index(index)
            data = EEGData.from_arrays(np.zeros((2, 1, 4)), [0, 1], 10, metadata=indexed)
            assert data.metadata[name].tolist() == [4, 8]
            assert data.metadata.index.tolist() == [0, 1]
            with pytest.raises(ValueError, match=f"'{name}' is in the index .*reset_index"):
                dataclasses.replace(data, metadata=indexed)
        with pytest.raises(ValueError, match=f"{name!r} both as a column and in its index"):
            EEGData.from_arrays(
                np.zeros((2, 1, 4)), [0, 1], 10, metadata=frame.set_index(name, drop=False)
            )

    def test_an_index_with_nearly_such_a_name_is_refused(self):
        frame = pd.DataFrame({"trials": [4, 8], "age": 3}).set_index("trials")
        with pytest.raises(ValueError, match=r"'trials' is in the index .* rename it to 'trial'"):
            EEGData.from_arrays(np.zeros((2, 1, 4)), [0, 1], 10, metadata=frame)
        epochs = mne.EpochsArray(
            np.zeros((2, 1, 4)), mne.create_info(["C3"], 10.0, "eeg"), verbose="error"
        )
        epochs.metadata = frame.reset_index().rename(columns={"trials": "subjects"})
        with pytest.raises(ValueError, match="Did you mean 'subject'"):
            EEGData.from_epochs(epochs)

    def test_other_names_and_those_beside_the_right_one_are_taken(self):
        names = ("site", "block", "trial_type", "age", "object", "subject_age", "n_trials_before")
        columns = dict.fromkeys(names, "x") | {"trial": [0, 1], "trials": 2, 7: 1}
        data = EEGData.from_arrays(np.zeros((2, 1, 4)), [0, 1], 10, metadata=columns)
        assert list(data.metadata) == list(columns)

    @pytest.mark.parametrize("frame", [dict, pd.DataFrame])
    def test_metadata_are_taken_in_their_order_whatever_their_index(self, frame):
        subject = pd.Series(["a", "b", "c"], index=[2, 0, 7])
        data = EEGData.from_arrays(
            np.zeros((3, 1, 4)), [0, 1, 0], 10, metadata=frame({"subject": subject}), run=subject
        )
        assert data.metadata["subject"].tolist() == data.metadata["run"].tolist() == list("abc")
        assert data.metadata.index.tolist() == [0, 1, 2]

    def test_repr_tells_the_range_of_continuous_targets(self, data):
        y = np.linspace(-1.25, 3, len(data))
        continuous = EEGData.from_arrays(data.X, y, data.sfreq)
        assert repr(continuous).endswith("; y from -1.25 to 3>")

    def test_columns_of_pandas_keep_their_dtype(self):
        kinds = {"flag": "boolean", "site": "category", "age": "Int64"}
        columns = {name: pd.Series([1, None], dtype=kind) for name, kind in kinds.items()}
        data = EEGData.from_arrays(np.zeros((2, 1, 4)), [0, 1], 10, **columns)
        assert data.metadata.dtypes.astype(str).to_dict() == kinds

    @pytest.mark.parametrize("dtype", ["M8[ns]", "m8[s]"])
    def test_times_are_no_trials(self, dtype):
        X = np.zeros((2, 3, 4), dtype=dtype)
        for times in (X, list(X), X[0], pd.DataFrame(X[0])):
            with pytest.raises(ValueError, match="X must hold real numbers, got dates, times or"):
                EEGData.from_arrays(times, [0, 1], 100)

    def test_recordings_and_lists_of_data_are_refused_with_what_to_do(self, data):
        info = mne.create_info(["C3", "Cz"], 100.0, "eeg")
        raw = mne.io.RawArray(np.zeros((2, 500)), info, verbose="error")
        for make in (lambda X: EEGData.from_arrays(X, [0], 100), EEGData.from_epochs):
            with pytest.raises(TypeError, match=r"X is an mne RawArray.* with mne\.Epochs"):
                make(raw)
            with pytest.raises(TypeError, match=r"X is a list of 2 .*EEGData\.concatenate"):
                make([data, data])
        with pytest.raises(TypeError, match=r"epochs must be mne\.Epochs, got ndarray"):
            EEGData.from_epochs(data.X)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"X": [[[0.0]]]}, "X must be a ndarray, got list"),
            ({"y": [0] * 12}, r"y must be a ndarray, got list.* EEGData\.from_arrays"),
            ({"metadata": {}}, "metadata must be a DataFrame, got dict"),
        ],
    )
    def test_other_containers_of_the_parts_are_refused(self, data, change, message):
        with pytest.raises(TypeError, match=message):
            dataclasses.replace(data, **change)

    def test_a_string_is_no_list_of_channels(self):
        with pytest.raises(ValueError, match="ch_names must be a list of names, got the string"):
            EEGData.from_arrays(np.zeros((1, 2, 4)), [0], 100, "C3")

    def test_repr_tells_the_shape_the_classes_and_the_subjects(self, data):
        assert repr(data) == (
            "<EEGData: 12 trials x 3 channels x 50 samples at 100 Hz, 2 subjects; rest: 6, task: 6>"
        )


class TestIndexing:
    @pytest.mark.parametrize(
        "key",
        [
            slice(2, 7),
            slice(None, None, -1),
            [0, 5, 5],
            np.array([3, -1]),
            np.arange(12) % 3 == 0,
            (np.arange(12) > 4).tolist(),
            pd.Series(np.arange(12) > 4),
            pd.Index([1, 2]),
            [],
        ],
        ids=str,
    )
    def test_all_parts_are_cut_alike(self, data, key):
        rows = np.arange(12)[np.array(key, dtype=int) if isinstance(key, list) and not key else key]
        cut = data[rows if isinstance(key, list) and not key else key]
        assert_array_equal(cut.X, data.X[rows])
        assert_array_equal(cut.y, data.y[rows])
        expected = data.metadata.iloc[rows].reset_index(drop=True)
        pd.testing.assert_frame_equal(cut.metadata, expected)
        assert cut.ch_names == data.ch_names

    @pytest.mark.parametrize("key", [3, -1, np.int64(3)])
    def test_an_integer_keeps_one_trial(self, data, key):
        assert data[key].shape == (1, 3, 50)
        assert_array_equal(data[key].X[0], data.X[key])

    def test_iteration_gives_single_trials(self, data):
        assert [trial.X[0, 0, 0] for trial in data] == data.X[:, 0, 0].tolist()

    def test_tuples_cut_the_first_axis_only(self, data):
        same(data[[1, 2], ...], data[[1, 2]])
        same(data[[1, 2], :, :], data[[1, 2]])
        with pytest.raises(IndexError, match=r"index data\.X"):
            data[0, 1]

    @pytest.mark.parametrize("key", [12, -13])
    def test_beyond_the_end(self, data, key):
        with pytest.raises(IndexError, match="there are 12 trials"):
            data[key]

    def test_a_mask_of_another_length_is_refused(self, data):
        with pytest.raises(IndexError):
            data[np.ones(11, dtype=bool)]

    def test_numpy_sees_the_trials(self, data):
        assert_array_equal(np.asarray(data), data.X)
        assert np.shares_memory(np.asarray(data), data.X)
        assert np.asarray(data, dtype=np.float64).dtype == np.float64
        assert not np.shares_memory(np.array(data), data.X)


class TestGroups:
    def test_subjects_are_as_given(self, data):
        assert data.groups("subject").tolist() == [1] * 6 + [2] * 6

    @pytest.mark.parametrize(("column", "n_groups"), [("session", 2), ("run", 4), ("trial", 12)])
    def test_what_a_subject_contains_counts_within_the_subject(self, data, column, n_groups):
        groups = data.nested_groups(column)
        assert len(np.unique(groups)) == n_groups
        outer = list(PROVENANCE[: PROVENANCE.index(column) + 1])
        frame = data.metadata.assign(group=groups)
        assert (frame.groupby(outer)["group"].nunique() == 1).all()

    def test_windows_of_one_trial_are_one_group(self):
        data = EEGData.from_arrays(
            np.zeros((4, 1, 5)), [0, 0, 1, 1], 10, subject=1, trial=[7, 7, 3, 3]
        )
        assert data.nested_groups("trial").tolist() == [0, 0, 1, 1]

    @pytest.mark.parametrize("runs", [[4, 8, 4, 8], ["4", "8", "4", "8"], [4, "4", 4, "4"]])
    def test_values_are_kept_and_select_trials_of_all_subjects(self, runs):
        data = EEGData.from_arrays(
            np.zeros((4, 1, 5)), [0] * 4, 10, subject=["a", "a", "b", "b"], run=runs
        )
        assert data.groups("run").tolist() == runs
        assert data[data.groups("run") == runs[0]].metadata["subject"].tolist() == ["a", "b"]
        assert data.nested_groups("run").tolist() == [0, 1, 2, 3]

    @pytest.mark.parametrize(
        ("dtype", "kept"),
        [("float64", 4.0), ("Int64", 4), ("boolean", True), ("string", "4"), (object, 4)],
    )
    @pytest.mark.parametrize("missing", [None, pd.NA])
    def test_missing_values_neither_select_trials_nor_hide_the_others(self, dtype, kept, missing):
        missing = np.nan if dtype == "float64" else missing
        runs = pd.Series([kept, missing, kept, missing], dtype=dtype)
        data = EEGData.from_arrays(np.zeros((4, 1, 5)), [0] * 4, 10, subject=[1, 1, 2, 2], run=runs)
        assert len(data[data.groups("run") == kept]) == 2
        assert data.nested_groups("run").tolist() == [0, 1, 2, 3]

    def test_categories_are_groups_and_those_without_trials_are_not(self):
        runs = pd.Categorical(["b", "a", "b"], categories=["a", "unused", "b"])
        data = EEGData.from_arrays(np.zeros((3, 1, 5)), [0] * 3, 10, subject=[1, 1, 2], run=runs)
        assert data.groups("run").tolist() == ["b", "a", "b"]
        assert data.nested_groups("run").tolist() == [0, 1, 2]

    def test_names_that_look_alike_remain_different_groups(self):
        data = EEGData.from_arrays(
            np.zeros((3, 1, 5)), [0] * 3, 10, subject=["a", "a/b", "a"], run=["b/c", "c", "c"]
        )
        assert data.nested_groups("run").tolist() == [0, 1, 2]

    def test_splitters_leave_out_one_recording_at_a_time(self, data):
        folds = LeaveOneGroupOut().split(data, data.y, data.nested_groups("run"))
        left_out = [data.metadata.iloc[test][["subject", "run"]] for _, test in folds]
        assert [len(part.drop_duplicates()) for part in left_out] == [1] * 4

    def test_other_columns_are_as_they_are(self):
        data = EEGData.from_arrays(np.zeros((2, 1, 5)), [0, 1], 10, subject=[1, 2], site=["x", "x"])
        assert data.groups("site").tolist() == ["x", "x"]
        assert data.nested_groups("site").tolist() == [0, 0]

    def test_unknown_column_is_refused_with_those_that_exist(self, data):
        with pytest.raises(KeyError, match=r"no column 'block'; it has.*'subject'"):
            data.groups("block")
        with pytest.raises(KeyError, match=r"no column 'runs'.*Did you mean 'run'"):
            data.nested_groups("runs")


class TestSelect:
    def test_every_column_must_agree(self, data):
        chosen = data.select(subject=2, run=["0", "1"], classes="rest", trial=[0, 2])
        rows = (data.metadata["subject"] == 2) & (data.y == "rest")
        rows &= data.metadata["trial"].isin([0, 2])
        same(chosen, data[rows.to_numpy()])
        assert len(chosen) == 2

    @pytest.mark.parametrize(
        ("wanted", "message"),
        [
            ({"subject": 3}, "No trial has subject 3; present are 1, 2"),
            ({"run": 0}, "No trial has run 0; present are '0', '1'"),
            ({"classes": ["rest", "left"]}, "No trial has classes 'left'; present are 'rest', 't"),
            ({"subject": []}, "subject must name one or more values"),
            ({"run": "0", "trial": 1, "classes": "task", "subject": 2}, "at once, though each"),
        ],
    )
    def test_values_that_do_not_occur_are_refused_with_those_that_do(self, data, wanted, message):
        data = data[~((data.metadata["run"] == "0") & (data.metadata["trial"] == 1)).to_numpy()]
        with pytest.raises(ValueError, match=message):
            data.select(**wanted)

    def test_an_unknown_column_is_refused(self, data):
        with pytest.raises(KeyError, match=r"no column 'runs'; it has .*Did you mean 'run'\?"):
            data.select(runs=1)

    @pytest.mark.parametrize("flag", [True, np.True_, [True, False]])
    def test_a_flag_or_mask_is_no_value_of_numbers_or_names(self, data, flag):
        for wanted in ("subject", "run", "classes"):
            with pytest.raises(ValueError, match=rf"{wanted} has no True or False.*data\[mask\]"):
                data.select(**{wanted: flag})

    def test_flags_of_a_column_of_flags_can_be_selected(self):
        for dtype in (bool, object, "boolean", "category"):
            patient = pd.Series([True, False, True], dtype=dtype)
            data = EEGData.from_arrays(np.zeros((3, 1, 5)), [0, 1, 2], 10, patient=patient)
            assert data.select(patient=True).y.tolist() == [0, 2]
            assert data.select(patient=[False]).y.tolist() == [1]

    def test_missing_values_can_be_selected(self):
        run = pd.Series([1, None, 2], dtype="Int64")
        data = EEGData.from_arrays(np.zeros((3, 1, 5)), [0, 1, 2], 10, run=run)
        assert data.select(run=None).y.tolist() == [1]
        assert data.select(run=[1, 2]).y.tolist() == [0, 2]


class TestConcatenate:
    def test_parts_follow_each_other(self, data):
        same(EEGData.concatenate([data[:5], data[5:]]), data)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"ch_names": ["a", "b", "c"]}, "Part 1 has ch_names"),
            ({"sfreq": 50}, "Part 1 has sfreq 50"),
            ({"X": np.zeros((1, 3, 49))}, "Part 1 has n_times 49, part 0 has 50"),
        ],
    )
    def test_parts_that_do_not_fit_are_refused(self, data, change, message):
        arguments = {"X": np.zeros((1, 3, 50)), "y": ["rest"], "sfreq": 100,
                     "ch_names": ["C3", "Cz", "C4"]} | change  # fmt: skip
        with pytest.raises(ValueError, match=message):
            EEGData.concatenate([data, EEGData.from_arrays(**arguments)])

    def test_nothing_to_join_is_refused(self):
        with pytest.raises(ValueError, match="nothing to concatenate"):
            EEGData.concatenate([])


class TestEpochs:
    @pytest.fixture
    def epochs(self):
        rng = np.random.default_rng(0)
        info = mne.create_info(
            ["C3", "MEG 1", "Cz", "EOG", "C4"], 100.0, ["eeg", "grad", "eeg", "eog", "eeg"]
        )
        events = np.column_stack([np.arange(4), np.zeros(4, int), [7, 8, 8, 7]])
        return mne.EpochsArray(
            rng.standard_normal((4, 5, 50)) * 1e-5, info, events, event_id={"rest": 7, "task": 8},
            metadata=pd.DataFrame({"age": [30, 30, 40, 40]}), verbose="error",
        )  # fmt: skip

    def test_eeg_channels_and_event_names_are_taken(self, epochs):
        data = EEGData.from_epochs(epochs, subject=[1, 1, 2, 2])
        assert data.ch_names == ("C3", "Cz", "C4")
        assert data.y.tolist() == ["rest", "task", "task", "rest"]
        assert data.sfreq == 100
        assert data.metadata.to_dict("list") == {"age": [30, 30, 40, 40], "subject": [1, 1, 2, 2]}
        expected = epochs.get_data(picks="eeg", copy=True)
        np.testing.assert_allclose(data.X, expected, rtol=1e-6)

    def test_bad_channels_are_left_out(self, epochs):
        epochs.info["bads"] = ["Cz", "EOG"]
        assert EEGData.from_epochs(epochs).ch_names == ("C3", "C4")

    def test_own_labels(self, epochs):
        assert EEGData.from_epochs(epochs, y=[0, 1, 2, 3]).y.tolist() == [0, 1, 2, 3]

    def test_dropped_epochs_keep_their_metadata(self, epochs):
        data = EEGData.from_epochs(epochs[[0, 3]])
        assert data.metadata["age"].tolist() == [30, 40]

    def test_epochs_without_good_eeg_are_refused(self, epochs):
        epochs.info["bads"] = ["C3", "Cz", "C4"]
        with pytest.raises(ValueError, match="no good EEG channel"):
            EEGData.from_epochs(epochs)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_moabb_data_sets_become_eeg_data():
    fake = pytest.importorskip("moabb.datasets.fake")
    paradigms = pytest.importorskip("moabb.paradigms")
    dataset = fake.FakeDataset(
        ("left_hand", "right_hand"), n_sessions=2, n_runs=1, n_subjects=3, duration=40, n_events=8,
        seed=1,
    )  # fmt: skip
    paradigm = paradigms.LeftRightImagery(resample=64)
    data = EEGData.from_moabb(dataset, paradigm, subjects=[1, 3])
    X, y, metadata = paradigm.get_data(dataset, subjects=[1, 3])
    assert data.sfreq == 64
    assert data.ch_names == ("C3", "Cz", "C4")
    np.testing.assert_allclose(data.X * 1e6, X, rtol=1e-5)  # MOABB's arrays are in microvolts
    assert data.y.tolist() == list(y)
    assert data.metadata[["subject", "session", "run"]].equals(metadata)
    assert len(np.unique(data.nested_groups("trial"))) == len(data)


class Flatten(TransformerMixin, BaseEstimator):
    """What any scikit-learn transformer does first: `numpy.asarray`."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.asarray(X).mean(axis=2)


class TestScikitLearn:
    @pytest.fixture
    def noisy(self):
        rng = np.random.default_rng(0)
        y = np.tile(["rest", "task"], 30)
        X = rng.standard_normal((60, 3, 40)) + (y == "task")[:, None, None]
        return EEGData.from_arrays(X, y, 100, subject=np.repeat(range(5), 12))

    @pytest.fixture
    def pipeline(self):
        return make_pipeline(Flatten(), LogisticRegression())

    def test_cross_validation_is_that_of_the_array(self, noisy, pipeline):
        subjects = noisy.groups("subject")
        for cv, groups in (
            (KFold(4, shuffle=True, random_state=0), None),
            (GroupKFold(5), subjects),
        ):
            ours = cross_val_score(pipeline, noisy, noisy.y, cv=cv, groups=groups)
            plain = cross_val_score(pipeline, noisy.X, noisy.y, cv=cv, groups=groups)
            assert_array_equal(ours, plain)
            assert ours.mean() > 0.9
        assert_array_equal(
            cross_val_predict(pipeline, noisy, noisy.y),
            cross_val_predict(pipeline, noisy.X, noisy.y),
        )

    def test_grid_search(self, noisy, pipeline):
        search = GridSearchCV(pipeline, {"logisticregression__C": [0.1, 1.0]}, cv=3, n_jobs=2)
        search.fit(noisy, noisy.y)
        assert search.score(noisy, noisy.y) > 0.9
        assert_array_equal(search.predict(noisy[:5]), search.predict(noisy.X[:5]))

    def test_train_test_split_cuts_labels_and_metadata_alike(self, noisy):
        train, test, y_train, y_test = train_test_split(
            noisy, noisy.y, test_size=0.25, stratify=noisy.y, random_state=0
        )
        assert isinstance(train, EEGData)
        assert isinstance(test, EEGData)
        assert (len(train), len(test)) == (45, 15)
        assert_array_equal(train.y, y_train)
        assert_array_equal(test.y, y_test)


class TestFiles:
    def test_everything_comes_back(self, data, tmp_path):
        file = data.save(tmp_path / "new folder" / "trials")
        assert file == tmp_path / "new folder" / "trials.npz"
        same(EEGData.load(file), data)
        assert [path.name for path in file.parent.iterdir()] == ["trials.npz"]

    @settings(max_examples=30)
    @given(
        st.lists(
            st.text(max_size=5).filter(lambda s: not s.endswith("\0")), min_size=2, max_size=2
        ),
        st.lists(st.integers(-(2**40), 2**40), min_size=2, max_size=2),
        st.lists(st.floats(), min_size=2, max_size=2),
    )
    def test_columns_of_any_type_come_back(self, tmp_path_factory, texts, integers, floats):
        data = EEGData.from_arrays(
            np.zeros((2, 1, 3)),
            texts,
            10,
            text=texts,
            integer=integers,
            number=floats,
            flag=[True, False],
        )
        again = EEGData.load(data.save(tmp_path_factory.mktemp("any") / "data.npz"))
        assert again.y.tolist() == texts
        assert again.metadata["text"].tolist() == texts
        assert again.metadata["integer"].tolist() == integers
        assert_array_equal(again.metadata["number"], floats)
        assert again.metadata["flag"].tolist() == [True, False]

    @pytest.mark.parametrize(
        "column",
        [
            pd.Series(["2024-01-01", None, "2024-07-01"], dtype="datetime64[ns, Europe/Berlin]"),
            pd.Series(pd.to_datetime(["2024-01-01", "2024-07-01", None], utc=True)).dt.as_unit("s"),
            pd.Series(["2024-10-27 02:30+02:00"] * 3, dtype="datetime64[us, UTC+02:00]"),
            pd.Series(["2024-10-27 02:30", None, "1969-01-01"], dtype="datetime64[ms]"),
            pd.Series([1, -5, None], dtype="timedelta64[s]"),
            pd.Series([True, None, False], dtype="boolean"),
            pd.Series([1, None, 2**62 + 1], dtype="Int64"),
            pd.Series([1, 255, 0], dtype="UInt8"),
            pd.Series([0.1, None, np.inf], dtype="Float32"),
            pd.Series([0, 1, 255], dtype="uint8"),
            pd.Series([0.1, np.nan, -np.inf], dtype="float32"),
            pd.Series([1 + 2j, 0, 3]),
            pd.Series([True, False, True]),
            pd.Series(["a", None, "\u00e9\0"], dtype=pd.StringDtype("python")),
            pd.Series(["a", "", "b"]),
            pd.Series(["a", None, np.nan], dtype=object),
            pd.Series(["a\0", pd.NA, pd.NaT], dtype=object),
            pd.Series([True, None, False], dtype=object),
            pd.Series([1, 2**70, None], dtype=object),
            pd.Series([None, None, None], dtype=object),
            pd.Series(["b", None, "a"], dtype=pd.CategoricalDtype(["b", "a", "c"])),
            pd.Series([2, 1, 2], dtype=pd.CategoricalDtype([1, 2], ordered=True)),
            pd.Series(pd.Categorical(pd.to_datetime(["2024-01-01", "2024-01-02", None], utc=True))),
        ],
        ids=lambda column: str(column.dtype),
    )
    def test_values_and_dtypes_of_columns_come_back(self, column, tmp_path):
        data = EEGData.from_arrays(
            np.zeros((3, 1, 4)), [0, 1, 0], 10, metadata=pd.DataFrame({"it": column, 7: column})
        )
        again = EEGData.load(data.save(tmp_path / "data")).metadata
        assert list(again.columns) == ["it", 7]
        for name in again.columns:
            assert again[name].dtype == column.dtype
            pd.testing.assert_series_equal(again[name], column, check_names=False, check_exact=True)
            missing = [value for value in column.astype(object) if pd.isna(value)]
            found = [value for value in again[name].astype(object) if pd.isna(value)]
            assert [*map(type, found)] == [*map(type, missing)]

    @pytest.mark.parametrize(
        "y", [["a\0", "b", "a"], [1, 2, 1], [0.5, np.nan, 1], [True, False, True]], ids=str
    )
    def test_labels_keep_their_dtype(self, y, tmp_path):
        for labels in (np.array(y), np.array(y, dtype=object)):
            data = EEGData.from_arrays(np.zeros((3, 1, 4)), labels, 10)
            again = EEGData.load(data.save(tmp_path / "data"))
            assert again.y.dtype == labels.dtype
            assert repr(again.y.tolist()) == repr(labels.tolist())

    @pytest.mark.parametrize(
        ("column", "message"),
        [
            (pd.Series(pd.period_range("2024", periods=3)), r"it has the dtype period\[D\], which"),
            (pd.Series(pd.interval_range(0, 3)), r"it has the dtype interval"),
            (pd.Series([0, 0, 1], dtype="Sparse[int]"), "it has the dtype Sparse"),
            (pd.Series([[1], [2], [3]]), "it holds objects of type list; .* Convert the column"),
            (pd.Series(["a", 1, None], dtype=object), "it mixes int, str"),
            (pd.Series([np.int64(1), 2, 3], dtype=object), "it mixes int, int64"),
        ],
        ids=str,
    )
    def test_what_cannot_be_stored_exactly_is_refused_by_name(self, column, message, tmp_path):
        frame = pd.DataFrame({"it": column})
        data = EEGData.from_arrays(np.zeros((3, 1, 4)), [0, 1, 0], 10, metadata=frame)
        with pytest.raises(TypeError, match=message):
            data.save(tmp_path / "data")
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("names", [["a", "a"], [("a", 1), ("a", 2)], [None, "a"], [0.5, 1.5]])
    def test_names_of_columns_that_a_file_cannot_hold_are_refused(self, names, tmp_path):
        frame = pd.DataFrame(np.zeros((3, 2)))
        frame.columns = pd.Index(names, tupleize_cols=False)
        data = EEGData.from_arrays(np.zeros((3, 1, 4)), [0, 1, 0], 10, metadata=frame)
        with pytest.raises(TypeError, match=r"metadata has .* column.* named .* Rename"):
            data.save(tmp_path / "data")

    def test_names_of_channels_come_back(self, tmp_path):
        data = EEGData.from_arrays(np.zeros((1, 2, 4)), [0], 10, ["C3\0", "\u00e9"])
        assert EEGData.load(data.save(tmp_path / "data")).ch_names == data.ch_names

    def test_no_trial_and_no_metadata_come_back(self, data, tmp_path):
        same(EEGData.load(data[:0].save(tmp_path / "none")), data[:0])
        bare = EEGData.from_arrays(np.zeros((2, 1, 3)), [0, 1], 10)
        assert EEGData.load(bare.save(tmp_path / "bare")).metadata.shape == (2, 0)

    def test_mixed_types_are_refused_and_leave_no_file(self, data, tmp_path):
        data.metadata["site"] = ["a", 1] * 6
        with pytest.raises(TypeError, match="site mixes int, str"):
            data.save(tmp_path / "mixed.npz")
        assert not list(tmp_path.iterdir())

    def test_absent_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"EEGData\.save writes such files"):
            EEGData.load(tmp_path / "absent.npz")

    @pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
    def test_truncated_file_is_named(self, data, tmp_path, share):
        file = data.save(tmp_path / "data.npz")
        contents = file.read_bytes()
        file.write_bytes(contents[: int(share * len(contents))])
        with pytest.raises(ValueError, match=r"data\.npz cannot be read as EEGData"):
            EEGData.load(file)

    def test_damage_anywhere_is_a_value_error(self, data, tmp_path):
        file = data[:2].save(tmp_path / "data.npz")
        contents, rng = file.read_bytes(), np.random.default_rng(0)
        for _ in range(300):
            damaged = bytearray(contents)
            for place in rng.integers(len(contents), size=3):
                damaged[place] = rng.integers(256)
            file.write_bytes(damaged)
            try:
                EEGData.load(file)
            except ValueError as error:
                assert "data.npz" in str(error)  # noqa: PT017

    def test_pickles_are_never_executed(self, data, tmp_path):
        class Explosive:
            def __reduce__(self):
                return (pytest.fail, ("a pickle was executed",))

        file = data.save(tmp_path / "data.npz")
        with np.load(file) as archive:
            arrays = dict(archive)
        for name in ("X", "y", "column_0", "format", "contents"):
            hostile = arrays | {name: np.array([Explosive()] * 12)}
            np.savez(file, **hostile)
            with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
                EEGData.load(file)

    def test_other_formats_are_refused(self, tmp_path):
        file = tmp_path / "other.npz"
        np.savez(file, X=np.zeros(3))
        with pytest.raises(ValueError, match="no mark of a saved EEGData"):
            EEGData.load(file)
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("format", "skeeg.EEGData")
        with pytest.raises(ValueError, match="cannot be read as EEGData"):
            EEGData.load(file)
        np.save(tmp_path / "other.npy", np.zeros(3))
        with pytest.raises(ValueError, match="cannot be read as EEGData"):
            EEGData.load(tmp_path / "other.npy")
        with pytest.raises(ValueError, match="cannot be read as EEGData"):
            EEGData.load(tmp_path)

    def test_contents_that_contradict_each_other_are_refused(self, data, tmp_path):
        file = data.save(tmp_path / "data.npz")
        with np.load(file) as archive:
            arrays = dict(archive)
        for name, value in (("X", np.array(1.0)), ("y", arrays["y"][:3]), ("sfreq", np.zeros(2))):
            np.savez(file, **arrays | {name: value})
            with pytest.raises(ValueError, match="cannot be read as EEGData"):
                EEGData.load(file)


@pytest.mark.parametrize(
    ("code", "other"),
    [
        ("import skeeg._validation as v; v.unwrap([[1.0]])", "skeeg.data"),
        ("import skeeg.data as d; d.EEGData.from_arrays([[[1.0]]], [0], 1)", "skeeg._validation"),
    ],
)
def test_the_gate_and_eeg_data_do_not_import_each_other(code, other):
    run = [sys.executable, "-c", f"import sys\n{code}\nsys.exit({other!r} in sys.modules)"]
    assert subprocess.run(run, check=False).returncode == 0
