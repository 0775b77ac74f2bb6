"""Reads the log of a running job: each new line once, in order, as far as the service allows."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_dli.api.client import Client
from pulumi_dli.api.error_codes import RetryClass
from pulumi_dli.api.errors import DliError, ServiceError
from pulumi_dli.api.models import Batch, BatchLog

_PAGE_SIZE = 100
_MAX_PAGES = 9


class LogStream:
    """Returns the lines of a job's driver log that are new since the last call. Only one thread may use it at a time.

    The first call begins with the last 1,000 lines. If more than about 1,000 lines are new in a call, it leaves out
    those in the middle, and says how many. So the last lines always arrive. A line that was incomplete in one call
    comes again in the next. A failed call returns nothing, and the next one continues there. If the service has no log
    call, the stream reads the job's record. It has at most ten lines, so some lines may be missing.
    """

    def __init__(self, client: Client, batch_id: str) -> None:
        self._client = client
        self._batch_id = batch_id
        self._attempt = 0
        # The last line that was read, and its number. The next call reads it again, because it may be incomplete.
        self._last_number: int | None = None
        self._last_line: str | None = None
        self._read: list[str] = []
        self._has_log_call = True
        self._has_recovered = False
        self._record: Sequence[str] = ()

    def new_lines(self, batch: Batch | None = None) -> list[str]:
        """Return the new lines, at most about 1,000: the first and the last. `batch` is the listed job."""
        try:
            if self._has_log_call:
                return self._lines_of_log(batch)
            return self._lines_of_record(batch or self._client.details(self._batch_id, retry=False))
        except DliError:  # a wait must not fail because the log cannot be shown
            return []

    def _lines_of_log(self, batch: Batch | None) -> list[str]:
        try:
            self._read_new_pages()
        except ServiceError as error:
            if error.retry in (RetryClass.BACKOFF, RetryClass.AMBIGUOUS):
                raise
            self._has_log_call = False
            return self.new_lines(batch)
        # Each attempt has its own log, and no reply contains the number of attempts. So try the next attempt.
        state = None if batch is None else batch.batch_state
        self._has_recovered |= state is not None and state.facts.is_new_attempt
        if not self._read and self._has_recovered:
            self._read_next_attempt()
        lines, self._read = self._read, []
        return lines

    def _read_new_pages(self) -> None:
        if self._last_number is None:
            page = self._read_page(self._attempt, None)
            first = _first_number(page) or 0
            if not first:
                self._keep_new(page, 0)
                return
            start = max(first - (_MAX_PAGES - 1) * _PAGE_SIZE, 0)
        else:
            start = max(self._last_number, 0)
        for _ in range(_MAX_PAGES):
            page = self._read_page(self._attempt, start)
            self._keep_new(page, start)
            if len(page.log) < _PAGE_SIZE:
                return
            start += len(page.log) - 1
        page = self._read_page(self._attempt, None)
        if (first_of_last := _first_number(page)) is not None:  # without the number, the next call goes on in order
            self._keep_new(page, first_of_last)

    def _keep_new(self, page: BatchLog, start: int) -> None:
        """Keep the new lines of a page for the result. `start` is the number of its first line."""
        if self._last_number is None:
            self._read += [f"… {start} earlier lines are not shown"] if start else []
            self._last_number = start - 1
        known = self._last_number - start  # the position of the last known line in the page
        if known < -1:
            self._read.append(f"… {-known - 1} lines left out")
        new = page.log[max(known, 0) :]
        if known >= 0 and new[:1] == [self._last_line]:
            new = new[1:]
        self._read += new
        if start + len(page.log) > self._last_number and page.log:
            self._last_number, self._last_line = start + len(page.log) - 1, page.log[-1]

    def _read_next_attempt(self) -> None:
        page = self._read_page(self._attempt + 1, 0)
        if page.log:
            self._attempt, self._has_recovered = self._attempt + 1, False
            self._last_number = -1
            self._read.append(f"… Log of attempt {self._attempt + 1}:")
            self._keep_new(page, 0)

    def _read_page(self, attempt: int, start: int | None) -> BatchLog:
        return self._client.log(self._batch_id, start=start, size=_PAGE_SIZE, index=attempt, retry=False)

    def _lines_of_record(self, batch: Batch) -> list[str]:
        """Return the lines of the job's record after the longest overlap with the record of the last call."""
        before, self._record = self._record, batch.log or ()
        overlap = next(
            count for count in range(min(len(before), len(self._record)), -1, -1)
            if list(before[len(before) - count :]) == list(self._record[:count])
        )  # fmt: skip
        return [*self._record[overlap:]]


def _first_number(page: BatchLog) -> int | None:
    """Return the number of a page's first line, or None if it is unknown. `from` is a number or text, or absent."""
    try:
        return None if page.start is None else int(page.start)
    except ValueError:
        return None
