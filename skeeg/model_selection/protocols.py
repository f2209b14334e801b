"""Named evaluation protocols, each a list of folds that every estimator is given alike."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import StratifiedKFold, check_cv

from ..data import EEGData
from .leakage import as_rows, find_leakage, trial_codes

_N_SPLITS = 5


@dataclass(frozen=True, eq=False)
class Fold:
    """One division of the trials into a training and a test part.

    Parameters
    ----------
    train, test : ndarray of int
        Row indices.
    subject : object, optional
        The subject tested, where it is one.
    name : str
        Unique among the folds of a protocol, such as ``"subject 1, run 2"``.
    """

    train: NDArray[np.intp]
    test: NDArray[np.intp]
    subject: Any = None
    name: str = "fold"


def within_subject(data: EEGData) -> list[Fold]:
    """Train and test on one subject at a time.

    Leave-one-run-out where a subject has several runs and every class remains to be learnt from
    when any of them is left out; else five folds over whole trials, stratified and unshuffled,
    so that neighbours in time stay together.

    Parameters
    ----------
    data : EEGData
        Without a ``subject`` in its metadata it is one subject.

    Returns
    -------
    folds : list of Fold

    Raises
    ------
    ValueError
        If a training part lacks a class, or a subject has too few trials to be divided.
    """
    folds = []
    for subject, rows in _subjects(data):
        runs = _runs(data, rows)
        if len(runs) > 1 and all(
            len(np.unique(data.y[np.setdiff1d(rows, run)])) == len(np.unique(data.y))
            for _, run in runs
        ):
            folds += [_leave_out(rows, run, subject, name) for name, run in runs]
        else:
            folds += _contiguous_folds(data, rows, subject)
    return checked_folds(folds, data)


def cross_session(data: EEGData) -> list[Fold]:
    """Leave one session of one subject out, training on that subject's other sessions.

    Parameters
    ----------
    data : EEGData
        With a ``session`` in its metadata.

    Returns
    -------
    folds : list of Fold

    Raises
    ------
    ValueError
        If there is no ``session``, a subject has only one, or a training part lacks a class.
    """
    _require(data, "session", "cross-session")
    folds, lonely = [], []
    for subject, rows in _subjects(data):
        sessions = data.metadata["session"].iloc[rows]
        if sessions.nunique() < 2:
            lonely.append(subject)
        folds += [
            _leave_out(rows, rows[(sessions == session).to_numpy()], subject, f"session {session}")
            for session in sessions.unique()
        ]
    if lonely:
        who = "The data have" if lonely == [None] else f"Subjects {_listed(lonely)} have"
        raise ValueError(
            f"The cross-session protocol needs two sessions or more of each subject. {who} only "
            "one: leave such subjects out, or use cv='within-subject' or 'cross-subject'."
        )
    return checked_folds(folds, data)


def cross_subject(data: EEGData) -> list[Fold]:
    """Leave one subject out, training on all others.

    Parameters
    ----------
    data : EEGData
        With a ``subject`` in its metadata.

    Returns
    -------
    folds : list of Fold

    Raises
    ------
    ValueError
        If there is no ``subject``, only one, or a training part lacks a class.
    """
    _require(data, "subject", "cross-subject")
    subjects = _subjects(data)
    if len(subjects) < 2:
        raise ValueError(
            "The cross-subject protocol needs two subjects or more, the data have only subject "
            f"{subjects[0][0]!r}: load more subjects, or use cv='within-subject'."
        )
    everyone = np.arange(len(data))
    return checked_folds([_leave_out(everyone, rows, who, "") for who, rows in subjects], data)


#: The protocols that `make_folds` and `skeeg.compare` know by name.
PROTOCOLS: dict[str, Callable[[EEGData], list[Fold]]] = {
    "within-subject": within_subject,
    "cross-session": cross_session,
    "cross-subject": cross_subject,
}


def make_folds(
    cv: Any,
    data: EEGData,
    *,
    groups: str | ArrayLike | None = None,
    random_state: int | None = None,
) -> list[Fold]:
    """Return the folds of a protocol, a scikit-learn splitter or an iterable of splits.

    Parameters
    ----------
    cv : str, int, splitter or iterable of (train, test) or of Fold
        A name in `PROTOCOLS`, or whatever ``cv`` means in scikit-learn.
    data : EEGData
    groups : str or array-like, shape (n_trials,), optional
        For splitters that use them: a column of the metadata, or an entry for each trial.
    random_state : int, optional
        For splitters that shuffle and have no ``random_state`` of their own.

    Returns
    -------
    folds : list of Fold

    Raises
    ------
    ValueError
        If the protocol is unknown, a test part is empty, or a training part lacks a class.

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
    if isinstance(cv, str):
        if groups is not None:
            raise ValueError(
                f"groups are for splitters; the protocol {cv!r} takes its own from the metadata."
            )
        return _protocol(cv)(data)
    if isinstance(cv, Iterable):
        return checked_folds([_as_fold(split, i, data) for i, split in enumerate(cv)], data)
    splits = _splitter(cv, data, random_state).split(data, data.y, _group_of_rows(groups, data))
    folds = [_as_fold(split, i, data) for i, split in enumerate(splits)]
    return checked_folds(folds, data)


def choose_protocol(data: EEGData) -> str:
    """Return the name of the protocol that suits the data.

    Parameters
    ----------
    data : EEGData

    Returns
    -------
    name : {"within-subject", "cross-subject"}
        The latter where subjects cannot be divided honestly, because each recording is of one
        class.
    """
    if len(_subjects(data)) < 2:
        return "within-subject"
    try:
        leaks = find_leakage(within_subject(data), data)
    except ValueError:
        return "cross-subject"
    return "cross-subject" if leaks else "within-subject"


