"""DEAP, emotions from music videos, in its preprocessed releases."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._checks import check_choice, check_number
from .._files import check_regular
from .._validation import check_finite
from ..data import EEGData
from ._pickle import read_pickled_arrays
from ._recording import PathLike, choose_subjects, existing_folder

#: The first 32 of the 40 recorded channels, in the order of the release.
CHANNELS = (
    *("Fp1", "AF3", "F3", "F7", "FC5", "FC1", "C3", "T7"),
    *("CP5", "CP1", "P3", "P7", "PO3", "O1", "Oz", "Pz"),
    *("Fp2", "AF4", "Fz", "F4", "F8", "FC6", "FC2", "Cz"),
    *("C4", "T8", "CP6", "CP2", "P4", "P8", "PO4", "O2"),
)
RATINGS = ("valence", "arousal", "dominance", "liking")
LABELS = (*RATINGS, "quadrant")
_SFREQ = 128.0  # Hz
_N_VIDEOS = 40
#: Bytes of the largest array, of float64, with its header.
_LARGEST = _N_VIDEOS * 40 * 8064 * 8 + 2**16
_CHUNK = 2**16  # bytes
_COMPRESSED = 15  # the type of compressed elements in MATLAB files of version 5
_NUMBERS = {"double", "single"} | {f"{sign}int{n}" for sign in ("", "u") for n in (8, 16, 32, 64)}
_SHAPES = {"data": (_N_VIDEOS, 40, 8064), "labels": (_N_VIDEOS, len(RATINGS))}
#: Three seconds before the video, and its last minute.
_PARTS = {"baseline": slice(0, 384), "trial": slice(384, 8064)}

SOURCE = (
    "DEAP is given for research to those who sign its licence agreement (EULA): ask for it at "
    "https://www.eecs.qmul.ac.uk/mmv/datasets/deap/. Expected are the unpacked files s01.dat to "
    "s32.dat of data_preprocessed_python.zip, or s01.mat to s32.mat of "
    "data_preprocessed_matlab.zip, in the folder given as path or in folders below it, each with "
    "the arrays 'data', of shape (40, 40, 8064), and 'labels', of shape (40, 4)."
)


def load_deap(
    path: PathLike | None = None,
    *,
    subjects: int | Sequence[int] | None = None,
    label: str = "valence",
    threshold: float = 5.0,
    part: str = "trial",
) -> EEGData:
    """Load EEG and ratings of 32 subjects who watched music videos, from preprocessed DEAP.

    Each subject watched 40 videos of a minute and rated them from 1 to 9 [1]_. 32 channels of EEG
    at 128 Hz, from which the authors removed eye movements, filtered from 4 to 45 Hz and
    referenced to the common average; so they have no delta band, and no gamma above 45 Hz. Licence:
    for research, after signing an agreement.

    Parameters
    ----------
    path : path-like
        Folder that holds the files ``s01.dat`` to ``s32.dat`` of the Python release, or ``s01.mat``
        to ``s32.mat`` of the MATLAB release, or has folders that hold them. If a subject has
        both, the former is read. There is no free download.
    subjects : int or sequence of int, optional
        From 1 to 32; by default all subjects with files. All 32 take 1.3 GB of memory; load one
        at a time to use less.
    label : {"valence", "arousal", "dominance", "liking", "quadrant"}, default="valence"
        The rating that is divided into ``"high"`` and ``"low"``; or the quadrant of valence and
        arousal, ``"HVHA"``, ``"HVLA"``, ``"LVHA"`` or ``"LVLA"``.
    threshold : float, default=5.0
        Ratings above this value, from 1 to 9, are high.
    part : {"trial", "baseline"}, default="trial"
        The minute of the video, or the three seconds before it. Both have the same rows.

    Returns
    -------
    data : EEGData
        In the unit of the files; (n_trials, 32, 7680) for trials, (n_trials, 32, 384) for
        baselines. Metadata: ``subject``, ``trial`` (position in the file, from 0), ``video`` (from
        1), and the four ratings.

    Raises
    ------
    FileNotFoundError
        If `path` is not given, does not exist or holds no such file.
    ValueError
        If a file is damaged, holds other arrays, NaN or invalid ratings; if a subject has two
        files; or a subject, label, threshold or part is invalid. Pickled content is never executed.

    Notes
    -----
    The eight channels that are not EEG (eye, muscle, skin, respiration, pulse, temperature) are
    dropped.

    The release is sorted by video, not by time, so that it cannot be split into blocks of time;
    the order of presentation is in ``participant_ratings.csv``. All subjects watched the same
    videos: a split that leaves subjects out still tests on videos of the training set.

    References
    ----------
    .. [1] Koelstra, S. et al. (2012). DEAP: a database for emotion analysis using physiological
       signals. IEEE Transactions on Affective Computing 3(1), 18-31.
       https://doi.org/10.1109/T-AFFC.2011.15

    Examples
    --------
    >>> from skeeg.datasets import load_deap
    >>> trials = load_deap("deap", subjects=[1, 2], label="arousal")  # doctest: +SKIP
    >>> baselines = load_deap(
    ...     "deap", subjects=[1, 2], label="arousal", part="baseline"
    ... )  # doctest: +SKIP
    """
    check_choice("label", label, LABELS)
    check_choice("part", part, _PARTS)
    check_number("threshold", threshold, at_least=1, at_most=9)
    if path is None:
        raise FileNotFoundError(f"load_deap needs the path of your files. {SOURCE}")
    files = _files(existing_folder(path, SOURCE))
    chosen = choose_subjects(subjects, sorted(files))
    samples = _PARTS[part]
    n_times = samples.stop - samples.start
    # Only one subject's file is in memory at a time, in addition to the result.
    X = np.empty((_N_VIDEOS * len(chosen), len(CHANNELS), n_times), dtype=np.float32)
    ratings = np.empty((len(X), len(RATINGS)))
    for i, subject in enumerate(chosen):
        rows = slice(_N_VIDEOS * i, _N_VIDEOS * (i + 1))
        _read_into(X[rows], ratings[rows], files[subject], samples)
    metadata = pd.DataFrame(
        {
            "subject": np.repeat(chosen, _N_VIDEOS),
            "trial": np.tile(np.arange(_N_VIDEOS), len(chosen)),
            "video": np.tile(np.arange(1, _N_VIDEOS + 1), len(chosen)),
            **dict(zip(RATINGS, ratings.T, strict=True)),
        }
    )
    y = _labels(metadata, label, float(threshold))
    return EEGData(X, y, _SFREQ, CHANNELS, metadata)


def _files(folder: Path) -> dict[int, Path]:
    """Return the file of each subject, the Python release first."""
    of_releases: dict[str, dict[int, Path]] = {".dat": {}, ".mat": {}}
    for file in sorted(folder.rglob("s[0-9][0-9].*")):
        number = re.fullmatch(r"s(\d\d)\.(?:dat|mat)", file.name)
        if number is None:
            continue
        files = of_releases[file.suffix]
        first = files.setdefault(int(number[1]), file)
        if first != file:
            raise ValueError(
                f"Subject {int(number[1])} is in both {first} and {file}. Pass the folder that "
                "holds one of them as path."
            )
    found = of_releases[".mat"] | of_releases[".dat"]
    if not found:
        raise FileNotFoundError(f"{folder} holds no file named s01.dat or s01.mat. {SOURCE}")
    return found


def _read_into(
    X: NDArray[np.float32], ratings: NDArray[np.float64], file: Path, samples: slice
) -> None:
    """Fill the rows of one subject from its file."""
    try:
        arrays = _READERS[file.suffix](file)
        data, labels = arrays["data"], arrays["labels"]
        for array in (data, labels):
            if array.dtype.kind not in "fiu":
                raise ValueError(f"it holds values of type {array.dtype} instead of numbers")
        with np.errstate(over="ignore"):  # check_finite names what overflows
            X[:] = data[:, : len(CHANNELS), samples]
        ratings[:] = labels
        check_finite(X, name="load_deap", ch_names=CHANNELS)
        wrong = ~((ratings >= 1) & (ratings <= 9))
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise ValueError(
                f"the rating of {RATINGS[column]} in row {row} is {ratings[row, column]:g}, and "
                "ratings go from 1 to 9"
            )
    except ValueError as error:
        raise ValueError(f"{file} is damaged or of another format ({error}). {SOURCE}") from error


def _read_dat(file: Path) -> dict[str, NDArray[Any]]:
    arrays = read_pickled_arrays(file)
    _check_shapes({name: array.shape for name, array in arrays.items()})
    return arrays


def _read_mat(file: Path) -> dict[str, NDArray[Any]]:
    from scipy.io import loadmat, whosmat

    try:
        # Before reading, which allocates the size that the file claims.
        check_regular(file)
        _check_expanded(file)
        described = whosmat(file)
        _check_shapes({name: shape for name, shape, _ in described})
        others = [name for name, _, kind in described if name in _SHAPES and kind not in _NUMBERS]
        if others:
            raise ValueError(f"{others[0]!r} does not hold numbers")
        return loadmat(file, variable_names=list(_SHAPES))
    except ValueError:
        raise
    except Exception as error:  # scipy's parser can raise any exception
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _check_expanded(file: Path) -> None:
    """Raise if a compressed element of a MATLAB file is larger than the largest array of DEAP."""
    with file.open("rb") as stream:
        order = "<" if stream.read(128)[126:] == b"IM" else ">"
        while len(tag := stream.read(8)) == 8:
            kind, n_bytes = struct.unpack(f"{order}II", tag)
            end = stream.tell() + n_bytes
            if kind == _COMPRESSED:
                _inflate(stream, n_bytes)
            stream.seek(end)


def _inflate(stream: BinaryIO, n_bytes: int) -> None:
    """Raise if so many compressed bytes expand to more than the largest array; nothing is kept."""
    expander, expanded = zlib.decompressobj(), 0
    waiting = b""
    while waiting or n_bytes > 0:
        if not waiting:
            waiting = stream.read(min(n_bytes, _CHUNK))
            n_bytes -= _CHUNK
            if not waiting:
                return  # scipy says what a truncated file lacks
        expanded += len(expander.decompress(waiting, _CHUNK))
        waiting = expander.unconsumed_tail
        if expanded > _LARGEST:
            raise ValueError(f"it holds more than {_LARGEST / 2**20:.0f} MiB in one array")


_READERS = {".dat": _read_dat, ".mat": _read_mat}


def _check_shapes(shapes: dict[str, tuple[int, ...]]) -> None:
    for name, expected in _SHAPES.items():
        if name not in shapes:
            raise ValueError(f"it lacks {name!r}; it holds {', '.join(shapes) or 'nothing':.80}")
        if shapes[name] != expected:
            raise ValueError(f"{name!r} has shape {shapes[name]} instead of {expected}")


def _labels(ratings: pd.DataFrame, label: str, threshold: float) -> NDArray[np.str_]:
    if label != "quadrant":
        return np.where(ratings[label] > threshold, "high", "low")
    valence = np.where(ratings["valence"] > threshold, "HV", "LV")
    return np.char.add(valence, np.where(ratings["arousal"] > threshold, "HA", "LA"))
