"""The identity of a fit: a key that is equal in every process for equal code, parameters and data.

What is installed is identified by the versions of packages; everything else, such as the functions
and classes of scripts and notebooks, by the code in memory and all that it refers to.
"""

from __future__ import annotations

from .walk import Cloned, Unidentifiable, content_digest, fit_context, identify

__all__ = ["Cloned", "Unidentifiable", "content_digest", "fit_context", "identify"]
