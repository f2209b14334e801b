"""Constructors of `EEGData` from objects of MNE and MOABB."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ._containers import unwrap_epochs
from ._dropped import count_dropped, describe_reasons, dropped_frame, dropped_trials
from ._events import Events
from ._labelled import refuse_what_holds_no_trials
from ._operations import TrialOperations, cut_windows
from ._raw import CutRecording, Cutting, Names, cut_recording

if TYPE_CHECKING:
    import mne


class FromMNE(TrialOperations):
    """The constructors of `EEGData` from recordings, epochs and data sets."""

    @classmethod
    def from_arrays(cls, *args: Any, **kwargs: Any) -> Self:
        """Create `EEGData` from plain arrays."""
        raise NotImplementedError

    @classmethod
    def from_epochs(
        cls,
        epochs: mne.BaseEpochs,
        y: ArrayLike | None = None,
        **columns: ArrayLike | str | float,
    ) -> Self:
        """Create `EEGData` from MNE epochs: their good EEG channels.

        Parameters
        ----------
        epochs : mne.Epochs
            The epochs. Their metadata, if any, are kept.
        y : array-like, shape (n_trials,), optional
            The labels; by default the name of each epoch's event.
        **columns : array-like or scalar
            More columns of the metadata, such as ``subject`` or ``run``.

        Returns
        -------
        data : EEGData
            In volts. Its `dropped` lists the bad channels and the epochs that MNE dropped.

        Raises
        ------
        TypeError
            If `epochs` are not `mne.Epochs`.
        ValueError
            If the epochs have no good EEG channel.
        """
        import mne

        refuse_what_holds_no_trials(epochs)
        if not isinstance(epochs, mne.BaseEpochs):
            raise TypeError(
                f"epochs must be mne.Epochs, got {type(epochs).__name__}. Plain arrays become "
                "EEGData by EEGData.from_arrays(X, y, sfreq=...)."
            )
        trials = unwrap_epochs(epochs)
        if y is None:
            names = {code: name for name, code in epochs.event_id.items()}
            y = np.array([names[code] for code in epochs.events[:, 2]])
        assert trials.sfreq is not None  # epochs always know their rate
        data = cls.from_arrays(
            trials.values,
            y,
            trials.sfreq,
            trials.ch_names,
            metadata=epochs.metadata,
            **columns,
        )
        bads = [
            {"kind": "channel", "name": name, "reason": "marked as bad"}
            for name in mne.pick_info(
                epochs.info, mne.pick_types(epochs.info, eeg=True, exclude=())
            )["bads"]
        ]
        return data._with(dropped=dropped_frame([*dropped_trials(epochs, {}, ""), *bads]))

    @classmethod
    def from_raw(
        cls,
        raw: mne.io.BaseRaw,
        events: Events = None,
        *,
        tmin: float = 0.0,
        tmax: float = 1.0,
        fmin: float | None = None,
        fmax: float | None = None,
        sfreq: float | None = None,
        picks: Names = "eeg",
        reference: Names | None = None,
        window: float | None = None,
        step: float | None = None,
        reject: float | Mapping[str, float] | None = None,
        stim_channel: str | None = None,
        **columns: ArrayLike | str | float,
    ) -> Self:
        """Cut trials from a continuous recording of MNE, which is left as it is.

        The whole recording is referenced, filtered and resampled, then cut, so that trials have no
        transients of the filter. Trials that overlap annotations marked as bad are dropped, with
        a warning; `dropped` of the result lists what was left out, and why.

        Parameters
        ----------
        raw : mne.io.Raw
        events : str, list of str or mapping, optional
            Names of events: descriptions of annotations, or codes of the stimulation channel, such
            as ``"1"`` or 1. A mapping gives the names of each label, as in ``{"hand": ["left",
            "right"], "feet": "feet"}``. By default all events.
        tmin, tmax : float
            Start and end of the trials, in seconds from the event; `tmax` itself is not included.
        fmin, fmax : float or None
            Pass band, in Hz; None means no limit.
        sfreq : float, optional
            The sampling rate to resample to, in Hz.
        picks : str or list of str, default="eeg"
            A type of channels, of which the good ones are used, or names, whatever the case of
            their letters.
        reference : str or list of str, optional
            ``"average"`` of the picked channels, or names of channels, which need not be picked;
            by default the reference of the recording.
        window, step : float, optional
            Cut each trial into windows of this length, one each `step`, by default `window`, in
            seconds. They have the same ``trial``.
        reject : float or mapping, optional
            Drop trials in which a channel exceeds this peak-to-peak amplitude after the filter, in
            volts: 1e-4 is 100 microvolts. A mapping has an amplitude for each type of channels.
        stim_channel : str, optional
            Read the events from this channel. By default from the annotations, or from the
            stimulation channel if it has more of the names.
        **columns : array-like or scalar
            Columns of the metadata, such as ``subject``; ``trial`` is the number of the event
            unless given.

        Returns
        -------
        data : EEGData
            In volts.

        Raises
        ------
        TypeError
            If `raw` is not a recording of MNE.
        ValueError
            If an event or channel does not exist, with those that do, or no whole trial is left.

        Examples
        --------
        >>> import mne
        >>> import numpy as np
        >>> from skeeg import EEGData
        >>> info = mne.create_info(["C3", "C4"], 100.0, "eeg")
        >>> raw = mne.io.RawArray(np.random.default_rng(0).normal(size=(2, 900)), info, verbose=0)
        >>> raw = raw.set_annotations(mne.Annotations([1, 3, 5], 1, ["left", "right", "left"]))
        >>> EEGData.from_raw(raw, ["left", "right"], tmax=2.0, subject="S1")
        <EEGData: 3 trials x 2 channels x 200 samples at 100 Hz, 1 subject; left: 2, right: 1>
        """
        import mne

        if not isinstance(raw, mne.io.BaseRaw):
            raise TypeError(f"raw must be an mne.io.Raw, got {type(raw).__name__}.")
        cutting = Cutting(
            events, tmin, tmax, fmin, fmax, sfreq, picks, reference, reject, stim_channel
        )
        cut = cut_recording(raw, cutting, "The recording")
        if not len(cut.epochs):
            raise ValueError(cut.why_empty("The recording", cutting))
        reasons = count_dropped(cut.dropped).get("trial", {})
        if reasons:
            warnings.warn(
                f"{sum(reasons.values())} of {len(cut.chosen.events)} trials were dropped: "
                f"{describe_reasons(reasons)}.",
                stacklevel=2,
            )
        return cls._from_cut(cut, columns, window, step, tmin)

    @classmethod
    def _from_cut(
        cls,
        cut: CutRecording,
        columns: Mapping[str, Any],
        window: float | None,
        step: float | None,
        tmin: float,
    ) -> Self:
        epochs = cut.epochs
        names = {code: name for name, code in epochs.event_id.items()}
        trials = cls.from_arrays(
            epochs.get_data(copy=False),
            np.array([names[code] for code in epochs.events[:, 2]]),
            epochs.info["sfreq"],
            epochs.ch_names,
            **({"trial": epochs.selection} | dict(columns)),
        )._with(dropped=cut.dropped)
        if window is None and step is not None:
            raise ValueError(f"step={step!r} needs a window.")
        return trials if window is None else cut_windows(trials, window, step, tmin)

    @classmethod
    def from_moabb(cls, dataset: Any, paradigm: Any, subjects: Sequence[int] | None = None) -> Self:
        """Create `EEGData` from a MOABB data set and paradigm.

        Parameters
        ----------
        dataset : moabb.datasets.base.BaseDataset
            Downloaded by MOABB if it is not on disk.
        paradigm : moabb.paradigms.base.BaseParadigm
            Determines events, band, window and sampling rate.
        subjects : sequence of int, optional
            By default all subjects of the data set.

        Returns
        -------
        data : EEGData
            With ``subject``, ``session`` and ``run`` as named by MOABB.
        """
        epochs, labels, metadata = paradigm.get_data(
            dataset, subjects=None if subjects is None else list(subjects), return_epochs=True
        )
        trials = epochs.copy().pick("eeg", exclude="bads")
        return cls.from_arrays(
            trials.get_data(copy=False),
            np.asarray(labels),
            trials.info["sfreq"],
            trials.ch_names,
            metadata=metadata.reset_index(drop=True),
            trial=np.arange(len(trials)),
        )
