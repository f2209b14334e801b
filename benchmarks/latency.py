r"""Latency and memory of streaming decoding.

    python benchmarks/latency.py [--quick]

A `StreamingDecoder` of skeeg's EEGNet gets chunks of one step. The latency of a step is the wall
time from the call of ``push`` with the last sample of a window until the decision is returned. It
includes the checks, the causal filter, the window and the prediction, not the amplifier or the
network between computers. The same loop holds braindecode's EEGNet in its EEGClassifier, where
braindecode is installed, and skeeg's module alone, called as ``module(window)``, as a lower bound.
Contestants take turns step by step. Everything runs on one thread. On a machine that other
processes use, wall times include waiting for a processor; the times of the CPU do not.

Memory is the resident set (``VmRSS`` in ``/proc/self/status``) of this process while an hour of
signal is pushed: after a quarter of it and at its end.

``benchmarks/results/latency.md`` is written by the full run (10,000 steps) and by ``--quick`` (500
steps and a tenth of an hour), which it then says.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from skeeg import EEGData, EEGNetClassifier, __version__
from skeeg.stream import StreamingDecoder

RESULTS = Path(__file__).parent / "results" / "latency.md"
SFREQ, WINDOW, STEP = 128, 256, 16
CHANNELS = (8, 22, 64)
AIM = 10.0  # milliseconds, of the 99.9th percentile at 64 channels


def training_data(n_chans: int) -> EEGData:
    X = np.random.default_rng(0).standard_normal((32, n_chans, WINDOW))
    return EEGData.from_arrays(X, np.arange(32) % 2, sfreq=SFREQ)


def streaming(estimator: Any) -> StreamingDecoder:
    return StreamingDecoder(
        estimator, WINDOW / SFREQ, STEP / SFREQ, sfreq=SFREQ, fmin=1, fmax=40, smoothing=0.3
    )


def braindecode_classifier(data: EEGData) -> Any:
    from braindecode import EEGClassifier
    from braindecode.models import EEGNet

    module = EEGNet(n_chans=data.X.shape[1], n_outputs=2, n_times=WINDOW)
    classifier = EEGClassifier(module, max_epochs=1, train_split=None, verbose=0)
    return classifier.fit(data.X, data.y)


def contestants(n_chans: int) -> dict[str, Callable[[np.ndarray], object]]:
    data = training_data(n_chans)
    own = EEGNetClassifier(max_epochs=1, random_state=0).fit(data, data.y)
    module = own.module_.eval()
    window = torch.zeros(1, n_chans, WINDOW)

    def bare(chunk: np.ndarray) -> object:
        with torch.inference_mode():
            return module(window)

    found: dict[str, Callable[[np.ndarray], object]] = {
        "skeeg, StreamingDecoder": streaming(own).push,
        "skeeg, module alone": bare,
    }
    if importlib.util.find_spec("braindecode") is not None:
        found["braindecode, StreamingDecoder"] = streaming(braindecode_classifier(data)).push
    return found


def latencies(n_chans: int, n_steps: int) -> dict[str, np.ndarray]:
    """Return wall times and times of the CPU, shape (n_steps, 2), in milliseconds."""
    calls = contestants(n_chans)
    rng = np.random.default_rng(1)
    for call in calls.values():
        for _ in range(WINDOW // STEP + 20):
            call(rng.standard_normal((n_chans, STEP)))
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for _ in range(n_steps):
        chunk = rng.standard_normal((n_chans, STEP))
        for name, call in calls.items():
            begin = time.perf_counter(), time.thread_time()
            call(chunk)
            times[name].append((time.perf_counter() - begin[0], time.thread_time() - begin[1]))
    return {name: 1000 * np.array(values) for name, values in times.items()}


def resident() -> float:
    """Return the resident set in MiB."""
    gc.collect()
    status = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in status if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def memory(seconds: int) -> tuple[float, float]:
    data = training_data(64)
    decoder = streaming(EEGNetClassifier(max_epochs=1, random_state=0).fit(data, data.y))
    rng, after_quarter = np.random.default_rng(2), 0.0
    for second in range(seconds):
        decoder.push(rng.standard_normal((64, SFREQ)))
        if second == seconds // 4:
            after_quarter = resident()
    return after_quarter, resident()


def load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="500 steps, six minutes of signal")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    n_steps, seconds = (500, 360) if quick else (10_000, 3600)
    loads, rows = [load()], []
    for n_chans in CHANNELS:
        for name, times in latencies(n_chans, n_steps).items():
            percentiles = np.percentile(times, [50, 99, 99.9], axis=0)
            marks = [f"{value:.2f}" for value in percentiles.T.ravel()]
            rows.append(f"| {n_chans} | {name} | {' | '.join(marks)} |")
            print(rows[-1], flush=True)
            if n_chans == 64 and name == "skeeg, StreamingDecoder":
                verdict = "reached" if percentiles[2, 0] < AIM else "**missed**"
                on_cpu = "reached" if percentiles[2, 1] < AIM else "missed"
        loads.append(load())
    before, after = memory(seconds)
    loads.append(load())
    braindecode = importlib.util.find_spec("braindecode") is not None
    text = f"""# Latency of streaming decoding

Written by `python benchmarks/latency.py{" --quick" if quick else ""}`, whose docstring describes
the measurement. EEGNet, windows of {WINDOW} samples every {STEP} at {SFREQ} Hz, a band-pass filter
and smoothing; {n_steps:,} steps, one thread. {"" if braindecode else "No braindecode here."}

skeeg {__version__}, torch {torch.__version__}, Python {platform.python_version()},
{os.cpu_count()} processors. Load averages were {", ".join(loads)} over the run, of which the script
itself accounts for 1.

| channels | what | median, ms | 99 %, ms | 99.9 %, ms | of the CPU: median | 99 % | 99.9 % |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}

Aim: 99.9 % below {AIM:g} ms at 64 channels: {verdict}; of the time of the CPU: {on_cpu}.

Resident memory over {seconds / 60:g} minutes of signal of 64 channels: {before:.1f} MiB after a
quarter, {after:.1f} MiB at the end.
"""
    temporary = RESULTS.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(RESULTS)


if __name__ == "__main__":
    main()
