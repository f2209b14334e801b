"""Ready-made grids for scikit-learn's searches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._activations import DEFAULT_ALPHAS
from .._checks import check_number


def activation_grid(
    alphas: Iterable[float] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    prefix: str = "",
) -> list[dict[str, list[Any]]]:
    """Return the search space of all activation functions, with several values of alpha.

    Parameters
    ----------
    alphas : iterable of float, default=(0.1, 0.2, ..., 0.9)
        The ELU coefficients and leaky slopes to try, each zero or more.
    prefix : str, default=""
        What precedes the parameters' names where the classifier is a step of a pipeline: the
        name of the step and two underscores, ``"eegnetclassifier__"``.

    Returns
    -------
    param_grid : list of dict
        For `sklearn.model_selection.GridSearchCV`. Functions that have an alpha are combined
        with each value, all others with None. All entries are plain strings, floats and None.

    Raises
    ------
    ValueError
        If `alphas` is empty, or one is negative, not a finite number or repeated; or if `prefix`
        does not end in two underscores.

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
    if not isinstance(alphas, Iterable):
        raise ValueError(f"alphas must be a list of numbers, got {alphas!r}.")
    values = [check_number("alphas", alpha, at_least=0) for alpha in alphas]
    if not values:
        raise ValueError("alphas must hold at least one number, got none.")
    if len(set(values)) < len(values):
        raise ValueError(f"alphas must differ from each other, got {values}.")
    if not isinstance(prefix, str) or (prefix and not prefix.endswith("__")):
        raise ValueError(f"prefix must end in two underscores, got {prefix!r}.")
    with_alpha = [name for name, default in DEFAULT_ALPHAS.items() if default is not None]
    without_alpha = [name for name, default in DEFAULT_ALPHAS.items() if default is None]
    return [
        {f"{prefix}activation": with_alpha, f"{prefix}alpha": values},
        {f"{prefix}activation": without_alpha, f"{prefix}alpha": [None]},
    ]
