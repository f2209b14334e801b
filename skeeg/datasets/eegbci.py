"""PhysioNet's EEG Motor Movement/Imagery Dataset."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from .._checks import check_choice
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

#: The runs of each task, and the meaning of their annotations T1 and T2.
TASKS: dict[str, dict[int, tuple[str, str]]] = {
    "left_right": dict.fromkeys((4, 8, 12), ("left_fist", "right_fist")),
    "fists_feet": dict.fromkeys((6, 10, 14), ("fists", "feet")),
    "left_right_movement": dict.fromkeys((3, 7, 11), ("left_fist", "right_fist")),
    "fists_feet_movement": dict.fromkeys((5, 9, 13), ("fists", "feet")),
}
TASKS["imagery"] = TASKS["left_right"] | TASKS["fists_feet"]

#: Subjects 88, 92 and 100 were sampled at 128 Hz, and the trials of 104 differ in length.
IRREGULAR = (88, 92, 100, 104)

SOURCE = (
    "The EEG Motor Movement/Imagery Dataset is made of files S001R01.edf to S109R14.edf, together "
    "or in folders S001 to S109. Without path they are downloaded; by hand they are at "
    "https://physionet.org/content/eegmmidb/1.0.0/."
)


def load_eegbci(
    path: PathLike | None = None,
    *,
    subjects: int | Sequence[int] | None = None,
    task: str = "fists_feet",
    fmin: float | None = 7.0,
    fmax: float | None = 35.0,
    sfreq: float | None = None,
    tmin: float = 0.5,
    tmax: float = 3.5,
) -> EEGData:
    """Load motor imagery of 109 subjects from PhysioNet's eegmmidb.

    Each subject opened and closed, or imagined opening and closing, the left or right fist, or
    both fists or both feet, for 4.1 s after a cue, 45 times in three runs of two minutes [1]_ [2]_.
    64 channels at 160 Hz. Licence: ODC-BY 1.0.

    Parameters
    ----------
    path : path-like, optional
        Folder that holds ``S001R04.edf`` and so on, in any folders below, such as MNE's
        ``MNE-eegbci-data``. Without it the files are downloaded into MNE's data folder, about
        2.6 MB a run.
    subjects : int or sequence of int, optional
        From 1 to 109; by default all in `path`, or all, but 88, 92 and 100, which were sampled at
        128 Hz, and 104, whose trials differ in length.
    task : {"fists_feet", "left_right", "imagery", "fists_feet_movement", "left_right_movement"}
        ``"imagery"`` is the first two together, four classes.
    fmin, fmax : float or None
        Pass band, in Hz; None means no limit.
    sfreq : float, optional
        The sampling rate to resample to, in Hz.
    tmin, tmax : float
        Start and end of the trials, in seconds from the cue; `tmax` itself is not included.

    Returns
    -------
    data : EEGData
        In volts, channels named as in the 10-10 system. Labels: ``"left_fist"``,
        ``"right_fist"``, ``"fists"``, ``"feet"``. Metadata: ``subject``, ``session`` (always
        ``"0"``), ``run`` (as in the file's name) and ``trial``.

    Raises
    ------
    FileNotFoundError
        If `path` or one of its files is missing.
    ValueError
        If a file is damaged, or a subject or task is unknown.

    References
    ----------
    .. [1] Schalk, G., McFarland, D. J., Hinterberger, T., Birbaumer, N. and Wolpaw, J. R. (2004).
       BCI2000: a general-purpose brain-computer interface (BCI) system. IEEE Transactions on
       Biomedical Engineering 51(6), 1034-1043. https://doi.org/10.1109/TBME.2004.827072
    .. [2] Goldberger, A. L. et al. (2000). PhysioBank, PhysioToolkit, and PhysioNet. Circulation
       101(23), e215-e220. https://doi.org/10.1161/01.CIR.101.23.e215
    """
    check_choice("task", task, TASKS)
    runs = TASKS[task]
    cut = Cut(tmin, tmax, fmin, fmax, sfreq)
    if path is None:
        files = _download(subjects, list(runs))
    else:
        files = _find(existing_folder(path, SOURCE), subjects, list(runs))
    return EEGData.concatenate(
        [_load_run(file, subject, run, runs[run], cut) for (subject, run), file in files.items()]
    )


def _load_run(file: Path, subject: int, run: int, labels: tuple[str, str], cut: Cut) -> EEGData:
    import mne

    raw = read(mne.io.read_raw_edf, file, SOURCE, preload=True)
    mne.datasets.eegbci.standardize(raw)
    codes = {"T1": 1, "T2": 2}
    events = np.empty((0, 3), dtype=int)
    if codes.keys() & set(raw.annotations.description):
        events, _ = mne.events_from_annotations(raw, codes, verbose="error")
    event_id = {label: code for code, label in enumerate(labels, start=1)}
    return cut_trials(
        raw, events, event_id, cut, file, SOURCE, subject=subject, session="0", run=str(run)
    )


def _find(
    folder: Path, subjects: int | Sequence[int] | None, runs: list[int]
) -> dict[tuple[int, int], Path]:
    found = {}
    named = [
        file
        for file in find_files(folder, "S*R*.edf", SOURCE)
        if re.fullmatch(r"S\d{3}R\d{2}\.edf", file.name)
    ]
    for name, file in by_name(named).items():
        found[int(name[1:4]), int(name[5:7])] = file
    available = sorted({subject for subject, _ in found})
    if subjects is None:
        available = [subject for subject in available if subject not in IRREGULAR]
    wanted = [(s, run) for s in choose_subjects(subjects, available) for run in runs]
    missing = [
        f"S{subject:03d}R{run:02d}.edf" for subject, run in wanted if (subject, run) not in found
    ]
    if missing or not wanted:
        names = ", ".join(missing) or "any regular subject"
        raise FileNotFoundError(f"{folder} lacks {names}. {SOURCE}")
    return {key: found[key] for key in wanted}


def _download(subjects: int | Sequence[int] | None, runs: list[int]) -> dict[tuple[int, int], Path]:
    from mne.datasets import eegbci

    regular = [subject for subject in range(1, 110) if subject not in IRREGULAR]
    chosen = choose_subjects(subjects, regular if subjects is None else range(1, 110))
    files: dict[tuple[int, int], Path] = {}
    for subject in tqdm(chosen, desc="eegmmidb", unit="subject", disable=None):
        # Without update_path, MNE asks on the terminal whether to remember the folder.
        paths = eegbci.load_data([subject], runs, update_path=False)
        files |= {(subject, run): Path(p) for run, p in zip(runs, paths, strict=True)}
    return files
