"""Your own recordings, in every format that MNE reads."""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Iterable, Sequence
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Memory
from tqdm import tqdm

from .._raw import Cutting, Events, epochs_from_raw
from .._version import __version__
from ..data import EEGData
from ._recording import PathLike, read

#: The formats of EEG that `mne.io.read_raw` reads, by the ending of their files.
FORMATS = (
    *(".edf", ".bdf", ".gdf", ".vhdr", ".set", ".fif", ".fif.gz", ".cnt", ".mff", ".egi", ".nxe"),
    *(".lay", ".data", ".ns3"),
)
#: Files of MNE that hold no recording.
_OTHER_FIF = ("-eve", "-epo", "-ave", "-cov", "-ica", "-proj", "-trans", "-fwd", "_eve", "_epo")

SOURCE = "Expected is a recording of EEG in a format of mne.io.read_raw."


def load_recordings(
    path: PathLike | Iterable[PathLike],
    events: Events = None,
    *,
    tmin: float = 0.0,
    tmax: float = 1.0,
    fmin: float | None = None,
    fmax: float | None = None,
    sfreq: float | None = None,
    picks: str | Sequence[str] = "eeg",
    reference: str | Sequence[str] | None = None,
    window: float | None = None,
    step: float | None = None,
    metadata: str | pd.DataFrame | None = None,
    cache: PathLike | None = None,
) -> EEGData:
    """Load trials of your own recordings: EDF, BDF, GDF, BrainVision, EEGLAB, FIF and others.

    One recording is in memory at a time, in addition to the trials. Each is referenced, filtered
    and resampled as a whole, then cut. A warning names the trials that were dropped from a
    recording, and why.

    Parameters
    ----------
    path : path-like or list of path-like
        A file, a folder whose recordings are read, with those in folders below it, or several.
    events : str, list of str or mapping, optional
        Names of events: descriptions of annotations or, without annotations, codes of the
        stimulation channel, such as ``"1"``. A mapping gives the name or code of each label.
        By default all.
    tmin, tmax : float
        Start and end of the trials, in seconds from the event; `tmax` itself is not included.
    fmin, fmax : float or None
        Pass band, in Hz; None means no limit.
    sfreq : float, optional
        The sampling rate to resample to, in Hz. Needed if recordings differ in their rate.
    picks : str or list of str, default="eeg"
        A type of channels, of which the good ones are used, or names. The order and the case of
        names are those of the first recording.
    reference : str or list of str, optional
        ``"average"`` or names of channels among `picks`; by default that of the recordings.
    window, step : float, optional
        Cut each trial into windows of this length, one each `step`, by default `window`, in
        seconds. They have the same ``trial``.
    metadata : str or DataFrame, optional
        Where subject, session and run come from. A pattern of the files' names, such as
        ``"{subject}_{session}_run{run}.edf"`` or, with folders, ``"{subject}/{run}.edf"``; or a
        table with a column ``file``, of names, and any others. By default the names of BIDS,
        such as ``sub-01_ses-1_run-2_eeg.edf``; what they lack is missing, and ``run`` is then the
        name of the file.
    cache : path-like, optional
        A folder of your own, in which joblib keeps the trials of each recording as pickles. They
        are cut again if the recording, an option, or the version of MNE or skeeg changes.

    Returns
    -------
    data : EEGData
        In volts. Metadata: ``file``, ``subject``, ``session`` and ``run`` where they are known,
        ``trial``, and ``window`` if trials are cut into windows.

    Raises
    ------
    FileNotFoundError
        If a path does not exist, or a folder holds no recording.
    ValueError
        If a file is damaged or has none of the events, the recordings differ in their channels,
        rate or reference, or `metadata` does not describe a file. The message names the file.

    See Also
    --------
    skeeg.EEGData.from_raw : Cut a recording that is already in memory.

    Examples
    --------
    >>> from skeeg.datasets import load_recordings
    >>> data = load_recordings(
    ...     "study", ["left", "right"], tmax=4.0, fmin=7, fmax=30, sfreq=128,
    ...     metadata="{subject}_run{run}.edf",
    ... )  # doctest: +SKIP
    """
    cutting = Cutting(events, tmin, tmax, fmin, fmax, sfreq, picks, reference)
    files = recording_files([path] if isinstance(path, (str, Path)) else list(path))  # type: ignore[arg-type]
    described = _described(files, metadata)
    load = _load if cache is None else Memory(cache, verbose=0).cache(_load)
    parts: list[EEGData] = []
    referenced: list[bool] = []
    for file in tqdm(files, desc="recordings", unit="file", disable=None):
        part, custom, told = load(file, cutting, described[file], window, step, _state(file))
        for category, message in told:  # also of trials that were cut in an earlier call
            warnings.warn(message, category, stacklevel=2)
        if parts:
            part = _like(parts[0], part, file, files[0])
            if custom != referenced[0] and reference is None:
                raise ValueError(
                    f"{file} and {files[0]} differ in their reference: only one was referenced "
                    "anew. Pass reference='average'."
                )
        parts.append(part)
        referenced.append(custom)
    return EEGData.concatenate(parts)


