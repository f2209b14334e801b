"""What scikit-learn's own checks cannot expect of a learner that draws mini-batches."""

from __future__ import annotations

from typing import Any


def expected_failed_checks(estimator: Any) -> dict[str, str]:
    """Return the checks that ``check_estimator`` may see fail, with the reason.

    The one that scikit-learn expects to fail for its own stochastic learners, such as
    ``SGDClassifier`` and ``Perceptron``.

    Parameters
    ----------
    estimator : NetworkClassifier

    Returns
    -------
    checks : dict of str to str
        For ``sklearn.utils.estimator_checks.check_estimator(..., expected_failed_checks=checks)``.
    """
    return {
        "check_sample_weight_equivalence_on_dense_data": (
            f"{type(estimator).__name__} is trained on mini-batches: repeating a trial instead of "
            "weighting it draws other batches."
        )
    }
