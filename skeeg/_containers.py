"""Values, channel names and sampling rate of containers of trials, such as MNE's epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import mne


@dataclass(frozen=True)
class Unwrapped:
    """The values of a container of trials and, if it has them, channel names and rate."""

    values: Any
    ch_names: tuple[str, ...] | None = None
    sfreq: float | None = None


def unwrap_epochs(epochs: mne.BaseEpochs) -> Unwrapped:
    """Return the good EEG channels of epochs.

    Parameters
    ----------
    epochs : mne.Epochs

    Returns
    -------
    unwrapped : Unwrapped
        Values in volts, shape (n_epochs, n_chans, n_times).

    Raises
    ------
    ValueError
        If there is no good EEG channel.
    """
    import mne

    picks = mne.pick_types(epochs.info, eeg=True, exclude="bads")
    if not len(picks):
        kinds = sorted(set(epochs.get_channel_types()))
        raise ValueError(
            f"The epochs have no good EEG channel: their channels are of type {kinds} and "
            f"{len(epochs.info['bads'])} are marked bad. Set the type with "
            "epochs.set_channel_types, or pass epochs.get_data(picks=...)."
        )
    return Unwrapped(
        epochs.get_data(picks=picks, copy=False),
        tuple(epochs.ch_names[i] for i in picks),
        float(epochs.info["sfreq"]),
    )


def unwrap_epochs_list(epochs: list[mne.BaseEpochs] | tuple[mne.BaseEpochs, ...]) -> Unwrapped:
    """Return the good EEG channels of several epochs, joined.

    Parameters
    ----------
    epochs : list of mne.Epochs
        One or more.

    Returns
    -------
    unwrapped : Unwrapped

    Raises
    ------
    ValueError
        If one has no good EEG channel, or they differ in their channels or sampling rate.
    """
    parts = [unwrap_epochs(part) for part in epochs]
    first = parts[0]
    if any(part.ch_names != first.ch_names or part.sfreq != first.sfreq for part in parts):
        raise ValueError("The epochs in the list differ in their EEG channels or sampling rate.")
    return Unwrapped(np.concatenate([part.values for part in parts]), first.ch_names, first.sfreq)
