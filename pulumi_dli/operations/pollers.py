"""Looking at many jobs at once: the gate that waits in the program, and the look that a plan takes.

Calls do not grow with the number of jobs: what is listed is the jobs that have not ended, or the dead ones.
"""

from __future__ import annotations

import asyncio
import math
import random
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import islice

from pulumi_dli.api.client import OVERLAP, PAGE_SIZE, Client
from pulumi_dli.api.clock import Clock
from pulumi_dli.api.errors import DliError, may_pass_by_itself
from pulumi_dli.api.models import Batch
from pulumi_dli.api.retry import Outage, poll_pause
from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs.wait_goals import Until

_LONGEST_SLEEP = 1.0
_QUIET = 0.1
_LONGEST_GATHERING = 5.0
LONGEST_OUTAGE = 600.0
"""Seconds for which looks may fail before who waits is told more than that they are repeated."""


def live_jobs(client: Client) -> dict[str, Batch]:
    """List the jobs that have not ended, by id."""
    return {batch.id: batch for batch in client.live()}


class DeadJobListing:
    """Tells which jobs are dead, from one listing of at most ten pages that is asked for again after 30 seconds.

    Threads may share it.
    """

    _MOST_JOBS = PAGE_SIZE + 9 * (PAGE_SIZE - OVERLAP)
    _MOST_AGE = 30.0

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._listed: set[str] = set()
        self._failure: DliError | None = None
        self._listed_at: float | None = None

    def state_of(self, batch_id: str) -> BatchState | None:
        """Give DEAD for a job that is dead, another state if it had to be asked for, None for one that is not dead.

        Raises DliError where the service does not answer; a listing that failed is not asked for again at once either.
        """
        with self._lock:
            if self._listed_at is None or self._clock.now() - self._listed_at > self._MOST_AGE:
                self._list()
            listed, failure = self._listed, self._failure
        if failure is not None:
            raise failure
        if batch_id in listed:
            return BatchState.DEAD
        return None if len(listed) < self._MOST_JOBS else self._client.state(batch_id)

    def _list(self) -> None:
        try:
            dead = islice(self._client.batches({"state": BatchState.DEAD.value}), self._MOST_JOBS)
            self._listed, self._failure = {batch.id for batch in dead}, None
        except DliError as error:
            self._failure = error
        self._listed_at = self._clock.now()


Report = Callable[[Batch, float], None]
"""Tells the user how a wait goes: the job as last seen, and the seconds waited."""


@dataclass(eq=False)
class _Wait:
    batch_id: str
    until: Until
    deadline: float
    report: Report
    started: float
    passed: asyncio.Event = field(default_factory=asyncio.Event)

    def may_pass(self, batch: Batch | None, now: float, *, is_listed: bool) -> bool:
        """Tell whether to wait no longer. `batch` is the job as listed; with `is_listed` None means that it ended."""
        if now >= self.deadline:
            return True
        return is_listed and (batch is None or self.until.is_reached(batch.batch_state))


class LiveJobPoller:
    """The gate: lets each wait pass when its job has ended, with one listing a tick for all of them.

    It belongs to one event loop. It decides nothing: whoever comes after it reads the job. So where the listing is
    refused, or has never worked, it opens, and says so. A later failure that may pass by itself is said, and for ten
    minutes the listing is repeated: were the gate open, a few long jobs would keep all of Pulumi's workers waiting.

    `longest_pause` is the seconds between two ticks when the waits have become old; young ones are looked at every
    second.
    """

    def __init__(
        self,
        list_live: Callable[[], dict[str, Batch]],
        *,
        longest_pause: float,
        warn: Callable[[str], None],
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._list_live = list_live
        self._longest_pause = longest_pause
        self._warn = warn
        self._now = now
        self._sleep = sleep
        self._waits: list[_Wait] = []
        self._task: asyncio.Task[None] | None = None
        self._is_open = False
        self._has_listed = False
        self._outage = Outage()

    @property
    def is_open(self) -> bool:
        """True once the listing is given up: nobody waits here any more."""
        return self._is_open

    async def wait(self, batch_id: str, until: Until, timeout: float | None, report: Report) -> float:
        """Wait until the job has reached `until`, has ended, or `timeout` seconds are over; give the seconds waited."""
        if self._is_open:
            return 0.0
        started = self._now()
        deadline = math.inf if timeout is None else started + timeout
        wait = _Wait(batch_id, until, deadline, report, started)
        self._waits.append(wait)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(self._look_no_more)
        try:
            await wait.passed.wait()
        finally:
            wait.passed.set()  # who is cancelled waits no longer
        return self._now() - started

    async def _run(self) -> None:
        await self._gather()
        while self._waits:
            looked_at = await self._tick()
            self._waits = [wait for wait in self._waits if not wait.passed.is_set()]
            await self._rest(looked_at)

    async def _gather(self) -> None:
        """Let those come who come at the same time: one look serves them all."""
        end = min([self._now() + _LONGEST_GATHERING, *(wait.deadline for wait in self._waits)])
        count = 0
        while count != len(self._waits) and self._now() < end:
            count = len(self._waits)
            await self._sleep(_QUIET)

    def _look_no_more(self, task: asyncio.Task[None]) -> None:
        """Forget the task. A fault of ours is shown with its traceback, and everybody passes: nobody is looking."""
        if self._task is task:
            self._task = None  # it would keep its loop
        fault = None if task.cancelled() else task.exception()
        if fault is None:
            return
        task.get_loop().call_exception_handler({"message": "the gate is open after a fault", "exception": fault})
        self._open()

    def _open(self) -> None:
        self._is_open = True
        for wait in self._waits:
            wait.passed.set()

    async def _tick(self) -> float:
        """Look at all jobs once, and let pass who may; give the time of the look."""
        # Who comes during the listing is looked at in the next one.
        waits = [wait for wait in self._waits if not wait.passed.is_set()]
        live = await self._list()
        now = self._now()
        for wait in waits:
            batch = live.get(wait.batch_id) if live is not None else None
            if wait.may_pass(batch, now, is_listed=live is not None):
                wait.passed.set()
            elif batch is not None:
                wait.report(batch, now - wait.started)
        return now

    async def _list(self) -> dict[str, Batch] | None:
        """List the jobs that have not ended; None where that has failed."""
        try:
            live = await asyncio.to_thread(self._list_live)
        except DliError as error:
            self._take_failure(error)
            return None
        self._has_listed = True
        self._outage.end()
        return live

    def _take_failure(self, error: DliError) -> None:
        is_new = self._outage.is_over
        is_long = self._outage.fail(self._now()) >= LONGEST_OUTAGE
        if not self._has_listed or is_long or not may_pass_by_itself(error):
            self._warn(f"the jobs cannot be listed, so each wait asks for its own job: {error}")
            self._open()
        elif is_new:
            self._warn(f"the jobs could not be listed, which is repeated until it works: {error}")

    async def _rest(self, looked_at: float) -> None:
        """Pause until the next tick, a second at a time: who comes meanwhile may want it sooner."""
        jitter = random.uniform(0.9, 1.1)  # noqa: S311
        while self._waits and (rest := looked_at + self._pause(looked_at, jitter) - self._now()) > 0:
            await self._sleep(min(rest, _LONGEST_SLEEP))

    def _pause(self, looked_at: float, jitter: float) -> float:
        """Give the seconds to the next tick: short for young waits, never beyond the nearest deadline."""
        youngest = looked_at - max(wait.started for wait in self._waits)
        deadline = min(wait.deadline for wait in self._waits)
        return min(poll_pause(youngest, self._longest_pause, jitter=jitter), deadline - looked_at)
