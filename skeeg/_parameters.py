"""Parameters of networks and estimators, each written once: its type, its default and its text.

A class of parameters lists them as typed fields::

    class EEGNetParameters(Parameters):
        kernel_length: int | None = parameter(default=None, doc="Length of the temporal filters.")

Every class derived from `Parameters` gets an ``__init__`` with the fields of its bases and its own
(a standard dataclass, see PEP 681 for type checkers and editors), unless it writes or inherits
another one, and a "Parameters" section in its docstring. A network and its estimators inherit the
same class of parameters, so that they cannot differ.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
from typing import Any, dataclass_transform

_SECTION = re.compile(r"^([A-Z][A-Za-z ]+)\n-{3,}$", re.MULTILINE)

#: The order of numpydoc.
_ORDER = (
    "Parameters",
    "Attributes",
    "Raises",
    "Warns",
    "See Also",
    "Notes",
    "References",
    "Examples",
)


def parameter(
    *, default: Any = dataclasses.MISSING, doc: str = "", kind: str = "", kw_only: bool = True
) -> Any:
    """Describe a field of a class of parameters.

    Parameters
    ----------
    default : object, optional
        Its default value. Without one, the argument is required.
    doc : str
        What the parameter means. A field that only changes the default of an inherited one leaves
        it out and keeps the inherited text.
    kind : str
        Its type as the docstring shows it; derived from the annotation when left out.
    kw_only : bool, default=True
        Whether it can only be passed by name.

    Returns
    -------
    field : dataclasses.Field
    """
    return dataclasses.field(default=default, kw_only=kw_only, metadata={"doc": doc, "kind": kind})


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(parameter,))
class Parameters:
    """Base of classes whose constructor takes typed fields, see the module's docstring."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        doc = vars(cls).get("__doc__")
        _refuse_private_fields(cls)
        _inherit_text(cls)
        needs_init = not _has_written_init(cls)
        dataclasses.dataclass(cls, init=needs_init, kw_only=True, eq=False, repr=False)
        if needs_init:
            _order_signature(cls)
        # Without a docstring, a dataclass has put its signature there.
        cls.__doc__ = doc and compose(doc, cls._docstring_sections())

    @classmethod
    def _docstring_sections(cls) -> dict[str, str]:
        """Return the sections that the docstring of a class takes from elsewhere."""
        return {"Parameters": describe_parameters(cls)}


def _has_written_init(cls: type) -> bool:
    """Tell whether a class writes its own constructor, or adds no field to one that does."""
    owner = next(base for base in cls.__mro__ if "__init__" in vars(base))
    is_generated = getattr(owner.__init__, "_generated_for", None) is owner  # type: ignore[misc]
    if is_generated or not issubclass(owner, Parameters):
        return False
    return owner is cls or not inspect.get_annotations(cls)


def _refuse_private_fields(cls: type) -> None:
    """Raise for an annotated private attribute, which would become a parameter of the class."""
    for name, annotation in inspect.get_annotations(cls).items():
        if name.startswith("_") and "ClassVar" not in str(annotation):
            raise TypeError(
                f"{cls.__name__}.{name} is annotated, so that it would be a parameter. Annotate it "
                "as a ClassVar, or not at all."
            )


def _inherit_text(cls: type) -> None:
    """Give fields without a text that of the inherited field of the same name."""
    for name in inspect.get_annotations(cls):
        field = vars(cls).get(name)
        fields = (getattr(base, "__dataclass_fields__", {}) for base in cls.__mro__[1:])
        known = next((inherited[name] for inherited in fields if name in inherited), None)
        if not isinstance(field, dataclasses.Field) or known is None:
            continue
        text = {key: value or known.metadata.get(key, "") for key, value in field.metadata.items()}
        replaced = parameter(default=field.default, kw_only=bool(field.kw_only), **text)
        setattr(cls, name, replaced)


