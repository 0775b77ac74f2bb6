import os
import stat
from pathlib import Path

import pytest

from pulumi_dli.local.private_files import make_private_dir, open_private, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_directory_is_made_with_its_parents_for_the_owner_only(tmp_path: Path) -> None:
    made = make_private_dir(tmp_path / "a" / "b")
    assert [mode(path) for path in (made, made.parent)] == [0o700, 0o700]
    (made / "file").touch()
    assert make_private_dir(made) == made
    assert (made / "file").exists()


def test_a_file_in_the_place_of_a_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    for path in (tmp_path / "a", tmp_path / "a" / "b"):
        with pytest.raises(OSError, match=r"File exists|Not a directory"):
            make_private_dir(path)


def test_a_new_file_is_for_its_owner_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        os.close(open_private(tmp_path / "opened", os.O_WRONLY))
        write_private(tmp_path / "written", "text")
    finally:
        os.umask(before)
    assert [mode(tmp_path / name) for name in ("opened", "written")] == [0o600, 0o600]


def test_a_file_is_written_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for text in ("a long text", "Ünï", ""):
        write_private(path, text)
        assert path.read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [path]
