"""Access to the network of a fitted estimator, in evaluation mode and on checked trials."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from .._checks import check_number
from .._validation import unwrap
from ..estimators import NetworkEstimator
from ..estimators._arithmetic import arithmetic
from ..layers import TemporalSpatialFilter

#: Number of trials in a batch.
BATCH = 128


def check_network(estimator: Any, function: str) -> NetworkEstimator:
    """Return `estimator` if it is a fitted network estimator.

    Parameters
    ----------
    estimator : object
        What the user passed.
    function : str
        Name of the public function, for messages.

    Returns
    -------
    estimator : NetworkEstimator

    Raises
    ------
    TypeError
        If it is not a network classifier.
    NotFittedError
        If it is not fitted.
    """
    if not isinstance(estimator, NetworkEstimator):
        raise TypeError(
            f"{function} takes a fitted network such as EEGNetClassifier, got "
            f"{type(estimator).__name__}. For a pipeline, pass the network and the transformed "
            "trials: pipeline[-1] and pipeline[:-1].transform(X)."
        )
    check_is_fitted(estimator)
    return estimator


@contextmanager
def evaluated(estimator: NetworkEstimator) -> Iterator[nn.Module]:
    """Yield the network in evaluation mode, on its device, with reproducible arithmetic."""
    with arithmetic(estimator.device_, estimator.n_threads):
        estimator._set_training(False)
        yield estimator.module_


def scaled_trials(estimator: NetworkEstimator, X: Any) -> Tensor:
    """Return checked and scaled trials, as ``predict`` passes them to the network."""
    return estimator.get_dataset(X).trials


def front_end(estimator: NetworkEstimator, function: str) -> TemporalSpatialFilter:
    """Return the network's temporal and spatial filters.

    Parameters
    ----------
    estimator : NetworkEstimator
    function : str
        Name of the public function, for messages.

    Returns
    -------
    filters : TemporalSpatialFilter

    Raises
    ------
    ValueError
        If the network does not have exactly one such layer.
    """
    found = [m for m in estimator.module_.modules() if isinstance(m, TemporalSpatialFilter)]
    if len(found) != 1:
        raise ValueError(
            f"{function} takes networks that begin with temporal filters and spatial filters over "
            "the electrodes, such as EEGNet, ShallowConvNet and DeepConvNet; that of "
            f"{type(estimator).__name__} has {len(found)} layers TemporalSpatialFilter. "
            "gradient_times_input and channel_importance work for any network."
        )
    return found[0]


def input_channels(estimator: NetworkEstimator) -> NDArray[np.int64]:
    """Return the indices of the channels of ``X`` that the network uses, in its order."""
    if getattr(estimator, "n_selected_chans", None) is None:
        return np.arange(estimator.n_chans_)
    return estimator.selected_channels_


def sampling_rate(estimator: NetworkEstimator, sfreq: float | None, X: Any = None) -> float:
    """Return the sampling rate from the argument, the trials or the estimator.

    Parameters
    ----------
    estimator : NetworkEstimator
    sfreq : float or None
        What the user passed.
    X : any container that `unwrap` supports, optional

    Returns
    -------
    sfreq : float
        In Hz.

    Raises
    ------
    ValueError
        If it is unknown, or `sfreq` differs from the sampling rate of the trials.
    """
    known = estimator.sfreq_ if estimator.sfreq_ is not None else unwrap(X).sfreq
    if sfreq is None:
        if known is None:
            raise ValueError(
                "The sampling rate is unknown, because the trials are a plain array. Pass sfreq in "
                "Hz, or fit on EEGData or mne.Epochs."
            )
        return float(known)
    rate = check_number("sfreq", sfreq, above=0)
    if known is not None and not np.isclose(rate, known):
        raise ValueError(f"sfreq is {rate:g} Hz, but the trials are sampled at {known:g} Hz.")
    return rate
