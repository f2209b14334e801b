"""Where a decoder gets its signal from: files and streams of the Lab Streaming Layer."""

from __future__ import annotations

import importlib
import importlib.util
import math
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._checks import check_integer, check_number, check_positive
from ._decision import Decision
from ._decoder import StreamingDecoder
from ._found import picks_of

if TYPE_CHECKING:
    import mne

#: Seconds of signal that a stream keeps until they are read.
BUFFER = 30.0


def replay(
    decoder: StreamingDecoder,
    raw: mne.io.BaseRaw | str | Path,
    *,
    chunk: int = 1000,
    speed: float | None = None,
) -> Generator[Decision, None, None]:
    """Decode a recording as if it arrived now.

    The decoder is reset first. The recording is read in pieces; it need not fit in memory.

    Parameters
    ----------
    decoder : StreamingDecoder
        Channels are selected by its names, where it has names; otherwise the good EEG channels.
    raw : mne.io.Raw, str or Path
        A recording, or a file that `mne.io.read_raw` reads. In volts, as always in MNE.
    chunk : int, default=1000
        Samples that are read and pushed at a time. The decisions do not depend on it.
    speed : float, optional
        Speed relative to the recording, with 1 as in real time; by default as fast as possible.

    Yields
    ------
    decision : Decision
        Its time counts from the beginning of the recording, in seconds.

    Raises
    ------
    ValueError
        If the sampling rate or the channels are not those of the decoder, or the recording has
        values that are not finite.
    """
    import mne

    check_integer("chunk", chunk, at_least=1)
    pace = None if speed is None else check_positive("speed", speed, "times real time")
    if isinstance(raw, (str, Path)):
        raw = mne.io.read_raw(raw, preload=False, verbose="warning")
    good = [raw.ch_names[i] for i in mne.pick_types(raw.info, eeg=True, exclude="bads")]
    names = good if decoder.ch_names is None else list(decoder.ch_names)
    picks = picks_of(names, raw.ch_names)
    _check_source(decoder, float(raw.info["sfreq"]), len(picks), "recording")
    decoder.reset()
    begin = time.monotonic()
    for start in range(0, raw.n_times, chunk):
        stop = min(start + chunk, raw.n_times)
        samples = raw.get_data(picks, start, stop)
        if pace is not None:
            time.sleep(max(0.0, begin + stop / decoder.sfreq / pace - time.monotonic()))
        yield from decoder.push(samples)


def decode_lsl(
    decoder: StreamingDecoder,
    stream_name: str | None = None,
    *,
    source_id: str | None = None,
    scale: float = 1.0,
    timeout: float = 10.0,
) -> Generator[Decision, None, None]:
    """Decode a stream of the Lab Streaming Layer until the caller stops.

    Needs mne-lsl, which comes with ``pip install 'skeeg[lsl]'``. The decoder is reset first. The
    stream is connected at the first decision that is asked for, and disconnected when the
    generator is closed. Time stamps are those of LSL, corrected for the clock of the source and
    for jitter.

    Parameters
    ----------
    decoder : StreamingDecoder
        Channels are selected by its names, where it has names; otherwise all channels are used.
    stream_name : str, optional
        Name of the stream; by default the only one.
    source_id : str, optional
        Identifier of the source, where several have the same name.
    scale : float, default=1.0
        Factor for the samples. Amplifiers often send microvolts: 1e-6 makes volts of them.
    timeout : float, default=10.0
        Seconds to wait for the stream, and later for the next sample.

    Yields
    ------
    decision : Decision
        Its time is that of LSL's clock, in seconds.

    Raises
    ------
    ImportError
        Without mne-lsl.
    TimeoutError
        If no stream is found, or a stream sends nothing for `timeout` seconds.
    ValueError
        If the sampling rate or the channels are not those of the decoder, and as in
        `StreamingDecoder.push`.
    """
    check_positive("timeout", timeout, "seconds")
    check_number("scale", scale)
    stream = _connected(stream_name, source_id, timeout)
    try:
        sfreq = float(stream.info["sfreq"])
        names = stream.ch_names if decoder.ch_names is None else decoder.ch_names
        picks = picks_of(names, stream.ch_names)
        _check_source(decoder, sfreq, len(picks), "stream")
        decoder.reset()
        for samples, stamps in _new_samples(stream, sfreq, timeout):
            yield from decoder.push(samples[picks] * scale, stamps)
    finally:
        stream.disconnect()


def _connected(name: str | None, source_id: str | None, timeout: float) -> Any:
    if importlib.util.find_spec("mne_lsl") is None:
        raise ImportError(
            "decode_lsl needs mne-lsl, which is not installed: pip install 'skeeg[lsl]'"
        )
    stream_class = importlib.import_module("mne_lsl.stream").StreamLSL
    stream = stream_class(BUFFER, name=name, source_id=source_id)
    try:
        # Without a thread of its own, so that no sample can arrive between two calls.
        return stream.connect(acquisition_delay=None, processing_flags="all", timeout=timeout)
    except RuntimeError as error:
        raise TimeoutError(
            f"No single stream of the Lab Streaming Layer with the name {name!r} was found within "
            f"{timeout:g} s: {error}"
        ) from error


def _new_samples(stream: Any, sfreq: float, timeout: float) -> Iterator[tuple[Any, Any]]:
    """Yield each sample of a stream once, with its time stamp."""
    last_arrival = time.monotonic()
    while True:
        stream.acquire()
        n_new = stream.n_new_samples
        if n_new:
            # The stream rounds the seconds up to whole samples, so half a sample less is exact.
            samples, stamps = stream.get_data(winsize=(n_new - 0.5) / sfreq, exclude=())
            last_arrival = time.monotonic()
            yield np.asarray(samples), np.asarray(stamps)
            continue
        if time.monotonic() - last_arrival > timeout:
            raise TimeoutError(f"The stream has sent no sample for {timeout:g} s.")
        time.sleep(min(0.001, 1 / sfreq))


def _check_source(decoder: StreamingDecoder, sfreq: float, n_chans: int, what: str) -> None:
    if not math.isclose(sfreq, decoder.sfreq, rel_tol=1e-6):
        raise ValueError(
            f"The {what} has {sfreq:g} Hz, and the decoder expects {decoder.sfreq:g} Hz. A decoder "
            f"does not resample: use a {what} of that rate, or train at the other rate."
        )
    if decoder.n_chans not in (None, n_chans):
        raise ValueError(
            f"The {what} has {n_chans} channels, and the decoder expects {decoder.n_chans}. Give "
            "the decoder ch_names, so that channels are selected by name."
        )
