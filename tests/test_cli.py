"""The command does the main job, and says in one line what is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import mne
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import skeeg
from skeeg import Comparison, EEGData
from skeeg.cli import app
from skeeg.cli.options import subject_list
from skeeg.models import MODELS

MODELS_HERE = "csp-lda,band-power-svm"


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def said(result):
    """Return the error as one string: rich breaks lines and draws boxes."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.stderr).split())


@pytest.fixture(scope="module")
def recording():
    """Four channels of noise, one of which carries 10 Hz in one class only."""
    rng = np.random.default_rng(0)
    n_trials, sfreq = 96, 100
    y = np.array(["rest", "task"] * 48)
    X = rng.standard_normal((n_trials, 4, 200))
    phases = rng.uniform(0, 2 * np.pi, (n_trials, 1))
    X[:, 1] += 3 * (y == "rest")[:, None] * np.sin(2 * np.pi * 10 * np.arange(200) / sfreq + phases)
    return EEGData.from_arrays(
        X, y, sfreq, ["C3", "Cz", "C4", "Pz"], subject=np.repeat([1, 2], 48),
        run=np.tile(np.repeat([0, 1], 24), 2), trial=np.tile(np.arange(24), 4),
    )  # fmt: skip


@pytest.fixture
def npz(recording, tmp_path):
    return recording.save(tmp_path / "recording.npz")


def test_compare_writes_tables_figures_and_report(npz, tmp_path):
    out = tmp_path / "out"
    result = run("compare", "--data", npz, "--models", MODELS_HERE, "--n-jobs", 1, "--out", out)
    assert result.exit_code == 0, result.output
    comparison = Comparison.load(out)
    assert comparison.estimators == MODELS_HERE.split(",")
    assert comparison.about.protocol == "within-subject"
    assert comparison.about.random_state == 0
    assert comparison.summary().loc["band-power-svm", "mean"] > 0.8
    mean = comparison.summary()["mean"].iloc[0]
    assert f"{mean:.3f} ±" in result.stdout
    assert "chance" in result.stdout
    assert str(out / "report.html") in result.stdout.replace("\n", "")
    assert "band-power-svm" in (out / "report.html").read_text(encoding="utf-8")
    assert json.loads((out / "comparison.json").read_text())["format"] == "skeeg.Comparison"
    for figure in ("scores_accuracy", "confusion_csp-lda", "confusion_band-power-svm"):
        assert (out / "figures" / f"{figure}.png").read_bytes().startswith(b"\x89PNG")


def test_compare_goes_on_from_its_store(npz, tmp_path):
    arguments = ["compare", "--data", npz, "--models", "csp-lda", "--n-jobs", 1, "--out"]
    assert run(*arguments, tmp_path / "a").exit_code == 0
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "a" / "store").iterdir()}
    assert len(files) == 4
    again = run(*arguments, tmp_path / "b", "--store", tmp_path / "a" / "store")
    assert again.exit_code == 0
    assert files == {path: path.stat().st_mtime_ns for path in (tmp_path / "a" / "store").iterdir()}
    assert "4 found in the store" in again.stderr


def test_networks_take_their_epochs_and_subjects_are_chosen(npz, tmp_path):
    result = run(
        *("compare", "--data", npz, "--models", "eegnet", "--epochs", 2, "--subjects", 2),
        *("--n-jobs", 1, "--seed", 5, "--out", tmp_path),
    )
    assert result.exit_code == 0, result.output
    comparison = Comparison.load(tmp_path)
    assert comparison.history["epoch"].max() == 2
    assert comparison.about.random_state == 5
    assert set(comparison.scores["subject"]) == {2}
    assert (tmp_path / "figures" / "history_eegnet.png").exists()


