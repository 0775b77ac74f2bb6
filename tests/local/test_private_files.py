import os
import stat
from pathlib import Path

import pytest

from pulumi_dli.local.private_files import NotOwnError, check_is_own, make_private_dir, open_private, write_private


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


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    """Another user may have put a link where a file with secrets will be."""
    victim, path = tmp_path / "victim", tmp_path / "file"
    victim.write_text("mine")
    (tmp_path / ".file.new").symlink_to(victim)
    write_private(path, "secret")
    assert (victim.read_text(), path.read_text(), mode(path)) == ("mine", "secret", 0o600)
    (tmp_path / "lock").symlink_to(victim)
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        open_private(tmp_path / "lock", os.O_RDWR)


def test_a_directory_that_other_users_can_write_to_is_refused(tmp_path: Path) -> None:
    check_is_own(tmp_path)
    tmp_path.chmod(0o777)
    with pytest.raises(NotOwnError, match=r"every user of this machine can write to .*; run: chmod o-w "):
        check_is_own(tmp_path)


def test_what_belongs_to_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = tmp_path / "obs"
    entry.mkdir()
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    with pytest.raises(NotOwnError, match="belongs to another user; choose a directory of your own"):
        check_is_own(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_an_entry_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "obs").symlink_to("/etc")
    os.lchown(tmp_path / "obs", 65534, 65534)
    with pytest.raises(NotOwnError, match=r"obs belongs to another user; choose another directory, or remove it"):
        check_is_own(tmp_path)
