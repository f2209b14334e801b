"""Checks that training and test of a split do not share trials, samples or subjects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .._divided_trials import accept_division
from .._labelled import PROVENANCE, LabelledRows, is_continuous, subject_codes
from ._evidence import (
    LEVELS,
    RECORDINGS,
    alone_in_trial,
    recording_codes,
    reveals_class,
    separated,
    value_codes,
    window_starts,
)
from .folds import Fold, LeakageError, rows_of_subjects, trial_codes
from .protocols import as_folds, claimed_across

_MAX_EXAMPLES = 3
#: Proportion of a window's length by which its start in seconds may be rounded.
_ROUNDING = 0.01


@dataclass(frozen=True)
class Leak:
    """What training and test of one fold have in common."""

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
    """What training and test of each fold have in common.

    Parameters
    ----------
    shared : DataFrame
        A row for each fold. ``fold`` is its name. ``trials`` and ``subjects`` are the numbers of
        trials and subjects in both training and test. ``overlapping`` is the number of test windows
        that have samples in common with training windows. A subject in both is a leak only if the
        split claims to generalise over subjects.
    leaks : sequence of Leak
        The folds that leak, with the reason.
    unknown : str
        Why the metadata cannot tell whether the split leaks; empty if they can.
    """

    shared: pd.DataFrame = field(repr=False)
    leaks: Sequence[Leak]
    unknown: str = ""

    @property
    def verdict(self) -> Literal["clean", "cannot tell", "leaks"]:
        """Whether the split leaks, as far as data and metadata can tell."""
        if self.leaks:
            return "leaks"
        return "cannot tell" if self.unknown else "clean"

    @property
    def description(self) -> str:
        """The leaks of the first folds and how to avoid them; empty if nothing leaks."""
        if not self.leaks:
            return ""
        listed = "; ".join(str(leak) for leak in self.leaks[:_MAX_EXAMPLES])
        more = len(self.leaks) - _MAX_EXAMPLES
        others = f"; and {more} more fold{'s' if more > 1 else ''}" if more > 0 else ""
        advice = " ".join(dict.fromkeys(leak.advice for leak in self.leaks))
        return f"The split leaks: {listed}{others}. {advice}"

    def __str__(self) -> str:
        texts = [self.description, self.unknown and f"Cannot tell whether it leaks: {self.unknown}"]
        return " ".join(filter(None, texts)) or f"Nothing leaks in {len(self.shared)} folds."


def check_leakage(
    cv: Any,
    data: LabelledRows,
    *,
    groups: str | ArrayLike | None = None,
    across: str | None = None,
    allow_leakage: bool = False,
) -> LeakageReport:
    """Raise an error if training and test of a split share information.

    A split leaks in five cases:

    * Windows of one trial are in both training and test. Windows belong to the same trial if
      ``subject``, ``session``, ``run`` and ``trial`` in their metadata are equal. Without a column
      ``trial`` each row is a trial.
    * Windows with common samples are in both training and test. This requires a column ``window``
      in the metadata, the start of each window in its trial or recording, in seconds.
    * A subject, or a session of a subject, is in both training and test of a split that claims to
      generalise over them.
    * Rows with exactly equal values are in both training and test. Constant rows, and rows of fewer
      than 16 values, are not compared.
    * Each recording has nearly a single class. If the subjects, sessions or runs that a fold
      divides have one class each (rest in one file and task in another, or patients and controls),
      an estimator can recognise the recording instead of the class. This also applies to
      continuous targets, such as the age of each subject, and to the columns ``block``, ``file``,
      ``filename`` and ``recording``. Recordings are nearly of one class if knowing them avoids
      80 % of the errors of guessing the most frequent class.

    The verdict of the report is ``"cannot tell"`` if ``trial`` or ``window`` are missing in some
    rows, or if each window has its own ``trial`` and its start may be that in the recording.

    Parameters
    ----------
    cv : str, int, splitter or iterable of (train, test) or of Fold
        As in `make_folds`.
    data : EEGData or FeatureTable
    groups : str or array-like, shape (n_trials,), optional
        As in `make_folds`.
    across : {"subject", "session"}, optional
        What the split claims to generalise over. By default it follows from the name of the
        protocol, the splitter or `groups`.
    allow_leakage : bool, default=False
        Return the report for a split that leaks, instead of raising an error.

    Returns
    -------
    report : LeakageReport
        What training and test of each fold have in common, whether it is a leak or not.

    Raises
    ------
    LeakageError
        If the split leaks. The message has the folds, what they share, and examples.
    ValueError
        If `cv` is invalid, `across` is unknown, or the column ``window`` does not hold numbers.

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
    if allow_leakage:
        accept_division(data)
    elif report.leaks:
        raise LeakageError(
            f"{report.description} To run the split anyway and mark its results, pass "
            "allow_leakage=True."
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
        ``"cross-subject"`` if a within-subject split would leak, because each recording has a
        single class.
    """
    if len(rows_of_subjects(data)) < 2:
        return "within-subject"
    try:
        report = check_leakage("within-subject", data, allow_leakage=True)
    except ValueError:
        return "cross-subject"
    return "cross-subject" if report.leaks else "within-subject"


class _Units(NamedTuple):
    """Integer codes of the trial, subject and recordings of each row."""

    trials: NDArray[np.intp]
    subjects: NDArray[np.intp]
    crossed: NDArray[np.intp] | None
    recordings: list[tuple[str, NDArray[np.intp]]]
    starts: NDArray[np.float64] | None
    in_recording: NDArray[np.float64] | None
    values: NDArray[np.intp]


def _report(folds: Sequence[Fold], data: LabelledRows, across: str | None) -> LeakageReport:
    units = _units(data, across)
    rows, leaks, doubted = [], [], 0
    for fold in folds:
        trials = _shared(units.trials, fold)
        overlapping = _overlapping(fold, units.starts, data)
        doubted += len(_overlapping(fold, units.in_recording, data))
        rows.append((fold.name, len(trials), len(_shared(units.subjects, fold)), len(overlapping)))
        leak = (
            _shared_trials(fold, trials, units, data)
            or _shared_samples(fold, overlapping, data)
            or _shared_values(fold, units, data)
            or _shared_groups(fold, units, across, data)
            or _recordings_of_one_class(fold, units, data)
        )
        if leak is not None:
            leaks.append(leak)
    columns = ["fold", "trials", "subjects", "overlapping"]
    return LeakageReport(pd.DataFrame(rows, columns=columns), tuple(leaks), _unknown(data, doubted))


def _unknown(data: LabelledRows, doubted: int) -> str:
    """Return why the metadata cannot tell whether windows belong together."""
    reasons = []
    if doubted:
        reasons.append(
            f"each window has a trial of its own, and {doubted} test windows overlap training "
            "windows if 'window' is the start in the recording. Give windows of one recorded trial "
            "the same 'trial', or leave out 'trial'."
        )
    for column in ("trial", "window"):
        missing = int(data.metadata[column].isna().sum()) if column in data.metadata else 0
        if missing:
            reasons.append(f"{column!r} is missing in {missing} of {len(data)} rows.")
    return " ".join(reasons)


def _units(data: LabelledRows, across: str | None) -> _Units:
    return _Units(
        trials=trial_codes(data),
        subjects=subject_codes(data),
        crossed=None if across is None else data.nested_groups(across),
        recordings=[
            (level, data.nested_groups(level))
            for level in (*LEVELS, *RECORDINGS)
            if level in data.metadata
        ],
        starts=_starts(data),
        in_recording=_starts_in_recording(data),
        values=value_codes(data),
    )


def _starts(data: LabelledRows) -> NDArray[np.float64] | None:
    """Return the start of each window, with offsets that separate trials or recordings."""
    starts = window_starts(data)
    if starts is None:
        return None
    known = "trial" in data.metadata and data.metadata["trial"].notna().any()
    units = trial_codes(data) if known else recording_codes(data)
    return separated(starts, units, data.duration)


def _starts_in_recording(data: LabelledRows) -> NDArray[np.float64] | None:
    """Return starts of windows that may be those in the recording, NaN for all others."""
    starts, alone = window_starts(data), alone_in_trial(data)
    if starts is None or len(np.unique(starts[alone & np.isfinite(starts)])) < 2:
        return None
    return separated(np.where(alone, starts, np.nan), recording_codes(data), data.duration)


def _overlapping(
    fold: Fold, starts: NDArray[np.float64] | None, data: LabelledRows
) -> NDArray[np.intp]:
    """Return the test rows that have samples in common with training rows."""
    if starts is None:
        return np.empty(0, dtype=np.intp)
    length = (1 - _ROUNDING) * data.duration
    train, test = np.sort(starts[fold.train]), starts[fold.test]
    begun_before = np.searchsorted(train, test + length)
    ended_before = np.searchsorted(train, test - length, side="right")
    # NaN sorts after all numbers, so an unknown start never overlaps.
    return fold.test[(begun_before > ended_before) & np.isfinite(test)]


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
        "Keep overlapping windows together, or leave out the windows next to the test part with "
        "BlockwiseKFold(gap=...).",
    )


def _shared_values(fold: Fold, units: _Units, data: LabelledRows) -> Leak | None:
    rows = fold.test[np.isin(units.values[fold.test], units.values[fold.train])]
    if not rows.size:
        return None
    return Leak(
        fold.name,
        rows.size,
        "row with values equal to a training row",
        tuple(f"row {row}" for row in rows[:_MAX_EXAMPLES]),
        "Remove the duplicates, or give them the same trial and keep trials together.",
    )


def _shared_groups(
    fold: Fold, units: _Units, across: str | None, data: LabelledRows
) -> Leak | None:
    if units.crossed is None or across is None:
        return None
    shared = _shared(units.crossed, fold)
    if not shared.size:
        return None
    columns = LEVELS[: LEVELS.index(across) + 1]
    return Leak(
        fold.name,
        shared.size,
        across,
        _names_of(units.crossed, shared, columns, data),
        f"A cross-{across} split needs groups={across!r} and a splitter that uses them.",
    )


def _recordings_of_one_class(fold: Fold, units: _Units, data: LabelledRows) -> Leak | None:
    for level, codes in units.recordings:
        divided = _shared(codes, fold)
        rows = np.isin(codes, divided)
        if not reveals_class(codes[rows], data.y[rows]):
            continue
        columns = LEVELS[: LEVELS.index(level) + 1] if level in LEVELS else (level,)
        noun = "target" if is_continuous(data.y) else "class"
        return Leak(
            fold.name,
            divided.size,
            f"{level} of a single {noun}",
            _names_of(codes, divided, columns, data),
            f"If each {level} has a single {noun}, an estimator can recognise the {level} "
            f"instead of the {noun}: test on other subjects, with cv='cross-subject'.",
        )
    return None


def _names_of(
    codes: NDArray[np.intp], shared: NDArray[np.intp], columns: Sequence[str], data: LabelledRows
) -> tuple[str, ...]:
    """Return the names of the first few shared trials, runs, sessions or subjects."""
    rows = [int(np.flatnonzero(codes == code)[0]) for code in shared[:_MAX_EXAMPLES]]
    return tuple(_name_of(row, columns, data) for row in rows)


def _name_of(row: int, columns: Sequence[str], data: LabelledRows) -> str:
    """Return the name of the unit of a row, from its metadata."""
    known = [column for column in columns if column in data.metadata]
    if "trial" in columns and not {"trial", "window"}.intersection(known):
        return f"row {row}"
    return " ".join(f"{column} {data.metadata[column].iloc[row]}" for column in known)
