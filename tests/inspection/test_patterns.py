"""Patterns show where a source is, in the unit of the trials; contributions show which are used."""

import mne
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from torch import nn

from skeeg import (
    CNNGRUClassifier,
    DeepConvNetClassifier,
    EEGData,
    EEGNetClassifier,
    MixNetClassifier,
    ModuleClassifier,
    ModuleRegressor,
    MSFBCNNClassifier,
    ShallowConvNetClassifier,
)
from skeeg.features import UnitScaler
from skeeg.inspection import filter_contributions, spatial_patterns, temporal_filters
from skeeg.layers import TemporalSpatialFilter

from .support import CH_NAMES, SFREQ, source_in_noise

SMALL = {
    EEGNetClassifier: {"n_temporal_filters": 3, "kernel_length": 16},
    ShallowConvNetClassifier: {"n_temporal_filters": 4, "pool_length": 20},
    DeepConvNetClassifier: {"n_temporal_filters": 4, "kernel_length": 5, "pool_length": 2},
    MSFBCNNClassifier: {"n_temporal_filters": 2, "n_spatial_filters": 3, "pool_length": 20},
    MixNetClassifier: {"kernel_length": 16},
}


def trials(n_trials=20, n_chans=4, n_times=120, seed=0):
    """Correlated noise with an offset."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_chans, n_chans)) @ rng.standard_normal((n_trials, n_chans, n_times))
    return X.cumsum(axis=2) * 0.3 + X + 5, np.arange(n_trials) % 2


def fitted(cls=EEGNetClassifier, X=None, y=None, **params):
    if X is None:
        X, y = trials()
    return cls(**{"max_epochs": 1, "random_state": 0} | SMALL.get(cls, {}) | params).fit(X, y)


def within_trials(values):
    return values - values.mean(axis=-1, keepdims=True)


def strongest_positive(pattern):
    return pattern * np.sign(pattern[np.abs(pattern).argmax()])


# ---------------------------------------------------------------------- computation


def test_patterns_regress_filtered_electrodes_on_the_output():
    X, y = trials()
    clf = fitted(X=X, y=y)
    temporal = clf.module_.filters.temporal.weight.detach().double().numpy()[:, 0, 0]
    spatial = clf.module_.filters.spatial.weight.detach().double().numpy()[:, 0, :, 0]
    found = spatial_patterns(clf, X, sfreq=100)
    for i, weights in enumerate(spatial):
        kernel = temporal[i // 2]
        kernel = kernel / np.abs(np.fft.rfft(kernel, 2000)).max()
        # Padded as in Keras: 7 samples before, 8 after.
        padded = np.pad(X, ((0, 0), (0, 0), (7, 8)))
        seen = np.array([[np.correlate(x, kernel) for x in trial] for trial in padded])
        output = within_trials(np.einsum("c,nct->nt", weights, seen))
        expected = np.einsum("nct,nt->c", seen, output) / output.size / output.std()
        assert_allclose(found.patterns[i], strongest_positive(expected), rtol=1e-4)
        gain = np.abs(np.exp(-2j * np.pi * np.outer(found.freqs / 100, np.arange(16))) @ kernel)
        assert_allclose(found.response[i], gain / gain.max(), atol=1e-6)
        power = np.mean(np.abs(np.fft.rfft(output, 2 * (len(found.freqs) - 1))) ** 2, axis=0)
        assert_allclose(found.spectra[i], power / power.max(), atol=1e-5)
    assert_allclose(found.shares, 1, atol=1e-4)


@pytest.mark.parametrize("cls", [ShallowConvNetClassifier, MSFBCNNClassifier])
def test_patterns_of_full_filters_reproduce_themselves(cls):
    X, y = trials()
    clf = fitted(cls, X, y)
    filters = clf.module_.filters.eval()
    scaled = X / clf.scale_
    with torch.no_grad():
        output = filters(torch.tensor(scaled, dtype=torch.float32))[:, :, 0].double().numpy()
        # The kernel is the response of the filters to single pulses.
        before, after = filters.time_padding
        length = filters._length
        pulses = torch.zeros(5, 4, 3 * length)
        pulses[range(1, 5), range(4), length] = 1
        answers = filters(pulses)[:, :, 0].double().numpy()
    at_taps = length + before - np.arange(length)
    kernels = (answers[1:] - answers[:1]).transpose(1, 0, 2)[:, :, at_taps]

    padded = np.pad(scaled, ((0, 0), (0, 0), (before, after)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, output.shape[2], axis=2)
    output = within_trials(output)
    covariances = np.einsum("nckt,not->ock", windows, output) / output[:, 0].size
    found = spatial_patterns(clf, X, sfreq=100)
    for i, pattern in enumerate(found.patterns):
        course = pattern @ kernels[i]
        again = covariances[i] @ course
        assert np.corrcoef(again, pattern)[0, 1] > 1 - 1e-6
        eigenvalue = (again @ pattern) / (pattern @ pattern)
        assert_allclose(found.shares[i], eigenvalue / output[:, i].var(), rtol=1e-3)
        gain = np.abs(np.fft.rfft(course, 4000)).max()
        rms = again / gain / output[:, i].std() * clf.scale_
        assert_allclose(pattern, strongest_positive(rms), rtol=1e-3, atol=1e-3 * np.abs(rms).max())


@pytest.mark.parametrize(
    ("cls", "params"),
    [(cls, {}) for cls in SMALL]
    + [
        (EEGNetClassifier, {"attention": "se", "attention_axis": "map-electrode"}),
        (ShallowConvNetClassifier, {"attention": "cbam", "attention_axis": "electrodes"}),
    ],
)
def test_every_filter_has_the_pattern_of_a_single_source(cls, params):
    rng = np.random.default_rng(0)
    mixing = np.array([2.0, -1.0, 0.5, 0.0])
    course = rng.standard_normal((20, 1, 120))
    X = mixing[:, None] * course
    found = spatial_patterns(fitted(cls, X, np.arange(20) % 2, **params), X, sfreq=100)
    scale = found.patterns[:, :1] / mixing[0]
    assert_allclose(found.patterns, scale * mixing, atol=1e-5)
    # A gain of at most one lets at most the source's own amplitude through.
    assert np.all((scale > 0.05) & (scale < course.std() * 1.01))


def test_amplitude_is_that_of_the_source_in_the_pass_band():
    mixing = np.array([3e-6, -1e-6])
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, (20, 1, 1))
    waves = np.sqrt(2) * np.sin(2 * np.pi * 10 * np.arange(500) / 100 + phases)  # 10 Hz, rms 1
    X = mixing[:, None] * waves
    clf = fitted(X=X, y=np.arange(20) % 2, kernel_length=40)
    tuned = torch.cos(2 * torch.pi * 10 * torch.arange(40) / 100)  # four periods
    clf.module_.filters.temporal.weight.data[:] = tuned
    found = spatial_patterns(clf, X, sfreq=100)
    # The edges of the trial, a twelfth of it, lie under part of the kernel only.
    assert_allclose(found.patterns, np.tile(mixing, (6, 1)), rtol=0.06)
    assert_allclose(found.peak_freqs, 10, atol=0.2)
    assert_allclose(found.output_freqs, 10, atol=0.2)


@pytest.mark.filterwarnings("ignore:The channel selection of")
def test_unselected_electrodes_have_patterns():
    X, y = trials(n_chans=6)
    # Electrode 5 has the pattern of electrode 0, although the network does not use it.
    X[:, 5] = -2 * X[:, 0]
    layer = {"selection__method": "gumbel", "selection__unique": False}
    clf = fitted(ShallowConvNetClassifier, X, y, n_selected_chans=3, **layer)
    with torch.no_grad():
        clf.module_.selection.logits[:] = 0
        clf.module_.selection.logits[[0, 2, 2], [0, 1, 2]] = 9  # one twice
    found = spatial_patterns(clf, X, sfreq=100)
    assert found.patterns.shape == (4, 6)
    assert_allclose(found.patterns[:, 5], -2 * found.patterns[:, 0], rtol=1e-4)
    # As for a network of all electrodes with weights of zero for the others.
    whole = fitted(ShallowConvNetClassifier, X, y)
    weights = clf.module_.network.filters.spatial.weight.data
    whole.module_.filters.load_state_dict(
        clf.module_.network.filters.state_dict()
        | {"spatial.weight": nn.functional.pad(weights, (0, 0, 0, 3))}
    )
    whole.module_.filters.spatial.weight.data[:, :, 1] = 0
    whole.module_.filters.spatial.weight.data[:, :, 2] = weights[:, :, 1] + weights[:, :, 2]
    expected = spatial_patterns(whole, X, sfreq=100)
    assert_allclose(found.patterns, expected.patterns, rtol=1e-4, atol=1e-6)
    assert_allclose(found.response, expected.response, atol=1e-5)
    assert_allclose(found.shares, expected.shares, atol=1e-5)


# ---------------------------------------------------------------------- known truth

TRAINED = {
    EEGNetClassifier: {
        "lr": 1e-2,
        "n_temporal_filters": 4,
        "depth_multiplier": 1,
    },
    ShallowConvNetClassifier: {"lr": 5e-3, "kernel_length": 64, "n_temporal_filters": 6},
    DeepConvNetClassifier: {"lr": 3e-3, "kernel_length": 64, "n_temporal_filters": 6},
    MSFBCNNClassifier: {"lr": 5e-3, "n_temporal_filters": 4, "n_spatial_filters": 6},
}


def assert_found(cls, seed, max_epochs):
    truth = source_in_noise(seed)
    clf = cls(dropout=0.25, max_epochs=max_epochs, random_state=seed, **TRAINED[cls])
    found = spatial_patterns(clf.fit(truth.data, truth.data.y), truth.data)
    best = found.contributions.argmax()
    assert np.corrcoef(found.patterns[best], truth.pattern)[0, 1] > 0.95
    assert abs(found.peak_freqs[best] - truth.frequency) < 1
    assert abs(found.output_freqs[best] - truth.frequency) < 0.5
    assert found.ch_names == CH_NAMES
    return clf, truth, best


def test_the_filter_with_the_largest_contribution_shows_the_source():
    clf, truth, best = assert_found(EEGNetClassifier, seed=0, max_epochs=12)
    # Its weights do not: they are large where noise is to be cancelled.
    weights = clf.module_.filters.spatial.weight[best, 0, :, 0].detach().numpy()
    assert abs(np.corrcoef(weights, truth.pattern)[0, 1]) < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cls", TRAINED)
def test_every_network_finds_the_source_with_any_seed(cls, seed):
    assert_found(cls, seed, max_epochs=30)


# ---------------------------------------------------------------------- contributions


class Powers(nn.Module):
    """A sum of functions of independent outputs: the powers of the electrodes, weighed."""

    def __init__(self, n_chans, n_times, n_outputs):
        super().__init__()
        self.filters = TemporalSpatialFilter(n_chans, 1, 1, n_chans)
        self.dense = nn.Linear(n_chans, n_outputs)

    def forward(self, x):
        return self.dense(self.filters(x).square().mean(dim=(2, 3)))


def test_contributions_of_independent_filters_are_their_shares_of_the_variance():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 3, 50)) * rng.uniform(0.5, 1.5, (2000, 3, 1))
    clf = ModuleClassifier(module=Powers, max_epochs=1, random_state=0)
    clf.fit(X, np.arange(2000) % 2)
    with torch.no_grad():
        clf.module_.filters.temporal.weight[:] = 1
        clf.module_.filters.spatial.weight[:, 0, :, 0] = torch.eye(3)
        clf.module_.dense.weight[:] = torch.tensor([[3.0, 1, 0], [0, 0, 0]])
    found = filter_contributions(clf, X)
    variances = np.array([9, 1, 0]) * np.var((X**2).mean(axis=2), axis=0)
    assert_allclose(found, variances / variances.sum(), atol=0.03)
    assert found[2] == 0
    # A constant added to all logits has no effect.
    with torch.no_grad():
        clf.module_.dense.weight[:] = torch.tensor([[3.0, 1, 7], [0, 0, 7]])
    assert_allclose(filter_contributions(clf, X), found, atol=1e-5)


def test_contributions_to_a_regressor_are_shares_of_the_variance_of_its_output():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 3, 50)) * rng.uniform(0.5, 1.5, (2000, 3, 1))
    reg = ModuleRegressor(module=Powers, max_epochs=1, random_state=0).fit(X, X[:, 0, 0])
    with torch.no_grad():
        reg.module_.filters.temporal.weight[:] = 1
        reg.module_.filters.spatial.weight[:, 0, :, 0] = torch.eye(3)
        reg.module_.dense.weight[:] = torch.tensor([[3.0, 1, 0]])
    found = filter_contributions(reg, X)
    variances = np.array([9, 1, 0]) * np.var((X**2).mean(axis=2), axis=0)
    assert_allclose(found, variances / variances.sum(), atol=0.03)
    assert found[2] == 0
    patterns = spatial_patterns(reg, X, sfreq=50)
    assert_array_equal(patterns.contributions, found)
    assert_array_equal(patterns.patterns.argmax(axis=1), [0, 1, 2])
    assert_allclose(temporal_filters(reg, sfreq=50).response, 1)


def test_contributions_come_with_the_patterns_and_repeat():
    X, y = trials(n_trials=150)  # two batches
    clf = fitted(X=X, y=y)
    found = spatial_patterns(clf, X, sfreq=100).contributions
    assert_array_equal(found, filter_contributions(clf, X))
    assert np.all(found >= 0)
    assert found.max() > 0


def test_contributions_of_a_single_trial_or_a_constant_output_are_nan():
    X, y = trials()
    clf = fitted(X=X, y=y)
    found = spatial_patterns(clf, X[:1], sfreq=100)
    assert np.isnan(found.contributions).all()
    assert np.isfinite(found.patterns).all()
    clf.module_.dense.weight.data.zero_()
    assert np.isnan(filter_contributions(clf, X)).all()


# ---------------------------------------------------------------------- containers and errors


def test_patterns_have_the_unit_of_the_trials():
    X, y = trials()
    volts = spatial_patterns(fitted(X=X * 1e-6, y=y), X * 1e-6, sfreq=100)
    microvolts = spatial_patterns(fitted(X=X, y=y), X, sfreq=100)
    assert_allclose(volts.patterns * 1e6, microvolts.patterns, rtol=1e-3)
    assert_allclose(volts.response, microvolts.response, atol=1e-3)
    assert volts.patterns.dtype == np.float64


def test_names_and_sampling_rate_come_from_the_container():
    X, y = trials()
    X = X.astype(np.float32)
    names = ("C3", "Cz", "C4", "Pz")
    data = EEGData.from_arrays(X, y, 100, names)
    epochs = mne.EpochsArray(X, mne.create_info(names, 100, "eeg"), verbose=False)
    clf = fitted(X=data, y=y)
    expected = spatial_patterns(clf, data)
    assert expected.ch_names == names
    assert expected.freqs[-1] == 50
    anonymous = fitted(X=X, y=y)
    for container in (epochs, data):
        for estimator in (clf, anonymous):
            found = spatial_patterns(estimator, container)
            assert found.ch_names == names
            assert_allclose(found.patterns, expected.patterns, rtol=1e-6)
    frozen = X[::1].copy()
    frozen.flags.writeable = False
    strided = np.asfortranarray(X)
    for array in (frozen, strided, X.astype(np.float64), torch.from_numpy(X)):
        found = spatial_patterns(anonymous, array, sfreq=100)
        assert found.ch_names is None
        assert_allclose(found.patterns, expected.patterns, rtol=1e-6)


def test_inspection_does_not_change_the_estimator():
    X, y = trials()
    clf, other = fitted(X=X, y=y), fitted(X=X, y=y)
    before = clf.predict_proba(X)
    clf.module_.train()
    spatial_patterns(clf, X, sfreq=100)
    assert_array_equal(clf.predict_proba(X), before)
    assert not clf.module_.filters._forward_hooks
    assert "forward" not in vars(clf.module_.filters)
    assert_array_equal(
        clf.partial_fit(X, y).predict_proba(X), other.partial_fit(X, y).predict_proba(X)
    )


def test_one_channel_and_one_sample_are_enough():
    X, y = trials(n_chans=1)
    assert spatial_patterns(fitted(X=X, y=y), X, sfreq=100).patterns.shape == (6, 1)
    one_sample = X[:, :, :1]
    with pytest.warns(UserWarning, match="clipped"):
        clf = fitted(X=one_sample, y=y)
    found = spatial_patterns(clf, one_sample, sfreq=100)
    assert_array_equal(found.patterns, 0)  # nothing varies within a trial
    assert np.isnan(found.output_freqs).all()


def test_a_filter_of_zeros_has_no_pattern():
    X, y = trials()
    clf = fitted(ShallowConvNetClassifier, X, y)
    clf.module_.filters.spatial.weight.data[1] = 0
    found = spatial_patterns(clf, X, sfreq=100)
    assert_array_equal(found.patterns[1], 0)
    assert_array_equal(found.response[1], 0)
    assert np.isnan(found.peak_freqs[1])
    assert np.isfinite(np.delete(found.peak_freqs, 1)).all()
    assert found.shares[1] == found.contributions[1] == 0


@pytest.mark.parametrize("function", [spatial_patterns, filter_contributions])
def test_invalid_input_raises_with_advice(function):
    X, y = trials()
    with pytest.raises(TypeError, match=r"got Pipeline.*pipeline\[-1\]"):
        function(make_pipeline(UnitScaler(), EEGNetClassifier()), X)
    with pytest.raises(NotFittedError):
        function(EEGNetClassifier(), X)
    recurrent = CNNGRUClassifier(max_epochs=1, n_filters=4, n_first_units=4, n_second_units=4)
    with pytest.raises(ValueError, match="that of CNNGRUClassifier has 0 layers"):
        function(recurrent.fit(X, y), EEGData.from_arrays(X, y, 100))
    with pytest.raises(ValueError, match="X has 3 channels a trial"):
        function(fitted(X=EEGData.from_arrays(X, y, 100), y=y), X[:, :3])
    X[3, 1, 7] = np.nan
    with pytest.raises(ValueError, match="NaN: first in trial 3, channel 1"):
        function(fitted(X=EEGData.from_arrays(X[:2], y[:2], 100), y=y[:2]), X)


def test_the_sampling_rate_must_be_known_and_right():
    X, y = trials()
    clf = fitted(X=X, y=y)
    with pytest.raises(ValueError, match=r"The sampling rate is unknown.*Pass sfreq"):
        spatial_patterns(clf, X)
    with pytest.raises(ValueError, match="sfreq is 250 Hz, but the trials are sampled at 100 Hz"):
        spatial_patterns(clf, EEGData.from_arrays(X, y, 100), sfreq=250)
    with pytest.raises(ValueError, match="sfreq must be a finite number above 0; got -1"):
        spatial_patterns(clf, X, sfreq=-1)
    assert spatial_patterns(clf, X, sfreq=SFREQ).freqs[-1] == SFREQ / 2
