"""A search from the command line: all methods, files, resuming, and what is wrong with a space."""

from __future__ import annotations

import json
import tomllib

import numpy as np
import pandas as pd
import pytest
from scipy.stats import randint
from sklearn.model_selection import GridSearchCV

from skeeg import Comparison, EEGData
from skeeg.cli import search as search_command
from skeeg.cli.search_methods import Searching
from skeeg.cli.space import read_spaces
from skeeg.model_selection import TrialKFold
from skeeg.models import build_model

from .support import run, said

GRID = "csp__n_components = [1, 2]\nlda__solver = ['lsqr']\nlda__shrinkage = [0.1, 'auto']\n"
NETWORK = "lr = {low = 1e-4, high = 1e-2, log = true}\nactivation = ['elu', 'relu']\n"


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 3, 100)), np.array(["a", "b"] * 20)
    X[:, 0] *= 1 + (y == "a")[:, None]
    return EEGData.from_arrays(
        X, y, 100, ["C3", "Cz", "C4"], subject=np.repeat([1, 2], 20), trial=np.arange(40)
    )


@pytest.fixture
def search(data, tmp_path):
    """Return a function that runs a search with a space and more options."""
    npz = data.save(tmp_path / "trials.npz")

    def call(space, *arguments, models="csp-lda", suffix=".toml"):
        file = tmp_path / f"space{suffix}"
        file.write_text(space)
        return run("search", "--data", npz, "--models", models, "--space", file, "--cv", 2,
                   "--n-jobs", 1, "--out", tmp_path / "out", *arguments)  # fmt: skip

    return call


def test_a_grid_has_the_scores_of_scikit_learn(search, data, tmp_path):
    result = search(GRID)
    assert result.exit_code == 0, result.output
    table = pd.read_csv(tmp_path / "out" / "candidates.csv")
    grid = {
        "csp__n_components": [1, 2],
        "lda__solver": ["lsqr"],
        "lda__shrinkage": [0.1, "auto"],
    }
    model = build_model("csp-lda", sfreq=100)
    expected = GridSearchCV(model, grid, cv=list(TrialKFold(2).split(data))).fit(data, data.y)
    best = table.iloc[0]
    assert best["mean_accuracy"] == pytest.approx(expected.best_score_, abs=1e-12)
    assert best["rank"] == 1
    assert best["csp__n_components"] == expected.best_params_["csp__n_components"]
    assert sorted(table["mean_accuracy"]) == pytest.approx(
        sorted(expected.cv_results_["mean_test_score"]), abs=1e-12
    )
    assert f"{expected.best_score_:.3f} ±" in result.stdout
    described = json.loads((tmp_path / "out" / "search.json").read_text())
    assert described["models"]["csp-lda"]["best_params"] == expected.best_params_
    assert described["method"] == "grid"


def test_the_best_parameters_are_a_file_of_options_for_compare(search, tmp_path):
    assert search(GRID).exit_code == 0
    best = tmp_path / "out" / "best.toml"
    result = run("compare", "--config", best, "--n-jobs", 1, "--out", tmp_path / "compared")
    assert result.exit_code == 0, result.output
    comparison = Comparison.load(tmp_path / "compared")
    assert comparison.estimators == ["csp-lda"]
    params = tomllib.loads(best.read_text())["parameters"]["csp-lda"]
    assert f"n_components={params['csp__n_components']}" in comparison.about.estimators["csp-lda"]


@pytest.mark.parametrize("method", ["optuna", "halving"])
def test_ranges_are_searched(method, search, tmp_path):
    arguments = ("--method", method, "--trials", 3, "--epochs", 3, "--metric", "roc_auc")
    result = search(NETWORK, *arguments, models="eegnet")
    assert result.exit_code == 0, result.output
    table = pd.read_csv(tmp_path / "out" / "candidates.csv")
    assert table["lr"].between(1e-4, 1e-2).all()
    assert set(table["activation"]) <= {"elu", "relu"}
    assert "mean_roc_auc" in table
    if method == "optuna":
        assert len(table) == 3
    else:
        assert table.iloc[0]["n_resources"] == 3


def test_several_models_have_a_table_each(search, tmp_path):
    space = (
        f"[csp_lda]\n{GRID}[[band-power-svm]]\nsvm__C = [1]\n[[band-power-svm]]\nsvm__C = [10]\n"
    )
    result = search(space, models="csp-lda,band-power-svm")
    assert result.exit_code == 0, result.output
    table = pd.read_csv(tmp_path / "out" / "candidates.csv")
    assert table["model"].tolist() == ["csp-lda"] * 4 + ["band-power-svm"] * 2
    assert table["svm__C"].tolist()[4:] == [1, 10]
    for title in ("csp-lda: grid, accuracy", "band-power-svm: grid, accuracy"):
        assert title in result.stdout


