"""The main table of a comparison in Markdown and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape

import pandas as pd

from .about import About

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "²": r"\textsuperscript{2}",
    "±": r"$\pm$",
    "−": "$-$",
    **{character: f"\\{character}" for character in "&%$#_"},
}
_MARKDOWN = {character: f"\\{character}" for character in "\\`*_[]|$#~"} | {
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
}


def markdown_table(table: pd.DataFrame, about: About, metric: str, notes: Sequence[str]) -> str:
    """Return the main table in Markdown.

    Parameters
    ----------
    table : DataFrame
        That of `Comparison.statistics`.
    about : About
    metric : str
    notes : sequence of str
        Sentences that are written below the table.

    Returns
    -------
    text : str
    """
    columns = main_columns(table, about, metric, escape_markdown)
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "|" + "|".join([" --- ", *[" ---: "] * (len(columns) - 1)]) + "|")
    text = escape_markdown(_caption(table, about, notes))
    return "\n".join([*lines, "", text, ""])


def latex_table(table: pd.DataFrame, about: About, metric: str, notes: Sequence[str]) -> str:
    """Return the main table in LaTeX, for the package booktabs.

    Parameters
    ----------
    table : DataFrame
        That of `Comparison.statistics`.
    about : About
    metric : str
    notes : sequence of str
        Sentences of the caption.

    Returns
    -------
    text : str
    """
    columns = main_columns(table, about, metric, escape_latex)
    rows = [" & ".join(row) + r" \\" for row in zip(*columns.values(), strict=True)]
    text = escape_latex(_caption(table, about, notes))
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{text}}}",
            rf"\label{{tab:{re.sub('[^a-z0-9]+', '-', metric.lower()).strip('-') or 'scores'}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(columns) - 1)}}}",
            r"\toprule",
            " & ".join(columns) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def summary_html(table: pd.DataFrame, about: About, metric: str, notes: Sequence[str]) -> str:
    """Return the main table in HTML.

    Parameters
    ----------
    table : DataFrame
        That of `Comparison.statistics`.
    about : About
    metric : str
    notes : sequence of str
        Sentences that are written below the table.

    Returns
    -------
    text : str
    """
    columns = main_columns(table, about, metric, _escape_html)
    head = "".join(f"<th>{name}</th>" for name in columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
        for row in zip(*columns.values(), strict=True)
    )
    text = _escape_html(_caption(table, about, notes))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><p>{text}</p>"


def main_columns(
    table: pd.DataFrame, about: About, metric: str, escape: Callable[[object], str]
) -> dict[str, list[str]]:
    """Return up to six columns of escaped cells by their escaped heading.

    Parameters
    ----------
    table : DataFrame
        That of `Comparison.statistics`.
    about : About
    metric : str
    escape : callable
        Function that makes a text literal.

    Returns
    -------
    columns : dict of str to list of str
    """
    columns = {
        "Estimator": [escape(name) for name in table.index],
        f"{about.label(metric)} [95 % interval]": [
            escape(_mean(*row)) for row in table[["mean", "ci_low", "ci_high"]].to_numpy()
        ],
        "p, chance": [escape(p_value_text(value)) for value in table["p_chance_holm"]],
        "Difference": [escape(_number(value, signed=True)) for value in table["difference"]],
        "Hedges' g": [escape(_number(value, 2, signed=True)) for value in table["effect_size"]],
        "p, difference": [escape(p_value_text(value)) for value in table["p_holm"]],
    }
    if table["p_chance_holm"].isna().all():
        del columns["p, chance"]
    if len(table) == 1:
        for name in ("Difference", "Hedges' g", "p, difference"):
            del columns[name]
    return {escape(name): cells for name, cells in columns.items()}


def main_caption(table: pd.DataFrame, about: About) -> str:
    """Return the sentence on the protocol, the units and the tests.

    Parameters
    ----------
    table : DataFrame
        That of `Comparison.statistics`.
    about : About

    Returns
    -------
    caption : str
    """
    n, unit = int(table["n"].max()), table["unit"].iloc[0]
    units = unit if n == 1 else f"{unit}s"
    text = f"Protocol {about.protocol}; mean over {n} {units}"
    text += " with its interval." if table["ci_low"].notna().any() else "."
    if table["p_chance"].notna().any():
        chance = table["chance"].iloc[0]
        test = f"one-sided {table['test'].iloc[0]}, Holm corrected"
        text += f" Chance is {_number(chance)}; p, chance: {test}."
    if len(table) > 1:
        text += f" Differences are against {table['reference'].iloc[0]}"
        test = f"; p: two-sided {table['test'].iloc[0]}"
        text += f"{test if table['p_value'].notna().any() else ''}."
    return text


def _caption(table: pd.DataFrame, about: About, notes: Sequence[str]) -> str:
    return " ".join(f"{note.rstrip('.')}." for note in (main_caption(table, about), *notes))


def _mean(mean: float, low: float, high: float) -> str:
    interval = "" if pd.isna(low) else f" [{_number(low)}, {_number(high)}]"
    return f"{_number(mean)}{interval}"


def p_value_text(value: float) -> str:
    """Return a p-value with three digits, or ``"< 0.001"``; a missing one is a dash.

    Parameters
    ----------
    value : float

    Returns
    -------
    text : str
    """
    return "< 0.001" if value < 0.0005 else _number(value)


def _number(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """Return a rounded number with a minus sign; a missing one is a dash."""
    if pd.isna(value):
        return "–"
    rounded = round(float(value), digits) + 0.0  # + 0: never -0.000
    return f"{rounded:{'+' if signed else ''}.{digits}f}".replace("-", "−")


def _one_line(text: object) -> str:
    """Return a text without line breaks and other characters that are not printed."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


def _escape_html(text: object) -> str:
    return escape(_one_line(text))


def escape_latex(text: object) -> str:
    """Return a text in one line, in which characters are literal to LaTeX."""
    return "".join(_LATEX.get(character, character) for character in _one_line(text))


def escape_markdown(text: object) -> str:
    """Return a text in one line, in which characters are literal to Markdown."""
    return "".join(_MARKDOWN.get(character, character) for character in _one_line(text))
