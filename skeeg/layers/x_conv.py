"""Convolution over points, such as electrodes on a head, and their nearest neighbours."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from .._checks import check_positive_ints
from .activation import make_activation

#: Distances and coordinates are compared after rounding to this many decimals, so that the order of
#: two mirror images does not depend on rounding errors.
_DECIMALS = 6


def farthest_points(positions: ArrayLike, n_points: int) -> NDArray[np.intp]:
    """Choose points that cover a set evenly, each the farthest from those chosen before [1]_.

    The first one is the point closest to the centre of all points. Ties are broken by coordinates,
    so that the choice does not depend on the order of the points.

    Parameters
    ----------
    positions : array-like, shape (n_all, 3)
        Coordinates of the points, in a unit in which they are of the order of 1.
    n_points : int
        Number of points to choose; all points if there are not more.

    Returns
    -------
    chosen : ndarray of int, shape (min(n_points, n_all),)
        Indices into `positions`, in the order in which they were chosen.

    Raises
    ------
    ValueError
        If `positions` are not finite coordinates or `n_points` is not a positive integer.

    References
    ----------
    .. [1] T. F. Gonzalez, "Clustering to minimize the maximum intercluster distance", Theoretical
       Computer Science 38, 293-306, 1985.

    Examples
    --------
    >>> line = [[x, 0, 0] for x in (0.0, 0.1, 0.2, 0.5, 1.0)]
    >>> farthest_points(line, 3).tolist()
    [3, 0, 4]
    """
    points = check_positions(positions)
    (n_points,) = check_positive_ints(n_points=n_points)
    order = _by_coordinates(points)
    points = points[order]
    chosen = [int(_distances(points, points.mean(axis=0)).argmin())]
    gaps = _distances(points, points[chosen[0]])
    while len(chosen) < min(n_points, len(points)):
        gaps[chosen[-1]] = -1  # points may coincide, but none is chosen twice
        chosen.append(int(gaps.argmax()))
        gaps = np.minimum(gaps, _distances(points, points[chosen[-1]]))
    return order[chosen]


def nearest_points(
    positions: ArrayLike, centres: ArrayLike, n_neighbors: int, dilation: int = 1
) -> NDArray[np.intp]:
    """Find the neighbours of centres among points: every `dilation`-th point by distance.

    Ties are broken by coordinates, so that the neighbours do not depend on the order of the points.

    Parameters
    ----------
    positions : array-like, shape (n_all, 3)
        Coordinates of the points, in a unit in which they are of the order of 1.
    centres : array-like, shape (n_centres, 3)
        The points in space whose neighbours are returned.
    n_neighbors : int
        Number of neighbours of each centre.
    dilation : int, default=1
        Step through the points in order of distance; reduced if there are too few points.

    Returns
    -------
    neighbours : ndarray of int, shape (n_centres, n_neighbors)
        Indices into `positions`, nearest first. A centre that is itself a point comes first.

    Raises
    ------
    ValueError
        If there are fewer points than neighbours, or an argument has a value that it cannot take.

    Examples
    --------
    >>> line = [[x, 0, 0] for x in range(6)]
    >>> nearest_points(line, [[0, 0, 0], [5, 0, 0]], 3, dilation=2).tolist()
    [[0, 2, 4], [5, 3, 1]]
    """
    points, places = check_positions(positions), check_positions(centres, "centres")
    n_neighbors, dilation = check_positive_ints(n_neighbors=n_neighbors, dilation=dilation)
    if n_neighbors > len(points):
        raise ValueError(
            f"{n_neighbors} neighbours were asked for, but there are only {len(points)} points. "
            "Give more points, or ask for fewer neighbours."
        )
    if n_neighbors > 1:
        dilation = min(dilation, (len(points) - 1) // (n_neighbors - 1))
    order = _by_coordinates(points)
    distances = _distances(points[order], places[:, None])
    ranked = distances.argsort(axis=1, kind="stable")[:, ::dilation]
    return order[ranked[:, :n_neighbors]]


def check_positions(positions: ArrayLike, name: str = "positions") -> NDArray[np.float64]:
    """Return coordinates as an array if they are valid.

    Parameters
    ----------
    positions : array-like, shape (n_points, 3)
    name : str
        The argument, as the user spells it.

    Returns
    -------
    positions : ndarray of float64, shape (n_points, 3)

    Raises
    ------
    ValueError
        If they have another shape or are not finite.
    """
    points = np.asarray(positions, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or not len(points):
        raise ValueError(
            f"{name} must have shape (n_points, 3), with at least one point; got {points.shape}."
        )
    if not np.isfinite(points).all():
        raise ValueError(f"{name} must be finite; point {np.argwhere(~np.isfinite(points))[0, 0]} "
                         "is not.")  # fmt: skip
    return points


def _by_coordinates(points: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return an order of the points that does not depend on the order in which they are given."""
    return np.lexsort(points.round(_DECIMALS).T[::-1])


