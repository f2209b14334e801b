"""Make attention.png: what has a gate, as the layers themselves compute it for one trial.

Run it from anywhere: ``python docs/images/attention.py``.
"""

from __future__ import annotations

from pathlib import Path

import torch
from matplotlib.gridspec import GridSpecFromSubplotSpec

from skeeg.layers import CBAM, SqueezeExcitation
from skeeg.plotting._style import new_figure

N_MAPS, N_ELECTRODES, N_TIMES = 3, 6, 12

torch.manual_seed(1)
trial = torch.randn(1, N_MAPS, N_ELECTRODES, N_TIMES)
trial *= torch.rand(1, N_MAPS, N_ELECTRODES, 1) * 4
cbam = CBAM(N_MAPS)
gates = {
    f'axis="{axis}"': SqueezeExcitation(
        N_MAPS if axis == "maps" else N_ELECTRODES, reduction=1, axis=axis, bias=True
    ).gate(trial)
    for axis in ("maps", "electrodes", "map-electrode")
}
gates['CBAM, second gates\nof axis="maps"'] = cbam.time_gate(trial)

figure = new_figure(8, 2.0)
figure.set_layout_engine("none")
grid = figure.add_gridspec(1, len(gates), left=0.05, right=0.99, top=0.72, bottom=0.12, wspace=0.18)
for cell, (title, gate) in zip(grid, gates.items(), strict=True):
    values = gate.detach().expand_as(trial)[0]
    sheets = GridSpecFromSubplotSpec(1, N_MAPS, cell, wspace=0.12)
    for i, place in enumerate(sheets):
        axes = figure.add_subplot(place)
        axes.pcolormesh(values[i], cmap="cividis", vmin=values.min(), vmax=values.max())
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_title(f"map {i + 1}", fontsize=8)
        if i == 0:
            axes.set_ylabel("electrodes", fontsize=8)
        axes.set_xlabel("time", fontsize=8)
    box = cell.get_position(figure)
    figure.text((box.x0 + box.x1) / 2, 0.98, title, ha="center", va="top", fontsize=9)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=150)
