"""Functions of all loaders: choose subjects, find and read files, and cut trials."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import check_positive
from .._files import check_regular
from .._operations import check_band
from ..data import EEGData

if TYPE_CHECKING:
    import mne

T = TypeVar("T")
PathLike = str | os.PathLike[str]


def choose_subjects(subjects: T | Sequence[T] | None, available: Iterable[T]) -> list[T]:
    """Return the requested subjects in the given order, or all.

    Parameters
    ----------
    subjects : subject, sequence of subjects or None
        None means all.
    available : iterable
        The subjects that exist.

    Returns
    -------
    chosen : list

    Raises
    ------
    ValueError
        If a subject does not exist, is repeated, or none is chosen.
    """
    known = list(available)
    if subjects is None:
        return known
    chosen: list[Any] = np.atleast_1d(np.asarray(subjects)).tolist()
    unknown = [subject for subject in chosen if subject not in known]
    if unknown:
        raise ValueError(f"There is no subject {_listed(unknown)}; there are {_listed(known)}.")
    if not chosen or len(set(chosen)) != len(chosen):
        raise ValueError(f"subjects must name one or more different subjects, got {chosen}.")
    return [known[known.index(subject)] for subject in chosen]


def existing_folder(path: PathLike, source: str) -> Path:
    """Return `path`, which must be a folder.

    Parameters
    ----------
    path : path-like
    source : str
        A sentence that says what the folder holds and where to get it.

    Returns
    -------
    folder : pathlib.Path

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}. {source}")
    return folder


def find_files(folder: Path, pattern: str, source: str) -> list[Path]:
    """Return the files below a folder that match a pattern, sorted by path.

    Parameters
    ----------
    folder : pathlib.Path
    pattern : str
        As in `pathlib.Path.rglob`.
    source : str
        A sentence that says what the folder holds and where to get it.

    Returns
    -------
    files : list of pathlib.Path

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If one is a folder, a pipe or a device.
    """
    # Finder and tar write "._" companions of files, which match the pattern but hold no recording.
    found = sorted(file for file in folder.rglob(pattern) if not file.name.startswith("."))
    for file in found:
        check_regular(file)
    if not found:
        raise FileNotFoundError(f"{folder} holds no file named {pattern}. {source}")
    return found


def by_name(files: Sequence[Path], *, folders: int = 0) -> dict[str, Path]:
    """Return files by their names.

    Parameters
    ----------
    files : sequence of pathlib.Path
    folders : int, default=0
        The number of parent folders that belong to the name.

    Returns
    -------
    named : dict of str to pathlib.Path

    Raises
    ------
    ValueError
        If two files have one name, such as a copy in another folder.
    """
    named: dict[str, Path] = {}
    for file in files:
        first = named.setdefault("/".join(file.parts[-1 - folders :]), file)
        if first != file:
            raise ValueError(
                f"Both {first} and {file} hold the recording {file.name}. Pass the folder that "
                "holds one of them as path."
            )
    return named


def download_folder(name: str) -> Path:
    """Return the folder of a data set in MNE's data folder, which ``MNE_DATA`` can set."""
    import mne

    home = Path.home() / "mne_data"
    return Path(mne.get_config("MNE_DATA", str(home))).expanduser() / name


def read(reader: Callable[..., T], file: Path, source: str, **options: Any) -> T:
    """Read a file with one of MNE's readers; an error names the file and its source.

    Parameters
    ----------
    reader : callable
        Such as ``mne.io.read_raw_edf``.
    file : pathlib.Path
    source : str
        A sentence that says what the file holds and where to get it.
    **options : any
        Passed to the reader.

    Returns
    -------
    contents : any
        What the reader returns.

    Raises
    ------
    ImportError
        If the format needs a package that is not installed.
    ValueError
        If the file is damaged, or shorter than its header says.
    """
    try:
        if not file.is_dir():  # some formats are folders
            check_regular(file)
        with warnings.catch_warnings():
            # MNE repairs truncated files with a warning; half a recording must be an error.
            warnings.filterwarnings("error", message=".*does not match the file size")
            warnings.filterwarnings("error", message="Invalid tag")
            return reader(file, verbose="warning", **options)
    except Exception as error:
        if isinstance(error, ImportError) or "could not be imported" in str(error):
            raise ImportError(f"{file} needs another package to be read: {error}") from error
        raise ValueError(f"{file} is damaged ({error}). {source}") from error


