"""Measure the key of a fit: two networks on 288 trials of 22 channels and 1,125 samples.

Run ``python benchmarks/store.py``. It prints milliseconds for each network, the median of
nine keys, with the hash of the trials and alone.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from skeeg import DeepConvNetClassifier, EEGNetClassifier
from skeeg._identity import Cloned, fit_context, identify


def median(*values):
    times = []
    for _ in range(10):
        start = time.perf_counter()
        identify(fit_context(), *values)
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[1:])


def main():
    X = np.random.default_rng(0).standard_normal((288, 22, 1125)).astype(np.float32)
    y = np.tile([0, 1], 144)
    for kind in (EEGNetClassifier, DeepConvNetClassifier):
        network = Cloned(kind(random_state=0))
        print(f"{kind.__name__}: {median(network, X, y):.0f} ms, {median(network):.0f} ms of code")


if __name__ == "__main__":
    main()
