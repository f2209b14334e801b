"""How a comparison was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .statistics import Chance

#: What every output says when a split that leaks was run on request.
LEAKAGE_ALLOWED = "leakage allowed"


@dataclass(frozen=True)
class About:
    """How a comparison was made.

    Parameters
    ----------
    metrics : tuple of str
        The columns of the scores, the main one first.
    classes : tuple
        The labels, sorted.
    protocol : str
        Of the folds.
    n_folds : int
    random_state : int
        Every estimator's ``random_state`` that was None.
    chance : dict of str to Chance
        For each metric.
    leakage : str
        What leaks between training and test parts; empty if nothing does.
    estimators : dict of str to str
        Each estimator as scikit-learn prints it.
    data : dict
        Shape, rate, channels, subjects and labels of the data.
    environment : dict of str to str
        Versions and machine.
    date : str
        When it ended, in ISO 8601.
    """

    metrics: tuple[str, ...]
    classes: tuple[Any, ...]
    protocol: str
    n_folds: int
    random_state: int
    chance: dict[str, Chance]
    leakage: str = ""
    estimators: dict[str, str] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    date: str = ""
