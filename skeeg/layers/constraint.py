"""Limits on the norm of a layer's weights, applied after each step of the optimiser.

A parametrisation would apply the same limit, but a parametrised network cannot be pickled, and has
the gradient of another function. Here the limit is an attribute of the layer, and the training loop
calls `apply_max_norm` after each step.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

from .._checks import check_number

LayerT = TypeVar("LayerT", bound=nn.Module)


def with_max_norm(layer: LayerT, value: float | None) -> LayerT:
    """Set the largest norm that a row of a layer's weight may have.

    Parameters
    ----------
    layer : torch.nn.Module
        A layer with a `weight` of shape (n_out, ...), such as a convolution or a dense layer.
    value : float or None
        The limit, stored as `layer.max_norm`; None sets no limit.

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

    A row w, the weights of one output map or unit without its bias, becomes
    ``w * min(||w||, m) / (||w|| + 1e-7)``, Keras's formula for a limit m [1]_. Rows within the
    limit are left unchanged; the formula would multiply them by 1 - 1e-7 / ||w||, a slight weight
    decay. So are weights that are not trained.

    Parameters
    ----------
    module : torch.nn.Module
        A network; the limits apply to those of its layers that have one from `with_max_norm`.

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
        # torch's embeddings apply their own max_norm. The weight of a parametrised layer is not a
        # parameter: it is recomputed at each use, so that a change here would have no effect.
        weight = layer._parameters.get("weight")
        if limit is None or weight is None or isinstance(layer, nn.Embedding | nn.EmbeddingBag):
            continue
        if not weight.requires_grad:  # a row at the limit could change in its last bit
            continue
        # One kernel, which does not wait for a GPU to report whether a row exceeds the limit.
        weight.renorm_(p=2, dim=0, maxnorm=limit)
