"""Trials with a known source and frequency of the difference between the classes."""

from typing import NamedTuple

import numpy as np

from skeeg import EEGData
from skeeg._electrodes import sphere_positions

CH_NAMES = (
    *("Fz", "FC3", "FCz", "FC4", "C5", "C3", "C1", "Cz"),
    *("C2", "C4", "C6", "CP3", "CPz", "CP4", "Pz", "POz"),
)
SFREQ = 128.0


class Truth(NamedTuple):
    """A rhythm that is strong in one class and weak in the other."""

    data: EEGData
    pattern: np.ndarray  # of the rhythm at the electrodes
    frequency: float  # in Hz


def source_in_noise(seed, n_trials=180, n_times=384):
    """Return a rhythm of 14 to 26 Hz, 1.2 Hz wide, somewhere on the scalp, in correlated noise.

    There are twenty sources of pink noise, a strong alpha over the back of the head that says
    nothing, pink noise of the rhythm's own place in every trial's own strength, and white noise.
    """
    rng = np.random.default_rng(seed)
    places = sphere_positions(CH_NAMES)
    frequency = rng.uniform(14, 26)
    pattern = _field(places, places[rng.integers(len(places))] + 0.15 * rng.standard_normal(3))
    y = np.arange(n_trials) % 2

    freqs = np.fft.rfftfreq(2 * n_times, 1 / SFREQ)
    pink = np.where(freqs > 0, np.maximum(freqs, 1) ** -0.5, 0)
    mixing = np.array([_field(places, place) for place in rng.standard_normal((20, 3))])
    mixing *= rng.standard_normal((20, 1))
    X = np.einsum("sc,nst->nct", mixing, _noise(rng, pink, (n_trials, 20), n_times))
    X /= X.std()
    alpha = _noise(rng, _bump(freqs, 10, 1.0), (n_trials,), n_times)
    X += _field(places, places[CH_NAMES.index("POz")])[:, None] * alpha[:, None]
    own = _noise(rng, pink, (n_trials,), n_times) * np.exp(0.3 * rng.standard_normal((n_trials, 1)))
    rhythm = _noise(rng, _bump(freqs, frequency, 0.5), (n_trials,), n_times)
    rhythm *= np.where(y, 1.05, 0.35)[:, None]
    X += pattern[:, None] * (own + rhythm)[:, None] + 0.1 * rng.standard_normal(X.shape)
    data = EEGData.from_arrays(1e-5 * X, np.array(["weak", "strong"])[y], SFREQ, CH_NAMES)
    return Truth(data, pattern, frequency)


def _field(electrodes, source):
    angles = np.arccos(np.clip(electrodes @ source / np.linalg.norm(source), -1, 1))
    return np.exp(-0.5 * (angles / 0.45) ** 2)


def _bump(freqs, centre, width):
    return np.exp(-0.5 * ((freqs - centre) / width) ** 2)


def _noise(rng, amplitudes, shape, n_times):
    """Return Gaussian noise of variance 1 with this amplitude spectrum."""
    spectrum = rng.standard_normal((*shape, len(amplitudes), 2)) @ [1, 1j]
    noise = np.fft.irfft(spectrum * amplitudes)[..., :n_times]
    return noise / noise.std()
