"""Classes of parameters: their constructor, its signature, and the docstring that fields make."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

import pytest

import skeeg
from skeeg._parameters import (
    Parameters,
    compose,
    describe_parameters,
    ordered_fields,
    parameter,
    parameter_names,
    split_sections,
)


class Shared(Parameters):
    """Parameters that two classes have."""

    rate: float = parameter(default=0.1, doc="The learning rate.")
    name: str | None = parameter(default=None, kind='{"a", "b"}', doc="A name.")


class Model(Shared):
    """A model.

    It has a second paragraph.

    Notes
    -----
    A note.

    Examples
    --------
    >>> Model(3).width
    3
    """

    width: int = parameter(doc="The width.", kw_only=False)
    depth: int = parameter(default=2, doc="The depth.")
    rate: float = parameter(default=0.5)


def signature(cls):
    return {name: p.default for name, p in inspect.signature(cls).parameters.items()}


# ---------------------------------------------------------------------- the constructor


def test_values_become_attributes_and_the_rest_takes_its_default():
    model = Model(3, depth=4)
    assert (model.width, model.depth, model.rate, model.name) == (3, 4, 0.5, None)
    assert Model(width=3).depth == 2


def test_only_some_can_be_passed_by_position():
    with pytest.raises(TypeError, match="positional argument"):
        Model(3, 4)


def test_a_parameter_without_a_default_is_required():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'width'"):
        Model()


def test_a_misspelt_parameter_is_refused():
    with pytest.raises(TypeError, match="unexpected keyword argument 'dept'"):
        Model(3, dept=4)


def test_the_signature_has_positional_parameters_then_own_ones_then_inherited_ones():
    assert signature(Model) == {
        "width": inspect.Parameter.empty,
        "depth": 2,
        "rate": 0.5,
        "name": None,
    }
    kinds = [p.kind for p in inspect.signature(Model).parameters.values()]
    assert kinds == [inspect.Parameter.POSITIONAL_OR_KEYWORD] + [inspect.Parameter.KEYWORD_ONLY] * 3
    assert parameter_names(Model) == list(signature(Model))


def test_the_signature_has_the_annotations():
    parameters = inspect.signature(Model).parameters
    assert parameters["width"].annotation == "int"
    assert parameters["name"].annotation == "str | None"


def test_bases_come_in_the_order_of_inheritance():
    class Other(Parameters):
        size: int = parameter(default=1, doc="A size.")
        first: int = parameter(doc="Comes first.", kw_only=False)

    class Both(Shared, Other):
        pass

    assert parameter_names(Both) == ["first", "rate", "name", "size"]
    assert Both(7).first == 7


def test_a_base_keeps_its_own_defaults():
    assert Shared().rate == 0.1
    assert signature(Shared) == {"rate": 0.1, "name": None}


def test_class_variables_are_not_parameters():
    class WithConstant(Shared):
        table: ClassVar[dict[str, int]] = {"a": 1}

    assert parameter_names(WithConstant) == ["rate", "name"]


def test_a_private_attribute_never_becomes_a_parameter():
    with pytest.raises(TypeError, match=r"Private\._seed is annotated.*ClassVar"):

        class Private(Shared):
            _seed: int | None = None

    class Plain(Shared):
        _seed = None
        _count: ClassVar[int] = 0

    assert parameter_names(Plain) == ["rate", "name"]


@pytest.mark.parametrize("cls", [cls for _, cls in skeeg.all_estimators()])
def test_no_estimator_has_a_private_parameter(cls):
    names = inspect.signature(cls.__init__).parameters
    assert not [name for name in names if name.startswith("_")]


def test_a_class_may_write_its_own_constructor():
    class Fixed(Model):
        """A model of one width."""

        def __init__(self, *, depth=9):
            super().__init__(1, depth=depth)

    assert (Fixed().width, Fixed().depth, Fixed(depth=3).depth) == (1, 9, 3)


def test_a_constructor_that_a_class_wrote_is_inherited():
    class Fixed(Model):
        def __init__(self, *, depth=9):
            super().__init__(1, depth=depth)

    class Derived(Fixed):
        """Adds nothing."""

    class Extended(Fixed):
        """Has a field more, for which it needs a constructor of its own."""

        size: int = parameter(default=5, doc="A size.")

    assert (Derived().width, Derived().depth) == (1, 9)
    assert (Extended(2).width, Extended(2).depth, Extended(2, size=3).size) == (2, 2, 3)


def test_objects_are_equal_to_themselves_only_and_can_be_copied_and_pickled():
    model = Model(3, name="a")
    assert model != Model(3, name="a")
    assert len({model, Model(3, name="a")}) == 2
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert vars(other) == vars(model) == {"width": 3, "depth": 2, "rate": 0.5, "name": "a"}


# ---------------------------------------------------------------------- the docstring


def test_the_docstring_describes_each_parameter_before_its_other_sections():
    assert Model.__doc__ == (
        "A model.\n"
        "\n"
        "It has a second paragraph.\n"
        "\n"
        "Parameters\n"
        "----------\n"
        "width : int\n"
        "    The width.\n"
        "depth : int, default=2\n"
        "    The depth.\n"
        "rate : float, default=0.5\n"
        "    The learning rate.\n"
        'name : {"a", "b"}, optional\n'
        "    A name.\n"
        "\n"
        "Notes\n"
        "-----\n"
        "A note.\n"
        "\n"
        "Examples\n"
        "--------\n"
        ">>> Model(3).width\n"
        "3\n"
    )


def test_a_class_without_a_docstring_has_none():
    class Silent(Model):
        pass

    assert Silent.__doc__ is None
    assert describe_parameters(Silent) == describe_parameters(Model)


def test_a_field_without_a_text_inherits_that_of_the_nearest_base_that_has_one():
    class Middle(Model):
        rate: float = parameter(default=0.7, doc="Another text.")

    class Last(Middle):
        rate: float = parameter(default=0.9)
        name: str | None = parameter(default="b")

    texts = {field.name: field.metadata["doc"] for field in ordered_fields(Last)}
    assert texts["rate"] == "Another text."
    assert texts["name"] == "A name."
    assert Last(1).rate == 0.9
    assert 'name : {"a", "b"}, default="b"\n' in describe_parameters(Last)


def test_long_texts_are_wrapped_and_hyphens_are_not_broken():
    class Long(Parameters):
        size: int = parameter(default=1, doc="map-electrode " * 20)

    lines = describe_parameters(Long).splitlines()
    assert all(len(line) <= 99 for line in lines)
    assert all(word == "map-electrode" for line in lines[1:] for word in line.split())


class Kinds(Parameters):
    """Types as docstrings write them."""

    count: int | None = parameter(default=None)
    length: int | Literal["auto"] = parameter(default="auto")
    choice: Literal["a", "b"] = parameter(default="a")
    sizes: Sequence[int] = parameter(default=(1, 2))
    function: Callable[[int], int] | None = parameter(default=None)
    kind: type = parameter(default=int)
    ratio: float | None = parameter(default=0.5)


def test_types_are_written_as_in_numpydoc():
    heads = [line for line in describe_parameters(Kinds).splitlines() if " : " in line]
    assert heads == [
        "count : int, optional",
        'length : int or "auto", default="auto"',
        'choice : {"a", "b"}, default="a"',
        "sizes : sequence of int, default=(1, 2)",
        "function : callable, optional",
        "kind : type, default=int",
        "ratio : float, default=0.5",
    ]


def test_types_need_not_be_strings():
    """As in a module without the import of annotations from the future."""
    fields = {"__annotations__": {"size": int, "ratio": float | None}}
    fields |= {"size": parameter(default=3), "ratio": parameter(default=None)}
    heads = describe_parameters(type("Plain", (Parameters,), fields)).split()
    assert " ".join(heads) == "size : int, default=3 ratio : float, optional"


# ---------------------------------------------------------------------- sections


def test_sections_come_by_their_title_without_indentation():
    doc = """A title.

    Some text,
    on two lines.

    Raises
    ------
    ValueError
        If it is wrong.

    See Also
    --------
    other : Another one.
    """
    assert split_sections(doc) == {
        "": "A title.\n\nSome text,\non two lines.",
        "Raises": "ValueError\n    If it is wrong.",
        "See Also": "other : Another one.",
    }


def test_a_docstring_of_one_line_has_no_sections():
    assert split_sections("A title.") == {"": "A title."}
    assert compose("A title.", {}) == "A title.\n"


def test_tables_are_not_sections():
    doc = "A title.\n\n======  ====\nlayer   what\n======  ====\nnorm    it\n======  ====\n"
    assert list(split_sections(doc)) == [""]


def test_sections_are_put_in_the_order_of_numpydoc():
    doc = compose(
        "A title.\n\nExamples\n--------\n>>> 1\n\nOwn Section\n-----------\nt\n\nNotes\n-----\nn\n",
        {"Attributes": "classes_ : ndarray", "Parameters": "a : int", "Raises": ""},
    )
    titles = ["", "Parameters", "Attributes", "Notes", "Examples", "Own Section"]
    assert list(split_sections(doc)) == titles


def test_a_section_that_is_there_already_stays():
    doc = "A title.\n\nNotes\n-----\nmine\n"
    assert split_sections(compose(doc, {"Notes": "theirs"}))["Notes"] == "mine"


def test_composing_twice_changes_nothing():
    sections = {"Parameters": "a : int\n    A number."}
    once = compose("A title.\n\nNotes\n-----\nn\n", sections)
    assert compose(once, sections) == once
