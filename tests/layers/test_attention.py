"""Gates are what their papers' formulas give, whatever the axis, the size and the batch."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from skeeg.layers import (
    ATTENTION_AXES,
    ATTENTIONS,
    CBAM,
    ECA,
    Attention,
    SqueezeExcitation,
    TemporalSpatialFilter,
)

N_MAPS, N_ELECTRODES = 5, 7
GATES = {"maps": (5, 1, 1), "electrodes": (1, 7, 1), "map-electrode": (5, 7, 1)}

each_kind = pytest.mark.parametrize("kind", ATTENTIONS)
each_axis = pytest.mark.parametrize("axis", ATTENTION_AXES)
each_statistic = pytest.mark.parametrize("statistic", ["mean", "power"])


def count(layer):
    return sum(parameter.numel() for parameter in layer.parameters())


def size_of(axis, n_maps=N_MAPS, n_electrodes=N_ELECTRODES):
    return n_maps if axis == "maps" else n_electrodes


def build(kind, axis, n_maps=N_MAPS, n_electrodes=N_ELECTRODES, **options):
    """A layer with weights that a mistake would show, dense biases too where there are any."""
    torch.manual_seed(0)
    if kind != "eca":
        options = {"bias": True, "reduction": 2, **options}
    layer = ATTENTIONS[kind](size_of(axis, n_maps, n_electrodes), axis=axis, **options)
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    return layer.double()


def values(n_trials=3, n_maps=N_MAPS, n_electrodes=N_ELECTRODES, n_times=30, seed=1):
    rng = np.random.default_rng(seed)
    amplitudes = rng.uniform(0.2, 3, (n_trials, n_maps, n_electrodes, 1))
    return amplitudes * rng.standard_normal((n_trials, n_maps, n_electrodes, n_times)) + 0.3


# ---------------------------------------------------------------- the formulas, by loops


def sigmoid(scores):
    return 1 / (1 + np.exp(-scores))


def groups_of(x, axis):
    """For one trial (maps, electrodes, time): rows of gates, each with what every gate pools."""
    n_maps, n_electrodes, _ = x.shape
    if axis == "maps":
        return [[x[f].ravel() for f in range(n_maps)]]
    if axis == "electrodes":
        return [[x[:, c].ravel() for c in range(n_electrodes)]]
    return [[x[f, c] for c in range(n_electrodes)] for f in range(n_maps)]


def pooled(group, statistic, largest=False):
    reduce = np.max if largest else np.mean
    if statistic == "power":
        return np.array([np.log(reduce(part**2)) for part in group])
    return np.array([reduce(part) for part in group])


def bottleneck(state, s):
    hidden = state["bottleneck.0.weight"] @ s + state["bottleneck.0.bias"]
    return state["bottleneck.2.weight"] @ np.maximum(hidden, 0) + state["bottleneck.2.bias"]


def se_gates(state, group, statistic):
    return sigmoid(bottleneck(state, pooled(group, statistic)))


def cbam_gates(state, group, statistic):
    mean, largest = pooled(group, statistic), pooled(group, statistic, largest=True)
    return sigmoid(bottleneck(state, mean) + bottleneck(state, largest))


def eca_gates(state, group, statistic):
    kernel = state["conv.weight"][0, 0]
    s = np.pad(pooled(group, statistic), len(kernel) // 2)
    return sigmoid(np.array([kernel @ s[i : i + len(kernel)] for i in range(len(group))]))


FORMULAS = {"se": se_gates, "cbam": cbam_gates, "eca": eca_gates}


def expected_gates(layer, kind, x):
    state = {name: value.numpy() for name, value in layer.state_dict().items()}
    trials = [
        np.array(
            [FORMULAS[kind](state, group, layer.statistic) for group in groups_of(trial, axis)]
        )
        for axis in [layer.axis]
        for trial in x
    ]
    return np.stack(trials).reshape(len(x), *GATES[layer.axis])


def expected_time_gates(layer, x):
    """CBAM's second gates: of each electrode over all maps, or of each map over all electrodes."""
    kernel, bias = (p.detach().numpy() for p in (layer.time_conv.weight, layer.time_conv.bias))
    over = 1 if layer.axis == "maps" else 2
    length = kernel.shape[-1]
    before = int(np.ceil(length / 2)) - 1
    scores = bias[0]
    for seen, taps in zip((x.mean(over), x.max(over)), kernel[0, :, 0], strict=True):
        padded = np.pad(seen, ((0, 0), (0, 0), (before, length - 1 - before)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, length, axis=-1)
        scores = scores + windows @ taps
    return np.expand_dims(sigmoid(scores), over)


@each_kind
@each_axis
@each_statistic
def test_gates_and_output_against_numpy(kind, axis, statistic):
    layer = build(kind, axis, statistic=statistic)
    x = values()
    gates = expected_gates(layer, kind, x)
    np.testing.assert_allclose(layer.gate(torch.tensor(x)).detach(), gates, rtol=1e-10)
    expected = x * gates
    if kind == "cbam":
        expected = expected * expected_time_gates(layer, expected)
    np.testing.assert_allclose(layer(torch.tensor(x)).detach(), expected, rtol=1e-10)


@pytest.mark.parametrize("kernel_length", [1, 4, 7, 50])
def test_the_time_gate_sees_any_number_of_samples(kernel_length):
    layer, x = build("cbam", "maps", kernel_length=kernel_length), values()
    found = layer.time_gate(torch.tensor(x)).detach()
    np.testing.assert_allclose(found, expected_time_gates(layer, x), rtol=1e-10)


@each_kind
@each_axis
def test_gates_have_the_shape_of_what_they_stand_for(kind, axis):
    gate = build(kind, axis).gate(torch.tensor(values()))
    assert gate.shape == (3, *GATES[axis])
    assert ((gate > 0) & (gate < 1)).all()


# ---------------------------------------------------------------- what they can and cannot see


@each_kind
def test_gates_of_map_electrode_depend_on_their_own_map_alone(kind):
    layer, x = build(kind, "map-electrode"), torch.tensor(values())
    changed = x.clone()
    changed[:, 2] *= 3
    same = torch.isclose(layer.gate(x), layer.gate(changed), rtol=1e-12).all(3).all(2).all(0)
    assert same.tolist() == [True, True, False, True, True]


@pytest.mark.parametrize(("axis", "dimension"), [("maps", 1), ("electrodes", 2)])
@pytest.mark.parametrize("kind", ["se", "cbam"])
def test_renumbering_maps_or_electrodes_renumbers_gates_of_weights_alike(kind, axis, dimension):
    layer, x = build(kind, axis), torch.tensor(values())
    order = torch.randperm(layer.size)
    renumbered = copy.deepcopy(layer)
    first, _, second = renumbered.bottleneck
    first.weight.data = first.weight.data[:, order]
    second.weight.data, second.bias.data = second.weight.data[order], second.bias.data[order]
    expected = layer(x).index_select(dimension, order)
    torch.testing.assert_close(renumbered(x.index_select(dimension, order)), expected)


@each_axis
def test_power_sees_amplitudes_that_the_mean_does_not(axis):
    """Of sines over whole periods, every mean is zero."""
    t = np.arange(64) / 64
    x = np.sin(2 * np.pi * np.array([4, 8])[:, None] * t)[:, None, None]
    x = torch.tensor(np.broadcast_to(x, (2, N_MAPS, N_ELECTRODES, 64)).copy())
    x[0, 1, 2] *= 5
    by_mean, by_power = (
        build("se", axis, statistic=s, bias=False).gate(x) for s in ("mean", "power")
    )
    torch.testing.assert_close(by_mean, torch.full_like(by_mean, 0.5))
    assert (by_power[0] - by_power[1]).abs().max() > 0.01


@each_statistic
def test_a_channel_without_a_signal_has_a_gate(statistic):
    layer = build("se", "electrodes", statistic=statistic)
    x = torch.tensor(values())
    x[:, :, 3] = 0
    x.requires_grad_()
    layer(x).sum().backward()
    assert torch.isfinite(x.grad).all()


# ---------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (SqueezeExcitation(32), 128),
        (SqueezeExcitation(32, bias=True), 162),
        (SqueezeExcitation(22, reduction=4, axis="electrodes"), 2 * 22 * 5),
        (SqueezeExcitation(3), 6),
        (CBAM(16, reduction=4), 143),
        (CBAM(16, reduction=4, bias=True), 143 + 4 + 16),
        (CBAM(16, reduction=4, kernel_length=9), 147),
        (ECA(64), 3),
        (ECA(64, kernel_length=9), 9),
    ],
)
def test_counts(layer, expected):
    assert count(layer) == expected


