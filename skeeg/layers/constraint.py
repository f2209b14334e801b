"""Limits on the norm of a layer's weights, imposed after each step of the optimiser.

A parametrisation would impose the same limit, but a parametrised network cannot be pickled, and its
gradient is that of another function. Here the limit is an attribute of the layer, and the training
loop calls `apply_max_norm` once a step.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

from .._checks import check_number

LayerT = TypeVar("LayerT", bound=nn.Module)


def with_max_norm(layer: LayerT, value: float | None) -> LayerT:
    """Mark a layer with the largest norm that a row of its weight may have.

    Parameters
    ----------
    layer : torch.nn.Module
        A layer with a `weight` of shape (n_out, ...), such as a convolution or a dense layer.
    value : float or None
        The limit, kept as `layer.max_norm`; None leaves the layer unlimited.

    Returns
    -------
    torch.nn.Module
        The same layer.

    Raises
    ------
    ValueError
        If `value` is not a positive number, or the layer has no weight with rows.

    Examples
    --------
    >>> with_max_norm(nn.Linear(8, 2), 0.25).max_norm
    0.25
    """
    if value is None:
        return layer
    weight = layer._parameters.get("weight")
    if weight is None or weight.ndim < 2:
        raise ValueError(f"max_norm needs a layer whose weight has rows; got {layer}.")
    # Assigned through a name: nn.Module declares its attributes as tensors or modules.
    setattr(layer, "max_norm", check_number("max_norm", value, above=0))  # noqa: B010
    return layer


@torch.no_grad()
def apply_max_norm(module: nn.Module) -> None:
    """Shrink, in place, every weight row that exceeds the limit of its layer.

    A row w, the weights that make one output map or unit with the bias left out, becomes
    ``w * min(||w||, m) / (||w|| + 1e-7)``, Keras's formula for a limit m [1]_. Rows within their
    limit are not touched, where that formula would multiply them by 1 - 1e-7 / ||w||, a weight
    decay by rounding error.

    Parameters
    ----------
    module : torch.nn.Module
        A network. Limited are those of its layers that `with_max_norm` marked.

    References
    ----------
    .. [1] N. Srivastava et al., "Dropout: a simple way to prevent neural networks from
       overfitting", JMLR 15:1929-1958, 2014.

    Examples
    --------
    >>> layer = with_max_norm(nn.Linear(2, 2, bias=False), 1.0)
    >>> layer.weight.data = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
    >>> apply_max_norm(layer)
    >>> layer.weight.detach()
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    for layer in module.modules():
        limit = getattr(layer, "max_norm", None)
        # torch's embeddings have a max_norm of their own, which they impose themselves. The weight
        # of a parametrised layer is no parameter: it is recomputed at each use, not ours to set.
        weight = layer._parameters.get("weight")
        if limit is None or weight is None or isinstance(layer, nn.Embedding | nn.EmbeddingBag):
            continue
        # One fused kernel without a round trip to the host, whether or not a row exceeds.
        weight.renorm_(p=2, dim=0, maxnorm=limit)
