"""The simulated rhythm follows its target as documented, and no estimator exceeds the ceiling."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_predict

from skeeg import EEGData
from skeeg.baselines import band_power_ridge, spoc_ridge
from skeeg.datasets import simulate_band_power_regression as simulate


def sampling_error(r2, n_trials):
    """Return the standard error of an R² over normal trials (Olkin and Finn, 1995)."""
    return 2 * np.sqrt(r2) * (1 - r2) / np.sqrt(n_trials)


def out_of_fold(estimator, data):
    return cross_val_predict(estimator, data, data.y, cv=KFold(4))


def test_shape_targets_and_provenance():
    data = simulate(2, 2, 3, 5, random_state=0)
    assert isinstance(data, EEGData)
    assert data.shape == (60, 22, 256)
    assert data.y.dtype == np.float64
    assert data.metadata.groupby(["subject", "session", "run"]).size().eq(5).all()
    assert len(np.unique(data.nested_groups("trial"))) == 60
    assert 3e-6 < data.X.std() < 60e-6


def test_log_power_and_target_are_jointly_normal_with_the_given_r2():
    for r2 in (0.0, 0.3, 0.8, 1.0):
        data = simulate(1, 1, 10, 400, r2=r2, ch_names=["Pz"], duration=0.5, random_state=0)
        log_power = data.metadata["log_power"].to_numpy()
        assert np.corrcoef(data.y, log_power)[0, 1] == pytest.approx(np.sqrt(r2), abs=0.03)
        assert data.y.mean() == pytest.approx(0, abs=0.05)
        assert data.y.std() == pytest.approx(1, abs=0.05)
        assert log_power.std() == pytest.approx(0.8, abs=0.05)


def test_the_power_over_the_parietal_electrode_is_the_log_power():
    data = simulate(1, 1, 1, 200, snr=10.0, random_state=0)
    freqs, power = welch(data.X[:, data.ch_names.index("Pz")], data.sfreq, nperseg=256)
    alpha = np.log(power[:, (freqs >= 8) & (freqs <= 13)].sum(axis=1))
    log_power = data.metadata["log_power"]
    slope, _ = np.polyfit(log_power, alpha, 1)
    assert slope == pytest.approx(1, abs=0.15)
    assert np.corrcoef(log_power, alpha)[0, 1] > 0.85
    beta = np.log(power[:, (freqs >= 20) & (freqs <= 30)].sum(axis=1))
    assert abs(np.corrcoef(log_power, beta)[0, 1]) < 0.3


def test_the_log_power_attains_the_ceiling_and_the_baselines_come_near_but_not_above():
    r2, data = 0.8, simulate(1, 1, 4, 75, r2=0.8, random_state=0)
    above = r2 + 3 * sampling_error(r2, len(data))
    log_power = data.metadata[["log_power"]].to_numpy()
    fitted = LinearRegression().fit(log_power, data.y)
    ceiling = r2_score(data.y, fitted.predict(log_power))
    assert ceiling == pytest.approx(r2, abs=3 * sampling_error(r2, len(data)))
    spoc = out_of_fold(spoc_ridge(bands=[(8, 13)], sfreq=128), data)
    assert ceiling - 0.1 < r2_score(data.y, spoc) < above
    assert np.corrcoef(data.y, spoc)[0, 1] < np.sqrt(above)
    power = out_of_fold(band_power_ridge(128), data)
    assert ceiling - 0.35 < r2_score(data.y, power) < above


def test_targets_that_say_nothing_cannot_be_predicted():
    data = simulate(1, 1, 4, 40, r2=0.0, random_state=0)
    for estimator in (spoc_ridge(bands=[(8, 13)], sfreq=128), band_power_ridge(128)):
        assert r2_score(data.y, out_of_fold(estimator, data)) <= 0.02


def test_same_random_state_same_data_and_more_subjects_do_not_change_the_first():
    once, again = (simulate(2, 1, 1, 6, random_state=3) for _ in range(2))
    more, other = simulate(3, 1, 1, 6, random_state=3), simulate(2, 1, 1, 6, random_state=4)
    np.testing.assert_array_equal(once.X, again.X)
    np.testing.assert_array_equal(once.y, again.y)
    np.testing.assert_array_equal(once.X, more.X[:12])
    assert not np.array_equal(once.X, other.X)
    assert not np.array_equal(once.X[:6], once.X[6:])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_runs": 0}, "n_runs must be a whole number from 1"),
        ({"r2": 1.1}, "r2 must lie between 0 and 1"),
        ({"r2": float("nan")}, "r2 must lie between 0 and 1"),
        ({"snr": 0.0}, "snr must be a positive number"),
        ({"sfreq": 20.0}, "sfreq must be 32 Hz or more"),
        ({"duration": 0.1}, "duration must be half a second or more"),
        ({"ch_names": ("C3", "X9")}, "has no electrode X9"),
    ],
)
def test_impossible_parameters_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        simulate(**parameters)
