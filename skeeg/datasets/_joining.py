"""The trials of several recordings, which are read one at a time, as one `EEGData`."""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from joblib import Memory
from numpy.typing import NDArray
from tqdm import tqdm

from .._checks import did_you_mean
from .._dropped import COLUMNS, describe_dropped, dropped_frame, join_dropped
from .._events import labels_of_events
from .._identity import identify
from .._labelled import PROVENANCE
from .._raw import Cutting, cut_recording
from ..data import EEGData
from ._file_metadata import Columns
from ._recording import PathLike, read
from ._recording_files import SOURCE, bare_name, files_of

if TYPE_CHECKING:
    import mne

State = list[tuple[str, int, int]]


@dataclass(frozen=True)
class Recording:
    """A recording to read.

    Parameters
    ----------
    file : pathlib.Path
    columns : dict
        Its columns of the metadata.
    root : pathlib.Path, optional
        The data set of BIDS that it is part of.
    """

    file: Path
    columns: Columns
    root: Path | None = None


@dataclass(frozen=True)
class _Loaded:
    """The trials of a recording, None if none is left, and what is known about it."""

    data: EEGData | None
    why_empty: str
    rereferenced: bool
    present: dict[str, int]
    dropped: pd.DataFrame
    told: list[tuple[type[Warning], str]]


def load_all(
    recordings: Sequence[Recording],
    cutting: Cutting,
    window: float | None,
    step: float | None,
    cache: PathLike | None,
) -> EEGData:
    """Return the trials of several recordings.

    Parameters
    ----------
    recordings : sequence of Recording
        One or more.
    cutting : Cutting
    window, step : float, optional
        As in `EEGData.from_raw`.
    cache : path-like, optional
        The folder in which the trials of each recording are kept.

    Returns
    -------
    data : EEGData
        A warning says what was left out.

    Raises
    ------
    ValueError
        If no trial is left, an event occurs in no recording, or recordings differ in their
        channels, rate or reference.
    """
    load = _load if cache is None else Memory(cache, verbose=0).cache(_load)
    code = "" if cache is None else identify(_load)
    kept: list[tuple[Recording, _Loaded]] = []
    parts: list[EEGData] = []
    dropped, present, empty = [], Counter[str](), ""
    numbers: dict[tuple[Any, ...], int] = {}
    for recording in tqdm(recordings, desc="recordings", unit="file", disable=None):
        loaded = load(recording, cutting, window, step, _state(recording, code))
        for category, message in loaded.told:  # also of trials that were cut in an earlier call
            warnings.warn(message, category, stacklevel=3)
        present.update(loaded.present)
        part = loaded.data
        if part is None:
            empty = empty or loaded.why_empty
            dropped.append(loaded.dropped)
            continue
        if kept:
            part = _like(parts[0], part, kept[0], (recording, loaded), cutting)
        part = dataclasses.replace(part, dropped=loaded.dropped)
        if "trial" not in recording.columns:
            part = _numbered(part, numbers)
        kept.append((recording, loaded))
        dropped.append(part.dropped)
        parts.append(part)
    _check_events(cutting, present)
    if not parts:
        raise ValueError(empty)
    data = EEGData.concatenate(parts)
    left_out = join_dropped(dropped)
    if len(left_out):
        warnings.warn(
            f"Left out: {describe_dropped(left_out)}. The attribute dropped of the data has a row "
            "for each.",
            stacklevel=3,
        )
    return dataclasses.replace(data, dropped=left_out)