def _distances(points: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    distances: NDArray[np.float64] = np.linalg.norm(points - place, axis=-1)
    return distances.round(_DECIMALS)


class XConv(nn.Module):
    r"""X-Conv: weight and reorder the neighbours of a point by their positions, then convolve [1]_.

    Each representative point has K neighbours with features F (K x n_in) and local coordinates L
    (K x 3), which are relative to the point.

    =============  =================================================================  ==========
    layer          what it does                                                       output
    =============  =================================================================  ==========
    lift           two dense layers from 3 to C' on L, activations                    K, C'
    transform      L to K * K by one dense layer on all of it, activation; then two   K, K
                   depthwise ones of K inputs, an activation between
    product        transform times [lifted, F], over the neighbours                   K, C' + n_in
    depthwise      D filters over the K neighbours for each feature                   C' + n_in, D
    pointwise      dense                                                              n_out
    =============  =================================================================  ==========

    The weights of the last three layers and the transform are multiplied with each other first, and
    the product is applied to the features. This is the same function, since the layers are linear.
    The product depends only on the positions of the points, which are the same in all trials.

    Parameters
    ----------
    n_in : int
        Number of features of a point.
    n_out : int
        Number of output features of a representative point.
    n_neighbors : int
        Number of neighbours, K.
    n_lifted : int
        Number of features computed from the local coordinates, C'.
    depth_multiplier : int, default=1
        Number of depthwise filters of each feature, D.
    activation : str, default="elu"
        A name in `skeeg.layers.ACTIVATIONS`.
    alpha : float, optional
        The ELU coefficient or the leaky slope; None takes that function's default.

    Raises
    ------
    ValueError
        If an argument has a value that it cannot take.

    See Also
    --------
    farthest_points : Choose representative points.
    nearest_points : Find their neighbours.

    Notes
    -----
    There are :math:`4 C' + C'^2 + C'` parameters of `lift`, :math:`3 K^3 + K^2 + 2 (K^3 + K^2)` of
    `transform`, and :math:`(C' + n_{in}) D (K + n_{out}) + n_{out}` of the convolution.

    In the released code, batch normalisation follows each layer of `lift` and `transform`. It is
    left out here: all trials of a batch have the same points, so that the statistics would be those
    of one montage.

    References
    ----------
    .. [1] Y. Li, R. Bu, M. Sun, W. Wu, X. Di, B. Chen, "PointCNN: convolution on X-transformed
       points", NeurIPS 2018, arXiv:1801.07791.

    Examples
    --------
    >>> import torch
    >>> from skeeg.layers import XConv, farthest_points, nearest_points
    >>> positions = torch.nn.functional.normalize(torch.randn(20, 3), dim=1).numpy()
    >>> centres = positions[farthest_points(positions, 6)]
    >>> neighbours = nearest_points(positions, centres, 8)
    >>> local = torch.tensor(positions[neighbours] - centres[:, None])
    >>> layer = XConv(16, 32, 8, n_lifted=8, depth_multiplier=4)
    >>> layer(torch.randn(5, 20, 16), torch.tensor(neighbours), local).shape
    torch.Size([5, 6, 32])
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        n_neighbors: int,
        *,
        n_lifted: int,
        depth_multiplier: int = 1,
        activation: str = "elu",
        alpha: float | None = None,
    ) -> None:
        super().__init__()
        self.n_in, self.n_out, self.n_neighbors, self.n_lifted, multiplier = check_positive_ints(
            n_in=n_in,
            n_out=n_out,
            n_neighbors=n_neighbors,
            n_lifted=n_lifted,
            depth_multiplier=depth_multiplier,
        )
        k, n_joined = self.n_neighbors, self.n_lifted + self.n_in
        self.lift = nn.Sequential(
            OrderedDict(
                first=nn.Linear(3, self.n_lifted),
                first_activation=make_activation(activation, alpha),
                second=nn.Linear(self.n_lifted, self.n_lifted),
                second_activation=make_activation(activation, alpha),
            )
        )
        self.transform = nn.Sequential(
            OrderedDict(
                dense=nn.Linear(3 * k, k * k),
                dense_activation=make_activation(activation, alpha),
                square=nn.Unflatten(-1, (k, k)),
                first=_Depthwise(k),
                first_activation=make_activation(activation, alpha),
                second=_Depthwise(k),
            )
        )
        self.depthwise = nn.Parameter(torch.empty(n_joined, multiplier, k))
        self.pointwise = nn.Parameter(torch.empty(self.n_out, n_joined, multiplier))
        self.bias = nn.Parameter(torch.zeros(self.n_out))
        # As in `lecun_uniform_`, with a variance of one over the number of inputs.
        for weight, n_inputs in ((self.depthwise, k), (self.pointwise, n_joined * multiplier)):
            nn.init.uniform_(weight, -((3 / n_inputs) ** 0.5), (3 / n_inputs) ** 0.5)

    def forward(self, x: Tensor, neighbours: Tensor, local: Tensor) -> Tensor:
        """Convolve features (batch, n_points, n_in) around P representative points.

        Parameters
        ----------
        x : torch.Tensor, shape (batch, n_points, n_in)
            Features of each point.
        neighbours : torch.Tensor of int64, shape (P, K)
            Indices of the neighbours of each representative point, from `nearest_points`.
        local : torch.Tensor, shape (P, K, 3)
            Their coordinates relative to the representative point.

        Returns
        -------
        torch.Tensor, shape (batch, P, n_out)
            Features of each representative point.
        """
        lifted = self.lift(local)  # P, K, C'
        transform = self.transform(local.flatten(1))  # P, K, K
        separable = torch.einsum("cmk,ocm->kco", self.depthwise, self.pointwise)
        # P, K, C' + n_in, n_out
        kernel = (transform.mT @ separable.flatten(1)).unflatten(2, separable.shape[1:])
        of_places, of_features = kernel.split([self.n_lifted, self.n_in], dim=2)
        # A matrix product, since torch.compile fails with the strides of an einsum's gradient.
        constant = (lifted.flatten(1)[:, None] @ of_places.flatten(1, 2))[:, 0] + self.bias
        # The gradient of index_select is not deterministic on CUDA.
        features = x[:, neighbours]  # batch, P, K, n_in
        # P, batch, K * n_in times P, K * n_in, n_out
        result = features.flatten(2).transpose(0, 1) @ of_features.flatten(1, 2)
        return result.transpose(0, 1) + constant

    def extra_repr(self) -> str:
        """Return the sizes, for the layer's printed form."""
        return f"{self.n_in}, {self.n_out}, n_neighbors={self.n_neighbors}"


class _Depthwise(nn.Conv1d):
    """A convolution over the rows of K x K matrices, with K filters for each column.

    The outputs for a column become a row, so that a second such layer combines columns.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size, size * size, size, groups=size)

    def forward(self, input: Tensor) -> Tensor:
        """Filter (P, K, K) matrices; the shape stays."""
        size = self.in_channels
        weight, bias = self.weight.view(size, size, size), self.bias
        # Faster than a grouped convolution, which torch computes group by group.
        result = torch.einsum("pwc,cmw->pcm", input, weight)
        return result if bias is None else result + bias.view(size, size)
