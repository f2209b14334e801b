"""The recordings in folders: their formats, and the files that belong to each."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from glob import escape
from pathlib import Path

from ._recording import PathLike

#: The formats of EEG that `mne.io.read_raw` reads, by the ending of the file to open.
FORMATS = (
    *(".edf", ".bdf", ".gdf", ".vhdr", ".ahdr", ".set", ".fif", ".fif.gz", ".cnt", ".mff"),
    *(".mefd", ".nxe", ".nedf", ".lay", ".data", ".ns3", ".cdt", ".dap", ".eeg"),
)
#: Endings that other files have too: they are read where a file is named, not from a folder.
_NAMED_ONLY = (".dat", ".rs3", ".bin", ".ds", ".sqd", ".con")
#: Files of MNE that hold no recording.
_OTHER_FIF = re.compile(
    r"[-_](annot|ave|bem|cov|epo|eve|evo|fwd|head|ica|inv|proj|sol|src|stc|tfr|trans)(-\d+)?$"
)
_FOLDERS = (".mff", ".mefd", ".ds")
_TEXT_HEADERS = (".vhdr", ".ahdr", ".lay")

SOURCE = "Expected is a recording of EEG in a format of mne.io.read_raw."


def recording_files(paths: Sequence[PathLike]) -> list[Path]:
    """Return the recordings that paths name, those of a folder sorted by path.

    Parameters
    ----------
    paths : sequence of path-like
        Files and folders. In a folder, hidden files, files that belong to another and, in a data
        set of BIDS, derivatives are left out.

    Returns
    -------
    files : list of pathlib.Path
        Of a recording that was split into several files, the first.

    Raises
    ------
    FileNotFoundError
        If a path does not exist, or a folder holds no recording, or there is no path.
    ValueError
        If a recording is named twice or is there in two formats, or a file has no format that is
        read.
    """
    files: list[Path] = []
    for path in (Path(path).expanduser() for path in paths):
        ending = path.name.lower()
        if path.is_dir() and not ending.endswith(_FOLDERS):
            files += _in_folder(path)
        elif not path.exists():
            raise FileNotFoundError(_absent(path))
        elif ending.endswith((*FORMATS, *_NAMED_ONLY)):
            files.append(path)
        else:
            raise ValueError(f"{path} has none of the formats {', '.join(FORMATS)}.")
    if not files:
        raise FileNotFoundError(f"path names no recording. {SOURCE}")
    return _checked(files)


def _absent(path: Path) -> str:
    if path.is_symlink():
        return (
            f"{path} is a link to a file that is not there. If the folder is a data set of "
            "DataLad, fetch its content with `datalad get`."
        )
    return f"There is no file or folder {path}. {SOURCE}"


def without_later_parts(files: Sequence[Path]) -> list[Path]:
    """Return files without those that continue another, which MNE reads with the first."""
    known = {file.resolve() for file in files}
    return [file for file in files if known.isdisjoint(_first_parts(file.resolve()))]


def _checked(files: list[Path]) -> list[Path]:
    """Return files without later parts of split recordings; raise for a recording that is twice."""
    seen: set[Path] = set()
    for file in files:
        if file.resolve() in seen:
            raise ValueError(f"{file} is named twice.")
        seen.add(file.resolve())
    firsts = without_later_parts(files)
    named: dict[Path, Path] = {}
    for file in firsts:
        other = named.setdefault(file.resolve().with_name(bare_name(file)), file)
        if other is not file and ending_of(other) != ending_of(file):
            raise ValueError(
                f"{other} and {file} seem to hold one recording in two formats. Pass a list of the "
                "files to read as path."
            )
    return firsts


def ending_of(file: Path) -> str:
    """Return the ending of a recording's name in lower case, such as ``".fif"``."""
    name = file.name.lower()
    ending = next((e for e in (*FORMATS, *_NAMED_ONLY) if name.endswith(e)), "")
    return ".fif" if ending == ".fif.gz" or name.endswith(".fif.gz") else ending


