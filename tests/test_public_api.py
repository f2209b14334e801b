"""The public names: lazy, complete, and documented."""

import inspect
import re
import subprocess
import sys

import pytest

import skeeg


def run(script):
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


def test_import_loads_neither_torch_nor_mne():
    heavy = "{'torch', 'mne', 'sklearn', 'pandas', 'matplotlib', 'moabb'}"
    assert run(f"import sys, skeeg; print(sorted({heavy} & set(sys.modules)))") == "[]"


def test_dir_lists_all_public_names_before_they_are_loaded():
    names = run("import skeeg; print(*dir(skeeg))").split()
    assert set(skeeg.__all__) <= set(names)
    assert "EEGNetClassifier" in names


def test_every_public_name_loads_and_is_documented():
    for name in skeeg.__all__:
        value = getattr(skeeg, name)
        if name != "__version__":
            assert inspect.getdoc(value), name


def test_names_for_editors_are_the_names_at_run_time():
    # Those of estimators are imported as a whole from there.
    source = inspect.getsource(skeeg) + inspect.getsource(skeeg.estimators)
    declared = "".join(re.findall(r"if TYPE_CHECKING.*?\n(?=\S)", source, re.DOTALL))
    for name in {*skeeg.__all__, *skeeg.estimators.__all__}:
        assert name == "__version__" or re.search(rf"\b{name}\b", declared), name


def test_the_list_of_estimators_has_both_tasks_of_every_network():
    assert set(skeeg.estimators.__all__) == set(skeeg.estimators._HOMES)
    assert skeeg.estimators.__all__ == sorted(skeeg.estimators.__all__)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="EEGNett"):
        skeeg.EEGNett  # noqa: B018


def test_all_estimators_lists_classifiers_and_transformers_by_name():
    everything = skeeg.all_estimators()
    assert everything == sorted(everything)
    names = {name for name, _ in everything}
    assert {"EEGNetClassifier", "BandPower", "ModuleClassifier"} <= names
    kinds = [skeeg.all_estimators(kind) for kind in ("classifier", "regressor", "transformer")]
    assert sorted(pair for pairs in kinds for pair in pairs) == everything
    assert all(name == cls.__name__ for name, cls in everything)


def test_all_estimators_are_filtered_by_type_as_in_scikit_learn():
    classifiers, transformers = map(skeeg.all_estimators, ("classifier", "transformer"))
    assert skeeg.all_estimators(type_filter=["classifier"]) == classifiers
    both = skeeg.all_estimators(type_filter=["transformer", "classifier"])
    assert both == sorted(classifiers + transformers)
    assert skeeg.all_estimators([]) == []
    for unknown in ("cluster", "classifer", ["classifier", "cluster"], [None]):
        with pytest.raises(ValueError, match="type_filter must be one of 'classifier', 'regres"):
            skeeg.all_estimators(unknown)
    with pytest.raises(ValueError, match="Did you mean 'classifier'"):
        skeeg.all_estimators("classifer")


@pytest.mark.parametrize(("name", "cls"), skeeg.all_estimators())
def test_docstring_describes_every_parameter(name, cls):
    described = inspect.getdoc(cls)
    for parameter in inspect.signature(cls).parameters:
        assert f"{parameter}" in described.split("Attributes\n")[0], (name, parameter)
