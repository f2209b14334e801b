"""Activations in EEGNet and DeepConvNet, compared with a lab report.

    python benchmarks/lab_study.py --data ../shared/data/bciciii

The lab report is on BCI Competition III, data set IIIb. It trained EEGNet and DeepConvNet, in the
forms that are ``variant="lab"`` here, on 1,080 trials of two derivations x 750 samples, and tested
them on another 1,080 trials: with ReLU, leaky ReLU and ELU, and with the coefficient alpha of ELU
from 0.1 to 0.9. It used batches of 256, Adam with a learning rate of 1e-3, a weight decay of 1e-2
and 300 epochs. Its accuracies are those of the best of 300 epochs on the test set, so they are too
high.

This script trains the same networks and reports three accuracies on the test set: after the last
epoch; at the epoch with the lowest loss on a fifth of the training trials, for a second fit on the
other four fifths; and at the best epoch on the test set, labelled as selected on the test set.

``--data`` is the folder of ``S4b_train.npz``, ``S4b_test.npz``, ``X11b_train.npz`` and
``X11b_test.npz``. Without it, trials of the same shape are simulated: C3 and C4 of two subjects,
with one session for training and one for test. They are not bipolar derivations, because one
between electrodes anterior and posterior to C3 would cancel most of the simulated source below it.

Finished fits are kept in ``--store``. They may have run on another machine, such as a GPU with
``--device cuda``, so some short fits are timed on the machine that writes the page. Writes
``benchmarks/results/lab_study.md`` and its figures.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
import torch
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from skorch.callbacks import Callback
from speed_report import processor
from tqdm import tqdm

from skeeg import DeepConvNetClassifier, EEGData, EEGNetClassifier
from skeeg._files import atomic_path
from skeeg.datasets import load_bciciii_iiib, simulate_motor_imagery
from skeeg.plotting._style import BLUE, GREEN, GREY, ORANGE, new_figure, open_axes

RESULTS = Path(__file__).parent / "results"
CLASSIFIERS = {"EEGNet": EEGNetClassifier, "DeepConvNet": DeepConvNetClassifier}
ACTIVATIONS = ("relu", "leaky_relu", "elu")
ALPHAS = tuple(np.arange(1, 10) / 10)
BATCH = 256
#: Epochs of the fits that measure the time of an epoch.
TIMED_EPOCHS = 10
#: Figures in the report: epochs per second on its GPU, and accuracies at the best test epoch.
REPORTED_RATE = {"EEGNet": 3.3, "DeepConvNet": 6.5}
REPORTED = {
    ("EEGNet", "relu"): 0.8713,
    ("EEGNet", "leaky_relu"): 0.8815,
    ("EEGNet", "elu"): 0.8398,
    ("DeepConvNet", "relu"): 0.8509,
    ("DeepConvNet", "leaky_relu"): 0.8398,
    ("DeepConvNet", "elu"): 0.8259,
}
COLOURS = {"relu": BLUE, "leaky_relu": ORANGE, "elu": GREEN}
NAMES = {"relu": "ReLU", "leaky_relu": "leaky ReLU", "elu": "ELU"}
#: Columns of the results, with colour and marker in the figures.
SELECTIONS = {
    "last epoch": (BLUE, "o"),
    "chosen on validation trials": (GREEN, "s"),
    "best test epoch (selected on the test set)": (ORANGE, "^"),
}
LAST, CHOSEN, BEST = SELECTIONS
FIGURES = {
    "eegnet": "Accuracy and loss of EEGNet against the epoch, for each activation",
    "deepconvnet": "Accuracy and loss of DeepConvNet against the epoch, for each activation",
    "alpha": "Accuracy against the coefficient of ELU",
}


class Trials(NamedTuple):
    """Training and test trials, with the strata of the training trials."""

    train: NDArray[Any]
    y_train: NDArray[np.int64]
    strata: NDArray[Any]
    test: NDArray[Any]
    y_test: NDArray[np.int64]


@dataclass(frozen=True)
class Fit:
    """A fit of the study; ``held_out`` sets a fifth of the training trials aside."""

    network: str
    activation: str
    alpha: float | None
    held_out: bool
    epochs: int
    seed: int

    def __str__(self) -> str:
        alpha = "" if self.alpha is None else f"-{self.alpha:g}"
        trials = "four-fifths" if self.held_out else "all"
        return f"{self.network}-{self.activation}{alpha}-{trials}-{self.epochs}-seed{self.seed}"


class Curve(Callback):
    """Record loss and accuracy on held-out trials after each epoch."""

    def __init__(self, name: str, X: NDArray[Any], y: NDArray[np.int64]) -> None:
        self.name, self.X, self.y = name, X, y

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Score the network after the epoch."""
        probability = net.predict_proba(self.X)
        correct = (probability.argmax(axis=1) == self.y).mean()
        of_label = probability[np.arange(len(self.y)), self.y]
        net.history.record(f"{self.name}_acc", float(correct))
        net.history.record(f"{self.name}_loss", float(-np.log(of_label.clip(1e-30)).mean()))


