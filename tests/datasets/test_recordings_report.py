"""Events of recordings that differ, what was left out of them, and the cache."""

import os
import warnings

import mne
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skeeg import EEGData
from skeeg.datasets import load_recordings

from .formats import volts, write

NAMES = ("C3", "Cz", "C4")


def raw_of(seed=0, events=("left", "right") * 2, ch_names=NAMES):
    """Twenty seconds of noise of 20 microvolts at 128 Hz, an event every four seconds."""
    values = 2e-5 * np.random.default_rng(seed).standard_normal((len(ch_names), 2560))
    raw = mne.io.RawArray(values, mne.create_info(list(ch_names), 128.0, "eeg"), verbose="error")
    return raw.set_annotations(mne.Annotations(1 + 4 * np.arange(len(events)), 1, list(events)))


def save(raw, folder, name):
    folder.mkdir(exist_ok=True, parents=True)
    raw.save(folder / f"{name}_raw.fif", overwrite=True, verbose="error")
    return folder / f"{name}_raw.fif"


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "study"
    for i, name in enumerate(("s1_1", "s1_2", "s2_1")):
        save(raw_of(i), folder, name)
    return folder


class TestEvents:
    def test_several_events_have_one_label(self, study):
        save(raw_of(3, ["foot", "left", "right", "foot"]), study, "s2_2")
        events = {"hand": ["left", "right"], "foot": "foot"}
        with pytest.warns(UserWarning, match=r"Left out: 3 events \(does not occur 3\)"):
            data = load_recordings(study, events)
        assert data.y.tolist() == ["hand"] * 12 + ["foot", "hand", "hand", "foot"]
        assert data.dropped["name"].tolist() == ["foot"] * 3
        for names in (
            {"left", "right"},
            np.array(["left", "right"]),
            {"left": 0, "right": 0}.keys(),
        ):
            assert len(load_recordings(study, {"hand": names})) == 14
        assert data.dropped["recording"].tolist() == [
            f"s{n}_raw.fif" for n in ("1_1", "1_2", "2_1")
        ]

    def test_tags_of_events_are_names(self, tmp_path):
        save(raw_of(0, ["left/easy", "right/easy", "left/hard", "rest"]), tmp_path, "s1")
        assert load_recordings(tmp_path, ["left", "right"]).y.tolist() == ["left", "right", "left"]
        assert load_recordings(tmp_path, ["easy"]).y.tolist() == ["easy", "easy"]
        with pytest.raises(ValueError, match=r"events gives 'left/easy' of .* two labels"):
            load_recordings(tmp_path, ["left", "easy"])

    @pytest.mark.parametrize(
        ("events", "error", "message"),
        [
            (["left", "rihgt"], ValueError, "No recording has an event 'rihgt'.*mean 'right'"),
            (["left", "Right"], ValueError, "has no event 'Right'.*mean 'right'"),
            ({"a": "left", "b": ["left", "right"]}, ValueError, "'left' two labels, 'a' and 'b'"),
            ([], ValueError, "must name one or more events, got none"),
            ({}, ValueError, "must name one or more events, got none"),
            ({"a": []}, ValueError, "must name one or more events, got none"),
            ([["left"]], TypeError, r"names of events.*got \['left'\]"),
            ({"a": None}, TypeError, "names of events.*got None"),
            ([1.5], TypeError, r"names of events.*got 1\.5"),
            (True, TypeError, "names of events.*got True"),
        ],
    )
    def test_other_events_are_refused(self, study, events, error, message):
        with pytest.raises(error, match=message):
            load_recordings(study, events)

    @pytest.fixture
    def with_stim(self, tmp_path):
        """Annotations of the amplifier, and two channels of triggers."""
        values = np.zeros((3, 2560))
        values[0] = 2e-5 * np.random.default_rng(0).standard_normal(2560)
        values[1, [200, 800, 1400]] = [1, 2, 1]
        values[2, [300, 900]] = 7
        info = mne.create_info(["C3", "TRIG", "BUTTON"], 128.0, ["eeg", "stim", "stim"])
        raw = mne.io.RawArray(values, info, verbose="error")
        raw.set_annotations(mne.Annotations([0.5], 0, ["New Segment"]))
        return save(raw, tmp_path, "s1")

    def test_codes_are_found_though_there_are_annotations(self, with_stim):
        assert load_recordings(with_stim, {"a": 1, "b": "2"}).y.tolist() == ["a", "b", "a"]
        assert load_recordings(with_stim).y.tolist() == ["New Segment"]

    def test_a_channel_of_triggers_is_chosen_by_name(self, with_stim):
        data = load_recordings(with_stim, stim_channel="button")
        assert data.y.tolist() == ["7", "7"]
        with pytest.raises(ValueError, match=r"no stimulation channel 'STI'.* TRIG, BUTTON"):
            load_recordings(with_stim, stim_channel="STI")
        with pytest.raises(ValueError, match=r"has no event '7'; it has '1' \(2\), '2' \(1\)"):
            load_recordings(with_stim, 7, stim_channel="TRIG")
        with pytest.raises(ValueError, match=r"it has 'New Segment' \(1\); its stimulation .*'1'"):
            load_recordings(with_stim, "left")

    def test_a_file_of_events_beside_the_recording_is_read(self, tmp_path):
        raw = raw_of(events=()).crop(tmin=2.0)  # so that its first sample is not 0
        events = raw.first_samp + np.array([[256, 0, 1], [512, 0, 2], [768, 0, 1]]) * [1, 0, 0]
        events[:, 1:] = [[0, 1], [0, 2], [0, 1]]
        file = save(raw, tmp_path, "s1")
        mne.write_events(tmp_path / "s1-eve.fif", events, verbose="error")
        data = load_recordings(tmp_path, {"rest": 1, "go": 2})
        assert data.y.tolist() == ["rest", "go", "rest"]
        values = raw.get_data()
        expected = [values[:, start : start + 128] for start in (256, 512, 768)]
        assert_allclose(data.X, expected, atol=1e-10)
        with pytest.raises(ValueError, match=r"it has none; its file of events has '1' \(2\), '2'"):
            load_recordings(file, 3)
        (tmp_path / "s1-eve.fif").write_bytes(b"nothing")
        with pytest.raises(ValueError, match=r"s1-eve\.fif is damaged"):
            load_recordings(file, 1)


