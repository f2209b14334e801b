"""Files and LSL give a decoder the same samples as arrays."""

import re
import uuid

import mne
import numpy as np
import pytest
from typer.testing import CliRunner

import skeeg
from skeeg import EEGData
from skeeg.baselines import csp_lda
from skeeg.cli import app
from skeeg.stream import StreamingDecoder, decode_lsl, replay

from .support import SFREQ, assert_same, mean_sign, pushed, signal

NAMES = ["C3", "C4", "Cz", "Pz"]


@pytest.fixture(scope="module")
def model():
    X, y = signal(40 * 64, 4).reshape(4, 40, 64).swapaxes(0, 1).copy(), np.arange(40) % 2
    X[y == 1, 0] *= 3
    return csp_lda().fit(EEGData.from_arrays(X, y, sfreq=SFREQ, ch_names=NAMES), y)


def recording(names=NAMES, sfreq=SFREQ, n_samples=500):
    info = mne.create_info(list(names), sfreq, "eeg")
    return mne.io.RawArray(signal(n_samples, len(names), seed=3), info, verbose="error")


@pytest.fixture
def edf(tmp_path):
    path = tmp_path / "recording.edf"
    mne.export.export_raw(path, recording(), physical_range=(-8e6, 8e6), verbose="error")
    return path


def test_replayed_recordings_are_the_pushed_samples(model):
    expected = pushed(StreamingDecoder(model, 0.64, 0.1, fmin=2), recording().get_data())
    for chunk in (1000, 17):
        decisions = replay(StreamingDecoder(model, 0.64, 0.1, fmin=2), recording(), chunk=chunk)
        assert_same(expected, list(decisions))


def test_replayed_files_are_read_in_pieces_and_channels_selected(model, edf):
    read = mne.io.read_raw(edf, verbose="error").get_data()
    decoder = StreamingDecoder(model, 0.64, 0.1)
    expected = pushed(StreamingDecoder(model, 0.64, 0.1), read)
    assert_same(expected, list(replay(decoder, edf, chunk=33)))
    more = recording(["Pz", "EOG", "Cz", "C4", "C3"])
    rows = more.get_data(NAMES)
    assert_same(pushed(StreamingDecoder(model, 0.64, 0.1), rows), list(replay(decoder, more)))


def test_recordings_that_do_not_fit_the_decoder_are_refused(model):
    decoder = StreamingDecoder(model, 0.64, 0.1)
    with pytest.raises(ValueError, match=r"recording has 200 Hz, and the decoder expects 100"):
        next(replay(decoder, recording(sfreq=200.0)))
    with pytest.raises(ValueError, match="lacks 1 of the 4 channels of the decoder: Pz"):
        next(replay(decoder, recording(NAMES[:3])))
    unnamed = StreamingDecoder(mean_sign(), 0.2, 0.1, sfreq=SFREQ)
    unnamed.push(signal(30))
    with pytest.raises(ValueError, match="recording has 4 channels, and the decoder expects 3"):
        next(replay(unnamed, recording()))
    with pytest.raises(ValueError, match="chunk must be an integer"):
        next(replay(decoder, recording(), chunk=0))


class StubStream:
    """The methods of `mne_lsl.stream.StreamLSL` that are used, over an array."""

    values, sfreq, sizes = signal(500, 4, seed=3), SFREQ, (30, 0, 1, 64, 105, 300)

    def __init__(self, bufsize, *, name, source_id):
        self.ch_names, self.info = list(NAMES), {"sfreq": self.sfreq}
        self.n_new_samples, self._read, self._left = 0, 0, list(self.sizes)
        self.connected = False

    def connect(self, acquisition_delay, *, processing_flags, timeout):
        assert acquisition_delay is None
        self.connected = True
        StubStream.last = self
        return self

    def acquire(self):
        if self._left:
            self.n_new_samples += self._left.pop(0)
            self._read += self.n_new_samples

    def get_data(self, winsize, exclude):
        n = int(np.ceil(winsize * self.sfreq))
        assert n == self.n_new_samples
        self.n_new_samples = 0
        rows = slice(self._read - n, self._read)
        return self.values[:, rows], 50 + np.arange(500)[rows] / self.sfreq

    def disconnect(self):
        self.connected = False


