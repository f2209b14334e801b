"""
Decode over time
================

When in a trial can the classes be told apart? MNE's ``SlidingEstimator`` fits a decoder to each of
several windows. It takes every estimator of skeeg.
"""

# %%
# The simulated subject imagines movements from one second after the beginning of a trial.

import matplotlib.pyplot as plt
import mne
import numpy as np

from skeeg.datasets import simulate_motor_imagery

mne.set_log_level("error")
data = simulate_motor_imagery(
    n_subjects=1,
    n_sessions=1,
    n_runs=2,
    n_trials=40,
    tmin=-1.0,
    tmax=2.5,
    difficulty=0.1,
    random_state=0,
)
data

# %%
# ``SlidingEstimator`` fits one decoder for each index of the last axis. Windows of three quarters
# of a second, half a second apart, become that axis.

width, step = int(0.75 * data.sfreq), int(0.5 * data.sfreq)
windows = np.lib.stride_tricks.sliding_window_view(data.X, width, axis=-1)[:, :, ::step]
windows = windows.swapaxes(2, 3)  # trials, channels, samples of a window, windows
windows.shape

# %%
# Two decoders in each window, tested on the run that is left out. A network such as
# ``EEGNetClassifier`` takes their place without a change, but forty training trials are few for it.

from mne.decoding import SlidingEstimator, cross_val_multiscore
from sklearn.model_selection import LeaveOneGroupOut

from skeeg.baselines import band_power_svm, csp_lda

decoders = {
    "CSP and LDA": csp_lda(),
    "band power and SVM": band_power_svm(sfreq=data.sfreq),
}
centres = (np.arange(windows.shape[-1]) * step + width / 2) / data.sfreq - 1.0
figure, ax = plt.subplots(layout="constrained")
for (name, decoder), marker in zip(decoders.items(), "os", strict=True):
    scores = cross_val_multiscore(
        SlidingEstimator(decoder, scoring="accuracy"),
        windows,
        data.y,
        groups=data.groups("run"),
        cv=LeaveOneGroupOut(),
    )
    ax.plot(centres, scores.mean(axis=0), marker=marker, label=name)
ax.axhline(0.5, color="0.5", linestyle="--", label="chance")
ax.set(xlabel="centre of the window (s)", ylabel="accuracy", ylim=(0.3, 1.02))
ax.legend()
figure.show()
