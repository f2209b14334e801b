"""EEGData from recordings, its operations, and its way to MNE and back."""

import mne
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skeeg import EEGData

SFREQ = 200.0


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return EEGData.from_arrays(
        rng.standard_normal((4, 3, 400)), ["a", "b", "a", "c"], SFREQ, ["C3", "Cz", "C4"],
        subject=["S1", "S1", "S2", "S2"], run=pd.Series([4, 8, None, 8], dtype="Int64"),
        age=[1.5, 2, 3, 4],
    )  # fmt: skip


@pytest.fixture
def raw():
    """Two channels that count samples, with annotations."""
    values = np.vstack([np.arange(2000.0), -np.arange(2000.0), np.zeros(2000)]) * 1e-6
    info = mne.create_info(["C3", "C4", "EOG"], SFREQ, ["eeg", "eeg", "eog"])
    raw = mne.io.RawArray(values, info, verbose="error")
    return raw.set_annotations(
        mne.Annotations([1, 3, 5, 7, 9.5], 0.5, ["left", "right", "left", "rest", "right"])
    )


def sines(*freqs, seconds=4.0):
    times = np.arange(round(seconds * SFREQ)) / SFREQ
    X = np.array([np.sin(2 * np.pi * freq * times) for freq in freqs])[None]
    return EEGData.from_arrays(X, [0], SFREQ, [f"{freq} Hz" for freq in freqs])


