r"""A grid search whose networks are trained together, compared with one that trains one by one.

    python benchmarks/stacked.py --device cuda
    python benchmarks/stacked.py --device cpu --quick

The search is that of a study of activations: an EEGNet with twelve activations (ELU with nine
alphas, ReLU, leaky ReLU and GELU), each with three seeds, trained on one split of simulated motor
imagery. Three contestants take turns on the same trials:

* **one fit** of one candidate;
* **stacked**, ``StackedSearchCV(stacking="always")``, which trains all 36 networks together;
* **one by one**, scikit-learn's ``GridSearchCV``.

None is refitted. All have the same seeds. The page has the medians of the wall times with the
smallest and the largest, and ratios that are taken round by round. The aim on a GPU is a search in
less than three times the time of one fit.

The second table shows how far the scores of the stacked search are from those of the search one by
one, as the largest difference over all candidates, and beside them the standard deviation of the
score over the three seeds, averaged over the activations. It is for the search above, with dropout,
and for one without.

With ``--quick`` there are fewer trials, epochs and rounds.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit
from tqdm import tqdm

from skeeg import EEGNetClassifier
from skeeg.datasets import simulate_motor_imagery
from skeeg.model_selection import StackedSearchCV

RESULTS = Path(__file__).parent / "results" / "stacked.md"
SHAPES = {"2x128": (2, 128), "2x750": (2, 750), "22x1125": (22, 1125)}
SFREQ, AIM = 250.0, 3.0
ALPHAS = np.linspace(0.1, 0.9, 9).round(1).tolist()
SEEDS = [0, 1, 2]
GRID: list[dict[str, Any]] = [
    {"activation": ["elu"], "alpha": ALPHAS, "random_state": SEEDS},
    {"activation": ["relu", "leaky_relu", "gelu"], "random_state": SEEDS},
]
METRICS = ["accuracy", "neg_log_loss"]
ONE, STACKED, ALONE = "one fit", "stacked", "one by one"


@dataclass(frozen=True)
class Size:
    """Size of a comparison."""

    trials: int
    epochs: int
    batch: int
    rounds: int


FULL = Size(trials=288, epochs=50, batch=64, rounds=5)
QUICK = Size(trials=64, epochs=4, batch=16, rounds=2)


def trials(shape: str, n_trials: int) -> tuple[Any, Any]:
    """Return simulated motor imagery, channels x samples, and labels."""
    n_chans, n_times = SHAPES[shape]
    two = {"ch_names": ("C3", "C4")} if n_chans == 2 else {}  # by default 22 electrodes
    data = simulate_motor_imagery(
        1, 1, 1, n_trials, sfreq=SFREQ, tmin=0, tmax=n_times / SFREQ, random_state=0, **two
    )
    return data.X[:, :, :n_times], data.y


def contestants(network: Any, X: Any, y: Any) -> dict[str, Callable[[], Any]]:
    """Return what is timed."""
    split = StratifiedShuffleSplit(1, test_size=0.25, random_state=0)
    train, _ = next(split.split(X, y))
    options = {"cv": split, "scoring": METRICS, "refit": False}
    first = clone(network).set_params(activation="elu", alpha=0.1, random_state=0)
    return {
        ONE: lambda: clone(first).fit(X[train], y[train]),
        STACKED: lambda: StackedSearchCV(network, GRID, stacking="always", **options).fit(X, y),
        ALONE: lambda: GridSearchCV(network, GRID, **options).fit(X, y),
    }


def measure(shape: str, size: Size, device: str) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return the seconds of each contestant in each round, and the agreement of the scores."""
    X, y = trials(shape, size.trials)
    seconds, agreement = [], []
    for dropout in (None, 0.0):
        network = EEGNetClassifier(
            max_epochs=size.epochs, batch_size=size.batch, dropout=dropout, device=device
        )
        tasks = contestants(network, X, y)
        if dropout is None:
            tasks[ONE]()  # libraries select and compile kernels in the first calls
            for round_ in tqdm(range(size.rounds), desc=shape, unit="round"):
                row, found = {}, {}
                for name in list(tasks)[:: 1 if round_ % 2 == 0 else -1]:
                    start = time.perf_counter()
                    found[name] = tasks[name]()
                    row[name] = time.perf_counter() - start
                seconds.append(row)
        else:
            found = {name: tasks[name]() for name in (STACKED, ALONE)}
        agreement.append({"trials": shape, "dropout": dropout} | agreement_of(found))
    return pd.DataFrame(seconds), agreement


