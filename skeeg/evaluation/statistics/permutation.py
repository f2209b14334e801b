"""Permutation of labels, and the test against chance that fits again for each permutation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class PermutationResult:
    """Result of `permutation_test`.

    Parameters
    ----------
    score : float
        Mean score over folds with the true labels.
    null_scores : ndarray, shape (n_permutations,)
        Mean scores over folds with permuted labels.
    p_value : float
        Proportion of scores, the true one included, that are at least as good as the true one.
    """

    score: float
    null_scores: NDArray[np.float64]
    p_value: float


def permuted_labels(
    y: ArrayLike,
    *,
    trials: ArrayLike | None = None,
    blocks: ArrayLike | None = None,
    n_permutations: int = 1,
    random_state: int = 0,
) -> Iterator[NDArray[Any]]:
    """Yield labels that are permuted between trials, within blocks.

    Parameters
    ----------
    y : array-like, shape (n_rows,)
        Labels.
    trials : array-like, shape (n_rows,), optional
        Trial of each row. Rows of one trial, such as its windows, keep a common label. By default,
        each row is a trial.
    blocks : array-like, shape (n_rows,), optional
        Block of each row, such as its run or subject. By default there is one block.
    n_permutations : int
        Number of permutations.
    random_state : int
        Seed of the permutations.

    Yields
    ------
    permuted : ndarray, shape (n_rows,)

    Raises
    ------
    ValueError
        If the lengths differ, or a trial has several labels or several blocks.

    Examples
    --------
    >>> y, trials = ["a", "a", "b", "b"], [1, 1, 2, 2]
    >>> [drawn.tolist() for drawn in permuted_labels(y, trials=trials, random_state=3)]
    [['b', 'b', 'a', 'a']]
    """
    labels = np.asarray(y)
    n_rows = len(labels)
    trial_of = _codes(np.arange(n_rows) if trials is None else trials, n_rows, "trials")
    block_of = _codes(np.zeros(n_rows) if blocks is None else blocks, n_rows, "blocks")
    _check_one(trial_of, _codes(labels, n_rows, "y"), "several labels")
    _check_one(trial_of, block_of, "several blocks")
    first = np.unique(trial_of, return_index=True)[1]
    of_trial = labels[first]
    members = [np.flatnonzero(block_of[first] == block) for block in np.unique(block_of)]
    rng = np.random.default_rng(random_state)
    for _ in range(n_permutations):
        drawn = of_trial.copy()
        for member in members:
            drawn[member] = of_trial[rng.permutation(member)]
        yield drawn[trial_of]


def permutation_test(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    cv: Any = None,
    groups: ArrayLike | None = None,
    scoring: Any = None,
    trials: ArrayLike | None = None,
    blocks: ArrayLike | None = None,
    n_permutations: int = 99,
    n_jobs: int | None = None,
    random_state: int = 0,
) -> PermutationResult:
    """Test a cross-validated score against chance, by fits with permuted labels.

    The whole cross-validation is repeated for each permutation, so that the p-value is valid
    although the folds share training trials [1]_. scikit-learn's ``permutation_test_score`` does
    the same for rows that are trials of their own; here, windows of one trial keep a common label.

    Parameters
    ----------
    estimator : estimator
        Any estimator of scikit-learn or skeeg.
    X : array-like or EEGData, n_rows rows
    y : array-like, shape (n_rows,)
        Labels.
    cv, groups, scoring, n_jobs
        As in ``sklearn.model_selection.cross_val_score``. A greater score is better.
    trials : array-like, shape (n_rows,), optional
        Trial of each row. Rows of one trial, such as its windows, keep a common label.
    blocks : array-like, shape (n_rows,), optional
        Block of each row, such as its run or subject. Labels are permuted within blocks, which is
        needed where trials of one block are more alike than those of two.
    n_permutations : int
        Number of random permutations. The p-value is at least ``1 / (n_permutations + 1)``.
    random_state : int
        Seed of the permutations.

    Returns
    -------
    result : PermutationResult

    Raises
    ------
    ValueError
        If the lengths differ, or a trial has several labels or several blocks.

    References
    ----------
    .. [1] Ojala, M. and Garriga, G. C. (2010). Permutation tests for studying classifier
       performance. Journal of Machine Learning Research 11, 1833-1863.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> X, y = np.arange(20.0)[:, None], np.repeat([0, 1], 10)
    >>> permutation_test(GaussianNB(), X, y, cv=5, n_permutations=19).p_value
    0.05
    """
    from sklearn.model_selection import cross_val_score

    def score(labels: NDArray[Any]) -> float:
        options = {"cv": cv, "groups": groups, "scoring": scoring, "n_jobs": n_jobs}
        return float(np.mean(cross_val_score(estimator, X, labels, **options)))

    labels = np.asarray(y)
    draws = permuted_labels(
        labels,
        trials=trials,
        blocks=blocks,
        n_permutations=n_permutations,
        random_state=random_state,
    )
    observed = score(labels)
    null = np.array([score(drawn) for drawn in draws])
    as_good = int(np.sum(null >= observed - 1e-12))
    return PermutationResult(observed, null, (as_good + 1) / (n_permutations + 1))


def _codes(values: ArrayLike, n_rows: int, name: str) -> NDArray[np.intp]:
    """Return values as codes in the order of their first rows."""
    array = np.asarray(values)
    if array.shape != (n_rows,):
        raise ValueError(
            f"{name} must have one value for each of the {n_rows} rows, got the shape "
            f"{array.shape}."
        )
    return pd.factorize(array, use_na_sentinel=False)[0]


def _check_one(trial_of: NDArray[np.intp], codes: NDArray[np.intp], what: str) -> None:
    """Raise an error if rows of one trial have several codes."""
    first = np.unique(trial_of, return_index=True)[1]
    wrong = np.flatnonzero(codes != codes[first][trial_of])
    if len(wrong):
        raise ValueError(
            f"Rows of one trial have {what}: row {wrong[0]} differs from row "
            f"{first[trial_of[wrong[0]]]}. Pass trials that are unique over subjects and runs."
        )
