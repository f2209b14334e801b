"""Features of windows, with their labels and the metadata that a valid split needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from .._labelled import LabelledRows, describe_labels
from ..data import EEGData
from ._base import BandFeatures
from ._checks import check_eeg_data


@dataclass(frozen=True, eq=False, repr=False)
class FeatureTable(LabelledRows):
    """Features that were computed once: a row for each window, in the layout of `BandPower`.

    Some features need more than the window they describe, such as a filter that is applied to the
    whole trial, or the baseline before it. A transformer of windows cannot compute them, so they
    are computed once and stored as a table. It has the length, the shape and the indexing of its
    array, so that ``cross_val_score`` and ``GridSearchCV`` split it like an array, together with
    its labels and metadata.

    Parameters
    ----------
    X : ndarray of float64, shape (n_windows, n_bands * n_chans)
        The features: all channels in the first band, then all channels in the second, and so on.
    y : ndarray, shape (n_windows,)
        The label of each window; strings or numbers.
    bands : tuple of str
        Name of each band.
    ch_names : tuple of str
        Name of each channel.
    metadata : pandas.DataFrame
        A row per window. The columns ``subject``, ``session``, ``run`` and ``trial`` identify its
        recorded trial, ``window`` is its start in the trial, in seconds.
    window : float
        Length of a window, in seconds.

    Raises
    ------
    ValueError
        If shapes and names contradict each other, or a feature is not finite.

    See Also
    --------
    deap_entropy : Returns one.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import GroupKFold, cross_val_score
    >>> from sklearn.svm import SVC
    >>> from skeeg import EEGData
    >>> from skeeg.features import deap_entropy
    >>> X = np.random.default_rng(0).standard_normal((6, 2, 640))
    >>> data = EEGData.from_arrays(X, [0, 1] * 3, sfreq=128, ch_names=["C3", "C4"])
    >>> table = deap_entropy(data)
    >>> table
    <FeatureTable: 30 windows of 1 s x 4 bands x 2 channels; 0: 15, 1: 15>
    >>> groups = table.groups("trial")
    >>> cross_val_score(SVC(), table, table.y, groups=groups, cv=GroupKFold(3)).shape
    (3,)
    """

    X: NDArray[np.float64]
    y: NDArray[Any]
    bands: tuple[str, ...]
    ch_names: tuple[str, ...]
    metadata: pd.DataFrame
    window: float

    def __post_init__(self) -> None:
        self._check_rows("windows")
        n_expected = len(self.bands) * len(self.ch_names)
        if self.X.ndim != 2 or self.X.shape[1] != n_expected:
            raise ValueError(
                f"X must have shape (n_windows, {n_expected}), of {len(self.bands)} bands times "
                f"{len(self.ch_names)} channels, got {self.X.shape}."
            )
        if not np.isfinite(self.X).all():
            row, column = np.argwhere(~np.isfinite(self.X))[0]
            raise ValueError(
                f"X is not finite: feature {self.feature_names[column]} of window {row} is "
                f"{self.X[row, column]}."
            )

    @classmethod
    def from_data(cls, data: EEGData, features: BandFeatures) -> FeatureTable:
        """Compute features that depend on the trial only.

        In a pipeline, use the transformer itself, which also transforms new trials. A table is for
        steps before the split, such as `standardise_subjects_transductively`.

        Parameters
        ----------
        data : EEGData
        features : BandPower or DifferentialEntropy
            The transformer; it is cloned.

        Returns
        -------
        table : FeatureTable
            A row for each trial.

        Raises
        ------
        TypeError
            If `data` is not an `EEGData`, or `features` is not a transformer of frequency bands.
        ValueError
            If there is no trial, a value is not finite, or the sampling rate differs from that of
            `features`.

        Examples
        --------
        >>> import numpy as np
        >>> from skeeg import EEGData
        >>> from skeeg.features import DifferentialEntropy, FeatureTable
        >>> X = np.random.default_rng(0).standard_normal((6, 2, 640))
        >>> data = EEGData.from_arrays(X, [0, 1] * 3, sfreq=128, ch_names=["C3", "C4"])
        >>> FeatureTable.from_data(data, DifferentialEntropy(sfreq=128))
        <FeatureTable: 6 windows of 5 s x 5 bands x 2 channels; 0: 3, 1: 3>
        """
        check_eeg_data(data, "data")
        if not isinstance(features, BandFeatures):
            raise TypeError(
                "features must be a transformer of frequency bands, such as BandPower or "
                f"DifferentialEntropy, got {type(features).__name__}."
            )
        fitted = clone(features).fit(data)
        return cls(
            X=np.asarray(fitted.transform(data)),
            y=data.y,
            bands=tuple(fitted._kinds()),
            ch_names=data.ch_names,
            metadata=data.metadata,
            window=data.duration,
        )

    @classmethod
    def concatenate(cls, parts: Sequence[FeatureTable]) -> FeatureTable:
        """Join tables of the same features, such as those of subjects computed one at a time.

        Parameters
        ----------
        parts : sequence of FeatureTable

        Returns
        -------
        table : FeatureTable

        Raises
        ------
        ValueError
            If `parts` is empty, or they differ in bands, channels or window.
        """
        if not parts:
            raise ValueError("There is nothing to concatenate: got no FeatureTable.")
        first = parts[0]
        for i, part in enumerate(parts):
            for what in ("bands", "ch_names", "window"):
                if getattr(part, what) != getattr(first, what):
                    raise ValueError(
                        f"Part {i} has {what} {getattr(part, what)}, part 0 has "
                        f"{getattr(first, what)}. Compute all parts with the same parameters."
                    )
        return cls(
            X=np.concatenate([part.X for part in parts]),
            y=np.concatenate([part.y for part in parts]),
            bands=first.bands,
            ch_names=first.ch_names,
            metadata=pd.concat([part.metadata for part in parts], ignore_index=True),
            window=first.window,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(n_windows, n_bands * n_chans)."""
        n_windows, n_features = self.X.shape
        return n_windows, n_features

    @property
    def duration(self) -> float:
        """Length of a window, in seconds."""
        return self.window

    @property
    def feature_names(self) -> list[str]:
        """Name of each column, ``"Fp1_theta"`` and so on."""
        return [f"{channel}_{band}" for band in self.bands for channel in self.ch_names]

    @property
    def identity(self) -> tuple[Any, ...]:
        """Shape, window, bands and channels."""
        return self.shape, self.window, self.bands, self.ch_names

    def describe(self) -> dict[str, Any]:
        """Return the shape, the bands and the channels as plain numbers and lists.

        Returns
        -------
        description : dict
        """
        n_windows, n_features = self.shape
        return {
            "n_windows": n_windows,
            "n_features": n_features,
            "window": self.window,
            "bands": list(self.bands),
            "ch_names": list(self.ch_names),
        }

    def __repr__(self) -> str:
        of_bands, of_channels = (
            f"{len(names)} {what}{'s' if len(names) > 1 else ''}"
            for names, what in ((self.bands, "band"), (self.ch_names, "channel"))
        )
        return (
            f"<FeatureTable: {len(self)} windows of {self.window:g} s x {of_bands} x "
            f"{of_channels}; {describe_labels(self.y)}>"
        )
