"""Reads the driver log of a job page by page, and finds the lines in a page that are new.

The reply of the service may lack the number of its first line, or the number of all lines. The service may also ignore
the number of the first line in the request, and always return the last lines.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

from pulumi_dli.api.client import Client
from pulumi_dli.api.error_codes import RetryClass
from pulumi_dli.api.errors import ServiceError, SignInError
from pulumi_dli.api.models import BatchLog

PAGE_SIZE = 100
"""The number of lines of one page."""


@dataclass(frozen=True)
class LogPage:
    """Lines of the log of one attempt.

    Args:
        lines: The lines.
        first: The number of the first line, from 0, or None if nobody knows it.
        total: The number of all lines, or None if it is unknown.
        is_elsewhere: Whether the service ignores the number of the first line in the request.
    """

    lines: Sequence[str]
    first: int | None
    total: int | None
    is_elsewhere: bool = False

    @property
    def is_last(self) -> bool:
        """True if the log certainly has no line after this page."""
        if self.is_elsewhere or self.first is None:
            return True
        return self.total is not None and self.first + len(self.lines) >= self.total


class NewLines(NamedTuple):
    """The new lines of a page, and how many lines before them were not read."""

    left_out: int
    lines: list[str]


class LogPages:
    """Reads the log of one attempt after the other. Only one thread may use it at a time.

    `read` and `next_attempt` make one call each. `take` then returns the new lines of the page. The last known line is
    read again, because it may have been incomplete. If nobody knows the number of a page's first line, the new lines
    are those after the longest overlap with the page before.

    Args:
        client: The client of the location of the job.
        batch_id: The id of the job.
        start: The number of the first line to read. None for the last lines.
        retries: Whether a failed call is repeated as the client does it.
    """

    def __init__(self, client: Client, batch_id: str, *, start: int | None = None, retries: bool = True) -> None:
        self._client = client
        self._batch_id = batch_id
        self._start = start
        self.retries = retries
        self.ignores_start = False
        """True if the service has returned a page that begins with another line than it was asked for."""
        self.begin(0)

    def begin(self, attempt: int) -> None:
        """Go to the log of an attempt. The first attempt is 0."""
        self.attempt = attempt
        self.has_taken = False
        """True if a page of this attempt was taken."""
        self._number: int | None = None
        """The number of the last known line, or -1 before the first line. None if it is unknown."""
        self._last_line: str | None = None
        self._last_page: Sequence[str] = ()
        self._last_read: tuple[int | None, Sequence[str]] = (None, ())
        """The number with which the last page was asked for, and its lines."""

    @property
    def next_number(self) -> int | None:
        """The number of the line with which the next page begins. None for the last lines."""
        if self.ignores_start:
            return None
        if not self.has_taken:
            return self._start
        return None if self._number is None else max(self._number, 0)

    def read(self, start: int | None) -> LogPage:
        """Return the page that begins with the line of this number, or the last lines. Raises DliError."""
        return self._page_of(self._read(self.attempt, start), start)

    def next_attempt(self) -> LogPage | None:
        """Return the first page of the next attempt, and go to it. None if it has no log. Raises DliError."""
        try:
            reply = self._read(self.attempt + 1, 0)
        except ServiceError as error:
            if not _is_unknown_attempt(error):
                raise
            return None
        if not reply.log:
            return None
        self.begin(self.attempt + 1)
        return self._page_of(reply, 0)

    def take(self, page: LogPage) -> NewLines:
        """Return the new lines of a page, and remember the page's last line as the last known one."""
        new = self._new_lines(page)
        end = None if page.first is None else page.first + len(page.lines) - 1
        is_at_end = self._number is None or end is None or end >= self._number
        if is_at_end and (page.lines or not self.has_taken):
            self._number = end
            self._last_line = page.lines[-1] if page.lines else None
        self._last_page = page.lines or self._last_page
        self.has_taken = True
        return new

    def _new_lines(self, page: LogPage) -> NewLines:
        if not self.has_taken:
            return NewLines(page.first or 0, [*page.lines])
        if self._number is None or page.first is None:
            return NewLines(0, new_record_lines(self._last_page, page.lines))
        known = self._number - page.first  # the position of the last known line in the page
        new = [*page.lines[max(known, 0) :]]
        is_complete = known >= 0 and new[:1] == [self._last_line]
        return NewLines(max(-known - 1, 0), new[1:] if is_complete else new)

    def _read(self, attempt: int, start: int | None) -> BatchLog:
        return self._client.log(self._batch_id, start=start, size=PAGE_SIZE, index=attempt, retry=self.retries)

    def _page_of(self, reply: BatchLog, start: int | None) -> LogPage:
        is_elsewhere = start is not None and bool(reply.log) and self._is_elsewhere(reply, start)
        self.ignores_start |= is_elsewhere
        self._last_read = start, reply.log
        first = _number(reply.start)
        if first is None and is_elsewhere:
            self._number = None  # it is wrong if the pages before began elsewhere too
        if first is None:
            first = _first_of_last(reply) if start is None or is_elsewhere else start
        return LogPage(reply.log, first, reply.total, is_elsewhere)

    def _is_elsewhere(self, reply: BatchLog, start: int) -> bool:
        """Return whether a reply does not begin with the line of this number."""
        first = _number(reply.start)
        if first is not None:
            return first != start
        if reply.total is not None and len(reply.log) > max(reply.total - start, 0):
            return True
        if start == self._number and not reply.log[0].startswith(self._last_line or ""):
            return True
        last_start, last_lines = self._last_read
        return start != last_start and len(reply.log) > 1 and reply.log == last_lines


def last_attempt(client: Client, batch_id: str, limit: int) -> int:
    """Return the number of the last attempt that has a log, from 0. At most `limit`. Raises DliError."""
    return bisect_left(range(1, limit + 1), True, key=lambda attempt: not _has_log(client, batch_id, attempt))


def new_record_lines(before: Sequence[str], now: Sequence[str]) -> list[str]:
    """Return the lines of `now` after its longest overlap with `before`. Both are the last lines of one log.

    If there is no overlap, the last line of `before` may have been incomplete. It then comes again.
    """
    overlap = _overlap(before, now) or _overlap(before[:-1], now)
    return [*now[overlap:]]


def _overlap(before: Sequence[str], now: Sequence[str]) -> int:
    counts = range(min(len(before), len(now)), -1, -1)
    return next(count for count in counts if list(before[len(before) - count :]) == list(now[:count]))


def _has_log(client: Client, batch_id: str, attempt: int) -> bool:
    try:
        return bool(client.log(batch_id, start=0, size=1, index=attempt).log)
    except ServiceError as error:
        if not _is_unknown_attempt(error):
            raise
        return False


def _is_unknown_attempt(error: ServiceError) -> bool:
    """Return whether the service refuses the number of an attempt, and not the account or for a moment."""
    is_about_account = isinstance(error, SignInError) or error.status == HTTPStatus.UNAUTHORIZED
    return error.retry in (RetryClass.NEVER, RetryClass.GONE) and error.status < 500 and not is_about_account


def _first_of_last(reply: BatchLog) -> int | None:
    """Return the number of the first of the last lines. Without the number of all lines, only a short log tells it."""
    if reply.total is not None:
        return max(reply.total - len(reply.log), 0)
    return 0 if len(reply.log) < PAGE_SIZE else None


def _number(start: int | str | None) -> int | None:
    """Return the number of a reply's first line, or None if it is unknown. The service gives a number or a text."""
    try:
        return None if start is None else int(start)
    except ValueError:
        return None
