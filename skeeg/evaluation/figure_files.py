"""Files of figures, as a journal wants them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._files import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Formats of figures.
FORMATS = ("pdf", "svg", "png")
#: Width of two columns of a journal, in mm.
COLUMN_WIDTH = 183.0
#: Kinds of the figures of a comparison.
FIGURE_KINDS = (
    "scores",
    "paired_scores",
    "critical_difference",
    "confusion",
    "predictions",
    "history",
)
_MM = 25.4
_DPI = 300
#: The smallest font, in points.
_SMALLEST = 6.0
#: TrueType fonts in PDF can be edited; outlines in SVG do not depend on installed fonts.
_OPTIONS: Any = {
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "skeeg",
}
#: Without the date, equal figures are equal files.
_METADATA: dict[str, dict[str, Any]] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}


def check_formats(formats: Sequence[str], width: float) -> None:
    """Raise an error for formats or a width that no journal uses.

    Parameters
    ----------
    formats : sequence of str
    width : float
        In mm.

    Raises
    ------
    ValueError
        If a format is unknown, or the width is not from 60 to 500 mm.
    """
    if isinstance(formats, str):
        raise ValueError(f"formats must be a list such as ['{formats}'], got {formats!r}.")
    for name in formats:
        if name not in FORMATS:
            raise ValueError(f"A format must be one of {', '.join(FORMATS)}, got {name!r}.")
    if not 60 <= width <= 500:
        raise ValueError(f"width must be from 60 to 500 mm, got {width!r}.")


def figure_name(kind: str, name: str) -> str:
    """Return the name of a file without its ending.

    Parameters
    ----------
    kind : str
        One of `FIGURE_KINDS`.
    name : str
        A metric or an estimator. Characters that paths cannot have are replaced.

    Returns
    -------
    stem : str
    """
    plain = re.sub(r"[^\w .+=,()-]", "_", name).strip()
    return f"{kind}_{plain[:100] or '_'}"


def save_figure(
    figure: Figure, stem: Path, formats: Sequence[str] = FORMATS, width: float = COLUMN_WIDTH
) -> None:
    """Write a figure in several formats.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        It is made narrower if it is wider than `width`.
    stem : pathlib.Path
        Path without its ending.
    formats : sequence of {"pdf", "svg", "png"}
    width : float
        In mm.
    """
    import matplotlib as mpl

    _narrow(figure, width / _MM)
    for name in formats:
        path = stem.with_name(f"{stem.name}.{name}")
        with mpl.rc_context(_OPTIONS), atomic_path(path) as partial:
            figure.savefig(partial, format=name, dpi=_DPI, metadata=_METADATA.get(name))


def _narrow(figure: Figure, width: float) -> None:
    """Shrink a figure to a width in inches, with its text; the layout follows."""
    from matplotlib.text import Text

    before, height = figure.get_size_inches()
    if before <= width:
        return
    factor = width / before
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            size = axis.get_ticklabels()[0].get_fontsize() if axis.get_ticklabels() else 10.0
            axis.set_tick_params(labelsize=max(_SMALLEST, size * factor))
    for text in figure.findobj(Text):
        text.set_fontsize(max(_SMALLEST, text.get_fontsize() * factor))
    # Letters do not shrink below the smallest, so that lines of text need their height.
    figure.set_size_inches(width, max(height * factor, min(height, 0.6 * width)))
