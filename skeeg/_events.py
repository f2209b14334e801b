"""Events of recordings by name, from annotations or from a stimulation channel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._checks import did_you_mean

if TYPE_CHECKING:
    import mne

#: Names of events, or the names of the events of each label; None means all.
Events = str | int | Sequence[str | int] | Mapping[str, str | int | Sequence[str | int]] | None


@dataclass(frozen=True)
class ChosenEvents:
    """The events of a recording that become trials.

    Parameters
    ----------
    events : ndarray of int, shape (n_events, 3)
        In the format of MNE.
    event_id : dict of str to int
        The code of each label.
    missing : tuple of str
        Names of events that the recording does not have, nor others of their label.
    present : dict of str to int
        How often each event of the recording occurs, by name; tags count as names.
    """

    events: NDArray[np.integer[Any]]
    event_id: dict[str, int]
    missing: tuple[str, ...]
    present: dict[str, int]

    @property
    def labels(self) -> list[str]:
        """The label of each event."""
        names = {code: label for label, code in self.event_id.items()}
        return [names[code] for code in self.events[:, 2].tolist()]


@dataclass(frozen=True)
class _Source:
    """Events of the annotations or of a stimulation channel, with the code of each name."""

    kind: str
    events: NDArray[np.integer[Any]]
    codes: dict[str, int]

    def __str__(self) -> str:
        return ", ".join(f"{name!r} ({n})" for name, n in self.counts.items()) or "none"

    @property
    def counts(self) -> dict[str, int]:
        """How often each event occurs."""
        return {name: int(np.sum(self.events[:, 2] == n)) for name, n in self.codes.items()}

    def named(self, event: str) -> list[str]:
        """Return the event of a name or, if there is none, those that have it as a tag of MNE."""
        if event in self.codes:
            return [event]
        return [name for name in self.codes if event in name.split("/")]


def labels_of_events(wanted: Events) -> dict[str, str] | None:
    """Return the label of each event by the name of the event.

    Parameters
    ----------
    wanted : str, int, list, mapping or None

    Returns
    -------
    labels : dict of str to str, or None
        None means that all events are wanted, with their names as labels.

    Raises
    ------
    TypeError
        If a name is neither text nor a whole number.
    ValueError
        If there is no name, or an event has two labels.
    """
    if wanted is None:
        return None
    pairs = wanted.items() if isinstance(wanted, Mapping) else [(n, [n]) for n in _listed(wanted)]
    labels: dict[str, str] = {}
    for label, names in pairs:
        for name in _listed(names):
            if isinstance(name, (bool, np.bool_)) or not isinstance(name, (str, int, np.integer)):
                raise TypeError(
                    f"events must be names of events, such as 'left', or codes of a stimulation "
                    f"channel, such as 1; got {name!r}."
                )
            if labels.setdefault(str(name), str(label)) != str(label):
                raise ValueError(
                    f"events gives {str(name)!r} two labels, {labels[str(name)]!r} and {label!r}."
                )
    if not labels:
        raise ValueError("events must name one or more events, got none. By default all are used.")
    return labels


def _listed(names: Any) -> list[Any]:
    return list(names) if isinstance(names, Iterable) and not isinstance(names, str) else [names]


def choose_events(
    raw: mne.io.BaseRaw,
    wanted: Events,
    stim_channel: str | None,
    name: str,
    *,
    some: bool = False,
    beside: NDArray[np.integer[Any]] | None = None,
) -> ChosenEvents:
    """Find the wanted events of a recording.

    Parameters
    ----------
    raw : mne.io.Raw
    wanted : str, list or mapping, optional
    stim_channel : str, optional
        The stimulation channel to read; by default the annotations, or the stimulation channel
        if it has more of the names.
    name : str
        The recording, for messages.
    some : bool, default=False
        Whether it is enough that the recording has events of one label.
    beside : ndarray of int, shape (n_events, 3), optional
        The events in a file beside the recording, with codes as names.

    Returns
    -------
    chosen : ChosenEvents

    Raises
    ------
    ValueError
        If an event does not exist, with those that do.
    """
    labels = labels_of_events(wanted)
    sources = _sources(raw, stim_channel, name)
    if beside is not None and stim_channel is None:
        sources.append(_Source("file of events", beside, _names_of_codes(beside)))
    if labels is None:
        source = next((source for source in sources if source.codes), sources[0])
        labels = {event: event for event in source.codes}
    else:
        source = max(sources, key=lambda source: sum(bool(source.named(e)) for e in labels or ()))
    named = {event: source.named(event) for event in labels}
    absent = [event for event in labels if not named[event]]
    found = {labels[event] for event in labels if named[event]}
    missing = [event for event in absent if labels[event] not in found]
    if not found or (absent and not some) or _known_in_other_case(missing, source):
        raise ValueError(_absent(missing or absent, sources, name))
    codes = {label: i + 1 for i, label in enumerate(dict.fromkeys(labels.values()))}
    events = _recoded(source, [(named[event], codes[labels[event]]) for event in labels], name)
    tags = {event: sum(source.counts[one] for one in named[event]) for event in labels}
    return ChosenEvents(events, codes, tuple(missing), source.counts | tags)


def _recoded(
    source: _Source, wanted: Sequence[tuple[Sequence[str], int]], name: str
) -> NDArray[np.integer[Any]]:
    """Return the events with some names, with the code that is given for these names."""
    code_of: dict[int, int] = {}
    for events, code in wanted:
        for event in events:
            if code_of.setdefault(source.codes[event], code) != code:
                raise ValueError(
                    f"events gives {event!r} of {name} two labels, because it has several tags."
                )
    chosen = source.events[np.isin(source.events[:, 2], list(code_of))].copy()
    chosen[:, 2] = [code_of[code] for code in chosen[:, 2].tolist()]
    return chosen


def _known_in_other_case(missing: Sequence[str], source: _Source) -> bool:
    known = {event.casefold() for event in source.codes}
    return not known.isdisjoint(event.casefold() for event in missing)


def _absent(missing: Sequence[str], sources: Sequence[_Source], name: str) -> str:
    others = [source for source in sources[1:] if source.codes]
    beside = "".join(f"; its {other.kind} has {other}" for other in others)
    known = [event for source in sources for event in source.codes]
    return (
        f"{name} has no event {', '.join(map(repr, missing)) or 'at all'}; it has {sources[0]}"
        f"{beside}.{did_you_mean(missing[0], known) if missing else ''}"
    )


def _sources(raw: mne.io.BaseRaw, stim_channel: str | None, name: str) -> list[_Source]:
    import mne

    if stim_channel is not None:
        names = {channel.casefold(): channel for channel in reversed(raw.ch_names)}
        channel = stim_channel if stim_channel in raw.ch_names else None
        channel = channel or names.get(str(stim_channel).casefold())
        if channel is None:
            kinds = raw.get_channel_types()
            stim = [ch for ch, kind in zip(raw.ch_names, kinds, strict=True) if kind == "stim"]
            raise ValueError(
                f"{name} has no stimulation channel {stim_channel!r}; its channels of that type "
                f"are {', '.join(stim) or 'none'}.{did_you_mean(str(stim_channel), raw.ch_names)}"
            )
        return [_from_channel(raw, channel)]
    found, codes = mne.events_from_annotations(raw, event_id=None, verbose="error")
    sources = [_Source("annotations", found, {str(event): code for event, code in codes.items()})]
    return [*sources, _from_channel(raw, None)] if "stim" in raw else sources


def _from_channel(raw: mne.io.BaseRaw, channel: str | None) -> _Source:
    import mne

    found = mne.find_events(raw, stim_channel=channel, shortest_event=1, verbose="error")
    return _Source("stimulation channel", found, _names_of_codes(found))


def _names_of_codes(events: NDArray[np.integer[Any]]) -> dict[str, int]:
    return {str(code): int(code) for code in np.unique(events[:, 2])}
