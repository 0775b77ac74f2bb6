"""The changes of jobs on their way into the table. A full disk or a locked table delays them, but ends no job."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from dataclasses import replace
from typing import Any

from pulumi_dli.local.table import Job, JobTable

RETRY_DELAY = 0.5
"""The seconds between two attempts to store the changes that wait."""
_STOP_RETRIES = 10

logger = logging.getLogger(__name__)


class JobChanges:
    """Stores the changes of jobs in their order. A change that cannot be stored is tried again until it can.

    Clients see a change only when it is stored, so a crash takes back nothing that they saw.
    """

    def __init__(self, table: JobTable) -> None:
        self._table = table
        self._waiting: deque[tuple[str, dict[str, Any]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._stored = asyncio.Event()
        self._stored.set()

    def add(self, job_id: str, **changes: Any) -> None:
        """Store a change now if possible, else later. This never waits."""
        self._waiting.append((job_id, changes))
        if self._timer is None:
            self._store()

    async def add_and_wait(self, job_id: str, **changes: Any) -> None:
        """Store a change, and return when it is stored."""
        self.add(job_id, **changes)
        await self._stored.wait()

    def latest(self, job: Job) -> Job:
        """Return a stored job with its changes that wait."""
        for job_id, changes in self._waiting:
            if job_id == job.id:
                job = replace(job, **changes)
        return job

    def has_waiting(self, job_id: str) -> bool:
        """Return whether a change of this job is not stored yet."""
        return any(waiting_id == job_id for waiting_id, _ in self._waiting)

    async def finish(self) -> None:
        """Try for some seconds to store what waits. Log an error if it cannot be stored."""
        for _ in range(_STOP_RETRIES):
            if not self._waiting:
                return
            await asyncio.sleep(RETRY_DELAY)
        if self._timer is not None:
            self._timer.cancel()
        logger.error("changes of jobs that could not be stored before the end: %d", len(self._waiting))

    def _store(self) -> None:
        was_delayed, self._timer = self._timer is not None, None
        try:
            while self._waiting:
                job_id, changes = self._waiting[0]
                self._table.update(job_id, **changes)
                self._waiting.popleft()
        except sqlite3.OperationalError as error:  # a full disk, or another process has locked the table
            if not was_delayed:
                self._stored.clear()
                logger.error(  # noqa: TRY400  a traceback adds nothing
                    "job %s: cannot store its change, will retry: %s. Jobs go on. Clients see their last stored state.",
                    job_id,
                    error,
                )
            self._timer = asyncio.get_running_loop().call_later(RETRY_DELAY, self._store)
        except sqlite3.Error:
            self._waiting.clear()
            self._stored.set()
            raise
        else:
            if was_delayed:
                self._stored.set()
                logger.warning("the changes of jobs that waited are stored now")
