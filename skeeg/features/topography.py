"""Features on a map of the head, for networks that combine neighbouring electrodes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import RBFInterpolator
from scipy.optimize import linear_sum_assignment

from .._checks import check_choice, check_integer
from .._electrodes import flat_positions, mirrored, side
from ._base import PlacedFeatures, check_ch_names

#: The grid of Yang et al. (2018) for the 32 electrodes of the DEAP data.
DEAP_GRID = """
.    .    .    Fp1  .    Fp2  .    .    .
.    .    .    AF3  .    AF4  .    .    .
F7   .    F3   .    Fz   .    F4   .    F8
.    FC5  .    FC1  .    FC2  .    FC6  .
T7   .    C3   .    Cz   .    C4   .    T8
.    CP5  .    CP1  .    CP2  .    CP6  .
P7   .    P3   .    Pz   .    P4   .    P8
.    .    .    PO3  .    PO4  .    .    .
.    .    .    O1   Oz   O2   .    .    .
"""

#: Larger maps would take gigabytes for a few hundred trials.
_LARGEST_SIDE = 1024

_SHAPES = {"deap-9x9": (9, 9), "grid": (9, 9), "interpolated": (32, 32)}


def topographic_map(
    features: ArrayLike,
    ch_names: Sequence[str],
    layout: str = "deap-9x9",
    shape: tuple[int, int] | None = None,
) -> NDArray[np.float64]:
    r"""Place features at the positions of their electrodes, seen from above, front at the top.

    Parameters
    ----------
    features : array-like, shape (..., n_chans)
        One feature of each channel, such as its entropy in one band.
    ch_names : sequence of str, length n_chans
        The channels' names as in the 10-05 system, in either case.
    layout : {"deap-9x9", "grid", "interpolated"}, default="deap-9x9"
        The published grid for all or some of the 32 channels of DEAP; a grid for any electrodes
        of the 10-05 system; or a surface that is interpolated between electrodes. See Notes.
    shape : (int, int), optional
        Height and width; by default 9 x 9 for grids and 32 x 32 for ``"interpolated"``.

    Returns
    -------
    maps : ndarray of float64, shape (..., height, width)
        Cells without an electrode, and those outside the head, are exactly 0.

    Raises
    ------
    ValueError
        If `layout` or `shape` is invalid, the layout has no place for a channel or too few cells,
        or the number of names is not the length of the last axis.

    See Also
    --------
    TopographicMap : The same as a transformer.
    electrode_cells : The cell of each electrode on the grids.
    skeeg.plotting.plot_topographic_map : Draws maps.

    Notes
    -----
    ``"deap-9x9"`` is the grid of [1]_.

    ``"grid"`` assigns a different cell to every electrode, with the smallest sum of squared
    distances to the electrodes' positions. The midline is the middle column, so the width is odd,
    and the cells of the right side mirror those of the left.

    ``"interpolated"`` evaluates the thin-plate spline through the values at the electrodes [2]_ at
    the centre of each cell within the circle around them. It needs at least three electrodes that
    are not on one line.

    Positions are those of MNE's template of the 10-05 system, made symmetric, in azimuthal
    equidistant projection: the distance from the vertex is the angle from it.

    References
    ----------
    .. [1] Y. Yang, Q. Wu, Y. Fu, X. Chen, "Continuous convolutional neural network with 3D input
       for EEG-based emotion recognition", Neural Information Processing (ICONIP), 433-443, 2018.
    .. [2] F. Perrin et al., "Mapping of scalp potentials by surface spline interpolation",
       Electroencephalography and Clinical Neurophysiology 66(1):75-81, 1987.

    Examples
    --------
    >>> from skeeg.features import topographic_map
    >>> topographic_map([[1.0, 2.0, 3.0]], ["F3", "Cz", "F4"], "grid", (3, 3))[0].tolist()
    [[1.0, 0.0, 3.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]]
    """
    names = check_ch_names(ch_names, "topographic_map")
    height, width = map_shape(layout, shape)
    values = np.asarray(features, dtype=np.float64)
    if values.ndim < 1 or values.shape[-1] != len(names):
        raise ValueError(
            f"features must have one entry for each of the {len(names)} ch_names along the last "
            f"axis, got shape {values.shape}."
        )
    if layout == "interpolated":
        maps = values @ _spline_weights(names, height, width)
    else:
        cells = electrode_cells(names, layout, (height, width))
        maps = np.zeros((*values.shape[:-1], height * width))
        maps[..., cells[:, 0] * width + cells[:, 1]] = values
    return maps.reshape(*values.shape[:-1], height, width)


def map_shape(layout: str, shape: tuple[int, int] | None = None) -> tuple[int, int]:
    """Return height and width of a layout.

    Parameters
    ----------
    layout : {"deap-9x9", "grid", "interpolated"}
    shape : (int, int), optional
        What the user passed.

    Returns
    -------
    shape : (int, int)

    Raises
    ------
    ValueError
        If the layout is unknown, or cannot have this shape.
    """
    check_choice("layout", layout, _SHAPES)
    if shape is None:
        return _SHAPES[layout]
    try:
        height, width = (check_integer("", n, at_least=1, at_most=_LARGEST_SIDE) for n in shape)
    except (TypeError, ValueError):
        raise ValueError(
            f"shape must be a height and a width, integers from 1 to {_LARGEST_SIDE} such as "
            f"(9, 9), got {shape!r}."
        ) from None
    if layout == "deap-9x9" and (height, width) != _SHAPES[layout]:
        raise ValueError(
            f"The layout 'deap-9x9' has shape (9, 9), got {shape!r}. For another shape, pass "
            "layout='grid' or layout='interpolated'."
        )
    if layout == "grid" and width % 2 == 0:
        raise ValueError(
            f"A grid must have an odd width, with the midline in its middle column; "
            f"got shape {shape!r}."
        )
    return height, width


def electrode_cells(
    ch_names: Sequence[str], layout: str = "deap-9x9", shape: tuple[int, int] | None = None
) -> NDArray[np.intp]:
    """Return the cell of each electrode on a grid.

    Parameters
    ----------
    ch_names : sequence of str
        The channels' names, in either case.
    layout : {"deap-9x9", "grid"}, default="deap-9x9"
        As in `topographic_map`.
    shape : (int, int), optional
        As in `topographic_map`.

    Returns
    -------
    cells : ndarray of int, shape (n_chans, 2)
        Row, counted from the front, and column, counted from the left.

    Raises
    ------
    ValueError
        If the layout has no place for a channel, or too few cells.

    Examples
    --------
    >>> from skeeg.features import electrode_cells
    >>> electrode_cells(["Fp1", "Cz"]).tolist()
    [[0, 3], [4, 4]]
    """
    check_choice("layout", layout, ("deap-9x9", "grid"))
    names = check_ch_names(ch_names, "electrode_cells")
    height, width = map_shape(layout, shape)
    if layout == "grid":
        cells = _grid_cells(names, height, width)
        _check_one_each(names, cells)
        return np.array(cells, dtype=np.intp)
    known = _deap_cells()
    unknown = [name for name in names if name.lower() not in known]
    if unknown:
        raise ValueError(
            f"The layout 'deap-9x9' has no place for {', '.join(unknown)}: it is for the 32 "
            "channels of the DEAP data. For others, pass layout='grid' or layout='interpolated'."
        )
    cells = [known[name.lower()] for name in names]
    _check_one_each(names, cells)
    return np.array(cells, dtype=np.intp)


def has_deap_layout(ch_names: Sequence[str]) -> bool:
    """Return whether the published grid of DEAP has a place for every channel.

    Parameters
    ----------
    ch_names : sequence of str

    Returns
    -------
    has : bool
    """
    return all(name.lower() in _deap_cells() for name in ch_names)


def _check_one_each(names: Sequence[str], places: Sequence[tuple[Any, ...]]) -> None:
    """Raise if two names are of one electrode, such as T3 and T7."""
    for i, place in enumerate(places):
        if place in places[:i]:
            raise ValueError(
                f"{names[places.index(place)]} and {names[i]} are two names of one electrode: "
                "leave one of the channels out."
            )


@lru_cache
def _deap_cells() -> dict[str, tuple[int, int]]:
    rows = [line.split() for line in DEAP_GRID.strip().splitlines()]
    return {
        name.lower(): (i, j)
        for i, row in enumerate(rows)
        for j, name in enumerate(row)
        if name != "."
    }


@lru_cache
def _grid_cells(names: tuple[str, ...], height: int, width: int) -> list[tuple[int, int]]:
    """Assign a cell to every electrode; left and right have mirrored cells."""
    positions = flat_positions(names)
    positions /= np.abs(positions).max(axis=0, initial=1e-12)
    sides = [side(name) for name in names]
    # Mirrored twice, a name has one spelling.
    on_left = [
        mirrored(name if at == 1 else mirrored(name)) for name, at in zip(names, sides, strict=True)
    ]
    midline: dict[str, tuple[float, float]] = {}
    left: dict[str, tuple[float, float]] = {}
    for key, at, (x, y) in zip(on_left, sides, positions, strict=True):
        (left if at else midline)[key] = (-abs(x), y)
    half = width // 2
    cells = _nearest_cells(midline, "on the midline", [half], (height, width))
    cells |= _nearest_cells(left, "on a side", list(range(half)), (height, width))
    return [
        (cells[key][0], width - 1 - cells[key][1] if at == 1 else cells[key][1])
        for key, at in zip(on_left, sides, strict=True)
    ]


def _nearest_cells(
    positions: dict[str, tuple[float, float]],
    where: str,
    columns: list[int],
    shape: tuple[int, int],
) -> dict[str, tuple[int, int]]:
    """Assign electrodes to cells of some columns, with the least sum of squared distances."""
    height, width = shape
    cells = [(i, j) for i in range(height) for j in columns]
    if len(cells) < len(positions):
        raise ValueError(
            f"A grid of shape {shape} has {len(cells)} cells for the {len(positions)} electrodes "
            f"{where}. Pass a larger shape."
        )
    if not positions:
        return {}
    middles = np.array([(_middle(j, width), -_middle(i, height)) for i, j in cells])
    points = np.array(list(positions.values()))
    distances = ((points[:, None] - middles) ** 2).sum(axis=2)
    _, chosen = linear_sum_assignment(distances)
    return {name: cells[k] for name, k in zip(positions, chosen, strict=True)}


def _middle(i: int, n: int) -> float:
    """Return the position of the i-th of n cells, the outermost being at -1 and 1."""
    return 2 * i / (n - 1) - 1 if n > 1 else 0.0


@lru_cache
def _spline_weights(names: tuple[str, ...], height: int, width: int) -> NDArray[np.float64]:
    """Return the weight of each electrode in each cell, shape (n_chans, height * width)."""
    positions = flat_positions(names)
    _check_one_each(names, [(x, y) for x, y in positions])
    if np.linalg.matrix_rank(np.column_stack([positions, np.ones(len(names))])) < 3:
        raise ValueError(
            "The layout 'interpolated' needs three electrodes or more that are not on one line, "
            f"got {', '.join(names)}. Pass layout='grid'."
        )
    radius = _radius(positions)
    x = radius * ((2 * np.arange(width) + 1) / width - 1)
    y = -radius * ((2 * np.arange(height) + 1) / height - 1)
    middles = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    inside = np.linalg.norm(middles, axis=1) <= radius
    weights = np.zeros((len(names), height * width))
    spline = RBFInterpolator(positions, np.eye(len(names)), kernel="thin_plate_spline")
    weights[:, inside] = spline(middles[inside]).T
    weights.setflags(write=False)
    return weights


def _radius(positions: NDArray[np.float64]) -> float:
    """Return the radius of an interpolated map: that of the outermost electrode plus a tenth."""
    return 1.1 * float(np.linalg.norm(positions, axis=1).max())


def electrode_places(
    ch_names: Sequence[str], layout: str, shape: tuple[int, int] | None = None
) -> NDArray[np.float64]:
    """Return the positions of electrodes on a map; fractions of cells if it is interpolated.

    Parameters
    ----------
    ch_names : sequence of str
    layout : {"deap-9x9", "grid", "interpolated"}
    shape : (int, int), optional
        As in `topographic_map`.

    Returns
    -------
    places : ndarray of float64, shape (n_chans, 2)
        Row and column; integers are the centres of cells.
    """
    height, width = map_shape(layout, shape)
    if layout != "interpolated":
        return electrode_cells(ch_names, layout, shape).astype(np.float64)
    positions = flat_positions(ch_names)
    right, front = (positions / _radius(positions)).T
    return np.column_stack([(1 - front) / 2 * height - 0.5, (1 + right) / 2 * width - 0.5])


class TopographicMap(PlacedFeatures):
    """Turn features into maps of the head, one for each band.

    Parameters
    ----------
    ch_names : sequence of str
        The names of the channels of the features, in the same order, as in the 10-05 system.
    layout : {"deap-9x9", "grid", "interpolated"}, default="deap-9x9"
        The published grid for all or some of the 32 channels of DEAP; a grid for any electrodes
        of the 10-05 system; or a surface that is interpolated between electrodes.
    shape : (int, int), optional
        Height and width; by default 9 x 9 for grids and 32 x 32 for ``"interpolated"``.

    Attributes
    ----------
    n_bands_ : int
        Number of maps.
    shape_ : (int, int)
        Height and width.
    n_features_in_ : int
        Number of features of the training data.
    feature_names_in_ : ndarray of str, shape (`n_features_in_`,)
        Column names of the training data, if it was a data frame.

    See Also
    --------
    topographic_map : The function that it calls, with a description of the layouts.
    skeeg.plotting.plot_topographic_map : Draws maps.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skeeg.features import DifferentialEntropy, SampleZScore, TopographicMap
    >>> ch_names = ["Fp1", "Fp2", "C3", "C4", "O1", "O2"]
    >>> X = np.random.default_rng(0).standard_normal((5, 6, 512))
    >>> maps = make_pipeline(
    ...     DifferentialEntropy(sfreq=128, bands="deap"), SampleZScore(), TopographicMap(ch_names)
    ... )
    >>> maps.fit_transform(X).shape
    (5, 4, 9, 9)
    """

    n_bands_: int
    shape_: tuple[int, int]

    def __init__(
        self,
        ch_names: Sequence[str] | None = None,
        layout: str = "deap-9x9",
        shape: tuple[int, int] | None = None,
    ) -> None:
        self.ch_names = ch_names
        self.layout = layout
        self.shape = shape

    def _learn(self, features: NDArray[np.float64]) -> None:
        self.n_bands_ = self._cube(features).shape[1]
        self.shape_ = self._maps(features[:1]).shape[2:]

    def _maps(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        return topographic_map(self._cube(features), self._names(), self.layout, self.shape)

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Place features on maps.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_bands * n_chans)
            All channels in the first band, then all channels in the second, and so on.

        Returns
        -------
        maps : ndarray of float64, shape (n_samples, n_bands, height, width)
            Cells without an electrode, and those outside the head, are exactly 0.

        Raises
        ------
        ValueError
            If the features are not finite, or their number differs from `fit`.
        """
        return self._maps(self._check(X, reset=False))
