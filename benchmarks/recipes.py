"""Choose the recipes of `skeeg.recipes` on data that are not tested, and test them.

    python benchmarks/recipes.py choose --data ../shared/data
    python benchmarks/recipes.py test --data ../shared/data

``choose`` compares candidates for each paradigm without the test part of any study:

- motor imagery: for one of the two recordings of imagery, on the folds of the other;
- evoked responses: likewise, on the other of the two Muse recordings;
- mental state: for each block of three subjects, on the other nine, trained on six of them;
- SSVEP: for each subject, on the other five, trained on four of them.

Fits that are not stored are left out of the page with ``--no-fit``, so a candidate may be missing.

``test`` evaluates the recipe that skeeg ships in the six studies of `real_eeg.py` under their
outer folds, beside the classical decoders, which are also tried after an alignment.

Each member of an ensemble is one fit, and probabilities are averaged as `EnsembleClassifier` does.
A fit is kept in ``--store`` as soon as it is finished, a run that was stopped continues from there,
and several may run at the same time. Both write ``benchmarks/results/recipes-*.md``.
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pandas as pd
from real_eeg import STUDIES
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.pipeline import make_pipeline

from skeeg import EEGData, compare
from skeeg.alignment import EuclideanAlignment
from skeeg.baselines import erp_covariance_mdm, fbcsp_lda, xdawn_tangent_space_lr
from skeeg.recipes import RECIPES, Recipe, make_recipe

RESULTS = Path(__file__).parent / "results"

#: The paradigm of each study and the floor that its recipe should reach.
PARADIGM = {
    "fists-feet": "motor_imagery",
    "left-right": "motor_imagery",
    "muse-left-right": "evoked_response",
    "muse-p300": "evoked_response",
    "eegmat": "mental_state",
    "ssvep": "ssvep",
}
FLOOR = {
    "fists-feet": 0.95,
    "left-right": 0.72,
    "muse-left-right": 0.89,
    "muse-p300": 0.78,
    "eegmat": 0.72,
    "ssvep": 0.66,
}

_MI = RECIPES["motor_imagery"]
_EVOKED = RECIPES["evoked_response"]
_SSVEP = RECIPES["ssvep"]
_STATE = RECIPES["mental_state"]


@dataclass(frozen=True)
class Candidate:
    """Settings of a training, which are tried after several numbers of epochs."""

    recipe: Recipe
    epochs: tuple[int, ...]


CANDIDATES: dict[str, dict[str, Candidate]] = {
    "motor_imagery": {
        "mi-p50": Candidate(replace(_MI, dropout=0.5, batch_size=16), (100, 200)),
        "mi-p25": Candidate(replace(_MI, dropout=0.25, batch_size=16), (100, 200)),
    },
    "evoked_response": {
        "ev-p25": Candidate(replace(_EVOKED, dropout=0.25), (15, 30, 45, 60)),
        "ev-p50": Candidate(replace(_EVOKED, dropout=0.5), (15, 30, 45, 60)),
    },
    "ssvep": {
        "ss-id": Candidate(replace(_SSVEP, alignment="identity"), (30, 60, 100)),
        "ss": Candidate(replace(_SSVEP, alignment=""), (30, 60, 100)),
    },
    "mental_state": {
        "ms-id": Candidate(replace(_STATE, alignment="identity"), (30, 60, 100)),
        "ms": Candidate(replace(_STATE, alignment=""), (30, 60, 100)),
    },
}


@dataclass(frozen=True)
class Fit:
    """One training: a candidate without the units of a study that are left out."""

    study: str
    candidate: str
    left_out: tuple[int, ...]
    member: int

    @property
    def name(self) -> str:
        """The name of its file."""
        units = "+".join(map(str, self.left_out))
        return f"{self.study}_{self.candidate}_{units}_{self.member}"

    def path(self, store: Path) -> Path:
        """Return its file."""
        return store / f"{self.name}.npz"

    def is_stored(self, store: Path, epochs: Sequence[int]) -> bool:
        """Return whether its probabilities after these numbers of epochs are stored."""
        path = self.path(store)
        return path.exists() and {f"p{number}" for number in epochs} <= set(np.load(path).files)


class Data:
    """The trials of the studies, each loaded once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loaded: dict[str, EEGData] = {}

    def __getitem__(self, study: str) -> EEGData:
        if study not in self.loaded:
            self.loaded[study] = STUDIES[study].load(self.folder)
        return self.loaded[study]


