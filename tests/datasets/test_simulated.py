import time

import mne
import numpy as np
import pandas as pd
import pytest
from mne.decoding import CSP
from mne.filter import filter_data
from scipy.signal import welch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skeeg.data import EEGData
from skeeg.datasets import simulate_motor_imagery


def csp_lda_accuracy(data):
    """Mean over subjects of the cross-validated accuracy within the subject."""
    scores = []
    for subject in np.unique(data.groups("subject")):
        own = data[data.groups("subject") == subject]
        X = filter_data(own.X.astype(float), own.sfreq, 8, 30, method="iir", verbose="error")
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        with mne.use_log_level("error"):
            scores.append(
                cross_val_score(
                    make_pipeline(CSP(6), LinearDiscriminantAnalysis()), X, own.y, cv=folds
                ).mean()
            )
    return np.mean(scores)


def band_power(data, ch_name, fmin, fmax):
    X = data.X[:, data.ch_names.index(ch_name)]
    freqs, power = welch(X, data.sfreq, nperseg=X.shape[-1])
    return power[:, (freqs >= fmin) & (freqs <= fmax)].mean()


def test_shape_labels_and_provenance():
    data = simulate_motor_imagery(2, 3, 2, 11, random_state=0)
    assert isinstance(data, EEGData)
    assert data.shape == (2 * 3 * 2 * 11, 22, 320)
    assert data.dtype == np.float32
    assert data.sfreq == 128
    assert set(data.y) == {"left_hand", "right_hand"}
    assert data.metadata.groupby(["subject", "session", "run"]).size().eq(11).all()
    assert len(np.unique(data.nested_groups("trial"))) == len(data)
    assert data.groups("subject").tolist() == [1] * 66 + [2] * 66


def test_classes_are_balanced_even_where_they_do_not_go_into_a_run():
    data = simulate_motor_imagery(1, 1, 2, 7, random_state=0)
    assert np.unique(data.y, return_counts=True)[1].tolist() == [7, 7]


