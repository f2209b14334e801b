"""Writing of files that are complete or absent, and refusal of what is not a file."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``target``, which replaces ``target`` when complete.

    After an error, or if the process is killed, ``target`` is unchanged.

    Parameters
    ----------
    target : path-like
        Its folder is created if it is missing.

    Yields
    ------
    partial : pathlib.Path
        Has the suffix of ``target``, because some writers choose the format by it.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.stem}-{secrets.token_hex(8)}{target.suffix}")
    # The system applies the user's umask. To read it would mean to change it for all threads.
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield partial
        os.replace(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def check_regular(path: Path) -> None:
    """Raise if a path is not a regular file, such as a pipe, which would block, or a device.

    Parameters
    ----------
    path : pathlib.Path
        A link counts as what it refers to.

    Raises
    ------
    FileNotFoundError
        If nothing is there.
    ValueError
        If it is a folder, pipe, socket or device.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = next((kind for is_kind, kind in _KINDS if is_kind(mode)), "something else")
        raise ValueError(f"{path} is {kind}, not a file")


_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
