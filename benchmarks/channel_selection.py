"""Channels that are selected by elimination, mutual information and Riemannian distance.

    python benchmarks/channel_selection.py --data ../shared/data --seeds 5

- Noise: 300 trials of 20 channels and 128 samples, three classes, each of which raises the
  amplitude of one channel. How many of the three are found, by seed.
- eegmmidb: imagined fists or feet of one subject, 8 of 64 electrodes, a run left out.
- ssvep: 3 of 8 electrodes, a subject left out.

Each method selects on the training trials. The same EEGNet is then trained on the selected
electrodes and scored on the trials that are left out, so that only the selection differs. Writes
each score to ``benchmarks/results/channel_selection.csv``, from which an interrupted run continues,
and the tables to ``benchmarks/results/channel_selection.md``.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pandas as pd
from sklearn.model_selection import LeaveOneGroupOut

from skeeg import EEGData, EEGNetClassifier
from skeeg.channel_selection import MutualInformationSelector, RiemannianSelector
from skeeg.datasets import load_eegbci, load_ssvep_exoskeleton

RESULTS = Path(__file__).parent / "results" / "channel_selection.md"
COLUMNS = ["part", "method", "seed", "fold", "score", "seconds", "channels"]
NOISE = (1.25, 1.5)


def noise(gain: float, seed: int) -> tuple[np.ndarray, np.ndarray, set[int]]:
    """Return trials, classes, and the channels whose amplitude depends on the class."""
    rng = np.random.default_rng(seed)
    y = np.arange(300) % 3
    channels = rng.choice(20, 3, replace=False)
    X = rng.standard_normal((300, 20, 128))
    X[np.arange(300), channels[y]] *= gain
    return X.astype(np.float32), y, set(channels.tolist())


def rows_of_noise(gain: float, n_seeds: int, done: set[Any]) -> Iterator[dict[str, Any]]:
    """Yield the number of channels that each method finds, by seed."""
    for seed in range(n_seeds):
        X, y, channels = noise(gain, seed)
        selectors = {
            "elimination": EEGNetClassifier(n_selected_chans=3, random_state=seed),
            "mutual information": MutualInformationSelector(3),
            "Riemannian distance": RiemannianSelector(3),
        }
        for method, selector in selectors.items():
            key = {"part": f"noise {gain}", "method": method, "seed": seed, "fold": 0}
            if tuple(key.values()) in done:
                continue
            start = time.perf_counter()
            found = selector.fit(X, y).selected_channels_.tolist()
            yield key | {
                "score": len(channels & set(found)),
                "seconds": time.perf_counter() - start,
                "channels": " ".join(map(str, found)),
            }


def rows_of_recording(
    part: str, data: EEGData, group: str, n_selected: int, n_seeds: int, done: set[Any]
) -> Iterator[dict[str, Any]]:
    """Yield the accuracy of each method, by seed and fold."""
    kernel = round(data.sfreq / 2)
    folds = list(LeaveOneGroupOut().split(data, data.y, data.nested_groups(group)))
    for seed in range(n_seeds):
        for fold, (train, test) in enumerate(folds):
            training, testing = data[train], data[test]
            network = EEGNetClassifier(kernel_length=kernel, random_state=seed)
            methods = {
                "elimination": None,
                "mutual information": MutualInformationSelector(n_selected),
                "Riemannian distance": RiemannianSelector(n_selected),
            }
            for method, selector in methods.items():
                key = {"part": part, "method": method, "seed": seed, "fold": fold}
                if tuple(key.values()) in done:
                    continue
                start = time.perf_counter()
                if selector is None:
                    # Its second training is that of the same network on the selected channels.
                    network.set_params(n_selected_chans=n_selected).fit(training, training.y)
                    score = network.score(testing, testing.y)
                    names = network.selected_ch_names_
                    network.set_params(n_selected_chans=None)
                else:
                    kept = selector.fit_transform(training, training.y)
                    score = network.fit(kept, kept.y).score(selector.transform(testing), testing.y)
                    names = selector.selected_ch_names_
                yield key | {
                    "score": score,
                    "seconds": time.perf_counter() - start,
                    "channels": " ".join(names),
                }


def report(rows: pd.DataFrame) -> str:
    """Return the tables as Markdown, of the seeds that every method has."""
    text = [
        "# Channel selection",
        "",
        "Written by `python benchmarks/channel_selection.py` with default settings. Channels "
        "found, of three:",
        "",
        "| amplitude | method | by seed | all three |",
        "|---|---|---|---|",
    ]
    for gain in NOISE:
        for method, found in rows[rows.part == f"noise {gain}"].groupby("method"):
            counts = found.sort_values("seed").score.astype(int)
            listed = " ".join(map(str, counts))
            text.append(f"| {gain} | {method} | {listed} | {sum(counts == 3)} of {len(counts)} |")
    text += [
        "",
        "Accuracy of the same EEGNet, trained on the selected electrodes, on the folds left out:",
        "",
        "| recording | method | accuracy | by seed | seconds a fit |",
        "|---|---|---|---|---|",
    ]
    for part in ("eegmmidb, 8 of 64, a run left out", "ssvep, 3 of 8, a subject left out"):
        of_part = rows[rows.part == part]
        # A seed counts when every fold of every method was run.
        counts = of_part.groupby("seed").size()
        complete = of_part[of_part.seed.isin(counts[counts == counts.max()].index)]
        for method, found in complete.groupby("method"):
            by_seed = found.groupby("seed").score.mean()
            listed = " ".join(f"{score:.3f}" for score in by_seed)
            text.append(
                f"| {part} | {method} | **{by_seed.mean():.3f}** | {listed} | "
                f"{found.seconds.median():.0f} |"
            )
    return "\n".join([*text, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seeds", type=int, default=5, help="of the recordings")
    parser.add_argument("--noise-seeds", type=int, default=10)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--parts", nargs="+", default=["noise", "eegmmidb", "ssvep"])
    args = parser.parse_args()
    mne.set_log_level("error")
    warnings.simplefilter("ignore")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    store = args.out.with_suffix(".csv")
    rows = pd.read_csv(store) if store.exists() else pd.DataFrame(columns=COLUMNS)
    done = set(rows[["part", "method", "seed", "fold"]].itertuples(index=False, name=None))
    jobs: list[Iterator[dict[str, Any]]] = []
    if "noise" in args.parts:
        jobs += [rows_of_noise(gain, args.noise_seeds, done) for gain in NOISE]
    if "eegmmidb" in args.parts:
        data = load_eegbci(
            args.data / "eegmmidb", task="fists_feet", fmin=7, fmax=30, tmin=0, tmax=4
        )
        part = "eegmmidb, 8 of 64, a run left out"
        jobs.append(rows_of_recording(part, data, "run", 8, args.seeds, done))
    if "ssvep" in args.parts:
        data = load_ssvep_exoskeleton(
            args.data / "ssvep", sfreq=128, fmin=5, fmax=48, tmin=1, tmax=5
        )
        part = "ssvep, 3 of 8, a subject left out"
        jobs.append(rows_of_recording(part, data, "subject", 3, args.seeds, done))
    for job in jobs:
        for row in job:
            print(row, flush=True)
            pd.DataFrame([row], columns=COLUMNS).to_csv(
                store, mode="a", header=not store.exists(), index=False
            )
    text = report(pd.read_csv(store))
    args.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