@pytest.mark.parametrize("method", ["grid", "optuna"])
def test_a_search_is_resumed(method, search, tmp_path, monkeypatch):
    """A second run has the same table, and fits nothing."""
    from mne.decoding import CSP

    arguments = ("--method", method, "--trials", 3)
    assert search(GRID, *arguments).exit_code == 0
    first = (tmp_path / "out" / "candidates.csv").read_text()

    def fit(self, *args, **kwargs):
        raise AssertionError("it was fitted again")

    monkeypatch.setattr(CSP, "fit_transform", fit)
    monkeypatch.setattr(CSP, "fit", fit)
    again = search(GRID, *arguments)
    assert again.exit_code == 0, again.output
    second = (tmp_path / "out" / "candidates.csv").read_text()
    drop = ["mean_fit_time", "mean_score_time"]
    a, b = (pd.read_csv(pd.io.common.StringIO(text)).drop(columns=drop) for text in (first, second))
    pd.testing.assert_frame_equal(a, b)


def test_a_model_that_is_finished_is_in_the_files_before_the_next_begins(
    search, tmp_path, monkeypatch
):
    real = Searching.__call__

    def call(self, model, space):
        if "svm" in model.named_steps:
            raise KeyboardInterrupt
        return real(self, model, space)

    monkeypatch.setattr(Searching, "__call__", call)
    space = f"[csp-lda]\n{GRID}[band-power-svm]\nsvm__C = [1]\n"
    result = search(space, models="csp-lda,band-power-svm")
    assert result.exit_code == 130
    assert "the same command resumes" in " ".join(result.stderr.split())
    assert set(pd.read_csv(tmp_path / "out" / "candidates.csv")["model"]) == {"csp-lda"}


def test_the_metric_follows_from_the_classes(data, tmp_path):
    rows = data[np.r_[0:40:2, 1:20:2]]  # 20 of one class, 10 of the other
    npz = rows.save(tmp_path / "trials.npz")
    (tmp_path / "space.toml").write_text("csp__n_components = [2]")
    result = run(
        *("search", "--data", npz, "--models", "csp-lda", "--space", tmp_path / "space.toml"),
        *("--cv", 2, "--n-jobs", 1, "--out", tmp_path / "out"),
    )
    assert "csp-lda: grid, roc_auc" in result.stdout, result.output


def test_a_search_of_other_data_is_not_replaced(search, data, tmp_path):
    assert search(GRID).exit_code == 0
    other = data[:-1].save(tmp_path / "other.npz")
    refused = search(GRID, "--data", other)
    assert refused.exit_code == 1
    assert "a search of other data" in refused.stderr
    assert search(GRID, "--data", other, "--overwrite").exit_code == 0
    (tmp_path / "out" / "search.json").write_text("{}")
    assert "cannot be read" in search(GRID).stderr


def test_a_protocol_is_the_split(search, tmp_path):
    result = search(GRID, "--cv", "cross-subject")
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "out" / "search.json").read_text())["cv"] == "cross-subject"


