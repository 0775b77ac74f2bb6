"""The logs of a job: one of the submission, and one of the driver for each attempt.

DIR/jobs/<id>/submit.log
DIR/jobs/<id>/driver-0.log, driver-1.log, …

Spark's event logs are there, too: DIR/jobs/<id>/events-0/, events-1/, …
"""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pulumi_dli.local.private_files import make_private_dir, open_private

TAIL = 10
"""The number of lines in the record of a job (table 6 of the page)."""
PAGE = 100
"""The number of lines that a log call returns by default (dli_02_0128, "from")."""

_TAIL_BYTES = 64 * 1024
_MAX_LINE = 64 * 1024
_CHUNK = 256 * 1024


@dataclass(frozen=True)
class LogPage:
    """Some lines of a log. `start` is the number of the first one, from 0. `total` is the number of all lines."""

    start: int
    total: int
    lines: list[str]


@dataclass(frozen=True)
class NumberedLine:
    """A line of a log. `number` counts from 1."""

    number: int
    text: str


@dataclass(frozen=True)
class FoundLines:
    """Some of the lines that a search has found. `start` is the position of the first one, `total` counts all."""

    start: int
    total: int
    lines: list[NumberedLine]


def found_lines(lines: Iterable[NumberedLine], start: int | None, size: int) -> FoundLines:
    """Return `size` of these lines from the position `start` on, counted from 0. Without `start`, return the last."""
    kept: deque[NumberedLine] = deque(maxlen=size if start is None else None)
    total = 0
    for total, line in enumerate(lines, 1):
        if start is None or start < total <= start + size:
            kept.append(line)
    return FoundLines(total - len(kept) if start is None else start, total, list(kept))


@dataclass(frozen=True)
class JobLogs:
    """The logs of one job. The first line that is written makes the directory."""

    directory: Path

    def open_driver(self, attempt: int) -> int:
        """Open the driver log of an attempt (from 0) for appending, and return the file descriptor. Raises OSError."""
        make_private_dir(self.directory)
        return open_private(self._path(attempt), os.O_WRONLY | os.O_APPEND)

    def write(self, attempt: int | None, *lines: str) -> None:
        """Append lines to the driver log of an attempt, or to the submission's log if it is None. Raises OSError."""
        make_private_dir(self.directory)
        file_descriptor = open_private(self._path(attempt), os.O_WRONLY | os.O_APPEND)
        with os.fdopen(file_descriptor, "a", encoding="utf-8", errors="replace") as file:
            file.writelines(f"{line}\n" for line in lines)

    def tail(self, attempt: int | None) -> tuple[str, ...]:
        """Return the last lines of an attempt's driver log. If it has none, return those of the submission's log."""
        return _last_lines(self._path(attempt)) or _last_lines(self._path(None))

    def page(self, attempt: int | None, start: int | None, size: int) -> LogPage:
        """Return `size` lines of an attempt's driver log, or of the submission's log if `attempt` is None.

        Without `start`, return the last lines. A missing log counts as empty. Of a line of more than 64 kB only the
        beginning and the end are returned.
        """
        kept: deque[bytes] = deque(maxlen=size if start is None else None)
        total = 0
        try:
            with self._path(attempt).open("rb") as file:
                for total, line in enumerate(_bounded_lines(file), 1):
                    if start is None or start < total <= start + size:
                        kept.append(line)
        except (FileNotFoundError, NotADirectoryError):
            return LogPage(start or 0, 0, [])
        first = total - len(kept) if start is None else start
        return LogPage(first, total, [line.decode(errors="replace").rstrip("\r") for line in kept])

    def lines(self, attempt: int | None) -> Iterator[NumberedLine]:
        """Yield the lines of an attempt's driver log, or of the submission's log. They are cut as in `page`."""
        with suppress(FileNotFoundError, NotADirectoryError), self._path(attempt).open("rb") as file:
            for number, line in enumerate(_bounded_lines(file), 1):
                yield NumberedLine(number, line.decode(errors="replace").rstrip("\r"))

    def size(self, attempt: int | None) -> int | None:
        """Return the size of a log in bytes. Return None if there is no log."""
        with suppress(FileNotFoundError, NotADirectoryError):
            return self._path(attempt).stat().st_size
        return None

    def content(self, attempt: int | None, size: int) -> Iterator[bytes]:
        """Yield the first `size` bytes of a log, to which a job may still write. Raises OSError."""
        with self._path(attempt).open("rb") as file:
            while size and (chunk := file.read(min(size, _CHUNK))):
                size -= len(chunk)
                yield chunk

    def events(self, attempt: int) -> Path:
        """Return the directory of an attempt's event logs. It may be missing."""
        return self.directory / f"events-{attempt}"

    def event_log(self, attempt: int) -> Path | None:
        """Return the event log of an attempt's last Spark context. Return None if it has none."""
        with suppress(FileNotFoundError, NotADirectoryError):
            files = [path for path in self.events(attempt).iterdir() if not path.name.startswith(".")]
            return max(files, key=lambda path: (path.stat().st_mtime, path.name), default=None)
        return None

    def remove(self) -> None:
        """Remove the job's directory. A missing directory is no error."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def remove_run_files(self) -> None:
        """Remove the files of attempts that a killed server left. They may contain secrets of the job."""
        for directory in self.directory.glob("run-*"):
            shutil.rmtree(directory, ignore_errors=True)

    def _path(self, attempt: int | None) -> Path:
        return self.directory / ("submit.log" if attempt is None else f"driver-{attempt}.log")


def _bounded_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file without their ends. A program may write a line of hundreds of megabytes."""
    rest = b""
    while chunk := file.read(_CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from map(_bounded, lines)
        rest = _bounded(rest)
    if rest:
        yield rest


def _bounded(line: bytes) -> bytes:
    return line if len(line) <= _MAX_LINE else line[: _MAX_LINE // 2] + line[-_MAX_LINE // 2 :]


def _last_lines(path: Path) -> tuple[str, ...]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - _TAIL_BYTES, 0))
            text = file.read().decode(errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return ()
    lines = text.removesuffix("\n").split("\n") if text else []
    return tuple(line.rstrip("\r") for line in lines[-TAIL:])