class TestOperations:
    def test_picked_channels_have_the_given_order(self, data):
        picked = data.pick(["C4", "C3"])
        assert picked.ch_names == ("C4", "C3")
        assert_array_equal(picked.X, data.X[:, [2, 0]])
        assert data.pick("Cz").shape == (4, 1, 400)

    @pytest.mark.parametrize(
        ("channels", "message"),
        [
            (["c3"], "no channel 'c3'; there are C3, Cz, C4. Did you mean 'C3'"),
            ([], "got none"),
            (["C3", "C3"], "these come twice"),
            (["C3", 3], "no channel 3"),
        ],
    )
    def test_other_channels_are_refused(self, data, channels, message):
        with pytest.raises(ValueError, match=message):
            data.pick(channels)

    @pytest.mark.parametrize("channels", [None, 3, {"C3"}, b"C3"])
    def test_channels_are_a_name_or_a_list_of_names(self, data, channels):
        with pytest.raises(TypeError, match="channels must be a name or a list of names, got"):
            data.pick(channels)

    def test_the_end_of_a_crop_is_not_included(self, data):
        assert_array_equal(data.crop(0.5, 1.5).X, data.X[:, :, 100:300])
        assert data.crop(tmin=1.0).duration == 1.0

    @pytest.mark.parametrize("part", [(-0.1, 1), (1, 1), (0, 2.1), (1.5, 0.5)])
    def test_a_part_outside_the_trial_is_refused(self, data, part):
        with pytest.raises(ValueError, match="must lie within the 2 s of a trial"):
            data.crop(*part)

    def test_the_pass_band_remains(self):
        filtered = sines(10, 50).filter(5, 20).X[0, :, 200:-200]
        assert_allclose(filtered.std(axis=1), [np.sqrt(0.5), 0], atol=0.01)

    @pytest.mark.parametrize("band", [(20, 5), (-1, 5), (5, 100), (5, 300)])
    def test_empty_bands_are_refused(self, data, band):
        with pytest.raises(ValueError, match=r"fmin|fmax|[Nn]yquist|sampling"):
            data.filter(*band)

    def test_without_limits_nothing_is_filtered(self, data):
        assert_array_equal(data.filter(None, None).X, data.X)

    @pytest.mark.parametrize("value", [np.nan, np.inf, "8", True])
    def test_what_is_no_number_is_refused_everywhere(self, data, value):
        for call, name in (
            (lambda: data.crop(value), "tmin"),
            (lambda: data.crop(0, value), "tmax"),
            (lambda: data.filter(value, 30), "fmin"),
            (lambda: data.filter(8, value), "fmax"),
            (lambda: data.resample(value), "sfreq"),
            (lambda: data.to_epochs(value), "tmin"),
        ):
            with pytest.raises(ValueError, match=f"{name} must be a .*number.*; got"):
                call()

    def test_one_trial_of_one_channel_has_all_operations(self, data):
        one = data[:1].pick("Cz")
        for changed, shape in (
            (one.crop(0.5, 1.0), (1, 1, 100)),
            (one.filter(None, 40), (1, 1, 400)),
            (one.resample(100), (1, 1, 200)),
            (one.select(classes="a"), (1, 1, 400)),
            (EEGData.from_epochs(one.to_epochs()), (1, 1, 400)),
            (EEGData.concatenate([one, one]), (2, 1, 400)),
        ):
            assert changed.shape == shape
            assert changed.ch_names == ("Cz",)
        assert one.describe()["n_chans"] == 1
        assert "<th>Trials</th><td>1</td>" in one._repr_html_()
        assert_array_equal(EEGData.from_epochs(one.to_epochs()).X, one.X)

    def test_no_trial_has_all_operations_but_epochs(self, data):
        none = data[[]]
        assert none.pick("C3").crop(0, 1).filter(1, 40).resample(100).shape == (0, 1, 100)
        assert (
            repr(none) == "<EEGData: 0 trials x 3 channels x 400 samples at 200 Hz, 0 subjects; >"
        )
        assert len(EEGData.concatenate([none, data])) == 4
        with pytest.raises(ValueError, match="There is no trial"):
            none.to_epochs()

    def test_parts_are_joined_whatever_holds_them(self, data):
        assert len(EEGData.concatenate(part for part in (data, data))) == 8
        with pytest.raises(TypeError, match="Part 1 must be EEGData, got ndarray"):
            EEGData.concatenate([data, data.X])

    def test_labels_of_numbers_and_text_are_not_mixed(self, data):
        numbered = EEGData.from_arrays(data.X, [1, 2, 1, 2], SFREQ, data.ch_names)
        with pytest.raises(TypeError, match="text as labels, others numbers"):
            EEGData.concatenate([data, numbered])

    def test_labels_of_several_types_are_described(self, data):
        y = np.array(["a", 1, None, 1], dtype=object)
        mixed = EEGData.from_arrays(data.X, y, SFREQ)
        assert repr(mixed).endswith("; a: 1, 1: 2, None: 1>")
        assert "a: 1, 1: 2, None: 1" in mixed._repr_html_()

    def test_resampled_sines_are_those_of_the_new_rate(self):
        resampled = sines(10).resample(100)
        assert resampled.sfreq == 100
        expected = np.sin(2 * np.pi * 10 * np.arange(400) / 100)
        assert_allclose(resampled.X[0, 0, 20:-20], expected[20:-20], atol=0.01)
        with pytest.raises(ValueError, match="has no sample"):
            sines(10).resample(0.01)

    def test_nothing_is_changed_in_place(self, data):
        before = data.X.copy()
        for changed in (
            data.pick("C3"), data.crop(1), data.filter(None, 40), data.resample(100),
            data.select(subject="S1"),
        ):  # fmt: skip
            assert isinstance(changed, EEGData)
            changed.X[:] = 0
            if not np.shares_memory(changed.X, data.X):
                assert_array_equal(data.X, before)
            data.X[:] = before
        assert data.ch_names == ("C3", "Cz", "C4")

    def test_the_table_of_a_notebook_tells_what_is_in_it_and_escapes_it(self, data):
        html = data.pick(["C3"])._repr_html_()
        assert "<td>400 (2 s at 200 Hz)</td>" in html
        assert "<th>Subjects</th><td>2</td>" in html
        odd = EEGData.from_arrays(data.X, ["<b>"] * 4, SFREQ)
        assert "&lt;b&gt;: 4" in odd._repr_html_()


class TestEpochs:
    def test_epochs_and_back_is_the_same(self, data):
        again = EEGData.from_epochs(data.to_epochs(tmin=-0.5))
        assert_array_equal(again.X, data.X)
        assert_array_equal(again.y, data.y)
        assert (again.sfreq, again.ch_names) == (data.sfreq, data.ch_names)
        pd.testing.assert_frame_equal(again.metadata, data.metadata)
        assert data.to_epochs(tmin=-0.5).times[0] == -0.5

    def test_numbers_come_back_with_their_labels(self, data):
        for y in (np.array([1, 2, 1, 2]), np.array([0.5, 1.25, 2, 3])):
            numbered = EEGData.from_arrays(data.X, y, SFREQ, subject=1)
            again = EEGData.from_epochs(numbered.to_epochs(), y=y)
            assert_array_equal(again.y, y)
            assert again.y.dtype == y.dtype

    def test_epochs_of_mne_and_back_are_the_same(self, data):
        epochs = data.to_epochs()
        again = EEGData.from_epochs(epochs).to_epochs()
        assert_array_equal(again.get_data(copy=False), epochs.get_data(copy=False))
        assert again.event_id == epochs.event_id
        assert_array_equal(again.events, epochs.events)
        pd.testing.assert_frame_equal(again.metadata, epochs.metadata)


