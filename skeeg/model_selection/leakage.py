"""The leakage guard: nothing that was learnt from may be tested on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..data import PROVENANCE, EEGData

if TYPE_CHECKING:
    from .protocols import Fold

_MAX_EXAMPLES = 3
_LEVELS = ("subject", "session", "run")


class LeakageError(ValueError):
    """A split tests on what it trained on, so that its scores would be inflated."""


@dataclass(frozen=True)
class Leak:
    """What a fold has on both sides of its split."""

    fold: str
    count: int
    what: str
    examples: tuple[str, ...]
    advice: str

    def __str__(self) -> str:
        noun, _, rest = self.what.partition(" ")
        noun += ("" if self.count == 1 else "s") + (f" {rest}" if rest else "")
        examples = ", ".join(self.examples) + (", ..." if self.count > len(self.examples) else "")
        return f"fold {self.fold!r} has {self.count} {noun} on both sides ({examples})"


def check_leakage(
    splits: Iterable[Fold | tuple[Any, Any]], data: EEGData, *, across: str | None = None
) -> None:
    """Raise if a split lets an estimator see at training time what it is tested on.

    Three things are refused:

    * windows of one trial on both sides. Windows share a trial when ``subject``, ``session``,
      ``run`` and ``trial`` of their metadata agree; without a column ``trial`` each row is one;
    * with ``across``, one subject, or one session of a subject, on both sides;
    * recordings that are the class. Where every subject, session or run that a fold divides
      holds one class only (rest in one file and task in another, patients and controls), the
      recording is recognised instead of the class.

    Parameters
    ----------
    splits : iterable of Fold or of (train, test)
        Row indices or boolean masks.
    data : EEGData
    across : {"subject", "session"}, optional
        What the protocol claims to generalise over.

    Raises
    ------
    LeakageError
        It names the fold, how much it shares, and examples.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import EEGData
    >>> from skeeg.model_selection import check_leakage
    >>> windows = EEGData.from_arrays(
    ...     np.zeros((4, 1, 8)), [0, 1, 0, 1], sfreq=8, subject=1, trial=[0, 1, 2, 3]
    ... )
    >>> check_leakage([([0, 1], [2, 3])], windows)
    """
    leaks = find_leakage(splits, data, across=across)
    if leaks:
        raise LeakageError(describe_leakage(leaks))


def find_leakage(
    splits: Iterable[Fold | tuple[Any, Any]], data: EEGData, *, across: str | None = None
) -> list[Leak]:
    """Return what `check_leakage` would raise for, one entry for each fold that leaks.

    Parameters
    ----------
    splits, data, across
        As in `check_leakage`.

    Returns
    -------
    leaks : list of Leak
    """
    if across not in (None, "subject", "session"):
        raise ValueError(f"across must be 'subject', 'session' or None, got {across!r}.")
    trials = trial_codes(data)
    crossed = None if across is None else pd.factorize(data.groups(across))[0]
    recordings = _recordings(data)
    leaks = []
    for number, split in enumerate(splits):
        train, test, name = _sides(split, number, len(data))
        leak = (
            _shared_trials(name, train, test, trials, data)
            or _shared_groups(name, train, test, crossed, across, data)
            or _recognised_recordings(name, train, test, recordings, data)
        )
        if leak is not None:
            leaks.append(leak)
    return leaks


def describe_leakage(leaks: Sequence[Leak]) -> str:
    """Say in one message what leaks in which folds, and what to do."""
    listed = "; ".join(str(leak) for leak in leaks[:_MAX_EXAMPLES])
    more = len(leaks) - _MAX_EXAMPLES
    others = f"; and {more} more fold{'s' if more > 1 else ''}" if more > 0 else ""
    advice = " ".join(dict.fromkeys(leak.advice for leak in leaks))
    return f"The split leaks: {listed}{others}. {advice}"


def trial_codes(data: EEGData) -> NDArray[np.intp]:
    """Return an integer for each row of ``data``, equal for windows of one recorded trial.

    Parameters
    ----------
    data : EEGData

    Returns
    -------
    codes : ndarray of int, shape (n_trials,)
        Without a column ``trial``, or where it is missing, each row is its own trial.
    """
    rows = np.arange(len(data))
    if "trial" not in data.metadata:
        return rows
    codes = pd.factorize(data.groups("trial"))[0]
    unknown = data.metadata["trial"].isna().to_numpy()
    return np.where(unknown, codes.max(initial=0) + 1 + rows, codes)


def as_rows(index: Any, n_trials: int, what: str) -> NDArray[np.intp]:
    """Return row indices for ``index``, which may be a boolean mask.

    Parameters
    ----------
    index : array-like of int or bool
    n_trials : int
    what : str
        Names the side and the fold in messages.

    Returns
    -------
    rows : ndarray of int

    Raises
    ------
    ValueError
        If ``index`` holds something else, or rows that do not exist.
    """
    rows = np.asarray(index)
    if rows.dtype == bool and rows.shape == (n_trials,):
        return np.flatnonzero(rows)
    if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
        raise ValueError(
            f"{what} must be row indices or a boolean mask of length {n_trials}, got an array of "
            f"shape {rows.shape} and dtype {rows.dtype}."
        )
    if rows.size and not (rows.min() >= 0 and rows.max() < n_trials):
        raise ValueError(
            f"{what} has row {rows.max() if rows.min() >= 0 else rows.min()}, but there are rows "
            f"0 to {n_trials - 1}."
        )
    return rows.astype(np.intp)


def _sides(
    split: Fold | tuple[Any, Any], number: int, n_trials: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], str]:
    if isinstance(split, tuple):
        train, test, name = *split, f"fold {number + 1}"
    else:
        train, test, name = split.train, split.test, split.name
    return (
        as_rows(train, n_trials, f"The training part of {name!r}"),
        as_rows(test, n_trials, f"The test part of {name!r}"),
        name,
    )


def _shared_trials(
    name: str,
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    trials: NDArray[np.intp],
    data: EEGData,
) -> Leak | None:
    shared = np.intersect1d(trials[train], trials[test])
    if not shared.size:
        return None
    return Leak(
        name,
        shared.size,
        "trial",
        tuple(_name_of(trials, code, PROVENANCE, data) for code in shared[:_MAX_EXAMPLES]),
        "Keep all windows of a trial together: split with groups='trial', or use one of the "
        "named protocols.",
    )


def _shared_groups(
    name: str,
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    groups: NDArray[np.intp] | None,
    across: str | None,
    data: EEGData,
) -> Leak | None:
    if groups is None or across is None:
        return None
    shared = np.intersect1d(groups[train], groups[test])
    if not shared.size:
        return None
    columns = _LEVELS[: _LEVELS.index(across) + 1]
    return Leak(
        name,
        shared.size,
        across,
        tuple(_name_of(groups, code, columns, data) for code in shared[:_MAX_EXAMPLES]),
        f"A cross-{across} split needs groups={across!r} and a splitter that heeds them.",
    )


def _recognised_recordings(
    name: str,
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    recordings: list[tuple[str, NDArray[np.intp]]],
    data: EEGData,
) -> Leak | None:
    for level, units in recordings:
        divided = np.intersect1d(units[train], units[test])
        rows = np.isin(units, divided)
        if len(divided) < 2 or (_n_classes(units[rows], data.y[rows]) > 1).any():
            continue
        if len(np.unique(data.y[rows])) < 2:
            continue
        columns = _LEVELS[: _LEVELS.index(level) + 1]
        return Leak(
            name,
            divided.size,
            f"{level} of a single class",
            tuple(_name_of(units, code, columns, data) for code in divided[:_MAX_EXAMPLES]),
            f"Where each {level} holds one class, an estimator recognises the {level} instead: "
            "test on other subjects, with cv='cross-subject'.",
        )
    return None


def _recordings(data: EEGData) -> list[tuple[str, NDArray[np.intp]]]:
    """Return what each row was recorded in: its subject, its session, its run."""
    return [
        (level, pd.factorize(data.groups(level))[0]) for level in _LEVELS if level in data.metadata
    ]


def _n_classes(units: NDArray[np.intp], y: NDArray[Any]) -> NDArray[Any]:
    """Count the classes in each unit."""
    return pd.Series(y).groupby(units).nunique().to_numpy()


def _name_of(codes: NDArray[np.intp], code: int, columns: Sequence[str], data: EEGData) -> str:
    """Name a trial, run, session or subject by what the metadata say of its first row."""
    row = int(np.flatnonzero(codes == code)[0])
    known = [column for column in columns if column in data.metadata]
    if "trial" in columns and "trial" not in known:
        return f"row {row}"
    return " ".join(f"{column} {data.metadata[column].iloc[row]}" for column in known)
