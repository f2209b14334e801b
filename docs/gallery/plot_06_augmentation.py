"""
What augmentations do to a trial
================================

Each row shows one trial before and after an augmentation, and the amplitude spectrum of its
channels. A surrogate of the Fourier transform keeps the spectrum and changes the course in time. A
shift in frequency moves the peak of the rhythm.
"""

# %%
# A simulated trial of imagined movement has an alpha rhythm over the motor cortex.

from skeeg.augmentation import AUGMENTATIONS, ChannelDropout, FrequencyShift, GaussianNoise
from skeeg.datasets import simulate_motor_imagery
from skeeg.plotting import plot_augmentations

data = simulate_motor_imagery(
    n_subjects=1, n_sessions=1, n_runs=1, n_trials=20, tmax=2, random_state=0
)
stronger = [FrequencyShift(4.0), GaussianNoise(0.5), ChannelDropout(0.5)]
shown = [name for name in AUGMENTATIONS if name not in {each.name for each in stronger}]
plot_augmentations(data, [*shown, *stronger], channels=["C3", "Cz", "C4"], fmax=40)

# %%
# An estimator applies them to its training batches. Names have the default parameters.

from skeeg import EEGNetClassifier

clf = EEGNetClassifier(augment=["ft_surrogate", "mirror"], max_epochs=10, random_state=0)
clf.fit(data, data.y)
