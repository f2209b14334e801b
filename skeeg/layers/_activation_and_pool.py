"""An activation and a max pool in the faster order."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from .activation import ACTIVATIONS, make_activation


def activation_and_max_pool(
    pool: nn.Module, name: str, alpha: float | None = None
) -> OrderedDict[str, nn.Module]:
    """Return an activation and a max pool, in the faster order.

    A function that never decreases commutes with the maximum. It follows the pool, where fewer
    values are left. Other functions precede the pool.

    Parameters
    ----------
    pool : torch.nn.Module
        The max pool.
    name, alpha
        As in `make_activation`.

    Returns
    -------
    layers : OrderedDict
        Of ``"activation"`` and ``"pool"``.
    """
    activation = make_activation(name, alpha)
    if ACTIVATIONS[name].is_monotone:
        return OrderedDict(pool=pool, activation=activation)
    return OrderedDict(activation=activation, pool=pool)
