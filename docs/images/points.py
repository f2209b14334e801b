"""Make points.png: which electrodes PointCNN gathers around which, on two montages.

Run it from anywhere: ``python docs/images/points.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from skeeg._electrodes import flat_positions, sphere_positions
from skeeg.datasets.deap import CHANNELS
from skeeg.networks import PointCNN
from skeeg.plotting._style import BLUE, GREY, ORANGE, new_figure

HEADSET = ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")
PANELS = (
    ("first X-convolution:\n8 nearest of 32 electrodes", CHANNELS, 1, "C3"),
    ("second: every other of the nearest,\naround 12 electrodes", CHANNELS, 2, "C3"),
    ("second, the same weights\non a headset of 14", HEADSET, 2, "O2"),
)


def draw(axes: Axes, names: Sequence[str], layer: int, centre: str) -> None:
    """Draw electrodes, those that represent them, and the neighbours of one of these."""
    flat = flat_positions(names)
    network = PointCNN(len(names), 4, 2, positions=sphere_positions(names))
    neighbours = network.first_neighbours.numpy()
    if layer == 2:  # whose points are those that the first one has chosen, each its own neighbour
        neighbours = neighbours[network.second_neighbours.numpy(), 0]
    chosen, own = neighbours[:, 0], names.index(centre)
    for end in neighbours[chosen == own][0]:
        axes.plot(*flat[[own, end]].T, color=ORANGE, lw=1.5, zorder=1)
    axes.scatter(*flat.T, s=22, facecolors="white", edgecolors=GREY, zorder=2)
    axes.scatter(*flat[chosen].T, s=22, color=BLUE, zorder=3)
    axes.scatter(*flat[own], s=60, color=ORANGE, zorder=4)
    radius = 1.12 * np.linalg.norm(flat, axis=1).max()
    nose = radius * np.array([[-0.08, 0, 0.08], [1, 1.1, 1]])
    axes.add_patch(Circle((0, 0), radius, fill=False, edgecolor=GREY, lw=0.8))
    axes.plot(*nose, color=GREY, lw=0.8)
    axes.set_aspect("equal")
    axes.set_axis_off()


figure = new_figure(8, 3.0)
for axes, (title, names, layer, centre) in zip(figure.subplots(1, 3), PANELS, strict=True):
    draw(axes, names, layer, centre)
    axes.set_title(title, fontsize=9)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=150)
