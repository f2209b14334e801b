"""CSV files whose cells a spreadsheet does not run, and from which the exact texts come back."""

from __future__ import annotations

import csv
import re

import pandas as pd

#: A spreadsheet takes such a cell for a formula. A number, such as -1, is none.
_FORMULA = re.compile(r"'*(?![-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$)[=+\-@\t\r\n]", re.DOTALL)


def to_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV, in which texts that are formulas to a spreadsheet begin with ``'``.

    Parameters
    ----------
    table : DataFrame
        Columns of numbers are written as they are.

    Returns
    -------
    csv : str
    """
    shown = table.rename(columns=lambda name: escape(name) if isinstance(name, str) else name)
    quoting: int = csv.QUOTE_MINIMAL
    for i, dtype in enumerate(shown.dtypes):
        if pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype):
            cells = shown.iloc[:, i].astype(object)
            cells = cells.map(lambda cell: escape(cell) if isinstance(cell, str) else cell)
            shown.isetitem(i, cells.array)
            # A carriage return without quotes ends the row.
            if any("\r" in cell for cell in cells if isinstance(cell, str)):
                quoting = csv.QUOTE_NONNUMERIC
    return shown.to_csv(index=False, lineterminator="\n", quoting=quoting)  # type: ignore[call-overload]


def escape(text: str) -> str:
    """Return a text as a cell of a CSV file.

    Parameters
    ----------
    text : str

    Returns
    -------
    cell : str
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unescape(cell: str) -> str:
    """Return the text that `escape` got.

    Parameters
    ----------
    cell : str

    Returns
    -------
    text : str
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
