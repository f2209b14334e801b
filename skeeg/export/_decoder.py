"""Fitted estimators as one module of torch, from trials as recorded to predictions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from torch import Tensor, nn

from ..ensemble import EnsembleClassifier, EnsembleRegressor
from ..estimators._gumbel import ChannelSelectingNetwork
from ..estimators._hooks import uncompiled
from ..estimators.base import NetworkEstimator
from ..estimators.classifier import NetworkClassifier
from ..layers import TemporalSpatialFilter


class ExportedDecoder(nn.Module):
    """A fitted estimator as a module, from trials as recorded to predictions.

    Parameters
    ----------
    estimator : NetworkEstimator, EnsembleClassifier or EnsembleRegressor
        Fitted. It is copied, and not changed.

    Attributes
    ----------
    metadata : dict
        What a user of the file must know, see `skeeg.export_onnx`.

    Raises
    ------
    TypeError
        If it is not an estimator of skeeg that has a network.
    NotFittedError
        If it is not fitted.
    ValueError
        If its scale is out of the range of single precision.

    Examples
    --------
    >>> from skeeg import EEGNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.export import ExportedDecoder
    >>> data = simulate_motor_imagery(n_trials=12)
    >>> model = EEGNetClassifier(max_epochs=1).fit(data, data.y)
    >>> ExportedDecoder(model)(data.X[:2]).shape
    torch.Size([2, 2])
    """

    def __init__(self, estimator: Any) -> None:
        super().__init__()
        members = _members(estimator)
        self.members = nn.ModuleList([_Member(member) for member in members])
        self.metadata = _metadata(estimator, members)
        self.trial_shape = tuple(self.metadata["trial_shape"])
        self.requires_grad_(False).eval()

    def forward(self, X: Any) -> Tensor:
        """Return class probabilities, or values in the unit of the targets.

        Parameters
        ----------
        X : Tensor, shape (n_trials, n_chans, n_times)
            Trials in the unit of the training data; another shape for networks that take features.

        Returns
        -------
        predictions : Tensor
            Probabilities of shape (n_trials, n_classes) in single precision, or values of shape
            (n_trials,) or (n_trials, n_targets) in double precision.
        """
        X = torch.as_tensor(X).float()
        first, *others = (member(X) for member in self.members)
        if not others:
            return first
        mean: Tensor = torch.stack([first, *others]).mean(dim=0)
        return mean


class _Member(nn.Module):
    """One network with what the estimator does before and after it."""

    def __init__(self, estimator: NetworkEstimator) -> None:
        super().__init__()
        self.factor: Tensor
        self.mean: Tensor
        self.scale: Tensor
        factor = np.float32(1 / estimator.scale_)
        if not np.isfinite(factor) or abs(factor) < np.finfo(np.float32).tiny:
            raise ValueError(
                f"The training data of this {type(estimator).__name__} have a standard deviation "
                f"of {estimator.scale_:g}, which is out of the range of the float32 numbers that "
                "an exported decoder computes with. Fit with trials in microvolts or volts."
            )
        self.register_buffer("factor", torch.tensor(factor))
        network = deepcopy(uncompiled(estimator.module_)).cpu().eval()
        self.network = _exportable(network)
        self.is_classifier = isinstance(estimator, NetworkClassifier)
        if self.is_classifier:
            self.nonlinearity = estimator._get_predict_nonlinearity()
        else:
            self.is_column = estimator.y_ndim_ == 1
            self.register_buffer("mean", torch.from_numpy(estimator.y_mean_.copy()))
            self.register_buffer("scale", torch.from_numpy(estimator.y_scale_.copy()))

    def forward(self, X: Tensor) -> Tensor:
        """Scale, run the network, and convert its outputs to predictions."""
        output = self.network(X * self.factor)
        if self.is_classifier:
            probabilities: Tensor = self.nonlinearity(output)
            return probabilities
        values: Tensor = output.double() * self.scale + self.mean
        return values[:, 0] if self.is_column else values


class _FixedChannels(nn.Module):
    """The channels that a trained selection selected, as constants."""

    def __init__(self, channels: Tensor) -> None:
        super().__init__()
        self.channels: Tensor
        self.register_buffer("channels", channels.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """Return the selected channels of trials (batch, n_chans, n_times)."""
        return x.index_select(1, self.channels)


def _exportable(network: nn.Module) -> nn.Module:
    """Replace, in a copy of a network, what depends on the batch or on NumPy."""
    if isinstance(network, ChannelSelectingNetwork):
        network.add_module("selection", _FixedChannels(network.selection.selected()))
    for layer in network.modules():
        if isinstance(layer, TemporalSpatialFilter):
            layer.method = "direct"  # "auto" selects by the number of trials
    return network


def _members(estimator: Any) -> list[NetworkEstimator]:
    """Return the network estimators whose predictions are averaged."""
    name = type(estimator).__name__
    if isinstance(estimator, Pipeline):
        raise TypeError(
            "A Pipeline cannot be exported, because its other steps are not networks. Export its "
            "last step, pipeline[-1], and apply the other steps, pipeline[:-1], to the trials."
        )
    if isinstance(estimator, (EnsembleClassifier, EnsembleRegressor)):
        if not hasattr(estimator, "estimators_"):
            raise NotFittedError(f"This {name} is not fitted yet. Call fit before the export.")
        return [member for one in estimator.estimators_ for member in _members(one)]
    if not isinstance(estimator, NetworkEstimator):
        raise TypeError(
            "Only fitted network estimators of skeeg, such as EEGNetClassifier, and ensembles of "
            f"them can be exported; got {estimator if isinstance(estimator, type) else name}."
        )
    if not estimator.__sklearn_is_fitted__():
        raise NotFittedError(f"This {name} is not fitted yet. Call fit before the export.")
    return [estimator]


def _metadata(estimator: Any, members: list[NetworkEstimator]) -> dict[str, Any]:
    """Return what a user of the file must know, as values of JSON."""
    from .._version import __version__

    first = members[0]
    names = first._trial_axes.names
    is_classifier = isinstance(first, NetworkClassifier)
    ch_names = first.ch_names_
    return {
        "estimator": type(estimator).__name__,
        "task": "classification" if is_classifier else "regression",
        "classes": first.classes_.tolist() if isinstance(first, NetworkClassifier) else None,
        "ch_names": None if ch_names is None else list(ch_names),
        "sfreq": None if first.sfreq_ is None else float(first.sfreq_),
        "trial_axes": list(names),
        "trial_shape": [int(getattr(first, f"{name}_")) for name in names],
        "skeeg_version": __version__,
    }


@contextmanager
def without_gradients(decoder: ExportedDecoder) -> Iterator[Tensor]:
    """Yield trials to trace the decoder with, while gradients are off."""
    with torch.no_grad():
        # Sizes 0 and 1 would be taken for constants.
        yield torch.zeros(2, *decoder.trial_shape)
