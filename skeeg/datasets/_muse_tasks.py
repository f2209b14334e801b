"""The two experiments that come with Muse LSL, and which files of a folder belong to each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class _Task:
    event_id: dict[str, int]
    tmin: float
    tmax: float
    files: dict[str, tuple[str, str]]  # by name: its address below URL, and its SHA-256


#: The recordings were removed from the repository; each is downloaded from a commit that has it.
URL = "https://raw.githubusercontent.com/alexandrebarachant/muse-lsl/"
_VISUAL = "04e43ee793be6c64550edb289f22a51b91c578a1/data/visual"
_FLAT = "2ba1e4c0ede11e311d51845cbd9e137dbef637cb/data/visual"
_NESTED = "d95f4d9e70c3524437ba36f1d899897b9f1858c0/data/visual"

TASKS = {
    "left_right": _Task(
        event_id={"left": 1, "right": 2},
        tmin=0.0,
        tmax=0.4,
        files={
            "data_2017-01-27-16.11.50.csv": (
                f"{_NESTED}/left-right/subject1/session1/data_2017-01-27-16.11.50.csv",
                "7b9faa4bd8a1a27a57447e849170aa243d766cb63ddc8ee1f1c71a1e85b07f6d",
            ),
            "data_2017-01-27-16.16.09.csv": (
                f"{_NESTED}/left-right/subject1/session1/data_2017-01-27-16.16.09.csv",
                "6689defa1733aac215b85f46dd6b090428d717049fed2f25c7ff936ac67365f3",
            ),
            "data_2017-01-27-16.21.42.csv": (
                f"{_FLAT}/left-right/data_2017-01-27-16.21.42.csv",
                "c6e9dd6f8bbc1468981e04e674754449b3c164d01248400870bb39e791ba39bd",
            ),
            "data_2017-01-27-16.25.35.csv": (
                f"{_NESTED}/left-right/subject1/session1/data_2017-01-27-16.25.35.csv",
                "041be62032c680a16304555ca04a21d811ec1fd94510b2372da16b663684553e",
            ),
            "data_2017-01-27-16.29.10.csv": (
                f"{_VISUAL}/left-right/data_2017-01-27-16:29:10.csv",
                "923c94924d67863738305b161256e6cd87951e5eba3ed6358db639529c60aaa3",
            ),
        },
    ),
    "p300": _Task(
        event_id={"non-target": 1, "target": 2},
        tmin=0.0,
        tmax=0.8,
        files={
            "data_2017-02-04-15_45_13.csv": (
                f"{_FLAT}/P300/subject1/session1/data_2017-02-04-15_45_13.csv",
                "a383d9a381019a9a5453ea6b6e358a8039265ff85f7cbaa660321b6f4604e6d2",
            ),
            "data_2017-02-04-15_47_49.csv": (
                f"{_FLAT}/P300/subject1/session1/data_2017-02-04-15_47_49.csv",
                "a1fdffdf1fe31be64e525ae76f5a66a4222d835e023350439bbaaf9380c4b06e",
            ),
            "data_2017-02-04-15_51_07.csv": (
                f"{_FLAT}/P300/subject1/session1/data_2017-02-04-15_51_07.csv",
                "ae425485d202b7a3b7d875b883abafe5eff1836e6d150dd5c99464f762439a0d",
            ),
            "data_2017-02-04-15_55_07.csv": (
                f"{_VISUAL}/P300/data_2017-02-04-15:55:07.csv",
                "a3346a2c576568622c638318440d199869479a9ad26effcd9c3131f78a2b6dc8",
            ),
            "data_2017-02-04-15_58_30.csv": (
                f"{_VISUAL}/P300/data_2017-02-04-15:58:30.csv",
                "4aad7d0688a9df0dafbffc4ec7065cdecd9319bdbc318e3d37a33cac0225e892",
            ),
            "data_2017-02-04-16_03_08.csv": (
                f"{_FLAT}/P300/subject1/session1/data_2017-02-04-16_03_08.csv",
                "07aee84cfb34663bd3c76a7125a74a6f824aa6f4fef6f2864a0ecc9568a8101d",
            ),
        },
    ),
}

#: Larger files are not those of the repository, and are not hashed.
_LARGEST = 2**24


def files_of_task(files: Sequence[Path], folder: Path, task: str) -> list[Path]:
    """Return the files of one task.

    A recording of the repository is known by its checksum, or by its name if it was edited;
    any other file by a folder above it that is named like a task, such as ``P300``.

    Parameters
    ----------
    files : sequence of pathlib.Path
    folder : pathlib.Path
        The folder in which they were found.
    task : {"left_right", "p300"}

    Returns
    -------
    chosen : list of pathlib.Path
        The files of the task; all files if no task is known of any.

    Raises
    ------
    ValueError
        If all files are of the other task, or some are of this task and of some it is not known.
    """
    tasks = {file: _task(file, folder) for file in files}
    chosen = [file for file in files if tasks[file] == task]
    unknown = [file for file in files if tasks[file] is None]
    if len(unknown) == len(files):
        return list(files)
    if unknown:
        raise ValueError(
            f"{folder} holds recordings of a known task, and files of which the task is not known: "
            f"{_names(unknown)}. Move these to a folder of their own, and pass one folder."
        )
    if not chosen:
        others = sorted({str(other) for other in tasks.values()})
        raise ValueError(
            f"{folder} holds no recording of task={task!r}; {_names(files)} are of "
            f"task={others[0]!r}."
        )
    return chosen


def _task(file: Path, folder: Path) -> str | None:
    by_hash = {digest: name for name, task in TASKS.items() for _, digest in task.files.values()}
    if file.is_file() and file.stat().st_size <= _LARGEST:
        found = by_hash.get(hashlib.sha256(file.read_bytes()).hexdigest())
        if found is not None:
            return found
    by_name = {_plain(name): task for task in TASKS for name in TASKS[task].files}
    by_folder = {_plain(task): task for task in TASKS}
    # The folder itself counts as well, but not those above it.
    above = [
        *reversed(file.parent.relative_to(folder).parts),
        folder.absolute().name,
        folder.absolute().parent.name if re.match("(subject|session)", folder.name) else "",
    ]
    named = [by_folder[_plain(part)] for part in above if _plain(part) in by_folder]
    return by_name.get(_plain(file.name)) or (named[0] if named else None)


def _plain(name: str) -> str:
    """Return a name without the punctuation that file systems and versions of Muse LSL change."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _names(files: Sequence[Path]) -> str:
    names = ", ".join(file.name for file in files[:5])
    return names if len(files) <= 5 else f"{names} and {len(files) - 5} more"
