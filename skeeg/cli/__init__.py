"""The ``skeeg`` command: compare models on EEG, and list what there is.

Whatever is slow to import is imported where it is used, so that ``skeeg --help`` answers at once.
"""

from .commands import app, main

__all__ = ["app", "main"]
