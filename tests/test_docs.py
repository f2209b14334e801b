"""Nothing that the documentation shows is unverified: code, output, commands, lists and links."""

from __future__ import annotations

import contextlib
import doctest
import functools
import importlib
import inspect
import io
import itertools
import os
import pkgutil
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import matplotlib
import pytest
from typer.testing import CliRunner

import skeeg
from skeeg import cli
from skeeg.datasets import LOADERS, load_recordings, simulate_motor_imagery
from skeeg.models import MODELS

from .datasets.support import write_deap_like

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES += sorted((ROOT / "docs" / "user_guide").glob("*.md"))
PAGES += sorted((ROOT / "docs" / "methods").glob("*.md"))
GALLERY = sorted((ROOT / "docs" / "gallery").glob("plot_*.py"))
# More than ten seconds each.
SLOW_GALLERY = {
    "plot_00_own_recordings",
    "plot_01_first_decoding",
    "plot_02_search_activations",
    "plot_03_compare",
    "plot_07_time_resolved",
    "plot_08_what_it_learnt",
    "plot_09_choose_channels",
}
#: Options of commands that compare five models on two splits.
SLOW_OPTIONS = ("--features entropy", "--task quadrant")
PUBLIC_MODULES = [module for module in skeeg.__all__ if inspect.ismodule(getattr(skeeg, module))]

