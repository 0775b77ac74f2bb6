"""Reads many jobs with one listing: for all waits of a program, and for all plans of a provider process.

The number of calls does not grow with the number of finished jobs.
"""

from __future__ import annotations

import asyncio
import math
import random
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import islice

from pulumi_dli.api.client import Client
from pulumi_dli.api.clock import Clock
from pulumi_dli.api.errors import DliError, may_pass_by_itself
from pulumi_dli.api.listing import OVERLAP, PAGE_SIZE
from pulumi_dli.api.models import Batch, normal_id
from pulumi_dli.api.retry import Outage, poll_pause
from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs import messages, wait_messages
from pulumi_dli.jobs.wait_goals import Until
from pulumi_dli.operations.duplicates import runs_by_submission

_MAX_SLEEP = 1.0
_GATHER_PAUSE = 0.1
_MAX_GATHER_TIME = 5.0
MAX_OUTAGE = 600.0
"""Seconds for which all polls may fail before a wait gives up."""


def live_jobs(client: Client) -> dict[str, Batch]:
    """Return the jobs that have not ended, by id."""
    return {batch.id: batch for batch in client.live()}


class DeadJobListing:
    """Finds dead jobs with one listing of at most ten pages, which it keeps for 30 seconds. Threads may share it."""

    _MAX_JOBS = PAGE_SIZE + 9 * (PAGE_SIZE - OVERLAP)
    _MAX_AGE = 30.0

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._dead: set[str] = set()
        self._is_complete = True
        self._failure: DliError | None = None
        self._listed_at: float | None = None

    def state_of(self, batch_id: str) -> BatchState | None:
        """Return DEAD for a dead job, and None for a job that is not dead.

        If the listing is longer than ten pages and does not have the job, the state call answers, with any state.
        Raises DliError if the service does not answer. A failed listing also counts for 30 seconds.
        """
        with self._lock:
            if self._listed_at is None or self._clock.now() - self._listed_at > self._MAX_AGE:
                self._list()
            dead, is_complete, failure = self._dead, self._is_complete, self._failure
        if failure is not None:
            raise failure
        if normal_id(batch_id) in dead:
            return BatchState.DEAD
        return None if is_complete else self._client.state(batch_id)

    def _list(self) -> None:
        try:
            listed = [*islice(self._client.batches({"state": BatchState.DEAD.value}), self._MAX_JOBS)]
            # A service that ignores the filter lists live jobs too, which must not be cancelled and run again.
            self._dead = {batch.id for batch in listed if batch.batch_state is BatchState.DEAD}
            self._is_complete, self._failure = len(listed) < self._MAX_JOBS, None
        except DliError as error:
            self._failure = error
        self._listed_at = self._clock.now()


Report = Callable[[Batch, float], None]
"""Shows the progress of a wait to the user. It gets the job as last listed, and the seconds waited."""


@dataclass(eq=False)
class _Wait:
    batch_id: str
    until: Until
    deadline: float
    report: Report
    started: float
    passed: asyncio.Event = field(default_factory=asyncio.Event)

    def may_pass(self, batch: Batch | None, now: float, *, is_listed: bool) -> bool:
        """Return whether the wait is over.

        Args:
            batch: The job in the listing. None if the listing does not have it or has failed.
            now: The time in seconds.
            is_listed: Whether the listing worked. If so, a job that it does not have has ended.
        """
        if now >= self.deadline:
            return True
        return is_listed and (batch is None or self.until.is_reached(batch.batch_state))


