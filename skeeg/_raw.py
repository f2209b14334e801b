"""Trials from continuous recordings: events by name, band, rate, reference and windows."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._checks import check_number, check_positive, did_you_mean, value_or
from ._operations import check_band

if TYPE_CHECKING:
    import mne

Events = str | Sequence[str] | Mapping[str, str | int] | None


@dataclass(frozen=True)
class Cutting:
    """How trials are cut from a recording; the arguments of `EEGData.from_raw`."""

    events: Events
    tmin: float
    tmax: float
    fmin: float | None
    fmax: float | None
    sfreq: float | None
    picks: str | Sequence[str]
    reference: str | Sequence[str] | None

    def __post_init__(self) -> None:
        check_band(self.fmin, self.fmax)
        if not check_number("tmin", self.tmin) < check_number("tmax", self.tmax):
            raise ValueError(
                f"tmin must lie before tmax, got tmin={self.tmin!r} and tmax={self.tmax!r}."
            )
        if self.sfreq is not None:
            check_positive("sfreq", self.sfreq, "Hz")


def epochs_from_raw(raw: mne.io.BaseRaw, cutting: Cutting, name: str) -> mne.Epochs:
    """Return the trials of a recording, which is left as it is.

    Parameters
    ----------
    raw : mne.io.Raw
    cutting : Cutting
    name : str
        The recording, for messages.

    Returns
    -------
    epochs : mne.Epochs
        Only good channels. A warning says which trials were dropped, and why.

    Raises
    ------
    ValueError
        If an event or channel does not exist, or no whole trial is left.
    """
    import mne

    events, event_id = _events(raw, cutting.events, name)
    raw = _picked(raw, cutting.picks, name).load_data(verbose="error")
    if cutting.reference is not None:
        raw.set_eeg_reference(value_or(cutting.reference, "average"), verbose="error")
    if cutting.fmin is not None or cutting.fmax is not None:
        raw.filter(cutting.fmin, cutting.fmax, picks="all", verbose="error")
    if cutting.sfreq is not None and cutting.sfreq != raw.info["sfreq"]:
        raw, events = raw.resample(cutting.sfreq, events=events, verbose="error")
    epochs = mne.Epochs(
        raw,
        events,
        event_id,
        tmin=cutting.tmin,
        tmax=cutting.tmax - 1 / raw.info["sfreq"],
        baseline=None,
        picks="all",
        preload=True,
        on_missing="ignore",
        event_repeated="drop",
        verbose="error",
    )
    reasons = Counter(reason for entry in epochs.drop_log for reason in entry[:1])
    del reasons["IGNORED"]
    listed = ", ".join(f"{reason} {n}" for reason, n in reasons.items())
    if not len(epochs):
        raise ValueError(
            f"{name} holds no whole trial from {cutting.tmin:g} to {cutting.tmax:g} s around its "
            f"{len(events)} events ({listed or 'no event'})."
        )
    if listed:
        warnings.warn(
            f"{name}: {sum(reasons.values())} of {len(events)} trials were dropped: {listed}.",
            stacklevel=3,
        )
    return epochs


def _picked(raw: mne.io.BaseRaw, picks: str | Sequence[str], name: str) -> mne.io.BaseRaw:
    names = [] if isinstance(picks, str) else list(picks)
    for channel in names:
        if channel not in raw.ch_names:
            raise ValueError(
                f"{name} has no channel {channel!r}; it has {', '.join(raw.ch_names)}."
                f"{did_you_mean(channel, raw.ch_names)}"
            )
    try:
        picked = raw.copy().pick(names or picks, exclude=() if names else "bads", verbose="error")
    except ValueError as error:
        kinds = ", ".join(sorted(set(raw.get_channel_types())))
        raise ValueError(
            f"{name} has no good channel of picks={picks!r}; its channels are of type {kinds}."
        ) from error
    return picked.reorder_channels(names) if names else picked


def _events(
    raw: mne.io.BaseRaw, wanted: Events, name: str
) -> tuple[NDArray[np.integer[Any]], dict[str, int]]:
    """Return the events of MNE with their names, from annotations or else a stim channel."""
    import mne

    found, codes = mne.events_from_annotations(raw, verbose="error")
    if not len(found) and "stim" in raw:
        found = mne.find_events(raw, shortest_event=1, verbose="error")
        codes = {str(code): int(code) for code in np.unique(found[:, 2])}
    if wanted is None:
        labels = {label: label for label in codes}
    elif isinstance(wanted, Mapping):
        labels = {str(label): str(event) for label, event in wanted.items()}
    else:
        listed = [wanted] if isinstance(wanted, str) else list(wanted)
        labels = {str(event): str(event) for event in listed}
    unknown = [event for event in labels.values() if event not in codes]
    if unknown or not labels:
        present = ", ".join(f"{event!r} ({np.sum(found[:, 2] == n)})" for event, n in codes.items())
        raise ValueError(
            f"{name} has no event {', '.join(map(repr, unknown)) or 'at all'}; "
            f"it has {present or 'none'}.{did_you_mean(unknown[0], codes) if unknown else ''}"
        )
    event_id = {label: codes[event] for label, event in labels.items()}
    return found[np.isin(found[:, 2], list(event_id.values()))], event_id