_BLOCK = re.compile(
    r"(?:<!--[ ]test:[ ](?P<note>[^>]*?)[ ]-->\n+)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
_SAVING = 'figure.savefig(Path(__file__).with_suffix(".png"), dpi=150)\n'
_NUMBER = re.compile(r"-?\d+\.\d+")


def blocks(page, kinds):
    """Return (kind, note, text, line, touching) of each fenced block of some kinds."""
    source = page.read_text(encoding="utf-8")
    found, end = [], 0
    for match in _BLOCK.finditer(source):
        touching = not source[end : match.start()].strip()
        end = match.end()
        if match["kind"] in kinds:
            line = source[: match.start("text")].count("\n")
            found.append((match["kind"], match["note"] or "", match["text"], line, touching))
    return found


def commands():
    """Return every command of the console blocks, by page."""
    found = []
    for page in PAGES:
        for _, _, text, _, _ in blocks(page, {"console"}):
            lines = text.replace("\\\n", " ").splitlines()
            found += [(page.stem, " ".join(line.split())) for line in lines if line.strip()]
    return found


def assert_same(shown, printed, tolerance):
    """Words must agree, and numbers with a decimal point up to the tolerance of the page."""
    where = f"shown:\n{shown}\nprinted:\n{printed}"
    words = [_NUMBER.sub("#", text).split() for text in (shown, printed)]
    numbers = [list(map(float, _NUMBER.findall(text))) for text in (shown, printed)]
    assert words[0] == words[1], where
    assert numbers[0] == pytest.approx(numbers[1], abs=tolerance, rel=0), where


@pytest.fixture(autouse=True)
def _agg(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    matplotlib.use("Agg")


# ---------------------------------------------------------------------- pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
@pytest.mark.timeout(240)
def test_code_runs_and_prints_what_the_page_shows(page, tmp_path, monkeypatch, request):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    printed = None
    for kind, note, text, line, touching in blocks(page, {"python", "text"}):
        if kind == "text":
            if printed is not None and touching:
                tolerance = float(note.removeprefix("within ")) if note else 0.0
                assert_same(text, printed, tolerance)
            printed = None
            continue
        code = compile("\n" * line + text, str(page), "exec")
        if note.startswith("needs "):
            find = request.getfixturevalue("recordings")
            name = note.removeprefix("needs ")
            try:
                if name == "deap":  # which nobody may hand out: the same files, simulated
                    write_deap_like(tmp_path / name)
                    request.addfinalizer(functools.partial(shutil.rmtree, tmp_path / name))
                else:
                    os.symlink(find(name), tmp_path / name)
            except pytest.skip.Exception:
                printed = None
                continue
        stream = io.StringIO()
        with contextlib.redirect_stdout(stream), warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            exec(code, namespace)
        printed = stream.getvalue()


def test_every_output_stands_right_behind_its_code():
    for page in PAGES:
        before = None
        for kind, _, _, line, touching in blocks(page, {"python", "text", "console"}):
            if kind == "text":
                assert touching, f"{page.name}:{line}"
                assert before in ("python", "console"), f"{page.name}:{line}"
            before = kind


# ---------------------------------------------------------------------- commands


@pytest.fixture(scope="module")
def few_trials():
    return simulate_motor_imagery(2, 2, 1, 8, tmax=1.5, random_state=0)


@pytest.fixture
def loader(few_trials, monkeypatch):
    """Check what a data set's loader is asked for, then give it a few trials instead."""

    def load(source, seed):
        given = {name: value for name, value in vars(source).items() if value is not None}
        data = given.pop("data")
        if data == "simulated":
            assert not given
        elif data in LOADERS:
            if LOADERS[data].labels and "task" in given:
                given["label"] = given.pop("task")
            inspect.signature(LOADERS[data].load).bind(**given)
            assert source.path is not None or not LOADERS[data].needs_path
        elif not data.endswith((".npz", "-epo.fif")):
            inspect.signature(load_recordings).bind(data, **given)
        return few_trials

    # CCNN has six million parameters, and the recurrent networks are slow.
    for network in (skeeg.CCNNClassifier, skeeg.CNNLSTMClassifier, skeeg.CNNGRUClassifier):
        defaults = network.__init__.__wrapped__.__kwdefaults__
        for name in {"n_filters", "n_hidden", "n_first_units", "n_second_units"} & set(defaults):
            monkeypatch.setitem(defaults, name, 4)
    monkeypatch.setattr(cli.commands, "load", load)
    monkeypatch.setattr(cli.search, "load", load)
    monkeypatch.setattr(cli.commands, "load_baseline", lambda *options: None)
    # What the command writes is tested in test_cli.py; its figures take longer than all the rest.
    monkeypatch.setattr(cli.commands, "write", lambda comparison, out: [str(comparison.save(out))])


@pytest.mark.parametrize(
    ("page", "command"),
    [
        pytest.param(
            *found, marks=[pytest.mark.slow] * any(option in found[1] for option in SLOW_OPTIONS)
        )
        for found in commands()
    ],
)
def test_commands_run(page, command, loader, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if command.startswith("pip install -c constraints.txt "):
        assert command in (ROOT / ".ci" / "run").read_text()  # which runs it
        return
    program, *arguments = shlex.split(command)
    assert program == "skeeg", f"no test runs {command!r}"
    for _, note, text, _, _ in blocks(next(p for p in PAGES if p.stem == page), {"toml"}):
        Path(note.removeprefix("file ")).write_text(text, encoding="utf-8")
    quick = ["--epochs", "1", "--n-jobs", "1"] if arguments[0] in ("compare", "search") else []
    quick += ["--trials", "2", "--cv", "2"] if arguments[0] == "search" else []
    result = CliRunner().invoke(cli.app, arguments + quick)
    assert result.exit_code == 0, result.output
    if arguments[0] == "compare" and "--help" not in arguments:
        out = arguments[arguments.index("--out") + 1] if "--out" in arguments else "skeeg-results"
        assert (tmp_path / out / "scores.csv").exists()


def test_readme_shows_the_two_commands_of_ci():
    readme = (ROOT / "README.md").read_text()
    for command in (
        "pip install -c constraints.txt . && skeeg compare",
        "pip install -c constraints.txt -e '.[test]' && pytest",
    ):
        assert f"\n{command}\n" in readme
        assert command in (ROOT / ".ci" / "run").read_text()


# ---------------------------------------------------------------------- docstrings


def modules():
    """Return the modules of the package whose docstrings have examples."""
    names = [info.name for info in pkgutil.walk_packages(skeeg.__path__, "skeeg.")]
    return [
        name
        for name in ["skeeg", *sorted(names)]
        if ">>> " in Path(importlib.util.find_spec(name).origin).read_text(encoding="utf-8")
    ]


@pytest.mark.parametrize("name", modules())
@pytest.mark.timeout(180)
def test_docstring_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testmod(importlib.import_module(name), optionflags=options)
    assert result.failed == 0


# ---------------------------------------------------------------------- gallery


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.slow] * (path.stem in SLOW_GALLERY))
        for path in GALLERY
    ],
)
@pytest.mark.timeout(240)
def test_gallery_scripts_run(script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with contextlib.redirect_stdout(io.StringIO()):
        runpy.run_path(str(script), run_name="__main__")


# ---------------------------------------------------------------------- figures, lists and links


def test_the_figure_of_the_readme_is_made_by_its_own_code():
    script = (ROOT / "docs" / "images" / "compare.py").read_text()
    (code,) = [
        text
        for _, _, text, _, _ in blocks(ROOT / "README.md", {"python"})
        if "skeeg.compare(" in text
    ]
    assert code.removeprefix("import skeeg\n") in script.replace(_SAVING, "")
    assert "docs/images/compare.py" in (ROOT / "README.md").read_text()
    assert (ROOT / "docs" / "images" / "compare.png").read_bytes().startswith(b"\x89PNG")


def makes_pipeline(name):
    """Whether a public name of the baselines is a function that returns a pipeline."""
    function = getattr(skeeg.baselines, name)
    return name.islower() and inspect.signature(function).return_annotation == "Pipeline"


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("README.md", [*MODELS, *LOADERS]),
        ("README.md", [name for name in skeeg.baselines.__all__ if makes_pipeline(name)]),
        ("docs/user_guide/data.md", LOADERS),
        ("docs/user_guide/comparing.md", MODELS),
    ],
)
def test_pages_list_the_whole_registry(page, names):
    text = (ROOT / page).read_text()
    missing = [name for name in names if f"`{name}`" not in text]
    assert not missing


