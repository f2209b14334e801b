"""Simulated motor imagery: trials with known physiology, made in a second, without a download."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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

if TYPE_CHECKING:
    import mne

#: The 22 electrodes of BCI Competition IV 2a (`load_bnci2014_001`), which cover the motor strip.
MOTOR_CHANNELS = (
    *("Fz", "FC3", "FC1", "FCz", "FC2", "FC4", "C5", "C3", "C1", "Cz", "C2"),
    *("C4", "C6", "CP3", "CP1", "CPz", "CP2", "CP4", "P1", "Pz", "P2", "POz"),
)

#: Where the rhythms arise: each area lies below the mean position of its electrodes.
AREAS = {
    "left hand area": ("C3",),
    "right hand area": ("C4",),
    "foot area": ("Cz",),
    "left tongue area": ("C5", "T7"),
    "right tongue area": ("C6", "T8"),
    "visual cortex": ("Oz",),
}

#: Relative loss of rhythm in each area during imagery; negative is a gain. The left hand moves the
#: right hand area most, the other hand area a little; feet imagery enhances the hand rhythms.
DESYNCHRONISATION: dict[str, dict[str, float]] = {
    "left_hand": {"right hand area": 1.0, "left hand area": 0.2},
    "right_hand": {"left hand area": 1.0, "right hand area": 0.2},
    "feet": {"foot area": 1.0, "left hand area": -0.25, "right hand area": -0.25},
    "tongue": {"left tongue area": 1.0, "right tongue area": 1.0},
    "rest": {},
}

#: Peak (mean, standard deviation over subjects, lowest, highest) and width of each rhythm, in Hz.
BANDS = {"mu": ((10.5, 1.0, 8.5, 12.5), 1.0), "beta": ((21.0, 1.8, 17.0, 25.0), 1.5)}

#: Root mean square of the rhythms at their area, relative to the background's: mu, beta.
_MOTOR_AMPLITUDE = (1.2, 0.6)
_VISUAL_AMPLITUDE = (1.0, 0.0)

#: The share of a rhythm's power that full imagery removes at difficulty 0.
_DEEPEST = 0.95
_N_BACKGROUND_SOURCES = 48
_BACKGROUND_RMS = 10e-6  # volts
#: Imagery begins this long after the cue, and takes hold within this time constant, in seconds.
_ONSET, _ONSET_CONSTANT = 0.4, 0.06


def simulate_motor_imagery(
    n_subjects: int = 4,
    n_sessions: int = 2,
    n_runs: int = 2,
    n_trials: int = 20,
    *,
    classes: Sequence[str] = ("left_hand", "right_hand"),
    ch_names: Sequence[str] = MOTOR_CHANNELS,
    montage: str | mne.channels.DigMontage | None = None,
    sfreq: float = 128.0,
    tmin: float = 0.5,
    tmax: float = 3.0,
    difficulty: float = 0.5,
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
) -> EEGData:
    """Simulate trials of motor imagery.

    Imagining a movement weakens the mu (8-13 Hz) and beta (16-26 Hz) rhythms over the part of the
    motor cortex that would command it: for a hand, over the opposite hemisphere [1]_. A trial is
    the sum of

    * background: sources spread over the head whose power falls as 1 / f to the power of about
      one, mixed by their distance to each electrode, so that neighbouring electrodes correlate;
    * rhythms: narrow-band noise from both hand areas, the foot area and both tongue areas, which
      imagery weakens about 0.4 s after the cue, and an occipital alpha that says nothing;
    * white sensor noise.

    Subjects differ in amplitude, spectral slope, peak frequencies, depth of the desynchronisation
    and in where their areas lie; sessions in electrode gains and a slightly displaced cap; trials
    in the strength of each rhythm.

    Parameters
    ----------
    n_subjects, n_sessions, n_runs : int
        Number of subjects, of sessions per subject, and of runs per session.
    n_trials : int, default=20
        Number of trials per run, over all classes, which are as balanced as it allows.
    classes : sequence of str, default=("left_hand", "right_hand")
        Two or more of ``"left_hand"``, ``"right_hand"``, ``"feet"``, ``"tongue"``, ``"rest"``.
    ch_names : sequence of str
        Electrodes of the montage; by default the 22 of BCI Competition IV 2a.
    montage : str or mne.channels.DigMontage, optional
        Says where electrodes lie: a montage, or the name of one that MNE has. By default MNE's
        template of the 10-05 system.
    sfreq : float, default=128.0
        Sampling rate, in Hz; at least 64, to hold the beta rhythm.
    tmin, tmax : float
        Start and end of the trials, in seconds from the cue; `tmax` itself is not included.
    difficulty : float, default=0.5
        From 0, where nearly the whole rhythm vanishes and classifiers are nearly perfect, to 1,
        where imagery changes nothing and accuracy is at chance. Full imagery removes the share
        0.95 * (1 - difficulty ** 2) of a rhythm's power, times the subject's responsiveness.
    random_state : int, Generator, RandomState or None, default=None
        An int gives the same data every time. Subject k is the same however many follow. The
        global generator of numpy is neither read nor advanced.

    Returns
    -------
    data : EEGData
        Of n_subjects * n_sessions * n_runs * n_trials trials, in volts. Metadata: ``subject``
        (from 1), ``session`` and ``run`` (``"0"``, ``"1"``, ...), ``trial`` (in its run, from 0).

    Raises
    ------
    ValueError
        If a parameter is out of range, or a class or electrode is unknown.

    References
    ----------
    .. [1] Pfurtscheller, G. and Lopes da Silva, F. H. (1999). Event-related EEG/MEG
       synchronization and desynchronization: basic principles. Clinical Neurophysiology 110(11),
       1842-1857. https://doi.org/10.1016/S1388-2457(99)00141-8

    Examples
    --------
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> data.shape
    (80, 22, 320)
    """
    counts = {
        "n_subjects": n_subjects,
        "n_sessions": n_sessions,
        "n_runs": n_runs,
        "n_trials": n_trials,
    }
    _check(counts, classes, sfreq, tmin, tmax, difficulty)
    electrodes, areas = positions(montage, ch_names, AREAS)
    times = tmin + np.arange(round((tmax - tmin) * sfreq)) / sfreq
    design = _Design(
        electrodes=electrodes,
        areas=areas,
        times=times,
        sfreq=sfreq,
        depths=(1 - difficulty**2) * _DEEPEST * _desynchronisation(classes),
    )
    parts = []
    for i, rng in enumerate(generator(random_state).spawn(n_subjects)):
        subject = _Subject.draw(rng, len(areas))
        for session, session_rng in enumerate(rng.spawn(n_sessions)):
            labels = _balanced_labels(session_rng, n_runs, n_trials, len(classes))
            parts.append(
                EEGData.from_arrays(
                    _simulate_session(session_rng, subject, design, labels.ravel()),
                    np.asarray(classes)[labels.ravel()],
                    sfreq,
                    ch_names,
                    metadata=pd.DataFrame(
                        {
                            "subject": i + 1,
                            "session": str(session),
                            "run": np.repeat([str(run) for run in range(n_runs)], n_trials),
                            "trial": np.tile(np.arange(n_trials), n_runs),
                        }
                    ),
                )
            )
    return EEGData.concatenate(parts)


@dataclass(frozen=True)
class _Design:
    """What all sessions share."""

    electrodes: FloatArray  # (n_chans, 3), on the unit sphere
    areas: FloatArray  # (n_areas, 3), on the unit sphere
    times: FloatArray  # (n_times,), in seconds from the cue
    sfreq: float
    depths: FloatArray  # (n_classes, n_areas), share of the power lost


@dataclass(frozen=True)
class _Subject:
    """What all sessions of one subject share."""

    gain: float
    exponent: float
    responsiveness: float
    sources: FloatArray  # (n_sources, 3), of the background
    strengths: FloatArray  # (n_sources,)
    displacement: FloatArray  # (n_areas, 3), of the areas from where the atlas has them
    peaks: FloatArray  # (n_bands, n_areas), in Hz

    @classmethod
    def draw(cls, rng: np.random.Generator, n_areas: int) -> _Subject:
        peaks = []
        for (mean, deviation, lowest, highest), _ in BANDS.values():
            # One peak a subject; its areas lie close to it.
            own = mean + deviation * rng.standard_normal()
            peaks.append(np.clip(own + 0.3 * rng.standard_normal(n_areas), lowest, highest))
        return cls(
            gain=np.exp(0.25 * rng.standard_normal()),
            exponent=rng.uniform(0.8, 1.2),
            responsiveness=rng.uniform(0.75, 1.05),
            sources=unit(rng.standard_normal((_N_BACKGROUND_SOURCES, 3))),
            strengths=rng.standard_normal(_N_BACKGROUND_SOURCES),
            displacement=0.08 * rng.standard_normal((n_areas, 3)),
            peaks=np.array(peaks),
        )


def _simulate_session(
    rng: np.random.Generator, subject: _Subject, design: _Design, labels: NDArray[np.intp]
) -> FloatArray:
    n_times = len(design.times)
    freqs = frequencies(n_times, design.sfreq)
    electrodes = unit(design.electrodes + 0.03 * rng.standard_normal(3))

    mixing = fields(electrodes, subject.sources) * subject.strengths
    trials = background(rng, mixing, subject.exponent, freqs, (len(labels), n_times))

    rhythms = _rhythms(rng, subject, design, labels, freqs)
    of_areas = fields(electrodes, unit(design.areas + subject.displacement))
    trials += of_areas.astype(np.float32) @ rhythms

    trials += 0.1 * rng.standard_normal(trials.shape, dtype=np.float32)
    gains = np.exp(0.05 * rng.standard_normal((len(electrodes), 1)))
    return trials * (_BACKGROUND_RMS * subject.gain * gains).astype(np.float32)


def _rhythms(
    rng: np.random.Generator,
    subject: _Subject,
    design: _Design,
    labels: NDArray[np.intp],
    freqs: FloatArray,
) -> FloatArray:
    """Return the rhythms of each area, shape (n_trials, n_areas, n_times)."""
    n_trials, n_areas, n_times = len(labels), len(design.areas), len(design.times)
    amplitudes = np.tile(np.array(_MOTOR_AMPLITUDE)[:, None], n_areas)
    amplitudes[:, list(AREAS).index("visual cortex")] = _VISUAL_AMPLITUDE
    lost = (subject.responsiveness * design.depths[labels])[:, :, None]
    imagery = 1 / (1 + np.exp(-(design.times - _ONSET) / _ONSET_CONSTANT))
    rhythms = np.zeros((n_trials, n_areas, n_times), dtype=np.float32)
    for peaks, amplitude, (_, width) in zip(subject.peaks, amplitudes, BANDS.values(), strict=True):
        bumps = np.exp(-0.5 * ((freqs - peaks[:, None]) / width) ** 2)
        strength = amplitude * np.exp(0.25 * rng.standard_normal((n_trials, n_areas)))
        noise = coloured_noise(rng, bumps, (n_trials, n_areas), n_times)
        rhythms += noise * strength[:, :, None].astype(np.float32)
    return rhythms * np.sqrt(1 - lost * imagery).astype(np.float32)


def _balanced_labels(
    rng: np.random.Generator, n_runs: int, n_trials: int, n_classes: int
) -> NDArray[np.intp]:
    """Return class indices in random order, shape (n_runs, n_trials)."""
    # Where the classes do not go into a run, the next run begins with the ones left out.
    labels = (np.arange(n_runs * n_trials) % n_classes).reshape(n_runs, n_trials)
    return rng.permuted(labels, axis=1)


def _desynchronisation(classes: Sequence[str]) -> FloatArray:
    """Return the table as an array, shape (n_classes, n_areas)."""
    return np.array(
        [[DESYNCHRONISATION[name].get(area, 0.0) for area in AREAS] for name in classes]
    )


def _check(
    counts: dict[str, int],
    classes: Sequence[str],
    sfreq: float,
    tmin: float,
    tmax: float,
    difficulty: float,
) -> None:
    check_counts(counts)
    unknown = [name for name in classes if name not in DESYNCHRONISATION]
    if unknown or len(set(classes)) != len(classes) or len(classes) < 2:
        raise ValueError(
            f"classes must be two or more different ones of {sorted(DESYNCHRONISATION)}, "
            f"got {list(classes)}."
        )
    if not sfreq >= 64:
        raise ValueError(f"sfreq must be 64 Hz or more, to hold the beta rhythm, got {sfreq!r}.")
    if not tmax - tmin >= 0.5:
        raise ValueError(
            f"A trial must last half a second or more, got tmin={tmin!r} and tmax={tmax!r}."
        )
    if not 0 <= difficulty <= 1:
        raise ValueError(f"difficulty must lie between 0 and 1, got {difficulty!r}.")
