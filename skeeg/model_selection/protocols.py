"""Named evaluation protocols, each a list of folds that every estimator is given alike."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import check_cv

from .._labelled import LabelledRows, is_continuous
from ._splitter import Splitter
from .folds import (
    Fold,
    as_fold,
    checked_folds,
    listed,
    require_column,
    rows_of_subjects,
    trial_codes,
)
from .splitters import LeaveSubjectsOut, TrialKFold, WithinSubject
from .window_splitters import ShuffledSegmentKFold

_N_SPLITS = 5
_ACROSS = {"cross-subject": "subject", "cross-session": "session"}


def within_subject(data: LabelledRows, *, continuous: bool | None = None) -> list[Fold]:
    """Train and test on one subject at a time.

    Leave-one-run-out where a subject has several runs and every class remains to be learnt from
    when any of them is left out; else five folds over whole trials, stratified and unshuffled,
    so that neighbours in time stay together. Continuous targets are not stratified.

    Parameters
    ----------
    data : EEGData or FeatureTable
        Without a ``subject`` in its metadata it is one subject.
    continuous : bool, optional
        Whether the targets are numbers, not classes; by default what
        `sklearn.utils.multiclass.type_of_target` says.

    Returns
    -------
    folds : list of Fold

    Raises
    ------
    ValueError
        If a training part lacks a class, or a subject has too few trials to be divided.
    """
    continuous = is_continuous(data.y) if continuous is None else continuous
    folds = []
    for subject, rows in rows_of_subjects(data):
        runs = _runs(data, rows)
        complete = continuous or all(
            len(np.unique(data.y[np.setdiff1d(rows, run)])) == len(np.unique(data.y))
            for _, run in runs
        )
        if len(runs) > 1 and complete:
            folds += [_leave_out(rows, run, subject, name) for name, run in runs]
        else:
            folds += _contiguous_folds(data, rows, subject, continuous)
    return checked_folds(folds, data, continuous=continuous)


def cross_session(data: LabelledRows, *, continuous: bool | None = None) -> list[Fold]:
    """Leave one session of one subject out, training on that subject's other sessions.

    Parameters
    ----------
    data : EEGData or FeatureTable
        With a ``session`` in its metadata.
    continuous : bool, optional
        Whether the targets are numbers, not classes; by default what
        `sklearn.utils.multiclass.type_of_target` says.

    Returns
    -------
    folds : list of Fold

    Raises
    ------
    ValueError
        If there is no ``session``, a subject has only one, or a training part lacks a class.
    """
    require_column(data, "session", "The cross-session protocol")
    folds, lonely = [], []
    for subject, rows in rows_of_subjects(data):
        sessions = data.metadata["session"].iloc[rows]
        if sessions.nunique() < 2:
            lonely.append(subject)
        folds += [
            _leave_out(rows, rows[(sessions == session).to_numpy()], subject, f"session {session}")
            for session in sessions.unique()
        ]
    if lonely:
        who = "The data have" if lonely == [None] else f"Subjects {listed(lonely)} have"
        raise ValueError(
            f"The cross-session protocol needs two sessions or more of each subject. {who} only "
            "one: leave such subjects out, or use cv='within-subject' or 'cross-subject'."
        )
    continuous = is_continuous(data.y) if continuous is None else continuous
    return checked_folds(folds, data, continuous=continuous)


def cross_subject(data: LabelledRows, *, continuous: bool | None = None) -> list[Fold]:
    """Leave one subject out, training on all others.

    Parameters
    ----------
    data : EEGData or FeatureTable
        With a ``subject`` in its metadata.
    continuous : bool, optional
        Whether the targets are numbers, not classes; by default what
        `sklearn.utils.multiclass.type_of_target` says.

    Returns
    -------
    folds : list of Fold

    Raises
    ------
    ValueError
        If there is no ``subject``, only one, or a training part lacks a class.
    """
    require_column(data, "subject", "The cross-subject protocol")
    subjects = rows_of_subjects(data)
    if len(subjects) < 2:
        raise ValueError(
            "The cross-subject protocol needs two subjects or more, the data have only subject "
            f"{subjects[0][0]!r}: load more subjects, or use cv='within-subject'."
        )
    splits = zip(subjects, LeaveSubjectsOut().split(data), strict=True)
    folds = [Fold(train, test, who, f"subject {who}") for (who, _), (train, test) in splits]
    continuous = is_continuous(data.y) if continuous is None else continuous
    return checked_folds(folds, data, continuous=continuous)


#: The protocols that `make_folds` and `skeeg.compare` know by name.
PROTOCOLS: dict[str, Callable[..., list[Fold]]] = {
    "within-subject": within_subject,
    "cross-session": cross_session,
    "cross-subject": cross_subject,
}


def make_folds(
    cv: Any,
    data: LabelledRows,
    *,
    groups: str | ArrayLike | None = None,
    random_state: int | None = None,
    allow_leakage: bool = False,
    continuous: bool | None = None,
) -> list[Fold]:
    """Return the folds of a protocol, a scikit-learn splitter or an iterable of splits.

    Parameters
    ----------
    cv : str, int, splitter or iterable of (train, test) or of Fold
        A name in `PROTOCOLS`, or whatever ``cv`` means in scikit-learn.
    data : EEGData or FeatureTable
    groups : str or array-like, shape (n_trials,), optional
        For splitters that use them: a column of the metadata, or an entry for each trial.
    random_state : int, optional
        For splitters that shuffle and have no ``random_state`` of their own.
    allow_leakage : bool, default=False
        Let `ShuffledSegmentKFold` run, which refuses to by itself.
    continuous : bool, optional
        Whether the targets are numbers, not classes; by default what
        `sklearn.utils.multiclass.type_of_target` says.

    Returns
    -------
    folds : list of Fold

    Raises
    ------
    ValueError
        If the protocol is unknown, a test part is empty, or a training part lacks a class.
    LeakageError
        If `ShuffledSegmentKFold` is not allowed to run.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import EEGData
    >>> from skeeg.model_selection import make_folds
    >>> data = EEGData.from_arrays(
    ...     np.zeros((4, 1, 8)), [0, 1, 0, 1], sfreq=8, subject=["A", "A", "B", "B"]
    ... )
    >>> [(fold.name, fold.test.tolist()) for fold in make_folds("cross-subject", data)]
    [('subject A', [0, 1]), ('subject B', [2, 3])]
    """
    continuous = is_continuous(data.y) if continuous is None else continuous
    folds = as_folds(
        cv,
        data,
        groups=groups,
        random_state=random_state,
        allow_leakage=allow_leakage,
        continuous=continuous,
    )
    return checked_folds(folds, data, continuous=continuous)


def as_folds(
    cv: Any,
    data: LabelledRows,
    *,
    groups: str | ArrayLike | None = None,
    random_state: int | None = None,
    allow_leakage: bool = False,
    continuous: bool | None = None,
) -> list[Fold]:
    """Return what `make_folds` does, not yet checked for empty parts and absent classes.

    Parameters
    ----------
    cv, data, groups, random_state, allow_leakage, continuous
        As in `make_folds`.

    Returns
    -------
    folds : list of Fold

    Raises
    ------
    ValueError
        If `cv` is none, or it names rows that do not exist.
    LeakageError
        As in `make_folds`.
    """
    if isinstance(cv, str):
        if groups is not None:
            raise ValueError(
                f"groups are for splitters; the protocol {cv!r} takes its own from the metadata."
            )
        return _protocol(cv)(data, continuous=continuous)
    if isinstance(cv, Iterable):
        splits = cv
    else:
        continuous = is_continuous(data.y) if continuous is None else continuous
        splitter = _splitter(cv, data, continuous)
        splitter = _configured(splitter, random_state, allow_leakage, continuous)
        splits = splitter.split(data, data.y, _group_of_rows(groups, data))
    return [as_fold(split, i, data) for i, split in enumerate(splits)]


def claimed_across(cv: Any, data: LabelledRows, groups: Any = None) -> str | None:
    """Return what a split claims to generalise over.

    Parameters
    ----------
    cv, data, groups
        As in `make_folds`.

    Returns
    -------
    across : {"subject", "session"} or None
        None where neither the protocol, nor the splitter, nor the column of `groups` says so, or
        the metadata do not know.
    """
    if isinstance(cv, str):
        across = _ACROSS.get(cv)
    elif isinstance(groups, str) and groups in _ACROSS.values():
        across = groups
    else:
        across = getattr(cv, "across", None)
    return across if across in data.metadata else None


def _protocol(name: str) -> Callable[..., list[Fold]]:
    if name not in PROTOCOLS:
        near = difflib.get_close_matches(name, PROTOCOLS, n=1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"Unknown protocol {name!r}.{meant} There are {', '.join(PROTOCOLS)}; cv also takes "
            "any scikit-learn splitter."
        )
    return PROTOCOLS[name]


def _splitter(cv: Any, data: LabelledRows, continuous: bool) -> Any:
    try:
        return check_cv(cv, data.y, classifier=not continuous)
    except ValueError as error:
        raise ValueError(
            f"cv must be one of {', '.join(PROTOCOLS)}, a scikit-learn splitter, or an iterable "
            f"of (train, test) indices, got {cv!r}."
        ) from error


def _configured(
    splitter: Any, random_state: int | None, allow_leakage: bool, continuous: bool
) -> Any:
    """Return a copy that is seeded, and allowed to leak, where the splitter itself is not.

    The splitters of skeeg are told whether the targets are continuous.
    """
    splitter = copy.copy(splitter)
    if hasattr(splitter, "random_state") and splitter.random_state is None:
        splitter.random_state = random_state
    if isinstance(splitter, ShuffledSegmentKFold):
        splitter.allow_leakage |= allow_leakage
    if isinstance(splitter, Splitter):
        splitter.continuous = continuous
    if isinstance(splitter, WithinSubject):
        inner = splitter._splitter()
        splitter.cv = _configured(inner, random_state, allow_leakage, continuous)
    return splitter


def _runs(data: LabelledRows, rows: NDArray[np.intp]) -> list[tuple[str, NDArray[np.intp]]]:
    """Return the name and the rows of each run in each session of one subject."""
    columns = [column for column in ("session", "run") if column in data.metadata]
    if not columns:
        return []
    table = data.metadata.iloc[rows]
    several = [column for column in columns if table[column].nunique(dropna=False) > 1]
    runs = []
    for _, part in table.assign(_row=rows).groupby(columns, sort=False, dropna=False):
        name = ", ".join(f"{column} {part[column].iloc[0]}" for column in several or columns)
        runs.append((name, part["_row"].to_numpy()))
    return runs


def _leave_out(rows: NDArray[np.intp], test: NDArray[np.intp], subject: Any, part: str) -> Fold:
    who = "" if subject is None else f"subject {subject}"
    name = ", ".join(words for words in (who, part) if words)
    return Fold(np.setdiff1d(rows, test), test, subject, name)


def _contiguous_folds(
    data: LabelledRows, rows: NDArray[np.intp], subject: Any, continuous: bool
) -> list[Fold]:
    """Divide one subject's trials, each with all its windows, into stratified blocks of time."""
    trials = trial_codes(data)[rows]
    _, first = np.unique(trials, return_index=True)
    targets = pd.Series(data.y[rows][first])
    counts = pd.Series([len(targets)]) if continuous else targets.value_counts()
    if counts.min() < 2:
        rarest = "" if continuous else f" of class {counts.index.tolist()[-1]!r}"
        who = "The data have" if subject is None else f"Subject {subject} has"
        raise ValueError(
            f"{who} only one trial{rarest}: the within-subject protocol cannot both "
            "learn and test it. Use cv='cross-subject', or leave that subject out."
        )
    splitter = TrialKFold(min(_N_SPLITS, int(counts.min())))
    splitter.continuous = continuous
    splits = splitter.split(rows, data.y[rows], trials)
    return [
        _leave_out(rows, rows[test], subject, f"fold {i + 1}") for i, (_, test) in enumerate(splits)
    ]


def _group_of_rows(groups: str | ArrayLike | None, data: LabelledRows) -> NDArray[Any] | None:
    if groups is None:
        return None
    of_rows = data.groups(groups) if isinstance(groups, str) else np.asarray(groups)
    if of_rows.shape != (len(data),):
        raise ValueError(
            f"groups must be a column of the metadata or have an entry for each of the "
            f"{len(data)} trials, got shape {of_rows.shape}."
        )
    return of_rows
