import doctest
import sys
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError
from torch import nn
from torch.nn.utils import parametrizations

from skeeg.layers import PartialConv2d, RadialBasis, TrainableSubsampling
from skeeg.networks import (
    CCNN,
    CNNGRU,
    CNNLSTM,
    MSFBCNN,
    DeepConvNet,
    EEGNet,
    EEGNeX,
    InceptionResNet,
    LeNet,
    MixNet,
    NetworkSummary,
    ShallowConvNet,
    summary,
)


def totals(network, *input_shape):
    result = summary(network, input_shape)
    return result.n_parameters, result.n_multiply_adds


@pytest.mark.parametrize(("bias", "parameters"), [(True, (112, 30, 16)), (False, (108, 27, 12))])
def test_the_arithmetic_of_separable_convolutions(bias, parameters):
    full = nn.Conv2d(3, 4, 3, bias=bias)
    depthwise, pointwise = nn.Conv2d(3, 3, 3, groups=3, bias=bias), nn.Conv2d(3, 4, 1, bias=bias)
    assert totals(full, 3, 5, 5) == (parameters[0], 9 * 4 * 27)
    assert totals(depthwise, 3, 5, 5) == (parameters[1], 9 * 3 * 9)
    assert totals(pointwise, 3, 3, 3) == (parameters[2], 9 * 4 * 3)
    assert totals(nn.Sequential(depthwise, pointwise), 3, 5, 5) == (
        parameters[1] + parameters[2],
        9 * 3 * 9 + 9 * 4 * 3,
    )


def test_the_documented_examples_hold():
    module = sys.modules[summary.__module__]
    result = doctest.testmod(module)
    assert result.attempted >= 5
    assert result.failed == 0


@pytest.mark.parametrize(
    ("layer", "input_shape", "output_shape", "multiply_adds"),
    [
        (nn.Conv1d(6, 4, 5, groups=2, stride=3), (6, 20), (4, 6), 4 * 6 * 3 * 5),
        (nn.Conv2d(1, 8, (1, 7), padding=(0, 3)), (1, 2, 10), (8, 2, 10), 8 * 2 * 10 * 7),
        (nn.Linear(30, 4), (30,), (4,), 120),
        (nn.Linear(30, 4), (7, 30), (7, 4), 7 * 120),
        (nn.BatchNorm2d(5), (5, 2, 3), (5, 2, 3), 30),
        (nn.BatchNorm1d(5), (5, 8), (5, 8), 40),
        (nn.BatchNorm1d(5), (5,), (5,), 5),  # impossible with one trial but in evaluation mode
        (nn.ELU(), (5, 8), (5, 8), 0),
        (nn.AvgPool1d(4), (5, 8), (5, 2), 0),
    ],
)
def test_multiply_adds_of_single_layers(layer, input_shape, output_shape, multiply_adds):
    (row,) = summary(layer, input_shape).layers
    assert row.output_shape == output_shape
    assert row.multiply_adds == multiply_adds


def test_eegnet_follows_its_closed_form():
    c, t, n, f1, d, f2, k = 22, 257, 4, 8, 2, 16, 32
    t1, t2 = t // 4, t // 4 // 8
    expected = (
        f1 * c * t * k  # temporal
        + f1 * c * t
        + d * f1 * t * c  # spatial
        + d * f1 * t
        + d * f1 * t1 * 16  # depthwise
        + f2 * t1 * d * f1  # pointwise
        + f2 * t1
        + n * f2 * t2
    )
    assert summary(EEGNet(c, t, n, kernel_length=k)).n_multiply_adds == expected


@pytest.mark.parametrize(
    ("network_class", "shape"),
    [
        (EEGNet, (3, 500)),
        (EEGNeX, (3, 500)),
        (DeepConvNet, (3, 500)),
        (ShallowConvNet, (3, 500)),
        (MSFBCNN, (3, 500)),
        (MixNet, (3, 500)),
        (InceptionResNet, (3, 500)),
        (CNNLSTM, (3, 60)),
        (CNNGRU, (3, 60)),
        (CCNN, (3, 5, 6)),
        (LeNet, (3, 9, 12)),
    ],
)
def test_every_parameter_is_in_exactly_one_row_and_rows_are_in_order(network_class, shape):
    network = network_class(*shape, 2)
    result = summary(network)
    assert result.n_parameters == sum(p.numel() for p in network.parameters())
    assert result.uncounted == ()
    assert result.input_shape == shape
    assert result.name == network_class.__name__
    names = [name for name, module in network.named_modules() if not list(module.children())]
    assert [layer.name for layer in result.layers] == names
    assert all(layer.output_shape is not None for layer in result.layers)
    assert result.layers[-1].output_shape == (2,)


def test_the_table_is_a_frame_with_a_row_per_layer():
    result = summary(EEGNet(3, 64, 2))
    table = result.table
    assert isinstance(table, pd.DataFrame)
    columns = ["name", "kind", "output_shape", "parameters", "multiply_adds"]
    assert list(table.columns) == columns
    assert table["parameters"].sum() == result.n_parameters
    assert table["multiply_adds"].sum() == result.n_multiply_adds
    spatial = table.set_index("name").loc["filters.spatial"]
    assert tuple(spatial) == ("Conv2d", (16, 1, 64), 48, 16 * 64 * 3)


