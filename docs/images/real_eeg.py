"""Make real_eeg.png, the figure of the home page, from the table of the recordings.

Run it from anywhere: ``python docs/images/real_eeg.py``. The scores are those of
``benchmarks/results/real_eeg.md``, which ``benchmarks/real_eeg.py`` writes.
"""

import re
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "real_eeg.md"
# The study, by a part of its title in the results, and the best classical decoder in it.
STUDIES = {
    "Fists or feet,\na run left out": ("imagined fists or feet", "CSP + LDA"),
    "Left or right fist,\na run left out": ("imagined left or right", "CSP + LDA"),
    "Visual field (AUC),\na run left out": ("Muse, flash", "xDAWN + LR"),
    "Oddball (AUC),\na run left out": ("Muse, visual oddball", "xDAWN + LR"),
    "Arithmetic or rest,\na subject left out": (
        "Mental arithmetic or rest, 12 subjects",
        "tangent space + LR",
    ),
    "SSVEP, 4 classes,\na subject left out": ("SSVEP", "tangent space of 6 bands + LR"),
}


def score(text: str, model: str) -> float:
    """Return the mean score of a model in the table of a study."""
    (value,) = re.findall(rf"^\| {re.escape(model)} \| \*\*([\d.]+)\*\*", text, re.MULTILINE)
    return float(value)


sections = RESULTS.read_text(encoding="utf-8").split("\n## ")[1:]
figure, ax = plt.subplots(figsize=(7.2, 3.4), layout="constrained")
for row, (title, classical) in enumerate(STUDIES.values()):
    (text,) = [section for section in sections if title in section.splitlines()[0]]
    chance = float(re.search(r"chance ([\d.]+)", text)[1])
    network, other = score(text, "EEGNet"), score(text, classical)
    ax.plot([network, other], [row, row], color="0.75", zorder=1)
    for value, label, style in (
        (chance, "chance", {"marker": "|", "color": "0.4", "markersize": 14}),
        (other, "classical", {"marker": "s", "color": "#E69F00", "markersize": 8}),
        (network, "EEGNet", {"marker": "o", "color": "#0072B2", "markersize": 8}),
    ):
        ax.plot(value, row, linestyle="", label=None if row else label, **style)
    ax.annotate(classical, (1.02, row), xycoords=("axes fraction", "data"), va="center", fontsize=8)
ax.set_yticks(range(len(STUDIES)), list(STUDIES), fontsize=8)
ax.set_ylim(len(STUDIES) - 0.5, -0.5)
ax.set_xlim(0.2, 1.0)
ax.set_xlabel("accuracy or area under the ROC curve, mean over left-out runs or subjects")
ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)
ax.spines[["top", "right"]].set_visible(False)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=150)