def agreement_of(found: dict[str, Any]) -> dict[str, float]:
    """Return differences of the scores of two searches, and the noise of a seed."""
    row = {}
    alone = pd.DataFrame(found[ALONE].cv_results_)
    stacked = pd.DataFrame(found[STACKED].cv_results_)
    if found[STACKED].n_stacked_ != len(alone):
        raise SystemExit(f"not all fits were stacked: {found[STACKED].not_stacked_}")
    activation = alone["param_activation"] + alone["param_alpha"].astype(str)
    for metric in METRICS:
        column = f"mean_test_{metric}"
        row[f"{metric}, difference"] = float((alone[column] - stacked[column]).abs().max())
        row[f"{metric}, seeds"] = float(alone.groupby(activation)[column].std().mean())
    return row


def spread(values: pd.Series[float], digits: int) -> str:
    return f"{values.median():.{digits}f} ({values.min():.{digits}f} to {values.max():.{digits}f})"


def report(
    seconds: dict[str, pd.DataFrame], agreement: pd.DataFrame, size: Size, device: str, command: str
) -> str:
    """Return the page."""
    name = torch.cuda.get_device_name() if device.startswith("cuda") else "CPU, one thread"
    lines = [
        "# A search whose networks are trained together",
        "",
        f"Written by `{command}`, whose docstring describes the comparison: 36 networks, "
        f"{size.trials} trials, {size.epochs} epochs, batches of {size.batch}. Medians of "
        f"{size.rounds} alternating rounds, smallest and largest in brackets.",
        "",
        f"{name}; {os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f}; Python "
        f"{platform.python_version()}, torch {torch.__version__}, scikit-learn "
        f"{version('scikit-learn')}.",
        "",
        "| trials | one fit, s | stacked search, s | search one by one, s | stacked / one fit "
        "| one by one / stacked |",
        "|---|---|---|---|---|---|",
    ]
    for shape, rows in seconds.items():
        lines.append(
            f"| {shape} | {spread(rows[ONE], 2)} | {spread(rows[STACKED], 2)} "
            f"| {spread(rows[ALONE], 2)} | **{spread(rows[STACKED] / rows[ONE], 1)}** "
            f"| **{spread(rows[ALONE] / rows[STACKED], 2)}** |"
        )
    if device.startswith("cuda"):
        lines += ["", f"The aim is a stacked search in less than {AIM:g} times one fit."]
    lines += ["", "| " + " | ".join(agreement.columns) + " |", "|---" * agreement.shape[1] + "|"]
    for row in agreement.itertuples(index=False):
        cells = [f"{cell:.2g}" if isinstance(cell, float) else str(cell) for cell in row]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="auto", help="cpu, cuda or auto")
    parser.add_argument("--quick", action="store_true", help="a smaller comparison")
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES))
    parser.add_argument("--out", type=Path, help="the page to write")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    device = arguments.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    size = QUICK if arguments.quick else FULL
    shapes = arguments.shapes or (["2x128"] if arguments.quick else list(SHAPES))
    measured = {shape: measure(shape, size, device) for shape in shapes}
    agreement = pd.DataFrame([row for _, rows in measured.values() for row in rows])
    agreement["dropout"] = agreement["dropout"].map(lambda p: "0.5" if np.isnan(p) else str(p))
    page = arguments.out or (
        Path(tempfile.gettempdir()) / RESULTS.name if arguments.quick else RESULTS
    )
    page.parent.mkdir(parents=True, exist_ok=True)
    command = (
        f"python benchmarks/stacked.py --device {device}"
        + " --quick" * arguments.quick
        + (f" --shapes {' '.join(arguments.shapes)}" if arguments.shapes else "")
    )
    seconds = {shape: rows for shape, (rows, _) in measured.items()}
    page.write_text(report(seconds, agreement, size, device, command))
    print(f"{page.read_text()}\nWritten to {page}.")


if __name__ == "__main__":
    main()
