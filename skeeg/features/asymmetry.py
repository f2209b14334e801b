"""Differences between the sides of the head, and between its front and its back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from .._checks import check_choice, check_positive
from .._electrodes import caudal_pairs, lateral_pairs
from ._base import PlacedFeatures, check_ch_names

#: How electrodes are paired for each kind of asymmetry, and whether the second is subtracted
#: from the first, divides it, or both.
_KINDS: dict[str, tuple[Callable[[Sequence[str]], list[tuple[int, int]]], tuple[str, ...]]] = {
    "dasm": (lateral_pairs, ("difference",)),
    "rasm": (lateral_pairs, ("ratio",)),
    "asm": (lateral_pairs, ("difference", "ratio")),
    "dcau": (caudal_pairs, ("difference",)),
}
_SIGNS = {"difference": "-", "ratio": "/"}


def asymmetry(
    features: ArrayLike,
    ch_names: Sequence[str],
    kind: str = "dasm",
    *,
    log_features: bool = False,
    floor: float | None = None,
) -> NDArray[np.float64]:
    r"""Compare features between pairs of electrodes.

    Parameters
    ----------
    features : array-like, shape (..., n_chans)
        One feature of each channel, such as its entropy in one band.
    ch_names : sequence of str, length n_chans
        The channels' names as in the 10-20 system or its refinements, in either case. Those
        without a partner, such as the midline, are left out.
    kind : {"dasm", "rasm", "asm", "dcau"}, default="dasm"
        The difference left minus right; the ratio of left to right; all differences, then all
        ratios; or the difference front minus back.
    log_features : bool, default=False
        Whether the features are logarithms, such as entropies or the logarithm of power. The
        ratio is then that of what they are the logarithms of, exp(left - right).
    floor : float, optional
        The smallest absolute value of a divisor, so that no ratio is infinite. By default a
        hundredth of the median absolute feature.

    Returns
    -------
    asymmetry : ndarray of float64, shape (..., n_pairs), or (..., 2 * n_pairs) for ``"asm"``

    Raises
    ------
    ValueError
        If the names are not those of the last axis, no two of them make a pair, or `kind` or
        `floor` is wrong.

    See Also
    --------
    Asymmetry : The same as a transformer.
    asymmetry_pairs : Which channels are paired.

    Notes
    -----
    An electrode on the left has an odd number n, its mirror image n + 1. The rows Fp and O, F and
    P, FC and CP, FT and TP, and the half rows between them lie at equal distances in front of and
    behind the central line; AF3 and AF4 are paired with CB1 and CB2 only. These are the pairs
    published with the SEED data [1]_ (27 and 23 of its 62 channels); the 32 channels of DEAP have
    14 and 11.

    An entropy can be 0 or negative, and it depends on the unit, so that a ratio of entropies is
    hard to interpret for any `floor`. With entropies, use the difference or
    ``log_features=True``.

    References
    ----------
    .. [1] W.-L. Zheng, B.-L. Lu, "Investigating critical frequency bands and channels for
       EEG-based emotion recognition with deep neural networks", IEEE Transactions on Autonomous
       Mental Development 7(3):162-175, 2015.

    Examples
    --------
    >>> from skeeg.features import asymmetry
    >>> asymmetry([[3.0, 9.0, 1.0]], ["F3", "Fz", "F4"]).tolist()
    [[2.0]]
    >>> asymmetry([[3.0, 9.0, 1.0]], ["F3", "Fz", "F4"], "asm").tolist()
    [[2.0, 3.0]]
    """
    pairs = asymmetry_pairs(ch_names, kind)
    values = np.asarray(features, dtype=np.float64)
    if values.ndim < 1 or values.shape[-1] != len(ch_names):
        raise ValueError(
            f"features must have one entry for each of the {len(ch_names)} ch_names along the "
            f"last axis, got shape {values.shape}."
        )
    least = _floor(values) if floor is None else check_positive("floor", floor, "feature units")
    first, second = (values[..., list(side)] for side in zip(*pairs, strict=True))
    compared = []
    for how in _KINDS[kind][1]:
        if how == "difference":
            compared.append(first - second)
        elif log_features:
            compared.append(np.exp(first - second))
        else:
            compared.append(first / np.copysign(np.maximum(np.abs(second), least), second))
    return np.concatenate(compared, axis=-1)


def _floor(features: NDArray[np.float64]) -> float:
    """Return the default of the smallest divisor."""
    median = float(np.median(np.abs(features))) if features.size else 0.0
    return 0.01 * median or 1.0


def asymmetry_pairs(ch_names: Sequence[str], kind: str = "dasm") -> list[tuple[int, int]]:
    """Return the positions of the channels that `asymmetry` compares.

    Parameters
    ----------
    ch_names : sequence of str
        The channels' names.
    kind : {"dasm", "rasm", "asm", "dcau"}, default="dasm"
        The kind of asymmetry.

    Returns
    -------
    pairs : list of (int, int)
        Left and right, or front and back, in the order of the first ones.

    Raises
    ------
    ValueError
        If no two channels make a pair, or `kind` is unknown.

    Examples
    --------
    >>> from skeeg.features import asymmetry_pairs
    >>> asymmetry_pairs(["C3", "Cz", "C4"])
    [(0, 2)]
    """
    check_choice("kind", kind, _KINDS)
    names = check_ch_names(ch_names, "asymmetry")
    pairs = _KINDS[kind][0](names)
    if not pairs:
        where = "at the front and at the back" if kind == "dcau" else "on the left and the right"
        raise ValueError(
            f"No two of the ch_names {', '.join(names)} are electrodes {where} that correspond, "
            f"such as {'F3 and P3' if kind == 'dcau' else 'F3 and F4'}. Pass names as in the "
            "10-20 system."
        )
    return pairs


class Asymmetry(PlacedFeatures):
    """Compare features between the sides of the head, or between its front and its back.

    Parameters
    ----------
    kind : {"dasm", "rasm", "asm", "dcau"}, default="dasm"
        The difference left minus right; the ratio of left to right; both; or the difference
        front minus back.
    ch_names : sequence of str
        The names of the channels that the features are of, in their order.
    log_features : bool, default=False
        Whether the features are logarithms, such as those of `DifferentialEntropy` and
        `BandPower`. Their ratio is then exp(left - right), which is positive and has no unit.

    Attributes
    ----------
    pairs_ : list of (int, int)
        Positions of the channels compared.
    floor_ : float
        The smallest absolute value of a divisor: a hundredth of the median absolute feature of
        the training data.
    n_features_in_ : int
        Number of features of the training data.
    feature_names_in_ : ndarray of str, shape (`n_features_in_`,)
        Column names of the training data, if it was a data frame.

    See Also
    --------
    asymmetry : The function that it calls, with the pairs.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skeeg.features import Asymmetry, DifferentialEntropy
    >>> X = np.random.default_rng(0).standard_normal((6, 3, 512))
    >>> entropy = DifferentialEntropy(sfreq=128, bands="deap")
    >>> difference = make_pipeline(entropy, Asymmetry("dasm", ch_names=["F3", "Fz", "F4"])).fit(X)
    >>> difference.transform(X).shape
    (6, 4)
    >>> difference.get_feature_names_out(["F3", "Fz", "F4"])
    array(['F3-F4_theta', 'F3-F4_alpha', 'F3-F4_beta', 'F3-F4_gamma'],
          dtype=object)
    """

    pairs_: list[tuple[int, int]]
    floor_: float

    def __init__(
        self,
        kind: str = "dasm",
        ch_names: Sequence[str] | None = None,
        log_features: bool = False,
    ) -> None:
        self.kind = kind
        self.ch_names = ch_names
        self.log_features = log_features

    def _learn(self, features: NDArray[np.float64]) -> None:
        self.pairs_ = asymmetry_pairs(self._names(), self.kind)
        self._cube(features)  # raises where the names do not fit
        self.floor_ = _floor(features)

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compare the channels in each band.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_bands * n_chans)
            All channels in the first band, then all channels in the second, and so on.

        Returns
        -------
        asymmetry : ndarray of float64, shape (n_samples, n_bands * n_pairs)
            All pairs in the first band, then all pairs in the second, and so on; for ``"asm"``
            the differences in a band, then the ratios in it.

        Raises
        ------
        ValueError
            If the features are not finite, or more or fewer than in `fit`.
        """
        compared = asymmetry(
            self._cube(self._check(X, reset=False)),
            self._names(),
            self.kind,
            log_features=self.log_features,
            floor=self.floor_,
        )
        return compared.reshape(len(compared), -1)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Name the features by pair and band.

        Parameters
        ----------
        input_features : array-like of str, optional
            The names of the features, ``"F3_alpha"`` and so on, from which those of the bands
            are taken.

        Returns
        -------
        names : ndarray of object, shape (n_bands * n_pairs,)
            ``"F3-F4_alpha"`` for a difference, ``"F3/F4_alpha"`` for a ratio. Bands are
            numbered where `input_features` do not name them.

        Raises
        ------
        ValueError
            If `input_features` do not fit the training data.
        """
        check_is_fitted(self)
        given = list(_check_feature_names_in(self, input_features))
        names = self._names()
        n_chans = len(names)
        bands = []
        for i, first in enumerate(given[::n_chans]):
            known = str(first).startswith(f"{names[0]}_")
            bands.append(str(first).removeprefix(f"{names[0]}_") if known else str(i))
        return np.array(
            [
                f"{names[a]}{_SIGNS[how]}{names[b]}_{band}"
                for band in bands
                for how in _KINDS[self.kind][1]
                for a, b in self.pairs_
            ],
            dtype=object,
        )
