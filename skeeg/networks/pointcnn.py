"""PointCNN (Li et al., 2018) on electrodes."""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from .._checks import check_number, check_positive_ints
from .._parameters import parameter
from ..layers import (
    Dropout,
    XConv,
    farthest_points,
    lecun_uniform_,
    make_activation,
    nearest_points,
)
from ..layers._length import clip_length
from ..layers._random import current_generator
from ..layers.x_conv import check_positions
from ._base import ActivationParameters, Network


class PointCNNParameters(ActivationParameters):
    """Parameters of PointCNN."""

    n_embedded: int = parameter(
        default=16, doc="Number of features of an electrode after `embedding`."
    )
    n_first_filters: int = parameter(
        default=32, doc="Number of features after the first X-convolution, F1."
    )
    n_second_filters: int = parameter(
        default=64, doc="Number of features after the second X-convolution, F2."
    )
    n_first_points: int = parameter(
        default=32,
        doc="""Number of electrodes that represent all others after the first X-convolution, P1,
        chosen one after the other so that each lies farthest from those before; all of them where
        there are fewer.""",
    )
    n_second_points: int = parameter(
        default=12,
        doc="Number of electrodes that represent these after the second X-convolution, P2.",
    )
    n_neighbors: int = parameter(
        default=8,
        doc="""Number of neighbours from which an X-convolution gathers features, the electrode
        itself among them.""",
    )
    dilation: int = parameter(
        default=2,
        doc="""The second X-convolution takes every second neighbour, so as to reach further; or the
        widest step that few electrodes allow.""",
    )
    point_dropout: float = parameter(
        default=0.25,
        doc="""Largest share of the electrodes that is left out in training, drawn anew for each
        batch.""",
    )
    jitter: float = parameter(
        default=0.1,
        doc="""Standard deviation of the noise that coordinates have in training, drawn anew for
        each batch; the head has a radius of 1, and neighbours in the 10-10 system are 0.3
        apart.""",
    )
    n_hidden: int = parameter(default=32, doc="Number of units before the last layer, D.")
    dropout: float = parameter(
        default=0.5, doc="Probability with which a value is dropped before the last layer."
    )