def _state(recording: Recording, code: str) -> State:
    """Return what changes with a recording: its files, with sizes and times, and the code."""
    files = files_of(recording.file)
    if recording.root is not None:  # tables and sidecars may lie in any folder above
        folders = [f for f in recording.file.parents if f.is_relative_to(recording.root)]
        files += [other for f in folders for kind in ("*.tsv", "*.json") for other in f.glob(kind)]
    stats = [(str(file), file.stat()) for file in sorted(set(files)) if file.is_file()]
    return [*((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats), (code, 0, 0)]


def _load(
    recording: Recording, cutting: Cutting, window: float | None, step: float | None, state: State
) -> _Loaded:
    """Return the trials of a recording; the state is unused here, but joblib compares it."""
    file = recording.file
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        raw = read(_reader(recording), file, SOURCE)
        beside = _events_beside(file)
        try:
            cut = cut_recording(raw, cutting, str(file), some_events=True, beside=beside)
        except ValueError as error:
            if str(file) in str(error):
                raise
            raise ValueError(f"{file}: {error}") from error
        except Exception as error:  # the values are read here, after the header
            raise ValueError(f"{file} is damaged ({error}). {SOURCE}") from error
        data, rows = None, _outside(caught)
        if len(cut.epochs):
            data = EEGData._from_cut(cut, recording.columns, window, step, cutting.tmin)
        else:
            rows.append({"kind": "recording", "name": file.name, "reason": "no trial left"})
    dropped = join_dropped([cut.dropped, dropped_frame(rows)]).assign(recording=file.name)
    return _Loaded(
        data=data,
        why_empty="" if data is not None else cut.why_empty(str(file), cutting),
        rereferenced=bool(raw.info["custom_ref_applied"]),
        present=cut.chosen.present,
        dropped=dropped.astype(COLUMNS),
        told=[(entry.category, f"{file}: {entry.message}") for entry in caught],
    )


def _outside(caught: Sequence[warnings.WarningMessage]) -> list[dict[str, Any]]:
    """Return a row for each event that MNE left out because the recording is too short for it."""
    found = [re.match(r"Omitted (\d+) annotation", str(entry.message)) for entry in caught]
    n_events = sum(int(match[1]) for match in found if match)
    return [{"kind": "event", "name": "", "reason": "outside the recording"}] * n_events


def _events_beside(file: Path) -> NDArray[np.integer[Any]] | None:
    """Return the events in a file of MNE beside a recording, if there is one."""
    import mne

    named = (file.with_name(f"{bare_name(file)}{mark}eve.fif") for mark in "-_")
    found = next((path for path in named if path.exists()), None)
    return None if found is None else read(mne.read_events, found, "Expected are events of MNE.")


def _reader(recording: Recording) -> Any:
    import mne

    root = recording.root
    if root is None:
        nicolet = recording.file.name.lower().endswith(".data")
        return partial(mne.io.read_raw, ch_type="eeg") if nicolet else mne.io.read_raw

    def read_bids(file: Path, *, verbose: str) -> mne.io.BaseRaw:
        import mne_bids

        # About columns of participants.tsv, which are none of MNE's.
        warnings.filterwarnings("ignore", message="Unable to map the following column")
        path = mne_bids.get_bids_path_from_fname(file, verbose=verbose).update(root=root)
        return mne_bids.read_raw_bids(path, verbose=verbose)

    return read_bids


def _check_events(cutting: Cutting, present: Counter[str]) -> None:
    """Raise if an event occurs in none of the recordings."""
    labels = labels_of_events(cutting.events) or {}
    missing = [event for event in labels if not present[event]]
    if missing:
        known = [event for event, n in present.items() if n]
        listed = ", ".join(f"{event!r} ({present[event]})" for event in known)
        raise ValueError(
            f"No recording has an event {', '.join(map(repr, missing))}; they have "
            f"{listed or 'none'}.{did_you_mean(missing[0], known)}"
        )


def _numbered(part: EEGData, numbers: dict[tuple[Any, ...], int]) -> EEGData:
    """Return trials numbered on from earlier recordings of the same subject, session and run.

    The number of the next trial of each is kept in `numbers`.
    """
    outer = [name for name in PROVENANCE[:-1] if name in part.metadata]
    key = tuple(part.metadata[outer].iloc[0])
    first = numbers.get(key, 0)
    trial, of_dropped = part.metadata["trial"] + first, part.dropped["trial"] + first
    last = max(trial.max(), of_dropped.max() if of_dropped.notna().any() else 0)
    numbers[key] = int(last) + 1
    return dataclasses.replace(
        part,
        metadata=part.metadata.assign(trial=trial),
        dropped=part.dropped.assign(trial=of_dropped),
    )


def _like(
    first: EEGData,
    part: EEGData,
    of_first: tuple[Recording, _Loaded],
    of_part: tuple[Recording, _Loaded],
    cutting: Cutting,
) -> EEGData:
    """Return trials with the channels of the first recording; raise if they differ otherwise."""
    files = of_part[0].file, of_first[0].file
    if part.sfreq != first.sfreq:
        raise ValueError(
            f"{files[0]} was sampled at {part.sfreq:g} Hz, {files[1]} at {first.sfreq:g} Hz. Pass "
            f"sfreq={min(part.sfreq, first.sfreq):g} to resample both."
        )
    if of_part[1].rereferenced != of_first[1].rereferenced and cutting.reference is None:
        raise ValueError(
            f"{files[0]} and {files[1]} differ in their reference: only one was referenced anew. "
            "Pass reference='average'."
        )
    if part.ch_names == first.ch_names:
        return part
    own = {name.casefold(): name for name in part.ch_names}
    theirs = {name.casefold(): name for name in first.ch_names}
    if own.keys() != theirs.keys() or len(own) < len(part.ch_names):
        missing = [theirs[name] for name in theirs if name not in own]
        extra = [own[name] for name in own if name not in theirs]
        common = [name for name in first.ch_names if name.casefold() in own]
        raise ValueError(
            f"{files[0]} and {files[1]} differ in their channels: the former lacks "
            f"{_with_bads(missing, of_part[1])}, the latter {_with_bads(extra, of_first[1])}. Pass "
            f"picks={common}."
        )
    picked = part.pick([own[name] for name in theirs])
    return dataclasses.replace(picked, ch_names=first.ch_names)


def _with_bads(names: Sequence[str], lacking: _Loaded) -> str:
    """Return names, and say which of them were left out because they are marked as bad."""
    rows = lacking.dropped[lacking.dropped["kind"] == "channel"]
    bads = {str(name).casefold() for name in rows["name"]}
    listed = [f"{name} (marked as bad)" if name.casefold() in bads else name for name in names]
    return ", ".join(listed) or "none"