def test_api_page_lists_every_public_name():
    reference = runpy.run_path(str(ROOT / "docs" / "_extensions" / "skeeg_reference.py"))
    listed = set(reference["reference"]().split())
    for module in PUBLIC_MODULES:
        public = getattr(getattr(skeeg, module), "__all__", [])
        names = [name for name in public if name not in skeeg.__all__]
        missing = [name for name in names if f"{module}.{name}" not in listed]
        assert not missing, f"skeeg.{module}"
    assert {name for name in skeeg.__all__ if name not in PUBLIC_MODULES} - listed == {
        "__version__"
    }


def rows_of_table(text, *header):
    """Return the rows of the first Markdown table that begins with these columns."""
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(f"| {' | '.join(header)} |"):
            break
    else:
        pytest.fail(f"There is no table with {header}.")
    next(lines)
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_speed_in_the_readme_is_that_of_the_measured_table():
    networks = ("EEGNet", "ShallowConvNet", "DeepConvNet")
    page = (ROOT / "benchmarks" / "results" / "speed.md").read_text()
    measured = rows_of_table(page.split("## Training")[1], "threads", "network", "trials")
    expected = {
        (network, trials): re.match(r"\*\*([\d.,]+)\*\*", ratio)[1]
        for threads, network, trials, _, _, ratio, *_ in measured
        if threads == "1" and network in networks
    }
    shown = {
        (network, trials): ratio
        for trials, *ratios in rows_of_table((ROOT / "README.md").read_text(), "trials", *networks)
        for network, ratio in zip(networks, ratios, strict=True)
    }
    assert shown == expected


def test_what_a_test_subject_lends_is_that_of_the_results():
    results = (ROOT / "benchmarks" / "results" / "real_eeg.md").read_text()
    of_study = {
        title.splitlines()[0]: {
            name: mean.strip("*") for name, mean, *_ in rows_of_table(title, "model", "mean")
        }
        for title in results.split("\n## ")[1:]
    }
    honest, transductive = (scores for title, scores in of_study.items() if "by entropy" in title)
    expected = [
        honest["entropy + SVM"],
        honest["entropy + SVM, scaled over trials"],
        transductive["entropy + SVM"],
    ]
    page = (ROOT / "docs" / "user_guide" / "leakage.md").read_text()
    assert [row[1] for row in rows_of_table(page, "standardised by", "accuracy")] == expected


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_within_the_repository_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if re.match(r"[a-z]+:", target) or "auto_examples" in target:
            continue
        assert (page.parent / target).exists(), target


def test_docs_configuration_compiles():
    conf = ROOT / "docs" / "conf.py"
    compile(conf.read_text(), str(conf), "exec")
    version = subprocess.run(
        [sys.executable, "-c", "import skeeg, sys; sys.exit('torch' in sys.modules)"], check=False
    )
    assert version.returncode == 0
