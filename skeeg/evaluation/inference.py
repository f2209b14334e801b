"""Statistics of a comparison: intervals, tests against chance and of pairs, effect sizes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .about import About
from .statistics import hedges_g, holm, paired_scores
from .statistics.effects import bootstrap_interval, corrected_interval
from .statistics.paired import MIN_FOLDS, MIN_PAIRS, TESTS, check_test, paired_p_values
from .statistics.units import MIN_SUBJECTS, test_ratio

_SHARED = (
    "Folds share training trials: their standard deviation is no measure of error, and tests that "
    "take them for independent give p-values that are too small."
)
_CORRECTED = (
    "The corrected resampled t-test allows for it approximately, and is about these recordings, "
    "not about new subjects."
)
#: What a reader of the binomial bound must know.
BOUND_CAVEAT = (
    "Of independent guesses, 95 % are at or below the binomial bound; the predictions of a "
    "cross-validation are not independent, and guessing exceeds it more often."
)


@dataclass(frozen=True, eq=False)
class Units:
    """What the statistics of a metric are computed from.

    Parameters
    ----------
    paired : DataFrame
        A row for each unit, a column for each estimator, the best first. Non-finite scores are
        NaN.
    unit : {"subject", "fold"}
    test : str
        A key of `TESTS`.
    ratio : float
        Number of test trials over number of training trials of a fold.
    descending : bool
        Whether a greater score is better.
    """

    paired: pd.DataFrame
    unit: str
    test: str
    ratio: float
    descending: bool

    @property
    def differences(self) -> NDArray[np.float64]:
        """Difference of each pair of estimators, shape (n_units, n_pairs)."""
        values = self.paired.to_numpy(dtype=float)
        pairs = list(itertools.combinations(range(values.shape[1]), 2))
        if not pairs:
            return np.empty((len(values), 0))
        return values[:, [i for i, _ in pairs]] - values[:, [j for _, j in pairs]]

    def interval(self, values: pd.Series[float], confidence: float) -> tuple[float, float]:
        """Return the confidence interval of the mean over units."""
        if self.unit == "subject":
            return bootstrap_interval(values, confidence)
        if values.notna().sum() < MIN_FOLDS:
            return float("nan"), float("nan")
        return corrected_interval(values, self.ratio, confidence)


def units_of(scores: pd.DataFrame, about: About, metric: str, test: str = "auto") -> Units:
    """Return the units of a metric, and the test for them.

    Parameters
    ----------
    scores : DataFrame
        A row for each estimator and fold.
    about : About
    metric : str
        A column of the scores.
    test : {"auto", "permutation", "wilcoxon", "corrected-t"}
        ``"auto"`` is the sign-flip permutation test over subjects, and the corrected resampled
        t-test over folds.

    Returns
    -------
    units : Units

    Raises
    ------
    ValueError
        If the test is unknown, or the test of folds is asked for although subjects are the units.
    """
    paired, unit = paired_scores(scores, metric)
    if test == "auto":
        test = "permutation" if unit == "subject" else "corrected-t"
    check_test(test)
    if test == "corrected-t" and unit == "subject":
        raise ValueError(
            "The corrected resampled t-test is for folds, and here subjects are the units. Use "
            'test="permutation" or test="wilcoxon".'
        )
    paired = paired.astype(float)
    paired = paired.where(np.isfinite(paired))
    builtin = about.builtin(metric)
    descending = builtin is None or builtin.greater_is_better
    order = paired.mean().sort_values(ascending=not descending, kind="stable").index
    return Units(paired[order], unit, test, test_ratio(scores), descending)


def reference_p_values(units: Units, reference: str | None) -> pd.DataFrame:
    """Return the p-values of each estimator against the reference.

    Parameters
    ----------
    units : Units
    reference : str or None
        Name of an estimator; None for the best, which is found in the same scores. Holm's
        correction then counts all pairs of estimators, not only those with the best.

    Returns
    -------
    p_values : DataFrame
        A row for each estimator: ``reference``, ``p_value``, ``p_holm``.
    """
    names = list(units.paired.columns)
    shown = names[0] if reference is None else reference
    pairs = list(itertools.combinations(names, 2))
    wanted = [reference is None or reference in pair for pair in pairs]
    p_values = np.full(len(pairs), np.nan)
    if any(wanted):
        p_values[wanted] = paired_p_values(
            units.differences[:, wanted], units.test, test_ratio=units.ratio
        )
    corrected = holm(p_values)
    table = pd.DataFrame(
        {"reference": shown, "p_value": np.nan, "p_holm": np.nan}, index=pd.Index(names)
    )
    for pair, p_value, p_holm in zip(pairs, p_values, corrected, strict=True):
        if shown in pair:
            other = pair[1] if pair[0] == shown else pair[0]
            table.loc[other, ["p_value", "p_holm"]] = p_value, p_holm
    return table


def statistics_table(
    units: Units, about: About, metric: str, reference: str | None, confidence: float
) -> pd.DataFrame:
    """Return the frame of `Comparison.statistics`.

    Parameters
    ----------
    units : Units
    about : About
    metric : str
    reference : str or None
    confidence : float

    Returns
    -------
    table : DataFrame
    """
    paired, builtin = units.paired, about.builtin(metric)
    names = list(paired.columns)
    intervals = np.array([units.interval(paired[name], confidence) for name in names])
    if builtin is not None:
        intervals = np.clip(intervals, builtin.lower, builtin.upper)
    level = about.chance_of(metric).level
    above = paired.to_numpy() - level
    better = "greater" if units.descending else "less"
    p_chance = paired_p_values(above, units.test, better, units.ratio)
    tests = reference_p_values(units, reference)
    against = paired.sub(paired[tests["reference"].iloc[0]], axis="index")
    own = against.columns == tests["reference"].iloc[0]
    table = pd.DataFrame(
        {
            "mean": paired.mean(),
            "ci_low": intervals[:, 0],
            "ci_high": intervals[:, 1],
            "n": paired.count(),
            "unit": units.unit,
            "chance": level,
            "p_chance": p_chance,
            "p_chance_holm": holm(p_chance),
            "reference": tests["reference"],
            "difference": against.mean().where(~own),
            "effect_size": pd.Series([hedges_g(against[name]) for name in names], names).where(
                ~own
            ),
            "p_value": tests["p_value"],
            "p_holm": tests["p_holm"],
            "test": f"{TESTS[units.test]} over {units.unit}s",
        },
        index=pd.Index(names, name="estimator"),
    )
    return table.assign(note=about.note) if about.note else table


def caveats_of(units: Units, reference: str | None) -> tuple[str, ...]:
    """Return the sentences of `Comparison.caveats`."""
    paired = units.paired
    n, k = int(paired.count().max()), paired.shape[1]
    fewest = MIN_FOLDS if units.test == "corrected-t" else MIN_PAIRS
    lines = []
    if units.unit == "fold" and n > 1:
        lines.append(f"{_SHARED} {_CORRECTED}" if units.test == "corrected-t" else _SHARED)
    if n < fewest:
        lines.append(
            f"Too few {units.unit}s for a test: there are {n}, and {fewest} are needed, or "
            f"{MIN_SUBJECTS} subjects."
        )
    elif units.test != "corrected-t" and n <= 8:
        lines.append(f"With {n} {units.unit}s, no two-sided p-value is below {2 / 2**n:.2g}.")
    if n >= fewest and k > 1:
        counted = (
            f"all {k * (k - 1) // 2} pairs of estimators, as the same scores decide which is best"
            if reference is None
            else f"{k - 1} pairs of estimators"
        )
        lines.append(
            f"p-values against {paired.columns[0] if reference is None else reference} "
            f"are corrected for {counted} (Holm)."
        )
    return tuple(lines)
