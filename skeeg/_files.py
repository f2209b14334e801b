"""Writing of files that are complete or absent."""

from __future__ import annotations

import os
import secrets
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
