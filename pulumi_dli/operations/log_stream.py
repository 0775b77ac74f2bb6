"""Reads the log of a running job: each new line once, in order, as far as the service allows."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import DliError, ServiceError, may_pass_by_itself
from pulumi_dli.api.models import Batch
from pulumi_dli.operations.log_pages import PAGE_SIZE, LogPage, LogPages, new_record_lines

_MAX_PAGES = 9


class LogStream:
    """Returns the lines of a job's driver log that are new since the last call. Only one thread may use it at a time.

    The first call begins with the last 900 lines. If more than about 1,000 lines are new in a call, it leaves out
    those in the middle, and tells how many. So the last lines always arrive. A line that was incomplete in one call
    comes again in the next. A failed call returns nothing, and the next one continues there. If the service has no log
    call, the stream reads the job's record. It has at most ten lines, so some lines may be missing.
    """

    def __init__(self, client: Client, batch_id: str) -> None:
        self.retries = False
        """Whether a failed call is repeated as the client does it. A wait polls again anyway."""
        self._client = client
        self._batch_id = batch_id
        self._pages = LogPages(client, batch_id)
        self._read: list[str] = []
        self._has_log_call = True
        self._has_recovered = False
        self._record: Sequence[str] = ()

    def new_lines(self, batch: Batch | None = None) -> list[str]:
        """Return the new lines, at most about 1,000: the first and the last. `batch` is the listed job."""
        try:
            if self._has_log_call:
                return self._lines_of_log(batch)
            return self._lines_of_record(batch or self._client.details(self._batch_id, retry=self.retries))
        except DliError:  # a wait must not fail because the log cannot be shown
            return []

    def _lines_of_log(self, batch: Batch | None) -> list[str]:
        self._pages.retries = self.retries
        try:
            self._read_new_pages()
        except ServiceError as error:
            if may_pass_by_itself(error):
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
        start = self._pages.next_number
        if start is None:
            page = self._pages.read(None)
            if self._pages.has_taken or not page.first or self._pages.ignores_start:
                self._keep(page)
                return
            start = max(page.first - (_MAX_PAGES - 1) * PAGE_SIZE, 0)
        for _ in range(_MAX_PAGES):
            page = self._pages.read(start)
            self._keep(page)
            start = self._pages.next_number
            if page.is_last or start is None or len(page.lines) < PAGE_SIZE:
                return
        page = self._pages.read(None)
        if page.first is not None:  # without the number, the next call goes on in order
            self._keep(page)

    def _read_next_attempt(self) -> None:
        page = self._pages.next_attempt()
        if page is not None:
            self._has_recovered = False
            self._read.append(f"… Log of attempt {self._pages.attempt + 1}:")
            self._keep(page)

    def _keep(self, page: LogPage) -> None:
        """Keep the new lines of a page for the result."""
        is_first = not self._pages.has_taken
        left_out, lines = self._pages.take(page)
        if left_out:
            words = "earlier lines are not shown" if is_first else "lines left out"
            self._read.append(f"… {left_out} {words}")
        self._read += lines

    def _lines_of_record(self, batch: Batch) -> list[str]:
        """Return the lines of the job's record after the longest overlap with the record of the last call."""
        before, self._record = self._record, batch.log or ()
        return new_record_lines(before, self._record)
