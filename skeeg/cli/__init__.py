"""The ``skeeg`` command: compare models on EEG, search their parameters, list models and data.

Slow imports are made inside functions, so that ``skeeg --help`` is fast.
"""

from .app import app, main

__all__ = ["app", "main"]
