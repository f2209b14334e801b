"""What was left out of recordings, and why, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    import mne

#: The columns of the table; ``trial`` is missing where a row is not about a trial.
COLUMNS = {
    "recording": "object",
    "kind": "object",
    "name": "object",
    "trial": "Int64",
    "reason": "object",
    "detail": "object",
}
AMPLITUDE = "amplitude"


def dropped_frame(rows: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """Return the table of what was left out.

    Parameters
    ----------
    rows : iterable of mapping
        The columns of each row; ``trial`` and ``detail`` may be absent.

    Returns
    -------
    frame : DataFrame
        With the columns `COLUMNS`.
    """
    blank = {"recording": "", "trial": None, "detail": ""}
    frame = pd.DataFrame([blank | dict(row) for row in rows], columns=list(COLUMNS))
    return frame.astype(COLUMNS)


def check_dropped(frame: Any) -> None:
    """Raise unless a table has the columns of `dropped_frame`.

    Parameters
    ----------
    frame : DataFrame

    Raises
    ------
    TypeError
        If it is not a DataFrame.
    ValueError
        If it has other columns.
    """
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"dropped must be a DataFrame, got {type(frame).__name__}.")
    if list(frame.columns) != list(COLUMNS):
        raise ValueError(
            f"dropped must have the columns {', '.join(COLUMNS)}, got "
            f"{', '.join(map(str, frame.columns)) or 'none'}. Leave it out: loaders fill it in."
        )


def join_dropped(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return several tables as one.

    Parameters
    ----------
    frames : iterable of DataFrame
        A table that is given several times, as by parts of one recording, counts once.

    Returns
    -------
    frame : DataFrame
    """
    different = {id(frame): frame for frame in frames}
    filled = [frame for frame in different.values() if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else dropped_frame()


def dropped_trials(
    epochs: mne.BaseEpochs, labels: Mapping[int, str], recording: str
) -> list[dict[str, Any]]:
    """Return a row for each trial that MNE dropped.

    Parameters
    ----------
    epochs : mne.Epochs
    labels : mapping of int to str
        The label of each event, by its position; may be incomplete.
    recording : str

    Returns
    -------
    rows : list of dict
    """
    rows = []
    for i, entry in enumerate(epochs.drop_log):
        if not entry or entry[0] == "IGNORED":
            continue
        by_amplitude = [name for name in entry if name in epochs.ch_names]
        rows.append(
            {
                "recording": recording,
                "kind": "trial",
                "name": labels.get(i, ""),
                "trial": i,
                "reason": AMPLITUDE if by_amplitude else entry[0],
                "detail": ", ".join(by_amplitude or entry[1:]),
            }
        )
    return rows


def count_dropped(frame: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return how much of each kind was left out, by reason.

    Parameters
    ----------
    frame : DataFrame

    Returns
    -------
    counts : dict
        Such as ``{"trial": {"BAD_blink": 3}, "channel": {"marked as bad": 1}}``.
    """
    return {
        str(kind): {str(reason): int(n) for reason, n in rows["reason"].value_counts().items()}
        for kind, rows in frame.groupby("kind", sort=False)
    }


def describe_dropped(frame: pd.DataFrame) -> str:
    """Return how much was left out as text.

    Parameters
    ----------
    frame : DataFrame

    Returns
    -------
    description : str
        Such as ``"3 trials (BAD_blink 2, TOO_SHORT 1), 1 channel (marked as bad 1)"``.
    """
    parts = []
    for kind, reasons in count_dropped(frame).items():
        n = sum(reasons.values())
        parts.append(f"{n} {kind}{'' if n == 1 else 's'} ({describe_reasons(reasons)})")
    return ", ".join(parts)


def describe_reasons(reasons: Mapping[str, int]) -> str:
    """Return how often each reason occurs as text, such as ``"BAD_blink 2, TOO_SHORT 1"``."""
    return ", ".join(f"{reason} {n}" for reason, n in reasons.items())