@pytest.mark.filterwarnings("ignore:.*trials were dropped")
class TestRaw:
    def test_trials_begin_at_their_annotations(self, raw):
        data = EEGData.from_raw(raw, ["left", "right"], tmin=-0.5, tmax=1.0, subject="S1")
        assert data.shape == (3, 2, 300)
        assert data.y.tolist() == ["left", "right", "left"]
        assert_allclose(data.X[:, 0, 0] * 1e6, [100, 500, 900], rtol=1e-6)
        assert_allclose(data.X[:, 1, -1] * 1e6, [-399, -799, -1199], rtol=1e-6)
        assert data.metadata["trial"].tolist() == [0, 1, 2]
        assert data.metadata["subject"].unique().tolist() == ["S1"]

    def test_dropped_trials_are_told_with_their_reason(self, raw):
        raw.annotations.append(3.2, 0.1, "BAD_movement")
        with pytest.warns(UserWarning, match="2 of 5 trials were dropped: .*BAD_movement 1"):
            data = EEGData.from_raw(raw, tmax=1.0)
        assert data.metadata["trial"].tolist() == [0, 2, 3]
        assert set(data.y) == {"left", "rest"}

    def test_a_mapping_names_the_labels(self, raw):
        assert EEGData.from_raw(raw, {"pause": "rest"}).y.tolist() == ["pause"]

    def test_codes_of_a_stimulation_channel(self):
        values = np.zeros((2, 1000))
        values[1, [100, 400, 700]] = [1, 2, 1]
        info = mne.create_info(["C3", "STI"], SFREQ, ["eeg", "stim"])
        raw = mne.io.RawArray(values, info, verbose="error")
        data = EEGData.from_raw(raw, {"left": 1, "right": 2}, sfreq=100)
        assert data.y.tolist() == ["left", "right", "left"]
        assert data.ch_names == ("C3",)
        assert data.sfreq == 100

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"events": "Left"}, r"no event 'Left'; it has 'left' \(2\).*Did you mean 'left'"),
            ({"picks": ["C3", "CZ"]}, "no channel 'CZ'; it has C3, C4, EOG"),
            ({"picks": "meg"}, "no good channel of picks='meg'; its channels are of type eeg, eog"),
            ({"tmin": 1.0, "tmax": 1.0}, "tmin must lie before tmax"),
            ({"fmin": 30, "fmax": 8}, "fmin must lie below fmax"),
            ({"tmax": 100.0}, "no whole trial from 0 to 100 s"),
            ({"window": 2.0}, "to the 1 s of a trial"),
            ({"step": 2.0}, "needs a window"),
        ],
    )
    def test_what_is_not_there_is_refused(self, raw, options, message):
        with pytest.raises(ValueError, match=message):
            EEGData.from_raw(raw, **options)

    def test_windows_belong_to_their_trial(self, raw):
        data = EEGData.from_raw(raw, "left", tmin=-1.0, tmax=1.0, window=1.0, step=0.5)
        assert data.shape == (6, 2, 200)
        assert data.metadata["trial"].tolist() == [0, 0, 0, 1, 1, 1]
        assert data.metadata["window"].tolist() == [-1.0, -0.5, 0.0] * 2
        assert_allclose(data.X[:, 0, 0] * 1e6, [0, 100, 200, 800, 900, 1000], rtol=1e-6)

    def test_the_recording_is_left_as_it_is(self, raw):
        before = raw.get_data().copy()
        data = EEGData.from_raw(raw, "rest", fmin=1, fmax=30, reference="average", sfreq=100)
        assert_allclose(data.X.sum(axis=1), 0, atol=1e-9)
        assert_array_equal(raw.get_data(), before)
        assert raw.info["sfreq"] == SFREQ
        with pytest.raises(TypeError, match="raw must be an mne"):
            EEGData.from_raw(before)
