"""Recipes are ordinary estimators with the settings of a paradigm; the command uses them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from typer.testing import CliRunner

from skeeg import EEGNetClassifier, cli, compare
from skeeg.alignment import EuclideanAlignment
from skeeg.datasets import LOADERS, simulate_motor_imagery
from skeeg.ensemble import EnsembleClassifier
from skeeg.models import MODELS, build_model
from skeeg.recipes import RECIPES, Recipe, make_recipe, recipe_name


@pytest.fixture(scope="module")
def data():
    return simulate_motor_imagery(
        n_subjects=3, n_sessions=1, n_runs=1, n_trials=8, tmax=1.0, difficulty=0.0, random_state=0
    )


def network_of(estimator):
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    return last.estimator if isinstance(last, EnsembleClassifier) else last


@pytest.mark.parametrize("paradigm", RECIPES)
def test_every_setting_of_a_recipe_reaches_the_estimator(paradigm):
    recipe, estimator = RECIPES[paradigm], make_recipe(paradigm, sfreq=200, random_state=3)
    network = network_of(estimator)
    assert isinstance(network, EEGNetClassifier)
    assert network.max_epochs == recipe.max_epochs
    assert network.dropout == recipe.dropout
    assert network.batch_size == recipe.batch_size
    assert network.lr == recipe.lr
    assert network.kernel_length == round(200 * recipe.kernel_seconds)
    assert isinstance(estimator, Pipeline) == bool(recipe.alignment)
    if recipe.alignment:
        assert estimator["align"].reference == recipe.alignment
    classify = estimator[-1] if recipe.alignment else estimator
    assert classify.n_members == recipe.n_members
    assert classify.random_state == 3


@pytest.mark.parametrize("paradigm", RECIPES)
def test_a_recipe_clones_pickles_and_repeats(paradigm, data):
    recipe = make_recipe(paradigm, sfreq=data.sfreq, n_members=2, max_epochs=1, random_state=0)
    first, second = clone(recipe).fit(data, data.y), clone(recipe).fit(data, data.y)
    expected = first.predict_proba(data)
    np.testing.assert_array_equal(second.predict_proba(data), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(first)).predict_proba(data), expected)
    ensemble = first[-1] if isinstance(first, Pipeline) else first
    assert len(np.unique(ensemble.seeds_)) == 2


def test_a_recipe_without_members_is_the_network_alone():
    assert isinstance(make_recipe("motor_imagery", sfreq=100, n_members=1), EEGNetClassifier)


def test_a_recipe_is_searched_like_any_pipeline(data):
    recipe = make_recipe("ssvep", sfreq=data.sfreq, n_members=2, max_epochs=1, random_state=0)
    grid = {"classify__estimator__dropout": [0.1, 0.2], "align__reference": ["training"]}
    search = GridSearchCV(recipe, grid, cv=2).fit(data, data.y)
    assert search.best_params_["align__reference"] == "training"


def test_a_recipe_aligns_the_column_that_is_named(data):
    recipe = make_recipe("ssvep", sfreq=data.sfreq, domain="session", n_members=1, max_epochs=1)
    assert len(recipe.fit(data, data.y)["align"].domains_) == 3  # sessions within subjects
    assert isinstance(recipe["align"], EuclideanAlignment)


def test_a_recipe_takes_arrays(data):
    recipe = make_recipe("mental_state", sfreq=data.sfreq, n_members=1, max_epochs=1)
    assert recipe.fit(data.X, data.y).predict(data.X).shape == data.y.shape


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"paradigm": "motor imagery"}, "Unknown paradigm .* Did you mean 'motor_imagery'"),
        ({"paradigm": 3}, "Unknown paradigm 3"),
        ({"sfreq": 0}, "sfreq"),
        ({"n_members": 0}, "n_members"),
        ({"max_epochs": -1}, "max_epochs"),
    ],
)
def test_what_is_not_possible_is_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        make_recipe(**({"paradigm": "ssvep", "sfreq": 128} | parameters))


def test_a_recipe_of_ones_own_is_made_alike():
    own = Recipe("", "", max_epochs=7, dropout=0.1, batch_size=8, kernel_seconds=1, n_members=2)
    network = make_recipe(own, sfreq=100).estimator
    assert (network.max_epochs, network.dropout, network.kernel_length) == (7, 0.1, 100)


def test_a_recipe_says_what_it_holds():
    recipe = Recipe("", "", max_epochs=7, dropout=0.25, batch_size=8, alignment="identity")
    assert str(recipe) == (
        "5 x EEGNet, 7 epochs, dropout 0.25, filters of 0.5 s, "
        "Euclidean alignment to the identity by subject"
    )


@pytest.mark.parametrize("paradigm", RECIPES)
def test_recipes_are_models_by_name(paradigm):
    name = recipe_name(paradigm)
    assert str(RECIPES[paradigm]) in MODELS[name].description
    built = network_of(build_model(name, sfreq=100, max_epochs=4, random_state=1))
    assert (built.max_epochs, built.kernel_length) == (4, 50)


def test_data_sets_name_paradigms_that_have_a_recipe():
    named = {name: loader.paradigm for name, loader in LOADERS.items() if loader.paradigm}
    assert set(named.values()) == set(RECIPES)
    assert named["ssvep"] == "ssvep"
    assert named["eegmat"] == "mental_state"


def test_a_comparison_marks_the_alignment_of_new_subjects(data):
    recipe = make_recipe("ssvep", sfreq=data.sfreq, n_members=1, max_epochs=1)
    comparison = compare({"recipe": recipe}, data, cv="cross-subject", progress=False)
    assert "EuclideanAlignment" in comparison.transductive


@pytest.fixture
def run(monkeypatch, data):
    """Run the command on trials that stand in for a data set with a paradigm."""
    from skeeg.cli import commands, estimators

    monkeypatch.setattr(commands, "load", lambda *_: data)
    monkeypatch.setattr(estimators, "DEFAULT_MODELS", "eegnet,csp-lda")

    def run_with(*arguments):
        options = ["compare", "--data", "ssvep", "--epochs", "1", "--n-jobs", "1", *arguments]
        return CliRunner().invoke(cli.app, [str(option) for option in options])

    return run_with


@pytest.mark.slow
def test_the_report_names_the_recipe_of_the_data_set(run, tmp_path):
    result = run("--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert f"ssvep-recipe instead of eegnet: {RECIPES['ssvep']}" in result.stderr
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "ssvep-recipe" in report
    assert "EuclideanAlignment" in report


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ((), ["ssvep-recipe", "csp-lda"]),
        (("--no-recipe",), ["eegnet", "csp-lda"]),
        (("--models", "eegnet"), ["eegnet"]),
        (("--models", "motor-imagery-recipe"), ["motor-imagery-recipe"]),
    ],
)
def test_the_recipe_replaces_eegnet_among_the_default_models(
    monkeypatch, run, tmp_path, options, names
):
    from skeeg.cli import commands

    def refuse(self, cv):
        raise ValueError(f"These are compared: {list(self.models)}")

    monkeypatch.setattr(commands._Run, "__call__", refuse)
    result = run(*options, "--out", tmp_path)
    assert f"These are compared: {names}" in result.stderr
    assert ("instead of eegnet" in result.stderr) == (not options)