@pytest.fixture
def stub(monkeypatch):
    lsl = pytest.importorskip("mne_lsl.stream")
    monkeypatch.setattr(lsl, "StreamLSL", StubStream)


def test_each_sample_of_a_stream_is_decoded_once(model, stub):
    decisions = []
    source = decode_lsl(StreamingDecoder(model, 0.64, 0.1), timeout=0.05, scale=2)
    with pytest.raises(TimeoutError, match=r"no sample for 0\.05 s"):
        decisions.extend(source)  # those before the error are kept
    stamps = 50 + np.arange(500) / SFREQ
    assert_same(
        pushed(StreamingDecoder(model, 0.64, 0.1), 2 * StubStream.values, stamps=stamps), decisions
    )
    assert not StubStream.last.connected


def test_a_stream_of_another_rate_is_refused_and_disconnected(model, stub, monkeypatch):
    monkeypatch.setattr(StubStream, "sfreq", 250.0)
    with pytest.raises(ValueError, match="stream has 250 Hz, and the decoder expects 100"):
        next(decode_lsl(StreamingDecoder(model, 0.64, 0.1)))
    assert not StubStream.last.connected


def test_without_mne_lsl_the_extra_is_named(model, monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'skeeg\[lsl\]'"):
        next(decode_lsl(StreamingDecoder(model, 0.64, 0.1)))


def test_a_stream_of_the_player_of_mne_lsl_is_decoded(model):
    player = pytest.importorskip("mne_lsl.player")
    name = f"skeeg-{uuid.uuid4().hex}"
    values = recording().get_data()
    with player.PlayerLSL(recording(), chunk_size=10, name=name, source_id=name):
        decoder = StreamingDecoder(model, 0.64, 0.1, on_gap="ignore")
        decisions = decode_lsl(decoder, name)
        found = [next(decisions) for _ in range(5)]
        decisions.close()
    # The stream begins at any sample of the recording, which the player repeats.
    doubled = np.concatenate([values] * 3, axis=1)
    windows = np.stack([doubled[:, s : s + 64] for s in range(1000)]).astype(np.float32)
    expected = model.predict_proba(windows)
    distances = [
        max(np.abs(expected[s + 10 * i] - d.probabilities).max() for i, d in enumerate(found))
        for s in range(900)
    ]
    assert min(distances) < 1e-6
    np.testing.assert_allclose(np.diff([d.time for d in found]), 0.1, atol=0.02)


def run(*arguments):
    return CliRunner().invoke(app, ["stream", *map(str, arguments)])


@pytest.fixture
def saved(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    skeeg.save(model, "m.skeeg")


def test_the_command_prints_a_line_for_each_decision(saved, model, edf):
    result = run("--model", "m.skeeg", "--source", edf, "--step", 0.5, "--smoothing", 2)
    assert result.exit_code == 0, result.output
    decoder = StreamingDecoder(model, 0.64, 0.5, smoothing=2)
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    expected = list(replay(decoder, edf))
    assert [line[0] for line in lines] == [f"{d.time:.3f}" for d in expected]
    assert [line[1] for line in lines] == [str(d.label) for d in expected]
    assert [line[2] for line in lines] == [f"{d.probabilities[0]:.4f}" for d in expected]


def test_the_command_shows_bars_in_a_terminal(saved, edf, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    result = run("--model", "m.skeeg", "--source", edf, "--dead-zone", 0.5)
    assert result.exit_code == 0, result.output
    assert re.search(r"\d+\.\d% +█+", result.stdout)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--window", "1"], "Set window=0.64"),
        (["--sfreq", "250"], "trained at 100 Hz"),
        (["--smoothing", "2.5"], "smoothing must be"),
        (["--fmin", "70"], "fmin must be"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(saved, edf, arguments, message):
    result = run("--model", "m.skeeg", "--source", edf, *arguments)
    assert result.exit_code == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_command_needs_a_source_that_exists(saved):
    result = run("--model", "m.skeeg", "--source", "absent.edf")
    assert result.exit_code == 1
    assert "absent.edf" in result.stderr
