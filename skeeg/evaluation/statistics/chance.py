"""Chance levels, and tests of a single score against chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from .permutation import permuted_labels


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

    It is a quantile of the binomial distribution, the adjusted chance level of Combrisson and
    Jerbi [1]_. It holds for predictions that are independent of each other: those of a test set,
    by an estimator that was trained on other trials. The folds of a cross-validation share
    training trials, and guessing exceeds the bound more often there.

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


def binomial_p_value(n_correct: int, n_trials: int, probability: float) -> float:
    """Return the probability that guessing has at least so many correct trials.

    This is the exact one-sided binomial test. As for `binomial_bound`, the predictions must be
    independent of each other.

    Parameters
    ----------
    n_correct : int
        Number of test trials that were predicted correctly.
    n_trials : int
        Number of independent test trials; windows of one trial count once.
    probability : float
        Probability of a correct guess, such as the proportion of the most frequent class.

    Returns
    -------
    p_value : float

    Raises
    ------
    ValueError
        If ``n_correct`` is not between 0 and ``n_trials``, or the probability is not between 0
        and 1.

    Examples
    --------
    >>> round(binomial_p_value(60, 100, 0.5), 4)
    0.0284
    """
    return float(stats.binomtest(n_correct, n_trials, probability, alternative="greater").pvalue)


def label_permutation_p_value(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    trials: ArrayLike | None = None,
    blocks: ArrayLike | None = None,
    n_permutations: int = 9999,
    random_state: int = 0,
) -> float:
    """Test the predictions of a test set against chance, by permutation of its labels.

    The statistic is the balanced accuracy: the mean over classes of the proportion of their rows
    that is predicted correctly. The p-value is that of a one-sided test, and is never below
    ``1 / (n_permutations + 1)``. The estimator must have been trained on other trials, once. For a
    cross-validation, whose folds share training trials, use `permutation_test`, which fits again.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (n_rows,)
        True and predicted labels.
    trials : array-like, shape (n_rows,), optional
        Trial of each row. Rows of one trial, such as its windows, keep a common label.
    blocks : array-like, shape (n_rows,), optional
        Block of each row, such as its run or subject. Labels are permuted within blocks.
    n_permutations : int
        Number of random permutations.
    random_state : int
        Seed of the permutations.

    Returns
    -------
    p_value : float

    Raises
    ------
    ValueError
        If the lengths differ, a trial has several labels or several blocks.

    Examples
    --------
    >>> label_permutation_p_value([0, 1] * 20, [0, 1] * 20)
    0.0001
    """
    true, predicted = np.asarray(y_true), np.asarray(y_pred)
    if true.ndim != 1 or true.shape != predicted.shape:
        raise ValueError(
            f"y_true and y_pred must be one-dimensional and of one length, got the shapes "
            f"{true.shape} and {predicted.shape}."
        )
    classes, codes = np.unique(true, return_inverse=True)
    guessed = predicted[:, None] == classes
    observed = _balanced(codes, guessed)
    draws = permuted_labels(
        codes,
        trials=trials,
        blocks=blocks,
        n_permutations=n_permutations,
        random_state=random_state,
    )
    as_good = sum(_balanced(drawn, guessed) >= observed - 1e-12 for drawn in draws)
    return (as_good + 1) / (n_permutations + 1)


def _balanced(codes: NDArray[np.intp], guessed: NDArray[np.bool_]) -> float:
    """Return the mean recall for class codes, and whether each row is predicted as each class."""
    counts = np.bincount(codes, minlength=guessed.shape[1])
    hits = guessed[np.arange(len(codes)), codes]
    correct = np.bincount(codes, weights=hits, minlength=guessed.shape[1])
    return float(np.mean(correct[counts > 0] / counts[counts > 0]))