def train(fit: Fit, data: EEGData, store: Path) -> None:
    """Train one member and store its probabilities for the left-out trials."""
    candidate = CANDIDATES[PARADIGM[fit.study]][fit.candidate]
    groups = data.groups(STUDIES[fit.study].leave_out)
    test = np.isin(groups, np.unique(groups)[list(fit.left_out)])
    model = make_recipe(
        replace(candidate.recipe, n_members=1),
        sfreq=data.sfreq,
        domain=STUDIES[fit.study].leave_out,
        random_state=fit.member,
    )
    steps = getattr(model, "steps", [("classify", model)])
    training, tested, network = data[~test], data[test], steps[-1][1]
    for _, align in steps[:-1]:
        training = align.fit_transform(training)
        tested = align.transform(tested)
    # With warm_start, a training in parts equals one without a break to the last bit.
    network.set_params(warm_start=True)
    found, done = {}, 0
    for epochs in candidate.epochs:
        network.set_params(max_epochs=epochs - done).fit(training, data.y[~test])
        found[f"p{epochs}"] = network.predict_proba(tested)
        done = epochs
    unfinished = fit.path(store).with_suffix(".unfinished.npz")
    np.savez(unfinished, rows=np.flatnonzero(test), classes=network.classes_, **found)
    os.replace(unfinished, fit.path(store))


def train_all(fits: Sequence[Fit], data: Data, store: Path) -> None:
    """Train what is not stored; a folder claims a fit against runs at the same time."""
    store.mkdir(parents=True, exist_ok=True)
    for fit in fits:
        claim = store / f"{fit.name}.claimed"
        epochs = CANDIDATES[PARADIGM[fit.study]][fit.candidate].epochs
        if fit.is_stored(store, epochs):
            continue
        try:
            claim.mkdir()
        except FileExistsError:
            continue
        try:
            train(fit, data[fit.study], store)
            print(fit.name, flush=True)
        finally:
            claim.rmdir()


def score(study: str, data: EEGData, rows: Any, probabilities: Any, classes: Any) -> float:
    """Return the metric of a study."""
    y = data.y[rows]
    if STUDIES[study].metric == "roc_auc":
        return float(roc_auc_score(y == classes[1], probabilities[:, 1]))
    return float(accuracy_score(y, np.asarray(classes)[probabilities.argmax(axis=1)]))


def ensemble_score(
    study: str, data: EEGData, files: Sequence[Path], epochs: int, units: Sequence[int]
) -> float:
    """Return the mean over units of the score of the mean probabilities of some fits."""
    loaded = [np.load(file) for file in files]
    mean = np.mean([each[f"p{epochs}"] for each in loaded], axis=0)
    rows, classes = loaded[0]["rows"], loaded[0]["classes"]
    groups = data.groups(STUDIES[study].leave_out)
    of_row = groups[rows]
    scores = []
    for unit in units:
        own = of_row == np.unique(groups)[unit]
        scores.append(score(study, data, rows[own], mean[own], classes))
    return float(np.mean(scores))


def n_units(study: str, data: Data) -> int:
    return len(np.unique(data[study].groups(STUDIES[study].leave_out)))


