"""An ensemble of five EEGNets, compared with five fits and with its members one by one.

    python benchmarks/ensemble.py

Trainings: ``EnsembleClassifier(EEGNetClassifier(), n_members=5)`` and a loop of five fits with the
seeds of its members, alternately. The weights must be equal to the last bit; the script ends with
an error if they are not. Members have batches of their own, so what they share is the check and the
scale of the trials and the sums that the fast front end computes once per trial.

Predictions: the ensemble, and the mean of ``predict_proba`` of each member, of one trial and of 32,
alternately, and equal to the last bit. The time of the five modules alone is a lower bound.

Writes ``results/ensemble.md``.
"""

from __future__ import annotations

import argparse
import platform
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skeeg import EEGNetClassifier
from skeeg.ensemble import EnsembleClassifier

RESULTS = Path(__file__).parent / "results" / "ensemble.md"

#: Trials, electrodes and samples of simulated noise, by what has such a shape.
SHAPES = {"motor imagery, one session": (100, 22, 500), "SSVEP, two sessions": (64, 8, 512)}


def seconds(function: Callable[[], Any]) -> float:
    """Return the processor time of a call, which other programs disturb less than its wall time."""
    start = time.process_time()
    function()
    return time.process_time() - start


def alternating(functions: dict[str, Callable[[], Any]], repeats: int) -> dict[str, NDArray[Any]]:
    """Return the times of functions that are called in turns."""
    for function in functions.values():
        function()
    rows = [[seconds(function) for function in functions.values()] for _ in range(repeats)]
    return dict(zip(functions, np.array(rows).T, strict=True))


def spread(values: NDArray[Any], digits: int = 2) -> str:
    """Return the median, with the quartiles in brackets."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def training(X: Any, y: Any, args: argparse.Namespace) -> tuple[str, Any]:
    """Return the row of the table of trainings, and the ensemble."""
    network = EEGNetClassifier(max_epochs=args.epochs)
    ensemble = EnsembleClassifier(network, n_members=args.members, random_state=0)
    alone: dict[int, Any] = {}

    def fit_each() -> None:
        for seed in ensemble.seeds_:
            alone[seed] = EEGNetClassifier(max_epochs=args.epochs, random_state=seed).fit(X, y)

    together = {"ensemble": lambda: ensemble.fit(X, y), "five fits": fit_each}
    times = alternating(together, args.repeats)
    for seed, member in zip(ensemble.seeds_, ensemble.estimators_, strict=True):
        expected = alone[seed].module_.state_dict()
        for name, value in member.module_.state_dict().items():
            if not torch.equal(value, expected[name]):
                raise SystemExit(f"{name} of the member with seed {seed} differs from a fit.")
    ratio = times["ensemble"] / times["five fits"]
    row = f"{spread(times['ensemble'])} | {spread(times['five fits'])} | {spread(ratio, 3)}"
    return row, ensemble


def prediction(ensemble: Any, X: Any, args: argparse.Namespace) -> list[str]:
    """Return the rows of the table of predictions."""
    members, rows = ensemble.estimators_, []
    for n in (1, 32):
        trials = X[:n]
        tensor = torch.from_numpy(trials / np.float32(members[0].scale_))

        def each(trials: Any = trials) -> Any:
            return np.mean([member.predict_proba(trials) for member in members], axis=0)

        def modules(tensor: Any = tensor) -> None:
            with torch.no_grad(), members[0]._arithmetic():
                for member in members:
                    member.module_(tensor)

        def mean(trials: Any = trials) -> Any:
            return ensemble.predict_proba(trials)

        if not np.array_equal(mean(), each()):
            raise SystemExit("The ensemble and the mean of its members differ.")
        calls = {"ensemble": mean, "each": each, "modules": modules}
        times = alternating(calls, args.predictions)
        a_trial = [spread(1000 * times[name] / n) for name in calls]
        ratio = spread(times["ensemble"] / times["each"])
        rows.append(f"{n} | {' | '.join(a_trial)} | {ratio}")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--predictions", type=int, default=100)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    rng = np.random.default_rng(0)
    trainings, predictions = [], []
    for name, shape in SHAPES.items():
        X = rng.standard_normal(shape).astype(np.float32)
        row, ensemble = training(X, np.arange(len(X)) % 2, args)
        size = " x ".join(map(str, shape))
        trainings.append(f"| {name}, {size} | {row} |")
        rows = prediction(ensemble, X, args)
        predictions += [f"| {shape[1]} x {shape[2]} | {row} |" for row in rows]
        print(trainings[-1], *predictions[-2:], sep="\n", flush=True)
    lines = [
        "# Ensembles",
        "",
        "Written by `python benchmarks/ensemble.py`, which says what is compared. "
        f"{args.members} EEGNets of {args.epochs} epochs; medians of {args.repeats} trainings and "
        f"{args.predictions} predictions in turns, in processor time of one thread, quartiles in "
        "brackets. Members equal single "
        "fits, and predictions the mean of those of the members, to the last bit.",
        "",
        "| training | ensemble, s | five fits, s | ensemble / five fits |",
        "|---|---|---|---|",
        *trainings,
        "",
        "| trial | in a call | ensemble, ms a trial | each member, ms a trial | modules alone, ms "
        "a trial | ensemble / each member |",
        "|---|---|---|---|---|---|",
        *predictions,
        "",
        f"{platform.machine()}, 1 thread, Python {platform.python_version()}, torch "
        f"{torch.__version__}.",
        "",
    ]
    args.out.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