def test_continuous_targets_are_regressed(tmp_path):
    from skeeg.datasets import simulate_band_power_regression

    data = simulate_band_power_regression(1, 1, 2, 20, ch_names=["C3", "Cz", "Pz"], random_state=0)
    file, out = data.save(tmp_path / "targets.npz"), tmp_path / "out"
    result = run("compare", "--data", file, "--n-jobs", 1, "--out", out)
    assert result.exit_code == 0, result.output
    comparison = Comparison.load(out)
    assert comparison.estimators == ["band-power-ridge", "spoc-ridge"]
    assert comparison.about.metrics == ("r2", "mean_absolute_error", "pearson")
    figures = {path.name for path in (out / "figures").iterdir()}
    assert {"scores_r2.png", "predictions_spoc-ridge.png"} <= figures
    assert not (out / "classes.csv").exists()
    assert "classes.csv" not in result.stdout
    refused = run("compare", "--data", file, "--models", "csp-lda", "--out", tmp_path / "no")
    assert refused.exit_code == 1
    assert "'csp-lda' predict classes" in refused.stderr


def test_metrics_are_chosen_by_name(npz, tmp_path):
    arguments = ("compare", "--data", npz, "--models", "csp-lda", "--n-jobs", 1)
    result = run(*arguments, "--metric", "f1_macro, accuracy", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    comparison = Comparison.load(tmp_path)
    assert comparison.about.metrics == ("f1_macro", "accuracy")
    assert comparison.scores["f1_macro"].between(0, 1).all()
    refused = run(*arguments, "--metric", "acuracy", "--out", tmp_path / "no")
    assert refused.exit_code == 1
    assert "Did you mean 'accuracy'?" in refused.stderr


def test_epochs_of_mne_are_read(recording, tmp_path):
    info = mne.create_info(list(recording.ch_names), recording.sfreq, "eeg")
    codes = np.unique(recording.y, return_inverse=True)[1]
    events = np.c_[np.arange(len(codes)), np.zeros(len(codes), int), codes]
    path = tmp_path / "sub-epo.fif"
    mne.EpochsArray(
        recording.X * 1e-6, info, events, event_id={"rest": 0, "task": 1}, verbose=False,
        metadata=recording.metadata,
    ).save(path, verbose=False)  # fmt: skip
    result = run(
        *("compare", "--data", path, "--models", "csp-lda", "--protocol", "cross-subject"),
        *("--n-jobs", 1, "--out", tmp_path / "out"),
    )
    assert result.exit_code == 0, result.output
    assert Comparison.load(tmp_path / "out").scores["fold"].tolist() == ["subject 1", "subject 2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--models", "eegnett"], "Unknown model 'eegnett'. Did you mean 'eegnet'?"),
        (["--models", "csp_ldaa"], "Did you mean 'csp-lda'?"),
        (["--models", ","], "Pass at least one model."),
        (["--data", "simulatd"], "Unknown data set 'simulatd'. Did you mean 'simulated'?"),
        (["--protocol", "within"], "Unknown protocol 'within'. Did you mean 'within-subject'?"),
        (["--subjects", ","], "names no subject"),
        (["--epochs", "0"], "Invalid value for '--epochs'"),
        (["--task", "x"], "has no such option"),
        (["--subjects", "S1"], "Simulated subjects are numbers"),
    ],
)
def test_unknown_names_end_with_2_and_the_nearest(arguments, message, tmp_path):
    result = run("compare", *arguments, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert message in said(result)
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_all_names_are_listed_with_an_unknown_one():
    text = said(run("compare", "--models", "nothing-like-it"))
    assert all(name in text for name in MODELS)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.npz", None, "does not exist"),
        ("bad.npz", b"PK\x03\x04 nonsense", "cannot be read as EEGData"),
        ("bad-epo.fif", b"nonsense", "cannot be read as MNE epochs"),
    ],
)
def test_unreadable_files_end_with_1_and_one_line(name, content, message, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    result = run("compare", "--data", tmp_path / name, "--out", tmp_path / "out")
    assert result.exit_code == 1
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("skeeg: ")
    assert message in lines[0]
    assert name in lines[0]


def test_a_folder_that_is_missing_ends_with_1(tmp_path):
    result = run("compare", "--data", "eegmat", "--path", tmp_path / "gone")
    assert result.exit_code == 1
    assert "gone" in result.stderr


def test_a_protocol_that_does_not_fit_ends_with_1(npz, tmp_path):
    result = run("compare", "--data", npz, "--protocol", "cross-session", "--out", tmp_path / "o")
    assert result.exit_code == 1
    assert "needs a column 'session'" in result.stderr


def test_subjects_that_do_not_exist_are_named(npz):
    result = run("compare", "--data", npz, "--subjects", "1,7")
    assert result.exit_code == 1
    assert "There is no subject 7; there are 1, 2." in result.stderr


@pytest.mark.parametrize(
    ("text", "subjects"),
    [
        ("3", [3]),
        ("1,2,5-8", [1, 2, 5, 6, 7, 8]),
        ("2, 1,1", [2, 1]),
        ("S4b,X11b", ["S4b", "X11b"]),
    ],
)
def test_subjects_are_numbers_ranges_or_names(text, subjects):
    assert subject_list(text) == subjects


def test_models_and_datasets_are_listed():
    from skeeg.datasets import LOADERS

    models, datasets = run("models"), run("datasets")
    assert models.exit_code == datasets.exit_code == 0
    assert all(name in models.stdout for name in MODELS)
    assert all(name in datasets.stdout for name in LOADERS)


def test_version():
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"skeeg {skeeg.__version__}\n")


