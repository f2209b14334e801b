"""The archive of a model: members of known names, not compressed, none larger than the file."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

from .._files import atomic_path, check_regular
from .._npz import UNREADABLE

MANIFEST = "manifest.json"
ARRAYS = "arrays.safetensors"
_FOREIGN = "foreign/{}.skops"

#: Largest size of the manifest, which is read as text before anything in it can be checked.
_MANIFEST_AT_MOST = 2**24
_MEMBERS_AT_MOST = 1000
#: A fixed time, so that equal models give equal files.
_TIME = (1980, 1, 1, 0, 0, 0)


def write_members(target: Path, members: Mapping[str, bytes]) -> None:
    """Write an archive, which replaces ``target`` when it is complete.

    Parameters
    ----------
    target : pathlib.Path
    members : mapping of str to bytes
    """
    with atomic_path(target) as partial, zipfile.ZipFile(partial, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _TIME), content)


def foreign_name(index: int) -> str:
    """Return the name of the member with an object that skops stores."""
    return _FOREIGN.format(index)


def read_members(source: Path, names: tuple[str, ...] | None = None) -> dict[str, bytes]:
    """Return the members of an archive.

    Parameters
    ----------
    source : pathlib.Path
    names : tuple of str, optional
        Members to read; all of them by default.

    Returns
    -------
    members : dict of str to bytes

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not such an archive, is damaged, or has members that it should not have.
    """
    if not source.exists():
        raise FileNotFoundError(f"{source} does not exist; skeeg.save writes such files.")
    try:
        check_regular(source)
        with zipfile.ZipFile(source) as archive:
            _check(archive.infolist(), source.stat().st_size)
            return {
                info.filename: archive.read(info)
                for info in archive.infolist()
                if names is None or info.filename in names
            }
    except UNREADABLE as error:
        raise unreadable(source, error) from error


def unreadable(source: str | os.PathLike[str], error: Exception) -> ValueError:
    """Return the error of a file that cannot be read."""
    text = str(error) or type(error).__name__
    return ValueError(
        f"{source} cannot be read as a model ({text}). Expected a file written by skeeg.save; "
        "write it again from the fitted estimator."
    )


def _check(infos: list[zipfile.ZipInfo], size: int) -> None:
    names = [info.filename for info in infos]
    known = {MANIFEST, ARRAYS, *(foreign_name(i) for i in range(len(names)))}
    if len(names) > _MEMBERS_AT_MOST or len(set(names)) < len(names) or not {*names} <= known:
        raise ValueError("its members are not those of a model")
    if not {MANIFEST, ARRAYS} <= {*names}:
        raise ValueError("it has no manifest or no arrays")
    for info in infos:
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise ValueError(f"{info.filename} is compressed")
    if sum(info.file_size for info in infos) > size:
        raise ValueError("its members are larger than the file")
    (manifest,) = [info for info in infos if info.filename == MANIFEST]
    if manifest.file_size > _MANIFEST_AT_MOST:
        raise ValueError(f"its manifest has {manifest.file_size} bytes")
