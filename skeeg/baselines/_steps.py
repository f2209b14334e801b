"""Steps that several baselines share."""

from __future__ import annotations

from typing import Any

from ..features import FilterBank, UnitScaler
from ..features.bands import Bands, check_bands

#: Strengths of regularisation among which ridge regressions choose.
ALPHAS = tuple(10.0**exponent for exponent in range(-3, 6))


def array_steps(bands: Bands | None, sfreq: float | None) -> list[tuple[str, Any]]:
    """Return the steps that lead to other packages' transformers: a filter, if any, and scaling.

    Parameters
    ----------
    bands : str, mapping or sequence, optional
        As `skeeg.features.FilterBank` takes them.
    sfreq : float, optional
        Sampling rate, in Hz.

    Returns
    -------
    steps : list of (name, transformer)

    Raises
    ------
    ValueError
        If there is one without the other, or a band is wrong.
    """
    if bands is None and sfreq is None:
        return [("scale", UnitScaler())]
    if bands is None or sfreq is None:
        raise ValueError(
            f"bands and sfreq go together, got bands={bands!r} and sfreq={sfreq!r}: pass both to "
            "filter the trials, or none to take them as they are."
        )
    check_bands(bands, sfreq)
    return [("filter", FilterBank(sfreq, bands)), ("scale", UnitScaler())]
