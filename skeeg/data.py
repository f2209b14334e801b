"""Labelled EEG trials with channel names, sampling rate and the metadata of each trial."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ._archive import read_archive, unreadable, write_archive
from ._checks import check_positive
from ._constructors import FromMNE
from ._containers import Unwrapped
from ._dropped import check_dropped, count_dropped, dropped_frame, join_dropped
from ._labelled import PROVENANCE as PROVENANCE
from ._labelled import describe_labels, refuse_what_holds_no_trials
from ._metadata import metadata_frame


@dataclass(frozen=True, eq=False, repr=False)
class EEGData(FromMNE):
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
    dropped : pandas.DataFrame, optional
        What was left out of the recordings, a row each: ``recording`` is its file, ``kind`` is
        ``"trial"``, ``"channel"``, ``"event"`` or ``"recording"``, ``name`` that of the channel or
        event, ``trial`` the number of the trial, and ``reason`` why. `from_raw`, `from_epochs` and
        the loaders fill it in; it is about whole recordings, not about a selection of trials.

    Raises
    ------
    TypeError
        If `X` or `y` is not an ndarray, or `metadata` or `dropped` not a DataFrame.
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
    dropped: pd.DataFrame = field(default_factory=dropped_frame)

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
        check_dropped(self.dropped)

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
    def concatenate(cls, parts: Iterable[EEGData]) -> EEGData:
        """Join recordings with the same channels, sampling rate and trial length.

        Parameters
        ----------
        parts : iterable of EEGData

        Returns
        -------
        data : EEGData

        Raises
        ------
        TypeError
            If a part is not `EEGData`, or one has text as labels and another numbers.
        ValueError
            If `parts` is empty, or they differ in channels, sampling rate or trial length.
        """
        parts = list(parts)
        if not parts:
            raise ValueError("There is nothing to concatenate: got no EEGData.")
        for i, part in enumerate(parts):
            if not isinstance(part, cls):
                raise TypeError(f"Part {i} must be EEGData, got {type(part).__name__}.")
        kinds = {"text" if part.y.dtype.kind in "US" else "numbers" for part in parts if len(part)}
        if len(kinds) > 1 and not any(part.y.dtype.kind == "O" for part in parts):
            raise TypeError("Some parts have text as labels, others numbers, which 1 and '1' mix.")
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
            dropped=join_dropped(part.dropped for part in parts),
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
        """Return shape, sampling rate, channel names and what was left out.

        Returns
        -------
        description : dict
            Plain numbers and lists. ``dropped``, which is there if anything was left out of the
            recordings, counts it by kind and reason.
        """
        n_trials, n_chans, n_times = self.shape
        dropped = {"dropped": count_dropped(self.dropped)} if len(self.dropped) else {}
        return {
            "n_trials": n_trials,
            "n_chans": n_chans,
            "n_times": n_times,
            "sfreq": self.sfreq,
            "ch_names": list(self.ch_names),
            **dropped,
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
        return write_archive(self, Path(path))

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
        fields = read_archive(source)
        try:
            return cls(**fields)
        except (ValueError, TypeError) as error:
            raise unreadable(source, error) from error

    def __repr__(self) -> str:
        n_trials, n_chans, n_times = self.shape
        subjects = self.metadata["subject"].nunique() if "subject" in self.metadata else None
        people = "" if subjects is None else f", {subjects} subject{'' if subjects == 1 else 's'}"
        return (
            f"<EEGData: {n_trials} trials x {n_chans} channels x {n_times} samples "
            f"at {self.sfreq:g} Hz{people}; {describe_labels(self.y)}>"
        )