class LiveJobPoller:
    """Lets each wait pass when its job has ended, with one listing in each tick for all waits.

    It belongs to one event loop. It does not decide about the outcome of a job: the provider reads the job again. So it
    may give up: then all waits pass at once. It gives up if a listing fails before any has worked, if the service
    refuses a listing, or if listings fail for ten minutes. It does not give up earlier, because a few long jobs would
    then occupy all of Pulumi's workers.

    Args:
        list_live: Returns the jobs that have not ended, by id.
        longest_pause: Seconds between two ticks for old waits. Young waits are polled every second.
        warn: Shows a warning to the user.
        now: Returns the time in seconds.
        sleep: Sleeps for some seconds.
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
        self._has_given_up = False
        self._has_listed = False
        self._outage = Outage()
        self._known_duplicates: set[str] = set()

    @property
    def has_given_up(self) -> bool:
        """True if the poller has given up: all waits pass at once."""
        return self._has_given_up

    async def wait(self, batch_id: str, until: Until, timeout: float | None, report: Report) -> float:
        """Wait until the job has reached `until` or has ended, at most `timeout` seconds. Return the seconds waited."""
        if self._has_given_up:
            return 0.0
        started = self._now()
        deadline = math.inf if timeout is None else started + timeout
        wait = _Wait(normal_id(batch_id), until, deadline, report, started)
        self._waits.append(wait)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(self._on_task_done)
        try:
            await wait.passed.wait()
        finally:
            wait.passed.set()  # a cancelled wait must not keep the poller running
        return self._now() - started

    async def _run(self) -> None:
        await self._gather()
        while self._waits:
            polled_at = await self._tick()
            self._waits = [wait for wait in self._waits if not wait.passed.is_set()]
            await self._sleep_until_next_tick(polled_at)

    async def _gather(self) -> None:
        """Sleep until no new wait arrives, for at most 5 seconds. One listing then serves all waits of a program."""
        end = min([self._now() + _MAX_GATHER_TIME, *(wait.deadline for wait in self._waits)])
        count = 0
        while count != len(self._waits) and self._now() < end:
            count = len(self._waits)
            await self._sleep(_GATHER_PAUSE)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        """Drop the finished task. If it ended with an exception, show its traceback and give up."""
        if self._task is task:
            self._task = None  # a task keeps its event loop in memory
        defect = None if task.cancelled() else task.exception()
        if defect is None:
            return
        task.get_loop().call_exception_handler(
            {"message": "the program no longer waits for jobs, because the poller has a defect", "exception": defect}
        )
        self._give_up()

    def _give_up(self) -> None:
        self._has_given_up = True
        for wait in self._waits:
            wait.passed.set()

    async def _tick(self) -> float:
        """List the jobs once, and let each wait pass that is over. Return the time of the listing."""
        # The next tick serves a wait that arrives during the listing.
        waits = [wait for wait in self._waits if not wait.passed.is_set()]
        live = await self._list()
        self._warn_of_duplicates(live or {}, {wait.batch_id for wait in waits})
        now = self._now()
        for wait in waits:
            batch = live.get(wait.batch_id) if live is not None else None
            if wait.may_pass(batch, now, is_listed=live is not None):
                wait.passed.set()
            elif batch is not None:
                wait.report(batch, now - wait.started)
        return now

    def _warn_of_duplicates(self, live: dict[str, Batch], awaited: set[str]) -> None:
        """Warn once if the service runs an awaited job twice. This costs no call."""
        for group in runs_by_submission(live.values()).values():
            known = next((batch for batch in group if batch.id in awaited), None)
            if len(group) > 1 and known is not None and known.id not in self._known_duplicates:
                self._known_duplicates.add(known.id)
                others = [batch for batch in group if batch is not known]
                self._warn(f"{known.name}: {messages.duplicates_message(known.id, others)}")

    async def _list(self) -> dict[str, Batch] | None:
        """Return the jobs that have not ended, or None if the listing has failed."""
        try:
            live = await asyncio.to_thread(self._list_live)
        except DliError as error:
            self._handle_failure(error)
            return None
        self._has_listed = True
        self._outage.end()
        return live

    def _handle_failure(self, error: DliError) -> None:
        is_new = self._outage.is_over
        is_long = self._outage.fail(self._now()) >= MAX_OUTAGE
        if not self._has_listed or is_long or not may_pass_by_itself(error):
            self._warn(wait_messages.listing_abandoned_message(error))
            self._give_up()
        elif is_new:
            self._warn(wait_messages.listing_repeated_message(error))

    async def _sleep_until_next_tick(self, polled_at: float) -> None:
        """Sleep until the next tick, at most a second at a time, because a new wait may need an earlier tick."""
        jitter = random.uniform(0.9, 1.1)  # noqa: S311
        while self._waits and (rest := polled_at + self._pause(polled_at, jitter) - self._now()) > 0:
            await self._sleep(min(rest, _MAX_SLEEP))

    def _pause(self, polled_at: float, jitter: float) -> float:
        """Return the seconds until the next tick: few for young waits, and never beyond the next deadline."""
        youngest = polled_at - max(wait.started for wait in self._waits)
        deadline = min(wait.deadline for wait in self._waits)
        return min(poll_pause(youngest, self._longest_pause, jitter=jitter), deadline - polled_at)
