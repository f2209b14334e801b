import math

import numpy as np
import pytest
import torch
from torch import nn

from skeeg.layers import (
    ACTIVATIONS,
    ALPHA_ACTIVATIONS,
    ELU,
    SafeLog,
    Square,
    make_activation,
)

# Written out from the papers; alpha is the one each function is published with.
CLOSED_FORMS = {
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x, alpha=0.01: np.where(x > 0, x, alpha * x),
    "elu": lambda x, alpha=1.0: np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1)),
    "selu": lambda x: (
        1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(np.minimum(x, 0)) - 1))
    ),
    "gelu": lambda x: x * np.array([0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x]),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "tanh": lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "linear": lambda x: x,
}
X = np.linspace(-6, 6, 50)  # an even number of points, so that none is the kink at zero


def apply(layer, x):
    return layer(torch.tensor(x)).numpy()


def test_the_table_has_the_documented_names():
    assert set(ACTIVATIONS) == set(CLOSED_FORMS)
    assert ALPHA_ACTIVATIONS == ("leaky_relu", "elu")


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_activation_equals_its_closed_form(name):
    np.testing.assert_allclose(apply(make_activation(name), X), CLOSED_FORMS[name](X), atol=1e-12)


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_gradient_equals_the_slope_of_the_closed_form(name):
    x = torch.tensor(X, requires_grad=True)
    make_activation(name)(x).sum().backward()
    slope = (CLOSED_FORMS[name](X + 1e-6) - CLOSED_FORMS[name](X - 1e-6)) / 2e-6
    np.testing.assert_allclose(x.grad.numpy(), slope, atol=1e-8)


@pytest.mark.parametrize("name", ["leaky_relu", "elu"])
@pytest.mark.parametrize("alpha", [0, 0.2, 1, 3.0, np.float32(0.5), np.int64(2)])
def test_alpha_scales_the_negative_side(name, alpha):
    layer = make_activation(name, alpha)
    np.testing.assert_allclose(apply(layer, X), CLOSED_FORMS[name](X, float(alpha)), atol=1e-12)


@pytest.mark.parametrize("name", sorted(set(CLOSED_FORMS) - {"leaky_relu", "elu"}))
def test_alpha_is_refused_where_there_is_none(name):
    with pytest.raises(ValueError, match=f"'{name}' has no alpha; only 'leaky_relu' and 'elu'"):
        make_activation(name, alpha=0.2)


@pytest.mark.parametrize("name", ["leaky_relu", "elu"])
@pytest.mark.parametrize("alpha", [-0.1, math.nan, math.inf, True, "0.2", 1j, [0.2]])
def test_alpha_must_be_a_finite_number_of_at_least_zero(name, alpha):
    with pytest.raises(ValueError, match=r"alpha must be a finite number at least 0; got"):
        make_activation(name, alpha=alpha)


@pytest.mark.parametrize(("wrong", "nearest"), [("rellu", "relu"), ("ELU", "elu"), ("tan", "tanh")])
def test_unknown_name_is_answered_with_the_nearest_and_all_valid_ones(wrong, nearest):
    with pytest.raises(ValueError, match=f"Did you mean '{nearest}'") as error:
        make_activation(wrong)
    assert all(repr(name) in str(error.value) for name in ACTIVATIONS)


@pytest.mark.parametrize("alpha", [0, 0.2, 1, 3.0])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-7), (torch.float64, 5e-16)])
def test_elu_of_many_values_is_torchs_to_rounding_of_one(alpha, dtype, tolerance):
    x = torch.cat([torch.linspace(-30, 3, 40_000), torch.linspace(-1e-6, 1e-6, 40_000)]).to(dtype)
    x = x.reshape(2, 4, 1, -1).to(memory_format=torch.channels_last)
    layer = ELU(alpha)
    with torch.no_grad():
        found = layer(x)
    assert found.stride() == x.stride()
    torch.testing.assert_close(found, nn.ELU(alpha)(x), rtol=0, atol=tolerance * max(1, alpha))
    assert torch.equal(found[x >= 0], x[x >= 0])
    assert torch.equal(layer(x.requires_grad_()), nn.ELU(alpha)(x))  # with gradients, torch's own


def test_elu_of_many_values_keeps_what_is_not_finite():
    x = torch.zeros(1 << 15)
    x[:3] = torch.tensor([float("nan"), float("inf"), -float("inf")])
    with torch.no_grad():
        found = ELU(0.5)(x)
    assert found[0].isnan()
    assert found[1:4].tolist() == [float("inf"), -0.5, 0.0]


@pytest.mark.parametrize("wrong", ["qqq", None, nn.ELU, ["elu"], 3])
def test_what_resembles_no_name_gets_no_suggestion(wrong):
    with pytest.raises(ValueError, match="activation must be one of") as error:
        make_activation(wrong)
    assert "Did you mean" not in str(error.value)


def test_every_call_makes_a_new_layer():
    assert make_activation("elu") is not make_activation("elu")


def test_square_and_log_make_log_power():
    x = np.array([-3.0, 0.5, 2.0])
    np.testing.assert_allclose(apply(nn.Sequential(Square(), SafeLog()), x), np.log(x**2))


def test_safe_log_is_limited_on_both_sides_and_keeps_gradients_finite():
    x = torch.tensor([-1.0, 0.0, 1e-9, 1.0, 1e9], dtype=torch.float64, requires_grad=True)
    y = SafeLog(1e-7, 1e4)(x)
    limits = math.log(1e-7), math.log(1e4)
    np.testing.assert_allclose(
        y.detach().numpy(), [limits[0], limits[0], limits[0], 0.0, limits[1]]
    )
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0, 0, 0, 1, 0])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_monotone_activations_are_those_that_never_fall(name):
    alphas = (0.0, 0.5, 3.0) if name in ALPHA_ACTIVATIONS else (None,)
    for alpha in alphas:
        falls = np.diff(apply(make_activation(name, alpha), X)) < 0
        assert falls.any() == (not ACTIVATIONS[name].is_monotone)
