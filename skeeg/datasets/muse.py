"""Recordings of the Muse headband in the format of Muse LSL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._checks import check_choice
from ..data import EEGData
from ._muse_tasks import TASKS as TASKS
from ._muse_tasks import URL as URL
from ._muse_tasks import files_of_task
from ._recording import (
    Cut,
    PathLike,
    choose_subjects,
    cut_trials,
    download_folder,
    existing_folder,
    find_files,
)

if TYPE_CHECKING:
    import mne

CHANNELS = ("TP9", "AF7", "AF8", "TP10")
_SFREQ = 256.0  # Hz


SOURCE = (
    "Muse LSL records CSV files with the columns timestamps (in seconds), TP9, AF7, AF8, TP10 (in "
    "microvolts) and Marker (0, or a code at the onset of a stimulus); `muselsl record` writes "
    "them. Without path the recordings of the muse-lsl repository are downloaded."
)


def load_muse(
    path: PathLike | None = None,
    *,
    subjects: int | Sequence[int] | None = None,
    task: str = "left_right",
    event_id: Mapping[str, int] | None = None,
    ch_names: Sequence[str] = CHANNELS,
    marker: str = "Marker",
    fmin: float | None = 1.0,
    fmax: float | None = 30.0,
    sfreq: float | None = None,
    tmin: float | None = None,
    tmax: float | None = None,
    reject: float | None = None,
) -> EEGData:
    """Load evoked potentials recorded by a Muse headband.

    Two experiments come with Muse LSL [1]_: stimuli in the left or right visual field
    (``"left_right"``), and rare target pictures among others (``"p300"``), one subject, runs of two
    minutes. Any folder of Muse LSL's CSV files can be loaded with `event_id`. 4 channels at 256 Hz,
    referenced to Fpz. Licence of the recordings: BSD-3-Clause.

    Parameters
    ----------
    path : path-like, optional
        Folder of CSV files. Parent folders named such as ``subject2`` and ``session1`` give the
        subject and session of a file, by default 1 and 1. Without `path`, the recordings of the
        task are downloaded into MNE's data folder and verified by checksums, about 9 MB.
    subjects : int or sequence of int, optional
        By default all.
    task : {"left_right", "p300"}, default="left_right"
        The recordings to download, the meaning of their markers, and the default window. In a
        folder that holds both tasks, only the files of this one are read. They are known by
        checksum, by name, or by a folder named like the task.
    event_id : mapping, optional
        The marker of each label; by default that of the task: left 1 and right 2, or non-target 1
        and target 2.
    ch_names : sequence of str, default=("TP9", "AF7", "AF8", "TP10")
        The columns of the channels; others are ignored.
    marker : str, default="Marker"
        Column of the markers; in newer versions of Muse LSL ``"Marker0"``.
    fmin, fmax : float or None
        Pass band, in Hz; None means no limit.
    sfreq : float, optional
        The sampling rate to resample to, in Hz.
    tmin, tmax : float, optional
        Start and end of the trials, in seconds from the stimulus; `tmax` itself is not included. By
        default 0 to 0.4 for left_right, 0 to 0.8 for p300.
    reject : float, optional
        Drop trials in which a channel reaches this amplitude after filtering, in volts, such as
        100e-6 for blinks; by default all trials are kept.

    Returns
    -------
    data : EEGData
        In volts. Metadata: ``subject``, ``session``, ``run`` (``"0"``, ``"1"``, ... by file name)
        and ``trial``.

    Raises
    ------
    FileNotFoundError
        If `path` does not exist or holds no CSV file.
    ValueError
        If a file is not such a recording or has another sampling rate, all files are of the other
        task, some are of this task and of some the task is not known, a subject or task is
        unknown, or all trials are rejected.

    Notes
    -----
    Stimuli of the p300 task follow each other after 0.5 to 0.7 s, so that windows of 0.8 s
    overlap: split by run, not at random. Trials with a gap of more than a tenth of a second, where
    Bluetooth lost samples, are dropped.

    References
    ----------
    .. [1] Barachant, A. et al. (2019). muse-lsl. Zenodo. https://doi.org/10.5281/zenodo.3228861
    """
    check_choice("task", task, TASKS)
    defaults = TASKS[task]
    codes = defaults.event_id if event_id is None else event_id
    cut = Cut(
        defaults.tmin if tmin is None else tmin,
        defaults.tmax if tmax is None else tmax,
        fmin,
        fmax,
        sfreq,
    )
    folder = _download(task) if path is None else existing_folder(path, SOURCE)
    by_subject: dict[int, dict[str, list[Path]]] = {}
    for file in files_of_task(find_files(folder, "*.csv", SOURCE), folder, task):
        subject, session = _provenance(file)
        by_subject.setdefault(subject, {}).setdefault(session, []).append(file)
    parts = []
    for subject in choose_subjects(subjects, sorted(by_subject)):
        for session, files in by_subject[subject].items():
            for run, file in enumerate(files):
                raw, events = _read_csv(file, ch_names, marker)
                parts.append(
                    cut_trials(
                        raw,
                        events,
                        codes,
                        cut,
                        file,
                        SOURCE,
                        subject=subject,
                        session=session,
                        run=str(run),
                    )
                )
    data = EEGData.concatenate(parts)
    if reject is None:
        return data
    kept = np.abs(data.X).max(axis=(1, 2)) < reject
    if not kept.any():
        raise ValueError(
            f"reject={reject!r} V drops all {len(data)} trials; half of them reach "
            f"{np.median(np.abs(data.X).max(axis=(1, 2))):.2g} V."
        )
    return data[kept]


def _provenance(file: Path) -> tuple[int, str]:
    """Return subject and session of a file from its two parent folders."""
    folders = "/".join(file.absolute().parts[-3:-1])
    subject = re.search(r"subject(\d+)", folders)
    session = re.search(r"session(\d+)", folders)
    return int(subject[1]) if subject else 1, session[1] if session else "1"


def _read_csv(
    file: Path, ch_names: Sequence[str], marker: str
) -> tuple[mne.io.BaseRaw, NDArray[np.integer[Any]]]:
    import mne

    columns = ["timestamps", *ch_names, marker]
    try:
        table = pd.read_csv(file)
        missing = [name for name in columns if name not in table]
        if missing:
            raise ValueError(
                f"it lacks {', '.join(missing)}; its columns are {list(table.columns)}"
            )
        values = table[columns].to_numpy(dtype=float)
        incomplete = np.flatnonzero(~np.isfinite(values).all(axis=1))
        if len(values) < 2:
            raise ValueError("it has no samples")
        if len(incomplete):
            raise ValueError(f"line {incomplete[0] + 2} is incomplete")
        times, markers = values[:, 0], values[:, -1].astype(int)
        gaps = _gaps(times)
    except ValueError as error:
        raise ValueError(f"{file} is not a recording of Muse LSL: {error}. {SOURCE}") from error
    raw = mne.io.RawArray(
        values[:, 1:-1].T * 1e-6, mne.create_info(list(ch_names), _SFREQ, "eeg"), verbose="error"
    )
    raw.set_annotations(mne.Annotations(gaps / _SFREQ, 1 / _SFREQ, "BAD_gap"))
    onsets = np.flatnonzero((markers != 0) & (np.diff(markers, prepend=0) != 0))
    return raw, np.column_stack([onsets, np.zeros_like(onsets), markers[onsets]])


def _gaps(times: NDArray[np.floating[Any]]) -> NDArray[np.integer[Any]]:
    """Return the last sample before each gap, after checking that the rest is sampled evenly."""
    steps = np.diff(times)
    if np.any(steps < 0):
        raise ValueError(f"its timestamps go back after line {np.argmax(steps < 0) + 2}")
    gap = steps > max(0.1, 10 * np.median(steps))
    rate = 1 / np.mean(steps[~gap])
    # Timestamps are rounded to milliseconds, which does not change the mean step.
    if not abs(rate / _SFREQ - 1) < 0.02:
        raise ValueError(f"it was sampled at {rate:.1f} Hz instead of {_SFREQ:g} Hz")
    return np.flatnonzero(gap)


def _download(task: str) -> Path:
    import pooch

    folder = download_folder("MNE-muse-data") / task
    files = TASKS[task].files
    fetcher = pooch.create(
        path=folder,
        base_url=URL,
        registry={name: f"sha256:{digest}" for name, (_, digest) in files.items()},
        urls={name: URL + address for name, (address, _) in files.items()},
        retry_if_failed=2,
    )
    for name in files:
        fetcher.fetch(name, progressbar=True)
    return folder
