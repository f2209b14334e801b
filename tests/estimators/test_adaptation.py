"""adapt: batch normalisation of a new domain, exact over all of its trials."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from skeeg import EEGData
from skeeg.estimators import (
    DeepConvNetClassifier,
    EEGNetClassifier,
    EEGNetRegressor,
    InceptionResNetClassifier,
    LeNetClassifier,
    ModuleClassifier,
    MSFBCNNClassifier,
    PointCNNClassifier,
    ShallowConvNetClassifier,
)

from .support import amplitudes, oscillations, small

X, Y = oscillations(n_trials=24, n_chans=3, n_times=96)
RNG = np.random.default_rng(1)
#: Trials of another gain, offset and number than those of the fit.
OTHER = (oscillations(n_trials=17, seed=5)[0] * [[[1.0], [2.0], [0.3]]] + 0.4).astype(np.float32)

FAST = (
    EEGNetClassifier,
    ShallowConvNetClassifier,
    DeepConvNetClassifier,
    MSFBCNNClassifier,
    InceptionResNetClassifier,
)


def fitted(cls=EEGNetClassifier, **params):
    return cls(**{"max_epochs": 2, "random_state": 0} | small(cls) | params).fit(X, Y)


def statistics(net):
    state = net.module_.state_dict()
    return {name: v.numpy().copy() for name, v in state.items() if "running_" in name}


class TwoNorms(nn.Module):
    """Two normalisations with a non-linear function between, and dropout."""

    def __init__(self, n_chans, n_times, n_outputs):
        super().__init__()
        self.mix = nn.Conv1d(n_chans, 4, 1)
        self.first = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.5)
        self.second = nn.BatchNorm1d(4)
        self.unused = nn.BatchNorm1d(4)
        self.dense = nn.Linear(4, n_outputs)

    def forward(self, x):
        x = self.drop(torch.relu(self.first(self.mix(x))))
        return self.dense(self.second(x).square().mean(dim=2))


def test_statistics_are_those_of_all_trials_layer_after_layer():
    net = fitted(ModuleClassifier, module=TwoNorms)
    before = statistics(net)
    assert net.adapt(OTHER) is net
    module = copy.deepcopy(net.module_).double()
    x = torch.from_numpy(OTHER.astype(np.float64) / OTHER.astype(np.float64).std())

    def of(values):
        rows = values.transpose(0, 1).flatten(1)
        return rows.mean(dim=1), rows.var(dim=1)  # unbiased, as in torch

    with torch.no_grad():
        mixed = module.mix(x)
        first = of(mixed)
        gain = module.first.weight / torch.sqrt(first[1] + module.first.eps)
        normalised = (mixed - first[0][:, None]) * gain[:, None] + module.first.bias[:, None]
        second = of(torch.relu(normalised))
    found = statistics(net)
    for name, expected in (("first", first), ("second", second)):
        assert_allclose(found[f"{name}.running_mean"], expected[0], rtol=1e-5, atol=1e-6)
        assert_allclose(found[f"{name}.running_var"], expected[1], rtol=1e-5)
    # A layer that no prediction uses keeps its statistics.
    assert_array_equal(found["unused.running_mean"], before["unused.running_mean"])


@pytest.mark.parametrize("cls", FAST)
def test_fast_filters_get_the_statistics_of_the_layers_as_written(cls):
    fast = fitted(cls)
    plain = copy.deepcopy(fast)
    for layer in plain.module_.modules():
        if hasattr(layer, "map_statistics"):
            layer.method = "direct"
    fast.adapt(OTHER)
    plain.adapt(OTHER)
    expected = statistics(plain)
    for name, value in statistics(fast).items():
        assert_allclose(value, expected[name], rtol=2e-4, atol=2e-5, err_msg=name)
    assert_allclose(fast.predict_proba(OTHER), plain.predict_proba(OTHER), atol=1e-4)


@pytest.mark.parametrize("cls", FAST)
def test_weights_stay_and_each_layer_is_normalised(cls):
    net = fitted(cls)
    before = {n: v.clone() for n, v in net.module_.named_parameters()}
    counts = {n: v.clone() for n, v in net.module_.named_buffers() if "running_" not in n}
    net.adapt(OTHER)
    assert all(torch.equal(v, before[n]) for n, v in net.module_.named_parameters())
    assert all(torch.equal(dict(net.module_.named_buffers())[n], v) for n, v in counts.items())
    outputs = {}
    handles = [
        layer.register_forward_hook(lambda m, a, out: outputs.setdefault(m, out))
        for layer in net.module_.modules()
        if isinstance(layer, nn.BatchNorm2d)
    ]
    net.module_.eval()
    with torch.no_grad():
        net.module_(torch.from_numpy(OTHER / np.float32(net.scale_)))
    for handle in handles:
        handle.remove()
    assert outputs
    for norm, out in outputs.items():
        rows = ((out - norm.bias[:, None, None]) / norm.weight[:, None, None]).transpose(0, 1)
        assert_allclose(rows.flatten(1).mean(dim=1).detach(), 0, atol=2e-4)


def test_batches_do_not_matter_and_the_result_does_not_depend_on_earlier_calls():
    net = fitted()
    many = np.concatenate([OTHER] * 20)  # several batches, and no longer one trial at a time
    first, again = copy.deepcopy(net).adapt(many), copy.deepcopy(net).adapt(X).adapt(many)
    for name, value in statistics(first).items():
        assert_array_equal(value, statistics(again)[name])
    reversed_ = copy.deepcopy(net).adapt(many[::-1].copy())
    for name, value in statistics(reversed_).items():
        assert_allclose(value, statistics(first)[name], rtol=1e-5, atol=1e-6)


def test_large_offsets_do_not_cancel():
    shifted = OTHER + np.float32(1000)
    net = fitted(ModuleClassifier, module=TwoNorms)
    net.adapt(shifted)
    x = torch.from_numpy(shifted).double() / net.scale_
    weight, bias = net.module_.mix.weight.double(), net.module_.mix.bias.double()
    mixed = torch.nn.functional.conv1d(x, weight, bias).transpose(0, 1).flatten(1)
    assert_allclose(statistics(net)["first.running_var"], mixed.var(dim=1).detach(), rtol=0.05)


def test_unit_and_gain_of_the_new_domain_do_not_matter():
    net = fitted()
    volts, microvolts = (copy.deepcopy(net).adapt(OTHER * unit) for unit in (1, 1e6))
    assert microvolts.scale_ == pytest.approx(1e6 * volts.scale_)
    assert_allclose(
        microvolts.predict_proba(OTHER * 1e6), volts.predict_proba(OTHER), rtol=1e-4, atol=1e-5
    )
    kept = copy.deepcopy(net).adapt(OTHER, rescale=False)
    assert kept.scale_ == net.scale_


def test_selected_channels_have_a_scale_of_their_own():
    net = fitted(n_selected_chans=2, max_epochs=4)
    adapted = copy.deepcopy(net).adapt(OTHER)
    chosen = net.selected_channels_
    assert_array_equal(adapted.selected_channels_, chosen)
    assert adapted.scale_ == pytest.approx(OTHER[:, chosen].std(), rel=1e-5)


def test_adapting_to_the_training_trials_keeps_the_scale():
    net = fitted()
    assert copy.deepcopy(net).adapt(X).scale_ == net.scale_


def test_regressors_and_points_are_adapted():
    trials, target = amplitudes()
    net = EEGNetRegressor(max_epochs=2, random_state=0).fit(trials, target)
    assert np.isfinite(net.adapt(3 * trials + 1).predict(3 * trials + 1)).all()
    points = RNG.standard_normal((16, 6, 4))
    of_points = PointCNNClassifier(max_epochs=2, random_state=0).fit(points, np.arange(16) % 2)
    before = statistics(of_points)
    of_points.adapt(2 * points + 1)
    after = statistics(of_points)
    assert any(not np.array_equal(after[name], before[name]) for name in before)


def test_pickles_and_saved_files_keep_what_was_adapted(tmp_path):
    net = fitted().adapt(OTHER)
    proba = net.predict_proba(OTHER)
    assert_array_equal(pickle.loads(pickle.dumps(net)).predict_proba(OTHER), proba)
    net.save_params(f_params=tmp_path / "net.pt")
    loaded = fitted()
    loaded.load_params(f_params=tmp_path / "net.pt")
    assert_array_equal(loaded.predict_proba(OTHER), proba)
    assert not any(layer._forward_pre_hooks for layer in net.module_.modules())


def test_eeg_data_is_taken_and_other_channels_are_refused():
    names = ["C3", "Cz", "C4"]
    data = EEGData.from_arrays(X, Y, sfreq=96, ch_names=names)
    net = EEGNetClassifier(max_epochs=1, random_state=0).fit(data, data.y)
    net.adapt(data)
    with pytest.raises(ValueError, match="2 channels"):
        net.adapt(OTHER[:, :2])


def test_networks_without_batch_normalisation_say_so():
    maps = RNG.standard_normal((12, 3, 9, 9))
    net = LeNetClassifier(max_epochs=1, random_state=0).fit(maps, np.arange(12) % 2)
    with pytest.raises(ValueError, match=r"no batch normalisation.*finetune"):
        net.adapt(maps)


def test_a_failure_changes_nothing():
    net = fitted(ModuleClassifier, module=TwoNorms)
    state, scale = pickle.dumps(statistics(net)), net.scale_
    broken = OTHER.copy()
    broken[3, 1, 5] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        net.adapt(broken)
    assert pickle.dumps(statistics(net)) == state
    assert net.scale_ == scale


def test_a_single_value_has_no_variance():
    class Pooled(nn.Module):
        def __init__(self, n_chans, n_times, n_outputs):
            super().__init__()
            self.norm = nn.BatchNorm1d(n_chans)
            self.dense = nn.Linear(n_chans, n_outputs)

        def forward(self, x):
            return self.dense(self.norm(x.mean(dim=2)))

    net = fitted(ModuleClassifier, module=Pooled)
    before = statistics(net)["norm.running_mean"].copy()
    with pytest.raises(ValueError, match="got 1 trial"):
        net.adapt(OTHER[:1])
    assert_array_equal(statistics(net)["norm.running_mean"], before)


def test_adapt_before_fit_is_an_error():
    with pytest.raises(Exception, match=r"not initialized|not fitted"):
        EEGNetClassifier().adapt(X)
