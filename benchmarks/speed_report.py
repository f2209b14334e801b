"""The Markdown page of the measurements of `benchmarks/speed.py`."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from floor import Floor, Machine

import skeeg

SKEEG, DIRECT, BARE, PEER = "skeeg", "direct", "bare loop", "braindecode"
COMPILED = "compiled loop"

Where = tuple[int, str, str]  # threads, network, shape of a trial
Measured = dict[Where, dict[tuple[str, str], pd.Series]]  # by measure and who
Floors = dict[Where, dict[tuple[str, str], Floor]]


@dataclass(frozen=True)
class Aims:
    """Aims by network and shape of the trials."""

    fit: dict[tuple[str, str], float]  # times as fast as the peer
    predict: dict[tuple[str, str], float]
    memory: dict[tuple[str, str], float]  # share of the peer's, at most
    overhead: float  # share by which a fit may exceed a bare loop
    latency: float  # at most so many times the module's forward pass, for one trial


def report(rows: pd.DataFrame, floors: Floors, machines: dict[int, Machine], aims: Aims) -> str:
    """Return the page.

    Parameters
    ----------
    rows : DataFrame
        Columns ``threads``, ``network``, ``shape``, ``who``, ``measure``, ``round`` and ``value``.
    floors : dict
        By threads, network and shape, then by measure and kind of floor.
    machines : dict of int to Machine
        By threads.
    aims : Aims

    Returns
    -------
    text : str
    """
    measured = {
        where: {
            key: part.set_index("round")["value"]
            for key, part in found.groupby(["measure", "who"], sort=False)
        }
        for where, found in rows.groupby(["threads", "network", "shape"], sort=False)
    }
    has_peer = PEER in set(rows["who"])
    reference = PEER if has_peer else DIRECT
    parts = [
        _heading(rows, machines, has_peer),
        _training(measured, aims, has_peer),
        _prediction(measured, aims, has_peer),
        _one_trial(measured, aims, has_peer),
    ]
    if "memory" in set(rows["measure"]):
        parts.append(_memory(measured, aims, reference))
    parts += [_overhead(measured, aims)]
    if COMPILED in set(rows["who"]):
        parts.append(_compiled(measured))
    parts.append(_floors(measured, floors))
    return "\n".join(parts)


def _heading(rows: pd.DataFrame, machines: dict[int, Machine], has_peer: bool) -> str:
    peer = "its direct method only"
    if has_peer:
        peer = (
            f"braindecode {version('braindecode')}; for networks that braindecode does not have, "
            "aims and shares of memory refer to skeeg's direct method"
        )
    rounds = rows.loc[rows["measure"] == "fit", "round"].nunique()
    load = rows.loc[rows["measure"] == "load", "value"]
    lines = [
        "# Speed",
        "",
        "Written by `python benchmarks/speed.py`, whose docstring describes the comparison. "
        "Batches of 64 trials; trials are channels x samples. "
        f"skeeg {skeeg.__version__} against {peer}. "
        f"Medians of {rounds} alternating rounds; a ratio is the median of the rounds' ratios, "
        "with quartiles in brackets.",
        "",
        f"{processor()}, {os.cpu_count()} processors, Python {platform.python_version()}, torch "
        f"{torch.__version__}, skorch {version('skorch')}. Load averages were {load.min():.1f} to "
        f"{load.max():.1f}, of which the script itself accounts for its number of threads.",
        "",
    ]
    header = ["threads", "matrix product, Gflop/s", "copy in cache, GB/s", "copy in memory, GB/s"]
    rates = [
        [threads, _number(m.flops / 1e9), _number(m.cache / 1e9), _number(m.memory / 1e9)]
        for threads, m in machines.items()
    ]
    return "\n".join([*lines, *markdown_table(header, rates), ""])


def _training(measured: Measured, aims: Aims, has_peer: bool) -> str:
    def further(found: dict[tuple[str, str], pd.Series]) -> list[str]:
        own, once = found["fit", SKEEG], found["once", SKEEG]
        cells = [_ms(once) if once.any() else ""]
        if has_peer:
            shown = once.any() and ("fit", PEER) in found
            cells.append(ratio(found["fit", PEER], own + once) if shown else "")
        return cells

    header, table = _compared("fit", measured, aims.fit, has_peer, further)
    return _section(
        "Training, a batch",
        "Batches of a fit after the first epoch. *Once in a fit* is the time of the sums over a "
        "batch's trials that skeeg computes before the first epoch; the next column adds all of it "
        "to each batch.",
        [*header, "once in a fit, ms", *["times braindecode, spread over 1 epoch"] * has_peer],
        table,
    )


def _prediction(measured: Measured, aims: Aims, has_peer: bool) -> str:
    header, table = _compared("predict", measured, aims.predict, has_peer, lambda found: [])
    return _section("Prediction, a batch", "`predict` of 64 trials.", header, table)


def _compared(
    measure: str,
    measured: Measured,
    aims: dict[tuple[str, str], float],
    has_peer: bool,
    further: Callable[[dict[tuple[str, str], pd.Series]], list[str]],
) -> tuple[list[str], list[list[object]]]:
    """Return the header and the rows of a table of times and their ratios."""
    header = ["skeeg, ms", "direct, ms", "times direct"]
    if has_peer:
        header = ["skeeg, ms", "braindecode, ms", "times braindecode", "aim", *header[1:]]
    table = []
    for where, found in measured.items():
        own, direct = found[measure, SKEEG], found[measure, DIRECT]
        row = [_ms(own)]
        if has_peer:
            peer = found.get((measure, PEER))
            reference = direct if peer is None else peer
            reached = _verdict(aims.get(where[1:]), (reference / own).median())
            row += ["", "", reached] if peer is None else [_ms(peer), ratio(peer, own), reached]
        table.append([*where, *row, _ms(direct), ratio(direct, own), *further(found)])
    return header, table


def _one_trial(measured: Measured, aims: Aims, has_peer: bool) -> str:
    header = ["skeeg, ms", "its module, ms", "times its module", "aim"]
    if has_peer:
        header += ["braindecode, ms", "its module, ms", "times braindecode"]
    table = []
    for where, found in measured.items():
        own, module = found["one", SKEEG], found["forward", SKEEG]
        within = _verdict(aims.latency, (own / module).median(), at_most=True)
        row = [_ms(own), _ms(module), ratio(own, module), within]
        if has_peer:
            peer, its = found.get(("one", PEER)), found.get(("forward", PEER))
            row += ["", "", ""] if peer is None else [_ms(peer), _ms(its), ratio(peer, own)]
        table.append([*where, *row])
    return _section(
        "One trial",
        "`predict` of one trial, and the forward pass of its module alone.",
        header,
        table,
    )


def _memory(measured: Measured, aims: Aims, reference: str) -> str:
    names = [SKEEG, DIRECT] + [PEER] * (reference == PEER)
    table = []
    for where, found in measured.items():
        peaks = {who: found.get(("memory", who)) for who in names}
        share = (peaks[SKEEG] / found.get(("memory", reference), peaks[DIRECT])).median()
        aim = aims.memory.get(where[1:]) if reference == PEER else None
        table.append(
            [
                *where,
                *("" if peak is None else _number(peak.median()) for peak in peaks.values()),
                f"{share:.2f}",
                _verdict(aim, share, at_most=True),
            ]
        )
    return _section(
        "Peak memory of a step",
        "Additional memory of training steps on a batch, in a process that already has trials, "
        "network, gradients and the optimiser's state.",
        [*(f"{who}, MB" for who in names), f"share of {reference}'s", "aim"],
        table,
    )


def _overhead(measured: Measured, aims: Aims) -> str:
    table = []
    for where, found in measured.items():
        own, bare = found["fit", SKEEG], found["fit", BARE]
        added = 100 * (own / bare - 1)
        within = _verdict(100 * aims.overhead, added.median(), at_most=True)
        table.append([*where, _ms(own), _ms(bare), _spread(added, digits=1), within])
    return _section(
        "Overhead of the estimator",
        "A batch of a fit, compared with a plain torch loop with the same module, batches and "
        "optimiser.",
        ["fit, ms", "bare loop, ms", "added, %", "aim, %"],
        table,
    )


def _compiled(measured: Measured) -> str:
    table: list[list[object]] = []
    for where, found in measured.items():
        bare, compiled = found["fit", BARE], found["fit", COMPILED]
        table.append([*where, _ms(bare), _ms(compiled), ratio(bare, compiled)])
    return _section(
        "Compiled",
        "A training batch of the plain torch loop, without and with `torch.compile`; compilation "
        "itself is not counted.",
        ["bare loop, ms", "compiled loop, ms", "times as fast"],
        table,
    )


def _floors(measured: Measured, floors: Floors) -> str:
    table = []
    for where, found in measured.items():
        for measure in ("fit", "predict"):
            taken = found[measure, SKEEG].median()
            row = [*where, measure, _number(1e3 * taken)]
            for kind in ("layered", "least"):
                floor = floors[where][measure, kind]
                row += [
                    _number(floor.operation.multiply_adds / 1e6),
                    _number(floor.operation.bytes / 1e6),
                    _number(1e3 * floor.seconds),
                    _number(taken / floor.seconds),
                ]
            table.append(row)
    counts = ["10^6 multiply-adds", "MB", "ms", "times over"]
    return _section(
        "The floor",
        "The least time of a batch at the rates above, from the numbers of multiply-adds and bytes "
        "in `benchmarks/floor.py`: first for the operations of skeeg one by one, then for the "
        "function, with the trials read once and everything else in cache.",
        ["batch of", "skeeg, ms", *counts, *(f"least {count}" for count in counts)],
        table,
    )


# ---------------------------------------------------------------------- cells


def _section(title: str, text: str, header: list[str], rows: list[list[object]]) -> str:
    head = ["threads", "network", "trials", *header]
    return "\n".join([f"## {title}", "", text, "", *markdown_table(head, rows), ""])


def markdown_table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    lines = [f"| {' | '.join(header)} |"]
    lines.append("|" + "---|" * (lines[0].count("|") - 1))
    return lines + [f"| {' | '.join(map(str, row))} |" for row in rows]


def _ms(seconds: pd.Series) -> str:
    return _number(1e3 * seconds.median())


def ratio(numerator: pd.Series, denominator: pd.Series) -> str:
    """Return the median and the spread of the ratios, in the rounds in which both took part."""
    return _spread((numerator / denominator).dropna())


def _spread(values: pd.Series, digits: int | None = None) -> str:
    low, middle, high = (
        _number(q) if digits is None else f"{q:.{digits}f}"
        for q in np.quantile(values, [0.25, 0.5, 0.75])
    )
    return f"**{middle}**" if len(values) == 1 else f"**{middle}** ({low} to {high})"


def _number(value: float) -> str:
    """Return a number with about three digits."""
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def _verdict(aim: float | None, value: float, *, at_most: bool = False) -> str:
    if aim is None:
        return ""
    reached = value <= aim if at_most else value >= aim
    return f"{aim:g}, {'reached' if reached else '**missed**'}"


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
