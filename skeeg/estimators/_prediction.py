"""Predictions of one network, and of several for the same trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ._loss import checked_output
from ._saved_state import write_fitted


def prediction_of(net: Any, output: Any) -> NDArray[np.float32]:
    """Return class probabilities or encoded values from the output for a batch.

    Parameters
    ----------
    net : NetworkEstimator
    output : torch.Tensor, or a tuple or list that begins with one

    Returns
    -------
    prediction : ndarray of float32, shape (n_trials, n_outputs)
    """
    prediction: torch.Tensor = net._to_prediction(checked_output(net, output))
    return prediction.cpu().numpy()


def joined(net: Any, parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the predictions of all batches, after checking that they are finite.

    Parameters
    ----------
    net : NetworkEstimator
    parts : sequence of ndarray, shape (n_trials, n_outputs)

    Returns
    -------
    predicted : ndarray of float32, shape (n_trials, n_outputs)

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    predicted = np.concatenate(parts)
    if not np.isfinite(predicted).all():
        (trials,) = np.nonzero(~np.isfinite(predicted).all(axis=1))
        raise ValueError(
            f"The network of this {type(net).__name__} returned values that are not finite, "
            f"first for trial {trials[0]}: its amplitude is out of the range of float32."
        )
    return predicted


def predict_together(nets: Sequence[Any], X: Any) -> list[NDArray[np.float32]]:
    """Return what each of several networks predicts for trials that are checked and scaled once.

    Parameters
    ----------
    nets : sequence of NetworkEstimator
        For which `share_trials` is true.
    X : any container of trials

    Returns
    -------
    predicted : list of ndarray, shape (n_trials, n_outputs)
        To the last bit what each network predicts alone: probabilities or encoded values.
    """
    first = nets[0]
    parts: list[list[NDArray[np.float32]]] = [[] for _ in nets]
    with first._arithmetic(), torch.no_grad():
        dataset = first.get_dataset(X)
        for batch in first.get_iterator(dataset, training=False):
            for net, own in zip(nets, parts, strict=True):
                own.append(prediction_of(net, net.evaluation_step(batch, training=False)))
    return [joined(net, own) for net, own in zip(nets, parts, strict=True)]


def share_trials(nets: Sequence[Any]) -> bool:
    """Return whether networks check, scale and divide trials into batches in the same way.

    Parameters
    ----------
    nets : sequence of estimators

    Returns
    -------
    share : bool
        False unless all are fitted network estimators of one class, on one device, with the same
        shape, names and scale of the trials.
    """
    from .base import NetworkEstimator  # it imports this module

    first = nets[0]
    if not isinstance(first, NetworkEstimator) or not first.__sklearn_is_fitted__():
        return False
    kind = type(first)
    # A user's class may change how it predicts.
    if kind.forward_iter is not NetworkEstimator.forward_iter or not kind.__module__.startswith(
        "skeeg."
    ):
        return False
    settings = _settings(first)
    return all(
        type(net) is kind and net.__sklearn_is_fitted__() and _settings(net) == settings
        for net in nets[1:]
    )


def _settings(net: Any) -> tuple[Any, ...]:
    """Return all that the path from the trials to a batch depends on."""
    loader = {name: value for name, value in vars(net).items() if name.startswith("iterator_valid")}
    return net.device_, net.n_threads, net.batch_size, loader, write_fitted(net)
