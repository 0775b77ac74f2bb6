"""Following the log of a job while it runs: each line once, in its order, as far as the service tells."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_dli.api.client import Client
from pulumi_dli.api.error_codes import RetryClass
from pulumi_dli.api.errors import DliError, ServiceError
from pulumi_dli.api.models import Batch, BatchLog

_PAGE = 100
_MOST_PAGES = 10


class LogStream:
    """The lines of one job's driver log that are new since the last look.

    It begins with the last 100 lines that there are. A line that was half written comes again as a whole. Best effort:
    a look that fails gives nothing, and the next one goes on from there. Where the service has no log call, the lines
    of the job's record are taken instead; they are ten at most, so some may be missed. Not for two threads at a time.
    """

    def __init__(self, client: Client, batch_id: str) -> None:
        self._client = client
        self._batch_id = batch_id
        self._attempt = 0
        # The last line that was given, and its number. It is asked for again: it may have been half written.
        self._number: int | None = None
        self._last: str | None = None
        self._has_log_call = True
        self._has_recovered = False
        self._record: Sequence[str] = ()

    def new_lines(self, batch: Batch | None = None) -> list[str]:
        """Give the new lines, about 1,000 at most: the rest comes next time. `batch` is the job as just listed."""
        try:
            if self._has_log_call:
                return self._of_log(batch)
            return self._of_record(batch or self._client.details(self._batch_id, retry=False))
        except DliError:  # the log is for looking at, and a wait must not fail for it
            return []

    def _of_log(self, batch: Batch | None) -> list[str]:
        try:
            lines = self._read()
        except ServiceError as error:
            if error.retry in (RetryClass.BACKOFF, RetryClass.AMBIGUOUS):
                raise
            self._has_log_call = False
            return self.new_lines(batch)
        # Each attempt has a log of its own, and no reply tells how many there are.
        state = None if batch is None else batch.batch_state
        self._has_recovered |= state is not None and state.facts.is_new_attempt
        return lines or (self._of_next_attempt() if self._has_recovered else [])

    def _read(self) -> list[str]:
        lines: list[str] = []
        for _ in range(_MOST_PAGES):
            page = self._page(self._attempt, self._number)
            if self._number is None:
                self._number = _first_line(page)
                lines += [f"… {self._number} lines before these"] if self._number else []
            lines += page.log[1:] if page.log[:1] == [self._last] else page.log
            if page.log:
                self._number += len(page.log) - 1
                self._last = page.log[-1]
            if len(page.log) < _PAGE:
                break
        return lines

    def _of_next_attempt(self) -> list[str]:
        page = self._page(self._attempt + 1, 0)
        if not page.log:
            return []
        self._attempt, self._has_recovered = self._attempt + 1, False
        self._number, self._last = len(page.log) - 1, page.log[-1]
        return [f"… the log of attempt {self._attempt + 1}", *page.log]

    def _page(self, attempt: int, start: int | None) -> BatchLog:
        return self._client.log(self._batch_id, start=start, size=_PAGE, index=attempt, retry=False)

    def _of_record(self, batch: Batch) -> list[str]:
        shown, self._record = self._record, batch.log or ()
        known = next(
            count for count in range(min(len(shown), len(self._record)), -1, -1)
            if list(shown[len(shown) - count :]) == list(self._record[:count])
        )  # fmt: skip
        return [*self._record[known:]]


def _first_line(page: BatchLog) -> int:
    """Give the number of a page's first line: `from` is a number, or text, or not there."""
    try:
        return int(page.start if page.start is not None else 0)
    except ValueError:
        return 0
