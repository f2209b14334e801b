"""Imports lead one way: a module of evaluation imports those before it, plotting none of them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import skeeg

ROOT = Path(skeeg.__file__).parent
EVALUATION = (
    *("environment", "references", "statistics", "metrics", "about", "inference", "tables"),
    *("methods_text", "tasks", "scoring", "isolation", "fold", "_parallel", "frames", "store"),
    *("files", "comparison_statistics", "report", "comparison", "compare"),
)


def imported(path):
    """Return (level, module) of each relative import, those for type checkers left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    return [
        (node.level, node.module or "")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]


def test_the_order_names_every_module():
    folder = ROOT / "evaluation"
    modules = {path.stem for path in folder.glob("*.py")}
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    assert modules | packages == {"__init__", *EVALUATION}


@pytest.mark.parametrize("name", EVALUATION)
def test_evaluation_imports_what_comes_before(name):
    module = ROOT / "evaluation" / f"{name}.py"
    files = [(module, 1)]
    if not module.exists():  # a package, whose modules import evaluation one level further up
        files = [(path, 2) for path in module.with_suffix("").glob("*.py")]
    for path, of_evaluation in files:
        found = imported(path)
        own = [inner.partition(".")[0] for level, inner in found if level == of_evaluation]
        assert set(own) <= set(EVALUATION[: EVALUATION.index(name)])
        above = [inner for level, inner in found if level == of_evaluation + 1]
        assert not [inner for inner in above if inner.startswith("cli")]


@pytest.mark.parametrize("path", sorted((ROOT / "plotting").glob("*.py")), ids=lambda p: p.stem)
def test_plotting_knows_nothing_of_evaluation(path):
    above = ("evaluation", "cli")
    assert not [module for level, module in imported(path) if level == 2 and module in above]
