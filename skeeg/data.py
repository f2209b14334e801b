"""Labelled EEG trials with the names, rate and provenance that honest evaluation needs."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ._files import atomic_path
from ._labelled import PROVENANCE as PROVENANCE
from ._labelled import LabelledRows, describe_labels

if TYPE_CHECKING:
    import mne

_FORMAT = "skeeg.EEGData"

#: What numpy and zipfile raise at files that are damaged, hostile or of another format.
UNREADABLE = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OSError,
    EOFError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, eq=False, repr=False)
class EEGData(LabelledRows):
    """Labelled EEG trials: what every loader returns and every estimator accepts as ``X``.

    It has the length, the shape and the indexing of its array, so that ``cross_val_score``,
    ``GridSearchCV`` and ``train_test_split`` cut it like one: ``data[mask]`` and ``data[[0, 5]]``
    are again `EEGData`, with labels and metadata cut alike.

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
        A row per trial. The columns ``subject``, ``session`` and ``run`` say where it was
        recorded; windows cut from one recorded trial share its ``trial``.

    Raises
    ------
    ValueError
        If lengths, names or the rate contradict each other.

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
        if self.X.ndim != 3:
            raise ValueError(
                f"X must have shape (n_trials, n_chans, n_times), got {self.X.shape}. "
                "One trial needs X[None]; one channel needs X[:, None]."
            )
        self._check_rows("trials")
        if len(self.ch_names) != self.X.shape[1]:
            raise ValueError(
                f"ch_names must name each of the {self.X.shape[1]} channels of X, "
                f"got {len(self.ch_names)} names."
            )
        if len(set(self.ch_names)) != len(self.ch_names):
            twice = sorted({name for name in self.ch_names if self.ch_names.count(name) > 1})
            raise ValueError(f"ch_names must differ from each other; these come twice: {twice}.")
        if not (np.isfinite(self.sfreq) and self.sfreq > 0):
            raise ValueError(f"sfreq must be a positive number of Hz, got {self.sfreq!r}.")

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
        """Make `EEGData` of plain arrays.

        Parameters
        ----------
        X : array-like, shape (n_trials, n_chans, n_times)
            The trials, in any unit.
        y : array-like, shape (n_trials,)
            The label of each trial.
        sfreq : float
            Sampling rate, in Hz.
        ch_names : sequence of str, optional
            Name of each channel; ``"EEG 1"``, ``"EEG 2"``, ... when left out.
        metadata : DataFrame or mapping, optional
            A row per trial.
        **columns : array-like or scalar
            Further columns of the metadata, such as ``subject``, ``session``, ``run`` and
            ``trial``; a scalar holds for all trials.

        Returns
        -------
        data : EEGData

        Raises
        ------
        ValueError
            If lengths, names or the rate contradict each other.
        """
        values = np.asarray(X)
        if values.dtype.kind not in "fiub":
            raise ValueError(f"X must hold real numbers, got an array of dtype {values.dtype}.")
        frame = pd.DataFrame(metadata).reset_index(drop=True) if metadata is not None else None
        if frame is None:
            frame = pd.DataFrame(index=pd.RangeIndex(len(values)))
        for name, column in columns.items():
            # As a plain array: the index of a Series says nothing about the order of the trials.
            entries = np.asarray(column)
            if entries.ndim and len(entries) != len(values):
                raise ValueError(
                    f"{name} must have an entry for each of the {len(values)} trials, "
                    f"got {len(entries)}."
                )
            frame[name] = entries if entries.ndim else entries.item()
        if ch_names is None:
            n_chans = values.shape[1] if values.ndim > 1 else 0
            ch_names = [f"EEG {i + 1}" for i in range(n_chans)]
        return cls(
            X=np.asarray(values, dtype=np.float32),
            y=np.asarray(y),
            sfreq=float(sfreq),
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
        """Make `EEGData` of MNE epochs: their EEG channels, bad ones left out.

        Parameters
        ----------
        epochs : mne.Epochs
            The epochs. Their metadata, where they have any, is kept.
        y : array-like, shape (n_trials,), optional
            The labels; when left out, the name of each epoch's event.
        **columns : array-like or scalar
            Further columns of the metadata, such as ``subject`` or ``run``.

        Returns
        -------
        data : EEGData
            In volts.

        Raises
        ------
        ValueError
            If the epochs have no good EEG channel.
        """
        from ._validation import unwrap

        trials = unwrap(epochs)
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
    def from_moabb(
        cls, dataset: Any, paradigm: Any, subjects: Sequence[int] | None = None
    ) -> EEGData:
        """Make `EEGData` of a MOABB data set seen through a MOABB paradigm.

        Parameters
        ----------
        dataset : moabb.datasets.base.BaseDataset
            Downloaded by MOABB where it is not yet on disk.
        paradigm : moabb.paradigms.base.BaseParadigm
            Says which events, band, window and sampling rate.
        subjects : sequence of int, optional
            All subjects of the data set when left out.

        Returns
        -------
        data : EEGData
            With ``subject``, ``session`` and ``run`` as MOABB names them.
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
        """Join recordings that have the same channels, rate and window length.

        Parameters
        ----------
        parts : sequence of EEGData

        Returns
        -------
        data : EEGData

        Raises
        ------
        ValueError
            If there is nothing to join, or the recordings differ in channels, rate or length.
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

    # ------------------------------------------------------------------ what it holds

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n_trials, n_chans, n_times)."""
        n_trials, n_chans, n_times = self.X.shape
        return n_trials, n_chans, n_times

    @property
    def duration(self) -> float:
        """How long a trial lasts, in seconds."""
        return self.X.shape[2] / self.sfreq

    @property
    def identity(self) -> tuple[Any, ...]:
        """Shape, rate and channels."""
        return self.shape, self.sfreq, self.ch_names

    def describe(self) -> dict[str, Any]:
        """Return the shape, the rate and the channels as plain numbers and lists.

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

    # ------------------------------------------------------------------ files

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to one ``.npz`` file, without pickles.

        Parameters
        ----------
        path : path-like
            The suffix ``.npz`` is added where it is missing. The file appears only when complete.

        Returns
        -------
        path : pathlib.Path
            The file written.

        Raises
        ------
        TypeError
            If the labels or a column of the metadata mix types, which plain arrays cannot hold.
        """
        target = Path(path)
        if target.suffix != ".npz":
            target = target.with_name(target.name + ".npz")
        arrays = {
            "format": np.array(_FORMAT),
            "X": self.X,
            "y": _plain(self.y, "y"),
            "sfreq": np.array(self.sfreq),
            "ch_names": np.array(self.ch_names, dtype=np.str_),
            "columns": np.array([str(name) for name in self.metadata.columns], dtype=np.str_),
        }
        for i, name in enumerate(self.metadata.columns):
            arrays[f"column_{i}"] = _plain(self.metadata[name].to_numpy(), name)
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
            If the file is damaged or is no saved `EEGData`. Pickled content is never executed.
        """
        source = Path(path)
        if not source.exists():
            raise FileNotFoundError(f"{source} does not exist; EEGData.save writes such files.")
        try:
            with np.load(source, allow_pickle=False) as archive:
                if "format" not in archive or str(archive["format"]) != _FORMAT:
                    raise ValueError("it has no mark of a saved EEGData")
                columns = {
                    str(name): archive[f"column_{i}"] for i, name in enumerate(archive["columns"])
                }
                X = archive["X"]
                return cls(
                    X=X,
                    y=archive["y"],
                    sfreq=float(archive["sfreq"]),
                    ch_names=tuple(str(name) for name in archive["ch_names"]),
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


def _plain(values: NDArray[Any], name: Hashable) -> NDArray[Any]:
    """Return ``values`` as an array that ``.npz`` holds without pickling."""
    if values.dtype.kind != "O":
        return values
    kinds = {type(value) for value in values.tolist()}
    if kinds <= {str}:
        return values.astype(np.str_)
    if kinds <= {int, float, bool}:
        return np.array(values.tolist())
    raise TypeError(
        f"{name} mixes {', '.join(sorted(kind.__name__ for kind in kinds))}; a file without "
        "pickles holds only strings or only numbers. Convert the column first."
    )