def _order_signature(cls: type) -> None:
    """List the fields in the signature as `ordered_fields` does: a network's own before others."""
    init: Any = cls.__init__  # type: ignore[misc]
    signature = inspect.signature(init)
    names = ["self", *(field.name for field in ordered_fields(cls))]
    init.__signature__ = signature.replace(parameters=[signature.parameters[n] for n in names])
    init._generated_for = cls


def parameter_names(cls: type) -> list[str]:
    """Return the names of the fields of a class of parameters, in the order of its signature.

    Parameters
    ----------
    cls : type
        Derived from `Parameters`.

    Returns
    -------
    names : list of str
    """
    return [field.name for field in ordered_fields(cls)]


def ordered_fields(cls: type) -> list[dataclasses.Field[Any]]:
    """Return the fields of a class: positional ones, then those of the most derived bases.

    Parameters
    ----------
    cls : type
        Derived from `Parameters`.

    Returns
    -------
    fields : list of dataclasses.Field
    """
    fields = {field.name: field for field in dataclasses.fields(cls)}
    ordered = {name: field for name, field in fields.items() if not field.kw_only}
    for base in cls.__mro__:
        ordered |= {name: fields[name] for name in inspect.get_annotations(base) if name in fields}
    return list(ordered.values())


def describe_parameters(cls: type) -> str:
    """Return the entries of the "Parameters" section of a class.

    Parameters
    ----------
    cls : type
        Derived from `Parameters`.

    Returns
    -------
    text : str
    """
    return "\n".join(_entry(field) for field in ordered_fields(cls))


def _entry(field: dataclasses.Field[Any]) -> str:
    kind = field.metadata.get("kind") or _kind(field.type)
    if field.default is None and not kind.endswith("None"):
        kind += ", optional"
    elif field.default is not dataclasses.MISSING:
        kind += f", default={_shown(field.default)}"
    text = textwrap.fill(
        " ".join(field.metadata.get("doc", "").split()), 95, break_on_hyphens=False
    )
    return f"{field.name} : {kind}\n{textwrap.indent(text, '    ')}"


def _shown(default: Any) -> str:
    return (
        f'"{default}"' if isinstance(default, str) else getattr(default, "__name__", repr(default))
    )


def _kind(annotation: object) -> str:
    """Return an annotation in the words of a docstring."""
    words = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    words = re.sub(r" \| None$", "", words)
    words = re.sub(r"Literal\[(.*?)\]", lambda match: "{" + match[1].replace("'", '"') + "}", words)
    words = re.sub(r"Sequence\[(\w+)\]", r"sequence of \1", words)
    words = re.sub(r"Callable\[.*\]", "callable", words)
    words = re.sub(r'\{("[^,]*")\}', r"\1", words)
    return words.replace(" | ", " or ")


def compose(doc: str, sections: dict[str, str]) -> str:
    """Return a docstring with further sections, in the order of numpydoc.

    Parameters
    ----------
    doc : str
        A docstring with or without sections.
    sections : dict of str to str
        The text of each section to add. A section that the docstring has stays as it is.

    Returns
    -------
    doc : str
    """
    parts = split_sections(doc)
    for title, text in sections.items():
        if text:
            parts.setdefault(title, text)
    titles = [title for title in _ORDER if title in parts]
    titles += [title for title in parts if title and title not in _ORDER]
    body = [f"{title}\n{'-' * len(title)}\n{parts[title]}" for title in titles]
    return "\n\n".join([parts[""], *body]) + "\n"


def split_sections(doc: str) -> dict[str, str]:
    """Return the sections of a numpydoc docstring by title; what precedes them has the title "".

    Parameters
    ----------
    doc : str

    Returns
    -------
    sections : dict of str to str
        Without indentation.
    """
    pieces = _SECTION.split(inspect.cleandoc(doc))
    sections = {"": pieces[0].strip()}
    for title, text in zip(pieces[1::2], pieces[2::2], strict=True):
        sections[title] = text.strip("\n")
    return sections
