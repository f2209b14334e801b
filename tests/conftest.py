"""Fixtures that several test files share."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def recordings() -> Callable[[str], Path]:
    """Find real recordings by the name of their folder; the test is skipped where they are absent.

    They lie in the folder that the environment variable ``SKEEG_DATA`` names, or in
    ``../shared/data`` from the project's root.
    """
    folder = Path(os.environ.get("SKEEG_DATA", _ROOT.parent / "shared" / "data"))

    def find(name: str) -> Path:
        if not (folder / name).is_dir():
            pytest.skip(f"real recordings are absent: no {folder / name}; set SKEEG_DATA")
        return folder / name

    return find
