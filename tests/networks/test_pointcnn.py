"""PointCNN: its size, the places of electrodes, and what it sees in training."""

import warnings

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from skeeg._electrodes import sphere_positions
from skeeg.layers._random import random_stream
from skeeg.networks import PointCNN, summary

CAP = ["Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz", "C4", "T8", "P7", "P3", "Pz"]
CAP += ["P4", "P8", "O1", "O2"]


def build(n_chans=19, n_features=4, n_outputs=3, seed=0, **options):
    torch.manual_seed(seed)
    return PointCNN(n_chans, n_features, n_outputs, **options)


def trained(**options):
    """A network whose statistics have left their first state, in double precision."""
    network = build(**options).double()
    for _ in range(3):
        network(3 * torch.randn(8, network.n_chans, network.n_features, dtype=torch.float64) + 1)
    return network.eval()


def features(n_chans=19, n_features=4, n_trials=5):
    return torch.randn(n_trials, n_chans, n_features, dtype=torch.float64)


def test_x_convolutions_have_the_parameters_of_the_specification():
    network = build(n_chans=62, n_outputs=2)
    counts = {name: sum(p.numel() for p in m.parameters()) for name, m in network.named_children()}
    assert (counts["first_conv"], counts["second_conv"]) == (6728, 8680)
    # embedding 4 * 16 + 16 and 32 of its norm, norms 2 * 32 and 2 * 64, place 3 * 16 + 16 + 16 * 16
    # + 16, hidden 80 * 32 + 32, dense 32 * 2 + 2
    assert sum(counts.values()) == 112 + 6728 + 64 + 8680 + 128 + 336 + 2592 + 66


def test_lifted_coordinates_and_depth_multipliers_follow_the_widths():
    network = build(n_first_filters=20, n_second_filters=50)
    assert (network.first_conv.n_lifted, network.second_conv.n_lifted) == (5, 5)
    assert network.first_conv.depthwise.shape == (16 + 5, 4, 8)
    assert network.second_conv.depthwise.shape == (20 + 5, 3, 8)  # 50 / 20, rounded up
    assert build(n_first_filters=2, n_second_filters=1).first_conv.n_lifted == 1


def test_summary_finds_the_shape_and_counts_all_arithmetic():
    table = summary(build(n_chans=62))
    assert table.input_shape == (62, 4)
    layers = {layer.name: layer for layer in table.layers}
    assert layers["first_conv"].output_shape == (32, 32)
    assert layers["first_conv"].multiply_adds == 32 * 8 * 16 * 32
    assert layers["second_conv"].output_shape == (12, 64)
    assert layers["dense"].output_shape == (12, 3)
    assert None not in {layer.multiply_adds for layer in table.layers}


# ---------------------------------------------------------------------- places


def test_the_order_of_electrodes_does_not_matter():
    positions = sphere_positions(CAP)  # symmetric, so that many are equally far
    order = np.random.default_rng(0).permutation(len(CAP))
    network = trained(positions=positions)
    x = features()
    other = build(positions=positions[order]).double().eval()
    other.load_state_dict(network.state_dict())
    torch.testing.assert_close(other(x[:, order]), network(x), rtol=1e-9, atol=1e-11)
    moved = network(x[:, order], torch.tensor(positions[order]))
    torch.testing.assert_close(moved, network(x), rtol=1e-5, atol=1e-6)  # places were single


@pytest.mark.parametrize("n_chans", [8, 40])
def test_weights_work_on_another_montage(n_chans):
    network = trained()
    positions = normalize(torch.randn(n_chans, 3, dtype=torch.float64), dim=1)
    x = features(n_chans)
    found = network(x, positions)
    other = build(n_chans=n_chans, positions=positions, seed=1).double().eval()
    other.load_state_dict(network.state_dict())  # which says nothing about electrodes
    torch.testing.assert_close(found, other(x))
    network.move_to(positions)
    assert network.n_chans == n_chans
    torch.testing.assert_close(found, network(x))


def test_a_mirrored_head_is_another_head():
    positions = torch.tensor(sphere_positions(CAP))
    network, x = trained(), features()
    mirrored = positions * torch.tensor([-1, 1, 1])
    assert (network(x, positions) - network(x, mirrored)).abs().max() > 1e-3


def test_without_positions_electrodes_are_spread_over_the_upper_half():
    positions = build(n_chans=50).positions.numpy()
    np.testing.assert_allclose(np.linalg.norm(positions, axis=1), 1)
    assert (positions[:, 2] > 0).all()
    # On half a sphere heights are uniform, and neighbours sqrt(2 pi / 50) apart on a grid.
    np.testing.assert_allclose(np.sort(positions[:, 2]), (np.arange(50) + 0.5) / 50)
    distances = np.linalg.norm(positions[:, None] - positions, axis=-1) + 9 * np.eye(50)
    assert distances.min() > 0.5 * np.sqrt(2 * np.pi / 50)


