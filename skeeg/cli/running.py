"""How the work of a command runs, and how it ends if it is stopped or fails."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from .options import fail, warnings_in_one_line


@contextmanager
def stops_with_a_message(store: Path | None) -> Iterator[None]:
    """End the command with one line after an error, and say how to resume after Ctrl-C.

    Parameters
    ----------
    store : pathlib.Path, optional
        Where finished work is kept.
    """
    os.environ.setdefault("MNE_LOGGING_LEVEL", "warning")  # for the workers, too
    try:
        with warnings_in_one_line():
            yield
    except KeyboardInterrupt:
        stored = f"Finished fits are in {store}; the same command resumes from there."
        Console(stderr=True).print(
            f"Stopped. {stored if store else 'No fits were kept.'}", highlight=False
        )
        raise typer.Exit(130) from None
    except (ValueError, TypeError, OSError, ImportError, RuntimeError) as error:
        fail(str(error))


def cluster(address: str | None) -> AbstractContextManager[Any]:
    """Let fits run on a Dask cluster, if its address was passed."""
    from ..model_selection import dask_backend

    return nullcontext() if address is None else dask_backend(address)
