"""The changes of jobs on their way to the disk. A disk that is full or hangs delays them, but ends no job.

One thread writes them, in their order. The event loop waits for a write only for some milliseconds, so a write that
hangs blocks no call to the local DLI.
"""

from __future__ import annotations

import asyncio
import logging
import math
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

from pulumi_dli.local.table import Job, JobTable

RETRY_DELAY = 0.5
"""The seconds between two attempts to store the changes that wait."""
HANG_TIMEOUT = 5.0
"""The seconds without an answer to any write after which the disk counts as one that hangs."""
_BATCH_DELAY = 0.005
"""The seconds for which a change waits for others if nobody waits for it. One transaction is cheaper than two."""
_BLOCKING_TIME = 0.01
"""The seconds for which the event loop waits for a write at most."""
_BLOCKING_PAUSE = 0.1
"""The seconds for which the event loop waits for no write, after one that took longer."""
_STOP_RETRIES = 10
_MAX_NAMED = 5

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class _Change:
    """A write, and what waits for it. `job_id` is None for one that is of no single job."""

    job_id: str | None
    columns: Mapping[str, Any]
    write: Callable[[], None]
    is_retried: bool = True
    is_refused: bool = False
    """The change is a new job, and its client was told that it is not stored."""
    is_answered: bool = False
    """The disk has answered its write once. A retry tells nothing new about the disk."""
    is_done: bool = False
    error: Exception | None = None
    """Why it is done but not stored."""
    on_done: list[Callable[[], None]] = field(default_factory=list, repr=False)

    def __str__(self) -> str:
        if self.job_id is None:
            return "records of jobs"
        state = self.columns.get("state")
        return f"job {self.job_id}" if state is None else f"job {self.job_id}: {state}"