# ---------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (
            "csp__n_component = [1]",
            "not a parameter of the model. Did you mean 'csp__n_components'?",
        ),
        ("n_components = [1]", "Did you mean 'csp__n_components'?"),
        ("csp__n_components = 2", "must be a list of values or a range"),
        ("csp__n_components = []", "is an empty list"),
        ("csp__n_components = 'two'", "must be a list of values or a range"),
        ("csp__n_components = {lo = 1, high = 2}", "unknown key 'lo'. Did you mean 'low'?"),
        ("csp__n_components = {low = 3, high = 2}", "low must lie below high"),
        ("csp__n_components = {low = 1}", "needs two numbers low and high, got 1, None"),
        ("csp__n_components = {low = '1', high = 2}", "needs two numbers"),
        ("csp__n_components = {low = 1, high = true}", "needs two numbers"),
        ("csp__n_components = {low = nan, high = 2.0}", "low must lie below high"),
        ("csp__n_components = {low = 0.0, high = inf}", "low must lie below high"),
        ("csp__n_components = {low = 0.0, high = 2.0, log = true}", "low must be positive"),
        ("csp__n_components = {low = 1, high = 9, log = true}", "Write 1.0 and 9.0"),
        ("csp__n_components = {low = 1.0, high = 9.0, log = 1.5}", "log must be true or false"),
        ("[csp-lda]", "must be a table with parameters"),
        ("csp-lda = 3", "must be a table with parameters"),
        ("csp-lda = [3]", "must be a table with parameters"),
        ("", "has no table of csp-lda"),
        (f"[csp-lda]\n{GRID}[eegnett]\nlr = [1]", "a table of 'eegnett', which is none of"),
        ("a = ", "cannot be read"),
    ],
)
def test_a_space_that_is_wrong_is_refused(space, message, search):
    result = search(space, "--method", "optuna", "--trials", 1)
    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert message in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--method", "grit"), "Unknown method 'grit'. Did you mean 'grid'?"),
        (("--cv", "cross-subjects"), "Did you mean 'cross-subject'?"),
        (("--cv", "1"), "two folds or more"),
        (("--cv", "-3"), "two folds or more"),
        (("--metric", "accuracy,kappa"), "a single metric"),
        (("--trials", "0"), "Invalid value for '--trials'"),
    ],
)
def test_options_that_are_wrong_are_refused(arguments, message, search):
    result = search(GRID, *arguments)
    assert result.exit_code == 2
    assert message in said(result)


def test_a_grid_of_ranges_is_refused(search):
    result = search(NETWORK, models="eegnet")
    assert result.exit_code == 2
    assert "A grid needs lists of values" in said(result)


def test_halving_of_a_baseline_is_refused(search):
    result = search(GRID, "--method", "halving")
    assert result.exit_code == 1
    assert "needs a network of skeeg" in result.stderr


def test_fits_that_fail_are_told_in_a_line(search):
    """LDA has no shrinkage with its default solver."""
    some = search("lda__solver = ['svd', 'lsqr']\nlda__shrinkage = [0.1]")
    assert some.exit_code == 0, some.output
    warned = [line for line in some.stderr.splitlines() if "fits failed" in line]
    assert len(warned) == 1
    assert warned[0].endswith("shrinkage not supported with 'svd' solver.")
    assert len(warned[0]) < 200
    every = search("lda__shrinkage = [0.1]")
    assert every.exit_code == 1
    assert every.stderr.splitlines()[-1] == (
        "skeeg: All the 2 fits failed. NotImplementedError: shrinkage not supported with 'svd' "
        "solver."
    )


def test_an_unknown_metric_is_named(search):
    result = search(GRID, "--metric", "acuracy")
    assert result.exit_code == 1
    assert "Did you mean 'accuracy'?" in result.stderr


def test_yaml_and_toml_are_the_same_space(tmp_path):
    toml, yaml = tmp_path / "a.toml", tmp_path / "a.yaml"
    toml.write_text("lr = {low = 1e-4, high = 1e-2, log = true}\ndepth = {low = 1, high = 4}\n")
    yaml.write_text("lr: {low: 1e-4, high: 1e-2, log: true}\ndepth: {low: 1, high: 4}\n")
    a, b = (read_spaces(path, ["eegnet"])["eegnet"][0] for path in (toml, yaml))
    assert a["lr"].support() == b["lr"].support() == (1e-4, 1e-2)
    assert a["depth"].support() == b["depth"].support() == randint(1, 5).support()
    yaml.write_text("[eegnet]: 1\n? [a]\n: 2\n")
    with pytest.raises(ValueError, match="a\\.yaml"):
        read_spaces(yaml, ["eegnet"])


def test_null_of_yaml_is_none(search, tmp_path):
    pytest.importorskip("yaml")
    result = search("lda__shrinkage: [null]\n", suffix=".yaml")
    assert result.exit_code == 0, result.output
    assert "shrinkage: null" in (tmp_path / "out" / "best.yaml").read_text()


def test_options_of_the_search_are_saved(search, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(search_command, "load", lambda source, seed: seen.append(source) or 1 / 0)
    file = tmp_path / "study.toml"
    result = search(GRID, "--method", "optuna", "--save-config", file)
    assert isinstance(result.exception, ZeroDivisionError)
    saved = tomllib.loads(file.read_text())
    assert saved["method"] == "optuna"
    assert saved["space"] == str(tmp_path / "space.toml")
    again = run("search", "--config", file)
    assert isinstance(again.exception, ZeroDivisionError), again.output
    assert seen[0] == seen[1]
