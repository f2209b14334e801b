"""Meta-analysis of the difference between two estimators over several data sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from .paired import sign_flip_p_value


@dataclass(frozen=True, eq=False)
class MetaAnalysis:
    """Result of `meta_analysis`.

    Parameters
    ----------
    data_sets : DataFrame
        A row for each data set: ``n_subjects``, ``difference`` (mean), ``effect`` (standardised
        mean difference), the one-sided ``p_value`` that the first estimator is better, and the
        ``weight``.
    effect : float
        Weighted mean of the effects.
    p_value : float
        Combined one-sided p-value that the first estimator is better.
    """

    data_sets: pd.DataFrame
    effect: float
    p_value: float


def meta_analysis(differences: Mapping[str, ArrayLike]) -> MetaAnalysis:
    """Combine the differences between two estimators over data sets, as MOABB does.

    The p-value of each data set is that of a one-sided sign-flip test over its subjects. They are
    combined by Stouffer's method, and the standardised mean differences by their mean, both with
    weights proportional to the square root of the number of subjects [1]_.

    Parameters
    ----------
    differences : mapping of str to array-like of shape (n_subjects,)
        For each data set, the differences between the scores of two estimators in each subject;
        positive where the first is better. NaN are left out.

    Returns
    -------
    result : MetaAnalysis
        The effect is NaN if a data set has equal differences that are not 0. A p-value of 1 counts
        as one minus the smallest possible p-value, so that a single data set cannot decide.

    Raises
    ------
    ValueError
        If there is no data set, or one has fewer than two subjects.

    References
    ----------
    .. [1] Jayaram, V. and Barachant, A. (2018). MOABB: trustworthy algorithm benchmarking for
       BCIs. Journal of Neural Engineering 15, 066011.

    Examples
    --------
    >>> result = meta_analysis({"A": [0.1, 0.2, 0.1, 0.3], "B": [0.0, 0.1, 0.1, -0.1, 0.2, 0.1]})
    >>> round(result.p_value, 3)
    0.04
    """
    if not differences:
        raise ValueError("A meta-analysis needs at least one data set, got none.")
    rows = {name: _row(name, values) for name, values in differences.items()}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("data set")
    table = table.astype({"n_subjects": int})
    weights = np.sqrt(table["n_subjects"].to_numpy(dtype=float))
    table["weight"] = weights / weights.sum()
    floor = 1 / np.minimum(2.0 ** table["n_subjects"].to_numpy(dtype=float), 10_000)
    usable = np.minimum(table["p_value"].to_numpy(dtype=float), 1 - floor)
    combined = stats.combine_pvalues(usable, method="stouffer", weights=weights).pvalue
    effect = float((table["weight"] * table["effect"]).sum(skipna=False))
    return MetaAnalysis(table, effect, float(combined))


def _row(name: str, values: ArrayLike) -> dict[str, float]:
    """Return the statistics of one data set."""
    array = np.asarray(values, dtype=float)
    array = array[np.isfinite(array)]
    if len(array) < 2:
        raise ValueError(f"{name!r} has {len(array)} subjects; a meta-analysis needs two or more.")
    equal = np.ptp(array) <= 1e-12 * np.abs(array).max()
    return {
        "n_subjects": len(array),
        "difference": float(array.mean()),
        "effect": (0.0 if not array.any() else np.nan)
        if equal
        else float(array.mean() / array.std(ddof=1)),
        "p_value": sign_flip_p_value(array, "greater") if array.any() else 0.5,
    }
