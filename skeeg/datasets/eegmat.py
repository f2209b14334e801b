"""PhysioNet's EEG During Mental Arithmetic Tasks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..data import EEGData
from ._recording import (
    Cut,
    PathLike,
    by_name,
    choose_subjects,
    cut_trials,
    download_folder,
    existing_folder,
    find_files,
    read,
)

URL = "https://physionet.org/files/eegmat/1.0.0/"

#: Label of each recording, by the ending of its file's name.
RECORDINGS = {"1": "rest", "2": "arithmetic"}

#: The 19 electrodes in the order of the recordings, with the names of the 10-20 system of 1958
#: that the files use, and their names since 1991 if these differ.
CHANNELS = (
    *("Fp1", "Fp2", "F3", "F4", "F7", "F8", "T3", "T4", "C3", "C4"),
    *("T5", "T6", "P3", "P4", "O1", "O2", "Fz", "Cz", "Pz"),
)
MODERN = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}

SOURCE = (
    "The data set EEG During Mental Arithmetic Tasks is made of files Subject00_1.edf (rest) and "
    "Subject00_2.edf (arithmetic) to Subject35_2.edf, with channels 'EEG Fp1' and so on. Without "
    "path they are downloaded; by hand they are at https://physionet.org/content/eegmat/1.0.0/."
)


def load_eegmat(
    path: PathLike | None = None,
    *,
    subjects: int | Sequence[int] | None = None,
    fmin: float | None = 0.5,
    fmax: float | None = 45.0,
    sfreq: float | None = None,
    window: float = 4.0,
    duration: float = 60.0,
) -> EEGData:
    """Load rest and mental arithmetic of 36 subjects from PhysioNet's eegmat.

    Each subject rested for three minutes, then counted down in steps of a two-digit number from a
    four-digit number [1]_ [2]_. The last minute of rest and the first minute of arithmetic are cut
    into windows. 19 channels, referenced to linked ears, 500 Hz, from which the
    authors removed artefacts. Licence: ODC-BY 1.0.

    Parameters
    ----------
    path : path-like, optional
        Folder that holds ``Subject00_1.edf`` and so on. Without it the files are downloaded into
        MNE's data folder and verified by PhysioNet's checksums, about 5 MB per subject.
    subjects : int or sequence of int, optional
        From 0 to 35, as in the files' names; by default all in `path`, or all.
    fmin, fmax : float or None
        Pass band, in Hz; None means no limit.
    sfreq : float, optional
        The sampling rate to resample to, in Hz.
    window : float, default=4.0
        Length of the windows, in seconds. They do not overlap.
    duration : float, default=60.0
        Length of the end of rest and of the start of arithmetic to use, in seconds.

    Returns
    -------
    data : EEGData
        In volts; T3, T4, T5 and T6 are renamed to T7, T8, P7 and P8. Labels:
        ``"rest"`` and ``"arithmetic"``. Metadata: ``subject``, ``session`` (always ``"0"``),
        ``run`` (``"1"`` rest, ``"2"`` arithmetic) and ``trial`` (always 0).

    Raises
    ------
    FileNotFoundError
        If `path` or one of its files is missing.
    ValueError
        If a file is damaged or too short, or a subject is unknown.

    Notes
    -----
    **Split by subject only.** Each recording has one class, so that any difference between two
    recordings, such as a drifting electrode, looks like a difference between rest and arithmetic.
    All windows of a recording therefore belong to one trial, and skeeg's leakage guard refuses
    folds that divide it. With 12 subjects, log band power and logistic regression reach 0.54 to
    0.71 on new subjects, depending on reference and bands (0.70 to 0.77 with each subject's
    features centred, without labels), and an inflated 0.98 when windows of one recording are in
    both sets; chance is 0.50.

    References
    ----------
    .. [1] Zyma, I. et al. (2019). Electroencephalograms during mental arithmetic task performance.
       Data 4(1), 14. https://doi.org/10.3390/data4010014
    .. [2] Goldberger, A. L. et al. (2000). PhysioBank, PhysioToolkit, and PhysioNet. Circulation
       101(23), e215-e220. https://doi.org/10.1161/01.CIR.101.23.e215
    """
    if not 0 < window <= duration:
        raise ValueError(
            f"window must be positive and no longer than duration, got window={window!r} and "
            f"duration={duration!r}."
        )
    cut = Cut(0.0, window, fmin, fmax, sfreq)
    if path is None:
        subjects = choose_subjects(subjects, range(36))
        folder = _download(subjects)
    else:
        folder = existing_folder(path, SOURCE)
    files = by_name(find_files(folder, "Subject*_[12].edf", SOURCE))
    present = sorted({int(number) for name in files for number in re.findall(r"\d+(?=_)", name)})
    parts = []
    for subject in choose_subjects(subjects, present):
        for run in RECORDINGS:
            name = f"Subject{subject:02d}_{run}.edf"
            if name not in files:
                raise FileNotFoundError(f"{folder} lacks {name}. {SOURCE}")
            parts.append(_load_recording(files[name], subject, run, duration, cut))
    return EEGData.concatenate(parts)


def _load_recording(file: Path, subject: int, run: str, duration: float, cut: Cut) -> EEGData:
    import mne

    raw = read(mne.io.read_raw_edf, file, SOURCE, preload=True)
    missing = [name for name in CHANNELS if f"EEG {name}" not in raw.ch_names]
    if missing:
        raise ValueError(f"{file} lacks the channels {', '.join(missing)}. {SOURCE}")
    raw.pick([f"EEG {name}" for name in CHANNELS])
    raw.rename_channels({f"EEG {name}": MODERN.get(name, name) for name in CHANNELS})
    rate = raw.info["sfreq"]
    recorded = raw.n_times / rate
    if recorded < duration:
        raise ValueError(
            f"{file} lasts {recorded:.1f} s, which is less than duration={duration:g} s. {SOURCE}"
        )
    label = RECORDINGS[run]
    first = recorded - duration if label == "rest" else 0.0
    # The margin keeps the last window in spite of rounding errors of the division.
    onsets = first + cut.tmax * np.arange(int(duration / cut.tmax + 1e-9))
    samples = np.round(onsets * rate).astype(int)
    events = np.column_stack([samples, np.zeros_like(samples), np.ones_like(samples)])
    return cut_trials(
        raw, events, {label: 1}, cut, file, SOURCE, subject=subject, session="0", run=run, trial=0
    )


def _download(subjects: Sequence[int]) -> Path:
    import pooch

    folder = download_folder("MNE-eegmat-data") / "1.0.0"
    sums = pooch.retrieve(
        URL + "SHA256SUMS.txt", known_hash=None, fname="SHA256SUMS.txt", path=folder
    )
    lines = [line.split() for line in Path(sums).read_text().splitlines() if line.strip()]
    fetcher = pooch.create(
        path=folder,
        base_url=URL,
        registry={name: f"sha256:{digest}" for digest, name in lines},
        retry_if_failed=2,
    )
    for subject in subjects:
        for run in RECORDINGS:
            fetcher.fetch(f"Subject{subject:02d}_{run}.edf", progressbar=True)
    return folder
