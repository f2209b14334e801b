"""The commands that list models and data sets."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from ..models import MODELS
from .data import SIMULATION
from .output import new_table
from .windows import FEATURE_MODELS

if TYPE_CHECKING:
    from ..datasets import Loader


def list_models() -> None:
    """List the built-in models."""
    table = new_table("name", "model", "needs")
    for name, model in MODELS.items():
        needs = f"the extra {model.requires!r}" if model.requires else ""
        table.add_row(name, model.description, needs)
    Console().print(table)
    typer.echo(f"With --features entropy: {', '.join(FEATURE_MODELS)}.")
    typer.echo("With braindecode installed, its networks by name, such as braindecode.ATCNet.")


def list_datasets() -> None:
    """List the data sets that --data accepts by name, with their tasks, windows and bands."""
    from ..datasets import LOADERS

    table = new_table("name", "data set and licence", "labels and tasks", "window", "band")
    table.columns[2].min_width = max(
        len(task) + 1 for loader in LOADERS.values() for task in (*loader.tasks, *loader.labels)
    )
    for name, loader in LOADERS.items():
        own = " (--path needed)" if loader.needs_path else ""
        table.add_row(
            name,
            f"{loader.description}{own}; licence: {loader.licence}",
            _tasks(loader),
            window_of(loader),
            band_of(loader),
        )
        table.add_section()
    Console().print(table)
    typer.echo("The first task is the default of --task; window and band are those of --tmin,")
    typer.echo("--tmax, --fmin and --fmax. --data also takes your own recordings and files.")


def window_of(loader: Loader) -> str:
    """Return the times of a trial by default, in seconds from the event."""
    if loader.window:
        return loader.window
    defaults = _defaults(loader)
    end = defaults.get("tmax")
    return "whole trial" if end is None else f"{defaults.get('tmin', 0.0):g} to {end:g} s"


def band_of(loader: Loader) -> str:
    """Return the pass band by default."""
    defaults = _defaults(loader)
    low, high = defaults.get("fmin"), defaults.get("fmax")
    if loader.band or (low is None and high is None):
        return loader.band or "not filtered"
    if low is None or high is None:
        return f"below {high:g} Hz" if low is None else f"above {low:g} Hz"
    return f"{low:g} to {high:g} Hz"


def _tasks(loader: Loader) -> str:
    known = loader.tasks or loader.labels
    defaults = _defaults(loader)
    default = defaults.get("task", defaults.get("label"))
    names = sorted(known, key=lambda name: name != default)
    return f"{loader.task}; --task {', '.join(names)}" if names else loader.task


def _defaults(loader: Loader) -> dict[str, Any]:
    parameters = inspect.signature(loader.load).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default not in (None, p.empty)}
    from ..datasets import LOADERS

    return defaults | (SIMULATION if loader is LOADERS["simulated"] else {})