class TestWhatWasLeftOut:
    def test_every_trial_has_its_reason(self, tmp_path):
        raw = raw_of().crop(tmax=17.0)
        raw._data[1, 2 * 128] = 1e-3  # in the first trial
        raw.annotations.append(6.0, 0.1, "BAD_blink")  # in the second
        raw.info["bads"] = ["C4"]
        save(raw, tmp_path, "s1")
        with pytest.warns(UserWarning, match=r"Left out: 3 trials \(.*\), 1 channel \(marked"):
            data = load_recordings(tmp_path, tmax=4.5, reject=4e-4)
        assert data.shape == (1, 2, 576)
        assert data.metadata["trial"].tolist() == [2]
        expected = pd.DataFrame(
            {
                "kind": ["trial"] * 3 + ["channel"],
                "name": ["left", "right", "right", "C4"],
                "trial": pd.array([0, 1, 3, None], dtype="Int64"),
                "reason": ["amplitude", "BAD_blink", "TOO_SHORT", "marked as bad"],
                "detail": ["Cz", "", "", ""],
            }
        )
        pd.testing.assert_frame_equal(
            data.dropped.drop(columns="recording"), expected, check_dtype=False
        )
        assert data.describe()["dropped"] == {
            "trial": {"amplitude": 1, "BAD_blink": 1, "TOO_SHORT": 1},
            "channel": {"marked as bad": 1},
        }
        assert "<th>Left out</th><td>3 trials (amplitude 1, " in data._repr_html_()

    def test_it_stays_with_the_data(self, tmp_path):
        raw = raw_of()
        raw.info["bads"] = ["C4"]
        file = save(raw, tmp_path, "s1")
        with pytest.warns(UserWarning, match="Left out"):
            data = load_recordings(file, tmax=8.0)
        again = EEGData.load(data.save(tmp_path / "saved"))
        for other in (again, data[1:], data.pick("C3"), EEGData.concatenate([data[:1], data[1:]])):
            pd.testing.assert_frame_equal(other.dropped, data.dropped)
        assert len(EEGData.concatenate([data, again]).dropped) == 2 * len(data.dropped)
        assert len(EEGData.from_arrays(data.X, data.y, 128).dropped) == 0
        with pytest.raises(ValueError, match="dropped must have the columns recording, kind"):
            EEGData(data.X, data.y, 128, data.ch_names, data.metadata, pd.DataFrame())

    def test_a_recording_without_a_good_trial_is_left_out_and_told(self, study):
        raw = raw_of(9)
        raw.annotations.append(0, 20, "BAD_all")
        save(raw, study, "s3_1")
        with pytest.warns(UserWarning, match=r"4 trials \(BAD_all 4\), 1 recording \(no trial"):
            data = load_recordings(study, metadata="{subject}_{run}")
        assert data.metadata["subject"].unique().tolist() == ["s1", "s2"]
        assert set(data.dropped["recording"]) == {"s3_1_raw.fif"}
        with pytest.raises(ValueError, match=r"s3_1_raw\.fif holds no whole trial .*BAD_all 4"):
            load_recordings(study / "s3_1_raw.fif")

    def test_events_after_the_end_of_a_truncated_recording_are_told(self, tmp_path):
        file = write("brainvision", tmp_path, "s1", volts())
        content = file.with_suffix(".eeg").read_bytes()
        file.with_suffix(".eeg").write_bytes(content[: len(content) // 2])
        with (
            pytest.warns(RuntimeWarning, match=r"s1\.vhdr: Omitted 2 annotation"),
            pytest.warns(UserWarning, match=r"Left out: 2 events"),
        ):
            data = load_recordings(file, tmax=2.0)
        assert data.dropped["reason"].tolist() == ["outside the recording"] * 2

    @pytest.mark.parametrize(
        ("reject", "message"),
        [(-1, "reject must be"), ({"mag": 1e-4}, "reject names the type 'mag'"), ("a", "reject")],
    )
    def test_other_limits_are_refused(self, study, reject, message):
        with pytest.raises(ValueError, match=message):
            load_recordings(study, reject=reject)

    def test_nothing_is_told_where_nothing_was_left_out(self, study):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            data = load_recordings(study, reject={"eeg": 1.0})
        assert len(data.dropped) == 0
        assert "dropped" not in data.describe()

    def test_epochs_tell_what_mne_dropped(self):
        epochs = mne.make_fixed_length_epochs(raw_of(), 2.0, preload=True, verbose="error")
        epochs.drop([1, 4], reason="USER", verbose="error")
        epochs.info["bads"] = ["Cz"]
        data = EEGData.from_epochs(epochs)
        assert data.dropped["reason"].tolist() == ["USER", "USER", "marked as bad"]
        assert data.dropped["trial"].tolist()[:2] == [1, 4]


class TestMetadata:
    @pytest.mark.parametrize(
        "pattern",
        ["{subject}_{run}", "{subject}_{run}_raw.fif", r"(?P<subject>s\d)_(?P<run>\d)"],
    )
    def test_patterns_may_leave_out_the_ending(self, study, pattern):
        data = load_recordings(study, metadata=pattern)
        assert data.metadata["subject"].tolist() == ["s1"] * 8 + ["s2"] * 4
        assert data.metadata["run"].tolist() == ["1"] * 4 + ["2"] * 4 + ["1"] * 4

    def test_a_regular_expression_with_a_slash_is_searched_in_the_path(self, study):
        data = load_recordings(study, metadata=r"/(?P<site>\w+)/(?P<subject>s\d)_")
        assert data.metadata["site"].unique().tolist() == ["study"]
        assert data.metadata["run"].unique().tolist() == ["s1_1_raw", "s1_2_raw", "s2_1_raw"]

    @pytest.mark.parametrize(
        ("pattern", "message"),
        [
            ("(?P<subject>s", "is not a valid pattern"),
            ("{subject}_{subject}", "is not a valid pattern"),
            ("s1", "names no column"),
            ("{}_1", "names no column"),
            ("{subjects}_{run}", "Did you mean 'subject'"),
            ("(?P<subject>x)", "does not match"),
        ],
    )
    def test_other_patterns_are_refused(self, study, pattern, message):
        with pytest.raises(ValueError, match=message):
            load_recordings(study, metadata=pattern)

    @pytest.mark.parametrize(("ending", "separator"), [(".csv", ","), (".tsv", "\t")])
    def test_a_table_may_be_a_file(self, study, tmp_path, ending, separator):
        table = pd.DataFrame(
            {
                "file": [f"s{name}_raw.fif" for name in ("2_1", "1_1", "1_2")],
                "subject": ["02", "01", "01"],
                "age": [30.5, 20, 20],
            }
        )
        path = tmp_path / f"people{ending}"
        table.to_csv(path, sep=separator, index=False)
        for given in (path, str(path)):
            data = load_recordings(study, metadata=given)
            assert data.metadata["subject"].tolist() == ["01"] * 8 + ["02"] * 4
            assert data.metadata["age"].tolist() == [20] * 8 + [30.5] * 4
        with pytest.raises(FileNotFoundError, match="There is no table"):
            load_recordings(study, metadata="absent.csv")

    def test_the_index_of_a_table_is_used(self, study):
        files = [f"s{name}_raw.fif" for name in ("1_1", "1_2", "2_1")]
        table = pd.DataFrame({"file": files, "subject": [1, 1, 2]})
        for index in ("subject", "file"):
            data = load_recordings(study, metadata=table.set_index(index))
            assert data.metadata["subject"].tolist() == [1] * 8 + [2] * 4

    def test_trials_are_numbered_on_where_recordings_have_one_run(self, study):
        data = load_recordings(study, metadata=r"(?P<subject>s\d)_\d(?P<run>)")
        assert data.metadata["trial"].tolist() == [*range(8), *range(4)]
        assert len(np.unique(data.nested_groups("trial"))) == 12


class TestChannels:
    def test_a_reference_need_not_be_picked_and_case_does_not_count(self, study):
        data = load_recordings(study, picks=["c3", "CZ"], reference="c4")
        assert data.ch_names == ("C3", "Cz")
        plain = load_recordings(study)
        assert_allclose(data.X, plain.X[:, :2] - plain.X[:, [2]], atol=1e-10)
        one = load_recordings(study, picks="cz")
        assert_array_equal(one.X, plain.X[:, [1]])

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"picks": ["C3", "c3"]}, "'C3' of .* is named twice"),
            ({"picks": ["C3", "F7"]}, r"s1_1_raw\.fif has no channel 'F7'; it has C3, Cz, C4"),
            ({"picks": []}, "picks must name one or more"),
            ({"reference": "M1"}, "has no channel 'M1'"),
            ({"reference": []}, r"reference must be 'average' or name .*got \[\]"),
            ({"reference": ["average", "C3"]}, "reference must be 'average' or name"),
            ({"fmax": 80.0}, r"s1_1_raw\.fif: .*[Nn]yquist"),
        ],
    )
    def test_what_a_recording_lacks_is_refused_with_its_name(self, study, options, message):
        with pytest.raises(ValueError, match=message):
            load_recordings(study, **options)


