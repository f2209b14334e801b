"""The ``skeeg`` command and its subcommands."""

from __future__ import annotations

from typing import Annotated

import typer

from .._version import __version__
from .commands import compare
from .lists import list_datasets, list_models
from .search import search
from .show import show_model
from .stream import stream

app = typer.Typer(
    name="skeeg",
    help="Decode EEG: compare deep networks and baselines on the same folds without leakage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("compare")(compare)
app.command("search")(search)
app.command("show")(show_model)
app.command("models")(list_models)
app.command("datasets")(list_datasets)
app.command("stream")(stream)


def main() -> None:
    """Run the command; the entry point of the package."""
    app()


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"skeeg {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Handle the options before a subcommand."""
