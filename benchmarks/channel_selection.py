"""Accuracy of motor imagery with eight of 64 electrodes, selected by several methods.

    python benchmarks/channel_selection.py --data ../shared/data

Each method selects electrodes on the training runs and is scored on the run that is left out. The
network that `GumbelChannelSelector` trains is also scored. Writes
``benchmarks/results/channel_selection.md`` and a figure of the electrodes.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import mne
import numpy as np
from sklearn.base import clone
from sklearn.model_selection import LeaveOneGroupOut

from skeeg import EEGData, EEGNetClassifier, GumbelChannelSelector
from skeeg.baselines import csp_lda
from skeeg.channel_selection import MutualInformationSelector, RiemannianSelector
from skeeg.datasets import load_eegbci
from skeeg.plotting import plot_selection

RESULTS = Path(__file__).parent / "results" / "channel_selection.md"

#: Smallest acceptable ratio of the accuracies above chance, with eight and with all electrodes.
FLOOR = 0.9


def network(sfreq: float) -> EEGNetClassifier:
    """Return an EEGNet with filters of half a second, as in ``real_eeg.py``."""
    return EEGNetClassifier(kernel_length=round(sfreq / 2), random_state=0)


def run(data: EEGData, n_selected_chans: int) -> tuple[dict[str, Any], GumbelChannelSelector]:
    """Return accuracies, seconds and electrodes by method, and the last network's selector."""
    selectors = {
        "GumbelChannelSelector": GumbelChannelSelector(network(data.sfreq), n_selected_chans),
        "MutualInformationSelector": MutualInformationSelector(n_selected_chans),
        "RiemannianSelector": RiemannianSelector(n_selected_chans),
    }
    results: dict[str, Any] = {}

    def record(name: str, score: float, seconds: float, chosen: list[str] | None = None) -> None:
        row = results.setdefault(name, {"scores": [], "seconds": [], "chosen": []})
        row["scores"].append(score)
        row["seconds"].append(seconds)
        if chosen is not None:
            row["chosen"].append(chosen)
        print(f"{name}: {score:.3f} ({seconds:.0f} s) {' '.join(chosen or [])}", flush=True)

    for train, test in LeaveOneGroupOut().split(data, data.y, data.groups("run")):
        training, testing = data[train], data[test]
        for name, model in {"CSP + LDA": csp_lda(), "EEGNet": network(data.sfreq)}.items():
            start = time.perf_counter()
            score = model.fit(training, training.y).score(testing, testing.y)
            record(f"all 64, {name}", score, time.perf_counter() - start)
        for name, selector in selectors.items():
            start = time.perf_counter()
            fitted = clone(selector).fit(training, training.y)
            seconds = time.perf_counter() - start
            chosen = fitted.get_feature_names_out().tolist()
            model = csp_lda().fit(fitted.transform(training), training.y)
            score = model.score(fitted.transform(testing), testing.y)
            record(f"{name}, CSP + LDA", score, seconds, chosen)
            if isinstance(fitted, GumbelChannelSelector):
                own, gumbel = fitted.estimator_.score(testing, testing.y), fitted
                record(f"EEGNet(n_selected_chans={n_selected_chans})", own, seconds, chosen)
                print(f"entropy {fitted.estimator_.selection_entropy_[-1]:.3f}", flush=True)
    return results, gumbel


def table(results: dict[str, Any], n_selected_chans: int) -> str:
    """Return the results as Markdown."""
    lines = [
        "| method | accuracy | folds | fit, s per fold |",
        "|---|---|---|---|",
    ]
    means = {name: float(np.mean(row["scores"])) for name, row in results.items()}
    for name, row in results.items():
        folds = ", ".join(f"{score:.2f}" for score in row["scores"])
        lines.append(
            f"| {name} | **{means[name]:.3f}** | {folds} | {np.median(row['seconds']):.0f} |"
        )
    lines.append("")
    for few, every in (
        (f"EEGNet(n_selected_chans={n_selected_chans})", "all 64, EEGNet"),
        ("GumbelChannelSelector, CSP + LDA", "all 64, CSP + LDA"),
    ):
        kept = (means[few] - 0.5) / (means[every] - 0.5)
        verdict = "reached" if kept >= FLOOR else "**missed**"
        lines.append(f"- {few} keeps {kept:.0%} of the accuracy above chance; floor {verdict}")
    lines += ["", "Selected electrodes, with a line for each run that is left out:", ""]
    for name, row in results.items():
        if row["chosen"] and not name.startswith("EEGNet"):
            lines += [f"- {name}: {' '.join(chosen)}" for chosen in row["chosen"]]
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--n-selected-chans", type=int, default=8)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    mne.set_log_level("error")
    warnings.filterwarnings("ignore", ".*has not settled")
    data = load_eegbci(args.data / "eegmmidb", task="fists_feet", fmin=7, fmax=30, tmin=0, tmax=4)
    results, gumbel = run(data, args.n_selected_chans)
    text = table(results, args.n_selected_chans)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(
        f"# {args.n_selected_chans} of 64 electrodes\n\nWritten by "
        "`python benchmarks/channel_selection.py`: eegmmidb subject 1, imagined fists or feet, "
        "7-30 Hz,\n0 to 4 s, a run left out; "
        f"chance is 0.5. The floor is {FLOOR:.0%} of the accuracy above chance with all electrodes."
        f"\n\n{text}"
    )
    plot_selection(gumbel).savefig(args.out.with_suffix(".png"))
    print(text)


if __name__ == "__main__":
    main()
