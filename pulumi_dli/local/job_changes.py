"""The changes of jobs on their way to the disk. A disk that is full or hangs delays them, but ends no job.

One thread writes them, in their order. So a write that hangs blocks no call to the local DLI.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pulumi_dli.local.table import Job, JobTable

RETRY_DELAY = 0.5
"""The seconds between two attempts to store the changes that wait."""
HANG_TIMEOUT = 5.0
"""The seconds after which a write counts as one that hangs."""
_STOP_RETRIES = 10
_MAX_NAMED = 5

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class _Change:
    """A write, and what waits for it. `job_id` is None for one that is of no single job."""

    job_id: str | None
    columns: Mapping[str, Any]
    write: Callable[[], None]
    stored: asyncio.Future[None] = field(repr=False)
    is_retried: bool = True

    def __str__(self) -> str:
        if self.job_id is None:
            return "records of jobs"
        state = self.columns.get("state")
        return f"job {self.job_id}" if state is None else f"job {self.job_id}: {state}"


class JobChanges:
    """Stores the changes of jobs in their order. A change that cannot be stored is tried again until it can.

    Clients see a change only when it is stored, so a crash takes back nothing that they saw. One event loop calls every
    method.
    """

    def __init__(self, table: JobTable) -> None:
        self._table = table
        self._waiting: deque[_Change] = deque()
        self._thread: threading.Thread | None = None
        self._batches: queue.SimpleQueue[Sequence[_Change] | None] = queue.SimpleQueue()
        self._timer: asyncio.TimerHandle | None = None
        """Calls for the next attempt, or reports that the current one hangs. None if nothing waits."""
        self._is_writing = False
        self._is_delayed = False

    def add(self, job_id: str, prepare: Callable[[], Mapping[str, Any]] | None = None, **columns: Any) -> None:
        """Store a change as soon as possible. This never waits.

        Args:
            job_id: The job.
            prepare: Returns more columns. It runs once, where it may block.
            columns: The columns that change, and their new values.
        """
        self._add(job_id, columns, prepare)

    async def add_and_wait(self, job_id: str, **columns: Any) -> None:
        """Store a change, and return when it is stored."""
        await asyncio.shield(self._add(job_id, columns, None).stored)

    async def add_job(self, job: Job, prepare: Callable[[], None]) -> None:
        """Store a new job. If this raises an error, the job is not stored, or its row is removed again.

        `prepare` runs before, where it may block. Raises OSError, also TimeoutError, or sqlite3.Error.
        """
        if self._is_delayed:
            raise TimeoutError("earlier changes of jobs cannot be stored yet")

        is_refused = threading.Event()

        def write() -> None:
            prepare()
            if not is_refused.is_set():
                self._table.add(job)
            if is_refused.is_set():  # here, because the server may stop before the thread comes to another write
                self._table.remove([job.id])

        change = self._enqueue(_Change(job.id, {}, write, self._future(), is_retried=False))
        try:
            async with asyncio.timeout(HANG_TIMEOUT):
                await asyncio.shield(change.stored)
        except (TimeoutError, asyncio.CancelledError):
            is_refused.set()
            self.run(lambda: self._table.remove([job.id]))
            raise

    def run(self, write: Callable[[], None]) -> asyncio.Future[None]:
        """Do another write after those that wait. The future is done when it is done."""
        return self._enqueue(_Change(None, {}, write, self._future())).stored

    def latest(self, job: Job) -> Job:
        """Return a stored job with its changes that wait, but without what `prepare` returns."""
        for change in self._waiting:
            if change.job_id == job.id:
                job = replace(job, **change.columns)
        return job

    def is_late(self, job_id: str) -> bool:
        """Return whether a change of this job cannot be stored now."""
        return self._is_delayed and any(change.job_id == job_id for change in self._waiting)

    async def flush(self) -> None:
        """Wait until the changes up to now are stored. Raises TimeoutError if the disk is full or hangs.

        A new job that cannot be stored is told to its own client only.
        """
        if self._is_delayed:
            raise TimeoutError
        async with asyncio.timeout(HANG_TIMEOUT):
            await asyncio.gather(*(asyncio.shield(change.stored) for change in self._waiting if change.is_retried))

    async def finish(self) -> None:
        """Try for some seconds to store what waits. Log an error that names what cannot be stored."""
        for _ in range(_STOP_RETRIES):
            if not self._waiting:
                break
            await asyncio.wait([self._waiting[-1].stored], timeout=RETRY_DELAY)
        if self._timer is not None:
            self._timer.cancel()
        self._batches.put(None)
        if self._thread is not None and not self._is_writing:
            self._thread.join()
        if not (lost := [str(change) for change in self._waiting if change.job_id]):
            return
        more = "" if len(lost) <= _MAX_NAMED else ", …"
        names = ", ".join(lost[:_MAX_NAMED])
        logger.error("changes of jobs that could not be stored before the end: %d (%s%s)", len(lost), names, more)

    def _add(self, job_id: str, columns: Mapping[str, Any], prepare: Callable[[], Mapping[str, Any]] | None) -> _Change:
        prepared: dict[str, Any] = {}

        def write() -> None:
            if prepare is not None and not prepared:
                prepared.update(prepare())
            self._table.update(job_id, **columns, **prepared)

        return self._enqueue(_Change(job_id, columns, write, self._future()))

    def _future(self) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda done: done.cancelled() or done.exception())  # not everybody waits for it
        return future

    def _enqueue(self, change: _Change) -> _Change:
        self._waiting.append(change)
        if self._timer is None:
            self._store()
        return change

    def _store(self) -> None:
        """Let the thread write all that waits."""
        loop = asyncio.get_running_loop()
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, args=(loop,), name="local-dli-table", daemon=True)
            self._thread.start()
        self._timer = loop.call_later(HANG_TIMEOUT, self._report_delay, "the disk does not answer")
        self._is_writing = True
        self._batches.put(list(self._waiting))

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write batches, in the thread, until there is None."""
        while (batch := self._batches.get()) is not None:
            stored, error = 0, None
            try:
                for change in batch:
                    change.write()
                    stored += 1
            except BaseException as raised:  # noqa: BLE001  `_on_written` judges it
                error = raised
            with suppress(RuntimeError):  # the event loop has ended meanwhile
                loop.call_soon_threadsafe(self._on_written, stored, error)

    def _on_written(self, stored: int, error: BaseException | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._is_writing = False
        for _ in range(stored):
            self._settle(None)
        if error is not None:
            can_succeed_later = isinstance(error, (OSError, sqlite3.OperationalError))
            if can_succeed_later and self._waiting[0].is_retried:
                self._report_delay(str(error))
                self._timer = asyncio.get_running_loop().call_later(RETRY_DELAY, self._store)
                return
            if not can_succeed_later:
                logger.error("%s: cannot store its change", self._waiting[0], exc_info=error)
            self._settle(error)
        if self._waiting:
            self._store()
        elif self._is_delayed:
            self._is_delayed = False
            logger.warning("the changes of jobs that waited are stored now")

    def _settle(self, error: BaseException | None) -> None:
        stored = self._waiting.popleft().stored
        if error is None:
            stored.set_result(None)
        else:
            stored.set_exception(error)

    def _report_delay(self, problem: str) -> None:
        if not self._is_delayed:
            self._is_delayed = True
            logger.error(
                "%s: cannot store its change, will retry: %s. Jobs go on. Clients see their last stored state.",
                self._waiting[0],
                problem,
            )
