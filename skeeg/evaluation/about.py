"""Description of a comparison."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .metrics import METRICS, Metric
from .statistics import Chance

#: Mark of all outputs of a split that leaks.
LEAKAGE_ALLOWED = "leakage allowed"
#: Mark of all outputs of a split of which the metadata do not say whether it leaks.
LEAKAGE_UNKNOWN = "cannot tell whether it leaks"


@dataclass(frozen=True)
class About:
    """Description of a comparison: protocol, seed, chance levels, data and versions.

    Parameters
    ----------
    metrics : tuple of str
        Metrics in the columns of the scores; the first is the main one.
    classes : tuple
        The sorted labels; empty for a regression.
    protocol : str
        Protocol of the folds.
    n_folds : int
    random_state : int
        Seed from which the ``random_state`` of estimators is set where it was None.
    chance : dict of str to Chance
        For each built-in metric.
    leakage : str
        Leaks between training and test parts; empty if there are none.
    estimators : dict of str to str
        Representation of each estimator.
    data : dict
        Shape, sampling rate, channels, subjects and labels of the data.
    environment : dict of str to str
        Main versions, and the machine.
    date : str
        End of the comparison, in ISO 8601.
    task : {"classification", "regression"}
    scoring : dict of str to str
        Source of each metric: a key of `METRICS`, the name of a scorer of scikit-learn, or a
        callable scorer as text.
    transductive : dict of str to str
        For each estimator that adapts itself to the test part without its labels, the steps that
        do. Its scores do not apply to single new trials.
    leakage_unknown : str
        Why the metadata cannot tell whether the split leaks; empty if they can.
    parameters : dict of str to dict of str to str
        Every parameter of each estimator, as text.
    packages : dict of str to str
        Versions of all packages that were loaded.
    repeat : str
        The call, or the command, that repeats the comparison.
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
    transductive: dict[str, str] = field(default_factory=dict)
    leakage_unknown: str = ""
    parameters: dict[str, dict[str, str]] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    repeat: str = ""

    @property
    def note(self) -> str:
        """Mark of all outputs, such as ``"leakage allowed"``; empty for a split without leaks."""
        if self.leakage:
            return LEAKAGE_ALLOWED
        return LEAKAGE_UNKNOWN if self.leakage_unknown else ""

    def builtin(self, metric: str) -> Metric | None:
        """Return the built-in metric in a column of the scores.

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
            The level is NaN if it is unknown, as for scorers that are not built in.
        """
        return self.chance.get(metric, Chance(float("nan")))


def transductive_steps(estimator: Any) -> str:
    """Return which parts of an estimator adapt themselves to the trials that they predict.

    Parameters
    ----------
    estimator : estimator
        Any estimator; pipelines and searches are read through their parameters. A part declares it
        by an attribute ``transductive`` that is true.

    Returns
    -------
    steps : str
        Names of the classes, separated by commas; empty if there are none.
    """
    params = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else {}
    names = [
        type(part).__name__
        for part in [estimator, *params.values()]
        if not isinstance(part, type) and getattr(part, "transductive", False) is True
    ]
    return ", ".join(dict.fromkeys(names))
