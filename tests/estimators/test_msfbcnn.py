"""Parameters of MSFBCNNClassifier, in addition to the contract of all classifiers."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skeeg import MSFBCNNClassifier

from .support import make, oscillations


@pytest.mark.parametrize("lengths", [[8, 5], (8, 5)])
def test_kernel_lengths_reach_the_network_as_they_were_given(lengths):
    X, y = oscillations()
    estimator = make(MSFBCNNClassifier, kernel_lengths=lengths, max_epochs=1)
    copy = clone(estimator).fit(X, y)
    assert copy.kernel_lengths == estimator.kernel_lengths == lengths
    assert [bank.kernel_size[1] for bank in copy.module_.filters.banks] == [8, 5]


def test_the_variant_sets_filters_and_kernel_lengths():
    X, y = oscillations()
    small = MSFBCNNClassifier(variant="strypsteen", max_epochs=1, random_state=0).fit(X, y)
    sizes = [(bank.out_channels, bank.kernel_size[1]) for bank in small.module_.filters.banks]
    assert sizes == [(10, 65), (10, 41), (10, 27), (10, 17)]


def test_kernels_variants_and_attention_can_be_searched():
    X, y = oscillations()
    grid = [
        {"kernel_lengths": [(16, 8), (5,)]},
        {"variant": ["strypsteen"], "attention": [None, "eca"]},
    ]
    search = GridSearchCV(make(MSFBCNNClassifier, max_epochs=1), grid, cv=2).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(search.cv_results_["params"]) == 4


def test_lag_sums_of_the_trials_do_not_change_the_fit():
    """A fit of several epochs looks them up; one epoch at a time computes them at every step."""
    X, y = oscillations()
    kwargs = {"dropout": 0.0, "batch_size": -1, "optimizer": "sgd", "lr": 1e-3}
    known = make(MSFBCNNClassifier, max_epochs=3, **kwargs).fit(X, y)
    anew = make(MSFBCNNClassifier, max_epochs=1, **kwargs).fit(X, y)
    for _ in range(2):
        anew.partial_fit(X, y)
    np.testing.assert_allclose(known.predict_proba(X), anew.predict_proba(X), atol=1e-4)


def test_wrong_lengths_raise_in_fit():
    X, y = oscillations()
    with pytest.raises(ValueError, match=r"kernel_lengths\[1\] must be an integer of at least 1"):
        make(MSFBCNNClassifier, kernel_lengths=(8, -1)).fit(X, y)
