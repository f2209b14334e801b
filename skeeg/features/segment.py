"""Trials cut into windows that remember which trial they come from."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._labelled import LabelledRows
from ..data import EEGData
from ._checks import check_samples


def segment(data: EEGData, window: float, step: float | None = None) -> EEGData:
    """Cut each trial into windows of equal length, which share the trial's label and ``trial``.

    Parameters
    ----------
    data : EEGData
        The trials.
    window : float
        Length of a window, in seconds; rounded to whole samples.
    step : float, optional
        From the beginning of one window to that of the next, in seconds. Less than `window`
        makes them overlap; left out, they follow each other without gap or overlap.

    Returns
    -------
    windows : EEGData
        In the order of the trials, then of time. The metadata of each trial are repeated, and
        have two more columns: ``trial``, the number of the row in `data` where they had none, and
        ``window``, where the window begins in its trial, in seconds. Samples at the end of a
        trial that fill no window are left out.

    Raises
    ------
    TypeError
        If `data` is no `EEGData`: an array does not know which trial a window is of.
    ValueError
        If `window` or `step` is shorter than a sample, `window` is longer than the trials, or the
        column ``trial`` has gaps.

    See Also
    --------
    skeeg.model_selection.check_leakage : Refuses splits with windows of one trial on both sides.
    deap_entropy : Cuts behind a filter, which does not start anew in each window.

    Notes
    -----
    Windows of one trial are alike for reasons that have nothing to do with the label: a split
    that shuffles them finds the trial again, and calls it the class. The guard of
    `skeeg.compare` tells them by ``subject``, ``session``, ``run`` and ``trial``.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import EEGData
    >>> from skeeg.features import segment
    >>> data = EEGData.from_arrays(np.zeros((2, 3, 320)), ["calm", "tense"], sfreq=128)
    >>> windows = segment(data, window=1.0, step=0.5)
    >>> windows.shape
    (8, 3, 128)
    >>> windows.metadata[["trial", "window"]].values.tolist()[:3]
    [[0.0, 0.0], [0.0, 0.5], [0.0, 1.0]]
    """
    if not isinstance(data, EEGData):
        raise TypeError(
            f"data must be EEGData, got {type(data).__name__}: windows must know which trial they "
            "are of. EEGData.from_arrays and EEGData.from_epochs make one."
        )
    n_window = window_samples("window", window, data)
    n_step = n_window if step is None else window_samples("step", step, data)
    _, n_chans, n_times = data.shape
    if n_window > n_times:
        raise ValueError(
            f"window must be at most as long as the trials, {data.duration:g} s, got {window:g} s."
        )
    views = np.lib.stride_tricks.sliding_window_view(data.X, n_window, axis=2)[:, :, ::n_step]
    n_windows = views.shape[2]
    return EEGData(
        X=views.transpose(0, 2, 1, 3).reshape(-1, n_chans, n_window),
        y=np.repeat(data.y, n_windows),
        sfreq=data.sfreq,
        ch_names=data.ch_names,
        metadata=window_metadata(data, np.arange(n_windows) * n_step / data.sfreq),
    )


def window_samples(name: str, seconds: float, data: EEGData) -> int:
    """Return a length in samples.

    Parameters
    ----------
    name : str
        The argument, as the user spells it.
    seconds : float
    data : EEGData
        Whose rate counts.

    Returns
    -------
    n_samples : int

    Raises
    ------
    ValueError
        If it is not a positive number, or less than half a sample.
    """
    n_samples = check_samples(name, seconds, data.sfreq)
    if n_samples < 1:
        raise ValueError(
            f"{name} must last a sample or more, {1 / data.sfreq:g} s at {data.sfreq:g} Hz, "
            f"got {seconds:g} s."
        )
    return n_samples


def window_metadata(data: LabelledRows, starts: NDArray[np.float64]) -> pd.DataFrame:
    """Return the metadata of windows: their trial's, and where they begin in it.

    Parameters
    ----------
    data : LabelledRows
        The trials. Where they are windows themselves, the beginnings are added.
    starts : ndarray, shape (n_windows,)
        Where the windows begin in each trial, in seconds.

    Returns
    -------
    metadata : DataFrame
        A row for each window of the first trial, then of the second, and so on.

    Raises
    ------
    ValueError
        If a trial's number is missing.
    """
    trials = data.metadata.reset_index(drop=True)
    if "trial" not in trials:
        trials = trials.assign(trial=np.arange(len(trials)))
    unknown = trials["trial"].isna().to_numpy()
    if unknown.any():
        raise ValueError(
            f"The column trial of the metadata is empty in row {int(np.argmax(unknown))}: the "
            "windows of such a trial could not be told from others. Number every trial, or drop "
            "the column."
        )
    rows = np.repeat(np.arange(len(trials)), len(starts))
    windows = trials.iloc[rows].reset_index(drop=True)
    offset = windows["window"].to_numpy(dtype=float) if "window" in windows else 0.0
    windows["window"] = offset + np.tile(starts, len(trials))
    return windows
