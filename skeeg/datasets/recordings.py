"""Your own recordings, in every format that MNE reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import pandas as pd

from .._events import Events
from .._raw import Cutting, Names
from ..data import EEGData
from ._file_metadata import describe_files
from ._joining import Recording, load_all
from ._recording import PathLike
from ._recording_files import recording_files


def load_recordings(
    path: PathLike | Iterable[PathLike],
    events: Events = None,
    *,
    tmin: float = 0.0,
    tmax: float = 1.0,
    fmin: float | None = None,
    fmax: float | None = None,
    sfreq: float | None = None,
    picks: Names = "eeg",
    reference: Names | None = None,
    window: float | None = None,
    step: float | None = None,
    metadata: PathLike | pd.DataFrame | None = None,
    reject: float | Mapping[str, float] | None = None,
    stim_channel: str | None = None,
    cache: PathLike | None = None,
) -> EEGData:
    r"""Load trials of your own recordings: EDF, BDF, GDF, BrainVision, EEGLAB, FIF and others.

    One recording is in memory at a time, in addition to the trials. Each is referenced, filtered
    and resampled as a whole, then cut. What was left out is listed in `dropped` of the result, and
    a warning sums it up.

    Parameters
    ----------
    path : path-like or list of path-like
        A file, a folder whose recordings are read, with those in folders below it, or several.
        Hidden files, files that belong to a recording and later parts of a split one are left out.
    events : str, list of str or mapping, optional
        Names of events: descriptions of annotations, or codes of the stimulation channel or of a
        file of events of MNE beside the recording, such as ``"1"`` or 1. A mapping gives the names
        of each label, as in ``{"hand": ["left", "right"], "feet": "feet"}``. A name may be a tag of
        MNE, such as ``"left"`` of ``"left/easy"``. By default all events. A recording may lack
        some, but not all of them.
    tmin, tmax : float
        Start and end of the trials, in seconds from the event; `tmax` itself is not included.
    fmin, fmax : float or None
        Pass band, in Hz; None means no limit.
    sfreq : float, optional
        The sampling rate to resample to, in Hz. Needed if recordings differ in their rate.
    picks : str or list of str, default="eeg"
        A type of channels, of which the good ones are used, or names. The order and the case of
        names are those of the first recording.
    reference : str or list of str, optional
        ``"average"`` of the picked channels, or names of channels, which need not be picked; by
        default the reference of the recordings.
    window, step : float, optional
        Cut each trial into windows of this length, one each `step`, by default `window`, in
        seconds. They have the same ``trial``.
    metadata : str, path-like or DataFrame, optional
        Where subject, session and run come from:

        * a pattern of the files' names, such as ``"{subject}_{session}_run{run}"`` or, with
          folders, ``"{subject}/{run}.edf"``; the ending may be left out;
        * a regular expression with named groups, such as ``r"(?P<subject>S\d+)"``, which is
          searched in the name, or in the whole path if it has a ``/``;
        * a table with a column ``file``, of names, and any others, or the path of its CSV or TSV
          file;
        * by default the names of BIDS, such as ``sub-01_ses-1_run-2_eeg.edf``.

        Where they do not give ``run``, it is the name of the file.
    reject : float or mapping, optional
        Drop trials in which a channel exceeds this peak-to-peak amplitude after the filter, in
        volts: 1e-4 is 100 microvolts. A mapping has an amplitude for each type of channels.
    stim_channel : str, optional
        Read the events from this channel. By default from the annotations, or from the
        stimulation channel if it has more of the names.
    cache : path-like, optional
        A folder of your own, in which joblib keeps the trials of each recording as pickles. They
        are cut again if the recording, an option, the code, or a version of a package changes.

    Returns
    -------
    data : EEGData
        In volts. Metadata: ``file``, ``run``, and ``subject`` and ``session`` where they are known,
        ``trial``, and ``window`` if trials are cut into windows. Trials are numbered on from one
        recording to the next where these have the same subject, session and run.

    Raises
    ------
    FileNotFoundError
        If a path does not exist, or a folder holds no recording.
    ValueError
        If a file is damaged or has none of the events, an event occurs in no recording, the
        recordings differ in their channels, rate or reference, a recording is there twice, or
        `metadata` does not describe a file. The message names the file.

    See Also
    --------
    load_bids : Load a data set of BIDS.
    skeeg.EEGData.from_raw : Cut a recording that is already in memory.

    Examples
    --------
    >>> from skeeg.datasets import load_recordings
    >>> data = load_recordings(
    ...     "study", ["left", "right"], tmax=4.0, fmin=7, fmax=30, sfreq=128,
    ...     metadata="{subject}_run{run}.edf",
    ... )  # doctest: +SKIP
    """
    cutting = Cutting(events, tmin, tmax, fmin, fmax, sfreq, picks, reference, reject, stim_channel)
    files = recording_files([path] if isinstance(path, (str, os.PathLike)) else list(path))
    described = describe_files(files, metadata)
    recordings = [Recording(*pair) for pair in zip(files, described, strict=True)]
    return load_all(recordings, cutting, window, step, cache)
