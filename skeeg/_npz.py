"""Arrays from ``.npz`` files of unknown origin, which are checked before memory is allocated."""

from __future__ import annotations

import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from ._files import check_regular

#: What NumPy and zipfile raise for files that are damaged, malicious or of another format.
UNREADABLE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OSError,
    EOFError,
    ImportError,
    MemoryError,
    OverflowError,
    RuntimeError,  # also of encrypted files, of unknown compression and of deep nesting
    struct.error,
    SyntaxError,
    tokenize.TokenError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


@contextmanager
def open_npz(path: Path, *, largest: int | None = None) -> Iterator[np.lib.npyio.NpzFile]:
    """Open a ``.npz`` file after checking that its arrays are as large as it says.

    Parameters
    ----------
    path : pathlib.Path
    largest : int, optional
        The bytes that all arrays together may have; by default the size of the file, which
        arrays that are not compressed cannot exceed.

    Yields
    ------
    archive : numpy.lib.npyio.NpzFile
        Pickled content is never executed.

    Raises
    ------
    One of `UNREADABLE`
        If it is not such a file.
    """
    check_regular(path)
    allowed = path.stat().st_size if largest is None else largest
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        claimed = sum(member.file_size for member in members)
        if claimed > allowed:
            raise ValueError(
                f"its arrays would have {claimed / 2**20:.0f} MiB, where {allowed / 2**20:.1f} MiB "
                "are possible"
            )
        if len({member.filename for member in members}) < len(members):
            raise ValueError("it holds two arrays of one name")
        for member in members:
            _check_header(archive, member)
    with np.load(path, allow_pickle=False) as opened:
        if not isinstance(opened, np.lib.npyio.NpzFile):
            raise ValueError("it is not an archive of arrays")
        yield opened


def _check_header(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Raise unless a member is an array of plain numbers, text or times, of its own size."""
    with archive.open(member) as file:
        version = npy.read_magic(file)
        if version not in _HEADERS:
            raise ValueError(f"{member.filename} has version {version} of the format of arrays")
        shape, _, dtype = _HEADERS[version](file)
        if dtype.hasobject:
            raise ValueError("Object arrays cannot be loaded: pickles are never executed")
        if dtype.names is not None or dtype.subdtype is not None:
            raise ValueError(f"{member.filename} has the dtype {str(dtype)[:80]}")
        expected = file.tell() + prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or expected != member.file_size:
        raise ValueError(
            f"{member.filename} has {member.file_size} bytes, its header needs {expected}"
        )
