"""The tables on the screen and the files in the folder of results."""

from __future__ import annotations

import contextlib
import shlex
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from .._labelled import LabelledRows
    from ..evaluation import Comparison
    from .data import Source


def write(comparison: Comparison, out: Path) -> list[str]:
    """Write all results into ``out``; return a line for each kind of file."""
    with Console(stderr=True).status("Writing figures and report ..."):
        comparison.save(out, overwrite=True)
        remove_results(out, tables=False)
        tables = ["predictions.csv", "history.csv"]
        if comparison.about.classes:
            _save_table(comparison.by_class(), out / "classes.csv")
            tables.append("classes.csv")
        figures = out / "figures"
        comparison.save_figures(figures)
        report = comparison.report(out / "report.html")
    return [
        f"report   {report}",
        f"tables   {', '.join([str(out / 'scores.csv'), *tables])}",
        f"figures  {figures}, as PDF, SVG and PNG",
    ]


def described(comparison: Comparison, source: Source) -> Comparison:
    """Return a comparison with the name of its data, and the command that repeats it."""
    from ..datasets import LOADERS

    limits = [f"{value:g}" for value in (source.fmin, source.fmax) if value is not None]
    known = {
        "name": source.data,
        "path": None if source.path is None else str(source.path),
        "band": f"{' to '.join(limits)} Hz" if len(limits) == 2 else None,
    }
    if source.data in LOADERS:
        loader = LOADERS[source.data]
        known |= {"name": loader.description, "citation": loader.citation}
        known["band"] = known["band"] or loader.band
    named = {key: value for key, value in known.items() if value}
    about = comparison.about
    command = shlex.join(["skeeg", *sys.argv[1:]])
    return replace(comparison, about=replace(about, data=about.data | named, repeat=command))


def refuse_other_data(rows: LabelledRows, out: Path) -> None:
    """Raise an error if ``out`` has a comparison of other data, before anything is computed."""
    from ..evaluation.files import check_replaceable
    from ..evaluation.store import data_digest

    check_replaceable(out, {"sha256": data_digest(rows)})


def remove_results(out: Path, *, tables: bool = True) -> None:
    """Remove what `write` wrote into ``out`` before, so that no report stands beside old figures.

    Files of other names stay.
    """
    from ..evaluation.figure_files import FIGURE_KINDS, FORMATS

    names = ["report.html", "classes.csv", "side_by_side.csv"]
    names += ["comparison.json", "scores.csv", "predictions.csv", "history.csv"] if tables else []
    old = [out / name for name in names]
    for kind, ending in product(FIGURE_KINDS, FORMATS):
        old += (out / "figures").glob(f"{kind}_*.{ending}")
    for path in old:
        path.unlink(missing_ok=True)
    for folder in (out / "figures", out) if tables else ():
        with contextlib.suppress(OSError):  # it is missing, or has files of the user
            folder.rmdir()


def reuse_line(comparison: Comparison, store: Path) -> str:
    """Return a line on how many folds were found in the store, and how many were computed."""
    n_folds, reused = comparison.about.n_folds, comparison.reused
    found, total = sum(reused.values()), n_folds * len(reused)
    each = ", ".join(f"{name} {n} of {n_folds}" for name, n in reused.items())
    return f"store {store}: {found} of {total} folds reused, {total - found} computed ({each})"


def _save_table(table: pd.DataFrame, path: Path) -> None:
    from .._csv import to_csv
    from .._files import atomic_path

    with atomic_path(path) as partial:
        partial.write_bytes(to_csv(table).encode())


def write_side_by_side(honest: Comparison, shuffled: Comparison, out: Path) -> str:
    """Write the scores of both splits into one table; return a line that names the file."""
    from .windows import side_by_side

    path = out / "side_by_side.csv"
    _save_table(side_by_side(honest, shuffled).reset_index(), path)
    return f"both     {path}"


