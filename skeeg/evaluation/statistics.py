"""Chance levels, and paired tests between estimators on the same folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

#: Smallest number of pairs for a test; with fewer pairs no difference could be significant.
MIN_PAIRS = 5
#: Smallest number of subjects for which subjects, rather than folds, are the units of a test.
MIN_SUBJECTS = 5

_N_RESAMPLES = 9999


@dataclass(frozen=True)
class Chance:
    """Chance level of a metric.

    Parameters
    ----------
    level : float
        Expected value for an estimator that ignores the trials: for accuracy the proportion of the
        most frequent class, for balanced accuracy one over the number of classes.
    upper : float
        95th percentile for such an estimator. For accuracy it follows from the binomial
        distribution; None for other metrics.
    """

    level: float
    upper: float | None = None


def chance_levels(y: NDArray[np.generic], n_trials: int) -> dict[str, Chance]:
    """Return the chance level of every metric.

    Parameters
    ----------
    y : ndarray, shape (n_rows,)
        True labels of the test rows.
    n_trials : int
        Number of independent test trials; windows of one trial count once.

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
    """Return the accuracy that guessing does not exceed with a given confidence.

    It is a quantile of the binomial distribution, as in Combrisson and Jerbi [1]_.

    Parameters
    ----------
    n_trials : int
        Number of independent test trials.
    probability : float
        Probability of a correct guess.
    confidence : float
        Probability that guessing does not exceed the bound.

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
    """Return the two-sided p-value of a paired sign-flip permutation test.

    All patterns of signs are used for up to 13 pairs, else 9,999 random patterns with a fixed seed.

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


#: The paired tests of `paired_p_value`, by name.
TESTS: dict[str, Callable[[NDArray[np.float64]], float]] = {
    "permutation": permutation_p_value,
    "wilcoxon": wilcoxon_p_value,
}


def paired_p_value(a: ArrayLike, b: ArrayLike, test: str = "permutation") -> float:
    """Return the two-sided p-value of a paired test between scores.

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
        A NaN is not counted as a test and stays NaN.

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
    """Return the scores of each unit, for paired tests.

    Parameters
    ----------
    scores : DataFrame
        A row for each estimator and fold.
    metric : str
        A column of the scores.

    Returns
    -------
    paired : DataFrame
        A row for each unit, a column for each estimator.
    unit : {"subject", "fold"}
        Subjects, with the mean over their folds, if there are at least five; else folds.
    """
    by_subject = not scores["subject"].isna().any() and scores["subject"].nunique() >= MIN_SUBJECTS
    unit = "subject" if by_subject else "fold"
    paired = scores.groupby([unit, "estimator"], sort=False)[metric].mean().unstack("estimator")
    return paired[scores["estimator"].unique()], unit
