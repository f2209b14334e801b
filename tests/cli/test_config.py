"""A file of options is the command line in another form, and says what is wrong with it."""

from __future__ import annotations

import contextlib
import os
import re
import tomllib

import numpy as np
import pytest
import typer
import yaml

from skeeg import Comparison, EEGData
from skeeg.cli import commands, estimators
from skeeg.cli.data import Source
from skeeg.cli.estimators import Settings

from .support import run, said


@pytest.fixture(scope="module")
def npz(tmp_path_factory):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((24, 3, 100)), np.array(["a", "b"] * 12)
    X[:, 0] *= 1 + 2 * (y == "a")[:, None]
    data = EEGData.from_arrays(X, y, 100, ["C3", "Cz", "C4"], subject=1, trial=np.arange(24))
    return data.save(tmp_path_factory.mktemp("data") / "trials.npz")


@pytest.fixture
def asked(monkeypatch):
    """Note the options of the data and the models instead of computing anything."""
    seen = {}

    def stop(source, seed):
        seen.update(source=source, seed=seed)
        raise typer.BadParameter("it stops here")

    monkeypatch.setattr(commands, "load", stop)
    return seen


EVERY_OPTION = {
    "--data": "x.edf", "--path": "folder", "--task": "t", "--subjects": "1,2", "--events": "a,b",
    "--tmin": -0.5, "--tmax": 2.0, "--fmin": 4.0, "--fmax": 30.0, "--sfreq": 128.0,
    "--picks": "C3,C4", "--reference": "average", "--metadata": "{subject}.edf",
    "--window": 1.0, "--models": "eegnet,csp-lda", "--epochs": 3,
    "--protocol": "cross-subject", "--metric": "roc_auc,kappa", "--n-jobs": 2,
    "--dask": "tcp://x:1", "--seed": 7, "--out": "results", "--store": "store",
}  # fmt: skip
FLAGS = ("--early-stopping", "--no-resume", "--overwrite")