def show(comparison: Comparison) -> None:
    """Print the table of results."""
    from ..evaluation.inference import BOUND_CAVEAT
    from ..evaluation.tables import p_value_text

    about = comparison.about
    main, *others = about.metrics
    summary, best = comparison.summary(main), comparison.statistics(main)
    means = {metric: comparison.summary(metric)["mean"] for metric in others}
    title = f"{about.protocol}, {about.n_folds} folds, seed {about.random_state}"
    table = new_table("model", title=_marked(title, comparison))
    for heading in (main, *others, "p vs_chance", "p", "fit (s)", "parameters"):
        table.add_column(heading.replace("_", "\n"), justify="right", no_wrap=True)
    for name, row in best.join(summary[["std", "fit_time", "n_parameters"]]).iterrows():
        table.add_row(
            str(name),
            f"{_shown(row['mean'], '.3f')} ± {_shown(row['std'], '.3f')}",
            *[_shown(mean[str(name)], ".3f") for mean in means.values()],
            p_value_text(row["p_chance_holm"]),
            p_value_text(row["p_holm"]),
            f"{row['fit_time']:.2f}",
            _shown(row["n_parameters"], ",d"),
        )
    table.add_section()
    table.add_row("chance", *[_shown(about.chance_of(m).level, ".3f") for m in about.metrics])
    console = Console()
    console.print(table)
    unit, reference, test = (best[column].iloc[0] for column in ("unit", "reference", "test"))
    typer.echo(f"Mean ± standard deviation over {unit}s; fit time of one fold.")
    if best["p_holm"].notna().any():
        typer.echo(f"p: {test} against {reference}, Holm corrected.")
    if best["p_chance_holm"].notna().any():
        typer.echo(f"p vs chance: one-sided {test}, Holm corrected.")
    upper = about.chance_of(main).upper
    if upper is not None:
        typer.echo(f"The binomial bound of {main} is {upper:.3f}. {BOUND_CAVEAT}")
    for caveat in comparison.caveats(main):
        style = "bold red" if caveat == comparison.leakage else None
        console.print(caveat, style=style, markup=False, highlight=False)


def show_classes(comparison: Comparison) -> None:
    """Print the confusion matrix, precision, recall and F1 of each model, if there are classes."""
    if not comparison.about.classes:
        return
    classes = [str(label) for label in comparison.about.classes]
    table = new_table("model", "true class", title=_marked("Predicted classes", comparison))
    for heading in (*classes, "precision", "recall", "F1"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, rows in comparison.by_class().groupby("estimator", sort=False):
        for i, (_, row) in enumerate(rows.iterrows()):
            counts = [f"{row[f'predicted_{label}']:,d}" for label in classes]
            rates = [_shown(row[rate], ".3f") for rate in ("precision", "recall", "f1")]
            table.add_row("" if i else str(name), str(row["class"]), *counts, *rates)
        table.add_section()
    Console().print(table)


def show_side_by_side(honest: Comparison, shuffled: Comparison) -> None:
    """Print the scores of each model with whole trials and with shuffled windows."""
    from .windows import side_by_side

    both = side_by_side(honest, shuffled)
    table = new_table("model", title=f"{both['metric'].iloc[0]}, side by side")
    for heading in ("whole\ntrials", _marked("shuffled\nwindows", shuffled), "inflated\nby"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, row in both.iterrows():
        table.add_row(
            str(name),
            f"{_shown(row['whole_trials'], '.3f')} ± {_shown(row['whole_trials_std'], '.3f')}",
            f"{_shown(row['shuffled_windows'], '.3f')} ± "
            f"{_shown(row['shuffled_windows_std'], '.3f')}",
            _shown(row["inflation"], "+.3f"),
        )
    table.add_section()
    table.add_row("chance", f"{both['chance'].iloc[0]:.3f}")
    Console().print(table)
    typer.echo(
        "Report the scores of whole trials. Shuffled windows are from trials of the training set."
    )


def new_table(*headings: str, title: str | None = None) -> Table:
    """Return an empty table whose first column is not wrapped."""
    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left", padding=0)
    for heading in headings:
        table.add_column(heading, no_wrap=heading == headings[0])
    return table


def _marked(title: str, comparison: Comparison) -> str:
    """Return a title with a remark if the split has leakage."""
    return f"{title} ({comparison.about.note})" if comparison.leakage else title


def _shown(value: Any, form: str) -> str:
    """Format a number; a missing one is a dash."""
    import pandas as pd

    return "-" if pd.isna(value) else format(round(value, 3) + 0, form)  # + 0: never -0.000
