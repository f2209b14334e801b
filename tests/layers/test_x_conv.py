"""X-convolution against its definition, point by point, and which points are whose neighbours."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from skeeg.layers import XConv, farthest_points, nearest_points


def random_points(n_points, seed=0):
    points = np.random.default_rng(seed).standard_normal((n_points, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def depthwise_of_columns(square, layer):
    """Filter the rows of a matrix, with a filter for each column and output."""
    k = len(square)
    weight = layer.weight.detach().numpy().reshape(k, k, k)  # column, output, row
    bias = layer.bias.detach().numpy().reshape(k, k)
    return np.array(
        [[square[:, c] @ weight[c, m] + bias[c, m] for m in range(k)] for c in range(k)]
    )


def x_conv(layer, x, neighbours, local):
    """The published steps for each trial and representative point."""
    values = {name: value.detach().numpy() for name, value in layer.named_parameters()}

    def dense(name, inputs):
        return inputs @ values[f"{name}.weight"].T + values[f"{name}.bias"]

    result = np.empty((len(x), len(neighbours), layer.n_out))
    for b, p in np.ndindex(result.shape[:2]):
        lifted = elu(dense("lift.second", elu(dense("lift.first", local[p]))))
        k = len(local[p])
        square = elu(dense("transform.dense", local[p].ravel())).reshape(k, k)
        square = elu(depthwise_of_columns(square, layer.transform.first))
        square = depthwise_of_columns(square, layer.transform.second)
        transformed = square @ np.concatenate([lifted, x[b, neighbours[p]]], axis=1)
        filtered = np.einsum("kc,cmk->cm", transformed, values["depthwise"])
        result[b, p] = np.einsum("cm,ocm->o", filtered, values["pointwise"]) + values["bias"]
    return result


# ---------------------------------------------------------------------- the layer


@pytest.mark.parametrize(
    ("n_in", "n_out", "k", "n_lifted", "multiplier"),
    [(16, 32, 8, 8, 4), (5, 3, 4, 2, 1), (1, 1, 1, 1, 2), (3, 7, 2, 5, 3)],
)
def test_output_is_that_of_the_published_steps(n_in, n_out, k, n_lifted, multiplier):
    torch.manual_seed(0)
    layer = XConv(n_in, n_out, k, n_lifted=n_lifted, depth_multiplier=multiplier).double()
    points = random_points(11)
    centres = points[:6]
    neighbours = nearest_points(points, centres, k)
    local = points[neighbours] - centres[:, None]
    x = torch.randn(3, 11, n_in, dtype=torch.float64)
    found = layer(x, torch.tensor(neighbours), torch.tensor(local))
    expected = x_conv(layer, x.numpy(), neighbours, local)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-10, atol=1e-12)


def test_gradients_are_those_of_differences():
    torch.manual_seed(0)
    layer = XConv(2, 3, 3, n_lifted=2, depth_multiplier=2, activation="tanh").double()
    points = random_points(5)
    neighbours = nearest_points(points, points[:2], 3)
    local = torch.tensor(points[neighbours] - points[:2, None])
    x = torch.randn(2, 5, 2, dtype=torch.float64, requires_grad=True)
    parameters = tuple(layer.parameters())
    names = [name for name, _ in layer.named_parameters()]

    def function(x, *values):
        given = dict(zip(names, values, strict=True))
        return torch.func.functional_call(layer, given, (x, torch.tensor(neighbours), local))

    assert torch.autograd.gradcheck(function, (x, *parameters))


@pytest.mark.parametrize(
    ("n_in", "n_out", "k", "n_lifted", "multiplier", "count"),
    [(16, 32, 8, 8, 4, 6728), (32, 64, 8, 8, 2, 8680), (3, 48, 8, 24, 4, None)],
)
def test_parameters_are_those_of_the_closed_form(n_in, n_out, k, n_lifted, multiplier, count):
    layer = XConv(n_in, n_out, k, n_lifted=n_lifted, depth_multiplier=multiplier)
    n_joined = n_in + n_lifted
    lift = 3 * n_lifted + n_lifted + n_lifted**2 + n_lifted
    transform = 3 * k**3 + k**2 + 2 * (k**3 + k**2)
    convolution = n_joined * multiplier * k + n_joined * multiplier * n_out + n_out
    found = sum(parameter.numel() for parameter in layer.parameters())
    assert found == lift + transform + convolution
    assert count in (None, found)


def test_weights_start_with_variance_one_over_the_number_of_inputs():
    torch.manual_seed(0)
    layer = XConv(40, 64, 8, n_lifted=24, depth_multiplier=4)
    assert layer.depthwise.var().item() == pytest.approx(1 / 8, rel=0.1)
    assert layer.pointwise.var().item() == pytest.approx(1 / (64 * 4), rel=0.1)
    assert not layer.bias.any()


def test_activation_reaches_the_four_layers_that_have_one():
    layer = XConv(4, 4, 3, n_lifted=2, activation="leaky_relu", alpha=0.3)
    slopes = [m.negative_slope for m in layer.modules() if isinstance(m, torch.nn.LeakyReLU)]
    assert slopes == [0.3] * 4  # the second depthwise layer of the transform is linear


@pytest.mark.parametrize("name", ["n_in", "n_out", "n_neighbors", "n_lifted", "depth_multiplier"])
@pytest.mark.parametrize("value", [0, 1.5, "3", True])
def test_sizes_must_be_positive_integers(name, value):
    sizes = {"n_in": 4, "n_out": 4, "n_neighbors": 3, "n_lifted": 2, "depth_multiplier": 1}
    with pytest.raises(ValueError, match=f"{name} must be an integer of at least 1"):
        XConv(**sizes | {name: value})


# ---------------------------------------------------------------------- neighbours


def test_each_chosen_point_is_the_farthest_from_those_before():
    points = random_points(40)
    chosen = farthest_points(points, 12)
    distances = cdist(points, points)
    to_centre = np.linalg.norm(points - points.mean(axis=0), axis=1)
    assert chosen[0] == to_centre.argmin()
    for n in range(1, 12):
        assert chosen[n] == distances[chosen[:n]].min(axis=0).argmax()


def test_all_points_are_chosen_where_there_are_no_more_even_if_they_coincide():
    points = np.repeat(random_points(3), 2, axis=0)
    assert sorted(farthest_points(points, 6)) == sorted(farthest_points(points, 60)) == [*range(6)]
    assert farthest_points([[0.0, 0, 1]], 5).tolist() == [0]


@pytest.mark.parametrize(("k", "dilation"), [(8, 1), (5, 2), (1, 3), (4, 3)])
def test_neighbours_are_every_dilation_th_nearest(k, dilation):
    points, centres = random_points(20), random_points(6, seed=1)
    found = nearest_points(points, centres, k, dilation)
    expected = cdist(centres, points).argsort(axis=1)[:, ::dilation][:, :k]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("n_points", "step"), [(15, 2), (14, 1), (22, 3), (8, 1)])
def test_dilation_is_as_wide_as_the_points_allow(n_points, step):
    points = np.column_stack([np.arange(n_points), np.zeros((n_points, 2))])
    assert nearest_points(points, points[:1], 8, 3).tolist() == [[*range(0, 8 * step, step)]]


def test_a_point_is_its_own_first_neighbour():
    points = random_points(9)
    assert nearest_points(points, points, 3)[:, 0].tolist() == [*range(9)]


def test_choices_depend_on_places_not_on_the_order_of_points():
    # A grid, where nearly everything is as far as something else, up to rounding.
    grid = np.stack(np.meshgrid([-0.3, 0, 0.3], [-0.3, 0, 0.3], [0.1, 0.4]), axis=-1)
    grid = grid.reshape(-1, 3)
    order = np.random.default_rng(0).permutation(len(grid))
    moved = grid[order] + 1e-12 * np.random.default_rng(1).standard_normal(grid.shape)
    chosen, chosen_again = farthest_points(grid, 9), farthest_points(moved, 9)
    np.testing.assert_allclose(grid[chosen], moved[chosen_again], atol=1e-9)
    near = grid[nearest_points(grid, grid[chosen], 6)]
    np.testing.assert_allclose(near, moved[nearest_points(moved, grid[chosen], 6)], atol=1e-9)


def test_of_mirror_images_the_left_one_comes_first():
    points = [[0.5, 0, 0], [0, 0, 0], [-0.5, 0, 0]]
    assert nearest_points(points, [[0, 0, 0]], 3).tolist() == [[1, 2, 0]]
    assert farthest_points(points, 2).tolist() == [1, 2]


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match=r"8 neighbours were asked for.*only 5 points"):
        nearest_points(random_points(5), random_points(2), 8)


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        (np.zeros((4, 2)), r"shape \(n_points, 3\).*got \(4, 2\)"),
        (np.zeros(3), r"got \(3,\)"),
        (np.zeros((0, 3)), "at least one point"),
        ([[0, 0, 0], [0, np.nan, 1]], "finite; point 1 is not"),
    ],
)
def test_positions_are_finite_coordinates(positions, message):
    with pytest.raises(ValueError, match=f"^positions must.*{message}"):
        farthest_points(positions, 2)
    with pytest.raises(ValueError, match=f"^positions must.*{message}"):
        nearest_points(positions, [[0, 0, 0]], 1)
    with pytest.raises(ValueError, match=f"^centres must.*{message}"):
        nearest_points([[0, 0, 0]], positions, 1)
