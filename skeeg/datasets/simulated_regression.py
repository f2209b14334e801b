"""Simulated trials in which the power of a rhythm follows a continuous target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..data import EEGData
from ._scalp import (
    FloatArray,
    background,
    check_counts,
    coloured_noise,
    fields,
    frequencies,
    generator,
    positions,
    unit,
)
from .simulated import MOTOR_CHANNELS

if TYPE_CHECKING:
    import mne

#: Where rhythms arise; the power of the first follows the target, that of the others does not.
AREAS = {"parietal": ("Pz",), "left central": ("C3",), "right central": ("C4",)}

#: Standard deviation of the logarithm of a rhythm's power over trials.
_LOG_POWER_SD = 0.8
#: Peak of each subject's rhythms (mean, standard deviation over subjects) and their width, in Hz.
_PEAK, _WIDTH = (10.5, 0.5), 1.0
_N_BACKGROUND_SOURCES = 48
_BACKGROUND_RMS = 10e-6  # volts


def simulate_band_power_regression(
    n_subjects: int = 2,
    n_sessions: int = 1,
    n_runs: int = 4,
    n_trials: int = 25,
    *,
    r2: float = 0.8,
    snr: float = 2.0,
    ch_names: Sequence[str] = MOTOR_CHANNELS,
    montage: str | mne.channels.DigMontage | None = None,
    sfreq: float = 128.0,
    duration: float = 2.0,
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
) -> EEGData:
    """Simulate trials in which the power of a rhythm follows a continuous target.

    The target y of each trial is drawn from a standard normal distribution. The logarithm of the
    power of a parietal alpha rhythm (8-13 Hz) is linear in it, plus independent normal noise e of
    unit variance,

        log power = 0.8 * (sqrt(r2) * y + sqrt(1 - r2) * e) + constant,

    which is the model that source power comodulation assumes [1]_. To it are added rhythms of the
    same band from both central areas, whose power varies as much but says nothing, background
    whose power falls as 1 / f to the power of about one, and white sensor noise. Subjects differ
    in amplitude, spectral slope, peak frequency and in where their areas lie.

    Parameters
    ----------
    n_subjects, n_sessions, n_runs : int
        Number of subjects, of sessions per subject, and of runs per session.
    n_trials : int, default=25
        Number of trials per run.
    r2 : float, default=0.8
        The ceiling: no estimator reaches a coefficient of determination above it, nor a
        correlation with the target above its square root, except by chance in few trials. From 0,
        where the trials say nothing of the target, to 1.
    snr : float, default=2.0
        Root mean square of the rhythms at their area, relative to the background's. The greater
        it is, the closer to the ceiling an estimator can come.
    ch_names : sequence of str
        Electrodes of the montage; by default the 22 of BCI Competition IV 2a.
    montage : str or mne.channels.DigMontage, optional
        Says where electrodes lie: a montage, or the name of one that MNE has. By default MNE's
        template of the 10-05 system.
    sfreq : float, default=128.0
        Sampling rate, in Hz; at least 32, to hold the rhythm.
    duration : float, default=2.0
        How long a trial lasts, in seconds; at least half a second.
    random_state : int, Generator, RandomState or None, default=None
        An int gives the same data every time. Subject k is the same however many follow. The
        global generator of numpy is neither read nor advanced.

    Returns
    -------
    data : EEGData
        Of n_subjects * n_sessions * n_runs * n_trials trials, in volts, with float64 targets.
        Metadata: ``subject`` (from 1), ``session`` and ``run`` (``"0"``, ``"1"``, ...), ``trial``
        (in its run, from 0), and ``log_power``, the natural logarithm of the power of the
        informative rhythm in the trial relative to its mean. Linear regression on it attains the
        ceiling.

    Raises
    ------
    ValueError
        If a parameter is out of range, or an electrode is unknown.

    See Also
    --------
    simulate_motor_imagery : Classes instead of a target.
    skeeg.baselines.spoc_ridge : Fits this model.

    Notes
    -----
    The target reaches the trials through the log power only, and both are jointly normal.
    Therefore the best prediction from the trials explains no more of its variance than the log
    power does: the square of their correlation, which is `r2`.

    References
    ----------
    .. [1] S. Dähne et al., "SPoC: a novel framework for relating the amplitude of neuronal
       oscillations to behaviorally relevant parameters", NeuroImage 86:111-122, 2014.

    Examples
    --------
    >>> from skeeg.datasets import simulate_band_power_regression
    >>> data = simulate_band_power_regression(n_subjects=1, random_state=0)
    >>> data.shape
    (100, 22, 256)
    """
    counts = {
        "n_subjects": n_subjects,
        "n_sessions": n_sessions,
        "n_runs": n_runs,
        "n_trials": n_trials,
    }
    _check(counts, r2, snr, sfreq, duration)
    electrodes, areas = positions(montage, ch_names, AREAS)
    parts = []
    for i, rng in enumerate(generator(random_state).spawn(n_subjects)):
        mixing = _Mixing(rng, electrodes, areas)
        for session, session_rng in enumerate(rng.spawn(n_sessions)):
            y = session_rng.standard_normal(n_runs * n_trials)
            log_power = _log_power(session_rng, y, r2)
            metadata = pd.DataFrame(
                {
                    "subject": i + 1,
                    "session": str(session),
                    "run": np.repeat([str(run) for run in range(n_runs)], n_trials),
                    "trial": np.tile(np.arange(n_trials), n_runs),
                    "log_power": log_power[:, 0],
                }
            )
            trials = mixing.trials(session_rng, log_power, snr, sfreq, round(duration * sfreq))
            parts.append(EEGData.from_arrays(trials, y, sfreq, ch_names, metadata=metadata))
    return EEGData.concatenate(parts)


def _log_power(rng: np.random.Generator, y: NDArray[np.float64], r2: float) -> FloatArray:
    """Return the log power of each rhythm relative to its mean, shape (n_trials, n_areas)."""
    log_power = rng.standard_normal((len(y), len(AREAS)))
    log_power[:, 0] = np.sqrt(r2) * y + np.sqrt(1 - r2) * log_power[:, 0]
    return _LOG_POWER_SD * log_power


class _Mixing:
    """How the sources of one subject reach the electrodes."""

    def __init__(self, rng: np.random.Generator, electrodes: FloatArray, areas: FloatArray) -> None:
        self.gain = _BACKGROUND_RMS * np.exp(0.25 * rng.standard_normal())
        self.exponent = rng.uniform(0.8, 1.2)
        self.peak = np.clip(_PEAK[0] + _PEAK[1] * rng.standard_normal(), 9.0, 12.0)
        sources = unit(rng.standard_normal((_N_BACKGROUND_SOURCES, 3)))
        strengths = rng.standard_normal(_N_BACKGROUND_SOURCES)
        self.of_background = fields(electrodes, sources) * strengths
        displaced = unit(areas + 0.08 * rng.standard_normal(areas.shape))
        self.of_rhythms = fields(electrodes, displaced)

    def trials(
        self,
        rng: np.random.Generator,
        log_power: FloatArray,
        snr: float,
        sfreq: float,
        n_times: int,
    ) -> FloatArray:
        """Return trials in volts, shape (n_trials, n_chans, n_times)."""
        freqs = frequencies(n_times, sfreq)
        trials = background(
            rng, self.of_background, self.exponent, freqs, (len(log_power), n_times)
        )
        bump = np.exp(-0.5 * ((freqs - self.peak) / _WIDTH) ** 2)
        rhythms = coloured_noise(rng, bump, log_power.shape, n_times)
        # Noise has another power in each trial, which would be noise of the target too.
        rhythms /= np.sqrt(np.mean(rhythms**2, axis=-1, keepdims=True))
        rhythms *= snr * np.exp(log_power / 2)[:, :, None].astype(np.float32)
        trials += self.of_rhythms.astype(np.float32) @ rhythms
        trials += 0.1 * rng.standard_normal(trials.shape, dtype=np.float32)
        return trials * np.float32(self.gain)


def _check(counts: dict[str, int], r2: float, snr: float, sfreq: float, duration: float) -> None:
    check_counts(counts)
    if not 0 <= r2 <= 1:
        raise ValueError(f"r2 must lie between 0 and 1, got {r2!r}.")
    if not (np.isfinite(snr) and snr > 0):
        raise ValueError(f"snr must be a positive number, got {snr!r}.")
    if not (np.isfinite(sfreq) and sfreq >= 32):
        raise ValueError(f"sfreq must be 32 Hz or more, to hold the alpha rhythm, got {sfreq!r}.")
    if not (np.isfinite(duration) and duration >= 0.5):
        raise ValueError(f"duration must be half a second or more, got {duration!r}.")
