"""Named evaluation protocols: functions that return the folds for all estimators."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import check_cv

from .._checks import did_you_mean
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
    """Train and test within each subject.

    A subject with several runs is split by leave-one-run-out if all training parts have every
    class. Otherwise its trials are split into five stratified folds of whole trials, without
    shuffling, so that trials close in time stay together. Continuous targets are not stratified.

    Parameters
    ----------
    data : EEGData or FeatureTable
        Without a column ``subject`` in its metadata all trials are of one subject.
    continuous : bool, optional
        Whether the targets are continuous; by default according to
        `sklearn.utils.multiclass.type_of_target`.

    Returns
    -------
    folds : list of Fold

    Raises
    ------
    ValueError
        If a class is missing in a training part, or a subject has too few trials to be split.
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
        With a column ``session`` in its metadata.
    continuous : bool, optional
        Whether the targets are continuous; by default according to
        `sklearn.utils.multiclass.type_of_target`.

    Returns
    -------
    folds : list of Fold

    Raises
    ------
    ValueError
        If there is no column ``session``, a subject has only one session, or a class is missing in
        a training part.
    """
    require_column(data, "session", "The cross-session protocol")
    folds, with_one_session = [], []
    for subject, rows in rows_of_subjects(data):
        sessions = data.metadata["session"].iloc[rows]
        if sessions.nunique() < 2:
            with_one_session.append(subject)
        folds += [
            _leave_out(rows, rows[(sessions == session).to_numpy()], subject, f"session {session}")
            for session in sessions.unique()
        ]
    if with_one_session:
        named = f"Subjects {listed(with_one_session)} have"
        who = "The data have" if with_one_session == [None] else named
        raise ValueError(
            f"The cross-session protocol needs at least two sessions of each subject. {who} only "
            "one: leave such subjects out, or use cv='within-subject' or 'cross-subject'."
        )
    continuous = is_continuous(data.y) if continuous is None else continuous
    return checked_folds(folds, data, continuous=continuous)


def cross_subject(data: LabelledRows, *, continuous: bool | None = None) -> list[Fold]:
    """Leave one subject out, training on all others.

    Parameters
    ----------
    data : EEGData or FeatureTable
        With a column ``subject`` in its metadata.
    continuous : bool, optional
        Whether the targets are continuous; by default according to
        `sklearn.utils.multiclass.type_of_target`.

    Returns
    -------
    folds : list of Fold

    Raises
    ------
    ValueError
        If there is no column ``subject``, there is only one subject, or a class is missing in a
        training part.
    """
    require_column(data, "subject", "The cross-subject protocol")
    subjects = rows_of_subjects(data)
    if len(subjects) < 2:
        raise ValueError(
            "The cross-subject protocol needs at least two subjects, but the data have only "
            f"subject {subjects[0][0]!r}: load more subjects, or use cv='within-subject'."
        )
    splits = zip(subjects, LeaveSubjectsOut().split(data), strict=True)
    folds = [Fold(train, test, name, f"subject {name}") for (name, _), (train, test) in splits]
    continuous = is_continuous(data.y) if continuous is None else continuous
    return checked_folds(folds, data, continuous=continuous)


#: The protocols of `make_folds` and `skeeg.compare`, by name.
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
        A name in `PROTOCOLS`, or ``cv`` as in scikit-learn.
    data : EEGData or FeatureTable
    groups : str or array-like, shape (n_trials,), optional
        For splitters that use groups: a column of the metadata, as `EEGData.nested_groups` returns
        it, or an entry for each trial.
    random_state : int, optional
        Seed of splitters that shuffle and whose ``random_state`` is None.
    allow_leakage : bool, default=False
        Allow `ShuffledSegmentKFold`, which otherwise raises an error.
    continuous : bool, optional
        Whether the targets are continuous; by default according to
        `sklearn.utils.multiclass.type_of_target`.

    Returns
    -------
    folds : list of Fold

    Raises
    ------
    ValueError
        If the protocol is unknown, a test part is empty, or a class is missing in a training part.
    LeakageError
        If `cv` is `ShuffledSegmentKFold` and leakage is not allowed.

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
    """Return the folds of `make_folds` without checking for empty parts and missing classes.

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
        If `cv` is invalid, or it has rows that do not exist.
    LeakageError
        As in `make_folds`.
    """
    if isinstance(cv, str):
        if groups is not None:
            raise ValueError(
                f"groups are for splitters; the protocol {cv!r} uses the metadata. Leave them out."
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
        None if the protocol, the splitter and `groups` do not imply such a claim, or the metadata
        have no such column.
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
        hint = did_you_mean(name, PROTOCOLS)
        raise ValueError(
            f"Unknown protocol {name!r}.{hint} The protocols are {', '.join(PROTOCOLS)}; cv also "
            "takes any scikit-learn splitter."
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
    """Return a copy with the seed, the permission to leak and the type of the targets set."""
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
    """Split the trials of one subject, with all their windows, into stratified blocks of time."""
    trials = trial_codes(data)[rows]
    _, first = np.unique(trials, return_index=True)
    targets = pd.Series(data.y[rows][first])
    counts = pd.Series([len(targets)]) if continuous else targets.value_counts()
    if counts.min() < 2:
        rarest = "" if continuous else f" of class {counts.index.tolist()[-1]!r}"
        who = "The data have" if subject is None else f"Subject {subject} has"
        raise ValueError(
            f"{who} only one trial{rarest}: the within-subject protocol needs at least two, for "
            "training and test. Use cv='cross-subject', or leave that subject out."
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
    of_rows = data.nested_groups(groups) if isinstance(groups, str) else np.asarray(groups)
    if of_rows.shape != (len(data),):
        raise ValueError(
            f"groups must be a column of the metadata or have an entry for each of the "
            f"{len(data)} trials, got shape {of_rows.shape}."
        )
    return of_rows
