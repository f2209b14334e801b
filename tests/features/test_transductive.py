"""Standardisation by all trials of a subject, the tested ones included."""

from __future__ import annotations

import numpy as np
import pytest

import skeeg.features
from skeeg import EEGData
from skeeg.features import deap_entropy, standardise_subjects_transductively


def recorded(dtype=float, **columns):
    rng = np.random.default_rng(0)
    subject = np.tile(["B", "A", "C"], 4)
    X = rng.standard_normal((12, 3, 50)) * rng.uniform(1, 9, (12, 3, 1)) + rng.uniform(0, 5, (3, 1))
    return EEGData.from_arrays(
        X.astype(dtype), np.arange(12) % 2, 50, **({"subject": subject} | columns)
    )


def test_each_channel_of_each_subject_is_standardised_over_trials_and_time():
    data = recorded()
    result = standardise_subjects_transductively(data)
    for who in "ABC":
        own = data.groups("subject") == who
        for channel in range(3):
            values = data.X[own, channel].astype(float)
            expected = (values - values.mean()) / values.std()
            np.testing.assert_allclose(result.X[own, channel], expected, rtol=1e-4, atol=1e-6)


def test_features_are_standardised_one_by_one():
    X = np.random.default_rng(0).standard_normal((6, 2, 640))
    trials = EEGData.from_arrays(X, np.arange(6) % 2, 128, subject=list("AABBAB"))
    table = deap_entropy(trials)
    result = standardise_subjects_transductively(table)
    own = table.groups("subject") == "A"
    expected = (table.X[own] - table.X[own].mean(axis=0)) / table.X[own].std(axis=0)
    assert own.sum() == 15
    np.testing.assert_allclose(result.X[own], expected, rtol=1e-9)


def test_everything_but_the_values_stays_as_it_is():
    data = recorded()
    before = data.X.copy()
    result = standardise_subjects_transductively(data)
    np.testing.assert_array_equal(data.X, before)
    assert result.X.dtype == np.float32
    assert result.metadata is data.metadata
    assert (result.y is data.y, result.sfreq, result.ch_names) == (True, 50, data.ch_names)


def test_it_uses_the_trials_of_a_subject_that_are_tested():
    """What the name warns of: one trial changes all others of its subject, and only those."""
    data = recorded()
    result = standardise_subjects_transductively(data)
    data.X[0] *= 10
    changed = standardise_subjects_transductively(data).X != result.X
    own = data.groups("subject") == "B"
    assert changed[own].any(axis=(1, 2)).all()
    assert not changed[~own].any()


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_the_unit_does_not_matter(unit):
    data = recorded()
    scaled = EEGData.from_arrays(data.X * unit, data.y, 50, metadata=data.metadata)
    np.testing.assert_allclose(
        standardise_subjects_transductively(scaled).X,
        standardise_subjects_transductively(data).X,
        rtol=1e-4,
        atol=1e-5,
    )


def test_data_without_subject_are_one():
    data = recorded()
    alone = EEGData.from_arrays(data.X, data.y, 50)
    result = standardise_subjects_transductively(alone)
    np.testing.assert_allclose(result.X.mean(axis=(0, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(result.X.std(axis=(0, 2)), 1, rtol=1e-5)


def test_what_does_not_vary_becomes_zero():
    data = recorded()
    data.X[:, 1] = 7
    assert not standardise_subjects_transductively(data).X[:, 1].any()
    single = EEGData.from_arrays(np.full((1, 1, 1), 3.0), [0], 50)
    assert standardise_subjects_transductively(single).X.tolist() == [[[0.0]]]


def test_arrays_and_unknown_subjects_and_nan_are_refused():
    with pytest.raises(TypeError, match="EEGData or FeatureTable, got ndarray: the subjects must"):
        standardise_subjects_transductively(np.zeros((4, 2, 8)))
    with pytest.raises(ValueError, match="which subject row 2 is of"):
        standardise_subjects_transductively(recorded(subject=["A", "A", None, *"B" * 9]))
    data = recorded()
    data.X[3, 1, 5] = np.nan
    with pytest.raises(ValueError, match="NaN: first in trial 3, channel 1"):
        standardise_subjects_transductively(data)


@pytest.mark.parametrize("layout", ["read-only", "reversed", "integers"])
def test_any_layout_will_do(layout):
    data = recorded(dtype=int if layout == "integers" else np.float32)
    X = data.X
    if layout == "read-only":
        X.flags.writeable = False
    elif layout == "reversed":
        X = np.asfortranarray(X)
    result = standardise_subjects_transductively(
        EEGData(X, data.y, 50, data.ch_names, data.metadata)
    )
    expected = standardise_subjects_transductively(data)
    np.testing.assert_allclose(result.X, expected.X, rtol=1e-5, atol=1e-6)


def test_only_a_name_that_says_so_standardises_by_subject():
    public = [name for name in skeeg.features.__all__ if "subject" in name.lower()]
    assert public == ["standardise_subjects_transductively"]
