"""The data of the options ``--data``, ``--path``, ``--task`` and ``--subjects``."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from .options import chosen

if TYPE_CHECKING:
    from ..data import EEGData
    from ..datasets import Loader

#: Parameters of the data that ``skeeg compare`` simulates.
SIMULATION: dict[str, Any] = {
    "n_subjects": 2,
    "n_sessions": 1,
    "n_runs": 3,
    "n_trials": 40,
    "tmax": 4.0,
    "difficulty": 0.3,
}


def load(
    data: str, path: Path | None, task: str | None, subjects: list[int | str] | None, seed: int
) -> EEGData:
    """Return the trials of a data set, a file or a simulation."""
    if Path(data).suffix.lower() in (".npz", ".fif", ".gz"):
        _refuse(data, {key for key, value in (("path", path), ("task", task)) if value})
        loaded = _load_file(Path(data))
        return loaded if subjects is None else _only(loaded, subjects)
    if data == "simulated":
        return _simulate(path, task, subjects, seed)
    from ..datasets import LOADERS

    chosen(data, LOADERS, "data set", "--data")
    loader = LOADERS[data]
    if loader.labels and task is not None:
        chosen(task, loader.labels, f"task of {data}", "--task")
    options = {"path": path, "label" if loader.labels else "task": task, "subjects": subjects}
    given = {key: value for key, value in options.items() if value is not None}
    _refuse(data, set(given) - set(inspect.signature(loader.load).parameters))
    return _call(loader, f"Loading {data} ...", **given)


def with_recipe(names: list[str], data: str) -> list[str]:
    """Replace eegnet by the recipe of the paradigm of a data set, if it has one, and say so."""
    from ..datasets import LOADERS
    from ..recipes import RECIPES, recipe_name

    paradigm = LOADERS[data].paradigm if data in LOADERS else ""
    if not paradigm or "eegnet" not in names:
        return names
    own = recipe_name(paradigm)
    typer.echo(
        f"{own} instead of eegnet: {RECIPES[paradigm]}; --no-recipe switches it off.", err=True
    )
    return [own if name == "eegnet" else name for name in names]


def load_baseline(data: str, path: Path | None, subjects: list[int | str] | None) -> EEGData | None:
    """Return the baseline before each trial, of a data set that has it separately."""
    from ..datasets import LOADERS

    if data not in LOADERS or "part" not in inspect.signature(LOADERS[data].load).parameters:
        return None
    given = {} if subjects is None else {"subjects": subjects}
    return _call(LOADERS[data], "Loading baselines ...", path=path, part="baseline", **given)


def _call(loader: Loader, status: str, **options: Any) -> EEGData:
    with Console(stderr=True).status(status):
        try:
            return loader.load(**options)
        except FileNotFoundError as error:
            if loader.needs_path and options.get("path") is None:
                raise FileNotFoundError(
                    f"Pass the folder of your files as --path. {error}"
                ) from None
            raise


def _simulate(
    path: Path | None, task: str | None, subjects: list[int | str] | None, seed: int
) -> EEGData:
    from ..datasets import simulate_motor_imagery

    _refuse("simulated", {key for key, value in (("path", path), ("task", task)) if value})
    numbers = [number for number in subjects or [] if isinstance(number, int)]
    if subjects is not None and (len(numbers) < len(subjects) or min(numbers) < 1):
        raise typer.BadParameter("Simulated subjects are numbers from 1.", param_hint="--subjects")
    sizes = SIMULATION | ({"n_subjects": max(numbers)} if numbers else {})
    loaded = simulate_motor_imagery(**sizes, random_state=seed)
    return loaded if subjects is None else _only(loaded, subjects)


def _refuse(data: str, options: set[str]) -> None:
    for option in sorted(options):
        raise typer.BadParameter(f"{data!r} has no such option.", param_hint=f"--{option}")


def _only(data: EEGData, subjects: list[int | str]) -> EEGData:
    """Return the trials of some subjects; an error if one does not exist."""
    if "subject" not in data.metadata:
        raise ValueError("The data have no column subject: omit --subjects.")
    of_trials = data.metadata["subject"].astype(str)
    missing = [str(subject) for subject in subjects if str(subject) not in set(of_trials)]
    if missing:
        raise ValueError(
            f"There is no subject {', '.join(missing)}; there are {', '.join(of_trials.unique())}."
        )
    return data[of_trials.isin([str(subject) for subject in subjects]).to_numpy()]


def _load_file(file: Path) -> EEGData:
    from ..data import EEGData

    if not file.exists():
        raise FileNotFoundError(f"{file} does not exist.")
    return EEGData.load(file) if file.suffix.lower() == ".npz" else _read_epochs(file)


def _read_epochs(file: Path) -> EEGData:
    import mne

    from ..data import EEGData

    try:
        epochs = mne.read_epochs(file, verbose="error")
    except Exception as error:  # MNE's parser can raise any exception
        raise ValueError(
            f"{file} cannot be read as MNE epochs ({type(error).__name__}: {error}). Expected a "
            "file written by Epochs.save."
        ) from error
    return EEGData.from_epochs(epochs)