def checked_folds(folds: list[Fold], data: EEGData) -> list[Fold]:
    """Return ``folds``, having checked that each can be learnt from and tested on.

    Parameters
    ----------
    folds : list of Fold
    data : EEGData

    Returns
    -------
    folds : list of Fold

    Raises
    ------
    ValueError
        If there is none, two have one name, a test part is empty, or a training part lacks a
        class; it names the fold and the class.
    """
    if not folds:
        raise ValueError("cv gave no fold at all.")
    names = pd.Series([fold.name for fold in folds])
    if names.duplicated().any():
        raise ValueError(f"Two folds are called {names[names.duplicated()].iloc[0]!r}.")
    classes = np.unique(data.y)
    for fold in folds:
        if not len(fold.test):
            raise ValueError(f"The test part of fold {fold.name!r} is empty.")
        missing = np.setdiff1d(classes, data.y[fold.train])
        if missing.size:
            raise ValueError(
                f"The training part of fold {fold.name!r} ({len(fold.train)} trials) lacks class "
                f"{_listed(missing.tolist())}: an estimator cannot learn what it never sees. Use "
                "another protocol, fewer folds, or leave that subject out."
            )
    return folds


def _protocol(name: str) -> Callable[[EEGData], list[Fold]]:
    if name not in PROTOCOLS:
        near = difflib.get_close_matches(name, PROTOCOLS, n=1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"Unknown protocol {name!r}.{meant} There are {', '.join(PROTOCOLS)}; cv also takes "
            "any scikit-learn splitter."
        )
    return PROTOCOLS[name]


def _splitter(cv: Any, data: EEGData, random_state: int | None) -> Any:
    try:
        splitter = check_cv(cv, data.y, classifier=True)
    except ValueError as error:
        raise ValueError(
            f"cv must be one of {', '.join(PROTOCOLS)}, a scikit-learn splitter, or an iterable "
            f"of (train, test) indices, got {cv!r}."
        ) from error
    if hasattr(splitter, "random_state") and splitter.random_state is None:
        splitter = copy.copy(splitter)
        splitter.random_state = random_state
    return splitter


def _subjects(data: EEGData) -> list[tuple[Any, NDArray[np.intp]]]:
    """Return the rows of each subject in order of appearance; None names the only one."""
    if "subject" not in data.metadata:
        return [(None, np.arange(len(data)))]
    column = data.metadata["subject"]
    if column.isna().any():
        row = int(np.flatnonzero(column.isna())[0])
        raise ValueError(f"The metadata do not say which subject row {row} is of.")
    return [
        (subject, np.flatnonzero((column == subject).to_numpy()))
        for subject in column.unique().tolist()
    ]


def _runs(data: EEGData, rows: NDArray[np.intp]) -> list[tuple[str, NDArray[np.intp]]]:
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


def _contiguous_folds(data: EEGData, rows: NDArray[np.intp], subject: Any) -> list[Fold]:
    """Divide one subject's trials, each with all its windows, into stratified blocks of time."""
    trials, first = np.unique(trial_codes(data)[rows], return_index=True)
    trials, first = trials[np.argsort(first)], np.sort(first)
    labels = data.y[rows][first]
    fewest = int(pd.Series(labels).value_counts().min())
    if fewest < 2:
        who = "The data have" if subject is None else f"Subject {subject} has"
        rarest = pd.Series(labels).value_counts().idxmin()
        raise ValueError(
            f"{who} only one trial of class {rarest!r}: the within-subject protocol cannot both "
            "learn and test it. Use cv='cross-subject', or leave that subject out."
        )
    splitter = StratifiedKFold(min(_N_SPLITS, fewest))
    of_rows = trial_codes(data)[rows]
    return [
        _leave_out(rows, rows[np.isin(of_rows, trials[test])], subject, f"fold {i + 1}")
        for i, (_, test) in enumerate(splitter.split(trials, labels))
    ]


def _group_of_rows(groups: str | ArrayLike | None, data: EEGData) -> NDArray[Any] | None:
    if groups is None:
        return None
    of_rows = data.groups(groups) if isinstance(groups, str) else np.asarray(groups)
    if of_rows.shape != (len(data),):
        raise ValueError(
            f"groups must be a column of the metadata or have an entry for each of the "
            f"{len(data)} trials, got shape {of_rows.shape}."
        )
    return of_rows


def _as_fold(split: Any, number: int, data: EEGData) -> Fold:
    if isinstance(split, Fold):
        return split
    name = f"fold {number + 1}"
    try:
        train, test = split
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} of cv must be (train, test) row indices, got {split!r:.80}."
        ) from None
    train = as_rows(train, len(data), f"The training part of {name!r}")
    test = as_rows(test, len(data), f"The test part of {name!r}")
    subjects = [who for who, rows in _subjects(data) if np.isin(test, rows).any()]
    return Fold(train, test, subjects[0] if len(subjects) == 1 else None, name)


def _require(data: EEGData, column: str, protocol: str) -> None:
    if column not in data.metadata:
        raise ValueError(
            f"The {protocol} protocol needs a column {column!r} in the metadata; there are "
            f"{list(data.metadata.columns)}. EEGData.from_arrays(..., {column}=...) gives one."
        )


def _listed(values: list[Any]) -> str:
    shown = ", ".join(repr(value) for value in values[:5])
    return shown + (", ..." if len(values) > 5 else "")
