"""Data sets in the Brain Imaging Data Structure, BIDS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._checks import did_you_mean
from .._events import Events
from .._raw import Cutting, Names
from ..data import EEGData
from ._file_metadata import bids_columns, describe_files, read_table
from ._joining import Recording, load_all
from ._recording import PathLike, existing_folder
from ._recording_files import FORMATS, without_later_parts

SOURCE = "Expected is the root of a BIDS data set, with folders such as sub-01/eeg."
Choice = str | int | Sequence[str | int] | None


def load_bids(
    root: PathLike,
    task: str | Sequence[str] | None = None,
    events: Events = None,
    *,
    subjects: Choice = None,
    sessions: Choice = None,
    runs: Choice = None,
    tmin: float = 0.0,
    tmax: float = 1.0,
    fmin: float | None = None,
    fmax: float | None = None,
    sfreq: float | None = None,
    picks: Names = "eeg",
    reference: Names | None = None,
    window: float | None = None,
    step: float | None = None,
    metadata: str | Sequence[str] | None = None,
    reject: float | Mapping[str, float] | None = None,
    stim_channel: str | None = None,
    cache: PathLike | None = None,
) -> EEGData:
    """Load trials of the EEG of a BIDS data set, which MNE-BIDS reads.

    Events are those of ``events.tsv``, bad channels and types of channels those of
    ``channels.tsv``. One recording is in memory at a time, in addition to the trials. What was left
    out is listed in `dropped` of the result, and a warning sums it up.

    Parameters
    ----------
    root : path-like
        The folder with ``dataset_description.json``.
    task : str or list of str, optional
        By default all tasks.
    events : str, list of str or mapping, optional
        Names in the column ``trial_type``; as in `load_recordings`.
    subjects, sessions, runs : str, int or list of these, optional
        What to load, by the names of BIDS without ``sub-``; 1 is also 01. By default all.
    tmin, tmax, fmin, fmax, sfreq, picks, reference, window, step
        As in `load_recordings`.
    metadata : str or list of str, optional
        Columns of ``participants.tsv`` to add, such as ``"age"``.
    reject, stim_channel, cache
        As in `load_recordings`. Trials are also cut again if a table or sidecar changes.

    Returns
    -------
    data : EEGData
        In volts. Metadata: ``file``, ``subject``, ``trial`` and, where all names of recordings
        have them, ``session``, ``run``, ``task`` and ``acquisition``; without runs, ``run`` is the
        name of the file.

    Raises
    ------
    ImportError
        If MNE-BIDS is not installed.
    FileNotFoundError
        If there is no such folder, or it holds no EEG.
    ValueError
        If a task, subject, session, run or column does not exist, with those that do; and as in
        `load_recordings`.

    See Also
    --------
    load_recordings : Load recordings in any other folder.

    References
    ----------
    Pernet et al. (2019), EEG-BIDS, an extension to the brain imaging data structure for
    electroencephalography. Scientific Data 6, 103, doi:10.1038/s41597-019-0104-8

    Examples
    --------
    >>> from skeeg.datasets import load_bids
    >>> data = load_bids("ds002778", task="rest", subjects=[1, 2], tmax=4.0)  # doctest: +SKIP
    """
    _import_mne_bids()
    cutting = Cutting(events, tmin, tmax, fmin, fmax, sfreq, picks, reference, reject, stim_channel)
    folder = existing_folder(root, SOURCE)
    files = _chosen(
        _recordings_of(folder),
        {"task": task, "subject": subjects, "session": sessions, "run": runs},
        folder,
    )
    described = describe_files(files, None)
    people = _participants(folder, metadata)
    recordings = [
        Recording(file, columns | people(columns["subject"]), folder)
        for file, columns in zip(files, described, strict=True)
    ]
    return load_all(recordings, cutting, window, step, cache)


def _import_mne_bids() -> None:
    """Raise an error that says how to install MNE-BIDS if it is missing."""
    try:
        import mne_bids  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "BIDS data sets are read by MNE-BIDS; install it with `pip install skeeg[bids]`."
        ) from error


def _recordings_of(root: Path) -> list[Path]:
    """Return the recordings of EEG in a data set, without derivatives."""
    found = [
        file
        for subject in sorted(root.glob("sub-*"))
        for file in sorted(subject.rglob("eeg/*_eeg.*"))
        if file.name.startswith("sub-") and file.name.lower().endswith(FORMATS)
    ]
    files = [file for file in found if file.suffix.lower() != ".eeg"]  # BrainVision's values
    if not files:
        raise FileNotFoundError(f"{root} holds no recording of EEG. {SOURCE}")
    return without_later_parts(files)


def _chosen(files: Sequence[Path], wanted: Mapping[str, Any], root: Path) -> list[Path]:
    """Return the recordings whose names have one of the wanted values of each entity."""
    kept = list(files)
    for entity, values in wanted.items():
        if values is None:
            continue
        known = {file: bids_columns(file).get(entity) for file in kept}
        keys = {_key(value) for value in _listed(values)}
        present = sorted({value for value in known.values() if value is not None})
        unknown = [v for v in _listed(values) if _key(v) not in map(_key, present)]
        if not keys:
            name = entity if entity == "task" else f"{entity}s"
            raise ValueError(f"{name} must name one or more of {', '.join(present)}, got none.")
        if unknown:
            raise ValueError(
                f"{root} has no {entity} {', '.join(map(repr, unknown))}; there are "
                f"{', '.join(present) or 'none'}.{did_you_mean(str(unknown[0]), present)}"
            )
        kept = [file for file in kept if known[file] is not None and _key(known[file]) in keys]
    return kept


def _listed(values: Any) -> list[Any]:
    return [values] if isinstance(values, (str, int, np.integer)) else list(values)


def _key(value: Any) -> str:
    """Return a name such that 1, "1" and "01" are one."""
    text = str(value)
    return str(int(text)) if text.isascii() and text.isdigit() else text


def _participants(root: Path, columns: str | Sequence[str] | None) -> Any:
    """Return a function of the subject that gives its columns of ``participants.tsv``."""
    if columns is None:
        return lambda subject: {}
    names = [columns] if isinstance(columns, str) else list(columns)
    table = read_table(root / "participants.tsv")
    known = [str(column) for column in table]
    for name in ("participant_id", *names):
        if name not in known:
            raise ValueError(
                f"participants.tsv of {root} has no column {name!r}; it has {', '.join(known)}."
                f"{did_you_mean(name, known)}"
            )
    rows = table.set_index(table["participant_id"].astype(str).str.removeprefix("sub-"))[names]

    def of_subject(subject: str) -> dict[str, Any]:
        found: Any = rows.loc[[subject]] if subject in rows.index else rows[:0]
        if len(found) != 1:
            raise ValueError(
                f"participants.tsv of {root} has {len(found)} rows of sub-{subject}, expected one."
            )
        return {name: None if pd.isna(v) else v for name, v in found.iloc[0].items()}

    return of_subject
