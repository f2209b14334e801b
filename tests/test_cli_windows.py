"""The command cuts windows, and shows what a split that leaks would have said."""

from __future__ import annotations

import dataclasses
import functools
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix
from typer.testing import CliRunner

from skeeg import CCNNClassifier, Comparison, EEGData
from skeeg.cli import app, commands
from skeeg.cli.windows import FEATURE_MODELS, shuffled_windows
from skeeg.datasets import LOADERS, load_deap
from skeeg.evaluation import comparison_figures
from skeeg.features import deap_entropy

from .datasets.support import write_deap_like

SHUFFLED = "shuffled-windows"


def run(*arguments):
    fixed = ["compare", *arguments, "--n-jobs", 1, "--epochs", 1]
    return CliRunner().invoke(app, [str(argument) for argument in fixed])


def said(result):
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.stderr).split())


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deap")
    write_deap_like(folder, subjects=(1, 2))
    return folder


@pytest.fixture
def short(monkeypatch):
    """Let the loader return four seconds of twelve trials of each subject."""

    @functools.wraps(load_deap)
    def load(*args, **options):
        data = load_deap(*args, **options)
        data = data[data.metadata["trial"].lt(12).to_numpy()]
        return dataclasses.replace(data, X=data.X[:, :, :512])

    monkeypatch.setitem(LOADERS, "deap", dataclasses.replace(LOADERS["deap"], load=load))
    return load


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Make CCNN, of six million parameters, a small network."""
    for name, value in {"n_filters": 4, "n_hidden": 8}.items():
        monkeypatch.setitem(CCNNClassifier.__init__.__wrapped__.__kwdefaults__, name, value)


@pytest.fixture
def tables_only(monkeypatch):
    """Leave out figures and reports, which take longer than all the rest."""
    monkeypatch.setattr(commands, "write", lambda comparison, out: [str(comparison.save(out))])


def test_entropy_runs_five_models_on_both_splits(files, short, tables_only, tmp_path):
    result = run(
        *("--data", "deap", "--path", files, "--features", "entropy", "--subjects", 1),
        *("--task", "arousal", "--out", tmp_path),
    )
    assert result.exit_code == 0, result.output
    honest, shuffled = Comparison.load(tmp_path), Comparison.load(tmp_path / SHUFFLED)
    assert honest.estimators == shuffled.estimators == list(FEATURE_MODELS)
    assert honest.about.protocol == "within-subject"
    assert not honest.leakage
    assert "ShuffledSegmentKFold" in shuffled.about.protocol
    assert shuffled.leakage.startswith("leakage allowed")
    for frame in (shuffled.scores, shuffled.predictions, shuffled.history):
        assert set(frame["note"]) == {"leakage allowed"}
    arousal = short(files, subjects=1, label="arousal")
    of_windows = np.repeat(arousal.y, 4)
    for comparison in (honest, shuffled):
        own = comparison.predictions[comparison.predictions["estimator"] == "svm"]
        assert sorted(own["row"]) == list(range(48))
        assert (own["y_true"] == of_windows[own["row"]]).all()
    both = pd.read_csv(tmp_path / "side_by_side.csv").set_index("estimator")
    for name in FEATURE_MODELS:
        for column, comparison in (("whole_trials", honest), ("shuffled_windows", shuffled)):
            mean = comparison.scores.groupby("estimator")["accuracy"].mean()[name]
            assert both.loc[name, column] == pytest.approx(mean)
            assert f"{mean:.3f} ±" in result.stdout.split("side by side")[1]
    assert both["note"].str.contains("leakage allowed").all()
    assert result.stdout.count("(leakage allowed)") >= 3


def test_entropies_are_those_of_deap_less_their_baseline(files, short, tables_only, tmp_path):
    result = run(
        *("--data", "deap", "--path", files, "--features", "entropy", "--subjects", 1),
        *("--models", "tree", "--out", tmp_path),
    )
    assert result.exit_code == 0, result.output
    data, rest = (short(files, subjects=1, part=part) for part in ("trial", "baseline"))
    table = deap_entropy(data, rest)
    (tree,) = [FEATURE_MODELS["tree"](table, None).set_params(random_state=0)]
    honest = Comparison.load(tmp_path)
    first = honest.predictions[honest.predictions["fold"] == honest.scores["fold"].iloc[0]]
    train = np.setdiff1d(np.arange(len(table)), first["row"])
    predicted = tree.fit(table.X[train], table.y[train]).predict(table.X[first["row"]])
    assert predicted.tolist() == first["y_pred"].tolist()


@pytest.mark.slow
def test_quadrants_are_decoded_from_raw_windows(files, short, monkeypatch, tmp_path):
    figures = []
    monkeypatch.setattr(
        comparison_figures, "save_figure", lambda figure, stem, *_: figures.append(stem)
    )
    monkeypatch.setattr(Comparison, "report", lambda self, path: path)  # see test_report.py
    result = run(
        *("--data", "deap", "--path", files, "--task", "quadrant", "--subjects", 1),
        *("--window", 2, "--out", tmp_path),
    )
    assert result.exit_code == 0, result.output
    honest, shuffled = Comparison.load(tmp_path), Comparison.load(tmp_path / SHUFFLED)
    assert honest.estimators == ["cnn-lstm", "cnn-gru"]
    assert honest.about.classes == ("HVHA", "HVLA", "LVHA", "LVLA")
    assert honest.about.data["n_times"] == 256
    for comparison, folder in ((honest, tmp_path), (shuffled, tmp_path / SHUFFLED)):
        table = pd.read_csv(folder / "classes.csv")
        assert len(table) == 2 * 4
        own = comparison.predictions.query("estimator == 'cnn-gru'")
        counts = confusion_matrix(own["y_true"], own["y_pred"])
        rows = table[table["estimator"] == "cnn-gru"]
        np.testing.assert_array_equal(rows.filter(like="predicted_"), counts)
        np.testing.assert_allclose(rows["recall"], np.diag(counts) / counts.sum(axis=1))
        weighted = np.average(rows["recall"], weights=rows["n"])
        assert weighted == pytest.approx(accuracy_score(own["y_true"], own["y_pred"]))
        assert folder / "figures" / "confusion_cnn-gru" in figures
        assert ("note" in table) == bool(comparison.leakage)
    for heading in ("precision", "recall", "F1", "HVHA"):
        assert heading in result.stdout


def test_subjects_left_out_stand_beside_all_windows_pooled(files, short, tables_only, tmp_path):
    result = run(
        *("--data", "deap", "--path", files, "--features", "entropy", "--models", "svm,tree"),
        *("--protocol", "cross-subject", "--out", tmp_path),
    )
    assert result.exit_code == 0, result.output
    honest, shuffled = Comparison.load(tmp_path), Comparison.load(tmp_path / SHUFFLED)
    assert honest.scores["fold"].unique().tolist() == ["subject 1", "subject 2"]
    rows = shuffled.predictions.query("estimator == 'svm' and fold == 'fold 1'")["row"]
    assert {row // 48 for row in rows} == {0, 1}  # both subjects in one test part


def test_shuffled_windows_stay_within_a_subject_where_the_protocol_does():
    assert "WithinSubject" in repr(shuffled_windows("within-subject"))
    assert "WithinSubject" not in repr(shuffled_windows("cross-subject"))


@pytest.mark.slow
def test_other_montages_are_put_on_a_grid_and_have_no_baseline(tables_only, tmp_path):
    rng = np.random.default_rng(0)
    data = EEGData.from_arrays(
        rng.standard_normal((8, 3, 400)), ["calm", "tense"] * 4, sfreq=100,
        ch_names=["C1", "Cz", "C2"], subject=1,
    )  # fmt: skip
    result = run(
        *("--data", data.save(tmp_path / "own.npz"), "--features", "entropy", "--out", tmp_path),
        *("--models", "lenet,tree"),
    )
    assert result.exit_code == 0, result.output
    assert "layout='grid'" in Comparison.load(tmp_path).about.estimators["lenet"]


def test_windows_are_cut_from_any_trials(tables_only, tmp_path):
    rng = np.random.default_rng(0)
    data = EEGData.from_arrays(
        rng.standard_normal((8, 2, 200)), ["a", "b"] * 4, sfreq=100, ch_names=["C3", "C4"]
    )
    result = run(
        *("--data", data.save(tmp_path / "own.npz"), "--window", 0.5, "--models", "csp-lda"),
        *("--out", tmp_path),
    )
    assert result.exit_code == 0, result.output
    honest = Comparison.load(tmp_path)
    assert len(honest.predictions) == 32
    assert honest.predictions.groupby("fold")["row"].apply(lambda rows: len(rows) % 4).eq(0).all()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--data", "deap", "--features", "entropy"], 1, "Pass the folder of your files as --path"),
        (["--data", "deap", "--path", ".", "--task", "valense"], 2, "Did you mean 'valence'?"),
        (["--data", "deap", "--path", ".", "--task", "p300"], 2, "There are: valence, arousal"),
        (["--data", "muse", "--path", ".", "--task", "valence"], 2, "There are: left_right, p300"),
        (["--features", "entropie"], 2, "Unknown kind of features 'entropie'. Did you mean"),
        (["--features", ","], 2, "Pass at least one kind of features."),
        (["--features", "entropy", "--models", "eegnet"], 2, "There are: ccnn, lenet, svm"),
        (["--models", "ccnn"], 2, "ccnn needs features: pass --features entropy"),
        (["--window", "0"], 1, "window must be a positive number of seconds"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(arguments, code, message, tmp_path):
    result = run(*arguments, "--out", tmp_path / "out")
    assert result.exit_code == code, result.output
    assert message in said(result)
    assert "Traceback" not in result.output
    assert code == 2 or len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
