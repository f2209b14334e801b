"""Accuracy for a new subject against the number of calibration trials.

    python benchmarks/calibration.py --data ../shared/data

The SSVEP recording: rest or one of three frequencies, six subjects with two sessions. Each subject
in turn is the new one. Its calibration trials are the first of each class of the first session, and
the test trials are all of the last session. Networks are trained on the calibration trials alone,
or on all sessions of the other five subjects and then left as they are, adapted to the calibration
trials without labels (``adapt``), or fine-tuned with labels (``finetune``). The tangent space of
six bands is trained on the calibration trials, or on them and the other subjects. Nothing was
chosen on the test trials.

Writes ``results/calibration.csv``, one row per subject, seed, number of trials and decoder;
``results/calibration.md`` and ``results/calibration.png``. Subjects and seeds in the file are not
run again.
"""

from __future__ import annotations

import argparse
import copy
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import mne
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from real_eeg import STUDIES
from sklearn.base import clone

from skeeg import EEGData, EEGNetClassifier

RESULTS = Path(__file__).parent / "results"
STUDY = STUDIES["ssvep"]
BASELINE = "tangent space of 6 bands + LR"

#: Calibration trials of each of the four classes.
PER_CLASS = (1, 2, 4, 8)


def calibration_rows(y: NDArray[Any], per_class: int) -> NDArray[np.intp]:
    """Return the first trials of each class, in the order of the recording."""
    first = [np.flatnonzero(y == label)[:per_class] for label in np.unique(y)]
    return np.sort(np.concatenate(first))


def scores(
    others: EEGData, pool: EEGData, test: EEGData, seed: int, args: argparse.Namespace
) -> Iterator[tuple[int, str, float]]:
    """Yield the number of calibration trials, the decoder and its accuracy."""
    network = EEGNetClassifier(
        kernel_length=round(test.sfreq / 2),
        dropout=STUDY.dropout,
        max_epochs=args.epochs,
        random_state=seed,
    )
    classical = STUDY.baselines(test.sfreq)[BASELINE]
    trained = clone(network).fit(others, others.y)
    of_others = clone(classical).fit(others, others.y)
    yield 0, "EEGNet of the others", trained.score(test, test.y)
    yield 0, "tangent space, others and calibration", of_others.score(test, test.y)
    for per_class in PER_CLASS:
        own = pool[calibration_rows(pool.y, per_class)]
        n = len(own)
        yield n, "EEGNet of the others", trained.score(test, test.y)
        adapted = copy.deepcopy(trained).adapt(own)
        yield n, "EEGNet of the others, adapted", adapted.score(test, test.y)
        for name, start, freeze in (
            ("EEGNet of the others, fine-tuned", trained, None),
            ("EEGNet of the others, last layer fine-tuned", trained, "all_but_last"),
            ("EEGNet of the others, adapted and fine-tuned", adapted, None),
        ):
            tuned = copy.deepcopy(start)
            tuned.finetune(own, own.y, freeze=freeze, max_epochs=args.finetune_epochs)
            yield n, name, tuned.score(test, test.y)
        both = EEGData.concatenate([others, own])
        yield n, "EEGNet, calibration alone", clone(network).fit(own, own.y).score(test, test.y)
        # The regularised covariances need more than one trial of a class for the regression.
        alone = clone(classical).fit(own, own.y)
        yield n, "tangent space, calibration alone", alone.score(test, test.y)
        pooled = clone(classical).fit(both, both.y)
        yield n, "tangent space, others and calibration", pooled.score(test, test.y)


def run(data: EEGData, path: Path, args: argparse.Namespace) -> pd.DataFrame:
    """Return the scores of all subjects and seeds, those in the file included."""
    table = pd.read_csv(path, dtype={"subject": str}) if path.exists() else pd.DataFrame()
    done = set() if table.empty else set(zip(table["subject"], table["seed"], strict=True))
    subjects, sessions = data.groups("subject"), data.groups("session")
    for seed in range(args.seeds):
        for subject in np.unique(subjects):
            left_out = args.subjects and str(subject) not in args.subjects
            if left_out or (str(subject), seed) in done:
                continue
            own = subjects == subject
            order = list(dict.fromkeys(sessions[own]))
            parts = (
                data[~own],
                data[own & (sessions == order[0])],
                data[own & (sessions == order[-1])],
            )
            rows = [
                {
                    "subject": str(subject),
                    "seed": seed,
                    "trials": n,
                    "decoder": name,
                    "score": score,
                }
                for n, name, score in scores(*parts, seed, args)
            ]
            table = pd.concat([table, pd.DataFrame(rows)], ignore_index=True)
            table.to_csv(path, index=False)
            print(f"subject {subject}, seed {seed} done", flush=True)
    return table


def summary(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return mean and standard error over subjects, by decoder and number of trials."""
    by_subject = table.groupby(["decoder", "trials", "subject"])["score"].mean()
    grouped = by_subject.groupby(["decoder", "trials"])
    mean, error = grouped.mean().unstack(), grouped.sem().unstack()
    order = mean.iloc[:, -1].sort_values(ascending=False).index
    return mean.loc[order], error.loc[order]


def draw(mean: pd.DataFrame, error: pd.DataFrame, path: Path) -> None:
    """Write the figure."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
    for name, row in mean.iterrows():
        known = row.dropna()
        style = "--" if "tangent" in str(name) else "-"
        spread = error.loc[name, known.index]
        axes.errorbar(known.index, known, spread, label=name, ls=style, marker="o", capsize=2)
    axes.axhline(STUDY.chance, color="grey", lw=1, ls=":", label="chance")
    axes.set(xlabel="calibration trials of the new subject", ylabel="accuracy in its last session")
    figure.legend(loc="outside right upper", fontsize="small")
    figure.savefig(path, dpi=120)


def page(table: pd.DataFrame, args: argparse.Namespace) -> str:
    """Return the page of results."""
    mean, error = summary(table)
    subjects, seeds = sorted(table["subject"].unique()), table["seed"].nunique()
    lines = [
        "# Calibration",
        "",
        "Written by `python benchmarks/calibration.py`, which says what is compared. SSVEP, "
        "four classes, chance 0.25. Mean accuracy over the subjects "
        f"{', '.join(subjects)} and {seeds} seed(s) (standard error over subjects), by the number "
        f"of calibration trials. {args.epochs} epochs, {args.finetune_epochs} of fine-tuning.",
        "",
        "| decoder | " + " | ".join(map(str, mean.columns)) + " |",
        "|---" * (1 + mean.shape[1]) + "|",
    ]
    for name, row in mean.iterrows():
        cells = [
            "" if np.isnan(value) else f"{value:.3f} ({error.loc[name, n]:.3f})"
            for n, value in row.items()
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", "![Accuracy against calibration trials](calibration.png)", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--subjects", nargs="+", help="only these new subjects; default all")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--finetune-epochs", type=int, default=30)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    args = parser.parse_args()
    mne.set_log_level("error")
    warnings.filterwarnings("ignore")
    args.out.mkdir(parents=True, exist_ok=True)
    table = run(STUDY.load(args.data), args.out / "calibration.csv", args)
    mean, error = summary(table)
    draw(mean, error, args.out / "calibration.png")
    (args.out / "calibration.md").write_text(page(table, args))
    print(mean.round(3).to_string())


if __name__ == "__main__":
    main()
