"""Trials from continuous recordings: events by name, band, rate, reference and windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._checks import check_number, check_positive, did_you_mean
from ._dropped import count_dropped, describe_reasons, dropped_frame, dropped_trials
from ._events import ChosenEvents, Events, choose_events, labels_of_events
from ._operations import check_band

if TYPE_CHECKING:
    import mne

Names = str | Sequence[str]


@dataclass(frozen=True)
class Cutting:
    """How trials are cut from a recording; the arguments of `EEGData.from_raw`."""

    events: Events
    tmin: float
    tmax: float
    fmin: float | None
    fmax: float | None
    sfreq: float | None
    picks: Names
    reference: Names | None
    reject: float | Mapping[str, float] | None
    stim_channel: str | None

    def __post_init__(self) -> None:
        labels_of_events(self.events)
        check_band(self.fmin, self.fmax)
        if not check_number("tmin", self.tmin) < check_number("tmax", self.tmax):
            raise ValueError(
                f"tmin must lie before tmax, got tmin={self.tmin!r} and tmax={self.tmax!r}."
            )
        if self.sfreq is not None:
            check_positive("sfreq", self.sfreq, "Hz")
        if self.reference is not None and not isinstance(self.reference, str):
            named = list(self.reference)
            if not named or "average" in named:
                raise ValueError(
                    "reference must be 'average' or name one or more channels, got "
                    f"{self.reference!r}."
                )
        limits = self.reject.values() if isinstance(self.reject, Mapping) else [self.reject]
        for limit in limits:
            if limit is not None:
                check_positive("reject", limit, "volts")


@dataclass(frozen=True)
class CutRecording:
    """The trials of a recording, which may be none, and what was left out of it."""

    epochs: mne.Epochs
    chosen: ChosenEvents
    dropped: pd.DataFrame

    def why_empty(self, name: str, cutting: Cutting) -> str:
        """Return the message for a recording without a trial."""
        reasons = count_dropped(self.dropped).get("trial", {})
        return (
            f"{name} holds no whole trial from {cutting.tmin:g} to {cutting.tmax:g} s around its "
            f"{len(self.chosen.events)} events ({describe_reasons(reasons) or 'no event'})."
        )


def cut_recording(
    raw: mne.io.BaseRaw,
    cutting: Cutting,
    name: str,
    *,
    some_events: bool = False,
    beside: NDArray[np.integer[Any]] | None = None,
) -> CutRecording:
    """Cut the trials of a recording, which is left as it is.

    Parameters
    ----------
    raw : mne.io.Raw
    cutting : Cutting
    name : str
        The recording, for messages.
    some_events : bool, default=False
        Whether it is enough that the recording has events of one label.
    beside : ndarray of int, shape (n_events, 3), optional
        The events in a file beside the recording.

    Returns
    -------
    cut : CutRecording

    Raises
    ------
    ValueError
        If an event or channel does not exist.
    """
    import mne

    chosen = choose_events(
        raw, cutting.events, cutting.stim_channel, name, some=some_events, beside=beside
    )
    events = chosen.events
    recording = Path(raw.filenames[0]).name if raw.filenames and raw.filenames[0] else ""
    bads = _bads(raw, cutting.picks)
    raw = _referenced(raw, cutting, name)
    if cutting.fmin is not None or cutting.fmax is not None:
        raw.filter(cutting.fmin, cutting.fmax, picks="all", verbose="error")
    if cutting.sfreq is not None and cutting.sfreq != raw.info["sfreq"]:
        raw, events = raw.resample(cutting.sfreq, events=events, verbose="error")
    epochs = mne.Epochs(
        raw,
        events,
        chosen.event_id,
        tmin=cutting.tmin,
        tmax=cutting.tmax - 1 / raw.info["sfreq"],
        baseline=None,
        picks="all",
        preload=True,
        reject=_limits(raw, cutting.reject, name),
        on_missing="ignore",
        event_repeated="drop",
        verbose="error",
    )
    trials = dropped_trials(epochs, dict(enumerate(chosen.labels)), recording)
    absent = [("event", event, "does not occur") for event in chosen.missing]
    others = [*absent, *(("channel", channel, "marked as bad") for channel in bads)]
    rows = [
        {"recording": recording, "kind": kind, "name": which, "reason": reason}
        for kind, which, reason in others
    ]
    return CutRecording(epochs, chosen, dropped_frame([*trials, *rows]))


def match_channels(names: Sequence[str], raw: mne.io.BaseRaw, name: str) -> list[str]:
    """Return channels of a recording by name; the case of letters counts only where needed.

    Parameters
    ----------
    names : sequence of str
    raw : mne.io.Raw
    name : str
        The recording, for messages.

    Returns
    -------
    channels : list of str
        As the recording spells them.

    Raises
    ------
    ValueError
        If a channel does not exist, or is named twice.
    """
    known = {channel.casefold(): channel for channel in reversed(raw.ch_names)}
    channels = [
        channel if channel in raw.ch_names else known.get(str(channel).casefold())
        for channel in names
    ]
    for asked, channel in zip(names, channels, strict=True):
        if channel is None:
            raise ValueError(
                f"{name} has no channel {asked!r}; it has {', '.join(raw.ch_names)}."
                f"{did_you_mean(str(asked), raw.ch_names)}"
            )
        if channels.count(channel) > 1:
            raise ValueError(f"The channel {asked!r} of {name} is named twice.")
    return [channel for channel in channels if channel is not None]


def _bads(raw: mne.io.BaseRaw, picks: Names) -> list[str]:
    """Return the bad channels that a type of channels leaves out."""
    if not isinstance(picks, str) or not raw.info["bads"]:
        return []
    kinds = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    every = picks in ("all", "data")
    return [bad for bad in raw.info["bads"] if every or kinds[bad] == picks]


def _referenced(raw: mne.io.BaseRaw, cutting: Cutting, name: str) -> mne.io.BaseRaw:
    """Return a loaded copy with the picked channels, referenced; a reference need not be picked."""
    reference = cutting.reference
    named = [reference] if isinstance(reference, str) else list(reference or ())
    to = match_channels([channel for channel in named if channel != "average"], raw, name)
    picked = _picked(raw, cutting.picks, name)
    wanted = list(picked.ch_names)
    extra = [channel for channel in to if channel not in wanted]
    if extra:
        picked = raw.copy().pick([*wanted, *extra], exclude=(), verbose="error")
    picked.load_data(verbose="error")
    if reference is not None:
        picked.set_eeg_reference(to or "average", verbose="error")
    return picked.pick(wanted, exclude=(), verbose="error").reorder_channels(wanted)


def _picked(raw: mne.io.BaseRaw, picks: Names, name: str) -> mne.io.BaseRaw:
    named = isinstance(picks, str) and picks.casefold() in map(str.casefold, raw.ch_names)
    if named or not isinstance(picks, str):
        picks = [picks] if isinstance(picks, str) else list(picks)
        names = match_channels(picks, raw, name)
        if not names:
            raise ValueError("picks must name one or more channels, or a type, got none.")
        return raw.copy().pick(names, exclude=(), verbose="error").reorder_channels(names)
    try:
        return raw.copy().pick(picks, exclude="bads", verbose="error")
    except ValueError as error:
        kinds = ", ".join(sorted(set(raw.get_channel_types())))
        raise ValueError(
            f"{name} has no good channel of picks={picks!r}; its channels are of type {kinds}."
        ) from error


def _limits(
    raw: mne.io.BaseRaw, reject: float | Mapping[str, float] | None, name: str
) -> dict[str, float] | None:
    """Return the largest peak-to-peak amplitude of each type of channels."""
    if reject is None:
        return None
    kinds = set(raw.get_channel_types())
    if not isinstance(reject, Mapping):
        return dict.fromkeys(sorted(kinds), float(reject))
    unknown = [kind for kind in reject if kind not in kinds]
    if unknown:
        raise ValueError(
            f"reject names the type {unknown[0]!r}, of which {name} has no picked channel; it has "
            f"{', '.join(sorted(kinds))}."
        )
    return dict(reject)
