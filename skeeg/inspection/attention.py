"""How much a network lets through of its maps or electrodes, trial by trial."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..classifiers import NetworkClassifier
from ..layers import Attention
from ._networks import BATCH, check_network, evaluated, scaled_trials


def attention_gates(classifier: NetworkClassifier, X: Any) -> NDArray[np.float64]:
    """Return the gates that a fitted network with attention computes of each trial.

    Parameters
    ----------
    classifier : NetworkClassifier
        A fitted network with attention, such as ``EEGNetClassifier(attention="se")``.
    X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
        Trials as for ``predict``.

    Returns
    -------
    gates : ndarray of float64, shape (n_trials, n_maps), (n_trials, n_electrodes) or \
(n_trials, n_maps, n_electrodes)
        For ``attention_axis="maps"``, ``"electrodes"`` and ``"map-electrode"``; from 0 for nothing
        to 1 for all. Maps are those of the spatial filters in the first case, of the temporal ones
        in the last. With ``n_selected_chans``, electrodes are the ones chosen, in the order of
        ``selected_channels_``. Those of samples, which CBAM adds, are left out.

    Raises
    ------
    TypeError
        If `classifier` is no network of skeeg.
    NotFittedError
        If it is not fitted.
    ValueError
        If it has no attention, or the trials do not fit it.

    See Also
    --------
    skeeg.plotting.plot_attention : Their means, on the scalp where they are of electrodes.
    skeeg.layers.Attention : What they are computed from.

    Notes
    -----
    A gate is a factor between two linear layers, and says little by itself: weights that are twice
    as large after a gate that is half as large compute the same. What can be compared are the gates
    of one electrode, or of one map, in several trials.

    Examples
    --------
    >>> from skeeg import EEGNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.inspection import attention_gates
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)[:40]
    >>> clf = EEGNetClassifier(
    ...     attention="se", attention_axis="electrodes", max_epochs=1, random_state=0
    ... )
    >>> attention_gates(clf.fit(data, data.y), data[:5]).shape
    (5, 22)
    """
    network = check_network(classifier, "attention_gates")
    layer = attention_layer(network, "attention_gates")
    trials = scaled_trials(network, X)
    gates: list[Tensor] = []

    def keep(_: nn.Module, args: tuple[Tensor], output: Tensor) -> None:
        gates.append(layer.gate(args[0]).cpu())

    handle = layer.register_forward_hook(keep)
    try:
        with evaluated(network) as module, torch.no_grad():
            for part in trials.split(BATCH):
                module(part.to(network.device_))
    finally:
        handle.remove()
    # An axis that the gates do not tell apart has one entry, as the time has.
    along = {"maps": (0, 1), "electrodes": (0, 2), "map-electrode": (0, 1, 2)}[layer.axis]
    found = torch.cat(gates).double().numpy()
    return found.reshape([found.shape[axis] for axis in along])


def attention_layer(classifier: NetworkClassifier, taker: str) -> Attention:
    """Return the attention layer of a fitted network.

    Parameters
    ----------
    classifier : NetworkClassifier
    taker : str
        The function, for messages.

    Returns
    -------
    layer : Attention

    Raises
    ------
    ValueError
        If the network has none, or several.
    """
    found = [part for part in classifier.module_.modules() if isinstance(part, Attention)]
    if len(found) != 1:
        raise ValueError(
            f"{taker} takes networks with one attention layer; that of "
            f"{type(classifier).__name__} has {len(found) or 'none'}. Fit one with "
            'attention="se", "cbam" or "eca".'
        )
    return found[0]
