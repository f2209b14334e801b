"""Ready-made grids for scikit-learn's searches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def activation_grid(
    alphas: Iterable[float] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    prefix: str = "",
) -> list[dict[str, list[Any]]]:
    """Return the search space of all activation functions, those with an alpha at several.

    Parameters
    ----------
    alphas : iterable of float, default=(0.1, 0.2, ..., 0.9)
        The ELU coefficients and leaky slopes to try, each zero or more.
    prefix : str, default=""
        The way to the classifier within what is searched: its step in a pipeline and two
        underscores, ``"eegnetclassifier__"``.

    Returns
    -------
    param_grid : list of dict
        For `sklearn.model_selection.GridSearchCV`. The functions that have an alpha are combined
        with each of them, all others with None. All values are plain strings, floats and None.

    Raises
    ------
    ValueError
        If there is no alpha, or one is negative, not finite, no number or there twice; or if
        `prefix` does not end in two underscores.

    See Also
    --------
    skeeg.layers.make_activation : The functions and their formulas.

    Examples
    --------
    >>> from skeeg.model_selection import activation_grid
    >>> with_alpha, without = activation_grid(alphas=(0.1, 0.5))
    >>> with_alpha
    {'activation': ['leaky_relu', 'elu'], 'alpha': [0.1, 0.5]}
    >>> without["activation"]
    ['relu', 'selu', 'gelu', 'silu', 'tanh', 'sigmoid', 'linear']
    """
    # Here, so that the splitters beside this function do not wait for torch.
    from .._checks import check_number
    from ..layers.activation import ACTIVATIONS, ALPHA_ACTIVATIONS

    if not isinstance(alphas, Iterable):
        raise ValueError(f"alphas must be a list of numbers, got {alphas!r}.")
    values = [check_number("alphas", alpha, at_least=0) for alpha in alphas]
    if not values:
        raise ValueError("alphas must hold at least one number, got none.")
    if len(set(values)) < len(values):
        raise ValueError(f"alphas must differ from each other, got {values}.")
    if prefix and not prefix.endswith("__"):
        raise ValueError(f"prefix must end in two underscores, got {prefix!r}.")
    without_alpha = [name for name in ACTIVATIONS if name not in ALPHA_ACTIVATIONS]
    return [
        {f"{prefix}activation": list(ALPHA_ACTIVATIONS), f"{prefix}alpha": values},
        {f"{prefix}activation": without_alpha, f"{prefix}alpha": [None]},
    ]