def recording_files(paths: Sequence[PathLike]) -> list[Path]:
    """Return the recordings that paths name, those of a folder sorted by path.

    Parameters
    ----------
    paths : sequence of path-like

    Returns
    -------
    files : list of pathlib.Path

    Raises
    ------
    FileNotFoundError
        If a path does not exist, or a folder holds no recording, or there is no path.
    ValueError
        If a file is named twice, or has no format that is read.
    """
    files: list[Path] = []
    for path in (Path(path).expanduser() for path in paths):
        if not path.exists():
            raise FileNotFoundError(f"There is no file or folder {path}. {SOURCE}")
        if path.is_dir() and not path.name.lower().endswith(FORMATS):
            found = sorted(file for file in path.rglob("*") if _is_recording(file))
            if not found:
                raise FileNotFoundError(
                    f"{path} holds no recording. Read are {', '.join(FORMATS)}."
                )
            files += found
        elif path.name.lower().endswith(FORMATS):
            files.append(path)
        else:
            raise ValueError(f"{path} has none of the formats {', '.join(FORMATS)}.")
    twice = [file for i, file in enumerate(files) if file.resolve() in map(Path.resolve, files[:i])]
    if twice:
        raise ValueError(f"{twice[0]} is named twice.")
    if not files:
        raise FileNotFoundError(f"path names no recording. {SOURCE}")
    return files


def _is_recording(file: Path) -> bool:
    name = file.name.lower()
    stem = name.removesuffix(".gz").removesuffix(".fif")
    inside = any(part.lower().endswith(".mff") for part in file.parts[:-1])
    return (
        name.endswith(FORMATS)
        and not name.startswith(".")
        and not (inside or (stem != name and stem.endswith(_OTHER_FIF)))
    )


