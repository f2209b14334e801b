"""The activation functions by name, for code that does not load torch.

`skeeg.layers.activation` has their layers.
"""

from __future__ import annotations

#: The value of `alpha` that each function is published with; None for functions without one.
#: It is the ELU coefficient of ``"elu"`` and the slope below zero of ``"leaky_relu"``.
DEFAULT_ALPHAS: dict[str, float | None] = {
    "relu": None,
    "leaky_relu": 0.01,
    "elu": 1.0,
    "selu": None,
    "gelu": None,
    "silu": None,
    "tanh": None,
    "sigmoid": None,
    "linear": None,
}
