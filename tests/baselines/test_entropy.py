"""Entropy baselines against the recommended settings, with and without asymmetry."""

import mne
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import zscore
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score

from skeeg import EEGData
from skeeg.baselines import entropy_mlp, entropy_svm, entropy_tree
from skeeg.features import asymmetry, differential_entropy

from .support import SFREQ

CH_NAMES = ["F3", "F4", "P3", "P4", "Cz"]
ENTROPY = [entropy_svm, entropy_mlp, entropy_tree]


def lateral(n_trials=48, seed=0):
    """Noise; a 10-Hz rhythm at the front, on the side that is the class."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_trials) % 2
    X = rng.standard_normal((n_trials, 5, 256))
    phase = rng.uniform(0, 2 * np.pi, (n_trials, 1))
    X[np.arange(n_trials), y] += 1.5 * np.sin(2 * np.pi * 10 * np.arange(256) / SFREQ + phase)
    return X, y


def test_classifiers_are_those_recommended():
    svm = entropy_svm(SFREQ)["svm"]
    assert (svm.kernel, svm.C) == ("rbf", 1)
    assert entropy_mlp(SFREQ, random_state=3)["mlp"].hidden_layer_sizes == (128,)
    assert entropy_mlp(SFREQ, random_state=3)["mlp"].random_state == 3
    assert entropy_tree(SFREQ)["tree"].max_depth == 20


def test_the_classifier_is_given_the_z_score_of_each_trial():
    X, y = lateral()
    features = entropy_svm(SFREQ, "deap").fit(X, y)[:-1].transform(X)
    expected = zscore(differential_entropy(X, SFREQ, "deap").reshape(48, -1), axis=1)
    assert_allclose(features, expected, rtol=1e-9)


def test_features_may_be_standardised_over_the_training_data_instead():
    X, y = lateral()
    pipeline = entropy_svm(SFREQ, "deap", scaling="feature", method="spectral").fit(X, y)
    entropy = differential_entropy(X, SFREQ, "deap", method="spectral").reshape(48, -1)
    assert_allclose(pipeline[:-1].transform(X), zscore(entropy, axis=0), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("make", ENTROPY)
@pytest.mark.parametrize("kind", ["dasm", "rasm", "asm"])
def test_the_side_is_found_by_the_asymmetry(make, kind):
    X, y = lateral()
    pipeline = make(SFREQ, "deap", asymmetry=kind, ch_names=CH_NAMES)
    assert cross_val_score(pipeline, X, y, cv=StratifiedKFold(4)).mean() > 0.85


@pytest.mark.parametrize("kind", ["dasm", "rasm", "asm", "dcau"])
def test_asymmetries_are_those_of_the_entropy_and_free_of_the_unit(kind):
    X, y = lateral()
    pipeline = entropy_svm(SFREQ, "deap", asymmetry=kind, ch_names=CH_NAMES)
    features = clone(pipeline).fit(X, y)[:-1].transform(X)
    entropy = differential_entropy(X, SFREQ, "deap")
    compared = asymmetry(entropy, CH_NAMES, kind, log_features=True).reshape(48, -1)
    assert_allclose(features, zscore(compared, axis=1), rtol=1e-8, atol=1e-9)
    volts = clone(pipeline).fit(1e-6 * X, y)[:-1].transform(1e-6 * X)
    assert_allclose(volts, features, rtol=1e-6, atol=1e-9)


def test_ratios_are_those_of_standard_deviations():
    X, y = lateral()
    steps = entropy_svm(SFREQ, "deap", asymmetry="rasm", ch_names=CH_NAMES).fit(X, y)
    ratios = steps["asymmetry"].transform(steps["entropy"].transform(X)).reshape(48, 4, 2)
    deviation = np.exp(differential_entropy(X, SFREQ, "deap"))
    assert_allclose(ratios[..., 0], deviation[..., 0] / deviation[..., 1], rtol=1e-9)


def test_names_of_features_tell_pair_and_band():
    X, y = lateral()
    data = EEGData.from_arrays(X, y, SFREQ, CH_NAMES)
    fitted = entropy_svm(SFREQ, asymmetry="dcau", ch_names=data.ch_names).fit(data, y)
    assert fitted[:2].get_feature_names_out().tolist()[:3] == [
        "F3-P3_delta", "F4-P4_delta", "F3-P3_theta"
    ]  # fmt: skip


def test_epochs_and_eeg_data_go_in_as_they_are():
    X, y = lateral()
    X = X.astype(np.float32).astype(float)
    epochs = mne.EpochsArray(X, mne.create_info(CH_NAMES, SFREQ, "eeg"), verbose="error")
    data = EEGData.from_arrays(X, y, SFREQ, CH_NAMES)
    pipeline = entropy_tree(SFREQ, asymmetry="asm", ch_names=CH_NAMES, random_state=0)
    predicted = [clone(pipeline).fit(Z, y).predict(Z) for Z in (X, epochs, data)]
    assert_array_equal(predicted[0], predicted[1])
    assert_array_equal(predicted[0], predicted[2])


def test_a_grid_search_reaches_the_steps():
    X, y = lateral()
    pipeline = entropy_svm(SFREQ, asymmetry="dasm", ch_names=CH_NAMES)
    grid = {"entropy__method": ["filter", "spectral"], "asymmetry__kind": ["dasm", "asm"]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    assert set(search.best_params_) == set(grid)


@pytest.mark.parametrize("make", ENTROPY)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sfreq": 64}, r"'gamma' .* reaches above the Nyquist"),
        ({"method": "welch"}, "method must be one of"),
        ({"scaling": "trial"}, "scaling must be one of 'sample', 'feature'; got 'trial'"),
        ({"asymmetry": "dasm"}, "asymmetry and ch_names must be passed together"),
        ({"ch_names": CH_NAMES}, "asymmetry and ch_names must be passed together"),
        ({"asymmetry": "left", "ch_names": CH_NAMES}, "kind must be one of 'dasm'"),
        ({"asymmetry": "dasm", "ch_names": ["Cz", "Pz"]}, "No two of the ch_names Cz, Pz"),
    ],
)
def test_wrong_arguments_are_refused_at_once(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**{"sfreq": SFREQ, **arguments})
