"""Effect sizes and confidence intervals of a mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from .paired import corrected_standard_error

_N_RESAMPLES = 9999


def hedges_g(differences: ArrayLike) -> float:
    """Return Hedges' g of paired scores, the standardised mean difference.

    The mean of the differences over their standard deviation (Cohen's d of pairs), times the exact
    factor that removes its bias for few pairs [1]_.

    Parameters
    ----------
    differences : array-like, shape (n_pairs,)
        NaN are left out.

    Returns
    -------
    g : float
        0 if all differences are 0; NaN with fewer than three, and if all are equal to another
        number, which has no standard deviation.

    References
    ----------
    .. [1] Hedges, L. V. (1981). Distribution theory for Glass's estimator of effect size and
       related estimators. Journal of Educational Statistics 6, 107-128.

    Examples
    --------
    >>> round(hedges_g([0.1, 0.2, 0.1, 0.3, 0.2]), 3)
    1.717
    """
    values = _finite(differences)
    df = len(values) - 1
    if df < 2:
        return float("nan")
    if not values.any():
        return 0.0
    if np.ptp(values) <= 1e-12 * np.abs(values).max():
        return float("nan")
    logarithm = special.gammaln(df / 2) - special.gammaln((df - 1) / 2) - 0.5 * np.log(df / 2)
    return float(np.exp(logarithm) * values.mean() / values.std(ddof=1))


def bootstrap_interval(
    values: ArrayLike, confidence: float = 0.95, *, random_state: int = 0
) -> tuple[float, float]:
    """Return a bootstrap confidence interval of the mean over independent units.

    It is the expanded percentile interval [1]_: quantiles of the means of 9,999 resamples, which
    are taken further out, by the quantiles of Student's t distribution. The plain percentile
    interval is too narrow for few subjects.

    Parameters
    ----------
    values : array-like, shape (n_units,)
        A value for each unit, such as the score of a subject. NaN are left out.
    confidence : float
        Probability that the interval covers the true mean.
    random_state : int
        Seed of the resamples.

    Returns
    -------
    low, high : float
        NaN with fewer than two values; the value itself if all are equal.

    Raises
    ------
    ValueError
        If the confidence is not between 0 and 1.

    References
    ----------
    .. [1] Hesterberg, T. C. (2015). What teachers should know about the bootstrap. The American
       Statistician 69, 371-386.

    Examples
    --------
    >>> low, high = bootstrap_interval([0.7, 0.8, 0.75, 0.9, 0.85])
    >>> bool(0.7 < low < 0.8 < high < 0.9)
    True
    """
    _check_confidence(confidence)
    finite = _finite(values)
    if len(finite) < 2:
        return float("nan"), float("nan")
    if np.ptp(finite) == 0:
        return float(finite[0]), float(finite[0])
    n = len(finite)
    quantile = stats.t.ppf((1 + confidence) / 2, n - 1) * np.sqrt(n / (n - 1))
    result = stats.bootstrap(
        (finite,),
        np.mean,
        n_resamples=_N_RESAMPLES,
        batch=1000,
        vectorized=True,
        confidence_level=1 - 2 * stats.norm.sf(quantile),
        method="percentile",
        rng=np.random.default_rng(random_state),
    )
    low, high = result.confidence_interval
    return float(low), float(high)


def corrected_interval(
    values: ArrayLike, test_ratio: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Return a confidence interval of the mean over folds that share training trials.

    It is the interval that belongs to `corrected_t_p_value`.

    Parameters
    ----------
    values : array-like, shape (n_folds,)
        A score for each fold. NaN are left out.
    test_ratio : float
        Number of test trials over number of training trials of a fold.
    confidence : float
        Probability that the interval covers the true mean.

    Returns
    -------
    low, high : float
        NaN with fewer than two values, and if all are equal, since such folds do not tell their
        variance.

    Raises
    ------
    ValueError
        If the confidence is not between 0 and 1.
    """
    _check_confidence(confidence)
    finite = _finite(values)
    error = corrected_standard_error(finite, test_ratio)
    if not error > 0:
        return float("nan"), float("nan")
    half = float(stats.t.ppf((1 + confidence) / 2, len(finite) - 1)) * error
    return float(finite.mean() - half), float(finite.mean() + half)


def _finite(values: ArrayLike) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    array = np.ravel(np.asarray(values, dtype=float))
    return array[np.isfinite(array)]


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence!r}.")
