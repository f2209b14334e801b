"""The tangent space of covariances against what is known of it, and flat trials in it."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold, cross_val_score

from skeeg.baselines import Covariances, tangent_space_lr, tangent_space_ridge
from skeeg.datasets import load_eegmat, load_ssvep_exoskeleton
from skeeg.features import UnitScaler

from .support import SFREQ, trials

pyriemann = pytest.importorskip("pyriemann", reason="pyRiemann comes with the extra 'riemann'")


def test_covariances_are_those_of_pyriemann():
    from pyriemann.estimation import Covariances as Theirs

    X, _ = trials()
    for estimator in ("oas", "scm"):
        assert_array_equal(
            Covariances(estimator).fit_transform(X), Theirs(estimator).fit_transform(X)
        )


@pytest.mark.parametrize("value", [0.0, 5.0, 1e6])
def test_a_flat_trial_has_the_covariance_of_very_weak_noise(value):
    X, _ = trials()
    X[3] = value
    matrices = Covariances().fit_transform(X)
    assert_allclose(matrices[3], 1e-10 * np.eye(4))
    assert (np.linalg.eigvalsh(matrices) > 0).all()


@pytest.mark.parametrize("bands", [None, [(8, 13), (13, 30)]])
def test_flat_trials_can_be_fitted_and_predicted(bands):
    X, y = trials()
    X[3] = 0
    X_new, y_new = trials(seed=1)
    sfreq = None if bands is None else SFREQ
    with np.errstate(all="raise"):
        fitted = tangent_space_lr(bands=bands, sfreq=sfreq).fit(X, y)
        assert fitted.predict(X[3:4]).shape == (1,)
    assert np.mean(fitted.predict(X_new) == y_new) > 0.8


def test_a_flat_channel_is_none_of_a_flat_trial():
    X, y = trials()
    X[5, 0] = 0
    scaled = UnitScaler().fit_transform(X)
    assert_array_equal(
        Covariances().fit_transform(scaled),
        pyriemann.estimation.Covariances("oas").fit_transform(scaled),
    )
    tangent_space_lr().fit(X, y)


def test_log_power_of_mixed_sources_is_linear_in_the_tangent_space():
    """The closed form of Sabbagh et al. (2020): whatever the mixing, R² is that of the sources."""
    rng = np.random.default_rng(0)
    log_power = rng.standard_normal((150, 3))
    sources = rng.standard_normal((150, 3, 400)) * np.exp(log_power / 2)[:, :, None]
    y = log_power @ [1.0, -0.5, 0.0]
    mixing = rng.standard_normal((3, 3))
    ridge = tangent_space_ridge().set_params(covariance__estimator="scm")
    scores = [
        ridge.fit(Z[:100], y[:100]).score(Z[100:], y[100:]) for Z in (sources, mixing @ sources)
    ]
    assert min(scores) > 0.98
    assert scores[0] == pytest.approx(scores[1], rel=1e-6)


@pytest.mark.parametrize("make", [tangent_space_lr, tangent_space_ridge])
@pytest.mark.parametrize("arguments", [{"bands": [(8, 30)]}, {"sfreq": 128}])
def test_bands_and_rate_go_together(make, arguments):
    with pytest.raises(ValueError, match="bands and sfreq must be passed together"):
        make(**arguments)


@pytest.mark.parametrize("make", [tangent_space_lr, tangent_space_ridge])
def test_without_pyriemann_the_error_says_what_to_install(monkeypatch, make):
    monkeypatch.setitem(sys.modules, "pyriemann.estimation", None)
    with pytest.raises(
        ImportError, match=rf"{make.__name__} needs .*pip install 'skeeg\[riemann\]'"
    ):
        make()


# ---------------------------------------------------------------- real recordings


@pytest.mark.slow
def test_tangent_space_on_mental_arithmetic_of_unseen_subjects(recordings):
    data = load_eegmat(recordings("eegmat"), sfreq=128)
    scores = cross_val_score(
        tangent_space_lr(), data, data.y, groups=data.groups("subject"), cv=LeaveOneGroupOut()
    )
    assert scores.mean() >= 0.68


def test_tangent_space_on_steady_state_responses_within_a_session(recordings):
    """Subject 6, whose lamps blinked at 13, 17 and 21 Hz; with rest, chance is 0.25."""
    data = load_ssvep_exoskeleton(recordings("ssvep"), subjects=6)
    pipeline = tangent_space_lr(bands=[(12, 14), (16, 18), (20, 22)], sfreq=data.sfreq)
    sessions = data.nested_groups("session")
    scores = [
        cross_val_score(pipeline, part, part.y, cv=StratifiedKFold(4)).mean()
        for part in (data[sessions == session] for session in np.unique(sessions))
    ]
    assert np.mean(scores) > 0.6