def test_few_electrodes_clip_the_neighbours_with_a_warning():
    with pytest.warns(UserWarning, match="first_conv has a length of 8.*only 5 electrodes"):
        network = build(n_chans=5)
    assert network.first_conv.n_neighbors == network.second_conv.n_neighbors == 5
    with pytest.warns(UserWarning, match="second_conv has a length of 8.*only 6 electrodes"):
        network = build(n_first_points=6)
    assert (network.first_conv.n_neighbors, network.second_conv.n_neighbors) == (8, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build(n_chans=8)(torch.randn(3, 8, 4))


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        (np.zeros((18, 3)), "a row for each of the 19 electrodes; got 18"),
        (np.zeros((19, 2)), r"shape \(n_points, 3\)"),
        (np.full((19, 3), np.nan), "finite; point 0 is not"),
    ],
)
def test_there_must_be_a_finite_position_for_each_electrode(positions, message):
    with pytest.raises(ValueError, match=f"positions must.*{message}"):
        build(positions=positions)


def test_features_must_be_of_as_many_electrodes_as_there_are_positions():
    network = build()
    with pytest.raises(ValueError, match=r"features of 19 electrodes.*got shape \(2, 18, 4\)"):
        network(torch.zeros(2, 18, 4))
    with pytest.raises(ValueError, match=r"features of 20 electrodes.*got shape \(2, 19, 4\)"):
        network(torch.zeros(2, 19, 4), torch.randn(20, 3))
    with pytest.raises(ValueError, match=r"8 neighbours were asked for.*only 7 points"):
        network(torch.zeros(2, 7, 4), torch.randn(7, 3))


# ---------------------------------------------------------------------- training


def test_features_of_any_unit_and_level_are_standardised():
    network = build(point_dropout=0, jitter=0, dropout=0).double()
    x = features(n_trials=30)
    shifted = x * torch.tensor([1, 5, 0.1, 2]) + torch.tensor([0, -40, 3, 500])
    torch.testing.assert_close(network(shifted), network(x), rtol=1e-3, atol=1e-3)
    # In evaluation by the plain mean over batches: the first one counts at once.
    network = build().double()
    network(shifted)
    expected = shifted.flatten(0, 1)
    torch.testing.assert_close(network.standardise.running_mean, expected.mean(dim=0))
    torch.testing.assert_close(network.standardise.running_var, expected.var(dim=0))


@pytest.mark.parametrize(
    ("options", "varies"),
    [
        ({"point_dropout": 0.5, "jitter": 0}, True),
        ({"point_dropout": 0, "jitter": 0.1}, True),
        ({"point_dropout": 0, "jitter": 0}, False),
    ],
)
def test_training_sees_some_electrodes_at_jittered_places(options, varies):
    network = build(dropout=0, **options)
    x = torch.randn(6, 19, 4)
    assert torch.equal(network(x), network(x)) != varies
    network.eval()
    assert torch.equal(network(x), network(x))


def test_electrodes_left_out_are_at_most_the_share_asked_for():
    network = build(n_chans=20, point_dropout=0.4, jitter=0)
    drawn = [network._draw(network.positions)[0] for _ in range(200)]
    assert {len(kept) for kept in drawn} == {*range(12, 21)}
    assert all(len(kept.unique()) == len(kept) for kept in drawn)
    assert len(torch.cat(drawn).unique()) == 20
    few = build(n_chans=9, point_dropout=0.9, jitter=0)  # whose neighbourhoods need 8
    assert {len(few._draw(few.positions)[0]) for _ in range(50)} == {8, 9}


@pytest.mark.parametrize(
    ("name", "value"),
    [("point_dropout", 1.0), ("point_dropout", -0.1), ("jitter", -1), ("jitter", float("nan"))],
)
def test_shares_and_noise_must_be_in_their_range(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a finite number"):
        build(**{name: value})


def test_points_are_drawn_from_the_threads_stream():
    network = build(dropout=0.0)
    x = torch.randn(5, 19, 4)
    outputs = []
    for seed in (4, 4, 5):
        torch.rand(3)
        with random_stream(seed):
            outputs.append(network(x))
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])


@pytest.mark.filterwarnings("ignore")  # of torch, about its own compiler
def test_a_compiled_network_takes_other_positions():
    network = build().eval()
    places = normalize(torch.randn(24, 3), dim=1)
    x = torch.randn(5, 24, 4)
    compiled = torch.compile(network, backend="aot_eager")
    torch.testing.assert_close(compiled(x, places), network(x, places))
