"""The base class of the splitters, and the labels and groups that they use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_consistent_length

from .._labelled import LabelledRows, is_continuous, subject_codes
from .folds import require_column, trial_codes

Split = tuple[NDArray[np.intp], NDArray[np.intp]]


class Splitter(BaseCrossValidator):
    """A splitter that uses ``groups`` if they are passed, and those of the data otherwise."""

    n_splits: int
    #: Whether targets are continuous, where `make_folds` knows; None goes by what they look like.
    continuous: bool | None = None

    # For scikit-learn's metadata routing: split accepts groups.
    __metadata_request__split = {"groups": True}

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits.

        Parameters
        ----------
        X, y, groups : object, optional
            Ignored.

        Returns
        -------
        n_splits : int
        """
        return self.n_splits

    def _strata(self, X: Any, y: Any) -> NDArray[Any]:
        """Return the classes to balance over the folds: a single one if targets are continuous."""
        labels = labels_of(self, X, y)
        continuous = is_continuous(labels) if self.continuous is None else self.continuous
        return np.zeros(len(labels), dtype=np.intp) if continuous else labels


def labels_of(splitter: Splitter, X: Any, y: Any) -> NDArray[Any]:
    """Return the label of each row.

    Parameters
    ----------
    splitter : Splitter
        The splitter, for messages.
    X : EEGData, FeatureTable or array-like
    y : array-like or None
        None means the labels of the data.

    Returns
    -------
    labels : ndarray, shape (n_rows,)

    Raises
    ------
    ValueError
        If there are no labels, one is missing, or their number is not that of the rows.
    """
    if y is None and not isinstance(X, LabelledRows):
        raise ValueError(f"{type(splitter).__name__} needs y, the label of each row.")
    labels = X.y if y is None else np.asarray(y)
    check_consistent_length(X, labels)
    if labels.ndim != 1:
        raise ValueError(f"y must be one label for each row, got shape {labels.shape}.")
    missing = pd.isna(labels)
    if missing.any():
        raise ValueError(f"The label of row {missing.argmax()} is missing.")
    return labels


def codes_of(
    splitter: Splitter, X: Any, groups: Any, column: str, *, optional: bool = False
) -> NDArray[np.intp]:
    """Return the trial or subject of each row as integers from 0, in order of appearance.

    Parameters
    ----------
    splitter : Splitter
        The splitter, for messages.
    X : EEGData, FeatureTable or array-like
    groups : array-like or None
        None means the column of the metadata.
    column : {"trial", "subject"}
    optional : bool
        Whether data without `column` have one subject.

    Returns
    -------
    codes : ndarray of int, shape (n_rows,)

    Raises
    ------
    ValueError
        If the trial or subject is unknown.
    """
    name = type(splitter).__name__
    if groups is not None:
        return group_codes(X, groups, column)
    if not isinstance(X, LabelledRows):
        raise ValueError(
            f"{name} must know which {column} each row is of: pass EEGData, or groups with an "
            f"entry for each row. {type(X).__name__} does not say."
        )
    if column == "trial":
        return pd.factorize(trial_codes(X))[0]
    if not optional:
        require_column(X, column, name)
    return subject_codes(X)


def group_codes(X: Any, groups: Any, what: str) -> NDArray[np.intp]:
    """Return ``groups`` as integers from 0, in order of appearance.

    Parameters
    ----------
    X : EEGData, FeatureTable or array-like
    groups : array-like, shape (n_rows,)
    what : str
        What the groups are, for messages.

    Returns
    -------
    codes : ndarray of int, shape (n_rows,)

    Raises
    ------
    ValueError
        If one is missing, or their number is not that of the rows.
    """
    check_consistent_length(X, groups)
    codes = pd.factorize(np.asarray(groups))[0]
    if (codes < 0).any():
        raise ValueError(f"groups does not say which {what} row {codes.argmin()} is of.")
    return codes