@pytest.mark.parametrize(
    ("expected", "sizes"),
    [(1, [1, 2, 4]), (3, [8, 16, 22, 32, 44, 62, 64]), (5, [128, 256, 512])],
)
def test_kernel_lengths_of_eca(expected, sizes):
    assert {ECA(size).conv.kernel_size for size in sizes} == {(expected,)}


@each_kind
@each_axis
@each_statistic
@pytest.mark.parametrize(
    "shape", [(1, 5, 7, 30), (3, 1, 7, 30), (3, 5, 1, 30), (3, 5, 7, 1), (1, 1, 1, 1)]
)
def test_one_of_anything(kind, axis, statistic, shape):
    """One trial, map, electrode or sample, and always fewer of them than the reduction of 16."""
    layer = ATTENTIONS[kind](size_of(axis, *shape[1:3]), axis=axis, statistic=statistic)
    x = torch.randn(shape)
    out = layer(x)
    assert out.shape == shape
    assert torch.isfinite(out).all()
    assert layer.gate(x).shape[0] == shape[0]


@each_kind
@each_axis
def test_trials_have_their_own_gates(kind, axis):
    layer, x = build(kind, axis), torch.tensor(values())
    alone = torch.cat([layer(trial[None]) for trial in x])
    torch.testing.assert_close(layer(x), alone, rtol=1e-12, atol=1e-12)


# ---------------------------------------------------------------- torch's machinery