def test_the_command_runs_by_itself_and_starts_without_torch_or_mne(npz, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(Path(skeeg.__file__).parents[1])}
    start = [sys.executable, "-c"]
    light = "import sys, skeeg.cli; print({'torch', 'mne', 'sklearn'} & set(sys.modules))"
    listed = subprocess.run([*start, light], env=environment, capture_output=True, text=True)
    assert listed.stdout == "set()\n"
    command = "from skeeg.cli import main; main()"
    result = subprocess.run(
        [*start, command, "compare", "--data", npz, "--models", "csp-lda", "--n-jobs", "1",
         "--out", "results"],
        env=environment, capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert len(pd.read_csv(tmp_path / "results" / "scores.csv")) == 4


@pytest.mark.slow
def test_the_command_says_what_it_reused(npz, tmp_path):
    arguments = ("compare", "--data", npz, "--n-jobs", 1, "--out", tmp_path / "out")
    first = run(*arguments, "--models", "csp-lda")
    assert "0 of 4 folds reused, 4 computed (csp-lda 0 of 4)" in first.stderr
    second = run(*arguments, "--models", MODELS_HERE)
    expected = "4 of 8 folds reused, 4 computed (csp-lda 4 of 4, band-power-svm 0 of 4)"
    assert expected in second.stderr
    anew = run(*arguments, "--models", "csp-lda", "--no-resume")
    assert anew.exit_code == 0
    assert "reused" not in anew.stderr
    assert "found in the store" not in anew.stderr


@pytest.mark.slow
def test_nothing_of_an_earlier_run_stays_beside_the_report(npz, tmp_path):
    out = tmp_path / "out"
    arguments = ("compare", "--data", npz, "--n-jobs", 1, "--out", out)
    assert run(*arguments, "--models", MODELS_HERE, "--window", 1).exit_code == 0
    (out / "figures" / "own.png").write_bytes(b"of the user")
    assert (out / "side_by_side.csv").exists()
    assert run(*arguments, "--models", "csp-lda", "--overwrite").exit_code == 0
    assert {path.name for path in out.iterdir()} == {
        *("scores.csv", "predictions.csv", "history.csv", "comparison.json"),
        *("classes.csv", "report.html", "figures", "store"),
    }
    assert not [path.name for path in (out / "figures").glob("*band-power*")]
    assert (out / "figures" / "own.png").exists()


def test_a_comparison_of_other_data_is_not_replaced(recording, npz, tmp_path):
    other = recording[:-1].save(tmp_path / "other.npz")
    arguments = ("compare", "--models", "csp-lda", "--n-jobs", 1, "--out", tmp_path / "out")
    assert run(*arguments, "--data", npz).exit_code == 0
    before = (tmp_path / "out" / "comparison.json").read_bytes()
    refused = run(*arguments, "--data", other)
    assert refused.exit_code == 1
    assert "comparison of other data" in refused.stderr
    assert "--overwrite" in refused.stderr
    assert (tmp_path / "out" / "comparison.json").read_bytes() == before
    assert run(*arguments, "--data", other, "--overwrite").exit_code == 0
    assert Comparison.load(tmp_path / "out").about.data["n_trials"] == len(recording) - 1
