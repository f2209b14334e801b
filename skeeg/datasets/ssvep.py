"""The SSVEP exoskeleton data set."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ..data import EEGData
from ._recording import (
    Cut,
    PathLike,
    by_name,
    choose_subjects,
    cut_trials,
    existing_folder,
    find_files,
    read,
)

#: The codes of the recordings, in which 17 Hz is the last one.
EVENT_ID = {"rest": 1, "13Hz": 2, "21Hz": 3, "17Hz": 4}

CHANNELS = ("Oz", "O1", "O2", "PO3", "POz", "PO7", "PO8", "PO4")

SOURCE = (
    "The SSVEP exoskeleton data set is made of files ..._raw.fif, each with a stimulation channel "
    "or with a file of events ...-eve.fif next to it, in folders subject01 to subject12 or with "
    "these words in their names. Without path they are downloaded; by hand they are at "
    "https://github.com/sylvchev/dataset-ssvep-exoskeleton and https://zenodo.org/record/2392979."
)


def load_ssvep_exoskeleton(
    path: PathLike | None = None,
    *,
    subjects: int | Sequence[int] | None = None,
    fmin: float | None = 7.0,
    fmax: float | None = 45.0,
    sfreq: float | None = None,
    tmin: float = 2.0,
    tmax: float = 5.0,
) -> EEGData:
    """Load steady-state visual evoked potentials of 12 subjects who control an exoskeleton.

    A voice told the subject to look for 5 s at one of three lamps that blink at 13, 17 and 21 Hz,
    or at none of them [1]_. 32 trials per session, two to five sessions per subject; 8 occipital
    channels at 256 Hz. Licence: CC0 1.0 (GitHub), CC-BY 4.0 (Zenodo).

    Parameters
    ----------
    path : path-like, optional
        Folder that holds the recordings. Without it they are downloaded by MOABB, which must be
        installed, into MNE's data folder.
    subjects : int or sequence of int, optional
        From 1 to 12; by default all in `path`, or all.
    fmin, fmax : float or None
        Pass band, in Hz; None means no limit.
    sfreq : float, optional
        The sampling rate to resample to, in Hz.
    tmin, tmax : float
        Start and end of the trials, in seconds from the cue; `tmax` itself is not included. The
        response is steady from about 2 s.

    Returns
    -------
    data : EEGData
        In the unit of the recordings, which is not volts. Labels: ``"rest"``, ``"13Hz"``,
        ``"17Hz"``, ``"21Hz"``. Metadata: ``subject``, ``session`` (``"0"``, ``"1"``, ...), ``run``
        (always ``"0"``) and ``trial``.

    Raises
    ------
    FileNotFoundError
        If `path` or one of its files is missing.
    ValueError
        If a file is damaged, or a subject is unknown.

    Notes
    -----
    Each recording is a session, as in the paper. According to their dates, those of the first
    subjects were made minutes apart, so that accuracy across sessions does not apply to other days.
    Each session begins with 8 trials of rest, and the order of the other trials is the same in all
    sessions: any drift during a session helps to identify the class, above all rest.

    References
    ----------
    .. [1] Kalunga, E. K., Chevallier, S., Barthélemy, Q., Djouani, K., Monacelli, E. and Hamam, Y.
       (2016). Online SSVEP-based BCI using Riemannian geometry. Neurocomputing 191, 55-68.
       https://doi.org/10.1016/j.neucom.2016.01.007
    """
    cut = Cut(tmin, tmax, fmin, fmax, sfreq)
    if path is None:
        recordings = _download(subjects)
    else:
        recordings = _find(existing_folder(path, SOURCE), subjects)
    return EEGData.concatenate(
        [
            _load_session(file, subject, str(session), cut)
            for subject, files in recordings.items()
            for session, file in enumerate(files)
        ]
    )


def _load_session(file: Path, subject: int, session: str, cut: Cut) -> EEGData:
    import mne

    raw = read(mne.io.read_raw_fif, file, SOURCE, preload=True)
    missing = [name for name in CHANNELS if name not in raw.ch_names]
    if missing:
        raise ValueError(
            f"{file} lacks the channels {', '.join(missing)}: it is not of this data set. {SOURCE}"
        )
    events = _events(raw, file)
    return cut_trials(
        raw, events, EVENT_ID, cut, file, SOURCE, subject=subject, session=session, run="0"
    )


def _events(raw: Any, file: Path) -> NDArray[np.integer[Any]]:
    """Return the events from the file next to a recording, or from its stimulation channel."""
    import mne

    events_file = file.with_name(file.name.removesuffix("_raw.fif") + "-eve.fif")
    if events_file.exists():
        return read(mne.read_events, events_file, SOURCE)
    if "stim" in raw:
        return mne.find_events(raw, shortest_event=0, verbose="error")
    raise FileNotFoundError(
        f"There is no {events_file}, and {file} has no stimulation channel. {SOURCE}"
    )


def _find(folder: Path, subjects: int | Sequence[int] | None) -> dict[int, list[Path]]:
    found: dict[int, list[Path]] = {}
    for file in by_name(find_files(folder, "*_raw.fif", SOURCE), folders=1).values():
        name = re.search(r"subject(\d+)", f"{file.parent.name}/{file.name}")
        if name is None:
            raise ValueError(f"Neither {file} nor its folder says which subject it is. {SOURCE}")
        found.setdefault(int(name[1]), []).append(file)
    return {subject: found[subject] for subject in choose_subjects(subjects, sorted(found))}


def _download(subjects: int | Sequence[int] | None) -> dict[int, list[Path]]:
    from ._moabb import import_datasets

    dataset = import_datasets().Kalunga2016()
    chosen = choose_subjects(subjects, dataset.subject_list)
    return {
        subject: [Path(p) for p in dataset.data_path(subject)]
        for subject in tqdm(chosen, desc="SSVEP exoskeleton", unit="subject", disable=None)
    }
