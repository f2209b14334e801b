"""Features of electrodes, out of whatever holds them, and where the electrodes lie."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._electrodes import has_place, sphere_positions
from .._validation import POINTS, Unwrapped, check_numbers, unwrap
from ..features import FeatureTable
from ..features._base import by_kind, check_ch_names


@dataclass(frozen=True)
class PlacedFeatures(Unwrapped):
    """Features of electrodes, shape (n_trials, n_chans, n_features), for the gate.

    Where nothing names electrodes, they are what a user passed.

    Parameters
    ----------
    values, ch_names, sfreq
        As in `Unwrapped`; names are those of electrodes whose places are known.
    positions : ndarray, shape (n_chans, 3), optional
        The places.
    kinds : tuple of str, optional
        What each feature is, such as its band.
    """

    positions: NDArray[np.float64] | None = None
    kinds: tuple[str, ...] | None = None


def read_features(
    X: Any, ch_names: Sequence[str] | None, montage: Any, *, reset: bool, name: str
) -> PlacedFeatures:
    """Sort features by electrode, and find where the electrodes lie.

    Parameters
    ----------
    X : FeatureTable, DataFrame, torch.Tensor, array-like or PlacedFeatures
        Shape (n_trials, n_chans, n_features); or, where names are known, (n_trials, n_features *
        n_chans): all channels in the first band, then all channels in the second, and so on.
        Columns of a data frame such as ``"C3_alpha"`` name electrodes and bands, in any order.
    ch_names : sequence of str, optional
        The electrodes, where `X` does not name them.
    montage : str or mne.channels.DigMontage, optional
        As in `sphere_positions`.
    reset : bool
        Whether this is ``fit``, which warns of names that stand for no place.
    name : str
        Of the estimator, for messages.

    Returns
    -------
    features : PlacedFeatures
        What is sorted already and recordings, which the gate refuses, come back as they are.

    Raises
    ------
    ValueError
        If names do not fit `X`, or some of them are no electrodes.
    """
    if isinstance(X, PlacedFeatures):
        return X
    trials = unwrap(X)
    if trials.sfreq is not None:
        return PlacedFeatures(trials.values, trials.ch_names, trials.sfreq)
    values, named, kinds = _read_names(trials.values)
    if named is not None and not any(has_place(channel, montage) for channel in named):
        if ch_names is None:
            if reset and len(named) > 1:
                _warn_of_unknown(named, name)
            return PlacedFeatures(_by_channel(values, len(named), name), kinds=kinds)
        named, kinds = None, None
    if named is None and ch_names is not None:
        named = check_ch_names(ch_names, name)
    if named is None:
        return PlacedFeatures(values)
    positions = sphere_positions(named, montage)
    features = _by_channel(values, len(named), name)
    return PlacedFeatures(features, named, positions=positions, kinds=kinds)


def in_order_of(features: PlacedFeatures, kinds: tuple[str, ...], *, name: str) -> PlacedFeatures:
    """Bring the features of each electrode into the order of ``fit``.

    Parameters
    ----------
    features : PlacedFeatures
        With known kinds.
    kinds : tuple of str
        Those of ``fit``.
    name : str
        Of the estimator, for messages.

    Returns
    -------
    features : PlacedFeatures

    Raises
    ------
    ValueError
        If they are other features.
    """
    assert features.kinds is not None  # callers know that
    if features.kinds == kinds:
        return features
    if set(features.kinds) != set(kinds):
        raise ValueError(
            f"X has the features {', '.join(features.kinds)} of each channel, but {name} was "
            f"fitted with {', '.join(kinds)}. Compute the same ones, or fit anew."
        )
    order = [features.kinds.index(kind) for kind in kinds]
    return replace(features, values=features.values[:, :, order], kinds=kinds)


def _read_names(values: Any) -> tuple[Any, tuple[str, ...] | None, tuple[str, ...] | None]:
    """Return the values of a table, and the names of channels and features that it knows."""
    if isinstance(values, FeatureTable):
        return values.X, values.ch_names, values.bands
    columns = [str(column) for column in getattr(values, "columns", ())]
    if not columns or not all("_" in column for column in columns):
        return values, None, None
    # A band's name may have an underscore, an electrode's has none.
    parts = [(channel, kind) for channel, _, kind in (c.partition("_") for c in columns)]
    channels = tuple(dict.fromkeys(channel for channel, _ in parts))
    kinds = tuple(dict.fromkeys(kind for _, kind in parts))
    grid = [(channel, kind) for kind in kinds for channel in channels]
    if len(parts) != len(grid) or set(parts) != set(grid):
        return values, None, None
    if parts != grid:
        values = values.iloc[:, [parts.index(cell) for cell in grid]]
    return values, channels, kinds


def _by_channel(values: Any, n_chans: int, name: str) -> NDArray[Any]:
    """Return features by channel, shape (n_trials, n_chans, n_features)."""
    checked = check_numbers(values, name=name, axes=POINTS)
    if checked.ndim == 2:
        return by_kind(checked, n_chans, name).transpose(0, 2, 1)
    if checked.ndim == 3 and checked.shape[1] != n_chans:
        raise ValueError(
            f"X has {checked.shape[1]} channels, but there are names of {n_chans}. Pass as many "
            f"ch_names as X has channels; for another montage than that of fit, set them with "
            f"{name}.set_params(ch_names=...), or pass a FeatureTable or a data frame with columns "
            "such as 'C3_alpha'."
        )
    return checked


def _warn_of_unknown(named: tuple[str, ...], name: str) -> None:
    warnings.warn(
        f"The montage knows none of the channels of X, such as {named[0]!r}: {name} spreads them "
        "evenly over the head in the order they come in. To tell where they lie, pass ch_names.",
        stacklevel=2,
    )
