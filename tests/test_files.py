"""Files that are complete or absent, with the permissions that the user's umask grants."""

import os
import stat
import subprocess
import sys
import textwrap

import pytest

from skeeg._files import atomic_path


def test_file_takes_its_place_when_it_is_complete(tmp_path):
    target = tmp_path / "new" / "scores.csv"
    with atomic_path(target) as partial:
        assert partial.parent == target.parent
        assert partial.suffix == ".csv"
        partial.write_text("first")
        assert not target.exists()
    with atomic_path(target) as partial:
        partial.write_text("second")
        assert target.read_text() == "first"
    assert target.read_text() == "second"
    assert list(target.parent.iterdir()) == [target]


def test_error_leaves_what_was_there(tmp_path):
    target = tmp_path / "scores.csv"
    target.write_text("first")

    def fail():
        with atomic_path(target) as partial:
            partial.write_text("half")
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fail()
    assert target.read_text() == "first"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_umask_grants_the_permissions_and_is_never_changed(tmp_path, umask):
    script = """
        import os, sys
        from pathlib import Path
        from skeeg._files import atomic_path

        os.umask(int(sys.argv[2]))
        os.umask = None  # another thread would make its files with what it was set to
        with atomic_path(sys.argv[1]) as partial:
            partial.write_text("x")
    """
    target = tmp_path / "file.txt"
    command = [sys.executable, "-c", textwrap.dedent(script), str(target), str(umask)]
    subprocess.run(command, check=True)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask
