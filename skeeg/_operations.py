"""Operations on trials that return new ones: channels, time, band, rate, and MNE's epochs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._checks import check_number, check_positive, did_you_mean
from ._dropped import describe_dropped
from ._labelled import PROVENANCE, LabelledRows, describe_labels, is_continuous

if TYPE_CHECKING:
    import mne


def check_band(fmin: float | None, fmax: float | None) -> None:
    """Raise unless two frequencies are a pass band.

    Parameters
    ----------
    fmin, fmax : float or None
        In Hz; None means no limit.

    Raises
    ------
    ValueError
        If one is negative, or `fmin` does not lie below `fmax`.
    """
    for name, edge in (("fmin", fmin), ("fmax", fmax)):
        if edge is not None:
            check_number(name, edge, at_least=0)
    # With fmin above fmax, MNE makes a band-stop filter.
    if fmin is not None and fmax is not None and not fmin < fmax:
        raise ValueError(f"fmin must lie below fmax, got fmin={fmin!r} and fmax={fmax!r}.")


class TrialOperations(LabelledRows):
    """The operations of `EEGData`; each returns a new one and leaves the old as it is."""

    X: NDArray[np.float32]
    sfreq: float
    ch_names: tuple[str, ...]
    dropped: pd.DataFrame

    def _with(self, **changes: Any) -> Self:
        return cast(Self, dataclasses.replace(cast(Any, self), **changes))

    def pick(self, channels: str | Sequence[str]) -> Self:
        """Select channels by name, in the given order.

        Parameters
        ----------
        channels : str or sequence of str

        Returns
        -------
        picked : EEGData

        Raises
        ------
        TypeError
            If `channels` is neither a name nor a list of names.
        ValueError
            If a channel does not exist or is repeated, or none is named.
        """
        names = [channels] if isinstance(channels, str) else channels
        if not isinstance(names, (Sequence, np.ndarray, pd.Index)) or isinstance(names, bytes):
            raise TypeError(
                f"channels must be a name or a list of names, got {type(names).__name__}."
            )
        for name in names:
            if name not in self.ch_names:
                raise ValueError(
                    f"There is no channel {name!r}; there are {', '.join(self.ch_names)}."
                    f"{did_you_mean(name, self.ch_names)}"
                )
        if not names:
            raise ValueError("channels must name one or more channels, got none.")
        rows = [self.ch_names.index(name) for name in names]
        return self._with(X=self.X[:, rows], ch_names=tuple(names))

    def crop(self, tmin: float = 0.0, tmax: float | None = None) -> Self:
        """Keep a part of each trial.

        Parameters
        ----------
        tmin, tmax : float
            Start and end, in seconds from the start of the trial; `tmax` itself is not included.
            By default to the end.

        Returns
        -------
        cropped : EEGData

        Raises
        ------
        ValueError
            If the part is empty or does not lie within the trial.
        """
        end = self.duration if tmax is None else check_number("tmax", tmax)
        start = check_number("tmin", tmin)
        first, last = round(start * self.sfreq), round(end * self.sfreq)
        if not 0 <= first < last <= self.X.shape[2]:
            raise ValueError(
                f"tmin and tmax must lie within the {self.duration:g} s of a trial, got "
                f"tmin={tmin!r} and tmax={tmax!r}."
            )
        return self._with(X=self.X[:, :, first:last])

    def filter(self, fmin: float | None, fmax: float | None) -> Self:
        """Filter each trial by the default filter of MNE, which has no phase shift.

        Parameters
        ----------
        fmin, fmax : float or None
            Pass band, in Hz; None means no limit. Without limits, the trials are as they were.

        Returns
        -------
        filtered : EEGData

        Raises
        ------
        ValueError
            If the band is empty, or reaches half the sampling rate.

        Notes
        -----
        The ends of trials have transients of the filter. Filter the recording, before it is cut,
        where you can; `from_raw` and the loaders do.
        """
        import mne

        check_band(fmin, fmax)
        if not len(self) or (fmin is None and fmax is None):
            return self
        X = self.X.astype(np.float64)
        filtered = mne.filter.filter_data(X, self.sfreq, fmin, fmax, copy=False, verbose="warning")
        return self._with(X=filtered.astype(np.float32))

    def resample(self, sfreq: float) -> Self:
        """Change the sampling rate, after MNE's low-pass filter against aliasing.

        Parameters
        ----------
        sfreq : float
            The new sampling rate, in Hz.

        Returns
        -------
        resampled : EEGData

        Raises
        ------
        ValueError
            If the rate is not positive, or a trial would have no sample.
        """
        import mne

        rate = check_positive("sfreq", sfreq, "Hz")
        if rate == self.sfreq:
            return self
        if round(self.duration * rate) < 1:
            raise ValueError(f"At sfreq={sfreq!r} Hz a trial of {self.duration:g} s has no sample.")
        X = mne.filter.resample(
            self.X.astype(np.float64), up=rate, down=self.sfreq, verbose="error"
        )
        return self._with(X=X.astype(np.float32), sfreq=rate)

    def to_epochs(self, tmin: float = 0.0) -> mne.EpochsArray:
        """Convert to MNE epochs, from which `EEGData.from_epochs` makes the same trials.

        Parameters
        ----------
        tmin : float, default=0.0
            The time of the first sample, in seconds from the event.

        Returns
        -------
        epochs : mne.EpochsArray
            In the unit of the trials, which MNE takes for volts. The events are named by the
            labels, or ``"trial"`` where targets are continuous; the metadata are kept.

        Raises
        ------
        ValueError
            If there is no trial, or `tmin` is not a number.

        Notes
        -----
        Names of events are text. Labels that are numbers come back with
        ``EEGData.from_epochs(epochs, y=data.y)``.
        """
        import mne

        start = check_number("tmin", tmin)
        if not len(self):
            raise ValueError("There is no trial, and MNE has no epochs without one.")
        labels = np.full(len(self), "trial") if is_continuous(self.y) else self.y.astype(str)
        names, codes = np.unique(labels, return_inverse=True)
        samples = np.arange(len(self)) * self.X.shape[2]
        return mne.EpochsArray(
            self.X.astype(np.float64),
            mne.create_info(list(self.ch_names), self.sfreq, "eeg"),
            np.column_stack([samples, np.zeros_like(samples), codes + 1]),
            tmin=start,
            event_id={str(name): code + 1 for code, name in enumerate(names)},
            metadata=self.metadata.copy() if len(self.metadata.columns) else None,
            verbose="error",
        )

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        known = [name for name in PROVENANCE if name in self.metadata]
        rows = {
            "Trials": f"{len(self)}",
            "Labels": describe_labels(self.y),
            "Channels": f"{len(self.ch_names)} ({', '.join(self.ch_names[:12])}"
            f"{', ...' if len(self.ch_names) > 12 else ''})",
            "Samples": f"{self.X.shape[2]} ({self.duration:g} s at {self.sfreq:g} Hz)",
        } | {
            f"{name.capitalize()}s": f"{len(np.unique(self.nested_groups(name)))}" for name in known
        }
        if len(self.dropped):
            rows["Left out"] = describe_dropped(self.dropped)
        cells = "".join(
            f"<tr><th>{name}</th><td>{escape(row)}</td></tr>" for name, row in rows.items()
        )
        return f"<table><caption>{type(self).__name__}</caption>{cells}</table>"


def cut_windows(data: Any, window: float, step: float | None, tmin: float) -> Any:
    """Cut each trial into windows of equal length.

    Parameters
    ----------
    data : EEGData
        With a column ``trial``.
    window : float
        Length of the windows, in seconds.
    step : float, optional
        From the start of a window to that of the next, in seconds; by default `window`.
    tmin : float
        The time of the first sample of a trial, in seconds from its event.

    Returns
    -------
    windows : EEGData
        The column ``window`` is the start of each, in seconds from the event.

    Raises
    ------
    ValueError
        If a window is shorter than a sample, or longer than a trial.
    """
    length = round(check_positive("window", window, "seconds") * data.sfreq)
    hop = round(check_positive("step", window if step is None else step, "seconds") * data.sfreq)
    if hop < 1 or not 1 <= length <= data.X.shape[2]:
        raise ValueError(
            f"window and step must last from one sample to the {data.duration:g} s of a trial, got "
            f"window={window!r} and step={step!r}."
        )
    starts = np.arange(0, data.X.shape[2] - length + 1, hop)
    views = np.lib.stride_tricks.sliding_window_view(data.X, length, axis=2)[:, :, starts]
    n_trials, n_chans = data.X.shape[:2]
    rows = np.repeat(np.arange(n_trials), len(starts))
    metadata = data.metadata.iloc[rows].reset_index(drop=True)
    metadata["window"] = np.tile(tmin + starts / data.sfreq, n_trials)
    return dataclasses.replace(
        data,
        X=np.ascontiguousarray(views.swapaxes(1, 2)).reshape(-1, n_chans, length),
        y=data.y[rows],
        metadata=metadata,
    )
