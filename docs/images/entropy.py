"""Make entropy.png, the figure of the page on differential entropy: one feature in three layouts.

Run it from anywhere: ``python docs/images/entropy.py``. It takes some seconds.
"""

from pathlib import Path

import numpy as np

from skeeg.datasets.deap import CHANNELS
from skeeg.features import differential_entropy, electrode_cells, topographic_map
from skeeg.plotting._style import new_figure

rng = np.random.default_rng(0)
posterior = electrode_cells(CHANNELS)[:, 0] / 8  # 0 at the front, 1 at the back of the head
times = np.arange(10 * 128) / 128
alpha = 2 * posterior[:, None] ** 2 * np.sin(20 * np.pi * times)
trial = alpha + rng.standard_normal((len(CHANNELS), len(times)))
entropy = differential_entropy(trial[None], 128, {"alpha": (8, 14)})[0, 0]

figure = new_figure(8, 2.7)
for axes, layout in zip(figure.subplots(1, 3), ("deap-9x9", "grid", "interpolated"), strict=True):
    values = topographic_map(entropy, CHANNELS, layout)
    empty = topographic_map(np.ones(len(CHANNELS)), CHANNELS, layout) == 0
    image = axes.imshow(np.ma.masked_array(values, empty), cmap="cividis", vmin=entropy.min())
    axes.set_facecolor("#e8e8e8")
    axes.set_title(f'"{layout}", {values.shape[0]} × {values.shape[1]}', fontsize=10)
    axes.set_xticks([])
    axes.set_yticks([])
figure.colorbar(image, ax=figure.axes, label="nats", shrink=0.9)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=150)