def test_same_random_state_same_data_and_more_subjects_do_not_change_the_first():
    once = simulate_motor_imagery(2, 1, 1, 6, random_state=3)
    again = simulate_motor_imagery(2, 1, 1, 6, random_state=3)
    more = simulate_motor_imagery(3, 1, 1, 6, random_state=3)
    other = simulate_motor_imagery(2, 1, 1, 6, random_state=4)
    np.testing.assert_array_equal(once.X, again.X)
    np.testing.assert_array_equal(once.y, again.y)
    np.testing.assert_array_equal(once.X, more.X[:12])
    assert not np.array_equal(once.X, other.X)
    assert not np.array_equal(once.X[:6], once.X[6:])


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState])
def test_generators_are_accepted(make):
    first, second = (simulate_motor_imagery(1, 1, 1, 4, random_state=make(5)).X for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("random_state", [0, None])
def test_global_generator_is_neither_read_nor_advanced(random_state):
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = simulate_motor_imagery(1, 1, 1, 4, random_state=random_state).X
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    second = simulate_motor_imagery(1, 1, 1, 4, random_state=random_state).X
    assert np.array_equal(first, second) == (random_state == 0)


def test_amplitudes_are_those_of_eeg():
    data = simulate_motor_imagery(4, 1, 1, 20, random_state=0)
    deviation = data.X.std(axis=2).mean()
    assert 5e-6 < deviation < 40e-6
    assert np.isfinite(data.X).all()


def test_spectrum_falls_as_one_over_f():
    data = simulate_motor_imagery(6, 1, 1, 20, difficulty=1, ch_names=["Fz", "C3", "C4", "Cz"],
                                  sfreq=256, tmax=4.5, random_state=0)  # fmt: skip
    freqs, power = welch(data.X[:, 0], data.sfreq, nperseg=512)
    # Away from the mu and beta rhythms.
    background = ((freqs >= 1.5) & (freqs <= 6)) | ((freqs >= 32) & (freqs <= 60))
    slope, _ = np.polyfit(np.log(freqs[background]), np.log(power.mean(axis=0)[background]), 1)
    assert -1.3 < slope < -0.7


def test_rhythms_stand_out_of_the_background():
    data = simulate_motor_imagery(6, 1, 1, 20, difficulty=1, random_state=0)
    for fmin, fmax in ((9, 12), (18, 24)):
        neighbours = band_power(data, "C3", fmin - 4, fmin - 2) * band_power(
            data, "C3", fmax + 4, fmax + 6
        )
        assert band_power(data, "C3", fmin, fmax) > np.sqrt(neighbours)


@pytest.mark.parametrize("band", [(8, 13), (17, 25)])
def test_imagery_weakens_the_rhythm_over_the_opposite_hemisphere(band):
    data = simulate_motor_imagery(6, 1, 1, 40, difficulty=0.3, random_state=0)
    left, right = data[data.y == "left_hand"], data[data.y == "right_hand"]
    assert band_power(left, "C4", *band) < 0.85 * band_power(right, "C4", *band)
    assert band_power(right, "C3", *band) < 0.85 * band_power(left, "C3", *band)


def test_feet_imagery_weakens_the_rhythm_at_the_vertex():
    data = simulate_motor_imagery(6, 1, 1, 40, classes=("feet", "rest"), random_state=0)
    feet, rest = data[data.y == "feet"], data[data.y == "rest"]
    assert band_power(feet, "Cz", 8, 13) < 0.8 * band_power(rest, "Cz", 8, 13)
    assert band_power(feet, "C3", 8, 13) > band_power(rest, "C3", 8, 13) * 0.9


def test_nothing_happens_before_the_cue():
    before = simulate_motor_imagery(4, 1, 1, 20, tmin=-1.0, tmax=0.0, difficulty=0, random_state=0)
    chance = simulate_motor_imagery(4, 1, 1, 20, tmin=-1.0, tmax=0.0, difficulty=1, random_state=0)
    np.testing.assert_allclose(before.X, chance.X, rtol=0.02, atol=1e-6)


def test_neighbouring_electrodes_correlate_more_than_distant_ones():
    data = simulate_motor_imagery(4, 1, 1, 20, difficulty=1, random_state=0)
    signals = data.X.transpose(1, 0, 2).reshape(22, -1)
    names = data.ch_names
    correlation = np.corrcoef(signals)
    near = correlation[names.index("C3"), names.index("C1")]
    far = correlation[names.index("C3"), names.index("C4")]
    assert 0.6 < near < 0.99
    assert near > far + 0.3


def test_sessions_and_subjects_differ():
    data = simulate_motor_imagery(2, 2, 1, 40, difficulty=1, random_state=0)
    power = np.log(data.X.var(axis=2))
    sessions = data.nested_groups("session")
    means = [power[sessions == group].mean(axis=0) for group in pd.unique(sessions)]
    within = np.abs(means[0] - means[1]).mean()
    between = np.abs(means[0] - means[2]).mean()
    assert 0 < within < between


@pytest.mark.parametrize(
    ("difficulty", "lowest", "highest"), [(0.0, 0.95, 1.0), (0.5, 0.75, 0.9), (1.0, 0.4, 0.6)]
)
def test_difficulty_sets_the_accuracy_of_csp_and_lda(difficulty, lowest, highest):
    data = simulate_motor_imagery(4, difficulty=difficulty, random_state=1)
    assert lowest <= csp_lda_accuracy(data) <= highest


def test_four_classes_can_be_told_apart():
    classes = ("left_hand", "right_hand", "feet", "tongue")
    data = simulate_motor_imagery(1, classes=classes, random_state=0)
    assert set(data.y) == set(classes)
    assert csp_lda_accuracy(data) > 0.6


def test_default_data_of_the_command_line_take_less_than_two_seconds():
    simulate_motor_imagery(1, 1, 1, 2, random_state=0)  # imports MNE
    start = time.process_time()
    simulate_motor_imagery(n_subjects=4, n_sessions=2, n_runs=1, n_trials=40, random_state=0)
    assert time.process_time() - start < 2


def test_other_montages_and_channels():
    names = ["C3", "Cz", "C4"]
    data = simulate_motor_imagery(1, 1, 1, 4, ch_names=names, montage="biosemi64", random_state=0)
    assert data.ch_names == tuple(names)
    montage = mne.channels.make_standard_montage("biosemi64")
    given = simulate_motor_imagery(1, 1, 1, 4, ch_names=names, montage=montage, random_state=0)
    np.testing.assert_array_equal(data.X, given.X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_subjects": 0}, "n_subjects must be a whole number from 1"),
        ({"n_trials": 2.5}, "n_trials must be a whole number"),
        ({"classes": ("left_hand",)}, "classes must be two or more"),
        ({"classes": ("left_hand", "left_hand")}, "classes must be two or more"),
        ({"classes": ("left_hand", "elbow")}, "classes must be two or more.*elbow"),
        ({"ch_names": ("C3", "X9")}, "has no electrode X9"),
        ({"sfreq": 40.0}, "sfreq must be 64 Hz or more"),
        ({"tmin": 1.0, "tmax": 1.0}, "must last half a second"),
        ({"difficulty": 1.5}, "difficulty must lie between 0 and 1"),
        ({"difficulty": float("nan")}, "difficulty must lie between 0 and 1"),
    ],
)
def test_impossible_parameters_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        simulate_motor_imagery(**parameters)
