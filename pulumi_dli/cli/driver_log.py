"""Reads the driver log of a job: the last lines or all of them, and then each new line once.

`operations.log_stream` is for waits: it hides the errors of a call, and begins with the last lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pulumi_dli.api.client import Client
from pulumi_dli.api.error_codes import RetryClass
from pulumi_dli.api.errors import ServiceError
from pulumi_dli.api.models import MAX_RETRY_TIMES, Batch, BatchLog

PAGE_SIZE = 100
"""The number of lines of one call, and of the last lines."""


class LogPart(NamedTuple):
    """Lines of the log of one attempt. The first attempt is 0."""

    attempt: int
    lines: list[str]


class DriverLog:
    """The driver log of one job. Each call of `new_lines` goes on where the last one has ended.

    A line that was incomplete in one call comes again, complete, in the next. If the service has no log call, the log
    is that of the job's record, which has at most ten lines.

    Args:
        client: The client of the location of the job.
        batch_id: The id of the job.
        from_start: Whether to begin with the first line of the first attempt, instead of the last 100 lines.
        recovers: Whether the service starts a failed job again. Each attempt has a log of its own.
    """

    def __init__(self, client: Client, batch_id: str, *, from_start: bool, recovers: bool) -> None:
        self._client = client
        self._batch_id = batch_id
        self._recovers = recovers
        self._attempt = 0
        self._next: int | None = 0 if from_start else None
        """The number of the next line to read. The last line that was read is read again. None for the last lines."""
        self._last_line: str | None = None
        self._has_read = False
        self.hidden = 0
        """How many lines before the last ones were left out."""
        self.refusal: ServiceError | None = None
        """Why the lines come from the job's record."""
        self._record: Sequence[str] = ()

    def new_lines(self, batch: Batch) -> Iterator[LogPart]:
        """Yield the new lines. `batch` is the job as it was just read. Raises DliError."""
        if self.refusal is None:
            try:
                yield from self._from_call()
            except ServiceError as error:
                if self._has_read or error.retry in (RetryClass.BACKOFF, RetryClass.AMBIGUOUS):
                    raise
                self.refusal = error
        if self.refusal is not None:
            yield LogPart(0, self._from_record(batch))

    def _from_call(self) -> Iterator[LogPart]:
        if self._next is None:
            self._attempt = self._last_attempt()
        yield from self._pages()
        while self._recovers and self._has_log(self._attempt + 1):
            self._attempt, self._next, self._last_line = self._attempt + 1, 0, None
            yield from self._pages()

    def _pages(self) -> Iterator[LogPart]:
        """Yield the lines of this attempt from the next one on."""
        before: list[str] = []
        while True:
            start = self._next
            page = self._page(self._attempt, start, PAGE_SIZE)
            first = _first_number(page) if start is None else start
            lines = self._new_lines_of(page)
            if start is None:
                self.hidden = first
            if page.log:
                self._last_line = page.log[-1]
            self._next = first + max(len(page.log) - 1, 0)
            if lines:
                yield LogPart(self._attempt, lines)
            is_end = page.total is not None and first + len(page.log) >= page.total
            if not lines or is_end or _is_stuck(page, start, before):
                return
            before = page.log

    def _new_lines_of(self, page: BatchLog) -> list[str]:
        is_known = self._last_line is not None and page.log[:1] == [self._last_line]
        return page.log[1:] if is_known else page.log

    def _last_attempt(self) -> int:
        attempt = 0
        while self._recovers and attempt < MAX_RETRY_TIMES and self._has_log(attempt + 1):
            attempt += 1
        return attempt

    def _has_log(self, attempt: int) -> bool:
        try:
            return bool(self._page(attempt, 0, 1).log)
        except ServiceError as error:
            if error.retry in (RetryClass.BACKOFF, RetryClass.AMBIGUOUS):
                raise
            return False  # the service does not know the attempt

    def _page(self, attempt: int, start: int | None, size: int) -> BatchLog:
        page = self._client.log(self._batch_id, start=start, size=size, index=attempt)
        self._has_read = True
        return page

    def _from_record(self, batch: Batch) -> list[str]:
        """Return the lines of the job's record after the longest overlap with the record of the last call."""
        before, now = self._record, list(batch.log or ())
        self._record = now
        overlaps = (count for count in range(min(len(before), len(now)), -1, -1) if _ends_with(before, now[:count]))
        return now[next(overlaps) :]


def _first_number(page: BatchLog) -> int:
    """Return the number of the first of the last lines: as the service says, or else from the number of all lines."""
    if page.start is None and page.total is not None:
        return max(page.total - len(page.log), 0)
    return _number(page.start)


def _is_stuck(page: BatchLog, start: int | None, before: Sequence[str]) -> bool:
    """Return whether the service ignores the number of the first line, so that the next page would be the same."""
    if page.start is not None:
        return start is not None and _number(page.start) != start
    return len(page.log) > 1 and page.log == before


def _ends_with(lines: Sequence[str], end: Sequence[str]) -> bool:
    return list(lines[len(lines) - len(end) :]) == list(end)


def _number(start: int | str | None) -> int:
    try:
        return int(start or 0)
    except ValueError:
        return 0
