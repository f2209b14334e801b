"""Docstrings of estimators, put together from those of their parts."""

from __future__ import annotations

import inspect
import re
from typing import Any

from .._parameters import describe_parameters, parameter_names, split_sections
from .._validation import SIGNALS, TrialAxes
from ._training_parameters import SKORCH_PARAMETERS


def estimator_sections(cls: Any) -> dict[str, str]:
    """Return the sections that the docstring of an estimator takes from elsewhere.

    Parameters
    ----------
    cls : type
        A class of estimators.

    Returns
    -------
    sections : dict of str to str
        Parameters from the typed fields; attributes from the class and the classes it is derived
        from; the references of the network, and a link to it.
    """
    sections = {"Parameters": f"{describe_parameters(cls)}\n{SKORCH_PARAMETERS}"}
    axes = cls._trial_axes if isinstance(cls._trial_axes, TrialAxes) else SIGNALS
    shape = ", ".join(f"{name}_" for name in axes.names)
    attributes = [f"{shape} : int\n    Shape of a trial in `fit`."]
    if "module" in parameter_names(cls):
        attributes.insert(0, "module_ : torch.nn.Module\n    The trained network.")
    elif inspect.isclass(cls.module):
        name = f"{cls.module.__module__.rpartition('.')[0]}.{cls.module.__name__}"
        attributes.insert(0, f"module_ : {name}\n    The trained network.")
        network = split_sections(cls.module.__doc__ or "")
        sections["References"] = network.get("References", "")
        sections["See Also"] = f"{name} : The network, with its layers and their shapes."
    return sections | {"Attributes": "\n".join([*attributes, *_inherited_attributes(cls)])}


def _inherited_attributes(cls: type) -> list[str]:
    """Return the entries of the sections "Attributes" of a class and its bases, each once."""
    entries: dict[str, str] = {}
    for base in cls.__mro__:
        if hasattr(base, "__dataclass_fields__"):
            text = split_sections(base.__doc__ or "").get("Attributes", "")
            for entry in filter(None, re.split(r"\n(?=\S)", text)):
                entries.setdefault(entry.partition(" :")[0], entry)
    return list(entries.values())
