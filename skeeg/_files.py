"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a path beside ``target`` to write to; it takes ``target``'s place when complete.

    After an error, or a kill, ``target`` is what it was before.

    Parameters
    ----------
    target : path-like
        Its folder is made where it is missing.

    Yields
    ------
    partial : pathlib.Path
        Has the suffix of ``target``, for writers that choose the format by it.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent
    )
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        # mkstemp makes private files; the result gets what the user's umask grants.
        umask = os.umask(0)
        os.umask(umask)
        partial.chmod(0o666 & ~umask)
        os.replace(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