# ---------------------------------------------------------------------- trials


def load(folder: Path | None) -> tuple[str, Trials]:
    """Return a description of the trials, and the trials."""
    if folder is not None:
        data = load_bciciii_iiib(folder)
        return "S4b and X11b of BCI Competition III, data set IIIb", divided(data, "train")
    data = simulate_motor_imagery(
        n_subjects=2,
        n_sessions=2,
        n_runs=1,
        n_trials=540,
        ch_names=("C3", "C4"),
        sfreq=125.0,
        tmin=0.0,
        tmax=6.0,
        random_state=0,
    )
    return "simulated trials of the recordings' shape", divided(data, "0")


def divided(data: EEGData, training_session: str) -> Trials:
    train = (data.metadata["session"] == training_session).to_numpy()
    classes, y = np.unique(data.y, return_inverse=True)
    strata = data.metadata["subject"].astype(str).to_numpy() + classes[y]
    return Trials(data.X[train], y[train], strata[train], data.X[~train], y[~train])


# ---------------------------------------------------------------------- training


def histories(
    fits: list[Fit], trials: Trials, store: Path, n_jobs: int, device: str
) -> dict[Fit, pd.DataFrame]:
    """Return a row per epoch of each fit, from the store if the fit is there."""
    folder = store / joblib.hash(trials)[:12]
    paths = {fit: folder / f"{fit}.csv" for fit in fits}
    todo = [fit for fit in fits if not paths[fit].exists()]
    print(f"{len(fits) - len(todo)} of {len(fits)} fits are in {folder}.", flush=True)
    work = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
        joblib.delayed(train)(fit, trials, paths[fit], n_jobs, device) for fit in todo
    )
    for name, seconds in tqdm(work, total=len(todo), unit="fit"):
        tqdm.write(f"{name}: {seconds:.2f} s per epoch")
    return {fit: pd.read_csv(path) for fit, path in paths.items()}


def train(fit: Fit, trials: Trials, path: Path, n_jobs: int, device: str) -> tuple[str, float]:
    """Write the history of a fit; return its name and the seconds of an epoch."""
    X, y = trials.train, trials.y_train
    callbacks = [("test", Curve("test", trials.test, trials.y_test))]
    if fit.held_out:
        kept, aside = train_test_split(
            np.arange(len(y)), test_size=0.2, stratify=trials.strata, random_state=fit.seed
        )
        callbacks.append(("valid", Curve("valid", X[aside], y[aside])))
        X, y = X[kept], y[kept]
    classifier = CLASSIFIERS[fit.network](
        variant="lab",
        activation=fit.activation,
        alpha=fit.alpha,
        max_epochs=fit.epochs,
        batch_size=min(BATCH, len(y)),
        lr=1e-3,
        weight_decay=1e-2,
        device=device,
        random_state=fit.seed,
        callbacks=callbacks,
    )
    start = time.perf_counter()
    classifier.fit(X, y)
    elapsed = time.perf_counter() - start
    columns = ["epoch", "dur", "train_loss", "train_acc", "test_loss", "test_acc"]
    columns += ["valid_loss", "valid_acc"] * fit.held_out
    history = pd.DataFrame({name: classifier.history[:, name] for name in columns})
    history["elapsed"] = elapsed / fit.epochs
    history["at_once"] = n_jobs
    history["machine"] = machine(classifier.device_)
    with atomic_path(path) as partial:
        history.to_csv(partial, index=False)
    return str(fit), float(history["dur"].median())


