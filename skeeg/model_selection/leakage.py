"""The leakage guard: nothing that was learnt from may be tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .._labelled import PROVENANCE, LabelledRows, is_continuous, subject_codes
from .folds import Fold, LeakageError, rows_of_subjects, trial_codes
from .protocols import as_folds, claimed_across

_MAX_EXAMPLES = 3
#: The part of a window by which starts in seconds may be rounded.
_ROUNDING = 0.01
_LEVELS = ("subject", "session", "run")


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


@dataclass(frozen=True, eq=False)
class LeakageReport:
    """What the two sides of each fold share.

    Parameters
    ----------
    shared : DataFrame
        A row for each fold, called ``fold``, and how much its sides share: ``trials`` and
        ``subjects`` are on both; ``overlapping`` windows of the test part have samples in common
        with training windows. A subject on both sides is no leak unless the split claims to
        generalise over subjects.
    leaks : sequence of Leak
        Those folds whose scores would be inflated, and why.
    """

    shared: pd.DataFrame = field(repr=False)
    leaks: Sequence[Leak]

    @property
    def description(self) -> str:
        """What leaks in which folds, and what to do; empty if nothing does."""
        if not self.leaks:
            return ""
        listed = "; ".join(str(leak) for leak in self.leaks[:_MAX_EXAMPLES])
        more = len(self.leaks) - _MAX_EXAMPLES
        others = f"; and {more} more fold{'s' if more > 1 else ''}" if more > 0 else ""
        advice = " ".join(dict.fromkeys(leak.advice for leak in self.leaks))
        return f"The split leaks: {listed}{others}. {advice}"

    def __str__(self) -> str:
        return self.description or f"Nothing leaks in {len(self.shared)} folds."


def check_leakage(
    cv: Any,
    data: LabelledRows,
    *,
    groups: str | ArrayLike | None = None,
    across: str | None = None,
    allow_leakage: bool = False,
) -> LeakageReport:
    """Raise if a split lets an estimator see at training time what it is tested on.

    Four things are refused:

    * windows of one trial on both sides. Windows share a trial when ``subject``, ``session``,
      ``run`` and ``trial`` of their metadata agree; without a column ``trial`` each row is one;
    * windows with common samples on both sides, where the metadata have a column ``window``, the
      start of each in its trial or recording, in seconds;
    * one subject, or one session of a subject, on both sides of a split that claims to generalise
      over them;
    * recordings that are the class. Where every subject, session or run that a fold divides
      holds one class only (rest in one file and task in another, patients and controls), the
      recording is recognised instead of the class. The same holds for continuous targets, such
      as the age of each subject.

    Parameters
    ----------
    cv : str, int, splitter or iterable of (train, test) or of Fold
        As in `make_folds`.
    data : EEGData or FeatureTable
    groups : str or array-like, shape (n_trials,), optional
        As in `make_folds`.
    across : {"subject", "session"}, optional
        What the split claims to generalise over. By default what its name, its splitter or
        `groups` says.
    allow_leakage : bool, default=False
        Return what is shared all the same.

    Returns
    -------
    report : LeakageReport
        What is shared by the sides of each fold, leak or not.

    Raises
    ------
    LeakageError
        It names the fold, how much it shares, and examples.
    ValueError
        If `cv` is none, or `across` is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import KFold
    >>> from skeeg import EEGData
    >>> from skeeg.model_selection import TrialKFold, check_leakage
    >>> windows = EEGData.from_arrays(
    ...     np.zeros((8, 1, 8)), [0, 0, 1, 1] * 2, sfreq=8, trial=[0, 0, 1, 1, 2, 2, 3, 3]
    ... )
    >>> check_leakage(TrialKFold(2), windows).shared
         fold  trials  subjects  overlapping
    0  fold 1       0         1            0
    1  fold 2       0         1            0
    >>> shuffled = KFold(2, shuffle=True, random_state=0)
    >>> check_leakage(shuffled, windows, allow_leakage=True).shared["trials"].tolist()
    [2, 2]
    """
    across = across or claimed_across(cv, data, groups)
    if across not in (None, "subject", "session"):
        raise ValueError(f"across must be 'subject', 'session' or None, got {across!r}.")
    folds = as_folds(cv, data, groups=groups, allow_leakage=True)
    report = _report(folds, data, across)
    if report.leaks and not allow_leakage:
        raise LeakageError(
            f"{report.description} To run it all the same, marked as such, pass allow_leakage=True."
        )
    return report


def choose_protocol(data: LabelledRows) -> str:
    """Return the name of the protocol that suits the data.

    Parameters
    ----------
    data : EEGData or FeatureTable

    Returns
    -------
    name : {"within-subject", "cross-subject"}
        The latter where subjects cannot be divided honestly, because each recording is of one
        class.
    """
    if len(rows_of_subjects(data)) < 2:
        return "within-subject"
    try:
        report = check_leakage("within-subject", data, allow_leakage=True)
    except ValueError:
        return "cross-subject"
    return "cross-subject" if report.leaks else "within-subject"


class _Units(NamedTuple):
    """What each row of the data belongs to, as integers."""

    trials: NDArray[np.intp]
    subjects: NDArray[np.intp]
    crossed: NDArray[np.intp] | None
    recordings: list[tuple[str, NDArray[np.intp]]]
    starts: NDArray[np.float64] | None


def _report(folds: Sequence[Fold], data: LabelledRows, across: str | None) -> LeakageReport:
    units = _units(data, across)
    rows, leaks = [], []
    for fold in folds:
        trials = _shared(units.trials, fold)
        overlapping = _overlapping(fold, units, data)
        rows.append((fold.name, len(trials), len(_shared(units.subjects, fold)), len(overlapping)))
        leak = (
            _shared_trials(fold, trials, units, data)
            or _shared_samples(fold, overlapping, data)
            or _shared_groups(fold, units, across, data)
            or _recognised_recordings(fold, units, data)
        )
        if leak is not None:
            leaks.append(leak)
    columns = ["fold", "trials", "subjects", "overlapping"]
    return LeakageReport(pd.DataFrame(rows, columns=columns), tuple(leaks))


def _units(data: LabelledRows, across: str | None) -> _Units:
    return _Units(
        trials=trial_codes(data),
        subjects=subject_codes(data),
        crossed=None if across is None else pd.factorize(data.groups(across))[0],
        recordings=[
            (level, pd.factorize(data.groups(level))[0])
            for level in _LEVELS
            if level in data.metadata
        ],
        starts=_starts(data),
    )


def _starts(data: LabelledRows) -> NDArray[np.float64] | None:
    """Return when each window starts, on one axis of time that sets all recordings apart."""
    if "window" not in data.metadata:
        return None
    starts = pd.to_numeric(data.metadata["window"], errors="coerce").to_numpy(dtype=float)
    if not np.isfinite(starts).any():
        return None
    known = [level for level in _LEVELS if level in data.metadata]
    if "trial" in data.metadata:
        recordings = trial_codes(data)
    else:
        recordings = pd.factorize(data.groups(known[-1]))[0] if known else np.zeros(len(data), int)
    length = data.duration
    longest = np.nanmax(starts) - np.nanmin(starts)
    return recordings * (longest + 2 * length) + starts


def _overlapping(fold: Fold, units: _Units, data: LabelledRows) -> NDArray[np.intp]:
    """Return the rows of the test part that have samples in common with training rows."""
    if units.starts is None:
        return np.empty(0, dtype=np.intp)
    length = (1 - _ROUNDING) * data.duration
    train, test = np.sort(units.starts[fold.train]), units.starts[fold.test]
    begun_before = np.searchsorted(train, test + length)
    ended_before = np.searchsorted(train, test - length, side="right")
    return fold.test[begun_before > ended_before]


def _shared(codes: NDArray[np.intp], fold: Fold) -> NDArray[np.intp]:
    return np.intersect1d(codes[fold.train], codes[fold.test])


def _shared_trials(
    fold: Fold, shared: NDArray[np.intp], units: _Units, data: LabelledRows
) -> Leak | None:
    if not shared.size:
        return None
    return Leak(
        fold.name,
        shared.size,
        "trial",
        _names_of(units.trials, shared, PROVENANCE, data),
        "Keep all windows of a trial together: with TrialKFold, a splitter and groups='trial', or "
        "one of the named protocols.",
    )


def _shared_samples(fold: Fold, rows: NDArray[np.intp], data: LabelledRows) -> Leak | None:
    if not rows.size:
        return None
    return Leak(
        fold.name,
        rows.size,
        "window with common samples",
        tuple(_name_of(row, (*PROVENANCE, "window"), data) for row in rows[:_MAX_EXAMPLES]),
        "Keep windows that overlap on one side, or leave those beside the test part out, with "
        "BlockwiseKFold(gap=...).",
    )


def _shared_groups(
    fold: Fold, units: _Units, across: str | None, data: LabelledRows
) -> Leak | None:
    if units.crossed is None or across is None:
        return None
    shared = _shared(units.crossed, fold)
    if not shared.size:
        return None
    columns = _LEVELS[: _LEVELS.index(across) + 1]
    return Leak(
        fold.name,
        shared.size,
        across,
        _names_of(units.crossed, shared, columns, data),
        f"A cross-{across} split needs groups={across!r} and a splitter that heeds them.",
    )


def _recognised_recordings(fold: Fold, units: _Units, data: LabelledRows) -> Leak | None:
    for level, codes in units.recordings:
        divided = _shared(codes, fold)
        rows = np.isin(codes, divided)
        if len(divided) < 2 or (_n_targets(codes[rows], data.y[rows]) > 1).any():
            continue
        if len(np.unique(data.y[rows])) < 2:
            continue
        columns = _LEVELS[: _LEVELS.index(level) + 1]
        noun = "target" if is_continuous(data.y) else "class"
        return Leak(
            fold.name,
            divided.size,
            f"{level} of a single {noun}",
            _names_of(codes, divided, columns, data),
            f"Where each {level} holds one {noun}, an estimator recognises the {level} instead: "
            "test on other subjects, with cv='cross-subject'.",
        )
    return None


def _n_targets(units: NDArray[np.intp], y: NDArray[Any]) -> NDArray[Any]:
    """Count the classes, or different target values, in each unit."""
    return pd.Series(y).groupby(units).nunique().to_numpy()


def _names_of(
    codes: NDArray[np.intp], shared: NDArray[np.intp], columns: Sequence[str], data: LabelledRows
) -> tuple[str, ...]:
    """Name the first few trials, runs, sessions or subjects of those shared."""
    rows = [int(np.flatnonzero(codes == code)[0]) for code in shared[:_MAX_EXAMPLES]]
    return tuple(_name_of(row, columns, data) for row in rows)


def _name_of(row: int, columns: Sequence[str], data: LabelledRows) -> str:
    """Name what a row belongs to by what the metadata say of it."""
    known = [column for column in columns if column in data.metadata]
    if "trial" in columns and not {"trial", "window"}.intersection(known):
        return f"row {row}"
    return " ".join(f"{column} {data.metadata[column].iloc[row]}" for column in known)
