"""Tables of features that were computed before the split."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from skeeg import EEGData
from skeeg.features import (
    BandPower,
    DifferentialEntropy,
    FeatureTable,
    band_power,
    differential_entropy,
    standardise_subjects_transductively,
)


@pytest.fixture
def data():
    X = np.random.default_rng(0).standard_normal((6, 2, 640))
    return EEGData.from_arrays(
        X, list("abbaba"), 128, ch_names=["C3", "C4"], subject=[1, 1, 2, 2, 3, 3]
    )


def test_each_trial_becomes_a_row_of_what_the_function_computes(data):
    table = FeatureTable.from_data(data, DifferentialEntropy(128, "deap"))
    expected = differential_entropy(data.X, 128, "deap")
    np.testing.assert_allclose(table.X, expected.reshape(6, -1))
    assert table.feature_names[:3] == ["C3_theta", "C4_theta", "C3_alpha"]
    assert table.window == 5
    assert list(table.y) == list("abbaba")
    assert list(table.groups("subject")) == [1, 1, 2, 2, 3, 3]


def test_a_transformer_that_gives_data_frames_stays_as_it_was(data):
    power = BandPower(128, {"mu": (8, 13)}).set_output(transform="pandas")
    table = FeatureTable.from_data(data, power)
    np.testing.assert_allclose(table.X, np.log(band_power(data.X, 128, {"mu": (8, 13)})[:, 0]))
    assert not hasattr(power, "n_chans_")
    assert repr(table) == "<FeatureTable: 6 windows of 5 s x 1 band x 2 channels; a: 3, b: 3>"


def test_trials_of_a_subject_are_standardised_together(data):
    table = FeatureTable.from_data(data, DifferentialEntropy(128))
    standardised = standardise_subjects_transductively(table)
    np.testing.assert_allclose(np.abs(standardised.X), 1)  # two trials each


def test_what_is_no_trial_or_no_feature_of_bands_is_refused(data):
    with pytest.raises(TypeError, match="data must be EEGData, got ndarray"):
        FeatureTable.from_data(data.X, DifferentialEntropy(128))
    with pytest.raises(TypeError, match=r"such as BandPower .*, got StandardScaler"):
        FeatureTable.from_data(data, StandardScaler())
    with pytest.raises(ValueError, match="sampled at 128 Hz"):
        FeatureTable.from_data(data, DifferentialEntropy(256))