def machine(device: str) -> str:
    """Return the name of the processor or GPU."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{processor()}, {os.cpu_count()} cores"


# ---------------------------------------------------------------------- results


def accuracies(found: dict[Fit, pd.DataFrame]) -> pd.DataFrame:
    """Return a row per network, activation and alpha: mean accuracies over seeds."""
    rows: list[dict[str, Any]] = []
    for fit, history in found.items():
        where = {"network": fit.network, "activation": fit.activation, "alpha": fit.alpha}
        test = history["test_acc"]
        if fit.held_out:
            rows.append(where | {CHOSEN: test[history["valid_loss"].idxmin()]})
        else:
            rows.append(where | {LAST: test.iloc[-1], BEST: test.max()})
    keys = ["network", "activation", "alpha"]
    frame = pd.DataFrame(rows).reindex(columns=[*keys, *SELECTIONS])
    means = frame.groupby(keys, sort=False, dropna=False, as_index=False).mean()
    return means.sort_values("network", kind="stable", ascending=False, ignore_index=True)


def timed(
    networks: list[str], trials: Trials, store: Path, n_jobs: int, device: str
) -> dict[Fit, pd.DataFrame]:
    """Return the histories of short fits of each network, ``n_jobs`` of them in parallel."""
    found: dict[Fit, pd.DataFrame] = {}
    for network in networks:
        fits = [Fit(network, "elu", None, False, TIMED_EPOCHS, seed) for seed in range(n_jobs)]
        found |= histories(fits, trials, store / "timed", n_jobs, device)
    return found


def speed(found: dict[Fit, pd.DataFrame]) -> list[str]:
    """Return the table of times of the fits on all training trials."""
    fits = pd.DataFrame(
        {
            "network": fit.network,
            "epochs": fit.epochs,
            "epoch": history["dur"].median(),
            **history[["elapsed", "at_once", "machine"]].iloc[0],
        }
        for fit, history in found.items()
        if not fit.held_out
    )
    lines = [
        "| network | machine | fits | epochs | parallel fits | s per epoch | with scoring the test "
        "set | total epochs/s | lab report's GPU, epochs/s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    alike = ["network", "machine", "epochs", "at_once"]
    for (network, where, epochs, at_once), own in fits.groupby(alike):
        epoch = own["epoch"].median()
        lines.append(
            f"| {network} | {where} | {len(own)} | {epochs} | {at_once} | {epoch:.2f} | "
            f"{own['elapsed'].median():.2f} | {at_once / epoch:.1f} | {REPORTED_RATE[network]} |"
        )
    return lines


def summary(
    title: str, recorded: bool, trials: Trials, found: dict[Fit, pd.DataFrame], times: list[str]
) -> str:
    """Return the page."""
    scores = accuracies(found)
    first = next(iter(found))
    n_test = len(trials.y_test)
    error = float(np.sqrt(scores[LAST].mean() * (1 - scores[LAST].mean()) / n_test))
    gain = float((scores[BEST] - scores[LAST]).mean())
    lines = [
        "# Lab study",
        "",
        "Written by `python benchmarks/lab_study.py`, whose docstring describes the training.",
        "",
        f"{title[0].upper()}{title[1:]}: {len(trials.y_train):,} training and {n_test:,} test "
        f"trials of {' x '.join(map(str, trials.test.shape[1:]))}; {first.epochs} epochs, "
        f"{seeds_of(found)}.",
        "",
        "## Time",
        "",
        *times,
        "",
        "## Accuracy on the test set",
        "",
        f"The standard error of an accuracy on {n_test:,} trials is {100 * error:.1f} points. The "
        f"best epoch on the test set is on average {100 * gain:.1f} points above the last epoch, "
        "which is the bias of selecting the epoch on the test set.",
        "",
        *accuracy_table(scores, recorded),
        "",
    ]
    for name in figure_names(found):
        lines += [f"![{FIGURES[name]}](lab_study_{name}.png)", ""]
    return "\n".join(lines)


def seeds_of(found: Iterable[Fit]) -> str:
    """Return the number of seeds as text."""
    n_seeds = len({fit.seed for fit in found})
    return f"{n_seeds} seed{'s' if n_seeds > 1 else ''}"


def accuracy_table(scores: pd.DataFrame, recorded: bool) -> list[str]:
    header = ["network", "activation", *SELECTIONS]
    if recorded:
        header.append("lab report (selected on the test set)")
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    for _, row in scores.iterrows():
        name = NAMES[row["activation"]]
        if not pd.isna(row["alpha"]):
            name += f", alpha {row['alpha']:g}"
        cells = [row["network"], name]
        cells += ["" if pd.isna(row[key]) else f"{100 * row[key]:.2f}" for key in SELECTIONS]
        if recorded:
            reported = REPORTED.get((row["network"], row["activation"]))
            own = reported is not None and pd.isna(row["alpha"])
            cells.append(f"{100 * reported:.2f}" if own else "")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


# ---------------------------------------------------------------------- figures


def figure_names(found: Iterable[Fit]) -> list[str]:
    return [*dict.fromkeys(fit.network.lower() for fit in found), "alpha"]


def plot_curves(network: str, found: dict[Fit, pd.DataFrame], title: str) -> Any:
    """Draw accuracy and loss of each activation against the epoch, for the first seed."""
    figure = new_figure(9.5, 4.2)
    panels = figure.subplots(1, 2)
    shown = {"acc": "Accuracy (%)", "loss": "Loss (nats)"}
    for axes, (quantity, label) in zip(panels, shown.items(), strict=True):
        for fit, history in found.items():
            drawn = fit.network == network and fit.alpha is None and not fit.held_out
            if not drawn or fit.seed:
                continue
            factor = 100 if quantity == "acc" else 1
            for part, style in (("train", {"ls": ":", "lw": 1.2}), ("test", {"lw": 1.2})):
                values = factor * history[f"{part}_{quantity}"]
                axes.plot(history["epoch"], values, color=COLOURS[fit.activation], **style)
        axes.set_xlabel("Epoch")
        axes.set_ylabel(label)
        open_axes(axes)
    lines = [Line2D([], [], color=COLOURS[name]) for name in ACTIVATIONS]
    lines += [Line2D([], [], color=GREY), Line2D([], [], color=GREY, ls=":")]
    labels = [*(NAMES[name] for name in ACTIVATIONS), "test trials", "training trials"]
    panels[0].legend(lines, labels, frameon=False, fontsize=9)
    figure.suptitle(f"{network}, {title}, seed 0", fontsize=11)
    return figure


def plot_alphas(scores: pd.DataFrame, n_test: int, seeds: str, title: str) -> Any:
    """Draw accuracy against the coefficient of ELU, with standard errors of a proportion."""
    networks = list(dict.fromkeys(scores["network"]))
    figure = new_figure(4.75 * len(networks), 4.4)
    panels = figure.subplots(1, len(networks), sharey=True, squeeze=False)[0]
    elu = scores[scores["activation"] == "elu"].fillna({"alpha": 1.0}).sort_values("alpha")
    for axes, network in zip(panels, networks, strict=True):
        own = elu[elu["network"] == network]
        for i, (selection, (colour, marker)) in enumerate(SELECTIONS.items()):
            share = own[selection].to_numpy(dtype=float)
            axes.errorbar(
                own["alpha"] + 0.012 * (i - 1),  # so that error bars do not overlap
                100 * share,
                100 * np.sqrt(share * (1 - share) / n_test),
                color=colour,
                marker=marker,
                markersize=5,
                linewidth=1.2,
                label=selection,
            )
        axes.set_title(network, fontsize=10)
        axes.set_xlabel("Alpha of ELU")
        axes.set_xticks(own["alpha"])
        open_axes(axes)
    panels[0].set_ylabel("Accuracy on the test set (%)")
    lines, labels = panels[0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    bars = f"bars: standard error of {n_test:,} trials"
    figure.suptitle(f"ELU, {title}, mean of {seeds}; {bars}", fontsize=11)
    return figure


def draw(
    found: dict[Fit, pd.DataFrame], scores: pd.DataFrame, n_test: int, title: str, out: Path
) -> None:
    for network in dict.fromkeys(fit.network for fit in found):
        figure = plot_curves(network, found, title)
        figure.savefig(out / f"lab_study_{network.lower()}.png")
    plot_alphas(scores, n_test, seeds_of(found), title).savefig(out / "lab_study_alpha.png")


# ---------------------------------------------------------------------- the whole


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the .npz files; simulated if omitted")
    parser.add_argument("--networks", nargs="+", choices=CLASSIFIERS, default=list(CLASSIFIERS))
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--n-jobs", type=int, default=2, help="parallel fits, one per core")
    parser.add_argument("--device", default="cpu", help='"cpu" or a CUDA device, such as "cuda"')
    parser.add_argument(
        "--no-validation",
        action="store_true",
        help="leave out the fits that select an epoch on validation trials, nearly half of all",
    )
    parser.add_argument("--store", type=Path, default=Path("skeeg-results/lab_study"))
    parser.add_argument("--out", type=Path, help="folder of the results")
    parser.add_argument(
        "--quick", action="store_true", help="few trials, epochs and values, to check the script"
    )
    return parser.parse_args()


def main() -> None:
    arguments = parsed_arguments()
    title, trials = load(arguments.data)
    epochs, alphas, out = arguments.epochs, ALPHAS, arguments.out or RESULTS
    if arguments.quick:
        trials = Trials(*(values[::8] for values in trials))
        epochs, alphas = 3, ALPHAS[1::3]
        out = arguments.out or Path(tempfile.gettempdir())
    variations = [(name, None) for name in ACTIVATIONS] + [("elu", alpha) for alpha in alphas]
    fits = [
        Fit(network, activation, alpha, held_out, epochs, seed)
        for seed, held_out, (activation, alpha), network in product(
            range(arguments.seeds),
            [False] if arguments.no_validation else [False, True],
            variations,
            arguments.networks,
        )
    ]
    found = histories(fits, trials, arguments.store, arguments.n_jobs, arguments.device)
    clocked = timed(arguments.networks, trials, arguments.store, arguments.n_jobs, arguments.device)
    times = speed(found | clocked)
    print("\n".join(times))
    out.mkdir(parents=True, exist_ok=True)
    scores = accuracies(found)
    draw(found, scores, len(trials.y_test), title, out)
    page = out / "lab_study.md"
    page.write_text(summary(title, arguments.data is not None, trials, found, times))
    print(f"Wrote {page} and its figures.")


if __name__ == "__main__":
    main()