class TestCache:
    @pytest.fixture
    def counted(self, monkeypatch):
        cuts = []
        read = mne.io.read_raw
        monkeypatch.setattr(
            mne.io, "read_raw", lambda file, **how: cuts.append(str(file)) or read(file, **how)
        )
        return cuts

    def test_only_what_changed_is_cut_again(self, study, tmp_path, counted):
        options = {"cache": tmp_path / "cache"}
        data = load_recordings(study, **options)
        save(raw_of(7), study, "s3_1")
        raw_of(8).save(study / "s1_2_raw.fif", overwrite=True, verbose="error")
        changed = load_recordings(study, **options)
        assert [os.path.basename(name)[:4] for name in counted] == [
            *("s1_1", "s1_2", "s2_1"), "s1_2", "s3_1",
        ]  # fmt: skip
        assert_array_equal(changed.X[:4], data.X[:4])
        assert_allclose(changed.X[4:8], EEGData.from_raw(raw_of(8)).X, atol=1e-9)

    def test_markers_and_values_beside_a_header_count(self, tmp_path, counted):
        file = write("brainvision", tmp_path / "a", "s1", volts())
        options = {"events": ["left", "right"], "cache": tmp_path / "cache"}
        load_recordings(file, **options)
        markers = file.with_suffix(".vmrk")
        markers.write_text(markers.read_text().replace("Comment,left", "Comment,right", 1))
        assert load_recordings(file, **options).y.tolist() == ["right", "right", "left", "right"]
        assert len(counted) == 2

    def test_other_code_cuts_again(self, study, tmp_path, counted, monkeypatch):
        options = {"cache": tmp_path / "cache"}
        load_recordings(study / "s1_1_raw.fif", **options)
        monkeypatch.setattr("skeeg._raw.check_band", lambda fmin, fmax: "another version")
        load_recordings(study / "s1_1_raw.fif", **options)
        assert len(counted) == 2

    def test_a_damaged_entry_is_cut_again(self, study, tmp_path, counted):
        options = {"cache": tmp_path / "cache"}
        data = load_recordings(study, **options)
        for entry in (tmp_path / "cache").rglob("output.pkl"):
            entry.write_bytes(entry.read_bytes()[:100])
        again = load_recordings(study, **options)
        assert len(counted) == 6
        assert_array_equal(again.X, data.X)


def test_one_recording_is_open_at_a_time(study, monkeypatch):
    """Each is garbage before the next is read."""
    import gc
    import weakref

    alive = []
    read = mne.io.read_raw

    def watched(*args, **kwargs):
        gc.collect()
        assert not any(raw() is not None for raw in alive)
        raw = read(*args, **kwargs)
        alive.append(weakref.ref(raw))
        return raw

    monkeypatch.setattr(mne.io, "read_raw", watched)
    load_recordings(study)
    assert len(alive) == 3
