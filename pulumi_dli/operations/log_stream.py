"""Reads the log of a running job: each new line once, in order, as far as the service allows."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_dli.api.client import Client
from pulumi_dli.api.error_codes import RetryClass
from pulumi_dli.api.errors import DliError, ServiceError
from pulumi_dli.api.models import Batch, BatchLog

_PAGE_SIZE = 100
_MAX_PAGES = 10


class LogStream:
    """Returns the lines of a job's driver log that are new since the last call. Only one thread may use it at a time.

    The first call begins with the last 100 lines. A line that was incomplete in one call comes again in the next. A
    failed call returns nothing, and the next one continues there. If the service has no log call, the stream reads the
    job's record. It has at most ten lines, so some lines may be missing.
    """

    def __init__(self, client: Client, batch_id: str) -> None:
        self._client = client
        self._batch_id = batch_id
        self._attempt = 0
        # The last line that was returned, and its number. The next call reads it again, because it may be incomplete.
        self._last_number: int | None = None
        self._last_line: str | None = None
        self._has_log_call = True
        self._has_recovered = False
        self._record: Sequence[str] = ()

    def new_lines(self, batch: Batch | None = None) -> list[str]:
        """Return the new lines, at most about 1,000. The next call returns the rest. `batch` is the listed job."""
        try:
            if self._has_log_call:
                return self._lines_of_log(batch)
            return self._lines_of_record(batch or self._client.details(self._batch_id, retry=False))
        except DliError:  # a wait must not fail because the log cannot be shown
            return []

    def _lines_of_log(self, batch: Batch | None) -> list[str]:
        try:
            lines = self._read_pages()
        except ServiceError as error:
            if error.retry in (RetryClass.BACKOFF, RetryClass.AMBIGUOUS):
                raise
            self._has_log_call = False
            return self.new_lines(batch)
        # Each attempt has its own log, and no reply contains the number of attempts. So try the next attempt.
        state = None if batch is None else batch.batch_state
        self._has_recovered |= state is not None and state.facts.is_new_attempt
        return lines or (self._lines_of_next_attempt() if self._has_recovered else [])

    def _read_pages(self) -> list[str]:
        lines: list[str] = []
        for _ in range(_MAX_PAGES):
            page = self._read_page(self._attempt, self._last_number)
            if self._last_number is None:
                self._last_number = _first_number(page)
                lines += [f"… {self._last_number} earlier lines are not shown"] if self._last_number else []
            lines += page.log[1:] if page.log[:1] == [self._last_line] else page.log
            if page.log:
                self._last_number += len(page.log) - 1
                self._last_line = page.log[-1]
            if len(page.log) < _PAGE_SIZE:
                break
        return lines

    def _lines_of_next_attempt(self) -> list[str]:
        page = self._read_page(self._attempt + 1, 0)
        if not page.log:
            return []
        self._attempt, self._has_recovered = self._attempt + 1, False
        self._last_number, self._last_line = len(page.log) - 1, page.log[-1]
        return [f"… Log of attempt {self._attempt + 1}:", *page.log]

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


def _first_number(page: BatchLog) -> int:
    """Return the number of a page's first line. `from` is a number or text, or it is absent."""
    try:
        return int(page.start if page.start is not None else 0)
    except ValueError:
        return 0
