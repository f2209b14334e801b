"""Labelled EEG trials with channel names, sampling rate and the metadata of each trial."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ._checks import check_positive
from ._columns import decode, decode_text, encode, encode_text
from ._containers import Unwrapped, unwrap_epochs
from ._files import atomic_path
from ._labelled import PROVENANCE as PROVENANCE
from ._labelled import describe_labels, refuse_what_holds_no_trials
from ._metadata import metadata_frame
from ._npz import UNREADABLE, open_npz
from ._operations import TrialOperations, cut_windows
from ._raw import Cutting, Events, epochs_from_raw

if TYPE_CHECKING:
    import mne

_FORMAT = "skeeg.EEGData 2"


@dataclass(frozen=True, eq=False, repr=False)
class EEGData(TrialOperations):
    """Labelled EEG trials, which every loader returns and every estimator accepts as ``X``.

    It has the length, the shape and the indexing of its array, so that ``cross_val_score``,
    ``GridSearchCV`` and ``train_test_split`` split it like an array: ``data[mask]`` and
    ``data[[0, 5]]`` are again `EEGData`, with the labels and metadata of these trials.

    Parameters
    ----------
    X : ndarray of float32, shape (n_trials, n_chans, n_times)
        The trials, in the unit of the recording. No estimator of skeeg depends on the unit.
    y : ndarray, shape (n_trials,)
        The label of each trial; strings or numbers.
    sfreq : float
        Sampling rate, in Hz.
    ch_names : tuple of str
        Name of each channel.
    metadata : pandas.DataFrame
        A row per trial. The columns ``subject``, ``session`` and ``run`` identify its
        recording; windows that are cut from one recorded trial share the value of ``trial``.

    Raises
    ------
    TypeError
        If `X` or `y` is not an ndarray, or `metadata` not a DataFrame.
    ValueError
        If lengths or names contradict each other, or `sfreq` or a value of `X` is not a number.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import EEGData
    >>> X = np.random.default_rng(0).standard_normal((4, 2, 100))
    >>> y = ["rest", "task", "rest", "task"]
    >>> data = EEGData.from_arrays(X, y, sfreq=100, subject=[1, 1, 2, 2])
    >>> data[data.y == "task"].shape
    (2, 2, 100)
    >>> data.groups("subject").tolist()
    [1, 1, 2, 2]
    """

    X: NDArray[np.float32]
    y: NDArray[Any]
    sfreq: float
    ch_names: tuple[str, ...]
    metadata: pd.DataFrame

    def __post_init__(self) -> None:
        self._check_rows("trials")
        if self.X.ndim != 3:
            raise ValueError(
                f"X must have shape (n_trials, n_chans, n_times), got {self.X.shape}. "
                "One trial needs X[None]; one channel needs X[:, None]."
            )
        if len(self.ch_names) != self.X.shape[1]:
            raise ValueError(
                f"ch_names must name each of the {self.X.shape[1]} channels of X, "
                f"got {len(self.ch_names)} names."
            )
        if len(set(self.ch_names)) != len(self.ch_names):
            twice = sorted({name for name in self.ch_names if self.ch_names.count(name) > 1})
            raise ValueError(f"ch_names must differ from each other; these come twice: {twice}.")
        check_positive("sfreq", self.sfreq, "Hz")

    # ------------------------------------------------------------------ construction

    @classmethod
    def from_arrays(
        cls,
        X: ArrayLike,
        y: ArrayLike,
        sfreq: float,
        ch_names: Sequence[str] | None = None,
        *,
        metadata: pd.DataFrame | Mapping[str, ArrayLike] | None = None,
        **columns: ArrayLike | str | float,
    ) -> EEGData:
        """Create `EEGData` from plain arrays.

        Parameters
        ----------
        X : array-like, shape (n_trials, n_chans, n_times)
            The trials, in any unit.
        y : array-like, shape (n_trials,)
            The label of each trial.
        sfreq : float
            Sampling rate, in Hz.
        ch_names : sequence of str, optional
            Name of each channel; by default ``"EEG 1"``, ``"EEG 2"``, ...
        metadata : DataFrame or mapping, optional
            A row per trial, by position: the index is ignored.
        **columns : array-like or scalar
            More columns of the metadata, such as ``subject``, ``session``, ``run`` and ``trial``;
            a scalar is the value of all trials.

        Returns
        -------
        data : EEGData

        Raises
        ------
        TypeError
            If `X` is an `mne.io.Raw` or a list of `EEGData`.
        ValueError
            If lengths, names or the rate contradict each other, `X` does not hold real numbers, or
            a column of the metadata has nearly a name that the leakage guard reads, such as
            ``trials``.
        """
        refuse_what_holds_no_trials(X)
        values = np.asarray(X)
        if values.dtype.kind not in "fiub":
            raise ValueError(f"X must hold real numbers, got an array of dtype {values.dtype}.")
        frame = metadata_frame(metadata, columns, len(values) if values.ndim else 0)
        if isinstance(ch_names, str):
            raise ValueError(f"ch_names must be a list of names, got the string {ch_names!r}.")
        if ch_names is None:
            n_chans = values.shape[1] if values.ndim > 1 else 0
            ch_names = [f"EEG {i + 1}" for i in range(n_chans)]
        return cls(
            X=np.asarray(values, dtype=np.float32),
            y=np.asarray(y),
            sfreq=check_positive("sfreq", sfreq, "Hz"),
            ch_names=tuple(str(name) for name in ch_names),
            metadata=frame,
        )

    @classmethod
    def from_epochs(
        cls,
        epochs: mne.BaseEpochs,
        y: ArrayLike | None = None,
        **columns: ArrayLike | str | float,
    ) -> EEGData:
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
            In volts.

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
        return cls.from_arrays(
            trials.values,
            y,
            trials.sfreq,
            trials.ch_names,
            metadata=epochs.metadata,
            **columns,
        )

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
        picks: str | Sequence[str] = "eeg",
        reference: str | Sequence[str] | None = None,
        window: float | None = None,
        step: float | None = None,
        **columns: ArrayLike | str | float,
    ) -> EEGData:
        """Cut trials from a continuous recording of MNE, which is left as it is.

        The whole recording is referenced, filtered and resampled, then cut, so that trials have no
        transients of the filter. Trials that overlap annotations marked as bad are dropped, with
        a warning.

        Parameters
        ----------
        raw : mne.io.Raw
        events : str, list of str or mapping, optional
            Names of events: descriptions of annotations or, without annotations, codes of the
            stimulation channel, such as ``"1"``. A mapping gives the name or code of each label.
            By default all.
        tmin, tmax : float
            Start and end of the trials, in seconds from the event; `tmax` itself is not included.
        fmin, fmax : float or None
            Pass band, in Hz; None means no limit.
        sfreq : float, optional
            The sampling rate to resample to, in Hz.
        picks : str or list of str, default="eeg"
            A type of channels, of which the good ones are used, or names.
        reference : str or list of str, optional
            ``"average"`` or names of channels among `picks`; by default that of the recording.
        window, step : float, optional
            Cut each trial into windows of this length, one each `step`, by default `window`, in
            seconds. They have the same ``trial``.
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
        cutting = Cutting(events, tmin, tmax, fmin, fmax, sfreq, picks, reference)
        epochs = epochs_from_raw(raw, cutting, "The recording")
        return cls._from_cut(epochs, columns, window, step, tmin)

    @classmethod
    def _from_cut(
        cls,
        epochs: mne.BaseEpochs,
        columns: Mapping[str, Any],
        window: float | None,
        step: float | None,
        tmin: float,
    ) -> EEGData:
        names = {code: name for name, code in epochs.event_id.items()}
        trials = cls.from_arrays(
            epochs.get_data(copy=False),
            np.array([names[code] for code in epochs.events[:, 2]]),
            epochs.info["sfreq"],
            epochs.ch_names,
            **({"trial": epochs.selection} | dict(columns)),
        )
        if window is None and step is not None:
            raise ValueError(f"step={step!r} needs a window.")
        return trials if window is None else cut_windows(trials, window, step, tmin)

    @classmethod
    def from_moabb(
        cls, dataset: Any, paradigm: Any, subjects: Sequence[int] | None = None
    ) -> EEGData:
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

    @classmethod
    def concatenate(cls, parts: Sequence[EEGData]) -> EEGData:
        """Join recordings with the same channels, sampling rate and trial length.

        Parameters
        ----------
        parts : sequence of EEGData

        Returns
        -------
        data : EEGData

        Raises
        ------
        ValueError
            If `parts` is empty, or they differ in channels, sampling rate or trial length.
        """
        if not parts:
            raise ValueError("There is nothing to concatenate: got no EEGData.")
        first = parts[0]
        for i, part in enumerate(parts):
            for what, here, there in (
                ("ch_names", part.ch_names, first.ch_names),
                ("sfreq", part.sfreq, first.sfreq),
                ("n_times", part.X.shape[2], first.X.shape[2]),
            ):
                if here != there:
                    raise ValueError(
                        f"Part {i} has {what} {here}, part 0 has {there}. Pick common channels, "
                        "resample or crop before joining."
                    )
        return cls(
            X=np.concatenate([part.X for part in parts]),
            y=np.concatenate([part.y for part in parts]),
            sfreq=first.sfreq,
            ch_names=first.ch_names,
            metadata=pd.concat([part.metadata for part in parts], ignore_index=True),
        )

    # ------------------------------------------------------------------ contents

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n_trials, n_chans, n_times)."""
        n_trials, n_chans, n_times = self.X.shape
        return n_trials, n_chans, n_times

    @property
    def duration(self) -> float:
        """Length of a trial, in seconds."""
        return self.X.shape[2] / self.sfreq

    @property
    def identity(self) -> tuple[Any, ...]:
        """Shape, sampling rate and channel names."""
        return self.shape, self.sfreq, self.ch_names

    def describe(self) -> dict[str, Any]:
        """Return shape, sampling rate and channel names as plain numbers and lists.

        Returns
        -------
        description : dict
        """
        n_trials, n_chans, n_times = self.shape
        return {
            "n_trials": n_trials,
            "n_chans": n_chans,
            "n_times": n_times,
            "sfreq": self.sfreq,
            "ch_names": list(self.ch_names),
        }

    def _unwrap(self) -> Unwrapped:
        return Unwrapped(self.X, self.ch_names, self.sfreq)

    # ------------------------------------------------------------------ files

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to one ``.npz`` file, without pickles.

        Parameters
        ----------
        path : path-like
            The suffix ``.npz`` is added if it is missing. The file appears only when complete.

        Returns
        -------
        path : pathlib.Path
            The file.

        Raises
        ------
        TypeError
            If the labels or a column of the metadata cannot be stored exactly, such as one that
            mixes strings and numbers.

        Notes
        -----
        Columns keep their values and dtypes: numbers, booleans, strings, times with and without a
        time zone, categories, and pandas' nullable types. The index of the metadata is not kept.
        """
        target = Path(path)
        if target.suffix != ".npz":
            target = target.with_name(target.name + ".npz")
        _check_column_names(self.metadata)
        labels, arrays = encode(np.asarray(self.y), "y", "y")
        columns = []
        for i, (name, column) in enumerate(self.metadata.items()):
            described, parts = encode(column, f"column_{i}", str(name))
            columns.append({"name": name, **described})
            arrays |= parts
        arrays |= {
            "format": np.array(_FORMAT),
            "X": self.X,
            "sfreq": np.array(self.sfreq),
            "contents": encode_text({"ch_names": self.ch_names, "y": labels, "columns": columns}),
        }
        with atomic_path(target) as partial, partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> EEGData:
        """Read a file that `save` wrote.

        Parameters
        ----------
        path : path-like

        Returns
        -------
        data : EEGData

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is damaged or not a saved `EEGData`. Pickled content is never executed.
        """
        source = Path(path)
        if not source.exists():
            raise FileNotFoundError(f"{source} does not exist; EEGData.save writes such files.")
        try:
            with open_npz(source) as archive:
                if "format" not in archive or str(archive["format"]) != _FORMAT:
                    raise ValueError("it has no mark of a saved EEGData of this version of skeeg")
                contents = decode_text(archive["contents"])
                columns = {}
                for i, described in enumerate(contents["columns"]):
                    values = decode(described, archive, f"column_{i}")
                    # Without the dtype, pandas would convert objects that are strings to text.
                    columns[described["name"]] = pd.Series(values, dtype=values.dtype)
                X, sfreq, names = archive["X"], archive["sfreq"], contents["ch_names"]
                if sfreq.shape != () or sfreq.dtype.kind != "f" or not isinstance(names, list):
                    raise ValueError("its sampling rate or channel names are not what save writes")
                return cls(
                    X=X,
                    y=decode(contents["y"], archive, "y"),
                    sfreq=float(sfreq),
                    ch_names=tuple(map(str, names)),
                    metadata=pd.DataFrame(columns, index=pd.RangeIndex(len(X))),
                )
        except UNREADABLE as error:
            raise ValueError(
                f"{source} cannot be read as EEGData ({error}). Expected a .npz file written by "
                "EEGData.save; write it again from the original recording."
            ) from error

    def __repr__(self) -> str:
        n_trials, n_chans, n_times = self.shape
        subjects = self.metadata["subject"].nunique() if "subject" in self.metadata else None
        people = "" if subjects is None else f", {subjects} subject{'s' if subjects > 1 else ''}"
        return (
            f"<EEGData: {n_trials} trials x {n_chans} channels x {n_times} samples "
            f"at {self.sfreq:g} Hz{people}; {describe_labels(self.y)}>"
        )


def _check_column_names(metadata: pd.DataFrame) -> None:
    """Raise if a file cannot hold the names of the columns."""
    names = list(metadata.columns)
    for name in names:
        if type(name) not in (str, int):
            raise TypeError(
                f"metadata has a column named {name!r}, of type {type(name).__name__}; a file "
                "holds strings and integers as names. Rename the column first."
            )
        if names.count(name) > 1:
            raise TypeError(f"metadata has two columns named {name!r}. Rename one of them first.")