def test_it_prints_as_a_table_in_text_and_html():
    result = summary(EEGNet(22, 256, 4))
    heading = "EEGNet, input 22 x 256: 1,972 parameters, 3,057,152 multiply-adds per trial"
    lines = str(result).splitlines()
    assert lines[0] == heading
    assert lines[2].split(maxsplit=2) == [
        "filters.temporal",
        "Conv2d",
        "8 x 22 x 256        512     2,883,584",
    ]
    page = result._repr_html_()
    assert heading in page
    assert page.count("<tr") == len(result.layers) + 1


def test_html_escapes_the_name():
    assert "&lt;b&gt;" in NetworkSummary("<b>", (1,), ())._repr_html_()


def test_the_network_is_left_as_it_was():
    network = EEGNet(2, 64, 2)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    summary(network)
    assert torch.equal(torch.rand(3), expected)
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())
    for name, value in network.state_dict().items():
        assert torch.equal(value, state[name])


def test_randomness_of_the_network_does_not_reach_the_generator():
    class Noisy(nn.Module):
        def forward(self, x):
            return x + torch.randn_like(x)

    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    summary(Noisy(), (2, 3))
    assert torch.equal(torch.rand(3), expected)


def test_a_double_network_is_run_in_its_precision():
    assert summary(EEGNet(2, 64, 2).double()).n_parameters == summary(EEGNet(2, 64, 2)).n_parameters


def test_a_layer_called_twice_counts_its_parameters_once_and_its_arithmetic_twice():
    layer = nn.Linear(3, 3)
    assert totals(nn.Sequential(layer, nn.ELU(), layer), 3) == (12, 18)


def test_a_weight_shared_by_two_layers_counts_once():
    first, second = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
    second.weight = first.weight
    assert totals(nn.Sequential(first, second), 3) == (9, 18)


@pytest.mark.parametrize(
    ("layer", "per_step"),
    [
        (nn.LSTM(4, 5, batch_first=True), 4 * 5 * (4 + 5)),
        (nn.GRU(4, 5, batch_first=True), 3 * 5 * (4 + 5)),
        (nn.GRU(4, 5, num_layers=2, bias=False, batch_first=True), 3 * 5 * (4 + 5 + 5 + 5)),
        (nn.LSTM(4, 5, bidirectional=True, batch_first=True), 2 * 4 * 5 * (4 + 5)),
    ],
)
def test_a_recurrent_layer_takes_its_weights_at_each_step(layer, per_step):
    (row,) = summary(layer, (7, 4)).layers
    assert row.multiply_adds == 7 * per_step


@pytest.mark.parametrize(
    ("layer", "input_shape", "parameters", "multiply_adds"),
    [
        (PartialConv2d(3, [[0], [1, 2]], 5), (3, 8, 9), 3 * 25 + 2, 4 * 5 * 3 * 25),
        (TrainableSubsampling(3, 2), (3, 8, 9), 6, 3 * 4 * 4),
        (RadialBasis(84, 10), (84,), 0, 840),
    ],
)
def test_the_layers_of_the_first_lenet(layer, input_shape, parameters, multiply_adds):
    (row,) = summary(layer, input_shape).layers
    assert (row.parameters, row.multiply_adds) == (parameters, multiply_adds)


def test_a_layer_without_a_rule_is_named_rather_than_counted_as_free():
    network = nn.Sequential(nn.ConvTranspose1d(4, 5, 3))
    result = summary(network, (4, 7))
    assert result.n_parameters == sum(p.numel() for p in network.parameters())
    assert result.layers[0].output_shape == (5, 9)
    assert result.layers[0].multiply_adds is None
    assert result.table["multiply_adds"].isna().all()
    assert result.uncounted == ("0",)
    assert "without those of 0" in str(result)
    assert "unknown" in str(result)


def test_parameters_outside_any_layer_are_rows_too():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))
            self.dense = nn.Linear(3, 2)
            self.spare = nn.Linear(3, 2)

        def forward(self, x):
            return self.dense(x * self.scale)

    result = summary(Scaled(), (3,))
    rows = {layer.name: layer for layer in result.layers}
    assert list(rows) == ["dense", "Scaled", "spare"]
    assert result.n_parameters == 3 + 8 + 8
    assert rows["Scaled"].parameters == 3
    assert rows["spare"].output_shape is None
    assert result.n_multiply_adds == 6
    assert result.uncounted == ("Scaled", "spare")
    assert "not called" in str(result)


def test_a_parametrised_layer_is_one_row():
    result = summary(nn.Sequential(parametrizations.weight_norm(nn.Linear(4, 3))), (4,))
    (row,) = result.layers
    assert row.multiply_adds == 12
    assert row.parameters == 12 + 3 + 3  # directions, lengths, biases


def test_a_fitted_classifier_shows_its_network():
    network = EEGNet(2, 64, 2)
    assert summary(SimpleNamespace(module_=network)) == summary(network)


def test_an_unfitted_estimator_has_no_network_yet():
    class Classifier:
        def fit(self, X, y):
            return self

    with pytest.raises(NotFittedError, match=r"This Classifier has no network.*Call fit first"):
        summary(Classifier())


def test_anything_else_is_refused():
    with pytest.raises(TypeError, match="needs a torch network or a fitted estimator; got str"):
        summary("EEGNet")


def test_a_network_of_unknown_input_needs_the_shape():
    with pytest.raises(ValueError, match=r"Linear has no n_chans and n_times, .* pass input_shape"):
        summary(nn.Linear(3, 2))


@pytest.mark.parametrize("input_shape", [(3, 0), (3, 2.5), "35", 7])
def test_the_shape_must_be_one(input_shape):
    with pytest.raises(ValueError, match="input_shape"):
        summary(nn.Linear(3, 2), input_shape)
