"""PointCNN as an estimator."""

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
from .classifier import NetworkClassifier
from .regressor import NetworkRegressor


class _PointCNNEstimator(PointCNNParameters, NetworkEstimator):
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


class PointCNNClassifier(_PointCNNEstimator, NetworkClassifier):
    """PointCNN [1]_ as a scikit-learn classifier of features at electrodes: a design of skeeg.

    An electrode is a point on the head with features, such as its differential entropy in several
    frequency bands. Its position follows from its name, so a fitted classifier can also predict
    trials of another montage.

    A trial has the same features of each electrode. `X` can be

    * a `skeeg.features.FeatureTable`, or a data frame with columns such as ``"C3_alpha"``. Both
      have the names of the electrodes. `skeeg.features.DifferentialEntropy` and similar
      transformers return such data frames for recordings with channel names, after
      ``set_output(transform="pandas")``;
    * an array of shape (n_trials, n_chans, n_features), with `ch_names`;
    * an array of shape (n_trials, n_features * n_chans), with `ch_names`: all channels in the
      first band, then all channels in the second, and so on, as these transformers return it.

    Without names, electrodes are distributed evenly over the upper half of the head in their order,
    and an array with two axes is one electrode. Recordings, such as epochs or `EEGData`, raise an
    error: compute features first, in a pipeline.

    Trials in ``predict`` may have other electrodes than those in `fit`, more or fewer, but must
    have the same features. The names of the electrodes are those of the table or data frame; for an
    array, set them with ``set_params(ch_names=...)``.

    Notes
    -----
    No publication of PointCNN for EEG is known. The closest is PointNet++ on the coordinates of
    electrodes [2]_.

    `partial_fit` and ``warm_start`` continue the training on the montage of the new trials, so one
    network can be trained on data sets with different montages, one after the other.

    Examples
    --------
    Train on every other electrode of a cap and test on the others:

    >>> from skeeg import PointCNNClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.features import DifferentialEntropy
    >>> data = simulate_motor_imagery(n_subjects=1, n_trials=30, difficulty=0, random_state=0)
    >>> entropy = DifferentialEntropy(sfreq=128, bands={"mu": (8, 13), "beta": (16, 26)})
    >>> table = entropy.set_output(transform="pandas").fit_transform(data)
    >>> some = [column for column in table if column.split("_")[0] in data.ch_names[::2]]
    >>> others = [column for column in table if column not in some]
    >>> clf = PointCNNClassifier(max_epochs=20, random_state=0)
    >>> clf.fit(table[some][:80], data.y[:80]).n_chans_
    11
    >>> clf.score(table[others][80:], data.y[80:]) > 0.7
    True
    """


class PointCNNRegressor(_PointCNNEstimator, NetworkRegressor):
    """PointCNN [1]_ as a scikit-learn regressor of features at electrodes: a design of skeeg.

    Trials, electrodes and their names are as in `PointCNNClassifier`; the network has one output
    per target, which it predicts in the unit of ``y``.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import PointCNNRegressor
    >>> X = np.random.default_rng(0).standard_normal((40, 6, 2))
    >>> names = ["C3", "Cz", "C4", "P3", "Pz", "P4"]
    >>> reg = PointCNNRegressor(ch_names=names, max_epochs=2, random_state=0)
    >>> reg.fit(X, X[:, 0, 1]).predict(X[:3]).shape
    (3,)
    """
