r"""A model of the time that a study takes on 1 to 100 workers of a Dask cluster.

    python benchmarks/scaling.py

Four figures are measured on this machine, with a local cluster of two processes:

* **fit**: ``EEGNetClassifier.fit`` on 22 x 1125, on one thread;
* **start**: from a new worker process to its first result, which is mostly imports;
* **rate**: data of ``--megabytes`` from the client by way of the scheduler to a worker, per second;
* **task**: the scheduler's share in a task that does nothing.

The study has ``--tasks`` fits of the same length. On n workers it takes

    start + S / r (1 + ceil(log2(n))) + ceil(tasks / n) fit + tasks * task

with S the size of the data and 1 / r = 1 / rate + 1 / network: the client sends the data once, and
workers fetch copies from each other, so that their number doubles in each round. ``--network`` is
an assumption, by default 1 Gbit/s. With data in every task instead, the client sends them
``tasks`` times: S / r * tasks is the lower bound of such a study, in the last column.

The model has no stragglers, no lost workers and no queue of the cluster, all of which cost more.
"""

from __future__ import annotations

import argparse
import math
import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from distributed import Client, LocalCluster

from skeeg import EEGData, EEGNetClassifier


@dataclass(frozen=True)
class Figures:
    """What was measured, in seconds and MB per second."""

    fit: float
    start: float
    rate: float
    task: float


@dataclass(frozen=True)
class Study:
    """What is computed, and on which network."""

    tasks: int
    megabytes: float
    network: float  # MB per second

    def seconds(self, n_workers: int, figures: Figures) -> float:
        """Return the time on some workers."""
        rounds = 1 + math.ceil(math.log2(n_workers))
        fits = math.ceil(self.tasks / n_workers) * figures.fit
        return figures.start + self.sending(figures) * rounds + fits + self.tasks * figures.task

    def sending(self, figures: Figures) -> float:
        """Return the time that the data take from one process to another."""
        return self.megabytes * (1 / figures.rate + 1 / self.network)


def trials(megabytes: float) -> EEGData:
    n_trials = int(megabytes * 1e6 / (22 * 1125 * 4))
    X = np.random.default_rng(0).standard_normal((n_trials, 22, 1125), dtype=np.float32)
    return EEGData.from_arrays(X, np.arange(n_trials) % 4, 250.0)


def fit_once(data: EEGData, n_epochs: int) -> float:
    """Return the time of a fit; runs in a worker."""
    warnings.simplefilter("ignore")
    classifier = EEGNetClassifier(max_epochs=n_epochs, batch_size=64, random_state=0, device="cpu")
    start = time.perf_counter()
    classifier.fit(data, data.y)
    return time.perf_counter() - start


def identity(value: Any) -> Any:
    return value


def n_rows(data: EEGData) -> int:
    return len(data)


def measured(megabytes: float, n_trials: int, n_epochs: int) -> Figures:
    data = trials(megabytes)
    begin = time.perf_counter()
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        client.submit(fit_once, data[:8], 1).result()
        start = time.perf_counter() - begin
        fits = [client.submit(fit_once, data[:n_trials], n_epochs, pure=False) for _ in range(3)]
        fit = float(np.median(client.gather(fits)))
        begin = time.perf_counter()
        future = client.submit(identity, data, pure=False)
        client.submit(n_rows, future).result()
        rate = data.X.nbytes / 1e6 / (time.perf_counter() - begin)
        begin = time.perf_counter()
        client.gather(client.map(identity, range(500)))
        task = (time.perf_counter() - begin) / 500
    return Figures(fit, start, rate, task)


def table(study: Study, figures: Figures) -> str:
    alone = study.seconds(1, figures)
    lines = [
        f"{study.tasks} fits of {figures.fit:.1f} s, {study.megabytes:.0f} MB of data, network "
        f"{study.network:.0f} MB/s; measured: start {figures.start:.1f} s, rate {figures.rate:.0f} "
        f"MB/s, task {1e3 * figures.task:.1f} ms",
        "",
        "| workers | time, min | speed-up | of the ideal | data once, s | with every task, s |",
        "|---|---|---|---|---|---|",
    ]
    for n_workers in (1, 2, 4, 8, 16, 32, 64, 100):
        seconds = study.seconds(n_workers, figures)
        rounds = 1 + math.ceil(math.log2(n_workers))
        lines.append(
            f"| {n_workers} | {seconds / 60:.1f} | {alone / seconds:.1f} "
            f"| {alone / seconds / n_workers:.0%} | {rounds * study.sending(figures):.0f} "
            f"| {study.tasks * study.sending(figures):.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tasks", type=int, default=1080, help="2 networks x 12 activations x "
                        "9 subjects x 5 folds")  # fmt: skip
    parser.add_argument("--megabytes", type=float, default=500.0)
    parser.add_argument("--network", type=float, default=117.0, help="MB per second")
    parser.add_argument("--trials", type=int, default=230, help="of a fit")
    parser.add_argument("--epochs", type=int, default=50, help="of a fit")
    arguments = parser.parse_args()
    figures = measured(arguments.megabytes, arguments.trials, arguments.epochs)
    print(table(Study(arguments.tasks, arguments.megabytes, arguments.network), figures))


if __name__ == "__main__":
    main()
