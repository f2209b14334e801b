"""
From a folder of recordings to a result
=======================================

This tutorial loads a folder of EDF files, compares a network with a classical decoder on left-out
runs, and writes a report.
"""

# %%
# Make a folder of recordings
# ---------------------------
#
# The folder stands for your own: two subjects with two runs each. In a run, a subject imagines
# movements of the left or the right hand for three seconds at a time, and the recording has an
# annotation for each. The simulated trials are joined to one recording, which MNE writes as EDF.

import tempfile
from pathlib import Path

import mne
import numpy as np

from skeeg.datasets import simulate_motor_imagery

mne.set_log_level("error")
folder = Path(tempfile.mkdtemp())
simulated = simulate_motor_imagery(
    n_subjects=2, n_sessions=1, n_runs=2, n_trials=30, tmax=3.0, difficulty=0.1, random_state=0
)
n_times = simulated.X.shape[2]
for (subject, run), rows in simulated.metadata.groupby(["subject", "run"]).indices.items():
    signal = np.concatenate(list(simulated.X[rows]), axis=1) * 1e-6  # microvolts to volts
    raw = mne.io.RawArray(signal, mne.create_info(list(simulated.ch_names), simulated.sfreq, "eeg"))
    onsets = np.arange(len(rows)) * n_times / simulated.sfreq
    raw.set_annotations(mne.Annotations(onsets, 3.0, simulated.y[rows]))
    mne.export.export_raw(folder / f"sub{subject}_run{run}.edf", raw)
print(*sorted(path.name for path in folder.iterdir()), sep="\n")

# %%
# Load the trials
# ---------------
#
# Annotations of the names in ``events`` become trials. The pattern finds subject and run in the
# names of the files; without them, no comparison can keep runs or subjects apart.

from skeeg.datasets import load_recordings

data = load_recordings(
    folder,
    events=["left_hand", "right_hand"],
    tmin=0.0,
    tmax=2.9,
    fmin=7.0,
    fmax=30.0,
    metadata="sub{subject}_run{run}",
)
data

# %%
# What was left out, and why:

data.dropped

# %%
# Compare decoders
# ----------------
#
# Each fold trains on one run of a subject and tests on the other one. The chance level and the
# tests are those of two subjects only, so that the table cannot show that one decoder is better.

import skeeg
from skeeg import EEGNetClassifier
from skeeg.baselines import csp_lda

comparison = skeeg.compare(
    {"CSP and LDA": csp_lda(), "EEGNet": EEGNetClassifier(max_epochs=30)},
    data,
    cv="within-subject",
    random_state=0,
    progress=False,
)
comparison.summary()[["mean", "std", "n", "chance", "chance_upper"]].round(2)

# %%

figure = comparison.plot_scores()

# %%
# Write the report
# ----------------
#
# The report is one HTML file with tables, figures, parameters and versions. The command does all
# of this at once::
#
#     skeeg compare --data FOLDER --events left_hand,right_hand --tmax 2.9 --fmin 7 --fmax 30

path = comparison.report(folder / "report.html")
print(path.name, path.stat().st_size > 10_000)

# %%
# Keep the decoder
# ----------------
#
# A decoder that is trained on all trials can be saved to a file, loaded elsewhere, and shown to
# others by its card.

from skeeg.persistence import read_card

final = EEGNetClassifier(max_epochs=30, random_state=0).fit(data, data.y)
skeeg.save(final, folder / "decoder.skeeg", data=data)
print(read_card(folder / "decoder.skeeg").data)
