"""The part of a log that the page shows: some lines, the last lines, or what a search finds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from pulumi_dli.local.errors import bad_parameter
from pulumi_dli.local.logs import FoundLines, JobLogs, NumberedLine, found_lines
from pulumi_dli.spark_logs.error_lines import ErrorLines

LINES_PER_PAGE = 500
LINE_LENGTH = 4000
"""The maximum number of characters that the page shows of a log line."""
_CONTEXT = 20
"""The lines above a found line that its link shows."""
_POSITION = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True)
class LogQuery:
    """What a browser asks for.

    Args:
        attempt: The attempt, from 0. None means the log of the submission.
        start: The first line, from 0, or the first match of a search. None means the last ones.
        text: The text that the lines contain, in upper or lower case.
        errors_only: Whether only lines of errors are wanted.
    """

    attempt: int | None
    start: int | None = None
    text: str = ""
    errors_only: bool = False

    @classmethod
    def read(cls, query: Mapping[str, str], last_attempt: int | None) -> LogQuery:
        """Read a query. Without a log, it means that of the last attempt. Raises ApiError."""
        start = query.get("from")
        if start and not _POSITION.fullmatch(start):
            raise bad_parameter("Parameter from is invalid: it must be an integer, at least 0.")
        return cls(
            read_attempt(query.get("log"), last_attempt),
            int(start) if start else None,
            query.get("find", "").strip(),
            query.get("errors") == "only",
        )

    @property
    def log_name(self) -> str:
        """The log in the address: `submission`, or the number of the attempt, from 1."""
        return "submission" if self.attempt is None else str(self.attempt + 1)

    @property
    def is_search(self) -> bool:
        return bool(self.text) or self.errors_only

    def address(self, path: str, **changes: object) -> str:
        """Return the address of the same view with other parameters. An empty value removes one."""
        parameters = {
            "log": self.log_name,
            "find": self.text,
            "errors": "only" if self.errors_only else "",
            "from": self.start,
        } | changes
        kept = {name: value for name, value in parameters.items() if value not in ("", None)}
        return f"{path}?{urlencode(kept)}#log-title"


def read_attempt(name: str | None, last_attempt: int | None) -> int | None:
    """Return the attempt, from 0, with the requested log: by default the last one. None means the submission."""
    if not name:
        return last_attempt
    if name == "submission":
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,3}", name):
        raise bad_parameter("Parameter log is invalid: it must be `submission` or the number of an attempt, from 1.")
    return int(name) - 1


@dataclass(frozen=True)
class ShownLine:
    """A line on the page: its number from 1, and its text in parts, each with whether the search looks for it."""

    number: int
    parts: list[tuple[str, bool]]
    in_context: str | None
    """The address of this line among its neighbours, for a line that a search has found."""


@dataclass(frozen=True)
class LogView:
    """A part of a log, with the addresses of its neighbours."""

    query: LogQuery
    lines: list[ShownLine]
    start: int
    """The position of the first line, from 0, in the log or among the matches."""
    total: int
    """The number of lines of the log, or of matches."""
    earlier: str | None
    later: str | None
    last: str


def view_of(logs: JobLogs, query: LogQuery, path: str) -> LogView:
    """Read the lines that a query asks for. `path` is the address of the job's page."""
    found = _read(logs, query)
    end = found.start + len(found.lines)
    return LogView(
        query,
        [_shown(line, query, path) for line in found.lines],
        found.start,
        found.total,
        query.address(path, **{"from": max(found.start - LINES_PER_PAGE, 0)}) if found.start else None,
        query.address(path, **{"from": end}) if end < found.total else None,
        query.address(path, **{"from": None}),
    )


def _read(logs: JobLogs, query: LogQuery) -> FoundLines:
    if query.is_search:
        return found_lines(matches(logs.lines(query.attempt), query), query.start, LINES_PER_PAGE)
    page = logs.page(query.attempt, query.start, LINES_PER_PAGE)
    lines = [NumberedLine(number, text) for number, text in enumerate(page.lines, page.start + 1)]
    return FoundLines(page.start, page.total, lines)


def matches(lines: Iterable[NumberedLine], query: LogQuery) -> Iterator[NumberedLine]:
    """Yield the lines that a search finds."""
    errors = ErrorLines()
    wanted = query.text.lower()
    for line in lines:
        is_wanted = not query.errors_only or errors.is_error(line.text)
        if is_wanted and wanted in line.text.lower():
            yield line


def _shown(line: NumberedLine, query: LogQuery, path: str) -> ShownLine:
    text = truncate(line.text, LINE_LENGTH)
    if not query.is_search:
        return ShownLine(line.number, [(text, False)], None)
    context = LogQuery(query.attempt, max(line.number - 1 - _CONTEXT, 0))
    address = f"{context.address(path).partition('#')[0]}#line-{line.number}"
    return ShownLine(line.number, _parts(text, query.text), address)


def _parts(text: str, wanted: str) -> list[tuple[str, bool]]:
    """Return a text in parts, each with whether it is the wanted text."""
    if not wanted:
        return [(text, False)]
    pieces = re.split(f"({re.escape(wanted)})", text, flags=re.IGNORECASE)
    return [(piece, bool(index % 2)) for index, piece in enumerate(pieces) if piece]


def truncate(text: str, limit: int) -> str:
    """Return the beginning of a text, and how much is left out."""
    left_out = len(text) - limit
    return text if left_out <= 0 else f"{text[:limit]} … {left_out} more characters"
