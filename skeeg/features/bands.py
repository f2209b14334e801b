"""Frequency bands: the named sets of them, and the check of those a user passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TypeAlias

from .._checks import check_positive, did_you_mean

Bands: TypeAlias = str | Mapping[str, tuple[float, float]] | Sequence[tuple[float, float]]
"""The name of a set in `BANDS`, edges in Hz by band name, or a list of edges in Hz."""

BANDS: dict[str, dict[str, tuple[float, float]]] = {
    "classic": {
        "delta": (1.0, 4.0),
        "theta": (4.0, 8.0),
        "alpha": (8.0, 13.0),
        "beta": (13.0, 30.0),
        "gamma": (30.0, 45.0),
    },
    "deap": {
        "theta": (4.0, 8.0),
        "alpha": (8.0, 14.0),
        "beta": (14.0, 31.0),
        "gamma": (31.0, 45.0),
    },
    "seed": {
        "delta": (1.0, 3.0),
        "theta": (4.0, 7.0),
        "alpha": (8.0, 13.0),
        "beta": (14.0, 30.0),
        "gamma": (31.0, 50.0),
    },
}
"""The named sets of bands: the lower and upper edge of each band, in Hz.

``"deap"`` has no delta band: the released recordings are filtered to 4-45 Hz. ``"seed"`` are the
bands published with the SEED data.
"""

#: The width of the narrowest band, and the lowest lower edge above 0 Hz, as a fraction of the
#: sampling rate: in double precision, a filter of order 2 attains its gain there to 1e-4.
NARROWEST = 1e-7


def check_bands(bands: Bands, sfreq: float) -> dict[str, tuple[float, float]]:
    """Return frequency bands by name, checked against the sampling rate.

    Parameters
    ----------
    bands : str, mapping or sequence
        The name of a set in `BANDS`; edges in Hz by band name, ``{"alpha": (8, 13)}``; or a list
        of edges, ``[(8, 13), (13, 30)]``, whose bands are then named by them, ``"8-13"``.
    sfreq : float
        Sampling rate, in Hz.

    Returns
    -------
    bands : dict of str to (float, float)
        The lower and upper edge of each band, in Hz.

    Raises
    ------
    ValueError
        If the rate is not a positive number, the set is unknown, there is no band, two bands have
        one name, or a band is not a pair of rising edges between 0 Hz and the Nyquist frequency,
        half the rate; or if its width, or its lower edge above 0 Hz, is less than 1e-7 of the rate.

    Examples
    --------
    >>> check_bands([(8, 13), (13, 30)], sfreq=128)
    {'8-13': (8.0, 13.0), '13-30': (13.0, 30.0)}
    """
    nyquist = check_positive("sfreq", sfreq, "Hz") / 2
    checked = {name: _check_edges(name, edges, nyquist) for name, edges in _by_name(bands).items()}
    if not checked:
        raise ValueError("bands must hold at least one band, got none.")
    return checked


def _by_name(bands: Bands) -> Mapping[str, Sequence[float]]:
    if isinstance(bands, str):
        if bands not in BANDS:
            raise ValueError(
                f"bands must be one of {', '.join(map(repr, BANDS))}, a dict of edges in Hz by "
                f"name or a list of edges in Hz; got {bands!r}.{did_you_mean(bands, BANDS)}"
            )
        return BANDS[bands]
    try:
        if isinstance(bands, Mapping):
            named = [(str(name), edges) for name, edges in bands.items()]
        else:
            named = [("-".join(f"{edge:g}" for edge in edges), edges) for edges in bands]
    except (TypeError, ValueError) as error:
        raise ValueError(
            "bands must be the name of a set, a dict of edges in Hz by name or a list of pairs of "
            f"edges in Hz, got {bands!r}."
        ) from error
    by_name = dict(named)
    if len(by_name) < len(named):
        raise ValueError(
            f"bands must have different names; {len(named)} bands have the names "
            f"{', '.join(map(repr, by_name))}. Pass a dict of edges in Hz by name."
        )
    return by_name


def _check_edges(name: str, edges: Sequence[float], nyquist: float) -> tuple[float, float]:
    try:
        pair = tuple(edges)
    except TypeError:
        pair = ()
    if len(pair) != 2 or not all(isinstance(e, Real) and not isinstance(e, bool) for e in pair):
        raise ValueError(
            f"Band {name!r} must be a pair of edges in Hz, such as (8, 13), got {edges!r}."
        )
    low, high = map(float, pair)
    if not 0 <= low < high:
        raise ValueError(
            f"Band {name!r} must rise from an edge of at least 0 Hz to a higher one, got {edges!r}."
        )
    if not high <= nyquist:
        raise ValueError(
            f"Band {name!r} ({low:g}-{high:g} Hz) reaches above the Nyquist frequency: a sampling "
            f"rate of {2 * nyquist:g} Hz holds frequencies up to {nyquist:g} Hz. Leave the band "
            "out, lower its edge, or pass the true sfreq."
        )
    if min(low or high, high - low) < NARROWEST * 2 * nyquist:
        raise ValueError(
            f"Band {name!r} ({low:g}-{high:g} Hz) is too narrow, or too close to 0 Hz, for a "
            f"sampling rate of {2 * nyquist:g} Hz: its width and its lower edge must be at least "
            f"{NARROWEST * 2 * nyquist:g} Hz. Pass sfreq and bands in Hz."
        )
    return low, high
