"""Where alignment finds the domain of each trial."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length

from .._labelled import PROVENANCE, LabelledRows

#: The name of a domain: the values of its columns.
Domain = tuple[Hashable, ...]

#: The only domain of arrays that come without domains.
UNNAMED: Domain = ()


def check_domain_columns(domain: object) -> list[str]:
    """Return the parameter `domain` as a list of column names.

    Raises
    ------
    ValueError
        If it is not a string or a sequence of strings.
    """
    columns = [domain] if isinstance(domain, str) else domain
    if (
        not isinstance(columns, Sequence)
        or not columns
        or not all(isinstance(column, str) for column in columns)
    ):
        raise ValueError(
            "domain must be a column of the metadata or a list of them, such as 'subject' or "
            f"['subject', 'session']; got {domain!r}."
        )
    return list(columns)


def domains_of(X: Any, columns: list[str], domains: Any, n_trials: int) -> list[Domain]:
    """Return the domain of each trial.

    Parameters
    ----------
    X : any container of trials
    columns : list of str
        Columns of the metadata. Sessions and runs are nested in their subject.
    domains : array-like, shape (n_trials,), or None
        The domains, if the user passed them.
    n_trials : int

    Returns
    -------
    domains : list of tuple
        `UNNAMED` for each trial of an array without domains.

    Raises
    ------
    ValueError
        If a column is missing, or the domain of a trial is.
    """
    if domains is not None:
        table = pd.DataFrame({"domains": np.asarray(domains)})
        check_consistent_length(table, np.empty(n_trials))
        return _rows(table)
    metadata = _metadata(X)
    if metadata is None:
        return [UNNAMED] * n_trials
    absent = [column for column in columns if column not in metadata]
    if absent:
        raise ValueError(
            f"The metadata have no column {absent[0]!r}; they have {list(metadata.columns)}. Set "
            "the parameter domain to one of them, add the column, as in EEGData.from_arrays(..., "
            f"{absent[0]}=...), or pass domains= to fit and transform."
        )
    nested = max((PROVENANCE.index(c) for c in columns if c in PROVENANCE), default=0)
    outer = [c for c in PROVENANCE[:nested] if c in metadata and c not in columns]
    return _rows(metadata[[*outer, *columns]])


def epochs_in(X: Any) -> list[Any]:
    """Return the MNE epochs that `X` is or lists; empty for any other container."""
    mne = sys.modules.get("mne")
    if mne is None:
        return []
    parts = list(X) if isinstance(X, (list, tuple)) else [X]
    return parts if all(isinstance(part, mne.BaseEpochs) for part in parts) else []


def _metadata(X: Any) -> pd.DataFrame | None:
    if isinstance(X, LabelledRows):
        return X.metadata
    frames = [part.metadata for part in epochs_in(X)]
    if not frames or any(frame is None for frame in frames):
        return None
    return pd.concat(frames, ignore_index=True)


def _rows(table: pd.DataFrame) -> list[Domain]:
    missing = table.isna().any(axis=1).to_numpy()
    if missing.any():
        raise ValueError(
            f"The {' or '.join(map(str, table.columns))} of trial {int(missing.argmax())} is "
            "missing. Give every trial a domain, or leave the trial out."
        )
    return list(table.itertuples(index=False, name=None))
