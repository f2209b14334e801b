"""Gates of a network with attention, for each trial."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..estimators import NetworkEstimator
from ..layers import Attention
from ._networks import BATCH, check_network, evaluated, scaled_trials


def attention_gates(estimator: NetworkEstimator, X: Any) -> NDArray[np.float64]:
    """Return the gates that a fitted network with attention computes for each trial.

    Parameters
    ----------
    estimator : NetworkEstimator
        A fitted network with attention, such as ``EEGNetClassifier(attention="se")``.
    X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
        Trials as for ``predict``.

    Returns
    -------
    gates : ndarray of float64, shape (n_trials, n_maps), (n_trials, n_electrodes) or \
(n_trials, n_maps, n_electrodes)
        For ``attention_axis="maps"``, ``"electrodes"`` and ``"map-electrode"``. A gate of 0 blocks
        a map or an electrode, and a gate of 1 passes it unchanged. Maps are the outputs of the
        spatial filters for ``"maps"``, and of the temporal filters for ``"map-electrode"``. With
        ``n_selected_chans``, electrodes are the selected ones, in the order of
        ``selected_channels_``. The gates of samples in CBAM are not returned.

    Raises
    ------
    TypeError
        If `estimator` is not a network of skeeg.
    NotFittedError
        If it is not fitted.
    ValueError
        If it has no attention, or the trials differ in shape or channels from those in ``fit``.

    See Also
    --------
    skeeg.plotting.plot_attention : Plot the mean gates, those of electrodes on the scalp.
    skeeg.layers.Attention : The layer that computes the gates.

    Notes
    -----
    A gate is a factor between two linear layers, so its absolute value has no meaning: halving a
    gate and doubling the weights after it gives the same output. The gates of one electrode, or of
    one map, can be compared between trials.

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
    network = check_network(estimator, "attention_gates")
    layer = attention_layer(network, "attention_gates")
    trials = scaled_trials(network, X)
    gates: list[Tensor] = []

    def record(_: nn.Module, args: tuple[Tensor], output: Tensor) -> None:
        gates.append(layer.gate(args[0]).cpu())

    handle = layer.register_forward_hook(record)
    try:
        with evaluated(network) as module, torch.no_grad():
            for part in trials.split(BATCH):
                module(part.to(network.device_))
    finally:
        handle.remove()
    # An axis along which the gates are constant has one entry, as the time axis has.
    along = {"maps": (0, 1), "electrodes": (0, 2), "map-electrode": (0, 1, 2)}[layer.axis]
    found = torch.cat(gates).double().numpy()
    return found.reshape([found.shape[axis] for axis in along])


def attention_layer(estimator: NetworkEstimator, function: str) -> Attention:
    """Return the attention layer of a fitted network.

    Parameters
    ----------
    estimator : NetworkEstimator
    function : str
        Name of the public function, for messages.

    Returns
    -------
    layer : Attention

    Raises
    ------
    ValueError
        If the network does not have exactly one such layer.
    """
    found = [part for part in estimator.module_.modules() if isinstance(part, Attention)]
    if len(found) != 1:
        raise ValueError(
            f"{function} takes networks with one attention layer; that of "
            f"{type(estimator).__name__} has {len(found) or 'none'}. Fit one with "
            'attention="se", "cbam" or "eca".'
        )
    return found[0]
