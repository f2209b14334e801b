"""The pages on methods, and their pictures, say what the networks are."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path

import pytest
from PIL import Image
from torch import nn

from skeeg import networks

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


def load_script(name):
    """Return a script of docs/images as a module."""
    spec = importlib.util.spec_from_file_location(f"docs_images_{name}", DOCS / "images" / name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclass looks
    spec.loader.exec_module(module)
    return module


script = load_script("networks.py")
PAGES = {page.stem: page for page in script.pages()}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_the_table_has_the_shapes_and_counts_of_the_network(page):
    _, blocks = script.blocks_of(page)
    shown = [row[2:] for row in script.rows_of(page)]
    assert shown == [
        ("×".join(map(str, block.shape)), f"{block.n_parameters:,}") for block in blocks
    ]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_the_table_leaves_no_parameter_out_and_counts_none_twice(page):
    network = script.network_of(page)
    shape, blocks = script.blocks_of(page)
    layers = [layer for block in blocks for layer in block.layers]
    listed = [
        f"{layer}.{name}"
        for layer in layers
        for name, _ in network.get_submodule(layer).named_parameters()
    ]
    assert sorted(listed) == sorted(name for name, _ in network.named_parameters())
    assert f"{networks.summary(network, shape).n_parameters:,} parameters\n" in page.read_text()


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_the_picture_is_of_the_network_and_the_table(page):
    link = f"../images/methods/{page.stem}.png"
    assert f"]({link})" in page.read_text()
    with Image.open(page.parent / link) as picture:
        drawn = picture.text["Description"]
    assert drawn == script.description(*script.blocks_of(page)), "run docs/images/networks.py"


def test_every_network_has_a_page():
    text = "".join(page.read_text() for page in PAGES.values())
    classes = [name for name in networks.__all__ if inspect.isclass(getattr(networks, name))]
    missing = [
        name
        for name in classes
        if issubclass(getattr(networks, name), nn.Module)
        and f"{{py:class}}`skeeg.networks.{name}`" not in text
    ]
    assert not missing


def test_every_page_is_in_the_contents():
    contents = (DOCS / "methods" / "index.md").read_text()
    for page in {*(DOCS / "methods").glob("*.md")} - {DOCS / "methods" / "index.md"}:
        assert f"]({page.name})" in contents
        assert f"\n{page.stem}\n" in contents


def test_a_wrong_number_on_a_page_would_be_found(tmp_path):
    page = tmp_path / "eegnet.md"
    page.write_text(PAGES["eegnet"].read_text().replace("| 272 |", "| 271 |"))
    with pytest.raises(AssertionError):
        test_the_table_has_the_shapes_and_counts_of_the_network(page)
