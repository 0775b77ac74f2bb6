"""Files and directories that only their owner can read, because jobs have secrets in `conf` and `args`."""

from __future__ import annotations

import os
from pathlib import Path


def make_private_dir(path: Path) -> Path:
    """Make a directory and its missing parents, all with mode 700. Raises OSError."""
    if not path.parent.exists():
        make_private_dir(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def open_private(path: Path, flags: int) -> int:
    """Open a file with these `os.O_…` flags, and return the descriptor. A new file gets mode 600. Raises OSError."""
    return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)


def write_private(path: Path, content: str | bytes) -> None:
    """Replace a whole file (mode 600) in one step: a reader sees the old content or the new. Raises OSError."""
    temporary = path.with_name(f".{path.name}.new")
    with os.fdopen(open_private(temporary, os.O_WRONLY | os.O_TRUNC), "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    temporary.replace(path)