@dataclass(frozen=True)
class Cut:
    """How trials are cut from a recording.

    Parameters
    ----------
    tmin, tmax : float
        Start and end, in seconds from the event; `tmax` itself is not included.
    fmin, fmax : float or None
        Pass band, in Hz; None means no limit.
    sfreq : float or None
        The sampling rate to resample to, in Hz; None keeps that of the recording.

    Raises
    ------
    ValueError
        If the window or the band is empty, or the rate is not positive.
    """

    tmin: float
    tmax: float
    fmin: float | None
    fmax: float | None
    sfreq: float | None

    def __post_init__(self) -> None:
        if not self.tmin < self.tmax:
            raise ValueError(
                f"tmin must lie before tmax, got tmin={self.tmin!r} and tmax={self.tmax!r}."
            )
        check_band(self.fmin, self.fmax)
        if self.sfreq is not None:
            check_positive("sfreq", self.sfreq, "Hz")


def cut_trials(
    raw: mne.io.BaseRaw,
    events: NDArray[np.integer[Any]],
    event_id: Mapping[str, int],
    cut: Cut,
    file: Path,
    source: str,
    **columns: ArrayLike | str | float,
) -> EEGData:
    """Filter and resample a recording, then cut the trials at its events.

    The recording is filtered as a whole, so that trials have no transients of the filter. Trials
    that exceed the recording, or overlap annotations marked as bad, are dropped.

    Parameters
    ----------
    raw : mne.io.Raw
        Its good EEG channels are used. Changed in place.
    events : ndarray, shape (n_events, 3)
        In the format of MNE.
    event_id : mapping
        The code of each label; other events are ignored.
    cut : Cut
        Resampling shifts events by at most half a new sample.
    file : pathlib.Path
        The file of the recording, for errors.
    source : str
        A sentence that says what the file holds and where to get it, for errors.
    **columns : array-like or scalar
        Columns of the metadata; ``trial`` is the position among the events unless given.

    Returns
    -------
    data : EEGData

    Raises
    ------
    ValueError
        If the recording has no such trial, or its sampling rate is too low for the band.
    """
    import mne

    if cut.fmin is not None or cut.fmax is not None:
        raw.load_data(verbose="error").filter(cut.fmin, cut.fmax, picks="eeg", verbose="error")
    if cut.sfreq is not None and cut.sfreq != raw.info["sfreq"]:
        raw, events = raw.resample(cut.sfreq, events=events, verbose="error")
    wanted = events[np.isin(events[:, 2], list(event_id.values()))]
    epochs = None
    if len(wanted):
        epochs = mne.Epochs(
            raw,
            wanted,
            dict(event_id),
            tmin=cut.tmin,
            tmax=cut.tmax - 1 / raw.info["sfreq"],
            baseline=None,
            preload=True,
            on_missing="ignore",
            verbose="error",
        )
    if epochs is None or not len(epochs):
        raise ValueError(
            f"{file} holds no whole trial of {', '.join(event_id)}, from {cut.tmin:g} to "
            f"{cut.tmax:g} s: {len(wanted)} such events lie in its {raw.times[-1]:.1f} s. {source}"
        )
    data = EEGData.from_epochs(epochs, **({"trial": epochs.selection} | columns))
    return dataclasses.replace(data, dropped=data.dropped.assign(recording=file.name))


def _listed(subjects: Sequence[Any]) -> str:
    """Return integers as ranges, anything else one by one."""
    if not subjects:
        return "none"
    if len(subjects) < 3 or not all(isinstance(s, (int, np.integer)) for s in subjects):
        return ", ".join(str(subject) for subject in subjects)
    numbers = sorted(subjects)
    breaks = [i for i in range(1, len(numbers)) if numbers[i] != numbers[i - 1] + 1]
    runs = [
        (numbers[i], numbers[j - 1])
        for i, j in zip([0, *breaks], [*breaks, len(numbers)], strict=True)
    ]
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in runs)
