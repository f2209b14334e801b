"""All methods of `TemporalSpatialFilter` compute the layers as written, to rounding."""

import copy
import io
import pickle
import warnings

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from skeeg.layers import TemporalSpatialFilter
from skeeg.networks import DeepConvNet, EEGNet, ShallowConvNet

FAST = ("merged", "spectral")


def make(case, dtype=torch.float64):
    """The layer of a generated case, with every weight and statistic off its default."""
    lengths = case["lengths"]
    n_maps = 3 * (1 if isinstance(lengths, int) else len(lengths))
    norm = nn.BatchNorm2d(n_maps, eps=1e-3, momentum=0.2) if case["normalised"] else None
    torch.manual_seed(1)
    layer = TemporalSpatialFilter(
        case["n_chans"],
        3,
        lengths,
        2 * n_maps if case["depthwise"] else 5,
        depthwise=case["depthwise"],
        padding=case["padding"],
        norm=norm,
        temporal_bias=case["biased"],
        spatial_bias=case["biased"],
    )
    for name, parameter in layer.named_parameters():
        nn.init.normal_(parameter, std=0.5)
        if name == "norm.weight":
            parameter.data += 1
    if norm is not None:
        nn.init.normal_(norm.running_mean)
        nn.init.uniform_(norm.running_var, 0.5, 2)
    return layer.to(dtype)


def two_steps(layer, x, method):
    """Outputs, gradients by input and parameters, and statistics, of two training steps."""
    layer = copy.deepcopy(layer)
    layer.method = method
    found = {}
    for step in range(2):
        leaf = (x * (1 + step)).requires_grad_()
        out = layer(leaf)
        weight = torch.linspace(-1, 2, out.numel(), dtype=out.dtype, device=out.device)
        (out * weight.reshape(out.shape) / out.numel()).sum().backward()
        found |= {f"output {step}": out.detach(), f"input gradient {step}": leaf.grad}
    found |= {name: parameter.grad for name, parameter in layer.named_parameters()}
    found |= {name: value.clone().double() for name, value in layer.named_buffers()}
    layer.eval()
    leaf = x.clone().requires_grad_()
    out = layer(leaf)
    out.pow(2).mean().backward()
    return found | {"evaluated": out.detach(), "evaluated input gradient": leaf.grad}


def assert_close(layer, x, tolerance):
    direct = two_steps(layer, x, "direct")
    for method in FAST:
        found = two_steps(layer, x, method)
        assert found.keys() == direct.keys()
        for name, expected in direct.items():
            error = (found[name] - expected).abs().max() / expected.abs().max().clamp_min(1)
            assert error <= tolerance, (method, name, float(error))


