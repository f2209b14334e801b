"""Warnings of trials in another unit, and of single trials with a far larger amplitude."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from torch import from_numpy
from torch.utils.data import TensorDataset

from skeeg import (
    CCNNClassifier,
    EEGNetClassifier,
    EEGNetRegressor,
    ShallowConvNetClassifier,
)

from .support import make, maps, oscillations

pytestmark = pytest.mark.filterwarnings("error::UserWarning")
CLASSIFIERS = [EEGNetClassifier, ShallowConvNetClassifier, CCNNClassifier]


def trials(cls, n_trials=48):
    X, y = (maps if cls is CCNNClassifier else oscillations)(n_trials=n_trials)
    if cls is ShallowConvNetClassifier:  # its pool is longer than the default trials
        X, y = oscillations(n_trials=n_trials, n_times=160)
    return 1e-5 * X, y


def quick(cls):
    return make(cls, max_epochs=1)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "score", "forward", "partial_fit"])
@pytest.mark.parametrize("factor", [1e6, 1e-6, 101])
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_another_unit_than_in_fit_warns_with_the_factor_and_the_line_of_the_user(
    cls, factor, method
):
    X, y = trials(cls, n_trials=16)
    estimator = quick(cls).fit(X, y)
    args = (factor * X, y) if method in ("score", "partial_fit") else (factor * X,)
    shown = f"{factor:.3g}".replace("+", r"\+")
    with pytest.warns(UserWarning, match=f"have {shown} times the amplitude.*microvolts") as caught:
        getattr(estimator, method)(*args)
    (warning,) = caught
    assert Path(warning.filename) == Path(__file__)


@pytest.mark.parametrize("factor", [1, 90, 1 / 90, -1])
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_amplitudes_within_a_factor_of_100_do_not_warn(cls, factor):
    X, y = trials(cls)
    estimator = quick(cls).fit(X, y)
    estimator.predict(factor * X)
    estimator.predict(factor * X[:1])
    estimator.score(factor * X, y)


def test_data_sets_and_a_continued_fit_of_another_unit_warn_too():
    X, y = trials(EEGNetClassifier)
    estimator = make(EEGNetClassifier, max_epochs=1, warm_start=True).fit(X, y)
    for again in (estimator.predict, estimator.fit):
        with pytest.warns(UserWarning, match=r"1e\+06 times"):
            again(TensorDataset(from_numpy(1e6 * X), from_numpy(y)))
    # A fit from new weights takes any unit.
    estimator.set_params(warm_start=False).fit(1e6 * X, y).predict(1e6 * X)


def test_silent_trials_neither_warn_nor_divide_by_zero():
    X, y = trials(EEGNetClassifier)
    estimator = quick(EEGNetClassifier).fit(X, y)
    estimator.predict(np.zeros_like(X))
    quick(EEGNetClassifier).fit(np.zeros_like(X), y).predict(X)


@pytest.mark.parametrize("cls", [*CLASSIFIERS, EEGNetRegressor])
@pytest.mark.parametrize("kind", ["times 100", "offset of 200 deviations"])
def test_single_trial_that_dominates_the_scale_is_named(cls, kind):
    X, y = trials(cls)
    X[17] = 100 * X[17] if kind == "times 100" else X[17] + 200 * X.std()
    expected = "1 of 48 training trials have more than 20 times.*: trial 17"
    with pytest.warns(UserWarning, match=expected) as caught:
        quick(cls).fit(X, y)
    (warning,) = caught
    assert Path(warning.filename) == Path(__file__)


@pytest.mark.parametrize("outlier", ["times 100", "offset of 200 deviations"])
def test_outlier_on_top_of_the_offsets_of_an_amplifier_is_named(outlier):
    X, y = trials(EEGNetClassifier)
    noise = X.std()
    X[17] = 100 * X[17] if outlier == "times 100" else X[17] + 200 * noise
    X += noise * np.array([1000, -2000, 500])[:, None]  # of each channel
    with pytest.warns(UserWarning, match="1 of 48 training trials have more than.*: trial 17"):
        quick(EEGNetClassifier).fit(X, y)


def test_many_outliers_are_counted_and_the_first_ten_named():
    X, y = trials(EEGNetClassifier)
    X[::4] *= 1000
    with pytest.warns(UserWarning, match=r"12 of 48.*trial 0, 4, .*, 36, \.\.\.\."):
        quick(EEGNetClassifier).fit(X, y)


def evoked(n_trials=120, n_chans=4, n_times=64, seed=0):
    """Noise of 10 microvolts with an evoked wave of 5 microvolts in every other trial."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_trials) % 2
    wave = 5e-6 * np.exp(-0.5 * ((np.arange(n_times) - 30) / 5) ** 2)
    return 1e-5 * rng.standard_normal((n_trials, n_chans, n_times)) + y[:, None, None] * wave, y


@pytest.mark.parametrize("kind", ["clean", "artefacts", "common offset", "two groups"])
def test_usual_recordings_do_not_warn(kind):
    X, y = evoked()
    if kind == "artefacts":  # eye blinks
        X[[3, 50, 99]] *= 10
    elif kind == "common offset":  # a DC-coupled amplifier
        X += 200 * X.std()
    elif kind == "two groups":  # sessions with another gain
        X[60:] *= 15
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        estimator = quick(EEGNetClassifier).fit(X, y)
        estimator.predict(X)
        estimator.predict(X[:1])
