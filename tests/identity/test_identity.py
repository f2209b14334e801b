"""Keys differ where a result may, and nowhere else; they are the same in every process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from joblib import Parallel, delayed

import skeeg
from skeeg import all_estimators
from skeeg._identity import Cloned, Unidentifiable, identify
from skeeg.models import MODELS, build_model

CASES = Path(__file__).with_name("cases.py")
EVERY_ESTIMATOR = """
import json, sys
from skeeg import all_estimators
from skeeg._identity import Cloned, identify
from skeeg.models import MODELS, build_model
made = {name: kind() for name, kind in all_estimators()}
made |= {name: build_model(name, sfreq=128.0) for name in MODELS}
json.dump({name: identify(Cloned(value)) for name, value in made.items()}, sys.stdout)
"""


def ran(*arguments, seed, **options):
    environment = os.environ | {"PYTHONHASHSEED": str(seed)}
    environment["PYTHONPATH"] = str(Path(skeeg.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, **options
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def keys():
    """The keys of all cases, from two processes."""
    return [ran(str(CASES), seed=seed) for seed in (1, 2)]


def test_every_change_is_told_apart(keys):
    changes, _ = keys[0]
    alike = [name for name, found in changes.items() if len(set(found)) < len(found)]
    assert alike == []
    assert sum(len(found) - 1 for found in changes.values()) >= 60


def test_what_changes_no_result_is_found_again(keys):
    _, same = keys[0]
    assert [name for name, found in same.items() if len(set(found)) > 1] == []


def test_keys_are_the_same_in_another_process(keys):
    (first, same), (again, same_again) = keys
    assert [name for name in first if first[name] != again[name]] == []
    assert same == same_again
    assert len(first) + len(same) >= 20


@pytest.mark.slow
def test_every_estimator_of_skeeg_is_found_again():
    first, again = (ran("-c", EVERY_ESTIMATOR, seed=seed) for seed in (1, 2))
    assert [name for name in first if first[name] != again[name]] == []
    assert len(first) == len(all_estimators()) + len(MODELS)
    classes = [name for name, _ in all_estimators()]  # a model may be one of them by another name
    assert len({first[name] for name in classes}) == len(classes)


def test_a_class_without_source_is_told_apart_by_its_code():
    script = (
        "import json, sys; from sklearn.base import BaseEstimator\n"
        "from skeeg._identity import Cloned, identify\n"
        "class Own(BaseEstimator):\n    def fit(self, X, y): return self.a + {n}\n"
        "json.dump(identify(Cloned(Own())), sys.stdout)"
    )
    one, again, two = (
        ran("-c", script.format(n=n), seed=seed) for n, seed in ((1, 1), (1, 2), (2, 1))
    )
    assert one == again != two


def test_source_edited_after_its_import_does_not_count(tmp_path, monkeypatch):
    file = tmp_path / "edited_module.py"
    file.write_text("def f(X):\n    return X + 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    import edited_module

    before = identify(edited_module.f)
    file.write_text("def f(X):\n    return X + 2\n")
    assert identify(edited_module.f) == before
    del sys.modules["edited_module"]
    (tmp_path / "__pycache__").exists() and [
        p.unlink() for p in (tmp_path / "__pycache__").iterdir()
    ]
    import edited_module as again

    assert identify(again.f) != before


def test_keys_do_not_change_in_a_worker_or_by_a_fit():
    class Own:
        def __init__(self, amount):
            self.amount = amount

        def add(self, X):
            return np.add(X, self.amount)

    values = [Cloned(build_model("eegnet", sfreq=128.0)), Own(1), Own(1).add, lambda X: Own(X)]
    here = [identify(value) for value in values]
    there = Parallel(n_jobs=2)(delayed(identify)(value) for value in values)
    assert there == here


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_versions_of_packages_count_with_what_they_need(monkeypatch, version):
    from sklearn.svm import SVC

    from skeeg._identity import packages

    before = identify(Cloned(SVC()))
    real = packages.importlib.metadata.distribution

    def changed(name):
        found = real(name)
        if name.lower() != "threadpoolctl":
            return found
        return types.SimpleNamespace(version=version, requires=found.requires)

    packages.versions_of.cache_clear()
    monkeypatch.setattr(packages.importlib.metadata, "distribution", changed)
    try:
        assert identify(Cloned(SVC())) != before
    finally:
        monkeypatch.undo()
        packages.versions_of.cache_clear()
    assert identify(Cloned(SVC())) == before


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: sys.__stderr__, "TextIOWrapper"),
        (lambda: (i for i in range(3)), "generator"),
        (lambda: np.frompyfunc(lambda X: X, 1, 1), "compiled function"),
        (lambda: eval("lambda X: eval('X + 1')"), "eval"),
    ],
)
def test_what_cannot_be_identified_is_named(make, named):
    with pytest.raises(Unidentifiable, match=named):
        identify({"function": make()})


def test_deep_nesting_and_circles_are_read():
    nested: list = []
    for _ in range(5_000):
        nested = [nested]
    nested_again = nested[0]
    assert identify(nested) != identify(nested_again)
    one, two = [1], [1]
    one.append(one)
    two.append([1, two][1])
    assert identify(one) == identify(two) != identify([1, [1]])
