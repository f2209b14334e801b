"""The command that shows decisions while a signal arrives."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from .options import fail

if TYPE_CHECKING:
    from ..stream import Decision, StreamingDecoder

#: Characters of a bar at probability 1.
BAR = 40


def stream(
    model: Annotated[Path, typer.Option(help="A fitted model that skeeg.save wrote.")],
    source: Annotated[
        str, typer.Option(help="lsl, for a stream of the Lab Streaming Layer, or a recording.")
    ] = "lsl",
    window: Annotated[
        float | None,
        typer.Option(help="Length of a window in seconds; by default that of a training trial."),
    ] = None,
    step: Annotated[float, typer.Option(help="Seconds from one window to the next.")] = 0.25,
    fmin: Annotated[
        float | None, typer.Option(help="Lower edge of a causal filter in Hz; by default none.")
    ] = None,
    fmax: Annotated[
        float | None, typer.Option(help="Upper edge of a causal filter in Hz; by default none.")
    ] = None,
    filter_order: Annotated[int, typer.Option(help="Order of the filter.")] = 4,
    smoothing: Annotated[
        float | None,
        typer.Option(
            help="Weight of the newest prediction in an exponential average, up to 1, or, from 2, "
            "the number of predictions in a moving average; by default no average."
        ),
    ] = None,
    dead_zone: Annotated[
        float | None,
        typer.Option(help="No label unless the highest probability exceeds this threshold."),
    ] = None,
    sfreq: Annotated[
        float | None, typer.Option(help="Sampling rate in Hz, where the model does not know it.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the LSL stream; by default the only one.")
    ] = None,
    scale: Annotated[
        float, typer.Option(help="Factor for samples of LSL: 1e-6 makes volts of microvolts.")
    ] = 1.0,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for samples of LSL.")] = 10.0,
    speed: Annotated[
        float | None,
        typer.Option(help="Speed of a replayed recording: 1 is real time; by default the fastest."),
    ] = None,
) -> None:
    """Show the probabilities of a fitted model while a signal arrives. Ctrl-C ends it.

    Models are files that run no code. In a terminal the newest decision is shown; elsewhere, such
    as in a pipe, each is a line: time, label and probabilities.
    """
    import skeeg

    from ..stream import decode_lsl, replay

    try:
        decoder = _decoder(
            skeeg.load(model), window, step, sfreq,
            fmin=fmin, fmax=fmax, filter_order=filter_order,
            smoothing=_smoothing(smoothing), dead_zone=dead_zone,
        )  # fmt: skip
        if source == "lsl":
            decisions = decode_lsl(decoder, name, scale=scale, timeout=timeout)
        else:
            decisions = replay(decoder, source, chunk=decoder.n_step, speed=speed)
        with contextlib.suppress(KeyboardInterrupt), contextlib.closing(decisions):
            _show(decoder, decisions)
    except (ImportError, OSError, ValueError) as error:
        fail(" ".join(str(error).split()))


def _decoder(
    estimator: object, window: float | None, step: float, sfreq: float | None, **options: object
) -> StreamingDecoder:
    from ..stream import StreamingDecoder
    from ..stream._found import found_in

    if window is None:
        n_times, rate = found_in(estimator, "n_times_"), sfreq or found_in(estimator, "sfreq_")
        if n_times is None or rate is None:
            missing = "--sfreq" if n_times is not None else "--window"
            raise ValueError(f"The model does not know the length of its trials: pass {missing}.")
        window = n_times / rate
    return StreamingDecoder(estimator, window, step, sfreq=sfreq, **options)  # type: ignore[arg-type]


def _smoothing(value: float | None) -> float | int | None:
    """Return a number of predictions as an integer, and a weight as it is."""
    return int(value) if value is not None and value > 1 and value.is_integer() else value


def _show(decoder: StreamingDecoder, decisions: Iterable[Decision]) -> None:
    console = Console()
    if not console.is_terminal:
        for decision in decisions:
            typer.echo(_line(decision))
        return
    with Live(console=console, auto_refresh=False) as live:
        for decision in _no_faster_than_eyes(decisions):
            live.update(_table(decoder, decision), refresh=True)


def _no_faster_than_eyes(decisions: Iterable[Decision]) -> Iterator[Decision]:
    """Yield at most 20 decisions a second, the last among them."""
    import time

    shown, last = 0.0, None
    for decision in decisions:
        last = decision
        if time.monotonic() - shown >= 0.05:
            shown, last = time.monotonic(), None
            yield decision
    yield from filter(None, [last])


def _line(decision: Decision) -> str:
    label = "-" if decision.label is None else decision.label
    probabilities = [] if decision.probabilities is None else decision.probabilities.tolist()
    return "\t".join([f"{decision.time:.3f}", str(label), *(f"{p:.4f}" for p in probabilities)])


def _table(decoder: StreamingDecoder, decision: Decision) -> Table:
    label = "-" if decision.label is None else decision.label
    table = Table.grid(padding=(0, 1))
    table.add_row(f"{decision.time:.2f} s", str(label))
    if decision.probabilities is not None and decoder.classes is not None:
        for name, share in zip(decoder.classes, decision.probabilities, strict=True):
            table.add_row(str(name), f"{share:6.1%}", "█" * round(BAR * float(share)))
    return table
