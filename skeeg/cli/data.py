"""The data of a command: a data set, trials in a file, recordings or a simulation."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from .options import chosen, names_between_commas

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
#: Options that only recordings have.
_OF_RECORDINGS = ("events", "reference", "metadata")
_EPOCHS = ("-epo.fif", "_epo.fif", "-epo.fif.gz", "_epo.fif.gz")


@dataclass(frozen=True)
class Source:
    """The options that say which data are used; None for those that were not passed."""

    data: str
    path: Path | None = None
    task: str | None = None
    subjects: list[int | str] | None = None
    events: list[str] | None = None
    tmin: float | None = None
    tmax: float | None = None
    fmin: float | None = None
    fmax: float | None = None
    sfreq: float | None = None
    picks: list[str] | None = None
    reference: list[str] | None = None
    metadata: str | None = None

    def given(self, *names: str) -> dict[str, Any]:
        """Return those options of these names that were passed."""
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def refuse(self, *names: str) -> None:
        """Raise a usage error for options that these data do not have."""
        for option in sorted(self.given(*names)):
            raise typer.BadParameter(f"{self.data!r} has no such option.", param_hint=f"--{option}")


def load(source: Source, seed: int) -> EEGData:
    """Return the trials of a data set, a file, recordings or a simulation.

    Parameters
    ----------
    source : Source
    seed : int
        Of the simulation.

    Returns
    -------
    data : EEGData
    """
    from ..datasets import LOADERS

    name = source.data.lower()
    if name.endswith(".npz") or name.endswith(_EPOCHS):
        source.refuse("path", "task", *_OF_RECORDINGS)
        return _operated(_only(_load_file(Path(source.data)), source), source)
    if source.data == "simulated":
        return _simulate(source, seed)
    if _is_path(source.data, LOADERS):
        source.refuse("path", "task")
        return _only(_load_recordings(source), source)
    (known,) = chosen(source.data, LOADERS, "data set", "--data")[:1]
    return _load_by_name(known, LOADERS[known], source)


def load_baseline(source: Source) -> EEGData | None:
    """Return the baseline before each trial, of a data set that has it separately."""
    from ..datasets import LOADERS

    loader = LOADERS.get(source.data)
    if loader is None or "part" not in inspect.signature(loader.load).parameters:
        return None
    given = source.given("path", "subjects")
    return _call(loader, "Loading baselines ...", part="baseline", **given)


def _load_by_name(name: str, loader: Loader, source: Source) -> EEGData:
    source.refuse(*_OF_RECORDINGS)
    if source.task is not None and (loader.labels or loader.tasks):
        chosen(source.task, loader.labels or loader.tasks, f"task of {name}", "--task")
    given = source.given("path", "task", "subjects")
    if loader.labels and "task" in given:
        given["label"] = given.pop("task")
    parameters = inspect.signature(loader.load).parameters
    source.refuse(*("task" if key == "label" else key for key in given if key not in parameters))
    cut = {
        key: value
        for key, value in source.given("tmin", "tmax", "fmin", "fmax", "sfreq").items()
        if key in parameters
    }
    loaded = _call(loader, f"Loading {name} ...", **given, **cut)
    return _operated(loaded, source, done=cut)


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


def _operated(data: EEGData, source: Source, done: Any = ()) -> EEGData:
    """Return trials with the band, rate, times and channels asked for and not yet ``done``."""
    given = source.given("tmin", "tmax", "fmin", "fmax", "sfreq", "picks")
    left = {key: value for key, value in given.items() if key not in done}
    if "fmin" in left or "fmax" in left:
        data = data.filter(left.get("fmin"), left.get("fmax"))
    if "sfreq" in left:
        data = data.resample(left["sfreq"])
    if "tmin" in left or "tmax" in left:
        data = data.crop(left.get("tmin", 0.0), left.get("tmax"))
    if "picks" in left and left["picks"] != ["eeg"]:
        data = data.pick(left["picks"])
    return data


def _simulate(source: Source, seed: int) -> EEGData:
    from ..datasets import simulate_motor_imagery

    source.refuse("path", "task", *_OF_RECORDINGS)
    subjects = source.subjects
    numbers = [number for number in subjects or [] if isinstance(number, int)]
    if subjects is not None and (len(numbers) < len(subjects) or min(numbers) < 1):
        raise typer.BadParameter("Simulated subjects are numbers from 1.", param_hint="--subjects")
    sizes = SIMULATION | ({"n_subjects": max(numbers)} if numbers else {})
    cut = source.given("tmin", "tmax", "sfreq")
    loaded = simulate_motor_imagery(**sizes | cut, random_state=seed)
    return _operated(_only(loaded, source), source, done=cut)


def _only(data: EEGData, source: Source) -> EEGData:
    """Return the trials of the subjects asked for; an error if one does not exist."""
    subjects = source.subjects
    if subjects is None:
        return data
    if "subject" not in data.metadata:
        raise ValueError("The data have no column subject: omit --subjects.")
    of_trials = data.metadata["subject"].astype(str)
    known = of_trials.unique()
    # File names often have "01".
    spelt = {name.lstrip("0"): name for name in known} | {name: name for name in known}
    missing = [str(subject) for subject in subjects if str(subject) not in spelt]
    if missing:
        raise ValueError(f"There is no subject {', '.join(missing)}; there are {', '.join(known)}.")
    return data[of_trials.isin([spelt[str(subject)] for subject in subjects]).to_numpy()]


def _is_path(data: str, names: Any) -> bool:
    """Return whether ``--data`` means files: it exists, or has a separator or a known ending."""
    from ..datasets._recording_files import FORMATS

    if data in names:
        return False
    parts = [data, *data.split(",")]
    return any(
        Path(part).exists() or "/" in part or "\\" in part or part.strip().lower().endswith(FORMATS)
        for part in parts
    )


def _load_recordings(source: Source) -> EEGData:
    from ..datasets import load_recordings

    whole = Path(source.data).expanduser()
    paths = [whole] if whole.exists() else [Path(p) for p in names_between_commas(source.data)]
    options = source.given("events", "tmin", "tmax", "fmin", "fmax", "sfreq", "metadata")
    # One word can be a type of channels or "average"; MNE's names are lists.
    if source.picks is not None:
        single = len(source.picks) == 1 and _is_type(source.picks[0])
        options["picks"] = source.picks[0] if single else source.picks
    if source.reference is not None:
        average = source.reference == ["average"]
        options["reference"] = "average" if average else source.reference
    return load_recordings(paths, **options)


def _is_type(name: str) -> bool:
    import mne

    return name in mne.io.get_channel_type_constants()


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
