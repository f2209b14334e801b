"""Palette, figures and helpers that all plots share."""

from __future__ import annotations

import io
import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

#: From the palette of Okabe and Ito (2008), made for colour-blind readers.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
GREY = "#6b6b6b"

_DPI = 120


class NotebookFigure(Figure):
    """A figure that notebooks show without ``%matplotlib inline``.

    It is not registered with pyplot, so it needs no ``close``. Where a notebook has a format of its
    own for figures of Matplotlib, that one is used.
    """

    def _repr_png_(self) -> bytes:
        """Return the figure as an image."""
        target = io.BytesIO()
        self.savefig(target, format="png", dpi=self.dpi)
        return target.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches that is not registered with pyplot."""
    return NotebookFigure(figsize=(width, height), dpi=_DPI, layout="constrained")


def wrapped(text: object, width: int) -> str:
    """Return ``text`` with long lines wrapped and existing line breaks kept."""
    return literal("\n".join(textwrap.fill(line, width) for line in str(text).splitlines()))


def literal(text: object) -> str:
    r"""Return ``text`` such that Matplotlib shows a dollar sign, instead of reading a formula.

    The label ``$\foo{$`` would otherwise be an error when the figure is drawn.
    """
    return str(text).replace("$", r"\$")


def open_axes(axes: Axes) -> None:
    """Remove the top and right lines of the frame."""
    axes.spines[["top", "right"]].set_visible(False)


def ink_on(colour: NDArray[np.float64]) -> str:
    """Return the text colour with sufficient contrast on a background in RGB or RGBA."""
    return "black" if colour[:3] @ (0.299, 0.587, 0.114) > 0.5 else "white"
