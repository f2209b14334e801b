"""Paired tests between estimators, and the correction for several tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

#: Smallest number of pairs for a test of signs; with fewer no difference could be significant.
MIN_PAIRS = 5
#: Smallest number of folds for the corrected resampled t-test.
MIN_FOLDS = 3
#: Up to so many pairs, all patterns of signs are used.
_MAX_EXACT = 15
_N_RESAMPLES = 9999

_ALTERNATIVES = ("two-sided", "greater", "less")


def sign_flip_p_value(differences: ArrayLike, alternative: str = "two-sided") -> float:
    """Return the p-value of a sign-flip permutation test of the mean difference.

    All patterns of signs are used for up to 15 pairs, else 9,999 random patterns with a fixed
    seed. The test is exact if the pairs are independent, as subjects are, and the differences
    symmetric about 0 under the null hypothesis.

    Parameters
    ----------
    differences : array-like, shape (n_pairs,)
    alternative : {"two-sided", "greater", "less"}
        Whether the mean difference is tested to be other than, greater than or less than 0.

    Returns
    -------
    p_value : float
        1 if all differences are 0.

    Examples
    --------
    >>> sign_flip_p_value([0.1, 0.2, 0.1, 0.3, 0.2])
    0.0625
    """
    return float(_sign_flips(np.asarray(differences, dtype=float)[:, None], alternative)[0])


def _sign_flips(differences: NDArray[np.float64], alternative: str) -> NDArray[np.float64]:
    """Return the p-values of `sign_flip_p_value` for each column; a NaN is no pair."""
    # A difference of 0 changes no sum, so that it stands for a pair that is left out.
    result = stats.permutation_test(
        (np.nan_to_num(differences),),
        np.sum,
        axis=0,
        permutation_type="samples",
        n_resamples=2**_MAX_EXACT if len(differences) <= _MAX_EXACT else _N_RESAMPLES,
        batch=1000,
        vectorized=True,
        alternative=alternative,
        rng=np.random.default_rng(0),
    )
    return np.atleast_1d(result.pvalue)


def wilcoxon_p_value(differences: ArrayLike, alternative: str = "two-sided") -> float:
    """Return the p-value of Wilcoxon's signed-rank test.

    It is exact for up to 15 pairs, also with ties and zeros, which are ranked as by Pratt.

    Parameters
    ----------
    differences : array-like, shape (n_pairs,)
    alternative : {"two-sided", "greater", "less"}
        As in `sign_flip_p_value`.

    Returns
    -------
    p_value : float
        1 if all differences are 0.

    Examples
    --------
    >>> wilcoxon_p_value([0.1, 0.2, 0.1, 0.3, 0.2])
    0.0625
    """
    values = np.asarray(differences, dtype=float)
    if not values.any():
        return 1.0
    if len(values) <= _MAX_EXACT:  # flips of signed ranks; scipy approximates where there are ties
        ranks = np.sign(values) * stats.rankdata(np.abs(values))
        return float(_sign_flips(ranks[:, None], alternative)[0])
    return float(stats.wilcoxon(values, zero_method="pratt", alternative=alternative).pvalue)


def corrected_t_p_value(
    differences: ArrayLike, test_ratio: float, alternative: str = "two-sided"
) -> float:
    """Return the p-value of the corrected resampled t-test of Nadeau and Bengio.

    Folds share training trials, so their differences are correlated, and the usual t-test, as
    every test that takes folds for independent, gives p-values that are too small. Here the
    variance of the mean is ``(1 / n_folds + test_ratio) * s ** 2`` instead of ``s ** 2 /
    n_folds`` [1]_.

    Parameters
    ----------
    differences : array-like, shape (n_folds,)
        Differences between two scores of each fold.
    test_ratio : float
        Number of test trials over number of training trials of a fold: 1/4 for five folds.
    alternative : {"two-sided", "greater", "less"}
        As in `sign_flip_p_value`.

    Returns
    -------
    p_value : float
        1 if all differences are 0, NaN if they are all equal to another number: such folds do not
        tell their variance.

    References
    ----------
    .. [1] Nadeau, C. and Bengio, Y. (2003). Inference for the generalization error. Machine
       Learning 52, 239-281.

    Examples
    --------
    >>> round(corrected_t_p_value([0.1, 0.2, 0.1, 0.3, 0.2], test_ratio=1 / 4), 4)
    0.0327
    """
    values = np.asarray(differences, dtype=float)
    if not values.any():
        return 1.0
    error = corrected_standard_error(values, test_ratio)
    if not error > 0:
        return float("nan")
    statistic = values.mean() / error
    below, above = (tail(statistic, len(values) - 1) for tail in (stats.t.cdf, stats.t.sf))
    return float({"less": below, "greater": above, "two-sided": 2 * min(below, above)}[alternative])


def corrected_standard_error(values: NDArray[np.float64], test_ratio: float) -> float:
    """Return the standard error of the mean over folds by Nadeau and Bengio.

    Parameters
    ----------
    values : ndarray, shape (n_folds,)
    test_ratio : float
        Number of test trials over number of training trials of a fold.

    Returns
    -------
    error : float
        NaN for less than two folds; 0 if all values are equal up to rounding.
    """
    if len(values) < 2:
        return float("nan")
    if np.ptp(values) <= 1e-12 * np.abs(values).max():
        return 0.0
    return float(np.sqrt((1 / len(values) + test_ratio) * values.var(ddof=1)))


#: The paired tests of `paired_p_value`, in words.
TESTS = {
    "permutation": "sign-flip permutation test",
    "wilcoxon": "Wilcoxon's signed-rank test",
    "corrected-t": "corrected resampled t-test",
}


def paired_p_value(
    a: ArrayLike,
    b: ArrayLike,
    test: str = "permutation",
    *,
    alternative: str = "two-sided",
    test_ratio: float | None = None,
) -> float:
    """Return the p-value of a paired test between scores.

    Parameters
    ----------
    a, b : array-like, shape (n_pairs,)
        Pairs with a NaN are left out.
    test : {"permutation", "wilcoxon", "corrected-t"}
        A sign-flip permutation test of the mean difference, Wilcoxon's signed-rank test, or for
        folds the corrected resampled t-test.
    alternative : {"two-sided", "greater", "less"}
        Whether ``a`` is tested to be other than, greater than or less than ``b``.
    test_ratio : float, optional
        Number of test trials over number of training trials of a fold, for ``"corrected-t"``.

    Returns
    -------
    p_value : float
        NaN with fewer than five pairs, or three folds of ``"corrected-t"``; 1 if all pairs are
        equal.

    Raises
    ------
    ValueError
        If the test or the alternative is unknown, or ``test_ratio`` is missing.
    """
    differences = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    return float(paired_p_values(differences[:, None], test, alternative, test_ratio)[0])


def paired_p_values(
    differences: NDArray[np.float64],
    test: str,
    alternative: str = "two-sided",
    test_ratio: float | None = None,
) -> NDArray[np.float64]:
    """Return the p-values of `paired_p_value` for several tests.

    Parameters
    ----------
    differences : ndarray, shape (n_pairs, n_tests)
    test, alternative, test_ratio
        As in `paired_p_value`.

    Returns
    -------
    p_values : ndarray, shape (n_tests,)

    Raises
    ------
    ValueError
        As in `paired_p_value`.
    """
    check_test(test)
    if alternative not in _ALTERNATIVES:
        raise ValueError(
            f"alternative must be one of {', '.join(_ALTERNATIVES)}, got {alternative!r}."
        )
    differences = np.where(np.isfinite(differences), differences, np.nan)
    enough = np.isfinite(differences).sum(axis=0) >= (
        MIN_FOLDS if test == "corrected-t" else MIN_PAIRS
    )
    p_values = np.full(differences.shape[1], np.nan)
    if test == "permutation" and enough.any():
        p_values[enough] = _sign_flips(differences[:, enough], alternative)
        return p_values
    for i in np.flatnonzero(enough):
        own = differences[np.isfinite(differences[:, i]), i]
        if test == "wilcoxon":
            p_values[i] = wilcoxon_p_value(own, alternative)
        else:
            p_values[i] = corrected_t_p_value(own, _known(test_ratio), alternative)
    return p_values


def _known(test_ratio: float | None) -> float:
    if test_ratio is None:
        raise ValueError(
            "The corrected resampled t-test needs test_ratio, the number of test trials over the "
            "number of training trials of a fold."
        )
    return test_ratio


def check_test(test: str) -> None:
    """Raise an error if a test is unknown."""
    if test not in TESTS:
        raise ValueError(f"test must be one of {', '.join(TESTS)}, got {test!r}.")


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
    # statsmodels does the same, but collects all garbage of the process in each call, which takes
    # a quarter of a second. The tests compare with it.
    p_values = np.asarray(p_values, dtype=float)
    corrected = np.full(p_values.shape, np.nan)
    (tested,) = np.nonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    stepped = p_values[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return corrected
