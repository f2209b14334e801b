"""Fixtures that several test files share."""

import os
from collections.abc import Callable, Iterator
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


@pytest.fixture(scope="session", autouse=True)
def _store_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Sign entries with a key of the tests, in their subprocesses too, not with the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKEEG_STORE_KEY", str(tmp_path_factory.mktemp("key") / "store.key"))
        yield
