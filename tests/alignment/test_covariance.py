"""Shrinkage and maps against closed forms, and what shrinkage is for: few trials."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skeeg.alignment import shrink_covariance, transport_map, whitening_map


def positive(rng, n=4):
    A = rng.standard_normal((n, 2 * n))
    return A @ A.T


def drawn(rng, covariance, n_trials, n_times):
    """Covariances of trials of independent samples, so that theory gives their spread."""
    root = np.linalg.cholesky(covariance)
    X = root @ rng.standard_normal((n_trials, len(covariance), n_times))
    return X @ X.transpose(0, 2, 1) / n_times


def test_parallel_transport_carries_one_covariance_to_the_other():
    rng = np.random.default_rng(0)
    R, P = positive(rng), positive(rng)
    E = transport_map(R, P)
    assert_allclose(E @ R @ E.T, P, rtol=1e-9)
    assert_allclose(E @ E, P @ np.linalg.inv(R), rtol=1e-9)
    assert_allclose(transport_map(P, P), np.eye(4), atol=1e-9)


def test_parallel_transport_follows_a_mixture_of_the_channels():
    rng = np.random.default_rng(1)
    R, P, B = positive(rng), positive(rng), rng.standard_normal((4, 4))
    mixed = transport_map(B @ R @ B.T, B @ P @ B.T)
    assert_allclose(mixed, B @ transport_map(R, P) @ np.linalg.inv(B), rtol=1e-7, atol=1e-9)


def test_an_average_reference_has_a_null_space_which_stays():
    rng = np.random.default_rng(2)
    average = np.eye(4) - 1 / 4
    R, P = (average @ positive(rng) @ average for _ in range(2))
    E = transport_map(R, P)
    assert_allclose(E @ R @ E.T, P, rtol=1e-8, atol=1e-9)
    assert_allclose(whitening_map(R) @ R @ whitening_map(R), average, atol=1e-9)


@pytest.mark.parametrize("shrinkage", ["ledoit-wolf", "oas"])
def test_the_intensity_does_not_depend_on_unit_or_mixture(shrinkage):
    rng = np.random.default_rng(3)
    P, B = positive(rng), 1e-6 * rng.standard_normal((4, 4))
    C = drawn(rng, positive(rng), 12, 40)
    _, plain = shrink_covariance(C.mean(0), C, P, shrinkage)
    mixed = B @ C @ B.T
    _, other = shrink_covariance(mixed.mean(0), mixed, B @ P @ B.T, shrinkage)
    assert 0 < plain < 1
    assert other == pytest.approx(plain, rel=1e-6)


def test_ledoit_wolf_is_the_ratio_of_variance_to_distance():
    """For Gaussian samples, E||S - 1||² is (p² + p) / n; here the truth is 3 times the target."""
    rng = np.random.default_rng(4)
    p, n_trials, n_times = 5, 200, 50
    C = drawn(rng, 3 * np.eye(p), n_trials, n_times)
    shrunk, intensity = shrink_covariance(C.mean(0), C, np.eye(p), "ledoit-wolf")
    variance = 9 * (p**2 + p) / (n_trials * n_times)
    assert intensity == pytest.approx(variance / (4 * p + variance), rel=0.15)
    assert_allclose(shrunk, (1 - intensity) * C.mean(0) + intensity * np.eye(p))


def test_oas_is_that_of_scikit_learn_where_samples_are_independent():
    from sklearn.covariance import oas

    rng = np.random.default_rng(5)
    p, n_trials, n_times = 8, 400, 10
    root = np.diag(np.sqrt(np.linspace(1, 1.5, p)))
    X = root @ rng.standard_normal((n_trials, p, n_times))
    C = X @ X.transpose(0, 2, 1) / n_times
    samples = X.transpose(0, 2, 1).reshape(-1, p)
    theirs, their_intensity = oas(samples, assume_centered=True)
    ours, intensity = shrink_covariance(C.mean(0), C, None, "oas")
    assert intensity == pytest.approx(their_intensity, rel=0.1)
    assert_allclose(ours, theirs, atol=0.01)


def test_few_trials_that_differ_are_shrunk_and_formulas_for_samples_would_not():
    """Fifteen trials of 640 samples whose state changes from trial to trial."""
    rng = np.random.default_rng(6)
    states = np.exp(0.5 * rng.standard_normal((15, 32)))
    C = np.array([drawn(rng, np.diag(s), 1, 640)[0] for s in states])
    _, intensity = shrink_covariance(C.mean(0), C, np.exp(0.125) * np.eye(32))
    assert intensity > 0.5


@pytest.mark.parametrize("shrinkage", ["ledoit-wolf", "oas"])
def test_one_trial_is_no_evidence(shrinkage):
    rng = np.random.default_rng(7)
    C = positive(rng)[None]
    assert shrink_covariance(C[0], C, np.eye(4), shrinkage)[1] == 1.0


def test_silence_gives_finite_numbers():
    C = np.zeros((5, 3, 3))
    for shrinkage in ("ledoit-wolf", "oas", None, 0.5):
        shrunk, intensity = shrink_covariance(C[0], C, None, shrinkage)
        assert np.isfinite(shrunk).all()
        assert 0 <= intensity <= 1
