"""Make channel_selection.png: what the selection layer does in the course of a training.

Run it from anywhere: ``python docs/images/channel_selection.py``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from skeeg.layers import GumbelChannelSelection
from skeeg.plotting._style import BLUE, ORANGE, new_figure, open_axes

N_CHANS, N_TRIALS, FAVOURITE = 16, 24, 5

torch.manual_seed(0)
selection = GumbelChannelSelection(N_CHANS, 1).train()
with torch.no_grad():
    selection.logits[FAVOURITE] += 3  # what an electrode that helps has gained half-way

figure = new_figure(8, 2.6)
schedules, *draws = figure.subplots(1, 4, width_ratios=(2, 1, 1, 1))
fractions = np.linspace(0, 1, 101)
temperatures, thresholds = [], []
for fraction in fractions:
    selection.set_progress(fraction)
    temperatures.append(selection.current_temperature)
    thresholds.append(selection.current_threshold)
schedules.plot(fractions, temperatures, color=BLUE)
schedules.plot(fractions, thresholds, color=ORANGE, linestyle="--")
schedules.text(0.4, 0.5, "temperature", color=BLUE, fontsize=9, ha="right")
schedules.text(1.0, 1.8, "threshold of\nthe penalty", color=ORANGE, fontsize=9, ha="right")
schedules.set_yscale("log")
schedules.set_xlabel("part of the choosing epochs")
open_axes(schedules)

electrodes = torch.eye(N_CHANS)[None].expand(N_TRIALS, -1, -1)  # what goes in is what comes out
for axes, fraction in zip(draws, (0.0, 0.375, 0.75), strict=True):
    selection.set_progress(fraction)
    weights = selection(electrodes)[:, 0].detach()
    axes.imshow(weights, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    axes.set_title(f"temperature {selection.current_temperature:g}", fontsize=9)
    axes.set_xlabel("electrode")
    axes.set_xticks([0, FAVOURITE, N_CHANS - 1])
    axes.set_yticks([])
draws[0].set_ylabel("weights of a slot, by trial")
figure.savefig(Path(__file__).with_suffix(".png"), dpi=150)
