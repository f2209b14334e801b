"""A folder of results by key, which trusts only what this user has written.

An entry is a line of JSON and, for pickles, the bytes that it describes. Its signature is made with
a key that lies outside the folder, so that entries that were damaged, renamed, signed again or
brought from elsewhere are not read.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import json
import os
import secrets
import stat
import time
from functools import cache
from pathlib import Path
from typing import Any

from ._files import atomic_path

_FORMAT = "skeeg.Entry"
#: The largest line of JSON, in bytes; an hour of predictions needs a thousandth.
_LARGEST_DOCUMENT = 2**27
#: Age in seconds from which a file that was never finished is removed.
_ABANDONED = 86_400
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class EntryError(ValueError):
    """Raised for an entry that is not what this user has written under its key."""


class Entries:
    """A folder of entries that several processes may read and write at once.

    Parameters
    ----------
    folder : path-like
        Folder, which is created if it does not exist.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(self.folder)

    def path(self, key: str) -> Path:
        """Return the file of an entry."""
        return self.folder / f"{key}.json"

    def read(self, key: str) -> tuple[dict[str, Any], bytes] | None:
        """Return an entry.

        Parameters
        ----------
        key : str

        Returns
        -------
        entry : (dict, bytes) or None
            What was passed to `write`; None if there is no such entry.

        Raises
        ------
        EntryError
            If it is not what `write` wrote under this key.
        OSError
            If the folder cannot be read.
        """
        try:
            status = os.lstat(self.path(key))
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(status.st_mode):
            raise EntryError("it is not a regular file")
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with os.fdopen(os.open(self.path(key), flags | getattr(os, "O_BINARY", 0)), "rb") as file:
            return _read(file, os.fstat(file.fileno()), key)

    def write(self, key: str, result: dict[str, Any], payload: bytes = b"") -> None:
        """Write an entry; the file is replaced only when complete.

        Parameters
        ----------
        key : str
        result : dict
            Values of JSON.
        payload : bytes
            What follows, such as a pickle.

        Raises
        ------
        OSError
            If it cannot be written, for example because the disk is full.
        """
        document = {
            "format": _FORMAT,
            "key": key,
            "size": len(payload),
            "sha256": hashlib.sha256(payload).hexdigest(),
            "result": result,
        }
        document["signature"] = _signature(document)
        line = json.dumps(document).encode() + b"\n"
        with atomic_path(self.path(key)) as partial, partial.open("wb") as file:
            file.write(line)
            file.write(payload)


def _read(file: Any, status: os.stat_result, key: str) -> tuple[dict[str, Any], bytes]:
    if not stat.S_ISREG(status.st_mode):
        raise EntryError("it is not a regular file")
    begin = b'{"format": "' + _FORMAT.encode() + b'"'
    if file.read(len(begin)) != begin:
        raise EntryError("it has no mark of an entry")
    line = begin + file.readline(_LARGEST_DOCUMENT)
    try:
        document = json.loads(line)
        signature, size = document.pop("signature"), document["size"]
        signed = hmac.compare_digest(signature, _signature(document))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EntryError(f"it cannot be read ({type(error).__name__}: {error})") from error
    if not signed or document["key"] != key:
        raise EntryError("it was changed, renamed, or written by another user")
    if status.st_size != len(line) + size:
        raise EntryError("it is not complete")
    payload = file.read(size)
    if hashlib.sha256(payload).hexdigest() != document["sha256"]:
        raise EntryError("its content is not what was written")
    return document["result"], payload


def describe_failure(error: OSError, folder: Path) -> str:
    """Return a sentence on why results could not be written, and what to do.

    Parameters
    ----------
    error : OSError
    folder : pathlib.Path

    Returns
    -------
    text : str
    """
    full = error.errno in _FULL
    reason = "the disk is full" if full else f"{type(error).__name__}: {error}"
    advice = "Free space" if full else "Make the folder writable"
    return (
        f"{folder} could not take a finished fit ({reason}). The result itself is not lost, and "
        f"what is in the folder stays valid. {advice}, or pass another folder."
    )


def _signature(document: dict[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True).encode()
    return hmac.new(_secret(), text, hashlib.sha256).hexdigest()


def _remove_abandoned(folder: Path) -> None:
    """Remove what processes that were killed did not finish."""
    for path in folder.glob(".*-" + "[0-9a-f]" * 16 + ".json"):
        try:
            if time.time() - path.lstat().st_mtime > _ABANDONED:
                path.unlink()
        except OSError:
            continue  # another process has removed it, or it is not ours


def secret_path() -> Path:
    """Return the file of the key with which entries are signed.

    Returns
    -------
    path : pathlib.Path
        That of the environment variable ``SKEEG_STORE_KEY``, or in the user's folder of settings.
    """
    given = os.environ.get("SKEEG_STORE_KEY")
    if given:
        return Path(given)
    from platformdirs import user_config_path

    return Path(user_config_path("skeeg", appauthor=False)) / "store.key"


def _secret() -> bytes:
    return _secret_in(secret_path())


@cache
def _secret_in(path: Path) -> bytes:
    """Return the key in a file, which is made by the first process that needs it."""
    for _ in range(100):
        try:
            known = path.read_bytes()
        except FileNotFoundError:
            _make_secret(path)
            continue
        if len(known) == 32:
            return known
        raise OSError(
            f"{path} must hold the 32 bytes with which finished fits are signed, and has "
            f"{len(known)}. Remove it; what it signed is then computed again."
        )
    raise OSError(f"{path} cannot be made.")


def _make_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
        try:
            os.link(partial, path)  # unlike a renaming, it keeps the key of a faster process
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
