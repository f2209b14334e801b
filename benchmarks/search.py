r"""A grid search over activation and alpha of EEGNet, compared with braindecode's.

    python benchmarks/search.py

Both contestants run scikit-learn's ``GridSearchCV`` with two processes over the same candidates and
folds of the same simulated motor imagery:

* **skeeg**, ``EEGNetClassifier(activation=..., alpha=...)``;
* **braindecode**, its EEGNet in its EEGClassifier, with the same hyper-parameters, batches of the
  same size and the same optimiser. Activation and alpha are ``functools.partial(torch.nn.ELU,
  alpha=...)``.

The candidates are ELU and leaky ReLU with nine alphas each, and ReLU, which has none; each is
trained on five folds, and the best one on all trials.

Each search runs in a new Python process, and the contestants take turns. The time is the wall time
of ``GridSearchCV.fit``: it includes the start of the two processes and their imports, but not the
imports of the main process. The memory is the maximum over the search of the proportional set size
of all its processes together (``psutil``'s ``pss``, which counts shared pages once), sampled five
times a second. Ratios are taken round by round.

The scores of both need not be equal, because their random numbers differ.

``speed.py`` says how to install braindecode. With ``--quick`` there are fewer trials, alphas, folds
and epochs. The page says how many; ratios are smaller than those of a full search, in which less of
the time goes to the start of processes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import asdict, dataclass, fields
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from tqdm import tqdm

RESULTS = Path(__file__).parent / "results" / "search.md"
SHAPES = {"22x1125": (22, 1125), "2x750": (2, 750)}
AIMS = {"22x1125": 12.0, "2x750": 2.5}
SKEEG, PEER = "skeeg", "braindecode"
BATCH, LR, N_JOBS, SFREQ = 64, 1e-3, 2, 250.0


@dataclass(frozen=True)
class Size:
    """Size of a search."""

    trials: int
    alphas: int
    folds: int
    epochs: int
    rounds: int

    def alpha_values(self) -> list[float]:
        """Return the alphas of ELU and of leaky ReLU."""
        return np.linspace(0.1, 0.9, self.alphas).round(2).tolist()

    def n_candidates(self) -> int:
        """Return the number of candidates; ReLU has no alpha."""
        return 2 * self.alphas + 1


FULL = Size(trials=288, alphas=9, folds=5, epochs=50, rounds=3)
QUICK = Size(trials=192, alphas=3, folds=3, epochs=10, rounds=3)

# ---------------------------------------------------------------------- one search


def trials(shape: str, n_trials: int) -> tuple[Any, Any]:
    """Return simulated motor imagery, channels x samples, and encoded labels."""
    from skeeg.datasets import simulate_motor_imagery

    n_chans, n_times = SHAPES[shape]
    two = {"ch_names": ("C3", "C4")} if n_chans == 2 else {}  # by default 22 electrodes
    data = simulate_motor_imagery(
        1, 1, 1, n_trials, sfreq=SFREQ, tmin=0, tmax=n_times / SFREQ, random_state=0, **two
    )
    X = data.X[:, :, :n_times]
    return X / X.std(), (data.y == "right_hand").astype(np.int64)  # braindecode does not scale


def ours(size: Size) -> tuple[Any, list[dict[str, Any]]]:
    from skeeg import EEGNetClassifier

    classifier = EEGNetClassifier(
        max_epochs=size.epochs, batch_size=BATCH, lr=LR, optimizer="adam", device="cpu",
        random_state=0,
    )  # fmt: skip
    with_alpha = {"activation": ["elu", "leaky_relu"], "alpha": size.alpha_values()}
    return classifier, [with_alpha, {"activation": ["relu"]}]


def theirs(size: Size) -> tuple[Any, list[dict[str, Any]]]:
    import torch
    from braindecode import EEGClassifier
    from braindecode.models import EEGNet

    classifier = EEGClassifier(
        EEGNet,
        module__F1=8,
        module__D=2,
        module__kernel_length=64,
        module__drop_prob=0.5,
        module__final_layer_with_constraint=True,
        max_epochs=size.epochs,
        batch_size=BATCH,
        lr=LR,
        optimizer=torch.optim.Adam,
        train_split=None,  # skeeg has no validation split either
        classes=[0, 1],
        device="cpu",
        verbose=0,
    )
    alphas = size.alpha_values()
    elus = [partial(torch.nn.ELU, alpha=alpha) for alpha in alphas]
    leaky = [partial(torch.nn.LeakyReLU, negative_slope=alpha) for alpha in alphas]
    return classifier, [{"module__activation": [*elus, *leaky, torch.nn.ReLU]}]


def search(who: str, shape: str, size: Size) -> dict[str, Any]:
    """Run a search and return its time and its best score."""
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    X, y = trials(shape, size.trials)
    classifier, grid = (ours if who == SKEEG else theirs)(size)
    folds = StratifiedKFold(size.folds, shuffle=True, random_state=0)
    searching = GridSearchCV(classifier, grid, cv=folds, n_jobs=N_JOBS)
    start = time.perf_counter()
    searching.fit(X, y)
    seconds = time.perf_counter() - start
    best = {name: str(value) for name, value in searching.best_params_.items()}
    return {
        "seconds": seconds,
        "refit": searching.refit_time_,
        "fits": float(searching.cv_results_["mean_fit_time"].sum() * size.folds),
        "score": float(searching.best_score_),
        "mean score": float(searching.cv_results_["mean_test_score"].mean()),
        "best": ", ".join(best.values()),
    }


# ---------------------------------------------------------------------- measurements


def measure(who: str, shape: str, size: Size) -> dict[str, Any]:
    """Run a search in a new process and return its results and its peak memory, in MB."""
    options = [f"--{name}={value}" for name, value in asdict(size).items()]
    command = [sys.executable, __file__, "--only", who, "--shapes", shape, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, proportional_size(process.pid))
            time.sleep(0.2)
        output = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise RuntimeError(f"the search with {who} failed with exit code {process.returncode}")
    return json.loads(output.splitlines()[-1]) | {"memory": peak / 2**20}


def proportional_size(pid: int) -> int:
    """Return the memory of a process and its descendants in bytes, shared pages counted once."""
    total = 0
    try:
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            try:
                total += process.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
    except psutil.NoSuchProcess:
        return total
    return total


# ---------------------------------------------------------------------- page


def report(rows: pd.DataFrame, size: Size, command: str) -> str:
    """Return the page."""
    lines = [
        "# Grid search",
        "",
        f"Written by `{command}`, whose docstring describes the comparison: {size.trials} trials, "
        f"{size.n_candidates()} candidates, {size.folds} folds, {size.epochs} epochs, "
        f"`n_jobs={N_JOBS}`. Medians of {rows['round'].max() + 1} alternating rounds; a ratio is "
        "the median of the rounds' ratios, with the smallest and the largest in brackets.",
        "",
        f"{os.cpu_count()} processors, Python {platform.python_version()}, "
        + ", ".join(
            f"{name} {version(name)}"
            for name in ("skeeg", "braindecode", "torch", "scikit-learn", "joblib")
        )
        + f". Load averages before a search were {rows['load'].min():.1f} to "
        f"{rows['load'].max():.1f}.",
        "",
        "| trials | contestant | wall time, s | times braindecode | aim | fits alone, s | refit, s "
        "| peak memory, MB | share of braindecode's | best score | mean score | best candidate |",
        "|---" * 12 + "|",
    ]
    for shape, of_shape in rows.groupby("shape", sort=False):
        wide = of_shape.pivot(index="round", columns="who")
        ratio = wide["seconds"][PEER] / wide["seconds"][SKEEG]
        share = wide["memory"][SKEEG] / wide["memory"][PEER]
        aim = AIMS[str(shape)]
        reached = "reached" if ratio.median() >= aim else "**missed**"
        for who in (SKEEG, PEER):
            median = of_shape[of_shape["who"] == who].median(numeric_only=True)
            times = f"**{ratio.median():.1f}** ({ratio.min():.1f} to {ratio.max():.1f})"
            lines.append(
                f"| {shape} | {who} | {median['seconds']:.1f} "
                f"| {times if who == SKEEG else ''} "
                f"| {f'{aim:g}, {reached}' if who == SKEEG else ''} "
                f"| {median['fits']:.1f} | {median['refit']:.1f} | {median['memory']:.0f} "
                f"| {f'{share.median():.2f}' if who == SKEEG else ''} "
                f"| {median['score']:.3f} | {median['mean score']:.3f} "
                f"| {of_shape[of_shape['who'] == who]['best'].iloc[0]} |"
            )
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------------- command


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smaller search")
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--only", choices=[SKEEG, PEER], help="one search, printed as JSON")
    parser.add_argument("--out", type=Path, help="the page to write")
    for field in fields(Size):
        parser.add_argument(f"--{field.name}", type=int, help=f"{getattr(FULL, field.name)}")
    return parser.parse_args()


def main() -> None:
    arguments = parsed_arguments()
    warnings.filterwarnings("ignore")
    default = QUICK if arguments.quick else FULL
    given = {field.name: getattr(arguments, field.name) for field in fields(Size)}
    size = Size(**(asdict(default) | {k: v for k, v in given.items() if v is not None}))
    if arguments.only:
        print(json.dumps(search(arguments.only, arguments.shapes[0], size)))
        return
    todo = [
        (shape, round_, who)
        for shape in arguments.shapes
        for round_ in range(size.rounds)
        for who in ((SKEEG, PEER) if round_ % 2 == 0 else (PEER, SKEEG))
    ]
    rows = []
    for shape, round_, who in tqdm(todo, unit="search"):
        load = os.getloadavg()[0]
        measured = measure(who, shape, size)
        rows.append({"shape": shape, "round": round_, "who": who, "load": load} | measured)
        tqdm.write(json.dumps(rows[-1]))
    page = arguments.out or (
        Path(tempfile.gettempdir()) / RESULTS.name if arguments.quick else RESULTS
    )
    page.parent.mkdir(parents=True, exist_ok=True)
    command = "python benchmarks/search.py" + " --quick" * arguments.quick
    page.write_text(report(pd.DataFrame(rows), size, command))
    print(f"{page.read_text()}\nWritten to {page}.")


if __name__ == "__main__":
    main()
