"""Gumbel-softmax channel selection against its formulas, computed in numpy."""

import copy
import itertools
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from skeeg.layers import GumbelChannelSelection, TemporalSpatialFilter

from ..channel_selection.support import LogVariance, powers


def with_logits(logits, **options):
    layer = GumbelChannelSelection(*np.shape(logits), **options)
    with torch.no_grad():
        layer.logits.copy_(torch.as_tensor(logits))
    return layer


def softmax(values, axis):
    exponential = np.exp(values - values.max(axis=axis, keepdims=True))
    return exponential / exponential.sum(axis=axis, keepdims=True)


# ---------------------------------------------------------------------- schedules


@pytest.mark.parametrize(
    ("progress", "temperature", "threshold"),
    [
        # The source's 200 epochs: temperature 10 (0.1 / 10)^(min(e / 150, 1)).
        (0, 10, 3),
        (50 / 200, 10 * 0.01 ** (1 / 3), 3 * (1.1 / 3) ** 0.25),
        (75 / 200, 1, 3 * (1.1 / 3) ** 0.375),
        (150 / 200, 0.1, 3 * (1.1 / 3) ** 0.75),
        (175 / 200, 0.1, 3 * (1.1 / 3) ** 0.875),
        (1, 0.1, 1.1),
    ],
)
def test_schedules_are_those_of_the_source(progress, temperature, threshold):
    layer = GumbelChannelSelection(5, 2)
    layer.set_progress(progress)
    assert layer.current_temperature == pytest.approx(temperature)
    assert layer.current_threshold == pytest.approx(threshold)


def test_ends_of_the_schedules_are_parameters():
    layer = GumbelChannelSelection(5, 2, temperature=(4, 1), threshold=[2, 2])
    layer.set_progress(0.375)
    assert layer.current_temperature == pytest.approx(2)
    assert layer.current_threshold == pytest.approx(2)


# ---------------------------------------------------------------------- training


def test_logits_begin_as_a_hundredth_of_normal_noise():
    torch.manual_seed(0)
    logits = GumbelChannelSelection(200, 50).logits.detach()
    assert logits.shape == (200, 50)
    assert float(logits.mean()) == pytest.approx(0, abs=5e-4)
    assert float(logits.std()) == pytest.approx(0.01, rel=0.03)


def test_training_mixes_by_the_gumbel_softmax_of_each_trial():
    layer = with_logits(np.random.default_rng(0).normal(size=(6, 3)))
    layer.set_progress(0.3)
    x = torch.randn(4, 6, 50)
    torch.manual_seed(1)
    mixed = layer(x)
    torch.manual_seed(1)
    uniform = 1e-6 + (1 - 2e-6) * torch.rand(4, 3, 6).double().numpy()
    gumbel = -np.log(-np.log(uniform))
    logits = layer.logits.detach().numpy().T
    weights = softmax((logits + gumbel) / layer.current_temperature, axis=2)
    expected = np.einsum("bmn,bnt->bmt", weights, x.numpy())
    assert_allclose(mixed.detach(), expected, atol=1e-4)


def test_cold_noise_takes_each_electrode_as_often_as_it_is_probable():
    """The Gumbel-max trick: the greatest of logit and noise is a draw from the softmax."""
    layer = with_logits(np.log([[0.5], [0.3], [0.15], [0.05]]), temperature=(1e-3, 1e-3))
    torch.manual_seed(0)
    drawn = layer(torch.eye(4).expand(20_000, 4, 4))[:, 0]
    assert_allclose(drawn.mean(dim=0).detach(), [0.5, 0.3, 0.15, 0.05], atol=0.015)
    assert len(drawn.argmax(dim=1).unique()) == 4


def test_extreme_draws_stay_finite():
    layer = with_logits([[0.0], [80.0], [-80.0]])
    layer.set_progress(1)
    mixed = layer(torch.randn(5000, 3, 2))
    mixed.sum().backward()
    assert mixed.isfinite().all()
    assert layer.logits.grad.isfinite().all()


def test_gradient_reaches_the_logits_and_prefers_the_useful_electrode():
    torch.manual_seed(0)
    layer = GumbelChannelSelection(4, 1)
    x = torch.zeros(64, 4, 10)
    x[:, 2] = 1
    (-layer(x)).mean().backward()
    assert layer.logits.grad[:, 0].argmin() == 2
    assert (layer.logits.grad[[0, 1, 3]] > 0).all()


