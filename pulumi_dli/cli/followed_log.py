"""Reads the driver log of a job for `logs`: the last lines or all of them, and then each new line once.

A wait reads the log with `operations.log_stream`, which hides the errors of a call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import ServiceError, may_pass_by_itself
from pulumi_dli.api.models import MAX_RETRY_TIMES, Batch
from pulumi_dli.operations.log_pages import LogPage, LogPages, last_attempt, new_record_lines


class LogPart(NamedTuple):
    """Lines of the log of one attempt. The first attempt is 0."""

    attempt: int
    lines: list[str]
    left_out: int = 0
    """How many lines before these the service did not return, although they were asked for."""


class FollowedLog:
    """The driver log of one job. Each call of `new_lines` continues after the lines of the last one.

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
        self._from_start = from_start
        self._recovers = recovers
        self._pages = LogPages(client, batch_id, start=0 if from_start else None)
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
                if self._has_read or may_pass_by_itself(error):
                    raise
                self.refusal = error
        if self.refusal is not None:
            before, self._record = self._record, list(batch.log or ())
            yield LogPart(0, new_record_lines(before, self._record))

    def _from_call(self) -> Iterator[LogPart]:
        if not self._has_read and not self._from_start and self._recovers:
            self._pages.begin(last_attempt(self._client, self._batch_id, MAX_RETRY_TIMES))
        yield from self._parts(self._pages.read(self._pages.next_number))
        while self._recovers and (page := self._pages.next_attempt()) is not None:
            yield from self._parts(page)

    def _parts(self, page: LogPage) -> Iterator[LogPart]:
        """Yield the new lines of a page and of those after it."""
        while True:
            part = self._part(page)
            if part.lines:
                yield part
            start = self._pages.next_number
            if not part.lines or page.is_last or start is None:
                return
            page = self._pages.read(start)

    def _part(self, page: LogPage) -> LogPart:
        is_first, self._has_read = not self._has_read, True
        left_out, lines = self._pages.take(page)
        if is_first and not self._from_start:
            self.hidden, left_out = left_out, 0
        return LogPart(self._pages.attempt, lines, left_out)
