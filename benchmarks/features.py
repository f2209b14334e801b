"""Differential entropy of a DEAP subject, compared with a loop over scipy's filter.

    python benchmarks/features.py

One subject has 40 trials of 32 channels and 63 s at 128 Hz: 3 s of rest and a minute of video, in
four bands. The loop calls `scipy.signal.lfilter` for each trial, channel and band, with filters
that are designed once, and computes the variance of all windows of a signal in one call. Both
compute the complete published features: entropy in windows of one second, minus that of the rest,
as z-scores. They run alternately in one process with numpy's default number of threads, of which
the loop uses only one. Writes ``benchmarks/results/features.md``.
"""

from __future__ import annotations

import argparse
import platform
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.signal import butter, lfilter
from threadpoolctl import threadpool_info

from skeeg import EEGData
from skeeg.features import BANDS, deap_entropy, sample_zscore

RESULTS = Path(__file__).parent / "results" / "features.md"
SFREQ, N_TRIALS, N_CHANS, N_REST, N_VIDEO = 128, 40, 32, 384, 7680


def subject() -> tuple[EEGData, EEGData]:
    """Return the trials of a simulated subject, and the rest before each trial."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N_TRIALS, N_CHANS, N_REST + N_VIDEO), dtype=np.float32)
    y = np.arange(N_TRIALS) % 2
    return (
        EEGData.from_arrays(X[..., N_REST:], y, SFREQ, subject=1, trial=np.arange(N_TRIALS)),
        EEGData.from_arrays(X[..., :N_REST], y, SFREQ, subject=1, trial=np.arange(N_TRIALS)),
    )


def plain_loop(data: EEGData, rest: EEGData) -> NDArray[np.float64]:
    filters = [butter(3, edges, "bandpass", fs=SFREQ) for edges in BANDS["deap"].values()]

    def entropy(X: NDArray[np.float32]) -> NDArray[np.float64]:
        n_windows = X.shape[2] // SFREQ
        variance = np.empty((len(X), n_windows, len(filters), X.shape[1]))
        for i in range(len(X)):
            for channel in range(X.shape[1]):
                for band, (b, a) in enumerate(filters):
                    filtered = lfilter(b, a, X[i, channel])
                    windows = filtered.reshape(n_windows, SFREQ)
                    variance[i, :, band, channel] = windows.var(axis=1, ddof=1)
        return 0.5 * np.log(2 * np.pi * np.e * variance)

    features = entropy(data.X) - entropy(rest.X).mean(axis=1, keepdims=True)
    return sample_zscore(features.reshape(-1, len(filters) * N_CHANS))


def seconds(function: Callable[..., Any], *arguments: Any) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def peak(function: Callable[..., Any], *arguments: Any) -> float:
    """Return the peak of the memory that a call allocates, including its result, in MB."""
    tracemalloc.start()
    function(*arguments)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 2**20


def spread(times: NDArray[np.float64], digits: int) -> str:
    low, middle, high = np.quantile(times, [0.25, 0.5, 0.75])
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=21)
    arguments = parser.parse_args()
    data, rest = subject()
    difference = np.abs(deap_entropy(data, rest).X - plain_loop(data, rest)).max()
    ours, theirs = [], []
    for _ in range(arguments.repeats):
        ours.append(seconds(deap_entropy, data, rest))
        theirs.append(seconds(plain_loop, data, rest))
    ratios = np.array(theirs) / np.array(ours)
    threads = max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
    RESULTS.write_text(
        f"""# Features

Written by `python benchmarks/features.py`, whose docstring describes the comparison.

One DEAP subject, {N_TRIALS} trials x {N_CHANS} channels x 63 s, 4 bands. Median over
{arguments.repeats} alternating runs, quartiles in brackets.

| | seconds | peak of allocated memory, MB |
|---|---|---|
| `deap_entropy` | {spread(np.array(ours), 3)} | {peak(deap_entropy, data, rest):.0f} |
| loop of `lfilter` | {spread(np.array(theirs), 3)} | {peak(plain_loop, data, rest):.0f} |

The loop takes **{spread(ratios, 1)} times** as long, with ratios of single runs from \
{ratios.min():.1f} to {ratios.max():.1f}. The features differ by at most {difference:.0e}. The
trials have {data.X.nbytes / 2**20:.0f} MB.

{platform.machine()}, {threads} BLAS thread{"s" if threads > 1 else ""}, Python \
{platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}.
"""
    )
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
