"""
Classify MNE epochs
===================

This example cuts a continuous recording into epochs with MNE and passes them to `fit` and
`predict`.
"""

# %%
# The simulated recording has two minutes of five channels, in volts. After each stimulus of one
# kind, channel C3 contains an oscillation at 10 Hz for one second.

import mne
import numpy as np

mne.set_log_level("error")
rng = np.random.default_rng(0)
sfreq, n_stimuli = 100.0, 56
signal = rng.standard_normal((5, int(120 * sfreq))) * 1e-5
onsets = (1 + 2 * np.arange(n_stimuli)) * int(sfreq)
codes = rng.permutation(np.repeat([1, 2], n_stimuli // 2))
wave = 1.5e-5 * np.sin(2 * np.pi * 10 * np.arange(int(sfreq)) / sfreq)
for onset in onsets[codes == 1]:
    signal[0, onset : onset + len(wave)] += wave

info = mne.create_info(["C3", "Cz", "C4", "Fp1", "EOG"], sfreq, ["eeg"] * 4 + ["eog"])
info["bads"] = ["Fp1"]
raw = mne.io.RawArray(signal, info)
events = np.column_stack([onsets, np.zeros(n_stimuli, dtype=int), codes])
epochs = mne.Epochs(
    raw, events, {"move": 1, "rest": 2}, tmin=0.0, tmax=0.99, baseline=None, preload=True
)
epochs

# %%
# Labels can be of any type. The good EEG channels of the epochs are used: the bad channel and the
# EOG are left out. The names of the channels are stored in `fit`.

from skeeg import EEGNetClassifier

names = {code: name for name, code in epochs.event_id.items()}
y = np.array([names[code] for code in epochs.events[:, 2]])
train, test = np.arange(40), np.arange(40, n_stimuli)
clf = EEGNetClassifier(max_epochs=12, kernel_length=50, random_state=0)
clf.fit(epochs[train], y[train])
print(clf.ch_names_, clf.sfreq_, clf.classes_)
print("accuracy on the last epochs:", clf.score(epochs[test], y[test]))

# %%
# The estimator also works in MNE's own cross-validation.

from mne.decoding import cross_val_multiscore

print(cross_val_multiscore(clf, epochs.get_data(picks="eeg"), y, cv=2).round(2))

# %%
# For `skeeg.compare`, use `EEGData`, which has a row of metadata for each trial.

from skeeg import EEGData

data = EEGData.from_epochs(epochs, subject="S01", run=np.repeat([1, 2], n_stimuli // 2))
data.metadata.head(3)
