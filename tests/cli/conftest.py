"""What the tests of the command share."""

import pytest

from skeeg.cli import commands


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch):
    """Write the tables alone: figures take longer than all the rest, and test_cli.py tests them."""

    def write(comparison, out):
        return [str(comparison.save(out, overwrite=True))]

    monkeypatch.setattr(commands, "write", write)
