"""Frequency responses of kernels that are known."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skeeg import CNNGRUClassifier, EEGData, EEGNetClassifier, MSFBCNNClassifier
from skeeg.features import UnitScaler
from skeeg.inspection import temporal_filters


def trials(n_trials=16, n_chans=3, n_times=120):
    X = np.random.default_rng(0).standard_normal((n_trials, n_chans, n_times))
    return X, np.arange(n_trials) % 2


def fitted(cls=EEGNetClassifier, **params):
    X, y = trials()
    return cls(max_epochs=1, random_state=0, **params).fit(X, y)


def test_known_kernels_have_their_responses():
    clf = fitted(n_temporal_filters=4, kernel_length=50)
    times = torch.arange(50) / 100
    kernels = clf.module_.filters.temporal.weight.data[:, 0, 0]
    kernels[0] = 0.02  # the mean of 50 samples
    kernels[1] = torch.cos(2 * torch.pi * 12 * times) / 25
    kernels[2] = 0
    kernels[2, 3], kernels[2, 4] = 1, -1  # a difference
    kernels[3] = 0
    found = temporal_filters(clf, sfreq=100)
    assert found.freqs[0] == 0
    assert found.freqs[-1] == 50
    assert np.diff(found.freqs).max() <= 0.1 + 1e-12
    angles = np.pi * found.freqs[1:] / 100
    mean = np.abs(np.sin(50 * angles) / np.sin(angles)) / 50
    assert_allclose(found.response[0], [1, *mean], atol=1e-6)
    assert_allclose(found.response[1][120], 1, atol=1e-5)  # at 12 Hz
    assert_allclose(found.response[2], 2 * np.sin(np.pi * found.freqs / 100), atol=1e-6)
    assert_array_equal(found.response[3], 0)
    assert_allclose(found.peak_freqs, [0, 12, 50, np.nan], atol=0.11)
    assert_array_equal(found.kernel_lengths, 50)
    assert found.response.dtype == np.float64


def test_banks_of_several_lengths_come_in_their_order():
    clf = fitted(MSFBCNNClassifier, n_temporal_filters=2, pool_length=20)
    found = temporal_filters(clf, sfreq=250)
    assert found.kernel_lengths.tolist() == [64, 64, 40, 40, 26, 26, 16, 16]
    third = clf.module_.filters.banks[1].weight.detach().numpy()[0, 0, 0]
    n_fft = 2 * (len(found.freqs) - 1)
    assert_allclose(found.response[2], np.abs(np.fft.rfft(third, n_fft)), atol=1e-6)


@pytest.mark.parametrize("method", ["elimination", "gumbel"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_filters_after_a_channel_selection_are_found(method):
    X, y = trials()
    clf = EEGNetClassifier(
        n_selected_chans=2, selection__method=method, max_epochs=1, random_state=0
    ).fit(X, y)
    assert temporal_filters(clf, sfreq=100).response.shape[0] == 8


def test_the_rate_is_that_of_fit():
    X, y = trials()
    clf = EEGNetClassifier(max_epochs=1, random_state=0).fit(EEGData.from_arrays(X, y, 128), y)
    assert temporal_filters(clf).freqs[-1] == 64
    with pytest.raises(ValueError, match="sfreq is 250 Hz, but the trials are sampled at 128 Hz"):
        temporal_filters(clf, sfreq=250)


def test_invalid_input_raises_with_advice():
    X, y = trials()
    with pytest.raises(TypeError, match=r"temporal_filters takes a fitted .*got Pipeline"):
        temporal_filters(make_pipeline(UnitScaler(), EEGNetClassifier()))
    with pytest.raises(NotFittedError):
        temporal_filters(EEGNetClassifier())
    recurrent = CNNGRUClassifier(max_epochs=1, n_filters=4, n_first_units=4, n_second_units=4)
    with pytest.raises(ValueError, match="has 0 layers TemporalSpatialFilter"):
        temporal_filters(recurrent.fit(X, y), sfreq=100)
    with pytest.raises(ValueError, match="The sampling rate is unknown"):
        temporal_filters(fitted())
