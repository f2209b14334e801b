"""EEGNet with and without each augmentation, on the recordings of `real_eeg.py`.

    python benchmarks/augmentation.py --data ../shared/data

Augmentations have their default parameters. Labels that do not depend on the side are declared to
`Mirror`. A fold leaves out a run, or a subject where there are several. EEGNet's filters are half a
second long, as in `real_eeg.py`. Writes ``benchmarks/results/augmentation.md``. Finished folds are
kept in ``--store``. With ``--quick``, one epoch of one fold of each row shows that all of it runs.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import mne
import numpy as np
import pandas as pd
from real_eeg import STUDIES, Study
from sklearn.model_selection import LeaveOneGroupOut

from skeeg import EEGNetClassifier, compare
from skeeg.augmentation import AUGMENTATIONS, Mirror

RESULTS = Path(__file__).parent / "results" / "augmentation.md"

CHOSEN = ["fists-feet", "left-right", "muse-left-right", "muse-p300", "eegmat", "ssvep"]

#: Studies whose labels do not say left or right.
SIDELESS = {"fists-feet", "muse-p300", "eegmat", "ssvep"}

#: Four augmentations at once, which know nothing of the paradigm.
FOUR = ["time_shift", "channel_dropout", "gaussian_noise", "amplitude_scale"]


def rows(name: str) -> dict[str, Any]:
    """Return the parameter ``augment`` of each row of a study."""
    made: dict[str, Any] = {"none": None} | {each: each for each in AUGMENTATIONS}
    if name in SIDELESS:
        made["mirror"] = Mirror(labels={})
    return made | {" + ".join(FOUR): FOUR}


def run(name: str, study: Study, args: argparse.Namespace) -> pd.DataFrame:
    """Return the score of each row, seed and fold of a study."""
    data = study.load(args.data)
    groups = data.groups(study.leave_out)
    splits = list(LeaveOneGroupOut().split(np.zeros(len(data)), data.y, groups))
    parts = []
    for seed in range(args.seeds):
        models = {
            row: EEGNetClassifier(
                kernel_length=round(data.sfreq / 2),
                dropout=study.dropout,
                max_epochs=args.epochs,
                augment=augment,
            )
            for row, augment in rows(name).items()
            if row in args.rows
        }
        comparison = compare(
            models,
            data,
            cv=splits[: args.folds],
            groups=groups,
            scoring=study.metric,
            random_state=1000 * seed,
            n_jobs=args.n_jobs,
            store=args.store,
            progress=False,
        )
        found = comparison.scores.rename(columns={study.metric: "score", "estimator": "row"})
        parts.append(found[["row", "fold", "score"]].assign(study=name, seed=seed))
    return pd.concat(parts, ignore_index=True)


def differences(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the mean score of each row, and its difference from training without augmentation.

    The standard error is that of the differences of folds and seeds.
    """
    wide = scores.pivot_table(index=["fold", "seed"], columns="row", values="score", sort=False)
    gains = wide.sub(wide["none"], axis=0)
    return pd.DataFrame(
        {
            "score": wide.mean(),
            "gain": gains.mean(),
            "error": gains.std(ddof=1) / np.sqrt(len(gains)),
        }
    )


def page(scores: pd.DataFrame, args: argparse.Namespace) -> str:
    """Return the results as Markdown."""
    tables = {name: differences(scores[scores["study"] == name]) for name in args.studies}
    options = f"--epochs {args.epochs} --seeds {args.seeds}"
    options += f" --folds {args.folds}" if args.folds else ""
    options += f" --studies {' '.join(args.studies)}" if args.studies != CHOSEN else ""
    lines = [
        "# Augmentation",
        "",
        f"Written by `python benchmarks/augmentation.py {options}`. EEGNet, {args.epochs} epochs, "
        f"mean over folds and {args.seeds} seed(s). In parentheses: the mean difference from "
        "training without augmentation, and its standard error over folds and seeds. Bold: a loss "
        "of more than two standard errors. With few folds and seeds, an error is itself uncertain.",
        "",
        "| augment | " + " | ".join(tables) + " |",
        "|" + "---|" * (1 + len(tables)),
    ]
    for row in args.rows:
        cells = [_cell(table.loc[row]) for table in tables.values()]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    folds = {name: scores[scores["study"] == name]["fold"].nunique() for name in args.studies}
    lines += ["", "Metric, chance and number of folds:", ""]
    for name in args.studies:
        study = STUDIES[name]
        metric = study.metric.replace("_", " ")
        lines.append(f"- {name}: {study.title}; {metric}, {study.chance:g}, {folds[name]}")
    missing = [name for name in CHOSEN if name not in args.studies]
    lines += ["", f"Not measured here: {', '.join(missing)}."] if missing else []
    lines += ["", "## Where each helps and hurts", ""]
    for row in args.rows[1:]:
        changes = {name: table.loc[row] for name, table in tables.items()}
        hurts = [name for name, change in changes.items() if change["gain"] < -2 * change["error"]]
        helps = [name for name, change in changes.items() if change["gain"] > 2 * change["error"]]
        mean = np.mean([change["gain"] for change in changes.values()])
        lines.append(
            f"- {row}: helps on {', '.join(helps) or 'none'}, hurts on "
            f"{', '.join(hurts) or 'none'}, mean difference {mean:+.3f}."
        )
    return "\n".join([*lines, ""])


def _cell(change: pd.Series[float]) -> str:
    if change.name == "none":
        return f"{change['score']:.3f}"
    text = f"{change['score']:.3f} ({change['gain']:+.3f} ± {change['error']:.3f})"
    return f"**{text}**" if change["gain"] < -2 * change["error"] else text


def main() -> None:
    every_row = list(rows(CHOSEN[0]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--studies", nargs="+", choices=CHOSEN, default=CHOSEN)
    parser.add_argument("--rows", nargs="+", choices=every_row, default=every_row)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--folds", type=int, help="of each study, the first so many; default all")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--store", type=Path, default=Path("skeeg-results/augmentation"))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if args.quick:
        args.seeds, args.epochs, args.folds = 1, 1, 1
    args.rows = list(dict.fromkeys(["none", *args.rows]))
    unasked = Path(gettempdir()) / RESULTS.name if args.quick else RESULTS
    out = args.out or unasked
    mne.set_log_level("error")
    warnings.filterwarnings("ignore")
    parts = []
    for name in args.studies:
        parts.append(run(name, STUDIES[name], args))
        print(name, differences(parts[-1]).round(3).to_string(), sep="\n", flush=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(pd.concat(parts, ignore_index=True), args), encoding="utf-8")
    print(out)


if __name__ == "__main__":
    main()
