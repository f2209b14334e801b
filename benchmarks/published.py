"""The scores of skeeg beside published ones, on four data sets that MOABB downloads.

    python benchmarks/published.py --data-sets BNCI2014_001 --path /data/moabb
    python benchmarks/published.py --fake

Each published figure was obtained with a protocol of its own: which trials are tested, which are
trained on, and in which band. The script runs EEGNet with its defaults and the recipe of the
paradigm under the same protocol of splits, and prints both. Band, window and training differ from
those of the publications, which the page "Compare with published accuracies" explains.
The data sets take 1 to 60 GB; pass ``--subjects`` to load fewer. ``--fake`` runs everything on
MOABB's simulated recordings of a few seconds, without any meaning of the scores.
Writes ``benchmarks/results/published.md``, except with ``--fake``. Finished folds are kept in
``--store``.
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from skeeg import EEGData, EEGNetClassifier, compare
from skeeg.recipes import make_recipe

RESULTS = Path(__file__).parent / "results" / "published.md"

Split = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True)
class Source:
    """A publication and how it can be found."""

    name: str
    url: str


MOABB = Source(
    "MOABB's benchmark (Chevallier et al., 2024, arXiv:2404.15319)",
    "https://moabb.neurotechx.com/docs/paper_results.html",
)
ATCNET = Source(
    "ATCNet's repository (Altaheri et al., 2023, doi:10.1109/TII.2022.3197419)",
    "https://github.com/Altaheri/EEG-ATCNet",
)
SPEECHBRAIN = Source(
    "SpeechBrain-MOABB",
    "https://github.com/speechbrain/benchmarks/tree/main/benchmarks/MOABB",
)
WU = Source(
    "Wu et al. (2019), Front. Neurosci. 13:1275",
    "https://doi.org/10.3389/fnins.2019.01275",
)

#: Protocols by name, with what is tested.
WITHIN = "5 folds in each session"
ONWARD = "second session or run, trained on the first"
LEAVE_OUT = "each session left out"


@dataclass(frozen=True)
class Figure:
    """A published score.

    Parameters
    ----------
    decoder : str
    protocol : str
        One of the protocols of this script, or empty if the publication splits in another way.
    metric : str
    score : float
    source : Source
    remark : str
    """

    decoder: str
    protocol: str
    metric: str
    score: float
    source: Source
    remark: str = ""


@dataclass(frozen=True)
class Task:
    """A data set, how it is cut, and what was published on it.

    Parameters
    ----------
    title, paradigm : str
        `paradigm` is a key of `skeeg.recipes.RECIPES`.
    cut : callable
        Returns MOABB's paradigm, which defines events, band, window and rate.
    scoring : tuple of str
        The metrics, the main one first.
    protocols : tuple of str
    figures : tuple of Figure
    unit : {"session", "run"}
        What is first and second, or left out.
    fake : dict
        Parameters of MOABB's simulated data set that stands in for it.
    """

    title: str
    paradigm: str
    cut: Callable[[], Any]
    scoring: tuple[str, ...]
    protocols: tuple[str, ...]
    figures: tuple[Figure, ...]
    unit: str
    fake: dict[str, Any]


def motor_imagery(events: tuple[str, ...]) -> Callable[[], Any]:
    """Return what makes MOABB's paradigm for these events."""

    def make() -> Any:
        from moabb.paradigms import MotorImagery

        return MotorImagery(
            events=list(events), n_classes=len(events), fmin=4, fmax=38, resample=128
        )

    return make


def oddball() -> Any:
    """Return MOABB's paradigm for the P300."""
    from moabb.paradigms import P300

    return P300(fmin=1, fmax=24, resample=128)


def flicker() -> Any:
    """Return MOABB's paradigm for steady-state responses."""
    from moabb.paradigms import SSVEP

    return SSVEP(n_classes=4, fmin=3, fmax=50, resample=128)


FOUR = ("left_hand", "right_hand", "feet", "tongue")
HANDS_FEET_REST = ("right_hand", "left_hand", "rest", "feet")