def test_gradient_through_the_fast_front_end_is_that_through_the_plain_one():
    gradients = []
    for method in ("direct", "merged", "spectral"):
        torch.manual_seed(0)
        layer = GumbelChannelSelection(6, 3)
        layer.set_progress(0.5)
        front = TemporalSpatialFilter(
            3, 4, 9, 8, depthwise=True, norm=nn.BatchNorm2d(4), method=method
        )
        x = torch.randn(5, 6, 40, generator=torch.Generator().manual_seed(1))
        front(layer(x)).square().mul(torch.linspace(0, 1, 40)).sum().backward()
        gradients.append(layer.logits.grad)
    assert gradients[0].abs().max() > 0.1
    for other in gradients[1:]:
        assert_allclose(other, gradients[0], rtol=1e-3, atol=1e-4 * gradients[0].abs().max())


# ---------------------------------------------------------------------- the choice


@pytest.mark.parametrize("frozen", [False, True])
def test_evaluation_and_a_frozen_layer_pass_the_most_probable_electrodes(frozen):
    layer = with_logits([[0, 9], [5, 1], [1, 2], [2, 0]])
    if frozen:
        layer.freeze()
    else:
        layer.eval()
    x = torch.randn(3, 4, 20)
    assert torch.equal(layer(x), x[:, [1, 0]])
    assert layer.selected().tolist() == [1, 0]


def test_unfreezing_goes_on_choosing():
    layer = with_logits([[0.0], [1.0]])
    x = torch.randn(8, 2, 20)
    layer.freeze()
    layer.unfreeze()
    assert not torch.equal(layer(x), x[:, [1]])


def test_probabilities_are_the_softmax_over_electrodes_without_temperature():
    logits = np.random.default_rng(0).normal(size=(5, 3))
    layer = with_logits(logits)
    expected = softmax(logits, axis=0)
    assert_allclose(layer.probabilities().detach(), expected, rtol=1e-5)
    layer.set_progress(1)
    assert_allclose(layer.probabilities().detach(), expected, rtol=1e-5)


def test_unique_takes_the_most_probable_choice_without_duplicates():
    rng = np.random.default_rng(0)
    for _ in range(5):
        logits = rng.normal(size=(6, 3))
        logits[2] += 2  # which all slots prefer
        log_p = np.log(softmax(logits, axis=0))
        best = max(itertools.permutations(range(6), 3), key=lambda c: log_p[c, range(3)].sum())
        layer = with_logits(logits, unique=True).eval()
        assert layer.selected().tolist() == list(best)
        x = torch.randn(2, 6, 7)
        assert torch.equal(layer(x), x[:, list(best)])
        assert with_logits(logits).selected().tolist() == logits.argmax(axis=0).tolist()


# ---------------------------------------------------------------------- entropy and penalty


def test_entropy_is_1_where_undecided_and_0_where_sure():
    assert float(with_logits(np.zeros((7, 3))).entropy()) == pytest.approx(1)
    assert float(with_logits(100 * np.eye(7)[:, :3]).entropy()) == pytest.approx(0, abs=1e-6)
    assert float(GumbelChannelSelection(1, 1).entropy()) == 0


def test_entropy_is_the_mean_over_slots():
    logits = np.random.default_rng(0).normal(size=(5, 3))
    p = softmax(logits, axis=0)
    expected = -(p * np.log(p)).sum(axis=0).mean() / np.log(5)
    assert float(with_logits(logits).entropy().detach()) == pytest.approx(expected, rel=1e-5)


def test_penalty_is_what_electrodes_are_chosen_beyond_the_threshold():
    logits = np.random.default_rng(0).normal(size=(6, 4))
    logits[1] += 3
    layer = with_logits(logits, penalty=0.7)
    layer.set_progress(0.8)
    wanted = softmax(logits, axis=0).sum(axis=1)
    expected = 0.7 * np.maximum(wanted - 3 * (1.1 / 3) ** 0.8, 0).sum()
    assert expected > 1
    assert float(layer.duplicate_penalty().detach()) == pytest.approx(expected, rel=1e-5)


