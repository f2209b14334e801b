"""The reference page, whose lists of networks and estimators are read from the packages.

A line ``   @skeeg.networks`` in its template stands for the public names of ``skeeg.networks``.
"""

import importlib
import re
from pathlib import Path

TEMPLATE = Path(__file__).parents[1] / "_templates" / "api.rst.in"


def reference():
    """Return the text of the page with the names that its ``@`` lines stand for."""
    text = TEMPLATE.read_text(encoding="utf-8")
    return re.sub(r"^   @skeeg\.(\w+)$", lambda match: names_of(match[1]), text, flags=re.MULTILINE)


def names_of(package):
    """Return the lines that list the public names of a package."""
    module = importlib.import_module(f"skeeg.{package}")
    # Estimators are names of skeeg itself.
    prefix = "" if package == "estimators" else f"{package}."
    return "\n".join(f"   {prefix}{name}" for name in sorted(module.__all__))


def write_reference(folder):
    """Write the page, before Sphinx looks for the names to make pages of."""
    (Path(folder) / "api.rst").write_text(reference(), encoding="utf-8")
