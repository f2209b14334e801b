"""Make the pictures of networks in docs/methods, each from its page and the network itself.

A page's first block of code builds ``network``; its table of layers says which of the network's
modules make a block. Output shapes and numbers of parameters are read off the network as it runs.

Run it from anywhere: ``python docs/images/networks.py``, or with the names of some pages.
"""

from __future__ import annotations

import copy
import json
import re
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor, nn

from skeeg._validation import MAPS, POINTS, SIGNALS
from skeeg.layers import TemporalSpatialFilter
from skeeg.plotting._style import BLUE, GREY, ORANGE, new_figure

METHODS = Path(__file__).resolve().parents[1] / "methods"
PICTURES = Path(__file__).resolve().parent / "methods"

_HEAD = "| layer | what it does | output | parameters |\n|---|---|---|---|\n"
_CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COLUMN = 1.06  # inches, of a block
_LINE, _ABOVE, _BELOW = 0.14, 0.42, 0.45  # inches: of text; from the middle of a stack to its texts


@dataclass(frozen=True)
class Block:
    """Some layers of a network that the page shows as one."""

    layers: tuple[str, ...]
    does: str
    shape: tuple[int, ...]
    n_parameters: int


def pages() -> list[Path]:
    """Return the pages that have a table of layers."""
    return [page for page in sorted(METHODS.glob("*.md")) if _HEAD in page.read_text("utf-8")]


def network_of(page: Path) -> nn.Module:
    """Return the network that the page's first block of code builds."""
    namespace: dict[str, Any] = {"print": lambda *shown: None}
    code = _CODE.search(page.read_text("utf-8"))
    exec(code[1] if code else "", namespace)
    return namespace["network"]


def rows_of(page: Path) -> list[tuple[str, ...]]:
    """Return the cells of each row of the page's table of layers."""
    table = page.read_text("utf-8").partition(_HEAD)[2].partition("\n\n")[0]
    return [tuple(cell.strip() for cell in row[1:-1].split("|")) for row in table.splitlines()]


def blocks_of(page: Path) -> tuple[tuple[int, ...], list[Block]]:
    """Return the shape of a trial, and what becomes of it block by block."""
    network = network_of(page)
    shape = _input_shape(network)
    outputs = _outputs(network, shape)
    blocks = []
    for names, does, *_ in rows_of(page):
        layers = tuple(re.findall(r"`([^`]+)`", names))
        modules = [network.get_submodule(layer) for layer in layers]
        n_parameters = sum(p.numel() for module in modules for p in module.parameters())
        blocks.append(Block(layers, does, outputs[layers[-1]], n_parameters))
    return shape, blocks


def draw(shape: tuple[int, ...], blocks: Sequence[Block]) -> Figure:
    """Draw a trial and every block's output as stacks of sheets, a sheet for each map.

    Height, width and number of the sheets follow the logarithm of electrodes, samples and maps.
    """
    steps = [Block(("input",), "a trial", shape, 0), *blocks]
    y = _BELOW + 0.4
    width = len(steps) * _COLUMN
    height = y + _ABOVE + max(len(_lines(step.does)) for step in steps) * _LINE + 0.05
    figure = new_figure(width, height)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    end = 0.0
    for i, step in enumerate(steps):
        x = (i + 0.5) * _COLUMN
        half = _draw_stack(axes, x, y, step.shape, BLUE if 0 < i < len(blocks) else ORANGE)
        _write(axes, x, y, step, is_input=i == 0)
        if i:
            axes.annotate("", (x - half, y), (end, y), arrowprops={"arrowstyle": "->", "lw": 0.8})
        end = x + half
    return figure


def description(shape: tuple[int, ...], blocks: Sequence[Block]) -> str:
    """Return what a picture shows, as its file keeps it."""
    return json.dumps([shape, *map(astuple, blocks)])


def _input_shape(network: nn.Module) -> tuple[int, ...]:
    (names,) = [
        axes.names
        for axes in (SIGNALS, MAPS, POINTS)
        if all(hasattr(network, name) for name in axes.names)
    ]
    return tuple(getattr(network, name) for name in names)


def _outputs(network: nn.Module, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Return the shape that each module gives one trial."""
    copied = copy.deepcopy(network).eval()
    shapes: dict[str, tuple[int, ...]] = {}
    for name, module in copied.named_modules():
        if isinstance(module, TemporalSpatialFilter):
            module.method = "direct"  # the layers as written, each of which can be watched

        def record(module: nn.Module, args: object, output: Any, name: str = name) -> None:
            shapes[name] = tuple(_first_tensor(output).shape[1:])

        module.register_forward_hook(record)
    with torch.no_grad():
        copied(torch.zeros(1, *shape))
    return shapes


def _first_tensor(output: Any) -> Tensor:
    while not isinstance(output, Tensor):
        output = next(iter(output))
    return output


def _draw_stack(axes: Axes, x: float, y: float, shape: tuple[int, ...], colour: str) -> float:
    """Draw an output around a place, and return half of its width with some room."""
    maps, rows, columns = (1,) * (3 - len(shape)) + shape if len(shape) > 1 else (1, shape[0], 1)
    width, height = 0.07 + 0.055 * _bits(columns), 0.07 + 0.065 * min(_bits(rows), 9)
    n_sheets = 1 + round(_bits(maps))
    step = 0.024
    shift = step * (n_sheets - 1) / 2
    for i in range(n_sheets):
        corner = (x - width / 2 + shift - i * step, y - height / 2 + shift - i * step)
        face = _pale(colour) if i == n_sheets - 1 else "white"
        axes.add_patch(
            Rectangle(corner, width, height, facecolor=face, edgecolor=colour, linewidth=0.9)
        )
    return width / 2 + shift + 0.06


def _write(axes: Axes, x: float, y: float, step: Block, *, is_input: bool) -> None:
    above, below = "\n".join(_lines(step.does)), "×".join(map(str, step.shape))
    count = "parameters:" if is_input else f"{step.n_parameters:,}"
    axes.text(x, y + _ABOVE, above, ha="center", va="bottom", fontsize=8.5)
    axes.text(x, y - _BELOW, below, ha="center", va="top", fontsize=9, fontweight="bold")
    axes.text(x, y - _BELOW - 1.3 * _LINE, count, ha="center", va="top", fontsize=8.5, color=GREY)


def _lines(text: str) -> list[str]:
    return [line for part in text.split(", ") for line in textwrap.wrap(part, 15)]


def _pale(colour: str) -> tuple[float, ...]:
    return tuple(1 - 0.25 * (1 - part) for part in to_rgb(colour))


def _bits(n: int) -> float:
    return (n - 1).bit_length() if n > 1 else 0


if __name__ == "__main__":
    wanted = sys.argv[1:] or [page.stem for page in pages()]
    for page in (METHODS / f"{name}.md" for name in wanted):
        shape, blocks = blocks_of(page)
        figure = draw(shape, blocks)
        about = {"Description": description(shape, blocks)}
        figure.savefig(PICTURES / f"{page.stem}.png", dpi=150, metadata=about)
        for block in blocks:
            print(page.stem, *block.layers, block.shape, block.n_parameters)