def selection_splits(study: str, data: Data) -> list[tuple[int, ...]]:
    """Return what trainings leave out that help to choose for the studies of a paradigm."""
    if study == "eegmat":
        blocks = [tuple(range(3 * i, 3 * i + 3)) for i in range(n_units(study, data) // 3)]
        return [one + other for one, other in combinations(blocks, 2)]
    if study == "ssvep":
        return list(combinations(range(n_units(study, data)), 2))
    return [(unit,) for unit in range(n_units(study, data))]


def choices(paradigm: str, data: Data) -> Iterator[tuple[str, str, list[tuple[Any, Any]]]]:
    """Yield what is tested, what the choice is made on, and (left out, scored) of its trainings."""
    studies = [study for study, own in PARADIGM.items() if own == paradigm]
    if len(studies) == 2:
        for tested, other in (studies, studies[::-1]):
            yield tested, other, [(out, out) for out in selection_splits(other, data)]
        return
    (study,) = studies
    parts = [tuple(range(3 * i, 3 * i + 3)) for i in range(4)]
    if study == "ssvep":
        parts = [(unit,) for unit in range(n_units(study, data))]
    for part in parts:
        splits = [
            (out, tuple(unit for unit in out if unit not in part))
            for out in selection_splits(study, data)
            if set(part) <= set(out)
        ]
        name = "subjects" if len(part) > 1 else "subject"
        yield f"{study}, {name} {', '.join(str(u + 1) for u in part)}", study, splits


def choose(args: argparse.Namespace, data: Data) -> str:
    """Return the scores of the candidates, and which is chosen for which test part."""
    lines = [
        "# Choice of the recipes\n",
        "Written by `python benchmarks/recipes.py choose`, which says on what the choice is made. "
        f"Mean of the probabilities of up to {args.members} fits.\n",
        "| tested later | candidate | epochs | score where it is chosen | fits |",
        "|---|---|---|---|---|",
    ]
    for paradigm in args.paradigms:
        candidates = CANDIDATES[paradigm]
        studies = [study for study, own in PARADIGM.items() if own == paradigm]
        fits = [
            Fit(study, name, out, member)
            for member in range(args.members)
            for study in studies
            for name in candidates
            for out in selection_splits(study, data)
        ]
        if args.fit:
            train_all(fits, data, args.store)
        for tested, study, splits in choices(paradigm, data):
            rows = []
            for name, candidate in candidates.items():
                files = [_files(args, study, name, out) for out, _ in splits]
                if not all(files):
                    continue
                for epochs in _in_all(candidate.epochs, list(chain(*files))):
                    scores = [
                        ensemble_score(study, data[study], own, epochs, units)
                        for own, (_, units) in zip(files, splits, strict=True)
                    ]
                    rows.append((np.mean(scores), name, epochs, sum(map(len, files))))
            best = max(rows, default=None)
            for row in rows:
                mark = "**" if row is best else ""
                lines.append(
                    f"| {tested} | {row[1]} | {row[2]} | {mark}{row[0]:.3f}{mark} | {row[3]} |"
                )
    return "\n".join([*lines, ""])


def _files(args: argparse.Namespace, study: str, name: str, out: tuple[int, ...]) -> list[Path]:
    paths = [Fit(study, name, out, m).path(args.store) for m in range(args.members)]
    return [path for path in paths if path.exists()]


def _in_all(epochs: Sequence[int], files: Sequence[Path]) -> list[int]:
    """Return the numbers of epochs after which all fits were stored."""
    stored = [set(np.load(file).files) for file in files]
    return [number for number in epochs if all(f"p{number}" in keys for keys in stored)]


def shipped(paradigm: str) -> tuple[str, int]:
    """Return the candidate and the epochs that are the recipe of skeeg."""
    recipe = RECIPES[paradigm]
    for name, candidate in CANDIDATES[paradigm].items():
        if recipe.max_epochs in candidate.epochs and recipe == replace(
            candidate.recipe, max_epochs=recipe.max_epochs
        ):
            return name, recipe.max_epochs
    raise ValueError(f"The recipe of {paradigm} is none of its candidates.")


def baselines(study: str, sfreq: float) -> dict[str, Any]:
    """Return the classical decoders of a study, and each after an alignment."""
    made = STUDIES[study].baselines(sfreq)
    if PARADIGM[study] == "motor_imagery":
        made["filter-bank CSP + LDA"] = fbcsp_lda(sfreq)
    if PARADIGM[study] == "evoked_response":
        made["xDAWN + tangent space + LR"] = xdawn_tangent_space_lr()
        made["ERP covariance + MDM"] = erp_covariance_mdm()
    domain = STUDIES[study].leave_out
    aligned = {
        f"{name}, aligned": make_pipeline(EuclideanAlignment(domain), model)
        for name, model in made.items()
    }
    return made | aligned


def classical(study: str, data: EEGData, args: argparse.Namespace) -> pd.Series:
    """Return the score of each classical decoder."""
    comparison = compare(
        baselines(study, data.sfreq),
        data,
        cv=LeaveOneGroupOut(),
        groups=data.groups(STUDIES[study].leave_out),
        scoring=STUDIES[study].metric,
        random_state=0,
        n_jobs=1,
        store=args.store / "classical",
        progress=False,
    )
    return comparison.scores.groupby("estimator")[STUDIES[study].metric].mean()


@dataclass(frozen=True)
class Tested:
    """A candidate with a number of epochs, under the outer folds of a study."""

    study: str
    candidate: str
    epochs: int
    data: EEGData
    store: Path

    def score(self, members: Sequence[int]) -> float:
        """Return the mean over folds of the score of an ensemble of some members."""
        folds = len(np.unique(self.data.groups(STUDIES[self.study].leave_out)))
        scores = []
        for fold in range(folds):
            fits = [Fit(self.study, self.candidate, (fold,), member) for member in members]
            files = [fit.path(self.store) for fit in fits]
            scores.append(ensemble_score(self.study, self.data, files, self.epochs, (fold,)))
        return float(np.mean(scores))


def test(args: argparse.Namespace, data: Data) -> str:
    """Return the scores of the recipes and of the classical decoders in the six studies."""
    lines = [
        "# Test of the recipes\n",
        "Written by `python benchmarks/recipes.py test`. Mean over folds; of ensembles, mean and "
        "range over seeds.\n",
        "| study | recipe | one network | ensemble | seeds x members | floor | best classical "
        "decoder | best without alignment |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for study in args.studies:
        name, epochs = shipped(PARADIGM[study])
        trials, units = data[study], [(unit,) for unit in range(n_units(study, data))]
        members = range(args.members * args.seeds)
        if args.fit:
            fits = [Fit(study, name, out, member) for member in members for out in units]
            train_all(fits, data, args.store)
        finished = [
            member
            for member in members
            if all(Fit(study, name, out, member).is_stored(args.store, [epochs]) for out in units)
        ]
        if not finished:
            lines.append(f"| {study} | {name}, {epochs} epochs | not run | | | | | |")
            continue

        tested = Tested(study, name, epochs, trials, args.store)
        single = [tested.score([member]) for member in finished]
        # Fewer members where not all fits are finished, rather than fewer seeds.
        size = min(args.members, max(len(finished) // args.seeds, 1))
        sets = [finished[i : i + size] for i in range(0, size * args.seeds, size)]
        sets = [chosen for chosen in sets if len(chosen) == size]
        ensemble = [tested.score(chosen) for chosen in sets]
        scores = classical(study, trials, args)
        plain = scores[[n for n in scores.index if not n.endswith(", aligned")]]
        lines.append(
            f"| {study} | {name}, {epochs} epochs | {np.mean(single):.3f} | "
            f"**{np.mean(ensemble):.3f}** ({min(ensemble):.3f} to {max(ensemble):.3f}) | "
            f"{len(sets)} x {size} | {FLOOR[study]:.2f} | {scores.max():.3f} {scores.idxmax()} | "
            f"{plain.max():.3f} {plain.idxmax()} |"
        )
        print(lines[-1], flush=True)
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("choose", "test"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument(
        "--paradigms", nargs="+", choices=list(CANDIDATES), default=list(CANDIDATES)
    )
    parser.add_argument("--studies", nargs="+", choices=list(PARADIGM), default=list(PARADIGM))
    parser.add_argument("--members", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--fit", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--store", type=Path, default=Path("skeeg-results/recipes"))
    args = parser.parse_args()
    mne.set_log_level("error")
    warnings.filterwarnings("ignore")
    data = Data(args.data)
    text = choose(args, data) if args.part == "choose" else test(args, data)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"recipes-{args.part}.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
