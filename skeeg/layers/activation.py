"""Activation functions by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .._activations import DEFAULT_ALPHAS
from .._checks import check_choice, check_number
from ._stacking import is_stacking

#: With fewer values, the additional operation costs as much as the faster function saves.
_FEWEST_VALUES = 1 << 15

_PRECISE = (torch.float32, torch.float64)


class ELU(nn.ELU):
    """``torch.nn.ELU``, in two thirds of the time in predictions on a CPU.

    torch computes exp(x) - 1 precisely for x close to zero too, which takes six times as long as
    the exponential function. Here, where no gradients are needed, it is computed as written. The
    outputs have the rounding error of a value of 1, the largest value of exp(x) for negative x,
    which is also what remains of them in a sum with values of that size.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the activations, in the shape of `input`."""
        is_faster = (
            not torch.compiler.is_compiling()  # first: a comparison of sizes would fix the batch
            and not torch.is_grad_enabled()
            and not self.inplace
            and input.device.type == "cpu"
            and input.dtype in _PRECISE
            and input.numel() >= _FEWEST_VALUES
            and 0 < self.alpha <= 1  # the function is the larger of both
        )
        if not is_faster:
            return super().forward(input)
        below = input.clamp(max=0).exp_().sub_(1)
        if self.alpha != 1:
            below.mul_(self.alpha)
        return torch.maximum(input, below, out=below)


@dataclass(frozen=True)
class Activation:
    """An entry of the activation table.

    Parameters
    ----------
    module : callable returning torch.nn.Module
        Makes the layer; called with `alpha` if the function has one, otherwise without arguments.
    default_alpha : float or None, default=None
        The value of `alpha` that the function is published with; None for a function without one.
    is_monotone : bool, default=True
        Whether the function never decreases, for any `alpha` that is allowed.
    """

    module: Callable[..., nn.Module]
    default_alpha: float | None = None
    is_monotone: bool = True


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(nn.ReLU),
    "leaky_relu": Activation(nn.LeakyReLU, DEFAULT_ALPHAS["leaky_relu"]),
    "elu": Activation(ELU, DEFAULT_ALPHAS["elu"]),
    "selu": Activation(nn.SELU),
    "gelu": Activation(nn.GELU, is_monotone=False),
    "silu": Activation(nn.SiLU, is_monotone=False),
    "tanh": Activation(nn.Tanh),
    "sigmoid": Activation(nn.Sigmoid),
    "linear": Activation(nn.Identity),
}
"""All activations by name; networks and search spaces offer these."""

ALPHA_ACTIVATIONS: tuple[str, ...] = tuple(
    name for name, entry in ACTIVATIONS.items() if entry.default_alpha is not None
)
"""The names of the activations that take an `alpha`."""


def make_activation(
    name: str, alpha: float | None = None, *, table: Mapping[str, Activation] = ACTIVATIONS
) -> nn.Module:
    """Return a new layer that applies the named activation.

    Parameters
    ----------
    name : str
        A name in `table`.
    alpha : float, optional
        The ELU coefficient, or the slope of a leaky ReLU below zero, zero or more. None takes the
        function's default, 1 and 0.01.
    table : mapping of str to Activation, default=ACTIVATIONS
        The activations to choose from, for a network that offers more than the usual ones.

    Returns
    -------
    torch.nn.Module
        The layer, with output of the shape of its input.

    Raises
    ------
    ValueError
        If the name is unknown, if `alpha` is given for a function that has none, or if it is not a
        finite number of at least zero.

    Notes
    -----
    With x the input and a the `alpha`::

        relu         max(x, 0)
        leaky_relu   x if x > 0 else a x
        elu          x if x > 0 else a (exp(x) - 1)                     [1]_
        selu         1.0507 (x if x > 0 else 1.6733 (exp(x) - 1))       [2]_
        gelu         x P(X <= x) for a standard normal X                [3]_
        silu         x / (1 + exp(-x))
        tanh         tanh(x)
        sigmoid      1 / (1 + exp(-x))
        linear       x

    References
    ----------
    .. [1] D.-A. Clevert, T. Unterthiner, S. Hochreiter, "Fast and accurate deep network learning by
       exponential linear units (ELUs)", ICLR 2016.
    .. [2] G. Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017.
    .. [3] D. Hendrycks, K. Gimpel, "Gaussian error linear units (GELUs)", arXiv 1606.08415, 2016.

    Examples
    --------
    >>> make_activation("elu", alpha=0.2)
    ELU(alpha=0.2)
    >>> make_activation("leaky_relu")
    LeakyReLU(negative_slope=0.01)
    """
    entry = table[check_choice("activation", name, table)]
    if entry.default_alpha is None:
        if alpha is not None:
            with_alpha = " and ".join(map(repr, ALPHA_ACTIVATIONS))
            raise ValueError(
                f"alpha={alpha!r} was given, but the activation {name!r} has no alpha; "
                f"only {with_alpha} have one. Leave alpha=None."
            )
        return entry.module()
    if alpha is None:
        return entry.module(entry.default_alpha)
    return entry.module(check_number("alpha", alpha, at_least=0))


class Square(nn.Module):
    """The square of each value; its mean over time is the power of a signal."""

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` squared, in the same shape."""
        squared: Tensor = x * x if is_stacking() else _Square.apply(x)
        return squared


class _Square(torch.autograd.Function):
    """The square, with a gradient in one pass over the values; torch takes three."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return torch.addcmul(gradient.new_zeros(()), gradient, x, value=2)


class SafeLog(nn.Module):
    """The natural logarithm, finite for a flat signal since its argument is limited from below.

    Parameters
    ----------
    minimum : float, default=1e-6
        Smaller values, including negative ones, are replaced by this one.
    maximum : float or None, default=None
        Larger values are replaced by this one.
    """

    def __init__(self, minimum: float = 1e-6, maximum: float | None = None) -> None:
        super().__init__()
        self.minimum = minimum
        self.maximum = maximum

    def forward(self, x: Tensor) -> Tensor:
        """Return the logarithm of the limited `x`, in the same shape."""
        return torch.log(torch.clamp(x, self.minimum, self.maximum))

    def extra_repr(self) -> str:
        """Return the limits, for the layer's printed form."""
        return f"minimum={self.minimum}, maximum={self.maximum}"
