"""How a comparison was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .metrics import METRICS, Metric
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
        The labels, sorted; none in a regression.
    protocol : str
        Of the folds.
    n_folds : int
    random_state : int
        Every estimator's ``random_state`` that was None.
    chance : dict of str to Chance
        For each built-in metric.
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
    task : {"classification", "regression"}
    scoring : dict of str to str
        What each metric is: a key of `METRICS`, a scorer's name in scikit-learn, or the scorer as
        text.
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
    task: str = "classification"
    scoring: dict[str, str] = field(default_factory=dict)

    def builtin(self, metric: str) -> Metric | None:
        """Return the built-in metric that a column of the scores holds.

        Parameters
        ----------
        metric : str

        Returns
        -------
        builtin : Metric or None
            None for a scorer of scikit-learn or of the user.
        """
        return METRICS.get(self.scoring.get(metric, metric))

    def label(self, metric: str) -> str:
        """Return the name of a metric in tables.

        Parameters
        ----------
        metric : str

        Returns
        -------
        label : str
        """
        builtin = self.builtin(metric)
        return metric if builtin is None else builtin.label

    def chance_of(self, metric: str) -> Chance:
        """Return the chance level of a metric.

        Parameters
        ----------
        metric : str

        Returns
        -------
        chance : Chance
            Its level is NaN where it is unknown, as for scorers that are not built in.
        """
        return self.chance.get(metric, Chance(float("nan")))
