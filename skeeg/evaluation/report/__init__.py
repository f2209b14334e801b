"""HTML report of a comparison."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..._files import atomic_path
from .content import page_content

if TYPE_CHECKING:
    from ..comparison import Comparison

__all__ = ["write_report"]


def write_report(
    comparison: Comparison, path: str | os.PathLike[str], *, question: str | None = None
) -> Path:
    """Write a comparison as one HTML file that needs no network.

    Parameters
    ----------
    comparison : Comparison
    path : path-like
        Path with the suffix ``.html`` or ``.htm``. The file is replaced only when complete.
    question : str, optional
        The question that the comparison answers, which is the title.

    Returns
    -------
    path : pathlib.Path

    Raises
    ------
    ValueError
        If ``path`` has another suffix.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    target = Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"A report is an .html file, got {str(target)!r}.")
    templates = Environment(
        loader=PackageLoader(__name__, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    page = templates.get_template("page.html.jinja").render(page_content(comparison, question))
    with atomic_path(target) as partial:
        partial.write_text(page, encoding="utf-8")
    return target
