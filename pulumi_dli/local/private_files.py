"""Files and directories that only their owner can read, because jobs have secrets in `conf` and `args`."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def make_private_dir(path: Path) -> Path:
    """Make a directory and its missing parents, all with mode 700. Raises OSError."""
    if not path.parent.exists():
        make_private_dir(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def check_is_own(directory: Path) -> None:
    """Check that a directory, and each entry in it, belongs to this user, and that no other user can add entries.

    Another user could otherwise put a link there, and files with secrets would be written through it. Raises
    NotOwnError.
    """
    user = os.geteuid()
    facts = directory.stat()
    if facts.st_uid != user:
        raise NotOwnError(f"{directory} belongs to another user; choose a directory of your own")
    if facts.st_mode & stat.S_IWOTH:
        raise NotOwnError(f"every user of this machine can write to {directory}; run: chmod o-w {directory}")
    for entry in directory.iterdir():
        if entry.lstat().st_uid != user:
            raise NotOwnError(f"{entry} belongs to another user; choose another directory, or remove it")


class NotOwnError(OSError):
    """A directory is not safe from other users. `str(error)` says why and what to do."""


def open_private(path: Path, flags: int) -> int:
    """Open a file with these `os.O_…` flags, and return the descriptor. A new file gets mode 600.

    Raises OSError, also if the path is a link.
    """
    return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def write_private(path: Path, content: str | bytes) -> None:
    """Replace a whole file (mode 600) in one step: a reader sees the old content or the new. Raises OSError."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)  # an earlier server was killed, or another user has put a link there
    with os.fdopen(open_private(temporary, os.O_WRONLY | os.O_EXCL), "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    temporary.replace(path)
