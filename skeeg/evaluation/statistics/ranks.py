"""Ranks of several estimators: Friedman's test, and Nemenyi's test of all pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats


@dataclass(frozen=True, eq=False)
class RankTest:
    """Result of `friedman_nemenyi`.

    Parameters
    ----------
    ranks : Series
        Mean rank of each estimator, the best (least) first.
    statistic : float
        Friedman's chi-square, corrected for ties.
    p_value : float
        Of Friedman's test.
    p_values : DataFrame
        P-values of Nemenyi's test, a row and a column for each estimator, in the order of the
        ranks.
    critical_difference : float
        Two estimators differ at the level if their mean ranks differ by at least so much.
    level : float
        Significance level of the critical difference.
    n_units : int
        Number of subjects or data sets.
    """

    ranks: pd.Series[float]
    statistic: float
    p_value: float
    p_values: pd.DataFrame
    critical_difference: float
    level: float
    n_units: int


def friedman_nemenyi(
    scores: pd.DataFrame, *, greater_is_better: bool = True, level: float = 0.05
) -> RankTest:
    """Compare three or more estimators by their ranks in subjects or data sets.

    Friedman's test asks whether any estimator differs; Nemenyi's which pairs do, corrected for all
    pairs [1]_. Both take the rows for independent, so rows must not be folds that share training
    trials.

    Parameters
    ----------
    scores : DataFrame
        A row for each subject or data set, a column for each estimator. Rows with NaN are left
        out.
    greater_is_better : bool
        Whether a greater score is better.
    level : float
        Significance level of the critical difference.

    Returns
    -------
    result : RankTest

    Raises
    ------
    ValueError
        If there are fewer than three estimators, or fewer than two complete rows.

    References
    ----------
    .. [1] Demšar, J. (2006). Statistical comparisons of classifiers over multiple data sets.
       Journal of Machine Learning Research 7, 1-30.

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.DataFrame({"A": [0.9, 0.8, 0.9], "B": [0.8, 0.7, 0.8], "C": [0.7, 0.6, 0.6]})
    >>> friedman_nemenyi(scores).ranks.to_dict()
    {'A': 1.0, 'B': 2.0, 'C': 3.0}
    """
    complete = scores[np.isfinite(scores.to_numpy(dtype=float)).all(axis=1)]
    n_units, k = complete.shape
    if k < 3 or n_units < 2:
        raise ValueError(
            f"Friedman's test needs at least three estimators and two subjects or data sets with "
            f"all scores, got {k} and {n_units}. For two estimators, use paired_p_value."
        )
    from scikit_posthocs import posthoc_nemenyi_friedman

    ranked = complete.rank(axis=1, ascending=not greater_is_better)
    ranks = ranked.mean().sort_values(kind="stable")
    statistic, p_value = 0.0, 1.0
    if not (ranked == (k + 1) / 2).all(axis=None):
        statistic, p_value = map(float, stats.friedmanchisquare(*ranked.to_numpy().T))
    p_values = pd.DataFrame(
        posthoc_nemenyi_friedman(ranked.to_numpy()).to_numpy(), ranked.columns, ranked.columns
    )
    quantile = stats.studentized_range.isf(level, k, np.inf) / np.sqrt(2)
    return RankTest(
        ranks=ranks,
        statistic=statistic,
        p_value=p_value,
        p_values=p_values.loc[ranks.index, ranks.index],
        critical_difference=float(quantile * np.sqrt(k * (k + 1) / (6 * n_units))),
        level=level,
        n_units=n_units,
    )
