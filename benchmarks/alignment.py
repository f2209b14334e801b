"""Decoders with and without alignment of the domains, on the recordings of `real_eeg.py`.

    python benchmarks/alignment.py --data ../shared/data

A domain is what a fold leaves out: a subject, or a run where there is one subject. The left-out
domain is aligned by its own unlabelled trials (transductive), except in the last two rows. Writes
``benchmarks/results/alignment.md``. Finished folds are kept in ``--store``.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

import mne
import pandas as pd
from real_eeg import STUDIES, Study
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.pipeline import make_pipeline

from skeeg import EEGNetClassifier, compare
from skeeg.alignment import EuclideanAlignment, RiemannianAlignment

RESULTS = Path(__file__).parent / "results" / "alignment.md"

CHOSEN = ["fists-feet", "left-right", "muse-left-right", "muse-p300", "eegmat", "ssvep"]

#: The baseline of each study with which alignment is tried.
BASELINE = {
    "fists-feet": "CSP + LDA",
    "left-right": "CSP + LDA",
    "muse-left-right": "xDAWN + LR",
    "muse-p300": "xDAWN + LR",
    "eegmat": "tangent space + LR",
    "ssvep": "tangent space of 6 bands + LR",
}

#: Parameters of the Euclidean alignment by the name of a row.
ROWS: dict[str, dict[str, Any]] = {
    "to the training domains": {},
    "to the training domains, OAS": {"shrinkage": "oas"},
    "to the training domains, no shrinkage": {"shrinkage": None},
    "to the identity": {"reference": "identity"},
    "to the identity, no shrinkage": {"reference": "identity", "shrinkage": None},
    "to the training domains, calibration": {"new_domains": "calibration"},
    "to the training domains, recursive": {"new_domains": "recursive"},
}

#: Rows of the networks, which take longer.
NETWORK_ROWS = ("to the training domains", "to the identity, no shrinkage")


def aligned(model: Any, domain: str, rows: list[str]) -> dict[str, Any]:
    """Return a model as it is, and after each kind of alignment."""
    made = {"as is": model}
    for row in rows:
        made[row] = make_pipeline(EuclideanAlignment(domain=domain, **ROWS[row]), model)
    return made


def run(name: str, study: Study, args: argparse.Namespace) -> pd.DataFrame:
    """Return the mean score of each decoder and row of a study."""
    data = study.load(args.data)
    means = []
    for decoder in args.decoders:
        if decoder == "EEGNet":
            half_a_second = round(data.sfreq / 2)
            model: Any = EEGNetClassifier(
                kernel_length=half_a_second, dropout=study.dropout, max_epochs=args.epochs
            )
            rows, seeds = list(NETWORK_ROWS), range(args.seeds)
        else:
            model, rows, seeds = study.baselines(data.sfreq)[BASELINE[name]], list(ROWS), range(1)
        models = aligned(model, study.leave_out, rows)
        if decoder == "baseline":
            models["Riemannian"] = make_pipeline(RiemannianAlignment(study.leave_out), model)
        for seed in seeds:
            comparison = compare(
                models,
                data,
                cv=LeaveOneGroupOut(),
                groups=data.nested_groups(study.leave_out),
                scoring=study.metric,
                random_state=1000 * seed,
                n_jobs=args.n_jobs,
                store=args.store,
                progress=False,
            )
            mean = comparison.scores.groupby("estimator", sort=False)[study.metric].mean()
            means.append(mean.rename_axis("alignment").reset_index(name="score"))
            means[-1] = means[-1].assign(decoder=decoder, study=name)
    return pd.concat(means, ignore_index=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--studies", nargs="+", choices=CHOSEN, default=CHOSEN)
    parser.add_argument("--decoders", nargs="+", default=["baseline", "EEGNet"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--store", type=Path, default=Path("skeeg-results/alignment"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    mne.set_log_level("error")
    warnings.filterwarnings("ignore")
    parts = []
    for name in args.studies:
        parts.append(run(name, STUDIES[name], args))
        print(parts[-1].to_string(), flush=True)
    scores = pd.concat(parts, ignore_index=True)
    table = scores.pivot_table(
        index=["decoder", "alignment"], columns="study", values="score", sort=False
    ).round(3)
    lines = [
        "# Alignment",
        "",
        f"Written by `python benchmarks/alignment.py`. Mean over folds and {args.seeds} seed(s) of "
        f"EEGNet, {args.epochs} epochs. Baselines: "
        + "; ".join(f"{study}: {BASELINE[study]}" for study in args.studies)
        + ".",
        "",
        "| decoder | alignment | " + " | ".join(table.columns) + " |",
        "|" + "---|" * (2 + len(table.columns)),
    ]
    for (decoder, alignment), row in table.iterrows():
        lines.append(f"| {decoder} | {alignment} | " + " | ".join(f"{v:.3f}" for v in row) + " |")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