TASKS: dict[str, Task] = {
    "BNCI2014_001": Task(
        "BCI Competition IV 2a: four classes of imagery, 9 subjects",
        "motor_imagery",
        motor_imagery(FOUR),
        ("accuracy",),
        (WITHIN, ONWARD, LEAVE_OUT),
        (
            Figure("EEGNet-8,2", WITHIN, "accuracy", 0.6046, MOABB),
            Figure("ShallowConvNet", WITHIN, "accuracy", 0.7247, MOABB),
            Figure("tangent space + LR", WITHIN, "accuracy", 0.7197, MOABB),
            Figure("EEGNet", ONWARD, "accuracy", 0.6867, ATCNET),
            Figure("ATCNet", ONWARD, "accuracy", 0.8110, ATCNET),
            Figure("EEGNet", LEAVE_OUT, "accuracy", 0.7316, SPEECHBRAIN, "searched, 10 seeds"),
            Figure("EEGNet", "", "accuracy", 0.667, WU, "within subject"),
        ),
        "session",
        {"event_list": FOUR, "paradigm": "imagery", "n_sessions": 2},
    ),
    "Schirrmeister2017": Task(
        "High-Gamma: four classes of executed movement, 14 subjects",
        "motor_imagery",
        motor_imagery(HANDS_FEET_REST),
        ("accuracy",),
        (WITHIN, ONWARD),
        (
            Figure("EEGNet-8,2", WITHIN, "accuracy", 0.7699, MOABB),
            Figure("tangent space + LR", WITHIN, "accuracy", 0.8460, MOABB),
            Figure("EEGNet", ONWARD, "accuracy", 0.8825, ATCNET),
            Figure("EEGNet", "", "accuracy", 0.840, WU, "within subject"),
        ),
        "run",
        {"event_list": HANDS_FEET_REST, "paradigm": "imagery", "n_sessions": 1},
    ),
    "BNCI2014_009": Task(
        "P300 speller, 10 subjects",
        "evoked_response",
        oddball,
        ("roc_auc", "f1_macro"),
        (WITHIN, LEAVE_OUT),
        (
            Figure("xDAWN covariance + tangent space + SVM", WITHIN, "roc_auc", 0.9343, MOABB),
            Figure("EEGNet", LEAVE_OUT, "f1", 0.7550, SPEECHBRAIN, "searched, 10 seeds"),
        ),
        "session",
        {"event_list": {"Target": 2, "NonTarget": 1}, "paradigm": "p300", "n_sessions": 3},
    ),
    "Lee2019_SSVEP": Task(
        "Four flicker frequencies, 54 subjects",
        "ssvep",
        flicker,
        ("accuracy",),
        (WITHIN, LEAVE_OUT),
        (
            Figure("tangent space + LR", WITHIN, "accuracy", 0.8944, MOABB),
            Figure("EEGNet", LEAVE_OUT, "accuracy", 0.9161, SPEECHBRAIN, "searched, 10 seeds"),
        ),
        "session",
        {"event_list": ("12.0", "8.57", "6.67", "5.45"), "paradigm": "ssvep", "n_sessions": 2},
    ),
}


def splits(data: EEGData, protocol: str, unit: str) -> Iterator[Split]:
    """Yield the training and test trials of each fold.

    Every fold lies in one subject.

    Parameters
    ----------
    data : EEGData
    protocol : str
        ``WITHIN``: stratified and shuffled folds in each session, as MOABB does it. ``ONWARD``: the
        second session or run is tested. ``LEAVE_OUT``: each is tested once.
    unit : {"session", "run"}
        What is first and second, or left out.

    Raises
    ------
    ValueError
        If a subject has less than two units, which `ONWARD` and `LEAVE_OUT` need.
    """
    rows = data.metadata.reset_index(drop=True)
    for subject, own in rows.groupby("subject", sort=True):
        if protocol == WITHIN:
            for _, session in own.groupby("session", sort=True):
                yield from _shuffled(data, session.index.to_numpy())
            continue
        units = [part.index.to_numpy() for _, part in own.groupby(unit, sort=True)]
        if len(units) < 2:
            raise ValueError(f"Subject {subject} has one {unit}; {protocol!r} needs two or more.")
        if protocol == ONWARD:
            yield units[0], units[1]
            continue
        for left_out, test in enumerate(units):
            train = [part for i, part in enumerate(units) if i != left_out]
            yield np.sort(np.concatenate(train)), test


