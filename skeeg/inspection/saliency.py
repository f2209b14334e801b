"""Contribution of each sample of a trial to the output of a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length, column_or_1d
from torch import Tensor

from .._checks import check_choice, value_or
from ..estimators import NetworkEstimator, NetworkRegressor
from ._networks import BATCH, check_network, evaluated


def _logit(logits: Tensor, classes: Tensor) -> Tensor:
    return logits.gather(1, classes[:, None])[:, 0]


def _log_odds(logits: Tensor, classes: Tensor) -> Tensor:
    others = logits.scatter(1, classes[:, None], -torch.inf)
    return _logit(logits, classes) - others.logsumexp(dim=1)


#: Functions of the logits that can be attributed to the samples.
_TARGETS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "log_odds": _log_odds,
    "logit": _logit,
}


def gradient_times_input(
    estimator: NetworkEstimator,
    X: Any,
    y: ArrayLike | None = None,
    *,
    target: str | int | None = None,
) -> NDArray[np.float64]:
    """Return the contribution of each sample of a trial to a prediction, to first order [1]_.

    Parameters
    ----------
    estimator : NetworkEstimator
        Any fitted network, including topographic networks and `skeeg.ModuleClassifier`.
    X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
        Trials as for ``predict``; for topographic networks (n_trials, n_bands, height, width).
    y : array-like, shape (n_trials,), optional
        Class of each trial to which contributions are computed; by default the predicted class.
        Not for regressors.
    target : {"log_odds", "logit"} or int, optional
        Quantity that is attributed to the samples. For a classifier, the logarithm of p / (1 - p),
        where p is the probability of the class, which is the default, or the network's output for
        the class. A constant added to all outputs changes each ``"logit"`` but no probability. For
        a regressor, the column of the predicted target, which may be left out if there is only one.

    Returns
    -------
    saliency : ndarray of float64, shape (n_trials, n_chans, n_times)
        For topographic networks, the shape of the maps. Positive if a sample increases the target,
        negative if it decreases it. The values do not depend on the unit of `X`; those of a
        regressor are in the unit of the target.

    Raises
    ------
    TypeError
        If `estimator` is not a network of skeeg.
    NotFittedError
        If it is not fitted.
    ValueError
        If the trials differ in shape or channels from those in ``fit``, a label is not one of its
        classes, a regressor is given labels, or `target` is unknown.

    See Also
    --------
    channel_importance : Decrease of a score without a channel, for any estimator.

    Notes
    -----
    The saliency of a sample x is x times the derivative of the target with respect to x, with the
    network in evaluation mode. For a network that is linear in its input, the saliencies of a trial
    add up to the target without its constant. For other networks they are the first-order term of
    the Taylor series around the trial, and their sum has no such meaning. If the class depends on
    power, which is even in the signal, use the sum over time of many trials rather than single
    samples. Electrodes that carry only noise have non-zero saliency if the network uses them to
    cancel noise at other electrodes; `spatial_patterns` shows where sources are.

    References
    ----------
    .. [1] A. Shrikumar, P. Greenside, A. Shcherbina, A. Kundaje, "Not just a black box: learning
       important features through propagating activation differences", 2016. arXiv 1605.01713.

    Examples
    --------
    >>> from skeeg import EEGNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.inspection import gradient_times_input
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = EEGNetClassifier(max_epochs=2, random_state=0).fit(data, data.y)
    >>> gradient_times_input(clf, data[:5]).shape
    (5, 22, 320)
    """
    network = check_network(estimator, "gradient_times_input")
    dataset = network.get_dataset(X)
    if isinstance(network, NetworkRegressor):
        score, given = _of_column(network, y, target), None
    else:
        score = _TARGETS[check_choice("target", value_or(target, "log_odds"), _TARGETS)]
        given = None if y is None else _class_indices(network, y, dataset.trials)
    saliency = np.empty(dataset.trials.shape)
    # cuDNN differentiates recurrent layers in training only.
    no_cudnn = torch.backends.cudnn.flags(enabled=False)
    with evaluated(network), no_cudnn, torch.enable_grad():
        for start in range(0, len(dataset), BATCH):
            part = slice(start, start + BATCH)
            batch, _ = dataset[part]
            inputs = batch if isinstance(batch, Mapping) else {"X": batch}
            x = inputs["X"].to(network.device_, copy=True).requires_grad_()
            output = network.infer({**inputs, "X": x})
            classes = output.argmax(dim=1) if given is None else given[part].to(output.device)
            (gradient,) = torch.autograd.grad(score(output, classes).sum(), x)
            saliency[part] = (gradient.double() * x.detach().double()).cpu().numpy()
    return saliency


def _class_indices(estimator: NetworkEstimator, y: ArrayLike, trials: Tensor) -> Tensor:
    labels = column_or_1d(y)
    check_consistent_length(trials, labels)
    return torch.from_numpy(estimator._encode(labels))


def _of_column(
    estimator: NetworkRegressor, y: ArrayLike | None, target: str | int | None
) -> Callable[[Tensor, Tensor], Tensor]:
    """Return what takes a predicted target, in its unit, from the output of a regressor."""
    n_targets = len(estimator.y_mean_)
    name = type(estimator).__name__
    if y is not None:
        raise ValueError(f"{name} is a regressor: it has no classes. Leave y out.")
    if target is None and n_targets == 1:
        target = 0
    if not isinstance(target, Integral) or not 0 <= target < n_targets:
        raise ValueError(
            f"target must be a column of the {n_targets} targets of this {name}, from 0 to "
            f"{n_targets - 1}; got {target!r}."
        )
    column, scale = int(target), float(estimator.y_scale_[int(target)])
    return lambda output, _: scale * output[:, column].double()
