"""Imports lead one way: a module of evaluation imports those before it, plotting none of them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import skeeg

ROOT = Path(skeeg.__file__).parent
EVALUATION = (
    *("environment", "repeat", "statistics", "metrics", "about", "tasks", "scoring"),
    *("isolation", "fold", "_parallel", "frames", "store", "files"),
    *("inference", "tables", "references", "methods_text", "figure_files", "report"),
    *("comparison_statistics", "comparison_figures", "comparison", "compare"),
)


def files_of(name):
    """Return the files of a module or a package, with the level at which it imports modules."""
    folder = ROOT / "evaluation" / name
    if folder.is_dir():
        return [(path, 2) for path in folder.glob("*.py")]
    return [(folder.with_suffix(".py"), 1)]


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
    modules = {path.stem for path in (ROOT / "evaluation").glob("*.py")}
    modules |= {path.parent.name for path in (ROOT / "evaluation").glob("*/__init__.py")}
    assert modules == {"__init__", *EVALUATION}


@pytest.mark.parametrize("name", EVALUATION)
def test_evaluation_imports_what_comes_before(name):
    for path, level in files_of(name):
        found = imported(path)
        own = [module.partition(".")[0] for at, module in found if at == level]
        assert set(own) <= set(EVALUATION[: EVALUATION.index(name)])
        assert not [module for at, module in found if at == level + 1 and module.startswith("cli")]


@pytest.mark.parametrize("path", sorted((ROOT / "plotting").glob("*.py")), ids=lambda p: p.stem)
def test_plotting_knows_nothing_of_evaluation(path):
    above = ("evaluation", "cli")
    assert not [module for level, module in imported(path) if level == 2 and module in above]
