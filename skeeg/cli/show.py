"""The command that shows the card of a saved model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown

from .running import stops_with_a_message


def show_model(
    path: Annotated[Path, typer.Argument(help="A file that skeeg.save wrote.")],
) -> None:
    """Show the card of a saved model: task, data, scores, parameters, versions.

    The model itself is not loaded.
    """
    with stops_with_a_message(None):
        from ..persistence import read_card

        text = read_card(path).to_markdown()
    console = Console()
    if console.is_terminal:
        console.print(Markdown(text))
    else:
        typer.echo(text, nl=False)
