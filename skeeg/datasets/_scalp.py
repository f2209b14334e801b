"""Sources in a head, as the simulators mix them: their places, fields and time courses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from .._electrodes import from_centre, template_montage

if TYPE_CHECKING:
    import mne

FloatArray = NDArray[np.floating[Any]]

#: Angle over which the field of a source falls off on the scalp, in radians.
_FIELD_WIDTH = 0.45


def frequencies(n_times: int, sfreq: float) -> FloatArray:
    """Return the frequencies of spectra from which `coloured_noise` makes trials.

    They are those of twice the length, of which half is kept: what an inverse Fourier transform
    makes is periodic, and a trial whose end runs into its start has no slow drift.

    Parameters
    ----------
    n_times : int
        Samples in a trial.
    sfreq : float
        Sampling rate, in Hz.

    Returns
    -------
    freqs : ndarray, shape (n_freqs,)
        In Hz, from zero to the Nyquist frequency.
    """
    return scipy.fft.rfftfreq(scipy.fft.next_fast_len(2 * n_times, real=True), 1 / sfreq)


def background(
    rng: np.random.Generator,
    mixing: FloatArray,
    exponent: float,
    freqs: FloatArray,
    shape: tuple[int, int],
) -> NDArray[np.float32]:
    """Return background activity: sources whose power falls as 1 / f ** exponent, mixed.

    Parameters
    ----------
    rng : Generator
    mixing : ndarray, shape (n_chans, n_sources)
        The field of each source at each electrode, in any unit.
    exponent : float
        Of the power spectrum.
    freqs : ndarray, shape (n_freqs,)
        As from `frequencies`.
    shape : tuple of int
        Trials, and samples in each.

    Returns
    -------
    trials : ndarray of float32, shape (n_trials, n_chans, n_times)
        With a variance of 1 on average over channels.
    """
    n_trials, n_times = shape
    mixing = mixing / np.sqrt(np.mean(np.sum(mixing**2, axis=1)))
    slope = np.maximum(freqs, 0.5) ** (-exponent / 2)
    noise = coloured_noise(rng, slope, (n_trials, mixing.shape[1]), n_times)
    return mixing.astype(np.float32) @ noise


def coloured_noise(
    rng: np.random.Generator, amplitudes: FloatArray, shape: tuple[int, int], n_times: int
) -> NDArray[np.float32]:
    """Return Gaussian noise of unit variance, of `n_times` samples.

    Parameters
    ----------
    rng : Generator
    amplitudes : ndarray, shape (n_freqs,) or (shape[1], n_freqs)
        Amplitude spectrum, from zero to the Nyquist frequency, in any unit. Its mean is left out.
    shape : tuple of int
    n_times : int
        At most 2 * (n_freqs - 1).

    Returns
    -------
    noise : ndarray of float32, shape (*shape, n_times)
    """
    amplitudes = amplitudes.copy()
    amplitudes[..., 0] = 0
    n_freqs = amplitudes.shape[-1]
    period = 2 * (n_freqs - 1)
    # Each frequency contributes twice (as itself and its negative) two unit Gaussians.
    amplitudes *= period / 2 / np.sqrt(np.sum(amplitudes**2, axis=-1, keepdims=True))
    gaussian = rng.standard_normal((*shape, 2 * n_freqs), dtype=np.float32).view(np.complex64)
    spectrum = gaussian * amplitudes.astype(np.float32)
    return scipy.fft.irfft(spectrum, n=period, axis=-1, overwrite_x=True)[..., :n_times]


def positions(
    montage: str | mne.channels.DigMontage | None,
    ch_names: Sequence[str],
    areas: Mapping[str, Sequence[str]],
) -> tuple[FloatArray, FloatArray]:
    """Return where electrodes and areas lie on the unit sphere.

    Parameters
    ----------
    montage : str or mne.channels.DigMontage, optional
        By default MNE's template of the 10-05 system.
    ch_names : sequence of str
    areas : mapping of str to sequence of str
        An area lies at the mean position of its electrodes.

    Returns
    -------
    electrodes : ndarray, shape (n_chans, 3)
    sources : ndarray, shape (n_areas, 3)

    Raises
    ------
    ValueError
        If the montage lacks an electrode.
    """
    from mne.channels import make_standard_montage

    if montage is None:
        montage = template_montage()
    placed = make_standard_montage(montage) if isinstance(montage, str) else montage
    places = from_centre(placed)
    needed = {name for names in areas.values() for name in names}
    unknown = [name for name in (*ch_names, *sorted(needed)) if name not in places]
    if unknown:
        raise ValueError(
            f"The montage has no electrode {', '.join(unknown)}. It needs those of "
            f"ch_names and, to place the rhythms, {', '.join(sorted(needed))}."
        )
    electrodes = np.array([places[name] for name in ch_names])
    sources = [np.mean([places[name] for name in names], axis=0) for names in areas.values()]
    return unit(electrodes), unit(np.array(sources))


def fields(electrodes: FloatArray, sources: FloatArray) -> FloatArray:
    """Return the field of each source at each electrode: a Gaussian of the angle between them.

    Parameters
    ----------
    electrodes : ndarray, shape (n_chans, 3)
    sources : ndarray, shape (n_sources, 3)
        On the unit sphere.

    Returns
    -------
    fields : ndarray, shape (n_chans, n_sources)
    """
    angles = np.arccos(np.clip(electrodes @ sources.T, -1, 1))
    return np.exp(-0.5 * (angles / _FIELD_WIDTH) ** 2)


def unit(vectors: FloatArray) -> FloatArray:
    """Return vectors of length 1.

    Parameters
    ----------
    vectors : ndarray, shape (..., 3)

    Returns
    -------
    vectors : ndarray, shape (..., 3)
    """
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def generator(
    random_state: int | np.random.Generator | np.random.RandomState | None,
) -> np.random.Generator:
    """Return a generator that neither reads nor advances numpy's global one.

    Parameters
    ----------
    random_state : int, Generator, RandomState or None

    Returns
    -------
    rng : Generator
    """
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**31))
    return np.random.default_rng(random_state)


def check_counts(counts: Mapping[str, int]) -> None:
    """Raise a `ValueError` unless each count is a whole number from 1.

    Parameters
    ----------
    counts : mapping of str to int
    """
    for name, count in counts.items():
        if not isinstance(count, (int, np.integer)) or count < 1:
            raise ValueError(f"{name} must be a whole number from 1, got {count!r}.")
