"""Loading data sets of motor imagery through MOABB."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from tqdm import tqdm

from ..data import EEGData
from ._recording import Cut, PathLike, choose_subjects, existing_folder


def import_datasets() -> Any:
    """Return ``moabb.datasets``; raise an error that says how to install MOABB if it is missing."""
    try:
        import moabb.datasets
    except ImportError as error:
        raise ImportError(
            "This data set is downloaded and read by MOABB; install it with "
            "`pip install skeeg[moabb]`."
        ) from error
    return moabb.datasets


def load_motor_imagery(
    dataset: Any,
    path: PathLike | None,
    *,
    folder_key: str,
    subjects: int | Sequence[int] | None,
    classes: Sequence[str],
    ch_names: Sequence[str] | None,
    cut: Cut,
    reject: float | None = None,
) -> EEGData:
    """Load a data set with MOABB's motor imagery paradigm, one subject at a time.

    Parameters
    ----------
    dataset : moabb.datasets.base.BaseDataset
    path : path-like or None
        MOABB's data folder; None uses MOABB's default.
    folder_key : str
        The name of the data set's folder in MOABB's configuration.
    subjects : int, sequence of int or None
    classes : sequence of str
        The events to load, by MOABB's names.
    ch_names : sequence of str or None
        The channels to keep, in this order; None keeps all EEG channels.
    cut : Cut
    reject : float, optional
        Drop trials in which any EEG channel, selected or not, reaches this amplitude after the
        cue, in volts.

    Returns
    -------
    data : EEGData

    Raises
    ------
    FileNotFoundError
        If `path` is not a folder.
    ValueError
        If a subject, class or channel is unknown.
    """
    from moabb.paradigms import MotorImagery

    unknown = [name for name in classes if name not in dataset.event_id]
    if unknown or len(set(classes)) < 2:
        raise ValueError(
            f"classes must be two or more of {', '.join(dataset.event_id)}, got {list(classes)}."
        )
    paradigm = MotorImagery(
        events=list(classes),
        n_classes=len(classes),
        fmin=cut.fmin,
        fmax=cut.fmax,
        tmin=cut.tmin,
        tmax=cut.tmax,
        resample=cut.sfreq,
    )
    chosen = choose_subjects(subjects, dataset.subject_list)
    parts = []
    with _data_folder(folder_key, path):
        for subject in tqdm(chosen, desc=dataset.code, unit="subject", disable=None):
            part = EEGData.from_moabb(dataset, paradigm, [subject])
            part = _drop_end(part, cut)
            if reject is not None:
                after_cue = part.X[..., max(0, round(-cut.tmin * part.sfreq)) :]
                part = part[np.abs(after_cue).max(axis=(1, 2)) < reject]
            parts.append(part if ch_names is None else _pick(part, ch_names))
    return EEGData.concatenate(parts)


def _drop_end(data: EEGData, cut: Cut) -> EEGData:
    """Drop the sample at ``tmax``, which MOABB includes."""
    n_times = round((cut.tmax - cut.tmin) * data.sfreq)
    return dataclasses.replace(data, X=data.X[..., :n_times])


def _pick(data: EEGData, ch_names: Sequence[str]) -> EEGData:
    missing = [name for name in ch_names if name not in data.ch_names]
    if missing:
        raise ValueError(
            f"The recording has no channel {', '.join(missing)}; it has {', '.join(data.ch_names)}."
        )
    kept = [data.ch_names.index(name) for name in ch_names]
    return dataclasses.replace(data, X=data.X[:, kept], ch_names=tuple(ch_names))


@contextmanager
def _data_folder(key: str, path: PathLike | None) -> Iterator[None]:
    """Make MOABB read and download the files of a data set in a folder."""
    if path is None:
        yield
        return
    folder = existing_folder(path, "Create it first: MOABB downloads missing files into it.")
    variable = f"MNE_DATASETS_{key}_PATH"
    before = os.environ.get(variable)
    os.environ[variable] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before