def length_after(case):
    longest = case["lengths"] if isinstance(case["lengths"], int) else max(case["lengths"])
    if case["padding"] == "same":
        return case["n_times"]
    padding = 2 * (longest // 2) if case["padding"] == "symmetric" else 0
    return case["n_times"] + padding - longest + 1


one_length = st.integers(1, 40)
cases = st.fixed_dictionaries(
    {
        "batch": st.integers(1, 4),
        "n_chans": st.integers(1, 5),
        "n_times": st.integers(1, 60),
        "lengths": st.one_of(one_length, st.lists(one_length, min_size=1, max_size=4)),
        "padding": st.sampled_from(["same", "symmetric", "valid"]),
        "depthwise": st.booleans(),
        "normalised": st.booleans(),
        "biased": st.booleans(),
        "offset": st.sampled_from([0.0, 3.0, 1e4]),
    }
)


@settings(max_examples=100, deadline=None)
@given(cases)
def test_methods_agree_in_float64(case):
    lengths = [case["lengths"]] if isinstance(case["lengths"], int) else case["lengths"]
    if case["padding"] == "symmetric":
        assume(len({length % 2 for length in lengths}) == 1)
    if case["padding"] == "valid":
        assume(len(set(lengths)) == 1)
    n_out = length_after(case)
    assume(n_out > 0)
    assume(not case["normalised"] or case["batch"] * case["n_chans"] * n_out > 1)
    torch.manual_seed(case["n_times"])
    x = torch.randn(case["batch"], case["n_chans"], case["n_times"], dtype=torch.float64)
    # An offset of 1e4 leaves twelve of sixteen digits, of which squares keep half.
    assert_close(make(case), x + case["offset"], 1e-9 if case["offset"] < 1e4 else 1e-7)


@pytest.mark.parametrize("depthwise", [True, False])
@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("offset", [0.0, 30.0])
@pytest.mark.parametrize(
    ("n_chans", "n_times", "lengths", "padding"),
    [
        (22, 256, 64, "same"),
        (8, 500, 25, "valid"),
        (4, 300, [64, 40, 26, 16], "same"),
        (3, 300, [65, 41, 27, 17], "symmetric"),
        (3, 40, 125, "same"),
    ],
)
def test_methods_agree_in_float32(
    depthwise, normalised, offset, n_chans, n_times, lengths, padding
):
    case = {
        "n_chans": n_chans,
        "lengths": lengths,
        "padding": padding,
        "depthwise": depthwise,
        "normalised": normalised,
        "biased": not normalised,
    }
    torch.manual_seed(0)
    x = torch.randn(6, n_chans, n_times) + offset
    # Without a normalisation, an offset is in the output itself and costs its digits there.
    tolerance = 1e-4 if normalised or not offset else 3e-4
    assert_close(make(case, torch.float32), x, tolerance)


def test_the_variance_does_not_cancel_under_a_large_offset():
    """An offset of a thousand standard deviations is a million times the variance."""
    torch.manual_seed(0)
    signal = torch.randn(16, 8, 500, dtype=torch.float64)
    layer = TemporalSpatialFilter(
        8, 4, 32, 4, padding="valid", norm=nn.BatchNorm2d(4, momentum=1.0), method="merged"
    )
    kernels = layer.temporal.weight[:, 0, 0].detach().double()
    kernels = (kernels - kernels.mean(dim=1, keepdim=True)).float()  # blind to the offset
    layer.temporal.weight.data[:, 0, 0] = kernels
    outputs = torch.nn.functional.conv1d(signal.reshape(-1, 1, 500), kernels.double()[:, None])
    layer((signal + 1000).float())
    variance = outputs.transpose(0, 1).flatten(1).var(dim=1)
    torch.testing.assert_close(layer.norm.running_var.double(), variance, rtol=1e-3, atol=0)


@pytest.mark.parametrize("method", FAST)
def test_output_against_numpy(method):
    """The sum over electrodes and taps as it stands in the paper, by loops."""
    case = {
        "n_chans": 3,
        "lengths": [6, 3],
        "padding": "same",
        "depthwise": False,
        "normalised": True,
        "biased": True,
    }
    layer = make(case).eval()
    layer.method = method
    x = np.random.default_rng(0).standard_normal((2, 3, 11))
    maps = []
    for bank, (before, after) in zip(layer.banks, [(2, 3), (1, 1)], strict=True):
        padded = np.pad(x, ((0, 0), (0, 0), (before, after)))
        for kernel, bias in zip(bank.weight, bank.bias, strict=True):
            taps = kernel[0, 0].detach().numpy()
            windows = np.lib.stride_tricks.sliding_window_view(padded, len(taps), axis=-1)
            maps.append(windows @ taps + bias.item())
    maps = np.stack(maps, axis=1)  # batch, F, C, T
    norm = {name: value.detach().numpy() for name, value in layer.norm.state_dict().items()}
    centred = maps - norm["running_mean"][:, None, None]
    maps = centred / np.sqrt(norm["running_var"] + 1e-3)[:, None, None]
    maps = maps * norm["weight"][:, None, None] + norm["bias"][:, None, None]
    expected = np.einsum("ofc,bfct->bot", layer.spatial.weight[..., 0].detach().numpy(), maps)
    expected += layer.spatial.bias.detach().numpy()[:, None]
    found = layer(torch.tensor(x)).detach().numpy()[:, :, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def off_default(norm):
    for value in (norm.weight, norm.bias, norm.running_mean):
        nn.init.normal_(value)
    nn.init.uniform_(norm.running_var, 0.5, 2)
    return norm.double()


@settings(max_examples=40, deadline=None)
@given(cases, st.sampled_from(["direct", *FAST]), st.booleans())
def test_outputs_are_normalised_in_one_go(case, method, training):
    case |= {"padding": "same", "offset": 0.0}
    torch.manual_seed(case["n_times"])
    layer = make(case).train(training)
    layer.method = method
    layer.norm = layer.norm.eval() if layer.norm else None
    x = torch.randn(case["batch"], case["n_chans"], case["n_times"], dtype=torch.float64)
    assume(not training or case["batch"] * case["n_times"] > 1)
    apart = off_default(nn.BatchNorm2d(layer.spatial.out_channels)).train(training)
    at_once = copy.deepcopy(apart)
    leaf, other = x.clone().requires_grad_(), x.clone().requires_grad_()
    expected, found = apart(layer(leaf)), layer.normalised(other, at_once)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    weight = torch.linspace(-1, 2, found.numel(), dtype=found.dtype).reshape(found.shape)
    for out in (expected, found):
        (out * weight).sum().backward()
    torch.testing.assert_close(other.grad, leaf.grad, rtol=1e-8, atol=1e-8)
    for name, value in apart.named_parameters():
        gradient = at_once.get_parameter(name).grad
        torch.testing.assert_close(gradient, value.grad, rtol=1e-8, atol=1e-8)
    assert torch.equal(at_once.running_mean, apart.running_mean)


def test_a_normalisation_without_parameters_or_statistics():
    layer = normalised().eval()
    x = torch.randn(3, 4, 50)
    for options in ({"affine": False}, {"track_running_stats": False}):
        norm = nn.BatchNorm2d(6, **options).eval()
        torch.testing.assert_close(layer.normalised(x, norm), norm(layer(x)))


def test_a_forward_that_was_exchanged_is_called():
    filters, norm = normalised().eval(), off_default(nn.BatchNorm2d(6)).float().eval()
    said = torch.randn(3, 6, 1, 50)
    filters.forward = lambda x, lag_sums=None: said
    assert torch.equal(filters.normalised(torch.randn(3, 4, 50), norm), norm(said))


@pytest.mark.parametrize("norm", [nn.Identity(), nn.GroupNorm(2, 6), nn.InstanceNorm2d(6)])
def test_another_layer_in_the_place_of_the_normalisation(norm):
    filters, x = normalised().eval(), torch.randn(3, 4, 50)
    torch.testing.assert_close(filters.normalised(x, norm), norm(filters(x)))


@pytest.mark.parametrize("which", ["filters", "norm"])
def test_who_watches_a_layer_sees_what_it_does(which):
    filters, norm = normalised().eval(), off_default(nn.BatchNorm2d(6)).float().eval()
    x, seen = torch.randn(3, 4, 50), []
    expected = filters.normalised(x, norm)
    of_layer = filters(x) if which == "filters" else expected
    watched = {"filters": filters, "norm": norm}[which]
    watched.register_forward_hook(lambda _, __, output: seen.append(output))
    torch.testing.assert_close(filters.normalised(x, norm), expected)
    torch.testing.assert_close(seen, [of_layer])


@pytest.mark.parametrize(("n_chans", "n_times", "length"), [(4, 100, 16), (2, 30, 64), (1, 50, 7)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_precomputed_sums_change_nothing(n_chans, n_times, length, dtype):
    torch.manual_seed(0)
    layer = TemporalSpatialFilter(
        n_chans, 3, length, 3, depthwise=True, norm=nn.BatchNorm2d(3), method="merged"
    ).to(dtype)
    x = torch.randn(6, n_chans, n_times, dtype=dtype) + 5
    known = layer.precompute_trials(x)
    batch = torch.tensor([4, 0, 0, 2])  # any batch of the trials, in any order
    found, expected = copy.deepcopy(layer), copy.deepcopy(layer)
    tolerance = 1e-10 if dtype == torch.float64 else 1e-4
    out = found(x[batch], **{name: rows[batch] for name, rows in known.items()})
    torch.testing.assert_close(out, expected(x[batch]), rtol=tolerance, atol=tolerance)
    for name, value in expected.norm.named_buffers():
        torch.testing.assert_close(
            found.norm.get_buffer(name), value, rtol=tolerance, atol=tolerance
        )


def test_nothing_is_precomputed_where_nothing_needs_it():
    x = torch.randn(2, 4, 50)
    assert TemporalSpatialFilter(4, 3, 5, 3).precompute_trials(x) == {}
    direct = TemporalSpatialFilter(4, 3, 5, 3, norm=nn.BatchNorm2d(3), method="direct")
    assert direct.precompute_trials(x) == {}


@pytest.mark.parametrize("cls", [EEGNet, ShallowConvNet, DeepConvNet])
@pytest.mark.parametrize("method", FAST)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_networks_train_alike_with_any_method(cls, method, dtype, tolerance):
    """The weights after twenty steps of gradient descent, which sums up what gradients differ in.

    Adam is no measure here: it divides a gradient that is zero but for rounding by its own size.
    """
    torch.manual_seed(0)
    start = cls(6, 500, 3, dropout=0.0).to(dtype)
    x, y = torch.randn(12, 6, 500, dtype=dtype), torch.arange(12) % 3
    trained = {}
    for chosen in (method, "direct"):
        network = copy.deepcopy(start)
        network.filters.method = chosen
        optimizer = torch.optim.SGD(network.parameters(), 1e-3)
        for _ in range(20):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(x), y).backward()
            optimizer.step()
        trained[chosen] = network.state_dict()
    for name, expected in trained["direct"].items():
        torch.testing.assert_close(
            trained[method][name], expected, rtol=tolerance, atol=tolerance, msg=name
        )


# ---------------------------------------------------------------- torch's machinery


def normalised(method="auto", **options):
    torch.manual_seed(0)
    return TemporalSpatialFilter(
        4, 3, 16, 6, depthwise=True, norm=nn.BatchNorm2d(3), method=method, **options
    )


def test_weights_move_between_methods():
    source = normalised("direct")
    source(torch.randn(3, 4, 50))
    buffer = io.BytesIO()
    torch.save(source.state_dict(), buffer)
    buffer.seek(0)
    x = torch.randn(2, 4, 50)
    expected = source.eval()(x)
    for method in FAST:
        target = TemporalSpatialFilter(
            4, 3, 16, 6, depthwise=True, norm=nn.BatchNorm2d(3), method=method
        )
        target.load_state_dict(torch.load(buffer))
        buffer.seek(0)
        torch.testing.assert_close(target.eval()(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("method", ["direct", *FAST])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.filterwarnings("ignore")
def test_compiles(method, training):
    """With torch's tracer alone: its code generator needs a compiler, which few users have."""
    layer = normalised(method).train(training)
    compiled = torch.compile(copy.deepcopy(layer), backend="aot_eager")
    x = torch.randn(3, 4, 50)
    expected, found = layer(x), compiled(x)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    expected.sum().backward()
    found.sum().backward()
    torch.testing.assert_close(
        compiled.temporal.weight.grad, layer.temporal.weight.grad, rtol=1e-4, atol=1e-3
    )


@pytest.mark.parametrize("method", ["direct", *FAST])
def test_exports(method):
    layer = normalised(method).eval()
    x = torch.randn(3, 4, 50)
    exported = torch.export.export(layer, (x,)).module()
    torch.testing.assert_close(exported(x), layer(x))


@pytest.mark.parametrize("method", FAST)
def test_gradients_of_gradients(method):
    layer = normalised(method).double()
    x = torch.randn(2, 4, 20, dtype=torch.float64, requires_grad=True)
    parameters = tuple(layer.parameters())
    assert torch.autograd.gradgradcheck(lambda x, *_: layer(x), (x, *parameters))


def test_pickles_and_prints():
    layer = normalised()
    x = torch.randn(2, 4, 30)
    expected = layer.eval()(x)
    assert torch.equal(pickle.loads(pickle.dumps(layer))(x), expected)
    assert "depthwise=True, method='auto'" in repr(layer)


def test_cumulative_statistics_are_torchs():
    """With momentum None, running statistics are the mean over all batches."""
    layers = {}
    for method in ("direct", "merged"):
        torch.manual_seed(0)
        layers[method] = TemporalSpatialFilter(
            3, 2, 5, 2, norm=nn.BatchNorm2d(2, momentum=None), method=method
        ).double()
        for seed in range(3):
            torch.manual_seed(seed)
            layers[method](torch.randn(4, 3, 20, dtype=torch.float64) * (1 + seed))
    torch.testing.assert_close(*(layer.norm.running_var for layer in layers.values()))


def test_auto_is_direct_only_where_mixing_would_add_maps():
    one = TemporalSpatialFilter(1, 3, 16, 6, depthwise=True, norm=nn.BatchNorm2d(3))
    torch.manual_seed(0)
    x = torch.randn(2, 1, 50)
    direct = copy.deepcopy(one)
    direct.method = "direct"
    assert torch.equal(one(x), direct(x))
    two = normalised()
    spectral, merged = copy.deepcopy(two), copy.deepcopy(two)
    spectral.method, merged.method = "spectral", "merged"
    x = torch.randn(2, 4, 50)
    assert torch.equal(two(x), merged(x))  # to the last bit
    assert not torch.equal(merged(x), spectral(x))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("method", FAST)
def test_methods_agree_on_cuda(method):
    layer = normalised().double().cuda()
    x = torch.randn(3, 4, 50, dtype=torch.float64, device="cuda")
    direct, found = two_steps(layer, x, "direct"), two_steps(layer, x, method)
    for name, expected in direct.items():
        torch.testing.assert_close(found[name], expected, rtol=1e-9, atol=1e-9, msg=name)


# ---------------------------------------------------------------- bad arguments


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "fats"}, "method must be one of 'auto', 'direct', .* got 'fats'"),
        ({"padding": "full"}, "padding must be one of"),
        ({"kernel_length": 0}, "kernel_length must be an integer of at least 1"),
        (
            {"kernel_length": []},
            "kernel_length must be an integer or a sequence of at least one; got none",
        ),
        ({"kernel_length": [3, 4], "padding": "valid"}, "maps of different lengths"),
        ({"kernel_length": [3, 4], "padding": "symmetric"}, "maps of different lengths"),
        ({"depthwise": True, "n_spatial_filters": 4}, "multiple of the 3 temporal maps"),
        (
            {"norm": nn.BatchNorm2d(4)},
            "norm must have num_features=3, the number of temporal maps; got 4",
        ),
        ({"norm": nn.BatchNorm2d(3, track_running_stats=False)}, "track_running_stats=False"),
        ({"temporal_bias": 1}, "temporal_bias must be True or False"),
    ],
)
def test_bad_arguments(options, message):
    arguments = {"n_temporal_filters": 3, "kernel_length": 5, "n_spatial_filters": 6} | options
    with pytest.raises(ValueError, match=message):
        TemporalSpatialFilter(2, **arguments)


def test_a_method_that_was_set_later_is_checked():
    layer = normalised()
    layer.method = "spectrall"
    with pytest.raises(ValueError, match="Did you mean 'spectral'"):
        layer(torch.zeros(1, 4, 9))


@pytest.mark.parametrize("method", FAST)
def test_a_single_output_has_no_variance(method):
    layer = TemporalSpatialFilter(1, 2, 3, 2, norm=nn.BatchNorm2d(2), method=method)
    with pytest.raises(ValueError, match="more than 1 value per channel when training"):
        layer(torch.zeros(1, 1, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert layer.eval()(torch.zeros(1, 1, 1)).shape == (1, 2, 1, 1)
