"""The ``skeeg`` command: compare models on EEG, and list models and data sets.

Slow imports are made inside functions, so that ``skeeg --help`` is fast.
"""

from .commands import app, main

__all__ = ["app", "main"]
