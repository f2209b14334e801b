"""The search space of activation functions."""

import json
import subprocess
import sys

import numpy as np
import pytest
from sklearn.model_selection import ParameterGrid

from skeeg._activations import DEFAULT_ALPHAS
from skeeg.layers import ACTIVATIONS, make_activation
from skeeg.model_selection import activation_grid


def test_only_functions_that_have_an_alpha_get_one():
    points = list(ParameterGrid(activation_grid()))
    by_name = {}
    for point in points:
        by_name.setdefault(point["activation"], []).append(point["alpha"])
    nine = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert by_name.pop("elu") == nine
    assert by_name.pop("leaky_relu") == nine
    assert by_name == {
        name: [None] for name in ("relu", "selu", "gelu", "silu", "tanh", "sigmoid", "linear")
    }


def test_every_activation_of_the_table_is_there_and_every_point_can_be_built():
    points = list(ParameterGrid(activation_grid()))
    assert {point["activation"] for point in points} == set(ACTIVATIONS)
    for point in points:
        make_activation(point["activation"], point["alpha"])


def test_it_names_the_activations_of_the_layers_without_loading_torch():
    assert {name: entry.default_alpha for name, entry in ACTIVATIONS.items()} == DEFAULT_ALPHAS
    code = (
        "import sys; from skeeg.model_selection import activation_grid; activation_grid(); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_prefix_reaches_into_a_pipeline():
    for grid in activation_grid(prefix="eegnetclassifier__"):
        assert set(grid) == {"eegnetclassifier__activation", "eegnetclassifier__alpha"}


@pytest.mark.parametrize(
    "alphas", [np.array([0.1, 0.2]), np.float32([0.5]), [np.float64(0.3)], (1, 2), iter([0.1])]
)
def test_values_are_plain_and_survive_json(alphas):
    grids = activation_grid(alphas)
    assert json.loads(json.dumps(grids)) == grids
    assert {type(alpha) for alpha in grids[0]["alpha"]} == {float}


def test_two_grids_share_nothing():
    activation_grid()[1]["activation"].clear()
    assert activation_grid()[1]["activation"]


@pytest.mark.parametrize(
    ("alphas", "message"),
    [
        ([], "at least one"),
        ([0.1, -0.1], "at least 0; got -0.1"),
        ([np.nan], "finite"),
        ([np.inf], "finite"),
        (["0.1"], "finite number"),
        ("elu", "finite number"),
        ([None], "finite number"),
        ([True], "finite number"),
        (0.1, "must be a list of numbers, got 0.1"),
        ([0.1, 0.1], "differ"),
    ],
)
def test_bad_alphas_are_refused(alphas, message):
    with pytest.raises(ValueError, match=message):
        activation_grid(alphas)


def test_a_prefix_without_underscores_is_refused():
    with pytest.raises(ValueError, match="two underscores, got 'eegnetclassifier'"):
        activation_grid(prefix="eegnetclassifier")
