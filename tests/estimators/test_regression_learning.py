"""Regressors on simulated trials of which it is known how much of the target they tell."""

import numpy as np
import pytest
from sklearn.base import clone

from skeeg import EEGNetRegressor, MSFBCNNRegressor, ShallowConvNetRegressor
from skeeg.baselines import band_power_ridge, spoc_ridge
from skeeg.datasets import simulate_band_power_regression

TRAIN, TEST = slice(0, 400), slice(400, 600)
#: What a coefficient of determination on 200 trials may exceed its ceiling by, by chance.
SAMPLING_ERROR = 0.03

ESTIMATORS = {
    "EEGNet": EEGNetRegressor(max_epochs=60, lr=3e-3, kernel_length=64, dropout=0.1),
    "ShallowConvNet": ShallowConvNetRegressor(max_epochs=30, lr=3e-3),
    "MSFBCNN": MSFBCNNRegressor(max_epochs=20, lr=3e-3, n_temporal_filters=4),
    "SPoC": spoc_ridge(bands=[(8, 13)], sfreq=128),
    "band power": band_power_ridge(sfreq=128),
}


@pytest.fixture(scope="module")
def data():
    return simulate_band_power_regression(n_subjects=1, n_trials=150, r2=0.8, random_state=0)


@pytest.fixture(scope="module")
def ceiling(data):
    """The R2 of a line through the log power that the target follows."""
    known = np.corrcoef(data.metadata["log_power"][TEST], data.y[TEST])[0, 1] ** 2
    assert known == pytest.approx(0.8, abs=0.06)
    return known


@pytest.mark.parametrize("name", ESTIMATORS)
def test_r2_comes_near_its_ceiling_and_not_above(name, data, ceiling):
    estimator = clone(ESTIMATORS[name])
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    score = estimator.fit(data[TRAIN], data.y[TRAIN]).score(data[TEST], data.y[TEST])
    assert ceiling - 0.25 < score < ceiling + SAMPLING_ERROR


def test_targets_that_the_trials_do_not_tell_are_not_predicted():
    data = simulate_band_power_regression(n_subjects=1, n_trials=50, r2=0.0, random_state=1)
    train, test = slice(0, 100), slice(100, 200)
    for estimator in (
        MSFBCNNRegressor(max_epochs=20, n_temporal_filters=4, random_state=0),
        ShallowConvNetRegressor(max_epochs=10, random_state=0),
    ):
        assert estimator.fit(data[train], data.y[train]).score(data[test], data.y[test]) <= 0.1