def bare_name(file: Path) -> str:
    """Return the name of a recording without its ending and without ``_raw`` or ``_eeg``."""
    name = file.name[: -len(".gz")] if file.name.lower().endswith(".fif.gz") else file.name
    ending = ending_of(file)
    stem = name[: len(name) - len(ending)] if ending else name
    return re.sub(r"[-_](raw|eeg)$", "", stem, flags=re.IGNORECASE)


def _in_folder(folder: Path) -> list[Path]:
    described = (folder / "dataset_description.json").exists()
    aside = {"derivatives", "sourcedata"} if described else set()
    found: list[Path] = []
    visited: set[str] = set()
    for parent, folders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        if os.path.realpath(parent) in visited:  # a link to a folder above
            folders.clear()
            continue
        visited.add(os.path.realpath(parent))
        inside = sorted(name for name in folders if not name.startswith("."))
        found += [Path(parent, name) for name in inside if name.lower().endswith(_FOLDERS)]
        folders[:] = [
            name for name in inside if name not in aside and not name.lower().endswith(_FOLDERS)
        ]
        found += _recordings_among([Path(parent, name) for name in sorted(names)])
    if not found:
        raise FileNotFoundError(f"{folder} holds no recording. Read are {', '.join(FORMATS)}.")
    broken = [file for file in found if not file.exists()]
    if broken:
        raise FileNotFoundError(_absent(broken[0]))
    return sorted(file for file in found if file.name.lower().endswith(FORMATS))


def _refuse(error: OSError) -> None:
    """Raise, so that no folder without permission is passed over."""
    raise error


def _recordings_among(files: Iterable[Path]) -> list[Path]:
    """Return which files of one folder are recordings, not hidden and no part of another."""
    visible = [file for file in files if not file.name.startswith(".")]
    recordings = [file for file in visible if file.name.lower().endswith(FORMATS)]
    # BrainVision's data have the ending of Nihon Kohden's recordings.
    headers = [file for file in visible if file.name.lower().endswith(_TEXT_HEADERS)]
    parts = {
        part for header in headers for part in (header.with_suffix(".eeg"), *_named_in(header))
    }
    return [
        file
        for file in recordings
        if file not in parts
        and not (ending_of(file) == ".fif" and _OTHER_FIF.search(_fif_stem(file)))
    ]


def _fif_stem(file: Path) -> str:
    return re.sub(r"\.fif(\.gz)?$", "", file.name.lower())


def _first_parts(file: Path) -> list[Path]:
    """Return the names that the first file may have if this is a later one of a recording."""
    split = re.fullmatch(r"(?P<first>.+)-\d+(?P<ending>\.fif(\.gz)?)", file.name)
    named = [file.with_name(split["first"] + split["ending"])] if split else []
    entity = re.search(r"_split-(?P<number>\d+)_", file.name)
    if entity and int(entity["number"]) > 1:
        one = "1".zfill(len(entity["number"]))
        named.append(file.with_name(file.name.replace(entity[0], f"_split-{one}_")))
    return named


def _named_in(header: Path) -> list[Path]:
    """Return the files beside a header of text that it names, such as those of BrainVision."""
    if not header.is_file():  # such as a pipe, which is refused as a recording
        return []
    with header.open("rb") as file:
        text = file.read(100_000).decode("latin-1")
    names = re.findall(r"^\w+=(.+?)\s*$", text, flags=re.MULTILINE)
    beside = (header.parent / name for name in names if len(name) < 256 and "\0" not in name)
    return [file for file in beside if file.is_file()]


def files_of(file: Path) -> list[Path]:
    """Return a recording's file and those beside it that belong to it.

    Parameters
    ----------
    file : pathlib.Path

    Returns
    -------
    files : list of pathlib.Path
        Sorted. All whose names begin with that of the recording: headers, markers, later parts and
        the tables of BIDS; those that a header names; and all in a recording that is a folder.
    """
    if file.is_dir():
        return sorted(file.rglob("*"))
    stem = re.sub(r"_split-\d+_.*$", "", bare_name(file))
    beside = set(file.parent.glob(f"{escape(stem)}*"))
    if file.name.lower().endswith(_TEXT_HEADERS):
        beside.update(_named_in(file))
    return sorted(other for other in {*beside, file} if other.is_file())
