"""Configuration of Sphinx.

``sphinx-build -W -b html docs docs/_build/html`` builds the pages and runs the gallery.
"""

import os
import sys
from pathlib import Path

import matplotlib

import skeeg

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))
from skeeg_reference import write_reference

write_reference(Path(__file__).parent)
matplotlib.use("Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")

project = "skeeg"
author = "The skeeg developers"
copyright = "The skeeg developers"
version = release = skeeg.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
# The inventories are on the network, which a build may not have.
_sites = {
    "matplotlib": "https://matplotlib.org/stable/",
    "mne": "https://mne.tools/stable/",
    "numpy": "https://numpy.org/doc/stable/",
    "pandas": "https://pandas.pydata.org/docs/",
    "python": "https://docs.python.org/3/",
    "skorch": "https://skorch.readthedocs.io/en/stable/",
    "sklearn": "https://scikit-learn.org/stable/",
    "torch": "https://docs.pytorch.org/docs/stable/",
}
on_network = bool(os.environ.get("SKEEG_DOCS_INTERSPHINX"))
intersphinx_mapping = {name: (url, None) for name, url in _sites.items()} if on_network else {}

templates_path = ["_templates"]
exclude_patterns = ["_build", "_extensions", "_templates", "gallery", "images", "Thumbs.db"]
default_role = "autolink"

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = True
autosummary_imported_members = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"plot_",
    "image_scrapers": ("skeeg_figures",),
    "show_memory": False,
    "write_computation_times": False,
    "show_signature": False,
    "download_all_examples": False,
    "abort_on_example_error": True,
    "within_subsection_order": "FileNameSortKey",
}

html_theme = "pydata_sphinx_theme"
html_title = f"skeeg {release}"
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
}
html_show_sourcelink = False


def skip_foreign_members(app, what, name, obj, skip, options):
    """Leave out members inherited from scikit-learn, skorch, torch or MNE, documented there."""
    defined = getattr(obj, "fget", None) or obj  # a property has no module of its own
    home = getattr(defined, "__module__", None) or "skeeg"
    return True if name.endswith("_request") or not home.startswith("skeeg") else None


def setup(app):
    app.connect("autodoc-skip-member", skip_foreign_members)
