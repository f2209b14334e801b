"""The units of the statistics of a comparison: subjects or folds."""

from __future__ import annotations

import pandas as pd

#: Smallest number of subjects for which subjects, rather than folds, are the units of a test.
MIN_SUBJECTS = 5


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


def test_ratio(scores: pd.DataFrame) -> float:
    """Return the number of test trials over the number of training trials, over all folds.

    Parameters
    ----------
    scores : DataFrame
        A row for each estimator and fold, with ``n_test`` and ``n_train``.

    Returns
    -------
    ratio : float
    """
    return float(scores["n_test"].sum() / scores["n_train"].sum())
