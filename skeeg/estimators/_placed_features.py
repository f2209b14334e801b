"""Features of electrodes from tables and arrays, with the positions of the electrodes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._electrodes import has_place, sphere_positions
from .._validation import POINTS, Unwrapped, check_numbers, unwrap
from .._warnings import user_stacklevel
from ..features import FeatureTable
from ..features._base import by_kind, check_ch_names


@dataclass(frozen=True)
class PlacedFeatures(Unwrapped):
    """Features of electrodes before validation.

    Parameters
    ----------
    values, ch_names, sfreq
        As in `Unwrapped`. ``values`` has shape (n_trials, n_chans, n_features) if the electrodes
        have names, and otherwise the shape that the user passed. ``ch_names`` are electrodes with a
        known position.
    positions : ndarray, shape (n_chans, 3), optional
        Positions of the electrodes.
    kinds : tuple of str, optional
        Name of each feature, such as its band.
    """

    positions: NDArray[np.float64] | None = None
    kinds: tuple[str, ...] | None = None


def read_features(
    X: Any, ch_names: Sequence[str] | None, montage: Any, *, reset: bool, name: str
) -> PlacedFeatures:
    """Return features by electrode, with the positions of the electrodes.

    Parameters
    ----------
    X : FeatureTable, DataFrame, torch.Tensor, array-like or PlacedFeatures
        Shape (n_trials, n_chans, n_features); or, with names, (n_trials, n_features * n_chans): all
        channels in the first band, then all channels in the second, and so on. Columns of a data
        frame such as ``"C3_alpha"`` name electrodes and bands, in any order.
    ch_names : sequence of str, optional
        Names of the electrodes, if `X` has none.
    montage : str or mne.channels.DigMontage, optional
        As in `sphere_positions`.
    reset : bool
        Whether the function is called in ``fit``, which warns about names without a position.
    name : str
        Name of the estimator, for messages.

    Returns
    -------
    features : PlacedFeatures
        `PlacedFeatures` and recordings, for which validation raises an error, are not changed.

    Raises
    ------
    ValueError
        If the number of names is not that of the channels of `X`, or only some of the names are
        electrodes.
    """
    if isinstance(X, PlacedFeatures):
        return X
    trials = unwrap(X)
    if trials.sfreq is not None and not isinstance(X, FeatureTable):
        return PlacedFeatures(trials.values, trials.ch_names, trials.sfreq)
    values, named, kinds = _read_names(X if isinstance(X, FeatureTable) else trials.values)
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
    """Return the features of each electrode in the order of ``fit``.

    Parameters
    ----------
    features : PlacedFeatures
        Features with ``kinds``.
    kinds : tuple of str
        The kinds in ``fit``.
    name : str
        Name of the estimator, for messages.

    Returns
    -------
    features : PlacedFeatures

    Raises
    ------
    ValueError
        If the features are not those of ``fit``.
    """
    assert features.kinds is not None  # callers check this
    if features.kinds == kinds:
        return features
    if set(features.kinds) != set(kinds):
        raise ValueError(
            f"X has the features {', '.join(features.kinds)} of each channel, but {name} was "
            f"fitted with {', '.join(kinds)}. Compute the same features, or fit again."
        )
    order = [features.kinds.index(kind) for kind in kinds]
    return replace(features, values=features.values[:, :, order], kinds=kinds)


def _read_names(values: Any) -> tuple[Any, tuple[str, ...] | None, tuple[str, ...] | None]:
    """Return the values of a table, and its names of channels and features if it has them."""
    if isinstance(values, FeatureTable):
        return values.X, values.ch_names, values.bands
    columns = [str(column) for column in getattr(values, "columns", ())]
    if not columns or not all("_" in column for column in columns):
        return values, None, None
    # The name of a band may have an underscore, that of an electrode has none.
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
            f"ch_names as X has channels; for a montage other than that in fit, set them with "
            f"{name}.set_params(ch_names=...), or pass a FeatureTable or a data frame with columns "
            "such as 'C3_alpha'."
        )
    return checked


def _warn_of_unknown(named: tuple[str, ...], name: str) -> None:
    warnings.warn(
        f"The montage has none of the channels of X, such as {named[0]!r}: {name} distributes them "
        "evenly over the head in their order. Pass ch_names to set their positions.",
        stacklevel=user_stacklevel(),
    )
