"""The layers of the networks written a second time, in plain NumPy, for tests to compare with."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view


def convolve(x, weight, bias=None, groups=1):
    """Unpadded convolution of (batch, maps, height, time)."""
    windows = sliding_window_view(x, weight.shape[2:], axis=(2, 3))
    n_in, n_out = x.shape[1] // groups, weight.shape[0] // groups
    y = [
        np.tensordot(
            windows[:, g * n_in : (g + 1) * n_in],
            weight[g * n_out : (g + 1) * n_out],
            axes=((1, 4, 5), (1, 2, 3)),
        )
        for g in range(groups)
    ]
    y = np.moveaxis(np.concatenate(y, axis=-1), -1, 1)
    return y if bias is None else y + bias[:, None, None]


def convolve_same(x, weight, groups=1):
    """Convolution along time padded as Keras does, an even kernel with one zero less before."""
    length = weight.shape[3]
    before = int(np.ceil(length / 2)) - 1
    return convolve(np.pad(x, [(0, 0)] * 3 + [(before, length - 1 - before)]), weight, None, groups)


def normalise(x, weight, bias, eps, mean=None, var=None):
    """Batch normalisation, with the statistics of the batch where none are given."""
    mean = x.mean(axis=(0, 2, 3)) if mean is None else mean
    var = x.var(axis=(0, 2, 3)) if var is None else var
    standard = (x - mean[:, None, None]) / np.sqrt(var + eps)[:, None, None]
    return standard * weight[:, None, None] + bias[:, None, None]


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def pool(x, reduce, length, stride=None):
    """A pool over time, `reduce` being np.mean or np.max."""
    windows = sliding_window_view(x, length, axis=3)[:, :, :, :: stride or length]
    return reduce(windows, axis=-1)


def pool_maps(x, reduce, height, width):
    """A pool over fields that do not overlap; rows and columns that fill no field are left out."""
    n_rows, n_columns = x.shape[2] // height, x.shape[3] // width
    x = x[:, :, : n_rows * height, : n_columns * width]
    return reduce(x.reshape(*x.shape[:2], n_rows, height, n_columns, width), axis=(3, 5))


def dense(x, weight, bias):
    return x.reshape(len(x), -1) @ weight.T + bias


def arrays(network):
    """The parameters and running statistics of a network as float64 arrays."""
    return {name: value.detach().numpy().copy() for name, value in network.state_dict().items()}


def randomise(network, seed=0):
    """Give every parameter, biases and normalisation too, a value that a mistake would show."""
    rng = np.random.default_rng(seed)
    for name, parameter in network.double().named_parameters():
        parameter.data = torch.tensor(rng.normal(0, 0.5, parameter.shape))
        if "norm.weight" in name:
            parameter.data += 1
    for name, buffer in network.named_buffers():
        if name.endswith("running_mean"):
            buffer.copy_(torch.tensor(rng.normal(0, 0.5, buffer.shape)))
        elif name.endswith("running_var"):
            buffer.copy_(torch.tensor(rng.uniform(0.5, 2, buffer.shape)))
    return network


def record(network, x):
    """Run a network and return the output of each of its layers, of a recurrent one all steps."""
    if hasattr(network, "filters"):
        network.filters.method = "direct"  # the plain form, each layer of which is called
    outputs = {}

    def keep(name, output):
        steps = output[0] if isinstance(output, tuple) else output
        outputs[name] = steps.detach().numpy()

    handles = [
        layer.register_forward_hook(lambda _, __, output, name=name: keep(name, output))
        for name, layer in network.named_modules()
        if not list(layer.children())
    ]
    network(torch.tensor(x))
    for handle in handles:
        handle.remove()
    return outputs


def central_differences(function, point, step=1e-6):
    """The gradient of a scalar function with respect to an array, which it reads in place."""
    gradient = np.empty_like(point)
    for index in np.ndindex(point.shape):
        value = point[index]
        point[index] = value + step
        above = function()
        point[index] = value - step
        gradient[index] = (above - function()) / (2 * step)
        point[index] = value
    return gradient


def assert_layers_agree(network, reference, x):
    """Compare each layer's output with that of `reference(arrays, x)`, a dict in the same names."""
    expected = reference(arrays(network), x)
    outputs = record(network, x)
    assert list(outputs) == list(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(outputs[name], value, rtol=1e-9, atol=1e-10, err_msg=name)


def assert_gradients_agree(network, reference, x, seed=1):
    """Compare backpropagation with differences of `reference`, for the input and all parameters."""
    state, x = arrays(network), x.copy()
    weights = np.random.default_rng(seed).standard_normal((len(x), network.n_outputs))

    def loss():
        return float((reference(state, x)["dense"] * weights).sum())

    x_tensor = torch.tensor(x, requires_grad=True)
    (network(x_tensor) * torch.tensor(weights)).sum().backward()
    pairs = {"input": (x_tensor.grad, x)}
    pairs |= {name: (value.grad, state[name]) for name, value in network.named_parameters()}
    for name, (gradient, point) in pairs.items():
        numerical = central_differences(loss, point)
        np.testing.assert_allclose(gradient.numpy(), numerical, rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.fixture
def reference():
    """NumPy layers, and the comparisons of a network with a chain of them."""
    return SimpleNamespace(
        convolve=convolve,
        convolve_same=convolve_same,
        normalise=normalise,
        elu=elu,
        pool=pool,
        pool_maps=pool_maps,
        dense=dense,
        randomise=randomise,
        record=record,
        assert_layers_agree=assert_layers_agree,
        assert_gradients_agree=assert_gradients_agree,
    )