@each_kind
@each_axis
@pytest.mark.parametrize(
    "turn",
    [
        lambda x: x.contiguous(memory_format=torch.channels_last),
        lambda x: x.transpose(1, 3).contiguous().transpose(1, 3),
    ],
)
def test_any_memory_layout(kind, axis, turn):
    layer, x = build(kind, axis), torch.tensor(values())
    torch.testing.assert_close(layer(turn(x)), layer(x))


@each_kind
@each_axis
def test_gradients(kind, axis):
    layer = build(kind, axis, 2, 3, statistic="power")
    x = torch.tensor(values(2, 2, 3, 4), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *_: layer(x), (x, *layer.parameters()))


@each_kind
@pytest.mark.parametrize("axis", ["maps", "map-electrode"])
@pytest.mark.filterwarnings("ignore")
def test_compiles_and_exports(kind, axis):
    layer, x = build(kind, axis, statistic="power"), torch.tensor(values())
    expected = layer(x)
    torch.testing.assert_close(torch.compile(layer, backend="aot_eager")(x), expected)
    torch.testing.assert_close(torch.export.export(layer, (x,)).module()(x), expected)


@each_kind
@each_axis
def test_weights_and_pickles_compute_the_same(kind, axis):
    layer, x = build(kind, axis), torch.tensor(values())
    expected = layer(x)
    assert torch.equal(pickle.loads(pickle.dumps(layer))(x), expected)
    buffer = io.BytesIO()
    torch.save(layer.state_dict(), buffer)
    buffer.seek(0)
    other = build(kind, axis)
    nn.init.zeros_(next(other.parameters()))
    other.load_state_dict(torch.load(buffer))
    assert torch.equal(other(x), expected)


def test_settings_are_printed():
    assert "22, axis='electrodes', statistic='power'" in repr(
        CBAM(22, axis="electrodes", statistic="power")
    )


# ---------------------------------------------------------------- in the filters


def filters(**options):
    torch.manual_seed(0)
    return TemporalSpatialFilter(7, 5, 9, 10, depthwise=True, norm=nn.BatchNorm2d(5), **options)


@each_kind
@pytest.mark.parametrize("axis", ["electrodes", "map-electrode"])
@pytest.mark.parametrize("training", [True, False])
def test_filters_apply_it_after_the_normalisation(kind, axis, training):
    attention = build(kind, axis, statistic="power")
    layer = filters(attention=attention).double().train(training)
    alone = copy.deepcopy(layer)
    x = torch.randn(4, 7, 50, dtype=torch.float64)
    found = layer(x)
    maps = alone.norm(alone.temporal(nn.functional.pad(x[:, None], (4, 4))))
    torch.testing.assert_close(found, alone.spatial(attention(maps)))
    assert (found - filters().double().train(training)(x)).abs().max() > 0.01
    found.sum().backward()
    assert all(parameter.grad is not None for parameter in layer.parameters())


def test_filters_with_attention_are_direct():
    layer = filters(attention=SqueezeExcitation(7, axis="electrodes"))
    x = torch.randn(4, 7, 50)
    assert layer.precompute_trials(x) == {}
    for method in ("merged", "spectral"):
        with pytest.raises(ValueError, match=f'method must be "auto" or "direct".*{method!r}'):
            filters(attention=nn.Identity(), method=method)
        layer.method = method
        with pytest.raises(ValueError, match=f'method must be "auto" or "direct".*{method!r}'):
            layer(x)


def test_filters_show_it_in_order():
    layer = filters(attention=ECA(7, axis="electrodes"))
    names = [name for name, _ in layer.named_children()]
    assert names == ["temporal", "norm", "attention", "spatial"]
    assert "attention.conv.weight" in layer.state_dict()
    assert not any("attention" in name for name in filters().state_dict())


# ---------------------------------------------------------------- bad arguments


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ECA(0), "size must be an integer of at least 1; got 0"),
        (lambda: SqueezeExcitation(4, reduction=0.5), "reduction must be an integer"),
        (lambda: SqueezeExcitation(4, bias=1), "bias must be True or False"),
        (lambda: CBAM(4, kernel_length=0), "kernel_length must be an integer"),
        (lambda: ECA(4, kernel_length=4), "kernel_length must be odd.* got 4"),
        (lambda: CBAM(4, axis="map"), "axis must be one of .* Did you mean 'maps'"),
        (lambda: CBAM(4, statistic="max"), "statistic must be one of 'mean', 'power'; got 'max'"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@each_kind
@pytest.mark.parametrize("shape", [(2, 5, 6, 30), (2, 5, 30), (2, 5, 7, 30, 1)])
def test_values_of_another_shape_are_refused(kind, shape):
    layer = ATTENTIONS[kind](7, axis="electrodes")
    with pytest.raises(ValueError, match=r"expects values of shape .* with 7 electrodes; got \(2"):
        layer(torch.zeros(shape))


def test_the_shared_class_has_no_scores_of_its_own():
    with pytest.raises(NotImplementedError):
        Attention(3).gate(torch.zeros(1, 3, 1, 4))