def _shuffled(data: EEGData, rows: NDArray[np.intp]) -> Iterator[Split]:
    folds = StratifiedKFold(5, shuffle=True, random_state=42)
    for train, test in folds.split(rows, data.y[rows]):
        yield rows[train], rows[test]


def models(paradigm: str, sfreq: float, epochs: int | None, members: int | None) -> dict[str, Any]:
    """Return EEGNet with its defaults and with the recipe."""
    given = {} if epochs is None else {"max_epochs": epochs}
    return {
        "skeeg EEGNet": EEGNetClassifier(**given),
        "skeeg recipe": make_recipe(paradigm, sfreq=sfreq, n_members=members, max_epochs=epochs),
    }


def fake_data_set(task: Task) -> Any:
    """Return MOABB's simulated recordings in the form of a data set."""
    from moabb.datasets.fake import FakeDataset

    made = FakeDataset(
        channels=("C3", "Cz", "C4"), n_subjects=2, n_runs=2, duration=60, n_events=10, seed=0,
        **task.fake,
    )  # fmt: skip
    made.interval = [0, 2]  # s after the events
    return made


def load(name: str, subjects: list[int] | None, fake: bool) -> EEGData:
    """Return the trials of a data set, or of simulated recordings in its form."""
    import moabb.datasets

    task = TASKS[name]
    dataset = fake_data_set(task) if fake else getattr(moabb.datasets, name)()
    return EEGData.from_moabb(dataset, task.cut(), subjects)


def run(name: str, args: argparse.Namespace) -> str:
    """Return the scores on a data set as Markdown."""
    task = TASKS[name]
    data = load(name, args.subjects, args.fake)
    n_subjects = data.metadata["subject"].nunique()
    lines = [
        f"## {task.title}\n",
        f"{n_subjects} subjects, {len(data)} trials, {data.sfreq:g} Hz.\n",
        "| protocol | decoder | metric | score | from |",
        "|---|---|---|---|---|",
    ]
    for protocol in task.protocols:
        lines += [row(figure) for figure in task.figures if figure.protocol == protocol]
        comparison = compare(
            models(task.paradigm, data.sfreq, args.epochs, args.members),
            data,
            cv=list(splits(data, protocol, task.unit)),
            scoring=list(task.scoring),
            random_state=args.seed,
            n_jobs=args.n_jobs,
            store=args.store,
            progress=False,
        )
        means = comparison.scores.groupby("estimator", sort=False)[list(task.scoring)].mean()
        for decoder, scores in means.iterrows():
            for metric, score in scores.items():
                lines.append(f"| {protocol} | {decoder} | {metric} | **{score:.3f}** | this run |")
    lines += [row(figure) for figure in task.figures if not figure.protocol]
    return "\n".join([*lines, ""])


def row(figure: Figure) -> str:
    """Return a published score as a row."""
    remark = f", {figure.remark}" if figure.remark else ""
    source = f"[{figure.source.name}]({figure.source.url}){remark}"
    return (
        f"| {figure.protocol or 'its own'} | {figure.decoder} | {figure.metric} | "
        f"{figure.score:.3f} | {source} |"
    )


def main(arguments: list[str] | None = None) -> str:
    """Run the script, and return the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-sets", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--path", type=Path, help="MNE's data folder; by default its own")
    parser.add_argument("--subjects", type=int, nargs="+", help="by default all")
    parser.add_argument("--epochs", type=int, help="by default those of each model")
    parser.add_argument("--members", type=int, help="networks of an ensemble")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--fake", action="store_true", help="MOABB's simulated recordings")
    parser.add_argument("--store", type=Path, default=Path("skeeg-results/published"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args(arguments)
    if args.path is not None:
        os.environ["MNE_DATA"] = str(args.path)
    warnings.filterwarnings("ignore")
    pages = [run(name, args) for name in args.data_sets]
    text = "\n".join(["# Beside published scores\n", *pages])
    print(text)
    if not args.fake or args.out != RESULTS:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(text, encoding="utf-8")
    return text


if __name__ == "__main__":
    main()
