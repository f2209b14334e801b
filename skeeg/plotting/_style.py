"""What all figures share: a palette that everyone can tell apart, and sizes."""

from __future__ import annotations

import textwrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

#: From the palette of Okabe and Ito (2008), made for colour-blind readers.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
GREY = "#6b6b6b"

_DPI = 120


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, its size in inches, that no pyplot window knows of."""
    return Figure(figsize=(width, height), dpi=_DPI, layout="constrained")


def wrapped(text: object, width: int) -> str:
    """Return ``text`` with long lines broken; its own line breaks stay."""
    return "\n".join(textwrap.fill(line, width) for line in str(text).splitlines())


def open_axes(axes: Axes) -> None:
    """Leave only the left and the lower line of the frame."""
    axes.spines[["top", "right"]].set_visible(False)
