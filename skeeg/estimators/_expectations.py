"""Checks of scikit-learn that estimators are expected to fail, and why."""

from __future__ import annotations

from typing import Any

from sklearn.base import is_regressor

from ..layers import ALPHA_ACTIVATIONS


def expected_failed_checks(estimator: Any) -> dict[str, str]:
    """Return the checks of ``check_estimator`` that are expected to fail, with the reason.

    For classifiers it is the one that scikit-learn expects to fail for its own stochastic
    estimators, such as ``SGDClassifier`` and ``Perceptron``. Regressors whose activation has no
    coefficient fail another one, which sets a parameter ``alpha``, and transductive estimators one
    that compares predictions for some trials with those for all.

    Parameters
    ----------
    estimator : NetworkEstimator, an ensemble of them, or one adapted to each call

    Returns
    -------
    checks : dict of str to str
        The argument ``expected_failed_checks`` of
        ``sklearn.utils.estimator_checks.check_estimator``.
    """
    name = type(estimator).__name__
    checks = {
        "check_sample_weight_equivalence_on_dense_data": (
            f"{name} is trained on mini-batches: repeating a trial gives other batches than "
            "weighting it."
        )
    }
    # The check sets alpha=0.01 wherever there is a parameter of that name, and ignoring an alpha
    # without effect would hide a mistake. The check passes with an activation that has one.
    has_activation = is_regressor(estimator) and hasattr(estimator, "activation")
    if has_activation and estimator.activation not in ALPHA_ACTIVATIONS:
        checks["check_regressors_train"] = (
            "The check sets alpha=0.01, the penalty of linear models. Here alpha is the "
            f"coefficient of the activation, and {estimator.activation!r} has none."
        )
    if getattr(estimator, "transductive", False):
        checks["check_methods_subset_invariance"] = (
            f"{name} adapts to the trials of each call, so that predictions depend on all of them."
        )
    return checks