def _state(file: Path) -> list[tuple[str, int, int]]:
    """Return what changes with a recording: its files, with sizes and times, and the versions."""
    import mne

    beside = file.rglob("*") if file.is_dir() else file.parent.glob(f"{escape(file.stem)}.*")
    stats = [(str(other), other.stat()) for other in sorted(beside)]
    return [
        *((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats),
        (mne.__version__, 0, 0),
        (__version__, 0, 0),
    ]


def _load(
    file: Path,
    cutting: Cutting,
    columns: dict[str, Any],
    window: float | None,
    step: float | None,
    state: list[tuple[str, int, int]],
) -> tuple[EEGData, bool, list[tuple[type[Warning], str]]]:
    """Return the trials of a file, whether it was referenced anew, and the warnings.

    The state is unused here; joblib compares it.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        part, custom = _cut(file, cutting, columns, window, step)
    return part, custom, [(entry.category, str(entry.message)) for entry in caught]


def _cut(
    file: Path, cutting: Cutting, columns: dict[str, Any], window: float | None, step: float | None
) -> tuple[EEGData, bool]:
    import mne

    raw = read(mne.io.read_raw, file, SOURCE)
    if not isinstance(cutting.picks, str):
        names = {name.casefold(): name for name in raw.ch_names}
        picks = [
            name if name in raw.ch_names else names.get(name.casefold(), name)
            for name in cutting.picks
        ]
        cutting = dataclasses.replace(cutting, picks=picks)
    custom = bool(raw.info["custom_ref_applied"])
    epochs = epochs_from_raw(raw, cutting, str(file))
    return EEGData._from_cut(epochs, columns, window, step, cutting.tmin), custom


def _like(first: EEGData, part: EEGData, file: Path, of_first: Path) -> EEGData:
    """Return trials with the channels of the first recording; raise if they differ otherwise."""
    if part.sfreq != first.sfreq:
        raise ValueError(
            f"{file} was sampled at {part.sfreq:g} Hz, {of_first} at {first.sfreq:g} Hz. Pass "
            f"sfreq={min(part.sfreq, first.sfreq):g} to resample both."
        )
    if part.ch_names == first.ch_names:
        return part
    own = {name.casefold(): name for name in part.ch_names}
    missing = [name for name in first.ch_names if name.casefold() not in own]
    extra = own.keys() - {name.casefold() for name in first.ch_names}
    if missing or extra or len(own) < len(part.ch_names):
        common = [name for name in first.ch_names if name.casefold() in own]
        raise ValueError(
            f"{file} and {of_first} differ in their channels: the former lacks "
            f"{', '.join(missing) or 'none'}, the latter "
            f"{', '.join(sorted(own[name] for name in extra)) or 'none'}. Pass picks={common}."
        )
    picked = part.pick([own[name.casefold()] for name in first.ch_names])
    return dataclasses.replace(picked, ch_names=first.ch_names)


def _described(
    files: Sequence[Path], metadata: str | pd.DataFrame | None
) -> dict[Path, dict[str, Any]]:
    """Return the columns of the metadata of each file."""
    if isinstance(metadata, pd.DataFrame):
        return {file: _row(file, metadata) for file in files}
    if metadata is not None:
        return {file: {"file": file.name} | _matched(file, metadata) for file in files}
    found = {}
    for file in files:
        entities = dict(re.findall(r"(?:^|[_/])(sub|ses|run)-([A-Za-z0-9]+)", file.name))
        names = {"sub": "subject", "ses": "session", "run": "run"}
        columns = {names[key]: value for key, value in entities.items()}
        found[file] = {"file": file.name, "run": file.stem} | columns
    # A column that only some files have would be a missing subject in the others.
    everywhere = set.intersection(*(set(columns) for columns in found.values()))
    return {
        file: {name: value for name, value in columns.items() if name in everywhere}
        for file, columns in found.items()
    }


def _row(file: Path, table: pd.DataFrame) -> dict[str, Any]:
    if "file" not in table:
        raise ValueError(f"metadata needs a column 'file'; it has {list(table.columns)}.")
    named = table["file"].astype(str).to_numpy()
    path = "/" + file.absolute().as_posix()
    rows = np.flatnonzero([path.endswith("/" + name.lstrip("/")) for name in named])
    if len(rows) != 1:
        raise ValueError(f"metadata has {len(rows)} rows of the file {file}, expected one.")
    row = table.iloc[int(rows[0])]
    return {str(name): row[name] for name in table.columns} | {"file": file.name}


def _matched(file: Path, pattern: str) -> dict[str, str]:
    parts = re.split(r"\{(\w+)\}", pattern)
    expression = "".join(
        f"(?P<{part}>[^/]+?)" if i % 2 else re.escape(part) for i, part in enumerate(parts)
    )
    name = "/".join(file.absolute().parts[-1 - pattern.count("/") :])
    found = re.fullmatch(expression, name)
    if found is None:
        raise ValueError(f"The name of {file} does not match metadata={pattern!r}.")
    return found.groupdict()
