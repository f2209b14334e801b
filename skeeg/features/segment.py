"""Trials cut into windows, with the trial that each window comes from."""

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
        Time between the starts of successive windows, in seconds. With less than `window` they
        overlap; by default it is `window`.

    Returns
    -------
    windows : EEGData
        In the order of the trials, then of time. The metadata of each trial are repeated, with
        two more columns: ``trial``, the row in `data` if they had no such column, and ``window``,
        the start of the window in its trial, in seconds. Samples at the end of a trial that do
        not fill a window are dropped.

    Raises
    ------
    TypeError
        If `data` is not an `EEGData`: an array does not know the trial of a window.
    ValueError
        If `window` or `step` is shorter than a sample, `window` is longer than the trials, or the
        column ``trial`` has missing values.

    See Also
    --------
    skeeg.model_selection.check_leakage : Refuses splits with windows of one trial on both sides.
    deap_entropy : Filters each trial before it is cut, without a transient in each window.

    Notes
    -----
    Windows of one trial resemble each other for reasons unrelated to the label. If they are
    shuffled into training and test sets, a decoder can recognise the trial instead of the class.
    The leakage guard of `skeeg.compare` identifies trials by ``subject``, ``session``, ``run`` and
    ``trial``.

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
            f"data must be EEGData, got {type(data).__name__}: windows need the trial that they "
            "come from. EEGData.from_arrays and EEGData.from_epochs return EEGData."
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
        The data with the sampling rate.

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
    """Return the metadata of windows: those of their trial, and their start in it.

    Parameters
    ----------
    data : LabelledRows
        The trials. If they are windows themselves, the starts are added up.
    starts : ndarray, shape (n_windows,)
        Start of each window in its trial, in seconds.

    Returns
    -------
    metadata : DataFrame
        A row for each window of the first trial, then of the second, and so on.

    Raises
    ------
    ValueError
        If the number of a trial is missing.
    """
    trials = data.metadata.reset_index(drop=True)
    if "trial" not in trials:
        trials = trials.assign(trial=np.arange(len(trials)))
    unknown = trials["trial"].isna().to_numpy()
    if unknown.any():
        raise ValueError(
            f"The column trial of the metadata is empty in row {int(np.argmax(unknown))}, so the "
            "trial of its windows is unknown. Number every trial, or drop the column."
        )
    rows = np.repeat(np.arange(len(trials)), len(starts))
    windows = trials.iloc[rows].reset_index(drop=True)
    offset = windows["window"].to_numpy(dtype=float) if "window" in windows else 0.0
    windows["window"] = offset + np.tile(starts, len(trials))
    return windows