def test_penalty_pushes_slots_apart_until_they_are_frozen():
    layer = with_logits([[2, 2], [0, 0.1], [0, 0]], threshold=(1, 1), penalty=1)
    layer.duplicate_penalty().backward()
    assert (layer.logits.grad[0] > 0).all()
    layer.freeze()
    assert float(layer.duplicate_penalty()) == 0
    assert float(with_logits([[2, 2], [0, 0]], penalty=0).duplicate_penalty()) == 0


# ---------------------------------------------------------------------- state


@pytest.mark.parametrize("copied", ["state_dict", "pickle", "deepcopy"])
def test_progress_and_choice_survive(copied):
    layer = with_logits([[0.0, 1], [3, 0], [0, 0]])
    layer.set_progress(0.3)
    layer.freeze()
    if copied == "state_dict":
        other = GumbelChannelSelection(3, 2)
        other.load_state_dict(layer.state_dict())
    elif copied == "pickle":
        other = pickle.loads(pickle.dumps(layer))
    else:
        other = copy.deepcopy(layer)
    assert other.frozen
    assert other.progress == 0.3
    x = torch.randn(2, 3, 4)
    assert torch.equal(other(x), layer(x))


def test_noise_comes_from_the_generator_of_torch():
    layer = GumbelChannelSelection(5, 2)
    x = torch.randn(3, 5, 8)
    torch.manual_seed(3)
    first, second = layer(x), layer(x)
    torch.manual_seed(3)
    assert torch.equal(layer(x), first)
    assert not torch.equal(first, second)


def test_float64_trials_stay_float64():
    layer = GumbelChannelSelection(3, 2).double()
    assert layer(torch.randn(2, 3, 4, dtype=torch.float64)).dtype == torch.float64


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("unique", [False, True])
def test_it_runs_on_a_gpu(unique):
    layer = GumbelChannelSelection(5, 2, unique=unique).cuda()
    x = torch.randn(3, 5, 8, device="cuda")
    assert layer(x).shape == (3, 2, 8)
    assert_array_equal(layer.eval()(x).cpu(), x[:, layer.selected()].cpu())


# ---------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_selected": 6}, r"n_selected must be at most the number of channels; got 6 of 5"),
        ({"n_selected": 0}, "n_selected must be an integer of at least 1; got 0"),
        ({"n_chans": 2.5}, "n_chans must be an integer"),
        ({"temperature": 1.0}, "temperature must be two numbers"),
        ({"temperature": (10, 0)}, "Each end of temperature must be a finite number above 0"),
        ({"threshold": (3, 2, 1)}, "threshold must be two numbers"),
        ({"penalty": -1}, "penalty must be a finite number at least 0"),
        ({"unique": 1}, "unique must be True or False"),
    ],
)
def test_unsound_argument_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        GumbelChannelSelection(**{"n_chans": 5, "n_selected": 2} | arguments)


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan"), "half"])
def test_progress_is_a_fraction(fraction):
    with pytest.raises(ValueError, match="fraction must be"):
        GumbelChannelSelection(5, 2).set_progress(fraction)


# ---------------------------------------------------------------------- simulated channels


def trained_selection(channels, gain, *, seed, n_epochs=150, **options):
    """Four of 16 channels of 400 trials, chosen as in the source; `channels` tell the classes."""
    X, y = powers(400, channels, n_chans=16, n_times=128, gain=gain)
    trials, labels = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
    torch.manual_seed(seed)
    layer, network = GumbelChannelSelection(16, 4, **options), LogVariance(4, len(channels))
    optimizer = torch.optim.Adam([*layer.parameters(), *network.parameters()], lr=1e-2)
    for epoch in range(n_epochs):
        layer.set_progress(epoch / n_epochs)
        for batch in torch.randperm(400).split(16):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(layer(trials[batch])), labels[batch])
            (loss + layer.duplicate_penalty()).backward()
            optimizer.step()
    return layer


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_it_finds_all_channels_that_tell_the_classes(seed):
    layer = trained_selection([2, 5, 9, 14], 1.6, seed=seed)
    assert sorted(layer.selected().tolist()) == [2, 5, 9, 14]
    assert float(layer.entropy().detach()) <= 0.02


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_unique_has_no_duplicates_although_only_two_channels_tell_the_classes(seed):
    layer = trained_selection([2, 9], 1.15, seed=seed, penalty=0.0, unique=True)
    chosen = layer.selected().tolist()
    assert len(set(chosen)) == 4
    assert {2, 9} <= set(chosen)
    assert len(layer.logits.argmax(dim=0).unique()) < 4  # without it there would be