@pytest.mark.parametrize("suffix", [".toml", ".yaml"])
def test_options_are_saved_and_read_again(suffix, asked, tmp_path, monkeypatch):
    """Every option of the command is in the file, and the file alone is the same command."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        commands, "cluster", lambda address: asked.update(dask=address) or contextlib.nullcontext()
    )
    words = [str(part) for pair in EVERY_OPTION.items() for part in pair]
    first = run("compare", *words, *FLAGS, "--save-config", f"study{suffix}")
    assert "it stops here" in said(first), first.output
    before = dict(asked)
    asked.clear()
    again = run("compare", "--config", f"study{suffix}", "--save-config", f"again{suffix}")
    assert "it stops here" in said(again), again.output
    assert asked == before
    assert asked["source"].tmin == -0.5
    text = (tmp_path / f"study{suffix}").read_text()
    assert (tmp_path / f"again{suffix}").read_text() == text
    saved = tomllib.loads(text) if suffix == ".toml" else yaml.safe_load(text)
    expected = {name[2:].replace("-", "_"): value for name, value in EVERY_OPTION.items()}
    expected |= {"early_stopping": True, "resume": False, "overwrite": True, "recipe": True}
    assert saved == expected


def test_the_command_line_comes_before_the_file_and_the_file_before_defaults(asked, tmp_path):
    file = tmp_path / "study.toml"
    file.write_text('data = "eegmat"\nseed = 3\nsubjects = [1, 4]\nn-jobs = 1\n')
    assert "it stops here" in said(run("compare", "--config", file, "--seed", 5))
    assert asked["source"] == Source("eegmat", subjects=[1, 4])
    assert asked["seed"] == 5
    run("compare", "--config", file)
    assert asked["seed"] == 3
    run("compare")
    assert (asked["seed"], asked["source"].data) == (0, "simulated")


def test_parameters_of_models_are_those_of_the_file(npz, tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(
        f"""
        data = '{npz}'
        models = ["eegnet", "csp-lda"]
        epochs = 1
        n-jobs = 1

        [parameters.eegnet]
        activation = "relu"
        lr = 0.01

        [parameters.csp_lda]
        csp__n_components = 2
        """
    )
    result = run("compare", "--config", file, "--out", tmp_path / "a")
    assert result.exit_code == 0, result.output
    shown = Comparison.load(tmp_path / "a").about.estimators
    assert "activation='relu'" in shown["eegnet"]
    assert "lr=0.01" in shown["eegnet"]
    assert "n_components=2" in shown["csp-lda"]
    again = run("compare", "--config", file, "--models", "csp-lda", "--save-config",
                tmp_path / "b.toml", "--out", tmp_path / "a")  # fmt: skip
    assert again.exit_code == 0, again.output
    saved = tomllib.loads((tmp_path / "b.toml").read_text())
    assert saved["models"] == "csp-lda"
    assert saved["parameters"]["eegnet"] == {"activation": "relu", "lr": 0.01}


def test_early_stopping_is_for_the_networks(npz):
    data = EEGData.load(npz)
    names = ["eegnet", "pointcnn", "csp-lda", "band-power-mlp"]
    built = Settings(early_stopping=True).build(names, data)
    plain = Settings().build(names, data)
    assert built["eegnet"].early_stopping
    assert built["pointcnn"].get_params()["pointcnn__early_stopping"]
    assert not plain["eegnet"].early_stopping
    mlp = [key for key in built["band-power-mlp"].get_params() if key.endswith("early_stopping")]
    assert [built["band-power-mlp"].get_params()[key] for key in mlp] == [False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeed = 1", "unknown option 'seeed'. Did you mean 'seed'?"),
        ("parameter = {}", "unknown option 'parameter'. Did you mean 'parameters'?"),
        ("config = 'x.toml'", "unknown option 'config'"),
        ("seed = 'one'", "seed must be a whole number, got str 'one'"),
        ("seed = 1.5", "seed must be a whole number, got float 1.5"),
        ("seed = true", "seed must be a whole number, got bool True"),
        ("tmin = '0'", "tmin must be a number, got str '0'"),
        ("overwrite = 'yes'", "overwrite must be true or false, got str 'yes'"),
        ("overwrite = 1", "overwrite must be true or false, got int 1"),
        ("models = []", "models must be text, a number or a list of them"),
        ("models = [['eegnet']]", "models must be text, a number or a list of them"),
        ("models = {a = 1}", "models must be text, a number or a list of them, got dict"),
        ("n-jobs = 1\nn_jobs = 2", "the option 'n_jobs' twice"),
        ("epochs = 0", "Invalid value for '--epochs'"),
        ("parameters = 3", "parameters must be tables"),
        ("parameters.eegnet = 3", "parameters must be tables"),
        ("seed = ", "cannot be read"),
        ("\x00", "cannot be read"),
    ],
)
def test_a_file_that_is_wrong_is_refused_by_name(text, message, tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(text)
    result = run("compare", "--config", file)
    assert result.exit_code == 2
    assert message in said(result)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("study.toml", None, "does not exist"),
        ("study.ini", b"", "must end in .toml, .yaml, .yml"),
        ("study.toml", b"\xff\xfe", "cannot be read"),
        ("study.toml", b"#" * 2**21, "too many for options"),
        ("study.yaml", b"- 1\n- 2\n", "must hold names and values, got list"),
        ("study.yaml", b"a: [1\n", "cannot be read"),
        ("study.yaml", b"a: !!python/object/apply:os.system ['touch hacked']\n", "cannot be read"),
        ("study.yaml", b"data: &a [x, x]\nmodels: *a\n", "it has an alias"),
        ("study.yaml", b"[" * 100000, "cannot be read"),
    ],
)
def test_a_file_of_another_kind_is_refused(name, content, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / name).write_bytes(content)
    result = run("compare", "--config", tmp_path / name)
    assert result.exit_code == 2
    assert message in said(result)
    assert not (tmp_path / "hacked").exists()


def test_a_folder_or_a_pipe_is_refused(tmp_path):
    (tmp_path / "a.toml").mkdir()
    os.mkfifo(tmp_path / "b.toml")
    for name, kind in (("a", "a folder"), ("b", "a named pipe")):
        result = run("compare", "--config", tmp_path / f"{name}.toml")
        assert f"is {kind}, not a file" in said(result)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[parameters.eegnet]\nlrr = 0.1", "parameters of eegnet are invalid.*'lr'"),
        ("[parameters.eegnett]\nlr = 0.1", "Unknown model in the parameters 'eegnett'.*'eegnet'"),
    ],
)
def test_parameters_that_do_not_exist_are_refused(text, message, npz, tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(text)
    result = run("compare", "--data", npz, "--models", "eegnet", "--config", file, "--out",
                 tmp_path / "out")  # fmt: skip
    assert result.exit_code == 1
    assert re.search(message, result.stderr)
    assert len(result.stderr.strip().splitlines()) == 1


# ---------------------------------------------------------------------- models


def test_a_model_without_its_extra_is_left_out(npz, tmp_path, monkeypatch):
    real = estimators.build_model

    def build(name, **options):
        if name == "tangent-space-lr":
            raise ImportError("it needs pyRiemann: pip install 'skeeg[riemann]'")
        return real(name, **options)

    monkeypatch.setattr(estimators, "build_model", build)
    arguments = ("compare", "--data", npz, "--n-jobs", 1, "--out", tmp_path)
    result = run(*arguments, "--models", "csp-lda,tangent_space_lr")
    assert result.exit_code == 0, result.output
    assert "warning: tangent-space-lr is left out: it needs pyRiemann" in result.stderr
    assert Comparison.load(tmp_path).estimators == ["csp-lda"]
    alone = run(*arguments, "--models", "tangent-space-lr")
    assert alone.exit_code == 1
    assert "pip install 'skeeg[riemann]'" in alone.stderr


def test_a_model_that_does_not_fit_the_rate_is_named(npz, tmp_path):
    result = run("compare", "--data", npz, "--sfreq", 60, "--models", "csp-lda,band-power-lr",
                 "--out", tmp_path)  # fmt: skip
    assert result.exit_code == 1
    assert "band-power-lr does not fit these data: Band 'gamma'" in result.stderr


def test_the_help_fits_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for command in ("compare", "search", "models", "datasets"):
        lines = run(command, "--help").stdout.splitlines()
        assert max(map(len, lines)) <= 80
        assert not [line for line in lines if "…" in line]


def test_data_sets_are_listed_with_tasks_window_and_band(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    text = " ".join(run("datasets").stdout.split())
    for part in ("left_right_movement", "quadrant", "0.5 to 3.5 s", "7 to 35 Hz", "4 to 45 Hz"):
        assert part in text
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("datasets").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)