class PointCNN(PointCNNParameters, Network):
    """PointCNN [1]_ with electrodes as points: a design of skeeg, not of a paper on EEG.

    An electrode is a point on the head with features of its own, such as the differential entropy
    in some frequency bands. X-convolutions combine those of an electrode and its neighbours
    according to where these lie. The order of electrodes does not matter, and the same weights can
    be used with another montage: ``network(x, positions)``.

    ============  =============================================================  ============
    layer         what it does                                                   output
    ============  =============================================================  ============
    standardise   batch normalisation of each feature over trials, electrodes    N, B
    embedding     dense, activation, batch normalisation                         N, 16
    first_conv    X-convolution around P1 electrodes, activation, batch norm     P1, F1
    second_conv   X-convolution around P2 of these, activation, batch norm       P2, F2
    place         two dense layers from 3 coordinates, activations               P2, F2 / 4
    hidden        dense on both, activation                                      P2, D
    drop          dropout                                                        P2, D
    dense         logits of each representative electrode, their mean            classes
    ============  =============================================================  ============

    Raises
    ------
    ValueError
        If a parameter has a value that it cannot take, or the number of positions is not that of
        the electrodes.

    Warns
    -----
    UserWarning
        If there are fewer electrodes than `n_neighbors`, which is clipped.

    See Also
    --------
    skeeg.layers.XConv : The X-convolution.
    skeeg.datasets.simulate_motor_imagery : Takes any montage.

    Notes
    -----
    No publication of PointCNN on EEG is known; the nearest is PointNet++ on coordinates of
    electrodes [2]_. What is taken from [1]_ is the X-convolution with its sizes: coordinates are
    lifted to F1 / 4 features in the first and F1 / 4 in the second, with 4 and F2 / F1 (rounded up)
    depthwise filters. With 8 neighbours the X-convolutions have 6,728 and 8,680 parameters.

    It departs from the published network in that

    * features are standardised first, since entropies differ between bands and with the unit of
      the recording by constants; the statistics are the plain mean over all training batches;
    * in training, each batch sees some of the electrodes, at jittered places. The released code
      draws points and jitters them as well, for each object; here, where electrodes are few and
      always in the same places, it makes weights learnt on some electrodes work on others;
    * there is no batch normalisation inside an X-convolution, see `skeeg.layers.XConv`;
    * `place`, as published for the last X-convolution, distinguishes left from right and front from
      back: an X-convolution sees local coordinates only;
    * the loss is that of the mean of the logits over representative electrodes, in training as in
      evaluation; the released code has a loss for each of them in training;
    * the representative electrodes are always those that lie farthest from each other, where the
      released code draws them at random for classification, so that results are repeatable. The
      order of electrodes does not matter: ties are decided by coordinates.

    References
    ----------
    .. [1] Y. Li, R. Bu, M. Sun, W. Wu, X. Di, B. Chen, "PointCNN: convolution on X-transformed
       points", NeurIPS 2018, arXiv:1801.07791.
    .. [2] D. Forenzo, H. Zhu, J. Shanahan, J. Lim, B. He, "Continuous tracking using deep
       learning-based decoding for noninvasive brain-computer interface", PNAS Nexus 3(4), pgae145,
       2024, doi:10.1093/pnasnexus/pgae145.

    Examples
    --------
    >>> import torch
    >>> network = PointCNN(n_chans=62, n_features=4, n_outputs=3)
    >>> network(torch.zeros(5, 62, 4)).shape
    torch.Size([5, 3])
    >>> cap = torch.nn.functional.normalize(torch.randn(20, 3), dim=1)  # another montage
    >>> network(torch.zeros(5, 20, 4), cap).shape
    torch.Size([5, 3])
    """

    n_chans: int = parameter(doc="Number of electrodes, N.", kw_only=False)
    n_features: int = parameter(doc="Number of features of an electrode, B.", kw_only=False)
    n_outputs: int = parameter(
        doc="Number of outputs: the classes, or the targets of a regression.", kw_only=False
    )
    positions: ArrayLike | None = parameter(
        default=None,
        kind="array-like, shape (n_chans, 3)",
        doc="""Where the electrodes lie: to the right, to the front and upwards, on a head of radius
        1. None spreads them evenly over its upper half in the order in which they come.""",
    )

    def build(self) -> None:
        """Check the hyper-parameters and make the layers."""
        embedded, first, second, n_units = check_positive_ints(
            n_embedded=self.n_embedded,
            n_first_filters=self.n_first_filters,
            n_second_filters=self.n_second_filters,
            n_hidden=self.n_hidden,
        )
        self.n_first_points, self.n_second_points, k, self.dilation = check_positive_ints(
            n_first_points=self.n_first_points,
            n_second_points=self.n_second_points,
            n_neighbors=self.n_neighbors,
            dilation=self.dilation,
        )
        self.point_dropout = check_number("point_dropout", self.point_dropout, at_least=0, below=1)
        self.jitter = check_number("jitter", self.jitter, at_least=0)
        p = check_number("dropout", self.dropout, at_least=0, below=1)
        k1 = clip_length(k, self.n_chans, "PointCNN.first_conv", unit="electrode")
        n_represented = min(self.n_chans, self.n_first_points)
        k2 = clip_length(k1, n_represented, "PointCNN.second_conv", unit="electrode")
        make = partial(make_activation, self.activation, self.alpha)
        make_conv = partial(
            XConv, n_lifted=max(1, first // 4), activation=self.activation, alpha=self.alpha
        )
        n_place = max(1, second // 4)

        def activated(n_maps: int) -> OrderedDict[str, nn.Module]:
            return OrderedDict(activation=make(), norm=_PointNorm(n_maps))

        # The plain mean over batches: a running one would long remember that it began at zero,
        # many standard deviations away from the entropies of trials in volts.
        self.standardise = _PointNorm(self.n_features, affine=False, momentum=None)  # N, B
        self.embedding = nn.Sequential(
            OrderedDict(dense=nn.Linear(self.n_features, embedded), **activated(embedded))
        )  # N, 16
        self.first_conv = make_conv(embedded, first, k1, depth_multiplier=4)  # P1, F1
        self.first_norm = nn.Sequential(activated(first))
        multiplier = -(-second // first)
        self.second_conv = make_conv(first, second, k2, depth_multiplier=multiplier)  # P2, F2
        self.second_norm = nn.Sequential(activated(second))
        self.place = nn.Sequential(
            OrderedDict(
                first=nn.Linear(3, n_place),
                first_activation=make(),
                second=nn.Linear(n_place, n_place),
                second_activation=make(),
            )
        )  # P2, F2 / 4
        self.hidden = nn.Sequential(
            OrderedDict(dense=nn.Linear(second + n_place, n_units), activation=make())
        )  # P2, D
        self.drop = Dropout(p)  # P2, D
        self.dense = nn.Linear(n_units, self.n_outputs)  # P2, classes

        lecun_uniform_(self)
        points = (
            _spread(self.n_chans) if self.positions is None else check_positions(self.positions)
        )
        if len(points) != self.n_chans:
            raise ValueError(
                f"positions must have a row for each of the {self.n_chans} electrodes; "
                f"got {len(points)}."
            )
        self.move_to(points)

    def move_to(self, positions: ArrayLike) -> None:
        """Use the network with another montage, with the weights it has.

        Parameters
        ----------
        positions : array-like, shape (n_chans, 3)
            Where the electrodes lie, as in the constructor. There may be any number of them, at
            least as many as the neighbours that an X-convolution gathers.

        Raises
        ------
        ValueError
            If these are not finite coordinates, or too few.
        """
        points = check_positions(positions)
        self.n_chans = len(points)
        # On the CPU and in double precision, wherever the network is: neighbours are found there.
        self.positions = torch.tensor(points)
        # The state dict leaves the electrodes out, so that weights load on any montage.
        for name, value in self._geometry(points)._asdict().items():
            self.register_buffer(name, value, persistent=False)

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # NumPy reads bytes there
    def _geometry(self, positions: NDArray[np.float64]) -> _Geometry:
        """Return the neighbourhoods at some positions, as tensors where the network is."""
        weight = self.dense.weight
        found = _find_neighbours(
            positions.tobytes(),
            (self.first_conv.n_neighbors, self.second_conv.n_neighbors),
            (self.n_first_points, self.n_second_points),
            self.dilation,
        )
        return _Geometry(
            *(
                torch.tensor(part, device=weight.device)
                if part.dtype == np.intp
                else torch.tensor(part, device=weight.device, dtype=weight.dtype)
                for part in found
            )
        )

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # compiled code has no generators
    def _draw(self, positions: ArrayLike | None) -> tuple[Tensor, _Geometry]:
        """Return the electrodes that a training batch sees, and jittered neighbourhoods of them."""
        points = torch.as_tensor(positions)
        n_chans = len(points)
        fewest = max(self.first_conv.n_neighbors, round(n_chans * (1 - self.point_dropout)))
        draw: dict[str, Any] = {"generator": current_generator("cpu"), "device": "cpu"}
        n_kept = int(torch.randint(fewest, n_chans + 1, (), **draw))
        kept = torch.randperm(n_chans, **draw)[:n_kept].sort().values
        noise = self.jitter * torch.randn(n_kept, 3, dtype=torch.float64, **draw)
        return kept, self._geometry((points[kept] + noise).numpy())

    def forward(self, x: Tensor, positions: Tensor | None = None) -> Tensor:
        """Return the logits of features at electrodes.

        Parameters
        ----------
        x : torch.Tensor, shape (batch, n_chans, n_features)
            The features.
        positions : torch.Tensor, shape (n_chans, 3), optional
            Where these electrodes lie, if they differ from those of the network.

        Returns
        -------
        torch.Tensor, shape (batch, n_outputs)
            The logits.

        Raises
        ------
        ValueError
            If the number of positions is not that of the electrodes, or there are too few.
        """
        points, n_chans = self.positions, self.n_chans
        if positions is None:
            geometry = _Geometry(*(getattr(self, name) for name in _PARTS))
        else:
            points = given = check_positions(positions.detach().cpu().numpy())
            n_chans, geometry = len(given), self._geometry(given)
        if x.shape[1] != n_chans:
            raise ValueError(
                f"x must have features of {n_chans} electrodes, as many as there are positions; "
                f"got shape {tuple(x.shape)}."
            )
        x = self.standardise(x)
        if self.training and (self.point_dropout or self.jitter):
            kept, geometry = self._draw(points)
            x = x.index_select(1, kept.to(x.device))
        x = self.embedding(x)
        x = self.first_norm(self.first_conv(x, geometry.first_neighbours, geometry.first_local))
        x = self.second_norm(self.second_conv(x, geometry.second_neighbours, geometry.second_local))
        places = self.place(geometry.places).expand(x.shape[0], -1, -1)
        logits: Tensor = self.dense(self.drop(self.hidden(torch.cat([x, places], dim=2))))
        return logits.mean(dim=1)


class _PointNorm(nn.BatchNorm1d):
    """Batch normalisation over trials and points, of the last axis."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise features (batch, n_points, n_features)."""
        return super().forward(input.flatten(0, 1)).view(input.shape)


class _Geometry(NamedTuple):
    """What the network derives from the positions of the electrodes."""

    first_neighbours: Tensor  # P1, K
    first_local: Tensor  # P1, K, 3
    second_neighbours: Tensor  # P2, K
    second_local: Tensor  # P2, K, 3
    places: Tensor  # P2, 3


_PARTS = _Geometry._fields


@lru_cache(maxsize=32)
def _find_neighbours(
    positions: bytes, n_neighbors: tuple[int, int], n_points: tuple[int, int], dilation: int
) -> tuple[NDArray[np.intp] | NDArray[np.float64], ...]:
    """Return the entries of a `_Geometry`, for positions given as the bytes of their array."""
    points = np.frombuffer(positions).reshape(-1, 3)
    parts: list[NDArray[np.intp] | NDArray[np.float64]] = []
    for k, n_chosen, step in zip(n_neighbors, n_points, (1, dilation), strict=True):
        chosen = points[farthest_points(points, n_chosen)]
        neighbours = nearest_points(points, chosen, k, step)
        parts += [neighbours, points[neighbours] - chosen[:, None]]
        points = chosen
    return *parts, points


def _spread(n_points: int) -> NDArray[np.float64]:
    """Return points spread evenly over the upper half of the unit sphere, on a spiral."""
    index = np.arange(n_points)
    height = 1 - (index + 0.5) / n_points
    angle = np.pi * (3 - np.sqrt(5)) * index
    radius = np.sqrt(1 - height**2)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle), height])
