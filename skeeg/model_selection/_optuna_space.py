"""Search spaces of scikit-learn's kind as distributions of Optuna."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

#: Quantiles nearer to 0 and 1 may be infinite.
_TAIL = 1e-9
#: Name of the choice between several dictionaries.
_BRANCH = "space"
_EXPECTED = "a list of values, a distribution of scipy.stats or one of optuna.distributions"


class OptunaSpace:
    """A search space from which a trial of Optuna draws candidates.

    Parameters
    ----------
    param_distributions : dict or list of dict
        Values or distributions by the name of the parameter. One dictionary of a list is chosen
        for each candidate.

    Raises
    ------
    TypeError, ValueError
        If it is empty, or an entry is neither a list of values nor a distribution.
    """

    def __init__(self, param_distributions: Any) -> None:
        several = not isinstance(param_distributions, Mapping)
        if several and (
            isinstance(param_distributions, str) or not isinstance(param_distributions, Iterable)
        ):
            raise TypeError(
                "param_distributions must be a dict or a list of dicts, got "
                f"{type(param_distributions).__name__}."
            )
        spaces = list(param_distributions) if several else [param_distributions]
        if not spaces:
            raise ValueError("param_distributions is an empty list: there is nothing to search.")
        for space in spaces:
            if not isinstance(space, Mapping) or not space:
                raise ValueError(
                    "param_distributions must be a dict, or a list of them, with at least one "
                    f"parameter each; got {space!r:.80}."
                )
        self._spaces = [
            {
                name: _Parameter(name, values, f"{i}.{name}" if len(spaces) > 1 else str(name))
                for name, values in space.items()
            }
            for i, space in enumerate(spaces)
        ]

    def suggest(self, trial: Any) -> dict[str, Any]:
        """Return the parameters that a trial suggests.

        Parameters
        ----------
        trial : optuna.Trial

        Returns
        -------
        candidate : dict
        """
        if len(self._spaces) > 1:
            trial.suggest_categorical(_BRANCH, list(range(len(self._spaces))))
        for parameter in self._chosen(trial.params).values():
            parameter.suggest(trial)
        return self.candidate(trial.params)

    def candidate(self, suggested: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of an estimator.

        Parameters
        ----------
        suggested : mapping
            ``params`` of a trial.

        Returns
        -------
        candidate : dict
        """
        return {
            name: parameter.value(suggested[parameter.label])
            for name, parameter in self._chosen(suggested).items()
        }

    def _chosen(self, suggested: Mapping[str, Any]) -> dict[str, _Parameter]:
        return self._spaces[suggested[_BRANCH] if len(self._spaces) > 1 else 0]


class _Parameter:
    """One parameter: its distribution in Optuna, and the value of what Optuna suggests."""

    def __init__(self, name: Any, values: Any, label: str) -> None:
        from optuna.distributions import BaseDistribution, FloatDistribution

        if not isinstance(name, str):
            raise TypeError(f"The names of parameters must be strings, got {name!r}.")
        self.label = label
        self._choices: dict[Any, Any] | None = None
        self._quantiles_of: Any = None
        if isinstance(values, BaseDistribution):
            self._distribution: Any = values
        elif hasattr(values, "ppf"):
            self._distribution = _numeric(values)
            if self._distribution is None:
                self._quantiles_of = values
                self._distribution = FloatDistribution(_TAIL, 1 - _TAIL)
        else:
            self._choices = _choices(name, values)
            self._distribution = None

    def suggest(self, trial: Any) -> None:
        from optuna.distributions import CategoricalDistribution, FloatDistribution

        known = self._distribution
        if self._choices is not None:
            trial.suggest_categorical(self.label, list(self._choices))
        elif isinstance(known, CategoricalDistribution):
            trial.suggest_categorical(self.label, known.choices)
        else:
            ask = trial.suggest_float if isinstance(known, FloatDistribution) else trial.suggest_int
            step = {} if known.step is None else {"step": known.step}
            ask(self.label, known.low, known.high, log=known.log, **step)

    def value(self, suggested: Any) -> Any:
        if self._choices is not None:
            return self._choices[suggested]
        if self._quantiles_of is not None:
            value = float(self._quantiles_of.ppf(suggested))
            return int(value) if hasattr(self._quantiles_of, "pmf") else value
        return suggested


def _numeric(frozen: Any) -> Any:
    """Return uniform and log-uniform distributions of scipy as Optuna's; None for any other."""
    from optuna.distributions import FloatDistribution, IntDistribution

    kind = getattr(getattr(frozen, "dist", None), "name", "")
    low, high = (float(end) for end in frozen.support())
    if kind == "uniform":
        return FloatDistribution(low, high)
    if kind == "randint":
        return IntDistribution(int(low), int(high))
    logarithmic = low > 0 and math.isclose(float(frozen.median()), math.sqrt(low * high))
    if kind in ("loguniform", "reciprocal") and logarithmic:  # not shifted by loc
        return FloatDistribution(low, high, log=True)
    return None


def _choices(name: str, values: Any) -> dict[Any, Any]:
    """Return values by what Optuna can keep in a file: plain values themselves, or labels."""
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if isinstance(values, (str, bytes)) or not isinstance(values, Sequence):
        raise TypeError(
            f"The values of {name!r} must be {_EXPECTED}, got {type(values).__name__}: "
            f"{values!r:.60}."
        )
    if not values:
        raise ValueError(f"The list of values of {name!r} is empty.")
    values = [value.item() if isinstance(value, np.generic) else value for value in values]
    plain = all(
        value is None
        or isinstance(value, (bool, int, str))
        or (isinstance(value, float) and math.isfinite(value))
        for value in values
    )
    if plain and len(set(values)) == len(values):  # 1 and True are equal
        return dict(zip(values, values, strict=True))
    return {f"{i}: {type(value).__name__}": value for i, value in enumerate(values)}
