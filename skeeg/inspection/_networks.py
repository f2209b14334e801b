"""A fitted classifier's network as inspection needs it: in evaluation, on trials that it knows."""

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
from ..classifiers import NetworkClassifier
from ..classifiers._arithmetic import arithmetic
from ..layers import TemporalSpatialFilter

#: Trials that go through a network at once.
BATCH = 128


def check_network(classifier: Any, taker: str) -> NetworkClassifier:
    """Return `classifier` if it is a fitted network.

    Parameters
    ----------
    classifier : object
        What the user passed.
    taker : str
        The function, for messages.

    Returns
    -------
    classifier : NetworkClassifier

    Raises
    ------
    TypeError
        If it is something else.
    NotFittedError
        If it is not fitted.
    """
    if not isinstance(classifier, NetworkClassifier):
        raise TypeError(
            f"{taker} takes a fitted network such as EEGNetClassifier, got "
            f"{type(classifier).__name__}. Of a pipeline, pass the network and the trials as they "
            "reach it: pipeline[-1] and pipeline[:-1].transform(X)."
        )
    check_is_fitted(classifier)
    return classifier


@contextmanager
def evaluated(classifier: NetworkClassifier) -> Iterator[nn.Module]:
    """Give the network as ``predict`` runs it: without dropout, on its device, repeatably."""
    with arithmetic(classifier.device_, classifier.n_threads):
        classifier._set_training(False)
        yield classifier.module_


def scaled_trials(classifier: NetworkClassifier, X: Any) -> Tensor:
    """Return trials as the network gets them, having passed the gate as in ``predict``."""
    return classifier.get_dataset(X).trials


def front_end(classifier: NetworkClassifier, taker: str) -> TemporalSpatialFilter:
    """Return the network's temporal and spatial filters.

    Parameters
    ----------
    classifier : NetworkClassifier
    taker : str
        The function, for messages.

    Returns
    -------
    filters : TemporalSpatialFilter

    Raises
    ------
    ValueError
        If the network has none, or several.
    """
    found = [m for m in classifier.module_.modules() if isinstance(m, TemporalSpatialFilter)]
    if len(found) != 1:
        raise ValueError(
            f"{taker} takes networks that begin with temporal filters and spatial filters over the "
            f"electrodes, as EEGNet, ShallowConvNet and DeepConvNet do; that of "
            f"{type(classifier).__name__} has {len(found)} layers TemporalSpatialFilter. "
            "gradient_times_input and channel_importance take any network."
        )
    return found[0]


def electrodes_seen(classifier: NetworkClassifier) -> NDArray[np.int64]:
    """Return which channels of ``X`` enter the network, in its order: all unless it chose some."""
    if getattr(classifier, "n_selected_chans", None) is None:
        return np.arange(classifier.n_chans_)
    return classifier.selected_channels_


def sampling_rate(classifier: NetworkClassifier, sfreq: float | None, X: Any = None) -> float:
    """Return the sampling rate that the user, the trials or the classifier know.

    Parameters
    ----------
    classifier : NetworkClassifier
    sfreq : float or None
        What the user passed.
    X : any container that `unwrap` knows, optional

    Returns
    -------
    sfreq : float
        In Hz.

    Raises
    ------
    ValueError
        If nobody knows it, or `sfreq` is another than that of the trials.
    """
    known = classifier.sfreq_ if classifier.sfreq_ is not None else unwrap(X).sfreq
    if sfreq is None:
        if known is None:
            raise ValueError(
                "The sampling rate is unknown: the trials were a plain array. Pass sfreq in Hz, "
                "or fit on EEGData or mne.Epochs."
            )
        return float(known)
    rate = check_number("sfreq", sfreq, above=0)
    if known is not None and not np.isclose(rate, known):
        raise ValueError(f"sfreq is {rate:g} Hz, but the trials are sampled at {known:g} Hz.")
    return rate
