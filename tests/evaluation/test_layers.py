"""Imports lead one way: a module of evaluation imports those before it, plotting none of them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import skeeg

ROOT = Path(skeeg.__file__).parent
EVALUATION = (
    *(
        "environment",
        "statistics",
        "metrics",
        "about",
        "tasks",
        "scoring",
        "isolation",
        "fold",
        "_parallel",
        "frames",
    ),
    *("store", "files", "report", "comparison", "compare"),
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
    modules = {path.stem for path in (ROOT / "evaluation").glob("*.py")}
    assert modules == {"__init__", *EVALUATION}


@pytest.mark.parametrize("name", EVALUATION)
def test_evaluation_imports_what_comes_before(name):
    found = imported(ROOT / "evaluation" / f"{name}.py")
    own = [module for level, module in found if level == 1]
    assert set(own) <= set(EVALUATION[: EVALUATION.index(name)])
    assert not [module for level, module in found if level == 2 and module.startswith("cli")]


@pytest.mark.parametrize("path", sorted((ROOT / "plotting").glob("*.py")), ids=lambda p: p.stem)
def test_plotting_knows_nothing_of_evaluation(path):
    above = ("evaluation", "cli")
    assert not [module for level, module in imported(path) if level == 2 and module in above]
