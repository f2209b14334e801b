"""Training and prediction of PointCNN, with the positions of electrodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .._electrodes import sphere_positions
from .._parameters import parameter
from .._validation import POINTS
from ..networks import PointCNN
from ..networks.pointcnn import PointCNNParameters
from ._batches import Precomputed, TrialDataset, is_gated
from ._placed_features import PlacedFeatures, in_order_of, read_features
from ._training_data import trial_groups, with_targets
from .base import NetworkEstimator


class PointCNNEstimator(PointCNNParameters, NetworkEstimator):
    """Base class of the classifier and the regressor, with the positions of electrodes.

    Attributes
    ----------
    ch_names_ : tuple of str or None
        Names of the electrodes, if their positions are known.
    positions_ : ndarray, shape (n_chans, 3)
        Coordinates to the right, to the front and upwards, on a head of radius 1.
    kinds_ : tuple of str or None
        Names of the features of an electrode, if ``X`` has them.
    """

    module = PointCNN
    _trial_axes = POINTS

    ch_names: Sequence[str] | None = parameter(
        default=None,
        doc="Names of the electrodes, in upper or lower case, if ``X`` does not have them.",
    )
    montage: Any = parameter(
        default=None,
        kind="str or mne.channels.DigMontage",
        doc="""Positions of the electrodes: a montage, or the name of one of MNE's montages, such as
        ``"GSN-HydroCel-128"``. By default MNE's template of the 10-05 system.""",
    )
    lr: float = parameter(default=3e-3)

    @property
    def positions_(self) -> NDArray[np.float64]:
        """The positions of the electrodes."""
        module: Any = self.module_
        return module.positions.numpy()

    def _module_params(self, explicit: Mapping[str, Any]) -> dict[str, Any]:
        params = super()._module_params(explicit)
        names = getattr(self, "ch_names_", None)
        if names is None:
            return params
        return params | {"positions": sphere_positions(names, self.montage)}

    def _check_parameters(self) -> None:
        super()._check_parameters()
        sphere_positions([], self.montage)

    def _unwrapped(self, X: Any, *, reset: bool) -> PlacedFeatures:
        name = type(self).__name__
        ch_names = self.ch_names
        if ch_names is None and not reset:
            ch_names = self.ch_names_
        features = read_features(
            self._without_dataset(X), ch_names, self.montage, reset=reset, name=name
        )
        if reset:
            self.kinds_ = features.kinds
        elif self.kinds_ is not None and features.kinds is not None:
            return in_order_of(features, self.kinds_, name=name)
        return features

    def _other_positions(self, features: PlacedFeatures) -> NDArray[np.float64] | None:
        """Return the positions of electrodes if they differ from those of the network."""
        same = features.ch_names == self.ch_names_ or self.ch_names_ is None
        return None if same else features.positions

    def _training_data(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, *, reset: bool, classes: Any
    ) -> TrialDataset:
        if groups is None:
            groups = trial_groups(X)
        X, y = with_targets(X, y, type(self).__name__)
        features = self._unwrapped(X, reset=reset)
        training = super()._training_data(
            features, y, sample_weight, groups, reset=reset, classes=classes
        )
        positions = self._other_positions(features)
        if positions is not None:
            module: Any = self.module_
            module.move_to(positions)
            self.ch_names_, self.n_chans_ = features.ch_names, module.n_chans
        return training

    def get_dataset(self, X: Any, y: Any = None) -> Any:
        """Return a torch data set, with the positions of electrodes if they differ from `fit`.

        Parameters
        ----------
        X : TrialDataset, torch.utils.data.Dataset or as in ``predict``
        y : array-like, optional
            Targets, encoded as in `fit`.

        Returns
        -------
        dataset : torch.utils.data.Dataset
        """
        if is_gated(X):
            return X
        features = self._unwrapped(X, reset=False)
        dataset = super().get_dataset(features, y)
        positions = self._other_positions(features)
        if positions is not None:
            # Precomputed tensors have a row per trial; all rows share the memory of one.
            rows = torch.from_numpy(positions).expand(len(dataset), -1, -1)
            dataset.precomputed = {"positions": rows}
        return dataset

    def infer(self, x: Any, **fit_params: Any) -> Any:
        """Return the network's output for a batch, all of it from one montage.

        Parameters
        ----------
        x : torch.Tensor or mapping with ``X``
            A batch of the data set.

        Returns
        -------
        output : torch.Tensor, shape (n_trials, n_outputs)
        """
        known = x.get("precomputed") if isinstance(x, Mapping) else None
        if known is not None:
            rows = known.rows if isinstance(known, Precomputed) else known
            fit_params["positions"] = rows["positions"][0]
            x = x["X"]
        return super().infer(x, **fit_params)