class JobChanges:
    """Stores the changes of jobs in their order. A change that cannot be stored is tried again until it can.

    Clients see a change only when it is stored, so a crash takes back nothing that they saw. One event loop calls every
    public method.
    """

    def __init__(self, table: JobTable) -> None:
        self._table = table
        self._waiting: deque[_Change] = deque()
        self._new: list[_Change] = []
        """The last changes of `_waiting`, which the thread has not got yet."""
        self._batches: queue.SimpleQueue[list[_Change]] = queue.SimpleQueue()
        """What the thread has to write."""
        self._results: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        """What the event loop has to do, because something is written or cannot be."""
        self._is_awaited = False
        """The event loop waits for `_results`, so the thread need not wake it."""
        self._thread: threading.Thread | None = None
        self._stops = threading.Event()
        self._hand_over_timer: asyncio.TimerHandle | None = None
        """Hands over the changes that nobody waits for."""
        self._hang_timer: asyncio.TimerHandle | None = None
        """Reports that the current write hangs. None if nothing waits."""
        self._answer_time = 0.0
        """When the disk last answered the write of a change for the first time, by the event loop's clock."""
        self._slow_until = 0.0
        """Until then, by its own clock, the event loop waits for no write."""
        self._is_delayed = False

    def add(self, job_id: str, prepare: Callable[[], Mapping[str, Any]] | None = None, **columns: Any) -> None:
        """Store a change soon. This never waits.

        Args:
            job_id: The job.
            prepare: Returns more columns. It runs once, where it may block.
            columns: The columns that change, and their new values.
        """
        prepare_once = prepare and cache(prepare)

        def write() -> None:
            self._table.update(job_id, **columns, **(prepare_once() if prepare_once else {}))

        self._enqueue(_Change(job_id, columns, write))
        if self._hand_over_timer is None:
            self._hand_over_timer = asyncio.get_running_loop().call_later(_BATCH_DELAY, self._hand_over)

    async def add_and_wait(self, job_id: str, **columns: Any) -> None:
        """Store a change, and return when it is stored."""
        change = self._enqueue(_Change(job_id, columns, lambda: self._table.update(job_id, **columns)))
        await self._wait_until_done(change)
        if change.error is not None:
            raise change.error

    async def add_job(self, job: Job, prepare: Callable[[], None]) -> None:
        """Store a new job. If this raises an error, the job is not stored, or its row is removed again.

        `prepare` runs before, once, where it may block. Raises OSError, also TimeoutError, or sqlite3.Error.
        """
        if self._is_delayed:
            raise TimeoutError("earlier changes of jobs cannot be stored yet")

        def write() -> None:
            prepare_once()
            if not change.is_refused:
                self._table.add(job)

        prepare_once = cache(prepare)
        change = self._enqueue(_Change(job.id, {}, write, is_retried=False))
        try:
            await self._wait_until_done(change, HANG_TIMEOUT)
        except (TimeoutError, asyncio.CancelledError):
            change.is_refused = True
            self.run(lambda: self._table.remove([job.id]))
            raise
        if change.error is not None:
            raise change.error

    def run(self, write: Callable[[], None], on_done: Callable[[], None] | None = None) -> None:
        """Do another write after those that wait, and call `on_done` in the event loop when it is done."""
        change = self._enqueue(_Change(None, {}, write))
        if on_done is not None:
            change.on_done.append(on_done)
        self._hand_over()

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
        changes = [change for change in self._waiting if change.is_retried]
        for change in changes:
            await self._wait_until_done(change, HANG_TIMEOUT)
        for change in changes:
            if change.error is not None:
                raise change.error

    async def finish(self) -> None:
        """Try for some seconds to store what waits. Log an error that names what cannot be stored."""
        with suppress(TimeoutError):  # the error below says so
            async with asyncio.timeout(RETRY_DELAY * _STOP_RETRIES):
                while self._waiting:
                    await self._wait_until_done(self._waiting[-1])
        if self._hang_timer is not None:
            self._hang_timer.cancel()
        self._stops.set()
        self._batches.put([])
        if self._thread is not None:
            self._thread.join(RETRY_DELAY)  # a write that hangs does not end
        if not (lost := [str(change) for change in self._waiting if change.job_id]):
            return
        more = "" if len(lost) <= _MAX_NAMED else ", …"
        names = ", ".join(lost[:_MAX_NAMED])
        logger.error("changes of jobs that could not be stored before the end: %d (%s%s)", len(lost), names, more)

    def _enqueue(self, change: _Change) -> _Change:
        self._waiting.append(change)
        self._new.append(change)
        return change

    async def _wait_until_done(self, change: _Change, timeout: float = math.inf) -> None:
        """Wait until a change is stored or cannot be. Raises TimeoutError if no write is answered for `timeout` s.

        A slow disk that has much to store is not one that hangs.
        """
        self._hand_over()
        if change.is_done:
            return
        loop = asyncio.get_running_loop()
        begin, done = loop.time(), loop.create_future()
        change.on_done.append(partial(_settle, done))
        while not done.done():
            left = max(begin, self._answer_time) + timeout - loop.time()
            if left <= 0:
                raise TimeoutError
            await asyncio.wait([done], timeout=left)

    def _hand_over(self) -> None:
        """Let the thread write what is new. If the disk is quick, this returns when it is written.

        The event loop waits a moment, because threads that run at once take the interpreter from each other.
        """
        if not self._new:
            return
        if self._hand_over_timer is not None:
            self._hand_over_timer.cancel()
            self._hand_over_timer = None
        loop = asyncio.get_running_loop()
        batch, self._new = self._new, []
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, args=(loop,), name="local-dli-table", daemon=True)
            self._thread.start()
        is_idle = len(batch) == len(self._waiting)
        self._is_awaited = is_idle and loop.time() >= self._slow_until
        self._batches.put(batch)
        if self._is_awaited:
            try:
                self._results.get(timeout=_BLOCKING_TIME)()
            except queue.Empty:
                self._slow_until = loop.time() + _BLOCKING_PAUSE
            self._is_awaited = False
            self._take_results()
        if self._waiting and self._hang_timer is None:
            self._watch(loop)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        self._hang_timer = loop.call_later(HANG_TIMEOUT, self._report_if_it_hangs, loop)

    def _report_if_it_hangs(self, loop: asyncio.AbstractEventLoop) -> None:
        if (left := self._answer_time + HANG_TIMEOUT - loop.time()) > 0:
            self._hang_timer = loop.call_later(left, self._report_if_it_hangs, loop)
        else:
            self._report_delay("the disk does not answer")

    def _take_results(self) -> None:
        while not self._results.empty():
            self._results.get()()

    def _on_written(self, count: int, error: Exception | None) -> None:
        """Settle the first changes that wait: so many are stored, or one cannot be."""
        if error is not None and not _may_succeed_later(error):
            logger.error("%s: cannot store its change", self._waiting[0], exc_info=error)
        for _ in range(count):
            change = self._waiting.popleft()
            change.is_done, change.error = True, error
            for callback in change.on_done:
                callback()
        if self._hang_timer is not None:
            self._hang_timer.cancel()
            self._hang_timer = None
        if self._waiting:
            self._watch(asyncio.get_running_loop())
        elif self._is_delayed:
            self._is_delayed = False
            logger.warning("the changes of jobs that waited are stored now")

    def _report_delay(self, problem: str) -> None:
        if not self._is_delayed:
            self._is_delayed = True
            logger.error(
                "%s: cannot store its change, will retry: %s. Jobs go on. Clients see their last stored state.",
                self._waiting[0],
                problem,
            )

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write what is handed over, in the thread, until `finish`."""
        while not self._stops.is_set():
            batch = list(self._batches.get())
            while not self._batches.empty():
                batch += self._batches.get()
            self._write_batch(batch, loop)

    def _write_batch(self, batch: list[_Change], loop: asyncio.AbstractEventLoop) -> None:
        """Write changes in one transaction. If that fails, write them one by one, to find the one that fails."""
        size = len(batch)
        while batch and not self._stops.is_set():
            error = self._try_to_write(batch[:size], loop)
            if error is None or (size == 1 and not (batch[0].is_retried and _may_succeed_later(error))):
                self._tell(loop, partial(self._on_written, size, error))
                del batch[:size]
            elif size == 1:
                self._tell(loop, partial(self._report_delay, str(error)))
                self._stops.wait(RETRY_DELAY)
            else:
                size = 1

    def _try_to_write(self, changes: list[_Change], loop: asyncio.AbstractEventLoop) -> Exception | None:
        """Write changes in one transaction. Return the error if none of them is stored."""
        try:
            with self._table.transaction():
                for change in changes:
                    change.write()
                    if not change.is_answered:
                        change.is_answered, self._answer_time = True, loop.time()
        except Exception as error:  # noqa: BLE001  whoever waits for the change judges it
            return error
        self._answer_time = loop.time()
        if refused := [change.job_id for change in changes if change.is_refused and change.job_id]:
            # Here, because the server may stop before the thread comes to the removal that `add_job` adds.
            with suppress(OSError, sqlite3.Error):  # that one is retried
                self._table.remove(refused)
        return None

    def _tell(self, loop: asyncio.AbstractEventLoop, result: Callable[[], None]) -> None:
        """Let the event loop do something, from the thread."""
        self._results.put(result)
        if not self._is_awaited:
            with suppress(RuntimeError):  # the event loop has ended meanwhile
                loop.call_soon_threadsafe(self._take_results)


def _settle(done: asyncio.Future[None]) -> None:
    if not done.done():  # otherwise nobody waits any more
        done.set_result(None)


def _may_succeed_later(error: Exception) -> bool:
    return isinstance(error, (OSError, sqlite3.OperationalError))
