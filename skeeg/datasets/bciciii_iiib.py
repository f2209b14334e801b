"""BCI Competition III, data set IIIb, as trials in ``.npz`` files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks import check_choice
from .._npz import UNREADABLE, open_npz
from ..data import EEGData
from ._recording import Cut, PathLike, by_name, choose_subjects, existing_folder, find_files

SUBJECTS = ("S4b", "X11b")
CHANNELS = ("C3", "C4")
LABELS = {1: "left_hand", 2: "right_hand"}
_SFREQ = 125.0  # Hz
_LARGEST = 2**26  # bytes of the arrays of a file, four times those of 1080 trials

SOURCE = (
    "Data set IIIb of BCI Competition III is expected as the files S4b_train.npz, S4b_test.npz, "
    "X11b_train.npz and X11b_test.npz, each with the arrays 'signal', of shape (n_trials, 750, 2), "
    "and 'label', of shape (n_trials,), 1 for the left and 2 for the right hand. It cannot be "
    "downloaded freely: register at https://www.bbci.de/competition/iii/ and cut the trials of its "
    "continuous recordings, or use the .npz files of the course that distributed them."
)


def load_bciciii_iiib(
    path: PathLike | None = None,
    *,
    subjects: str | Sequence[str] | None = None,
    fmin: float | None = None,
    fmax: float | None = None,
    sfreq: float | None = None,
    tmin: float = 0.0,
    tmax: float | None = None,
    fill: str = "train",
) -> EEGData:
    """Load left and right hand imagery of two subjects from BCI Competition III, data set IIIb.

    Subjects controlled a feedback by imagining movements of the left or right hand [1]_ [2]_. Two
    bipolar derivations, over C3 and C4, 125 Hz, trials of 6 s; 1080 training trials and 1080
    test trials. Licence: for research, after registration with the competition.

    Parameters
    ----------
    path : path-like
        Folder that holds ``S4b_train.npz``, ``S4b_test.npz``, ``X11b_train.npz`` and
        ``X11b_test.npz``, or has folders that hold them. There is no free download.
    subjects : str or sequence of str, optional
        ``"S4b"``, ``"X11b"`` or both; by default both.
    fmin, fmax : float or None
        Pass band, in Hz; by default the trials are not filtered. Trials are filtered
        independently, so that their ends have transients of the filter.
    sfreq : float, optional
        The sampling rate to resample to, in Hz.
    tmin, tmax : float
        Start and end, in seconds from the start of the stored trial; `tmax` itself is not included.
        By default the whole trial.
    fill : {"train", "own"}, default="train"
        The value of missing samples: the mean of all training samples, or the mean of all samples
        of the same set, as in the course that distributed these files. The latter uses test data,
        which an online decoder would not have.

    Returns
    -------
    data : EEGData
        In the unit of the files. Labels: ``"left_hand"`` and ``"right_hand"``. Metadata:
        ``subject`` (``"S4b"``, ``"X11b"``), ``session`` (``"train"`` or ``"test"``, as
        divided by the competition), ``run`` (always ``"0"``) and ``trial`` (position in the file).

    Raises
    ------
    FileNotFoundError
        If `path` is not given, or it or one of its files is missing.
    ValueError
        If a file is damaged or holds other arrays, or a subject or `fill` is unknown. Pickled
        content is never executed.

    References
    ----------
    .. [1] Blankertz, B. et al. (2006). The BCI competition III: validating alternative approaches
       to actual BCI problems. IEEE Transactions on Neural Systems and Rehabilitation Engineering
       14(2), 153-159. https://doi.org/10.1109/TNSRE.2006.875642
    .. [2] Vidaurre, C., Schlögl, A., Cabeza, R., Scherer, R. and Pfurtscheller, G. (2006). A fully
       on-line adaptive BCI. IEEE Transactions on Biomedical Engineering 53(6), 1214-1219.
       https://doi.org/10.1109/TBME.2006.873542

    Examples
    --------
    >>> data = load_bciciii_iiib("bciciii")  # doctest: +SKIP
    >>> train = data.select(session="train")  # doctest: +SKIP
    """
    check_choice("fill", fill, ("train", "own"))
    cut = Cut(tmin, np.inf if tmax is None else tmax, fmin, fmax, sfreq)
    if path is None:
        raise FileNotFoundError(f"load_bciciii_iiib needs the path of your files. {SOURCE}")
    folder = existing_folder(path, SOURCE)
    chosen = choose_subjects(subjects, SUBJECTS)
    sets = {
        (subject, session): _read_set(_find(folder, f"{subject}_{session}.npz"))
        for session in ("train", "test")
        for subject in chosen
    }
    means = {
        session: np.nanmean(np.concatenate([sets[s, session][0].ravel() for s in chosen]))
        for session in ("train", "test")
    }
    parts = []
    for (subject, session), (signal, label) in sets.items():
        filled = np.nan_to_num(signal, nan=means["train" if fill == "train" else session])
        parts.append(
            EEGData.from_arrays(
                _trials(filled.transpose(0, 2, 1), cut),
                np.array([LABELS[code] for code in label]),
                _SFREQ if sfreq is None else sfreq,
                CHANNELS,
                subject=subject,
                session=session,
                run="0",
                trial=np.arange(len(label)),
            )
        )
    return EEGData.concatenate(parts)


def _find(folder: Path, name: str) -> Path:
    return by_name(find_files(folder, name, SOURCE))[name]


def _read_set(file: Path) -> tuple[NDArray[np.floating[Any]], NDArray[np.integer[Any]]]:
    """Return the signal, shape (n_trials, n_times, n_chans), and the labels of one file."""
    try:
        with open_npz(file, largest=_LARGEST) as archive:
            signal, label = archive["signal"], archive["label"].ravel()
        if signal.ndim != 3 or signal.shape[2] != len(CHANNELS) or signal.dtype.kind not in "fiu":
            raise ValueError(f"'signal' has shape {signal.shape} and type {signal.dtype}")
        if len(label) != len(signal) or not np.isin(label, list(LABELS)).all():
            raise ValueError(
                f"'label' holds {len(label)} values {np.unique(label)} for {len(signal)} trials"
            )
    except UNREADABLE as error:
        raise ValueError(f"{file} is damaged or of another format ({error}). {SOURCE}") from error
    return signal.astype(float), label.astype(int)


def _trials(X: NDArray[np.floating[Any]], cut: Cut) -> NDArray[np.floating[Any]]:
    import mne

    rate = _SFREQ if cut.sfreq is None else cut.sfreq
    if cut.fmin is not None or cut.fmax is not None:
        X = mne.filter.filter_data(X, _SFREQ, cut.fmin, cut.fmax, verbose="error")
    if rate != _SFREQ:
        X = mne.filter.resample(X, up=rate, down=_SFREQ, verbose="error")
    length = X.shape[-1] / rate
    end = length if cut.tmax == np.inf else cut.tmax
    if not 0 <= cut.tmin < end <= length:
        raise ValueError(
            f"tmin and tmax must lie within the {length:g} s of a trial, got tmin={cut.tmin!r} "
            f"and tmax={cut.tmax!r}."
        )
    return X[..., round(cut.tmin * rate) : round(end * rate)]
