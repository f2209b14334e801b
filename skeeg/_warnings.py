"""Warnings that show the line of the user's code."""

from __future__ import annotations

import inspect

#: Packages whose frames are skipped.
_PACKAGES = ("skeeg", "skorch", "sklearn", "joblib", "torch")


def user_stacklevel() -> int:
    """Return the ``stacklevel`` with which the calling function warns about the user's line.

    Returns
    -------
    stacklevel : int
        As in `warnings.warn`: the closest frame that is in none of the packages that skeeg calls.
    """
    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _PACKAGES:
        level, frame = level + 1, frame.f_back
    return level - 1
