"""Chance levels, and paired tests between estimators that saw the same folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

#: Fewer pairs than this are not tested: no outcome could be significant.
MIN_PAIRS = 5
#: With so many subjects they are the units of a test, with fewer the folds are.
MIN_SUBJECTS = 5

_N_RESAMPLES = 9999


@dataclass(frozen=True)
class Chance:
    """What a metric is worth without any decoding.

    Parameters
    ----------
    level : float
        Expected of an estimator that ignores the trials: for accuracy the share of the most
        frequent class, for balanced accuracy one over the number of classes.
    upper : float
        Nineteen of twenty such estimators stay at or below it. For accuracy from the binomial
        distribution; None for other metrics.
    """

    level: float
    upper: float | None = None


def chance_levels(y: NDArray[np.generic], n_trials: int) -> dict[str, Chance]:
    """Return the chance level of every metric.

    Parameters
    ----------
    y : ndarray, shape (n_rows,)
        The true labels of what was tested.
    n_trials : int
        How many independent trials that is: windows of one trial count once.

    Returns
    -------
    chance : dict of str to Chance
    """
    counts = np.unique(y, return_counts=True)[1]
    majority = float(counts.max() / counts.sum())
    return {
        "accuracy": Chance(majority, binomial_bound(n_trials, majority)),
        "balanced_accuracy": Chance(1 / len(counts)),
        "roc_auc": Chance(0.5),
        "kappa": Chance(0.0),
    }


def binomial_bound(n_trials: int, probability: float, confidence: float = 0.95) -> float:
    """Return the accuracy that guessing does not exceed with the given confidence.

    It is the quantile of the binomial distribution, as in Combrisson and Jerbi [1]_.

    Parameters
    ----------
    n_trials : int
        Number of independent trials tested.
    probability : float
        Of guessing one trial.
    confidence : float
        Of not exceeding the bound.

    Returns
    -------
    bound : float

    References
    ----------
    .. [1] Combrisson, E. and Jerbi, K. (2015). Exceeding chance level by chance. Journal of
       Neuroscience Methods 250, 126-136.

    Examples
    --------
    >>> binomial_bound(100, 0.5)
    0.58
    """
    return float(stats.binom.ppf(confidence, n_trials, probability) / n_trials)


def permutation_p_value(differences: NDArray[np.float64]) -> float:
    """Return the two-sided p-value of a paired test that flips the signs of differences.

    All sign patterns are tried for up to 13 pairs, else 9,999 random ones, always the same.

    Parameters
    ----------
    differences : ndarray, shape (n_pairs,)

    Returns
    -------
    p_value : float
    """
    result = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=_N_RESAMPLES,
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def wilcoxon_p_value(differences: NDArray[np.float64]) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test.

    Parameters
    ----------
    differences : ndarray, shape (n_pairs,)

    Returns
    -------
    p_value : float
    """
    return float(stats.wilcoxon(differences, zero_method="pratt").pvalue)


#: The paired tests that `paired_p_value` knows by name.
TESTS: dict[str, Callable[[NDArray[np.float64]], float]] = {
    "permutation": permutation_p_value,
    "wilcoxon": wilcoxon_p_value,
}


def paired_p_value(a: ArrayLike, b: ArrayLike, test: str = "permutation") -> float:
    """Return the two-sided p-value that paired scores do not differ.

    Parameters
    ----------
    a, b : array-like, shape (n_pairs,)
        Pairs with a NaN are left out.
    test : {"permutation", "wilcoxon"}
        A sign-flip permutation test of the mean difference, or Wilcoxon's signed-rank test.

    Returns
    -------
    p_value : float
        NaN with fewer than five pairs; 1 if all pairs are equal.

    Raises
    ------
    ValueError
        If the test is unknown.
    """
    if test not in TESTS:
        raise ValueError(f"test must be one of {', '.join(TESTS)}, got {test!r}.")
    differences = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    differences = differences[~np.isnan(differences)]
    if len(differences) < MIN_PAIRS:
        return float("nan")
    if not differences.any():
        return 1.0
    return TESTS[test](differences)


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Correct p-values for multiple comparison with Holm's step-down method.

    Parameters
    ----------
    p_values : array-like, shape (n_tests,)
        A NaN is no test and stays NaN.

    Returns
    -------
    corrected : ndarray, shape (n_tests,)

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p_values = np.asarray(p_values, dtype=float)
    corrected = np.full(p_values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return corrected


def paired_scores(scores: pd.DataFrame, metric: str) -> tuple[pd.DataFrame, str]:
    """Return the scores that are compared in pairs.

    Parameters
    ----------
    scores : DataFrame
        A row for each estimator and fold.
    metric : str
        A column of it.

    Returns
    -------
    paired : DataFrame
        A row for each unit, a column for each estimator.
    unit : {"subject", "fold"}
        Subjects, each the mean over its folds, where there are five or more, else folds.
    """
    by_subject = not scores["subject"].isna().any() and scores["subject"].nunique() >= MIN_SUBJECTS
    unit = "subject" if by_subject else "fold"
    paired = scores.groupby([unit, "estimator"], sort=False)[metric].mean().unstack("estimator")
    return paired[scores["estimator"].unique()], unit
